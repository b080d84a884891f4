// LogKeeper: the log's work on files that takes time: it makes segments ready ahead of need, takes
// back those that are no longer needed, and synchronizes where writes do not do it themselves.
//
//   ferrite.log.000007 ──retire──► ferrite.log.spare.000007 ──prepare──► ferrite.log.000012
//                                            ▲
//   ferrite.log.new.3 ──allocate, zeros──────┘
//
// 1. A file bears a segment's name only while its header is valid: a header is written under a
//    spare's name and is durable before the file is renamed. A damaged one is therefore damage.
// 2. A segment is handed over when its blocks have been written before, its header, and its name
//    are durable: writing records changes no metadata.
// 3. Jobs are done in the order in which they were posted.
// 4. A new file is filled with zeros here, in the background; only the first segment of a run is
//    made while the server waits, and is small.

import Glibc
import Platform
import Synchronization

/// What a new segment is to be.
struct SegmentPlan: Sendable {
  var sequence: UInt64
  var base: LSN
  var first: LSN
  var dataBytes: Int
}

final class LogKeeper: Sendable {
  enum Job: Sendable {
    case prepare(SegmentPlan)
    case retire(ClosedSegment)
    case synchronize([LogSegment], through: LSN)
  }

  enum Outcome: Sendable {
    case prepared(LogSegment)
    case notPrepared(IOError)
    case synchronized(LSN)
    case notSynchronized(IOError)
  }

  private struct State: Sendable {
    var jobs: [Job] = []
    var outcomes: [Outcome] = []
    /// Files that can become segments.
    var spares: [String] = []
    var spareNumber: UInt64 = 0
    var isBusy = false
    /// How the segments' files are opened for the records.
    var mode: WriteMode
  }

  private let medium: any Medium
  private let identity: StorageIdentity
  private let alignment: UInt32
  private let spareLimit: Int
  private let wake: WakeHandle?
  private let state: Mutex<State>
  private let worker = Mutex<Worker?>(nil)

  /// - Parameters:
  ///   - mode: how the segments' files are to be opened for the records.
  ///   - spares: files that were found and can be used again.
  init(
    _ medium: any Medium, _ identity: StorageIdentity, alignment: UInt32, mode: WriteMode,
    spares: [String], spareLimit: Int, wake: WakeHandle?
  ) {
    self.medium = medium
    self.identity = identity
    self.alignment = alignment
    self.spareLimit = spareLimit
    self.wake = wake
    let highest = spares.compactMap { UInt64($0.dropFirst(LogFormat.sparePrefix.count)) }.max()
    state = Mutex(State(spares: spares, spareNumber: (highest ?? 0) + 1, mode: mode))
  }

  /// From now on a thread does the jobs. Without it, whoever posts one does it at once.
  func start() throws(IOError) {
    let worker = try Worker(name: "ferrite-keeper") { [unowned self] in step() }
    self.worker.withLock { $0 = worker }
  }

  func stop() {
    let worker = worker.withLock { worker in
      defer { worker = nil }
      return worker
    }
    worker?.stop()
  }

  func post(_ job: Job) {
    state.withLock { $0.jobs.append(job) }
    if let worker = worker.withLock({ $0 }) {
      worker.wake()
    } else {
      while step() {}
    }
  }

  /// Segments made from now on are opened this way.
  func setMode(_ mode: WriteMode) { state.withLock { $0.mode = mode } }

  func nextOutcome() -> Outcome? {
    state.withLock { $0.outcomes.isEmpty ? nil : $0.outcomes.removeFirst() }
  }

  var isIdle: Bool { state.withLock { $0.jobs.isEmpty && !$0.isBusy } }

  /// Does one job; false if there is none.
  private func step() -> Bool {
    let job = state.withLock { state -> Job? in
      guard !state.jobs.isEmpty else { return nil }
      state.isBusy = true
      return state.jobs.removeFirst()
    }
    guard let job else { return false }
    let outcome = perform(job)
    state.withLock { state in
      if let outcome { state.outcomes.append(outcome) }
      state.isBusy = false
    }
    if outcome != nil { wake?.wake() }
    return true
  }

  private func perform(_ job: Job) -> Outcome? {
    switch job {
    case .prepare(let plan):
      do throws(IOError) { return .prepared(try prepare(plan)) } catch {
        return .notPrepared(error)
      }
    case .retire(let segment):
      retire(segment)
      return nil
    case .synchronize(let segments, let lsn):
      do throws(IOError) {
        if !medium.has(.logSynchronizeMissing) {
          for segment in segments { try segment.file.synchronize() }
        }
        return .synchronized(lsn)
      } catch {
        return .notSynchronized(error)
      }
    }
  }

