// LogHarness: a log on a simulated medium, driven by seed, and the judge of what recovery finds.
//
// 1. Record i of a run has content that i decides, and a length that the seed decides: the judge
//    needs no copy of what was written.
// 2. The image of the test is a note: "everything below this LSN is saved" is durable when noted.

import Glibc
import Platform
import Simulation
import Testing

@testable import Storage

/// What a note of the trace says.
enum LogNote {
  /// Replies to records below this number have left.
  case acknowledged(Int)
  /// The image is saved with `count` records; the log begins at the LSN.
  case saved(count: Int, LSN)

  var encoded: Int {
    switch self {
    case .acknowledged(let count): count << 1
    case .saved(let count, let lsn): (count << 32 | Int(lsn)) << 1 | 1
    }
  }

  init(_ note: Int) {
    let value = note >> 1
    self =
      note & 1 == 0 ? .acknowledged(value) : .saved(count: value >> 32, LSN(value & 0xFFFF_FFFF))
  }
}

/// What must be there, by the notes before a power cut.
struct LogPromise {
  var acknowledged = 0
  var savedCount = 0
  var savedLSN: LSN = 0

  init() {}

  init(_ notes: [Int], after earlier: LogPromise = LogPromise()) {
    self = earlier
    for note in notes {
      switch LogNote(note) {
      case .acknowledged(let count): acknowledged = max(acknowledged, count)
      case .saved(let count, let lsn): (savedCount, savedLSN) = (count, lsn)
      }
    }
  }
}

enum LogJudgement: Error, CustomStringConvertible {
  case lost(found: Int, acknowledged: Int)
  case wrong(record: Int)
  case refused(StorageError)

  var description: String {
    switch self {
    case .lost(let found, let acknowledged): "\(found) records, \(acknowledged) were acknowledged"
    case .wrong(let record): "record \(record) is not what was written"
    case .refused(let error): "refused: \(error)"
    }
  }
}

let testIdentity = StorageIdentity(low: 0x1122, high: 0x3344)

/// The contents of a run's records, by number; made once.
final class RecordContents {
  let seed: UInt64
  private var made: [[UInt8]] = []

  init(seed: UInt64) { self.seed = seed }

  subscript(number: Int) -> [UInt8] {
    while made.count <= number { made.append(make(made.count)) }
    return made[number]
  }

  private func make(_ number: Int) -> [UInt8] {
    var random = SeededRandom(seed: seed &+ UInt64(number) &* 7919)
    // Equal lengths come often, so that a record of an earlier time fits where a new one ends.
    let lengths = [40, 40, 40, 40, 40, 200, 200, 216, 1000, 1000, 3000, 9000]
    let words = (0..<lengths[random.below(lengths.count)] / 8).map { _ in random.next() }
    return unsafe words.withUnsafeBytes { unsafe Array($0) }
  }
}

/// A log and what it was made to promise.
final class LogRun {
  let medium: SimulatedMedium
  let log: Log
  let contents: RecordContents
  var random: SeededRandom
  var appended: Int
  /// The ends of the records that were appended here, by number.
  var ends: [Int: LSN] = [:]
  var acknowledged: Int
  var savedCount: Int
  var now: Int64 = 1000

  /// Recovers what is on the medium, judges it against the promise, and goes on.
  init(
    _ medium: SimulatedMedium, _ contents: RecordContents, _ promise: LogPromise = LogPromise(),
    policy: SyncPolicy = .always
  ) throws {
    self.medium = medium
    self.contents = contents
    random = SeededRandom(seed: contents.seed ^ UInt64(promise.acknowledged))
    savedCount = promise.savedCount
    var options = LogOptions()
    options.segmentBytes = 16384
    options.writer = .immediate
    options.policy = policy
    options.hasKeeperThread = false
    options.spareLimit = 2
    do {
      var tail = try LogTail(medium, identity: testIdentity, from: promise.savedLSN)
      appended = try LogRun.judge(&tail, contents, promise)
      log = try Log(continuing: tail, options, nowMilliseconds: now)
    } catch let error as StorageError {
      throw LogJudgement.refused(error)
    }
    acknowledged = appended
  }

  /// Judges what recovery finds, without going on.
  static func check(
    _ medium: SimulatedMedium, _ contents: RecordContents, _ promise: LogPromise
  ) throws {
    do {
      var tail = try LogTail(medium, identity: testIdentity, from: promise.savedLSN)
      _ = try judge(&tail, contents, promise)
    } catch let error as StorageError {
      throw LogJudgement.refused(error)
    }
  }

  /// Reads all records and compares them; gives how many there are with those that are saved.
  static func judge(
    _ tail: inout LogTail, _ contents: RecordContents, _ promise: LogPromise
  ) throws -> Int {
    var number = promise.savedCount
    while try tail.next() {
      let expected = contents[number]
      let isEqual = unsafe tail.payload.withUnsafeBytes { found in
        unsafe expected.count == found.count
          && memcmp(expected, found.baseAddress!, found.count) == 0
      }
      guard isEqual else { throw LogJudgement.wrong(record: number) }
      number += 1
    }
    guard number >= promise.acknowledged else {
      throw LogJudgement.lost(found: number, acknowledged: promise.acknowledged)
    }
    return number
  }

  /// Appends a record, and now and then lets time pass or saves the image.
  func step() throws {
    let end = try log.append(contents[appended].span)
    appended += 1
    ends[appended] = end
    if random.oneIn(3) {
      now += 400
      log.poll(nowMilliseconds: now)
    }
    acknowledge()
    if random.oneIn(12) { save() }
  }

  /// Replies leave, up to what is committed. Where the policy lets them leave earlier than a power
  /// cut allows, what the log calls durable is held against it.
  func acknowledge() {
    var reached = acknowledged
    let limit = log.policy == .always ? log.committed : log.durable
    while let end = ends[reached + 1], end <= limit { reached += 1 }
    if reached > acknowledged {
      acknowledged = reached
      medium.note(LogNote.acknowledged(reached).encoded)
    }
  }

  /// An image with some of what is durable: a checkpoint is behind when it is done.
  func save() {
    let count = savedCount + random.below(acknowledged - savedCount + 1)
    guard let end = ends[count], log.durable >= end else { return }
    savedCount = count
    medium.note(LogNote.saved(count: count, end).encoded)
    log.recycle(below: end)
  }

  var promise: LogPromise { LogPromise(medium.trace.operations.notes) }
}

extension [Operation] {
  var notes: [Int] {
    compactMap { operation in
      if case .note(let note) = operation { return note }
      return nil
    }
  }
}
