// Log+Failure: what happens when the medium fails, and when it is well again.
//
//   a write or synchronize failed     mustRewrite ─► segment from `durable` on ─► isRewriting ─┐
//   no segment could be made ready    ─► asked for again ─────────────────────► isRewriting ─┤
//   all is well  ◄── the first write that succeeds ◄──────────────────────────────────────────┘
//
// 1. Between attempts there are pauses, from 0.1 to 5 seconds.

import Glibc
import Platform

extension Log {
  /// `losesWrites`: what is in the files from `durable` on is not to be trusted.
  func fail(_ error: IOError, losesWrites: Bool) {
    failureCount += 1
    failure = Failure(error: error, sinceMilliseconds: failure?.sinceMilliseconds ?? now)
    if retryAt <= now { pauseLonger() }
    isRewriting = false
    if losesWrites { mustRewrite = true }
  }

  func retry() {
    if mustRewrite { return retryRewriting() }
    switch preparation {
    case .failed where now >= retryAt:
      pauseLonger()
      prepareNext()
    case .ready where failure != nil:
      isRewriting = true
    default: break
    }
  }

  func pauseLonger() {
    retryPause = retryPause == 0 ? Log.firstPause : min(retryPause * 2, Log.longestPause)
    retryAt = now + retryPause
  }

  func retryRewriting() {
    guard !isWriting, !isSynchronizing else { return }
    if case .ready(let segment) = preparation {
      if segment.header.sequence == rewriteSequence { return startRewriting(segment) }
      // It was made for the end of the segment that has failed.
      preparation = .none
      keeper.post(.retire(segment.closed))
    }
    if case .requested(let sequence) = preparation, sequence == rewriteSequence { return }
    guard now >= retryAt else { return }
    pauseLonger()
    rewriteSequence = nextSequence
    nextSequence += 1
    preparation = .requested(sequence: rewriteSequence)
    let dataBytes = min(segmentBytes, Log.firstSegmentBytes) - LogFormat.headerBytes
    keeper.post(
      .prepare(
        SegmentPlan(
          sequence: rewriteSequence, base: LogFormat.roundDown(durable, LogFormat.blockBytes),
          first: durable, dataBytes: dataBytes)))
    takeOutcomes()
    if case .ready(let segment) = preparation { startRewriting(segment) }
  }

  func startRewriting(_ segment: LogSegment) {
    closed.append(active.closed)
    active = segment
    unsynchronized = []
    (written, accepted, stamped) = (durable, durable, durable)
    mustRewrite = false
    isRewriting = true
    prepareNext()
  }

  // MARK: What the keeper has done

  func takeOutcomes() {
    while let outcome = keeper.nextOutcome() {
      switch outcome {
      case .prepared(let segment):
        if case .requested(let sequence) = preparation, sequence == segment.header.sequence {
          preparation = .ready(segment)
        } else {
          keeper.post(.retire(segment.closed))
        }
      case .notPrepared(let error):
        preparation = .failed(error)
        if retryAt <= now { pauseLonger() }
        if let failure {
          self.failure = Failure(error: error, sinceMilliseconds: failure.sinceMilliseconds)
        }
      case .synchronized(let lsn):
        isSynchronizing = false
        durable = max(durable, lsn)
      case .notSynchronized(let error):
        isSynchronizing = false
        if medium.has(.logFailedPagesTrusted) { break }
        fail(error, losesWrites: true)
      }
    }
  }

  /// Has the page cache written out: each second, or when much has gathered.
  func synchronizeIfDue() {
    guard !writer.isDurable, !isSynchronizing, accepted > durable, failure == nil else { return }
    let isDue = policy == .everySecond && now - lastSynchronize >= 1000
    guard isDue || accepted - durable >= Log.synchronizeBytes else { return }
    synchronize()
  }

  /// Has the page cache written out as far as `lsn`, as soon as that is written and nothing else
  /// is in the way. `poll` tells when it is durable.
  func synchronize(through lsn: LSN) {
    guard !writer.isDurable, !isSynchronizing, failure == nil, durable < lsn, lsn <= accepted
    else { return }
    synchronize()
  }

  func synchronize() {
    lastSynchronize = now
    isSynchronizing = true
    let segments = unsynchronized + [active]
    unsynchronized = []
    keeper.post(.synchronize(segments, through: accepted))
    takeOutcomes()
  }
}
