// Log+Ends: waiting until everything is durable: a clean end, a change of policy.

import Glibc
import Platform

extension Log {
  /// Changes the policy, after waiting until everything is durable. The old one stays on an error.
  public func setPolicy(_ policy: SyncPolicy) throws(IOError) {
    guard policy != self.policy else { return }
    if medium.facts.kind == .persistentMemory || (policy != .always && self.policy != .always) {
      self.policy = policy
      return
    }
    try drain()
    let chosen = try Log.chooseWriter(medium, options, policy)
    let oldMode: WriteMode = active.isDirect ? .direct : .buffered
    keeper.setMode(chosen.mode)
    let plan = SegmentPlan(
      sequence: nextSequence, base: LogFormat.roundDown(end, LogFormat.blockBytes), first: end,
      dataBytes: min(segmentBytes, Log.firstSegmentBytes) - LogFormat.headerBytes)
    nextSequence += 1
    let segment: LogSegment
    do throws(IOError) { segment = try keeper.prepare(plan) } catch {
      keeper.setMode(oldMode)
      chosen.writer.stop()
      throw error
    }
    writer.stop()
    writer = chosen.writer
    self.policy = policy
    unsynchronized = []
    closed.append(active.closed)
    active = segment
    if case .ready(let unfit) = preparation { keeper.post(.retire(unfit.closed)) }
    prepareNext()
  }

  /// Waits until everything appended is durable: before a clean end. Gives up with the reason after
  /// `timeoutMilliseconds`, or at once when the medium fails.
  public func drain(timeoutMilliseconds: Int64 = 60_000) throws(IOError) {
    let clock = Clock.system
    let start = clock.monotonicMilliseconds()
    let base = now
    while durable < end {
      let elapsed = clock.monotonicMilliseconds() - start
      poll(nowMilliseconds: base + elapsed)
      if durable >= end { break }
      if let failure { throw failure.error }
      if elapsed > timeoutMilliseconds {
        throw IOError("drain", active.file.path, errno: ETIMEDOUT)
      }
      if isWriting {
        if let result = writer.finish(waits: true) { complete(result) }
      } else if written == end && !writer.isDurable && !isSynchronizing {
        synchronize()
      } else {
        usleep(200)
      }
    }
  }

  /// Makes everything durable, says so in a last record, and stops the threads.
  public func close() throws(IOError) {
    defer { stop() }
    try drain()
    // The record that says how far the log was durable, for whoever looks for damage.
    try put(Span())
    try drain()
  }

  /// Stops the threads without waiting for what is not durable: after a failure, and in tests.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    if isWriting { _ = writer.finish(waits: true) }
    writer.stop()
    keeper.stop()
  }
}
