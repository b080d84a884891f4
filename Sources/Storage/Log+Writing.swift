// Log+Writing: how appended records reach the segments.
//
//   written < end ─► room in a segment ─► stamped ─► staged ─► writer ─► complete: written, durable
//
// 1. A record is completed (stamped) just before it is written, when its segment is known: its
//    checksum begins with that segment's salt.
// 2. A block that is not full is staged: records are appended to it while it is being written.

import Glibc
import Platform

extension Log {
  /// Takes in what has been finished, goes on with what waits, and tries again what has failed.
  /// Call it when the wake handle has been used, and several times a second.
  public func poll(nowMilliseconds: Int64) {
    now = nowMilliseconds
    takeOutcomes()
    retry()
    advance()
    synchronizeIfDue()
    shrink()
  }

  /// Bytes appended that are not durable yet.
  public var pendingBytes: Int { Int(end - durable) }

  func advance() {
    while true {
      if isWriting {
        guard let result = writer.finish(waits: false) else { return }
        complete(result)
      }
      guard failure == nil || isRewriting, written < end else { return }
      guard makeRoom() else { return }
      beginWrite()
    }
  }

  /// Makes the active segment be one that has room.
  func makeRoom() -> Bool {
    if written < active.header.end { return true }
    takeOutcomes()
    switch preparation {
    case .ready(let segment):
      activate(segment)
      return true
    case .failed(let error):
      // Nothing is lost, but nothing can be written either.
      if failure == nil { fail(error, losesWrites: false) }
      return false
    case .none:
      prepareNext()
      if case .ready(let segment) = preparation {
        activate(segment)
        return true
      }
      return false
    case .requested:
      return false
    }
  }

  func activate(_ segment: LogSegment) {
    if !writer.isDurable { unsynchronized.append(active) }
    closed.append(active.closed)
    active = segment
    prepareNext()
  }

  func prepareNext() {
    preparation = .requested(sequence: nextSequence)
    keeper.post(
      .prepare(
        SegmentPlan(
          sequence: nextSequence, base: active.header.end, first: active.header.end,
          dataBytes: segmentBytes - LogFormat.headerBytes)))
    nextSequence += 1
    takeOutcomes()
  }

  func beginWrite() {
    let block = LogFormat.blockBytes
    let lower = active.isDirect ? LogFormat.roundDown(written, block) : written
    var upper = min(end, active.header.end)
    if upper - lower > UInt64(Log.stagingBytes) {
      // Whole blocks straight from the buffer; the rest goes with the next write.
      upper = LogFormat.roundDown(min(upper, lower + UInt64(Log.writeBytes)), block)
    }
    stamp(below: upper)
    let count = Int(upper - lower)
    let padded = active.isDirect ? Int(LogFormat.roundUp(upper, block) - lower) : count
    // SAFETY: the buffer holds the range; staging has room for what is no more than its size.
    let source = unsafe UnsafeRawBufferPointer(buffer.bytes(lower, count))
    var bytes = unsafe source
    if padded <= Log.stagingBytes && active.isDirect {
      let target = unsafe staging.bytes(0, padded)
      unsafe target.copyMemory(from: source)
      unsafe memset(target.baseAddress! + count, 0, padded - count)
      unsafe bytes = UnsafeRawBufferPointer(target)
    }
    isWriting = true
    writingEnd = upper
    let write = unsafe LogWrite(
      segment: active, offset: active.offset(of: lower), bytes: bytes, owner: buffer)
    writer.begin(write)
  }

  /// Completes the records that begin below `limit`, in the active segment.
  func stamp(below limit: LSN) {
    let checksumLimit = medium.has(.logChecksumOfFirstBytesOnly) ? 64 : Int.max
    while stamped < limit {
      buffer.stamp(stamped, durable: durable, seed: active.seed, checksumLimit: checksumLimit)
      stamped = LogFormat.roundUp(stamped + buffer.size(at: stamped), alignment)
    }
  }

  func complete(_ result: Result<Void, IOError>) {
    isWriting = false
    switch result {
    case .success:
      written = writingEnd
      while accepted < written {
        let next = LogFormat.roundUp(accepted + buffer.size(at: accepted), alignment)
        if next > written { break }
        accepted = next
      }
      if writer.isDurable { durable = max(durable, accepted) }
      if isRewriting || failure != nil {
        isRewriting = false
        failure = nil
        retryPause = 0
      }
    case .failure(let error):
      if medium.has(.logWriteSkippedAfterFailure) {
        written = writingEnd
        accepted = max(accepted, written)
        return
      }
      fail(error, losesWrites: true)
    }
  }
}
