// LogTests: what a log does on a healthy medium, through every writer; damage and foreign files.

import Glibc
import Platform
import Simulation
import Testing

@testable import Storage

/// All payloads from `lsn` on, and what the end looked like.
private func recover(
  _ medium: any Medium, from lsn: LSN = 0, identity: StorageIdentity = testIdentity,
  allowsLoss: Bool = false
) throws -> (payloads: [[UInt8]], end: LSN, torn: UInt64, loss: String?) {
  var tail = try LogTail(medium, identity: identity, from: lsn, allowsLoss: allowsLoss)
  var payloads: [[UInt8]] = []
  while try tail.next() {
    payloads.append(unsafe tail.payload.withUnsafeBytes { unsafe Array($0) })
  }
  return (payloads, tail.position, tail.tornBytes, tail.loss)
}

private func open(
  _ medium: any Medium, from lsn: LSN = 0, _ change: (inout LogOptions) -> Void = { _ in }
) throws -> Log {
  var options = LogOptions()
  options.segmentBytes = 65536
  change(&options)
  var tail = try LogTail(medium, identity: testIdentity, from: lsn)
  while try tail.next() {}
  return try Log(continuing: tail, options, nowMilliseconds: 0)
}

/// How a log can be written, on a real directory.
private enum Way: CaseIterable {
  case automatic, ring, thread, everySecond, never, emulated

  func open(_ directory: TemporaryDirectory) throws -> (any Medium, (inout LogOptions) -> Void) {
    let medium = try openMedium(directory: directory.path, self == .emulated ? .emulated : .file)
    return (
      medium,
      { options in
        switch self {
        case .ring: options.writer = .ring
        case .thread: options.writer = .thread
        case .everySecond: options.policy = .everySecond
        case .never: options.policy = .never
        case .automatic, .emulated: break
        }
      }
    )
  }
}

struct LogTests {
  @Test(arguments: Way.allCases)
  private func everyWriterKeepsWhatIsAppended(way: Way) throws {
    let directory = try TemporaryDirectory()
    let (medium, change) = try way.open(directory)
    let contents = RecordContents(seed: 5)
    let log = try open(medium, change)
    var last: LSN = 0
    for number in 0..<300 {
      last = try log.append(contents[number].span)
      if number % 16 == 0 { log.poll(nowMilliseconds: Int64(number)) }
    }
    // Larger than the first segment, a write and the buffer.
    let huge = [UInt8](repeating: 0x5A, count: 9 << 20)
    last = try log.append(huge.span)
    #expect(log.end == last)
    try log.drain()
    #expect(log.durable == last && log.committed == last && log.failure == nil)
    let before = log.segmentCount
    log.recycle(below: last)
    #expect(before > 2 && log.segmentCount == 1)
    try log.append([1, 2, 3].span)
    try log.close()
    let found = try recover(medium, from: last)
    #expect(found.payloads == [[1, 2, 3]] && found.torn == 0)
  }

  @Test func recoveryGivesAllRecordsAcrossSegments() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    let contents = RecordContents(seed: 6)
    let log = try open(medium) { $0.hasKeeperThread = false }
    var ends: [LSN] = []
    for number in 0..<200 { ends.append(try log.append(contents[number].span)) }
    try log.drain()
    log.stop()
    let found = try recover(medium)
    #expect(found.payloads == (0..<200).map { contents[$0] })
    #expect(found.end == ends.last && found.torn == 0)
    #expect(try recover(medium, from: ends[99]).payloads == (100..<200).map { contents[$0] })
  }

  @Test func groupCommitTakesAllThatWaits() throws {
    let directory = try TemporaryDirectory()
    let medium = try FileMedium(directory: directory.path)
    let log = try open(medium) { $0.writer = .thread }
    for _ in 0..<1000 { try log.append([7, 7, 7].span) }
    // The first write was under way while the rest gathered.
    #expect(log.end - log.durable > 0 || log.durable == log.end)
    try log.drain()
    #expect(log.durable == 1000 * 40)
    log.stop()
  }

  @Test func changingThePolicyKeepsTheLog() throws {
    let directory = try TemporaryDirectory()
    let medium = try FileMedium(directory: directory.path)
    let log = try open(medium)
    try log.append([1].span)
    try log.setPolicy(.everySecond)
    #expect(log.writerName == "page cache")
    let second = try log.append([2].span)
    #expect(log.committed == second && log.durable < second)
    try log.setPolicy(.always)
    try log.append([3].span)
    try log.close()
    #expect(try recover(medium).payloads == [[1], [2], [3]])
  }

  @Test func everySecondSynchronizesOnceASecond() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    let log = try open(medium) {
      $0.hasKeeperThread = false
      $0.policy = .everySecond
    }
    let end = try log.append([1].span)
    #expect(log.committed == end)
    log.poll(nowMilliseconds: 900)
    #expect(log.durable == 0)
    log.poll(nowMilliseconds: 1000)
    #expect(log.durable == end)
  }

  @Test func sparesAreUsedAgain() throws {
    let medium = SimulatedMedium(Disk(kind: .persistentMemory))
    let log = try open(medium) {
      $0.hasKeeperThread = false
      $0.segmentBytes = 16384
      $0.spareLimit = 2
    }
    let record = [UInt8](repeating: 9, count: 1000)
    for _ in 0..<400 { log.recycle(below: try log.append(record.span)) }
    #expect(log.usedBytes < 40000)
    // The active one, the next one, and the spares.
    #expect(try medium.list().count <= 4)
    log.stop()
  }

  @Test func failureIsToldAndEndsByItself() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    let log = try open(medium) {
      $0.hasKeeperThread = false
      $0.writer = .immediate
    }
    try log.append([1].span)
    medium.setFault { $0.kind == .write ? .fail(ENOSPC) : nil }
    let end = try log.append([2].span)
    #expect(log.failure?.error.errno == ENOSPC && log.durable < end)
    for now in stride(from: Int64(100), to: 20000, by: 500) { log.poll(nowMilliseconds: now) }
    #expect(log.failure?.error.errno == ENOSPC)
    medium.setFault(nil)
    for now in stride(from: Int64(20000), to: 31000, by: 500) { log.poll(nowMilliseconds: now) }
    #expect(log.failure == nil && log.durable == end)
    log.stop()
    #expect(try recover(medium).payloads == [[1], [2]])
  }
}

