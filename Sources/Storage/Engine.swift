// Engine: a data directory as the server sees it: an arena that is kept, and a log of effects.
//
//   open ─► openArena ─► nextTailRecord ... ─► start ─► append, hear, maintain ... ─► close
//   lock    journal,     records after the     log                    │
//           image        checkpoint            goes on                └► checkpoint: flip ─► image,
//                                                                        then the log is recycled
//
//   the log's length:   0 .......... half .................. room | reserve | limit
//                                     └ writers are slowed ─────►   └ what small writes may add
//
// 1. What `append` gave may be acknowledged once `committedLSN` has reached it; the wake handle
//    tells.
// 2. A checkpoint begins between two batches, when all effects so far have been appended: the image
//    of a checkpoint is what the effects up to its LSN make.
// 3. A checkpoint is committed only when the log is durable up to its LSN, whatever replies wait
//    for: so the log that a start finds always reaches the image (`Superblock.lsn`). The log is
//    made durable for a checkpoint's sake, so that none waits long.
// 4. Segments of the log go only when the image holds what they say.
// 5. What the log has no room for is left out of it, and durable with the next checkpoint instead.
//    Until that is done nothing is appended: the log never has what follows without what it left
//    out.
// 6. One thread uses an engine.

import Bytes
import Glibc
import Memory
import Platform

public struct EngineOptions: Sendable {
  public var directory: String
  public var medium = MediumChoice.automatic
  public var policy = SyncPolicy.always
  public var segmentBytes = 16 << 20
  public var logLimitBytes = 1 << 30
  /// Bytes of log after which a checkpoint begins.
  public var checkpointLogBytes = 64 << 20
  /// Seconds after which a checkpoint begins if there is anything new; 0 is never.
  public var checkpointIntervalSeconds = 300
  /// Bytes a second that a checkpoint may write; 0 is no limit.
  public var checkpointBudgetBytes = 0
  /// Bytes of DRAM for copies of the image's pages; 0 is no limit.
  public var maximumDRAMBytes = 0
  public var truncatesCorruptLog = false
  /// Tests do without threads: they step the image themselves, and the log waits for its writes.
  var hasThreads = true
  /// The largest size of the arena.
  var reachBytes = ImageOptions().reachBytes

  public init(directory: String) {
    self.directory = directory
  }
}

/// One record of the log's tail.
public struct TailRecord: Sendable {
  public var lsn: LSN
  /// The directory that its segment is in.
  public var directory: String
}

/// What maintenance has done.
public struct EngineNews: Sendable {
  /// A checkpoint has begun: pointers for writing into the arena are void.
  public var hasFlipped = false
  /// A checkpoint has ended; nil in the other turns.
  public var outcome: CheckpointOutcome?
}

public final class Engine {
  public let directory: String
  public let facts: MediumFacts
  let image: ImagePages
  private(set) var log: Log?
  var recovery = RecoveryReport()
  private let lock: DirectoryLock
  private var tail: LogTail?
  private var options: EngineOptions
  private let wake: WakeHandle?
  private let medium: any Medium
  /// Moved by tests.
  var clock = Clock.system
  /// Where the last checkpoint began, finished or not.
  private var checkpointLSN: LSN
  private var checkpointStart: Int64
  /// When the next attempt may begin after a failure.
  private var retryAt: Int64 = 0
  private(set) var wantsCheckpoint = false
  /// Writes wait until a checkpoint lets the log's segments go.
  private var needsRoom = false
  private var nextSweep: Int64 = 0
  private var gap = Gap.none

  /// Whether effects were left out of the log (invariant 5).
  private enum Gap {
    case none
    /// The arena alone has them.
    case open
    /// The checkpoint under way has them, too.
    case flipped
  }

  /// What a batch of small writes may add to the log beyond `hasRoom`.
  static var reserveBytes: Int { 12 << 20 }
  /// What others may append while a large write waits for room.
  private static var slackBytes: Int { 4 << 20 }
  private static var retryMilliseconds: Int64 { 1000 }

  /// Takes the directory, which must exist, and opens what is in it.
  public static func open(
    _ options: EngineOptions, wake: WakeHandle
  ) throws(StorageError) -> Engine {
    let medium = try translated { () throws(IOError) in
      try openMedium(directory: options.directory, options.medium)
    }
    return try open(options, medium, wake: wake)
  }

