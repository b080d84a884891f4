// Log: the effects of every batch, in order, durable before their replies leave.
//
//   append ──► buffer ──► writer ──► segment 7 │ segment 8 │ (segment 9: made ready by the keeper)
//              durable ≤ written ≤ end          LSN ─────────►
//
//   durable    survives a power cut           committed    replies may leave: durable under
//   written    the writer has done it                      `always`, written under the others
//   end        appended
//
// 1. `append` never waits: what cannot be written yet stays in the buffer, which keeps everything
//    from `durable` on.
// 2. One write is under way at a time; the next takes all that was appended meanwhile.
// 3. A log never goes on in a segment of an earlier run: its first segment begins where recovery
//    ended, and so cuts off what recovery did not believe.
// 4. After a failed write or synchronize, nothing from `durable` on is trusted to be in the files:
//    a new segment begins at `durable`, and all of it is written again. The log tries that by
//    itself, with growing pauses, until it succeeds; until then `failure` says why.
// 5. `durable` and `committed` are ends of records.
// 6. One thread uses a log. `poll` is where it takes notice of what others have finished.

import Bytes
import Glibc
import Platform

/// When acknowledged data must be durable: Redis' appendfsync.
///
/// The cases stand in the order in which CONFIG SET lists the words when it refuses another one.
public enum SyncPolicy: String, Sendable, CaseIterable {
  case everySecond = "everysec"
  case always
  case never = "no"
}

/// How the log's writes are made, where there is a choice.
public enum LogWriterChoice: String, Sendable, CaseIterable {
  /// On persistent memory stores; otherwise a ring, a thread with direct writes, or a thread with
  /// fdatasync: the first one that the machine allows.
  case automatic = "auto"
  case ring = "io_uring"
  case thread
  /// The calling thread waits: for tests.
  case immediate
}

public struct LogOptions: Sendable {
  public var segmentBytes = 16 << 20
  public var policy = SyncPolicy.always
  public var writer = LogWriterChoice.automatic
  /// Segments kept for use again; more are removed.
  public var spareLimit = 4
  /// Wakes the thread that calls `poll`.
  public var wake: WakeHandle?
  /// Whether segments are made ready by a thread; otherwise by whoever needs them.
  public var hasKeeperThread = true

  public init() {}
}

public final class Log {
  /// Why nothing can be written now.
  public struct Failure: Sendable, Equatable {
    public let error: IOError
    public let sinceMilliseconds: Int64
  }

  /// Where the next record will begin: the end of all that was appended.
  public internal(set) var end: LSN
  /// What the writer has done so far; need not be the end of a record.
  public internal(set) var written: LSN
  /// All records that end here or earlier survive a power cut.
  public internal(set) var durable: LSN
  /// Replies to what was appended up to here may leave.
  public var committed: LSN { policy == .always || writer.isDurable ? durable : accepted }
  /// Set while nothing can be written; what was appended waits. Refuse writes meanwhile.
  public internal(set) var failure: Failure?
  public internal(set) var policy: SyncPolicy
  /// For INFO: "dax", "io_uring", "thread" or "page cache".
  public var writerName: String { writer.name }
  /// Records, and bytes with their headers, appended since the start.
  public internal(set) var recordCount = 0
  public internal(set) var appendedBytes: UInt64 = 0
  /// Writes and synchronizations that failed since the start.
  public internal(set) var failureCount = 0

  let medium: any Medium
  let identity: StorageIdentity
  let segmentBytes: Int
  let alignment: UInt64
  let keeper: LogKeeper
  var writer: any LogWriter
  let options: LogOptions
  var buffer: LogBuffer
  let staging: LogBuffer
  let initialCapacity: Int
  /// The end of the last record that is written whole.
  var accepted: LSN
  /// The record that is completed next, when its segment is known.
  var stamped: LSN
  var isWriting = false
  var writingEnd: LSN = 0

