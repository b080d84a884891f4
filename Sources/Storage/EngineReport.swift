// What INFO persistence and the log's lines tell of a data directory.

import Platform

/// How the start went.
struct RecoveryReport: Sendable {
  var imageLSN: LSN = 0
  var hasAppliedJournal = false
  var records = 0
  var bytes = 0
  var tornBytes = 0
  var loss: String?
}

/// Everything there is to know. Gathered when asked for.
public struct EngineReport: Sendable {
  public var facts: MediumFacts
  public var logWriter: String
  public var writtenLSN: LSN
  public var durableLSN: LSN
  public var endLSN: LSN
  public var logBytes: Int
  public var logLimitBytes: Int
  public var logSegments: Int
  public var logFileBytes: Int
  public var logFailures: Int
  public var recordsAppended: Int
  public var bytesAppended: UInt64
  public var image: ImageStatistics
  public var scrub: ScrubProgress
  public var isScrubbing: Bool
  public var replayedRecords: Int
  public var replayedBytes: Int
  public var tornBytes: Int
  public var loss: String?
  public var hasAppliedJournal: Bool
  public var imageLSN: LSN
}

extension Engine {
  public var report: EngineReport {
    let log = log!
    return EngineReport(
      facts: facts, logWriter: log.writerName, writtenLSN: log.written, durableLSN: log.durable,
      endLSN: log.end, logBytes: log.usedBytes, logLimitBytes: limitBytes,
      logSegments: log.segmentCount, logFileBytes: log.fileBytes, logFailures: log.failureCount,
      recordsAppended: log.recordCount, bytesAppended: log.appendedBytes, image: image.statistics,
      scrub: image.scrubProgress, isScrubbing: image.isScrubbing,
      replayedRecords: recovery.records, replayedBytes: recovery.bytes,
      tornBytes: recovery.tornBytes, loss: recovery.loss,
      hasAppliedJournal: recovery.hasAppliedJournal, imageLSN: recovery.imageLSN)
  }
}
