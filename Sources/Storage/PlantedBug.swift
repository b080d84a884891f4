// PlantedBug: mistakes that tests can switch on, one by one, to prove that a search sees them.
//
// 1. They exist in debug builds only: in a release build `has` is the constant false.
// 2. A bug belongs to a medium, so tests that run side by side do not disturb each other.

public enum PlantedBug: String, Sendable, CaseIterable {
  // The log.
  case logFlushMissing
  case logSynchronizeMissing
  case logDurableBeforeWrite
  case logChecksumOfFirstBytesOnly
  case logStaleRecordsBelieved
  case logSegmentHeaderNotSynchronized
  case logSegmentNameNotSynchronized
  case logSegmentReusedInPlace
  case logSegmentRecycledTooEarly
  case logCutForgotten
  case logBatchSplit
  case logFailedPagesTrusted
  case logWriteSkippedAfterFailure
  case logCorruptionTakenForTornTail
  case logTailNotSettled
  case logTailNotRewritten
  // The image.
  case imageBarrierSkipped
  case imageFlushMissing
  case imageSuperblockBeforePages
  case imageSuperblockNotSynchronized
  case imageSuperblockChecksumTooShort
  case imageSumsNotUpdated
  case imageAbandonedPagesForgotten
  case imagePendingPagesReleased
  case imagePunchedTooEarly
  case imageLineForgotten
  case imageViewNotKept
  case imageCommittedBeforeLog
  case journalFlushMissing
  case journalSynchronizeMissing
  case journalAppliedBeforeCommit
  case journalCommitNotSynchronized
  case journalIgnored
  case journalNotSettled
  // How an engine joins the two; `engineLSNTooLate` is made by the tests, as its user.
  case engineLSNTooLate
  case engineRecyclesTooEarly
  case engineGapNotAwaited
}

extension Medium {
  @inline(__always) func has(_ bug: PlantedBug) -> Bool {
    #if DEBUG
      return plantedBug == bug
    #else
      return false
    #endif
  }
}