  static func open(
    _ options: EngineOptions, _ medium: any Medium, wake: WakeHandle?
  ) throws(StorageError) -> Engine {
    let lock: DirectoryLock
    do throws(IOError) {
      lock = try medium.lock("ferrite.lock")
    } catch {
      throw error.errno == EWOULDBLOCK ? .locked(path: options.directory) : .io(error)
    }
    var imageOptions = ImageOptions()
    imageOptions.budgetBytes = options.checkpointBudgetBytes
    imageOptions.onProgress = { wake?.wake() }
    imageOptions.hasThread = options.hasThreads
    imageOptions.reachBytes = options.reachBytes
    let image = try ImagePages(medium, imageOptions)
    let tail = try LogTail(
      medium, identity: image.identity, from: image.lsn, allowsLoss: options.truncatesCorruptLog)
    return Engine(options, medium, lock, image, tail, wake)
  }

  private init(
    _ options: EngineOptions, _ medium: any Medium, _ lock: DirectoryLock,
    _ image: ImagePages, _ tail: consuming LogTail, _ wake: WakeHandle?
  ) {
    self.options = options
    self.medium = medium
    facts = medium.facts
    self.lock = lock
    self.image = image
    self.tail = consume tail
    self.wake = wake
    directory = options.directory
    checkpointLSN = image.lsn
    checkpointStart = Clock.system.monotonicMilliseconds()
    recovery.hasAppliedJournal = image.hasAppliedJournal
    recovery.imageLSN = image.lsn
  }

  // MARK: Recovery

  /// Whether there is no checkpoint yet: the arena is empty.
  public var isNew: Bool { image.isNew }

  /// The arena as the last checkpoint left it, or an empty one.
  public func openArena() throws(StorageError) -> Arena {
    if image.isNew {
      do throws(MemoryError) {
        return try Arena(provider: image)
      } catch {
        throw .io(IOError("\(error.operation)", errno: error.code))
      }
    }
    do throws(ArenaOpenError) {
      return try Arena.open(image)
    } catch {
      throw .corrupt(path: directory, "the image cannot be opened: \(error)")
    }
  }

  /// The next record that the image does not have; nil when there is none.
  public func nextTailRecord(
    into payload: inout ByteBuffer
  ) throws(StorageError) -> TailRecord? {
    guard let lsn = try Self.read(&tail!, into: &payload) else { return nil }
    return TailRecord(lsn: lsn, directory: directory)
  }

  private static func read(
    _ tail: inout LogTail, into payload: inout ByteBuffer
  ) throws(StorageError) -> LSN? {
    let lsn = tail.position
    payload.removeAll()
    guard try tail.next() else { return nil }
    payload.append(tail.payload)
    return lsn
  }

  /// The tail has been replayed: from here on the log takes records.
  public func start() throws(StorageError) {
    guard let tail = tail.take() else { preconditionFailure("an engine starts once") }
    recovery.records = tail.recordCount
    recovery.bytes = tail.payloadBytes
    recovery.tornBytes = Int(tail.tornBytes)
    recovery.loss = tail.loss
    var logOptions = LogOptions()
    logOptions.segmentBytes = options.segmentBytes
    logOptions.policy = options.policy
    logOptions.wake = wake
    if !options.hasThreads {
      logOptions.writer = .immediate
      logOptions.hasKeeperThread = false
    }
    let log = try Log(
      continuing: tail, logOptions, nowMilliseconds: clock.monotonicMilliseconds())
    self.log = log
    image.noteDurable(log.durable)
    image.beginScrub()
  }

  // MARK: The log

  /// Adds a record. What it says may be acknowledged when `committedLSN` has reached the result.
  public func append(_ effects: borrowing Span<UInt8>) throws(IOError) -> LSN {
    precondition(!hasGap, "the log would have what follows a gap, without what is missing")
    return try log!.append(effects)
  }

  /// Whether a record of so many bytes keeps the log within its limit.
  public func fits(_ bytes: Int) -> Bool { bytes + 4096 <= limitBytes - log!.usedBytes }