  /// Whether a new segment stands ready to take again what has failed.
  var isRewriting = false
  /// Everything from `durable` on has to be written again, to a new segment.
  var mustRewrite = false
  /// The sequence of the segment that is to take again what has failed.
  var rewriteSequence: UInt64 = 0
  var isStopped = false
  var active: LogSegment
  /// Earlier segments, oldest first.
  var closed: [ClosedSegment]
  /// Written through the page cache since the last synchronize, beside the active one.
  var unsynchronized: [LogSegment] = []
  var nextSequence: UInt64
  var preparation = Preparation.none
  var isSynchronizing = false
  var lastSynchronize: Int64 = 0
  var now: Int64 = 0
  var retryAt: Int64 = 0
  var retryPause: Int64 = 0

  enum Preparation {
    case none
    /// Asked for; what comes is of no use if its sequence is another one.
    case requested(sequence: UInt64)
    case ready(LogSegment)
    /// Asked for again after `retryAt`.
    case failed(IOError)
  }

  static var stagingBytes: Int { 256 << 10 }
  static var writeBytes: Int { 4 << 20 }
  static var firstSegmentBytes: Int { 1 << 20 }
  static var synchronizeBytes: UInt64 { 32 << 20 }
  static var firstPause: Int64 { 100 }
  static var longestPause: Int64 { 5000 }

  /// A log that goes on where `tail` has ended; `tail.next` has answered false.
  public init(
    continuing tail: borrowing LogTail, _ options: LogOptions, nowMilliseconds: Int64
  ) throws(StorageError) {
    precondition(options.segmentBytes >= 8192 && options.segmentBytes % 4096 == 0)
    medium = tail.medium
    identity = tail.identity
    segmentBytes = options.segmentBytes
    let isPersistent = tail.medium.facts.kind == .persistentMemory
    alignment = isPersistent ? 256 : 8
    policy = options.policy
    self.options = options
    now = nowMilliseconds
    lastSynchronize = nowMilliseconds
    let start = tail.position
    do throws(IOError) {
      try tail.settle()
      try tail.keepDamaged()
    } catch {
      throw .io(error)
    }
    let inherited = tail.inheritance()
    closed = inherited.segments
    (end, written, durable, accepted, stamped) = (start, start, start, start, start)
    initialCapacity = max(4 << 20, min(options.segmentBytes, 16 << 20))
    (buffer, staging) = try translated { () throws(IOError) in
      (try LogBuffer(capacity: 4 << 20), try LogBuffer(capacity: Log.stagingBytes))
    }
    let chosen = try translated { () throws(IOError) in
      try Log.chooseWriter(tail.medium, options, options.policy)
    }
    writer = chosen.writer
    keeper = LogKeeper(
      tail.medium, tail.identity, alignment: UInt32(alignment), mode: chosen.mode,
      spares: inherited.spares, spareLimit: options.spareLimit, wake: options.wake)
    nextSequence = tail.highestSequence + 2
    let dataBytes = min(options.segmentBytes, Log.firstSegmentBytes) - LogFormat.headerBytes
    let plan = SegmentPlan(
      sequence: tail.highestSequence + 1, base: LogFormat.roundDown(start, LogFormat.blockBytes),
      first: start, dataBytes: dataBytes)
    do throws(IOError) { active = try keeper.prepare(plan) } catch {
      writer.stop()
      throw .io(error)
    }
    if options.hasKeeperThread {
      do throws(IOError) { try keeper.start() } catch {
        writer.stop()
        throw .io(error)
      }
    }
    putAside(tail, inherited.unneeded)
    prepareNext()
  }

  /// What recovery had no use for becomes spare; or, if it was given up, is kept under other names.
  func putAside(_ tail: borrowing LogTail, _ files: [ClosedSegment]) {
    for file in files {
      if tail.loss == nil {
        keeper.post(.retire(file))
      } else {
        // A failure leaves the file where later starts find it cut off (LogFormat, invariant 1).
        _ = try? medium.rename(file.name, to: LogFormat.lostName(of: file.name))
      }
    }
    for name in tail.files where name.hasPrefix(LogFormat.unfinishedPrefix) {
      _ = try? medium.remove(name)
    }
  }