  // MARK: Segments

  /// Makes a segment on the calling thread; nobody else uses the keeper yet.
  func prepare(_ plan: SegmentPlan) throws(IOError) -> LogSegment {
    let fileBytes = LogFormat.headerBytes + plan.dataBytes
    let spare = try takeSpare(fileBytes)
    do throws(IOError) {
      return try dress(spare, plan)
    } catch {
      // Whatever is half done is done again from here, or from a new file.
      state.withLock { $0.spares.append(spare) }
      throw error
    }
  }

  /// Gives the name of a file whose blocks are all written.
  private func takeSpare(_ fileBytes: Int) throws(IOError) -> String {
    while let name = state.withLock({ $0.spares.popLast() }) {
      if let file = try? medium.open(name), file.count >= fileBytes { return name }
      // Too short (the first segment of a run), or not to be opened.
      try removeIfThere(name)
    }
    let number = state.withLock { state in
      defer { state.spareNumber += 1 }
      return String(state.spareNumber)
    }
    // A spare's name is a promise that all of it was written: until then it has another.
    let unfinished = LogFormat.unfinishedPrefix + number
    do throws(IOError) {
      try removeIfThere(unfinished)
      try fill(try medium.create(unfinished), fileBytes)
      try medium.rename(unfinished, to: LogFormat.sparePrefix + number)
    } catch {
      try? removeIfThere(unfinished)
      throw error
    }
    return LogFormat.sparePrefix + number
  }

  private func removeIfThere(_ name: String) throws(IOError) {
    do throws(IOError) { try medium.remove(name) } catch  where error.errno == ENOENT {
      return
    }
  }

  /// Gives a new file its length, blocks and zeros.
  private func fill(_ file: any MediumFile, _ fileBytes: Int) throws(IOError) {
    try file.resize(to: fileBytes)
    try file.allocate(0..<fileBytes)
    let zeros = [UInt8](repeating: 0, count: min(fileBytes, 1 << 20))
    var offset = 0
    while offset < fileBytes {
      let count = min(zeros.count, fileBytes - offset)
      try file.write(zeros.span.extracting(0..<count), at: offset)
      file.flush(offset..<offset + count)
      offset += count
    }
    try file.synchronize()
  }

  /// Writes the header, and gives the file its name (invariant 1).
  private func dress(_ spare: String, _ plan: SegmentPlan) throws(IOError) -> LogSegment {
    let name = LogFormat.name(plan.sequence)
    if medium.has(.logSegmentReusedInPlace) {
      try medium.rename(spare, to: name)
      try medium.synchronizeDirectory()
    }
    let bytes = try medium.open(medium.has(.logSegmentReusedInPlace) ? name : spare)
    var salt = UInt64.random(in: 1...UInt64.max)
    if medium.has(.logStaleRecordsBelieved) { salt = 1 }
    let header = SegmentHeader(
      identity: identity, sequence: plan.sequence, base: plan.base, first: plan.first, salt: salt,
      dataBytes: UInt64(bytes.count - LogFormat.headerBytes), alignment: alignment)
    try bytes.write(header.encoded().span, at: 0)
    if !medium.has(.logSegmentHeaderNotSynchronized) {
      bytes.flush(0..<LogFormat.headerBytes)
      try bytes.synchronize()
    }
    if !medium.has(.logSegmentReusedInPlace) {
      try medium.rename(spare, to: name)
      if !medium.has(.logSegmentNameNotSynchronized) { try medium.synchronizeDirectory() }
    }
    let mode = state.withLock { $0.mode }
    // Under its own name, which errors then tell.
    let file = try medium.open(name, mode)
    return LogSegment(header, name, file, isDirect: mode == .direct)
  }

  /// Takes back a segment's file: as a spare, or to remove it where there are enough. Failures
  /// leave the file where it is: the next start finds it, no longer needed.
  private func retire(_ segment: ClosedSegment) {
    do throws(IOError) {
      let name = state.withLock { state -> String? in
        guard state.spares.count < spareLimit else { return nil }
        defer { state.spareNumber += 1 }
        return LogFormat.sparePrefix + String(state.spareNumber)
      }
      guard let name else {
        try medium.remove(segment.name)
        try medium.synchronizeDirectory()
        return
      }
      try medium.rename(segment.name, to: name)
      // Durable before the header is overwritten: invariant 1.
      try medium.synchronizeDirectory()
      state.withLock { $0.spares.insert(name, at: 0) }
    } catch {
      return
    }
  }
}