  /// The effects so far are not appended, but become durable with a checkpoint, which begins as
  /// soon as it can. `append` may be called again, and has to be, when `hasGap` is false.
  public func leaveOut() {
    if !medium.has(.engineGapNotAwaited) { gap = .open }
  }

  /// Whether something was left out of the log that no checkpoint has made durable yet.
  public var hasGap: Bool { gap != .none }

  /// Takes in what the log's helpers have done. Every turn.
  /// - Returns: up to where the log is committed.
  public func hear() -> LSN {
    let log = log!
    log.poll(nowMilliseconds: clock.monotonicMilliseconds())
    if let awaited = image.awaitedLSN { log.synchronize(through: awaited) }
    image.noteDurable(log.durable)
    return log.committed
  }

  /// Why nothing can be written now; nil while all is well.
  public var failure: IOError? { log!.failure?.error }
  public var isFailing: Bool { log!.failure != nil }

  public var committedLSN: LSN { log!.committed }
  /// The end of a record; all that ends there or earlier survives a power cut.
  public var durableLSN: LSN { log!.durable }
  public var endLSN: LSN { log!.end }

  var limitBytes: Int {
    max(options.logLimitBytes, 4 * options.segmentBytes, 4 * Self.reserveBytes)
  }

  /// Bytes that the log may still take before writes have to wait.
  private var roomBytes: Int { limitBytes - Self.reserveBytes - log!.usedBytes }

  /// Whether writes may be executed whose record has `bytes`; of 0, small ones that share the
  /// reserve. Where there is no room, a checkpoint will make some.
  public func hasRoom(for bytes: Int) -> Bool {
    needsRoom = bytes >= roomBytes
    return !needsRoom && !hasGap
  }

  /// The same for a write that has waited, and should not find that others were faster.
  public func hasAmpleRoom(for bytes: Int) -> Bool {
    hasRoom(for: bytes == 0 ? 0 : bytes + Self.slackBytes)
  }

  /// The largest record that the log can ever take: after a checkpoint it still has the segment
  /// that is being written.
  public var largestRecordBytes: Int {
    limitBytes - Self.reserveBytes - options.segmentBytes - Self.slackBytes - (1 << 20)
  }

  /// How much writers are to be slowed: 0 below half of the room, 1 where it ends.
  public var pressure: Double {
    let room = Double(limitBytes - Self.reserveBytes)
    return max(0, 2 * Double(log!.usedBytes) / room - 1)
  }

  // MARK: Checkpoints

  /// Asks for a checkpoint.
  /// - Returns: false when one is under way.
  public func requestCheckpoint() -> Bool {
    guard !image.isCheckpointing else { return false }
    wantsCheckpoint = true
    return true
  }

  /// Between two batches, with all effects appended: begins a checkpoint when it is time, takes in
  /// the outcome of one, keeps the limit on DRAM.
  public func maintain(_ arena: inout Arena) -> EngineNews {
    var news = EngineNews()
    let now = clock.monotonicMilliseconds()
    if let outcome = image.poll() {
      news.outcome = outcome
      switch outcome {
      case .finished(_, let lsn):
        log!.recycle(below: lsn)
        if gap == .flipped {
          gap = .none
          // What was executed meanwhile is appended first.
          return news
        }
      case .abandoned:
        retryAt = now + Self.retryMilliseconds
        if gap == .flipped { gap = .open }
      }
    }
    if options.maximumDRAMBytes > 0 && now >= nextSweep {
      nextSweep = now + 50
      if image.limitCopies(to: options.maximumDRAMBytes) { wantsCheckpoint = true }
    }
    image.hurry(pressure > 0)
    guard isCheckpointDue(now), !image.isCheckpointing else { return news }
    do throws(MemoryError) {
      guard try image.beginCheckpoint(&arena, lsn: log!.end) else { return news }
      news.hasFlipped = true
      if gap == .open { gap = .flipped }
      if medium.has(.engineRecyclesTooEarly) { log!.recycle(below: log!.end) }
      wantsCheckpoint = false
      checkpointLSN = log!.end
      checkpointStart = now
    } catch {
      retryAt = now + Self.retryMilliseconds
    }
    return news
  }