  static func chooseWriter(
    _ medium: any Medium, _ options: LogOptions, _ policy: SyncPolicy
  ) throws(IOError) -> (writer: any LogWriter, mode: WriteMode) {
    if medium.facts.kind == .persistentMemory {
      return (ImmediateWriter(medium, isDurable: true), .buffered)
    }
    if policy != .always { return (ImmediateWriter(medium, isDurable: false), .buffered) }
    let mode = allowsDirect(medium) ? WriteMode.direct : .buffered
    switch options.writer {
    case .immediate: return (ImmediateWriter(medium, isDurable: true), mode)
    case .thread: return (try ThreadWriter(wake: options.wake), mode)
    case .ring: return (try RingWriter(wake: options.wake), .direct)
    case .automatic:
      if mode == .direct, let ring = try? RingWriter(wake: options.wake) { return (ring, mode) }
      return (try ThreadWriter(wake: options.wake), mode)
    }
  }

  static func allowsDirect(_ medium: any Medium) -> Bool {
    let name = LogFormat.unfinishedPrefix + "probe"
    _ = try? medium.remove(name)
    let file = try? medium.create(name, .direct)
    _ = try? medium.remove(name)
    return file != nil
  }

  // MARK: Appending

  /// Adds one record, whole or not at all after a crash. Once `committed` has reached the result,
  /// replies that depend on it may leave. Does not wait; the bytes go to the writer here or in a
  /// later `poll`.
  /// - Throws: only for want of memory; nothing was appended then.
  @discardableResult
  public func append(_ payload: borrowing Span<UInt8>) throws(IOError) -> LSN {
    if medium.has(.logBatchSplit) && payload.count > 1 {
      try put(payload.extracting(first: payload.count / 2))
      try put(payload.extracting(droppingFirst: payload.count / 2))
    } else {
      try put(payload)
    }
    if medium.has(.logDurableBeforeWrite) { durable = end }
    advance()
    return end
  }

  func put(_ payload: borrowing Span<UInt8>) throws(IOError) {
    let size = UInt64(LogFormat.recordHeaderBytes + payload.count)
    let next = LogFormat.roundUp(end + size, alignment)
    try reserve(through: next)
    buffer.put(payload, at: end, padded: Int(next - end))
    appendedBytes += next - end
    recordCount += 1
    end = next
  }

  /// Makes the buffer hold everything from the block of `durable` on up to `limit`.
  func reserve(through limit: LSN) throws(IOError) {
    let start = LogFormat.roundDown(durable, LogFormat.blockBytes)
    // A block more, because writes are rounded up to blocks.
    let needed = Int(limit - start + LogFormat.blockBytes)
    if needed <= buffer.capacity { return }
    let larger = try LogBuffer(capacity: needed)
    larger.copy(start..<end, from: buffer)
    // A write that is under way keeps the old one alive.
    buffer = larger
  }

  /// Gives a large buffer's memory back when it is no longer needed.
  func shrink() {
    guard buffer.capacity > 4 * initialCapacity, end - durable < UInt64(initialCapacity / 2),
      !isWriting, let smaller = try? LogBuffer(capacity: initialCapacity)
    else { return }
    smaller.copy(LogFormat.roundDown(durable, LogFormat.blockBytes)..<end, from: buffer)
    buffer = smaller
  }

  deinit { stop() }

  // MARK: Space

  /// Lets go of what lies below `lsn`: the image holds it, durably. Nothing else may make a start
  /// need it.
  public func recycle(below lsn: LSN) {
    while let oldest = closed.first {
      let rest = closed.dropFirst().map(\.first) + [active.header.first]
      // The oldest is needed for what lies between its first LSN and the next one's.
      guard medium.has(.logSegmentRecycledTooEarly) || rest.min()! <= lsn else { return }
      closed.removeFirst()
      keeper.post(.retire(oldest))
    }
  }

  /// The log's length on the medium: what a restart would have to look at, at most.
  public var usedBytes: Int {
    Int(end - min(closed.first?.first ?? active.header.first, durable))
  }

  /// What the segments' files take, without spares.
  public var fileBytes: Int { closed.reduce(active.fileBytes) { $0 + $1.fileBytes } }
  public var segmentCount: Int { closed.count + 1 }
}