struct LogDamageTests {
  /// A log of 50 durable records, and where they end.
  private func written(_ bug: PlantedBug? = nil) throws -> (SimulatedMedium, [LSN]) {
    let medium = SimulatedMedium(Disk(kind: .file), plantedBug: bug)
    let log = try open(medium) {
      $0.hasKeeperThread = false
      $0.writer = .immediate
    }
    var ends: [LSN] = []
    for number in 0..<50 {
      ends.append(try log.append([UInt8](repeating: UInt8(number), count: 100).span))
    }
    log.stop()
    return (medium, ends)
  }

  private func damage(_ medium: any Medium, _ name: String, at offset: Int) throws {
    let file = try medium.open(name)
    try file.put([try file.bytes(offset..<offset + 1)[0] ^ 0x10], at: offset)
    try file.synchronize()
  }

  private func content(_ medium: any Medium, _ name: String) throws -> [UInt8] {
    let file = try medium.open(name)
    return try file.bytes(0..<file.count)
  }

  @Test func damageBeforeLaterRecordsIsRefused() throws {
    let (medium, ends) = try written()
    try damage(medium, "ferrite.log.000001", at: 4096 + Int(ends[9]) + 60)
    do {
      _ = try recover(medium)
      Issue.record("it was taken for the end of the log")
    } catch StorageError.corrupt(let path, let reason) {
      #expect(path == "simulated/ferrite.log.000001")
      #expect(reason.contains("byte \(4096 + ends[9])") && reason.contains("LSN \(ends[9])"))
      #expect(reason.contains("log-truncate-corrupt yes") && reason.contains("39 later records"))
    }
    let found = try recover(medium, allowsLoss: true)
    #expect(found.payloads.count == 10 && found.end == ends[9] && found.loss != nil)
    #expect(found.torn == 0)
    // Going on keeps what was given up under another name, and later starts do not take it away.
    let damaged = try content(medium, "ferrite.log.000001")
    var tail = try LogTail(medium, identity: testIdentity, from: 0, allowsLoss: true)
    while try tail.next() {}
    var options = LogOptions()
    options.hasKeeperThread = false
    let log = try Log(continuing: tail, options, nowMilliseconds: 0)
    try log.append([1].span)
    try log.close()
    #expect(try recover(medium).payloads.count == 11)
    let later = try open(medium) {
      $0.hasKeeperThread = false
      $0.writer = .immediate
    }
    later.recycle(below: later.end)
    later.stop()
    #expect(try !medium.list().contains("ferrite.log.000001"))
    #expect(try content(medium, "ferrite.log.lost.000001") == damaged)
  }

  @Test func theSearchForDamageIsNeeded() throws {
    let (medium, ends) = try written(.logCorruptionTakenForTornTail)
    try damage(medium, "ferrite.log.000001", at: 4096 + Int(ends[9]) + 60)
    #expect(try recover(medium).payloads.count == 10)
  }

  @Test func everyDamagedByteIsSeen() throws {
    let (medium, ends) = try written()
    let start = 4096 + Int(ends[3])
    for offset in start..<start + 132 {
      let copy = SimulatedMedium(medium.snapshot())
      try damage(copy, "ferrite.log.000001", at: offset)
      #expect(throws: StorageError.self) { _ = try recover(copy) }
    }
  }

  @Test func aDamagedHeaderIsRefused() throws {
    let (medium, _) = try written()
    for offset in [0, 17, 33, 41, 57, 65, 73, 77] {
      let copy = SimulatedMedium(medium.snapshot())
      try damage(copy, "ferrite.log.000001", at: offset)
      #expect(throws: StorageError.self) { _ = try recover(copy) }
    }
  }

  @Test func foreignAndNewerSegmentsAreNamed() throws {
    let (medium, _) = try written()
    let stranger = StorageIdentity(low: 1, high: 2)
    #expect(
      throws: StorageError.foreign(
        path: "simulated/ferrite.log.000001",
        "this log segment belongs to another data directory")
    ) { _ = try recover(medium, identity: stranger) }
    let file = try medium.open("ferrite.log.000001")
    try file.put([2], at: 8)
    #expect(throws: StorageError.newer(path: "simulated/ferrite.log.000001", version: 2)) {
      _ = try recover(medium)
    }
  }

  @Test func aMissingLogIsRefused() throws {
    let (medium, ends) = try written()
    for name in try medium.list() { try medium.remove(name) }
    #expect(throws: StorageError.self) { _ = try recover(medium, from: ends[20]) }
    #expect(try recover(medium, from: ends[20], allowsLoss: true).loss != nil)
    #expect(try recover(medium).payloads == [])
  }

  @Test func aTornTailIsCutAndReported() throws {
    let (medium, ends) = try written()
    // The last record only: nothing after it says that it was durable.
    try damage(medium, "ferrite.log.000001", at: 4096 + Int(ends[48]) + 50)
    let found = try recover(medium)
    #expect(found.payloads.count == 49 && found.torn == 132 && found.loss == nil)
  }
}