  private func isCheckpointDue(_ now: Int64) -> Bool {
    if wantsCheckpoint { return true }
    guard now >= retryAt else { return false }
    if gap == .open { return true }
    let gathered = log!.end - checkpointLSN
    if gathered >= UInt64(dueBytes) || hasUnfinishedCheckpoint { return true }
    if needsRoom && gathered > 0 { return true }
    let interval = Int64(options.checkpointIntervalSeconds) * 1000
    return gathered > 0 && interval > 0 && now - checkpointStart >= interval
  }

  /// A small log cannot wait for as much as a checkpoint is usually worth.
  private var dueBytes: Int {
    min(options.checkpointLogBytes, (limitBytes - Self.reserveBytes) / 4)
  }

  /// The last checkpoint was abandoned.
  private var hasUnfinishedCheckpoint: Bool { image.lsn < checkpointLSN && !image.isCheckpointing }

  /// Takes over settings that may change while the server runs.
  public func adopt(_ new: EngineOptions) throws(IOError) {
    try log!.setPolicy(new.policy)
    options.policy = new.policy
    options.logLimitBytes = new.logLimitBytes
    options.checkpointLogBytes = new.checkpointLogBytes
    options.checkpointIntervalSeconds = new.checkpointIntervalSeconds
    options.maximumDRAMBytes = new.maximumDRAMBytes
    if new.checkpointBudgetBytes != options.checkpointBudgetBytes {
      options.checkpointBudgetBytes = new.checkpointBudgetBytes
      image.setBudgets(
        checkpoint: new.checkpointBudgetBytes, scrub: ImageOptions().scrubBudgetBytes)
    }
  }

  /// Says that what lies at `offset` was read: for one in many reads.
  public func noteRead(at offset: Int) {
    if options.maximumDRAMBytes > 0 {
      image.noteRead(at: offset, limit: options.maximumDRAMBytes)
    }
  }

  /// Whether reads are to be sampled.
  public var samplesReads: Bool { options.maximumDRAMBytes > 0 }

  /// What the image's scrub has found so far.
  public var scrub: (isUnderWay: Bool, progress: ScrubProgress) {
    (image.isScrubbing, image.scrubProgress)
  }

  // MARK: The end

  /// Waits until everything appended is durable.
  public func drain(timeoutMilliseconds: Int) throws(IOError) {
    try log!.drain(timeoutMilliseconds: Int64(timeoutMilliseconds))
    image.noteDurable(log!.durable)
  }

  /// Everything into the image, so that a start has nothing to replay; after `drain`.
  public func finalCheckpoint(
    _ arena: inout Arena, timeoutMilliseconds: Int
  ) throws(StorageError) {
    image.cancelScrub()
    guard log!.durable == log!.end, !hasGap else {
      throw .io(failure ?? IOError("checkpoint", directory, errno: EAGAIN))
    }
    for _ in 0..<2 {
      if let outcome = image.finishCheckpoint(timeoutMilliseconds: timeoutMilliseconds),
        case .finished(_, let lsn) = outcome
      {
        log!.recycle(below: lsn)
      }
      if image.lsn == log!.end { return }
      try waitForCheckpointer(timeoutMilliseconds)
      do throws(MemoryError) {
        _ = try image.beginCheckpoint(&arena, lsn: log!.end)
      } catch {
        throw .io(IOError("\(error.operation)", errno: error.code))
      }
    }
    if let outcome = image.finishCheckpoint(timeoutMilliseconds: timeoutMilliseconds),
      case .finished(_, let lsn) = outcome
    {
      log!.recycle(below: lsn)
    }
    guard image.lsn == log!.end else {
      throw image.statistics.lastError ?? .io(IOError("checkpoint", directory, errno: ETIMEDOUT))
    }
  }

  /// The traces of the last checkpoint go in the background.
  private func waitForCheckpointer(_ timeoutMilliseconds: Int) throws(StorageError) {
    let start = Clock.system.monotonicMilliseconds()
    while image.isCheckpointing {
      guard Clock.system.monotonicMilliseconds() - start < timeoutMilliseconds else {
        throw .io(IOError("checkpoint", directory, errno: ETIMEDOUT))
      }
      usleep(200)
    }
  }

  /// Ends the log in good order. The arena must not be used any more.
  public func close() throws(IOError) {
    try log!.close()
  }
}
