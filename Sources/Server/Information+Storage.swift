// What INFO persistence tells of the data directory: medium, log, checkpoints, recovery, tiers.
//
// 1. Fields of Redis' that speak of RDB and AOF stay as they are; these come after them.

import Platform
import Storage

extension Server {
  func describeStorage(_ text: inout InformationText) {
    text.field("persistence", configuration.persistence ? "yes" : "no")
    guard durability.isOn else {
      text.field("storage_medium", "volatile")
      return
    }
    let report = storage!.report
    text.field("storage_medium", report.facts.kind.rawValue)
    text.field("storage_map_sync", report.facts.hasMapSync)
    text.field("storage_granularity", report.facts.granularityBytes)
    text.field("storage_file_system", report.facts.fileSystem)
    text.field("storage_directory", report.facts.directory)
    text.field("storage_image_path", report.facts.directory + "/ferrite.image")
    text.field("storage_log_path", report.facts.directory + "/ferrite.log.*")
    describeLog(report, &text)
    describeCheckpoints(report, &text)
    describeRecovery(report, &text)
    describeTiers(report.image, &text)
  }

  private func describeLog(_ report: EngineReport, _ text: inout InformationText) {
    text.field("log_writer", report.logWriter)
    text.field("log_sync_policy", configuration.appendFsync.rawValue)
    text.field("log_status", logFailure.isEmpty ? "ok" : "failing")
    text.field("log_failure", logFailure)
    text.field("log_failures", report.logFailures)
    text.field("log_lsn_appended", Int(report.endLSN))
    text.field("log_lsn_written", Int(report.writtenLSN))
    text.field("log_lsn_durable", Int(report.durableLSN))
    text.field("log_records", report.recordsAppended)
    text.field("log_bytes_appended", Int(report.bytesAppended))
    text.field("log_bytes", report.logBytes)
    text.field("log_max_bytes", report.logLimitBytes)
    text.field("log_segments", report.logSegments)
    text.field("log_file_bytes", report.logFileBytes)
    text.field("log_commits_pending", durability.pendingCount)
    text.field("log_write_delay_ms", durability.delayMilliseconds)
    text.field("log_full_stalls", statistics.logFullStalls)
    text.field("log_gaps", statistics.logGaps)
  }

  private func describeCheckpoints(_ report: EngineReport, _ text: inout InformationText) {
    let image = report.image
    let finished = image.lastFinishedMicroseconds
    let age = (clock.monotonicMicroseconds() - finished) / 1_000_000
    text.field("checkpoint_in_progress", image.isUnderWay)
    text.field("checkpoint_stage", image.stage)
    text.field("checkpoint_epoch", Int(image.epoch))
    text.field("checkpoint_lsn", Int(image.lsn))
    text.field("checkpoints", image.checkpoints)
    text.field("checkpoint_failures", image.failures)
    text.field("checkpoint_last_error", image.lastError.map { "\($0)" } ?? "")
    text.field("checkpoint_last_age_sec", finished == 0 ? -1 : Int(age))
    text.field("checkpoint_last_duration_us", image.lastDurationMicroseconds)
    text.field("checkpoint_last_pages", image.lastPages)
    text.field("checkpoint_last_changed_bytes", image.lastChangedBytes)
    text.field("checkpoint_changed_bytes", image.changedBytes)
    text.field("checkpoint_journal_bytes", image.journalBytes)
    text.field("checkpoint_image_bytes", image.imageBytes)
    text.field("checkpoint_punched_bytes", image.punchedBytes)
    text.field("checkpoint_pages_aside", image.asidePages)
    text.field("checkpoint_stalls", image.barrierWaits)
    text.field("checkpoint_longest_stall_us", image.longestBarrierMicroseconds)
  }

  private func describeRecovery(_ report: EngineReport, _ text: inout InformationText) {
    text.field("recovery_time_ms", recoveryMilliseconds)
    text.field("recovery_image_lsn", Int(report.imageLSN))
    text.field("recovery_journal_applied", report.hasAppliedJournal)
    text.field("recovery_records", report.replayedRecords)
    text.field("recovery_bytes", report.replayedBytes)
    text.field("recovery_torn_bytes", report.tornBytes)
    text.field("recovery_lost", report.loss ?? "")
    text.field("scrub_in_progress", report.isScrubbing)
    text.field("scrub_pages", report.scrub.pages)
    text.field("scrub_total_pages", report.scrub.totalPages)
    text.field("scrub_damaged_pages", report.scrub.damagedCount)
    text.field("scrub_damaged_keys", damage.keyCount)
  }

  private func describeTiers(_ image: ImageStatistics, _ text: inout InformationText) {
    text.field("image_file_bytes", image.imageFileBytes)
    text.field("image_dram_bytes", image.copiedBytes)
    text.field("image_dram_limit", configuration.maximumDRAMBytes)
    text.field("image_dirty_bytes", image.dirtyBytes)
    text.field("image_pending_bytes", image.pendingBytes)
    text.field("image_first_writes", image.firstWrites)
    text.field("image_dropped_pages", image.droppedPages)
    text.field("image_promoted_pages", image.promotedPages)
  }
}
