// ImageStatistics: what INFO says about image, checkpoints and tiers.

/// What the checkpointer counts.
struct CheckpointStatistics: Sendable {
  var checkpoints = 0
  var failures = 0
  var lastError: StorageError?
  var lastDurationMicroseconds = 0
  var lastFinishedMicroseconds: Int64 = 0
  var lastPages = 0
  var lastLines = 0
  var linesChanged = 0
  var journalBytes = 0
  var imageBytes = 0
  var punchedPages = 0
  private var linesBefore = 0

  mutating func finish(_ checkpoint: Checkpoint, durationMicroseconds: Int) {
    checkpoints += 1
    lastDurationMicroseconds = durationMicroseconds
    lastFinishedMicroseconds = checkpoint.startedMicroseconds + Int64(durationMicroseconds)
    lastPages = checkpoint.pageCount
    lastLines = linesChanged - linesBefore
    linesBefore = linesChanged
    lastError = nil
  }
}

public struct ImageStatistics: Sendable {
  /// The last checkpoint's.
  public var epoch: UInt64 = 0
  public var lsn: UInt64 = 0
  public var checkpoints = 0
  /// Checkpoints, or attempts to finish one, that failed since the start.
  public var failures = 0
  /// Why the last attempt failed; nil once one has succeeded.
  public var lastError: StorageError?
  public var lastDurationMicroseconds = 0
  /// Monotonic; 0 before the first one of this process.
  public var lastFinishedMicroseconds: Int64 = 0
  public var lastPages = 0
  public var lastChangedBytes = 0
  /// Bytes in lines that checkpoints found changed, and what writing them has cost.
  public var changedBytes = 0
  public var journalBytes = 0
  public var imageBytes = 0
  public var punchedBytes = 0
  /// The image file's length, with its holes.
  public var imageFileBytes = 0
  public var isUnderWay = false
  /// The stage that a checkpoint is in, for people.
  public var stage = "idle"

  /// Pages that have a private copy in DRAM.
  public var copiedBytes = 0
  /// Pages written since the last flip.
  public var dirtyBytes = 0
  /// Pages of the checkpoint under way.
  public var pendingBytes = 0
  /// Since the start: first writes to a page, copies dropped, copies made for readers.
  public var firstWrites = 0
  public var droppedPages = 0
  public var promotedPages = 0
  /// Pages that the barrier set aside, and how often and how long it waited for the checkpointer.
  public var asidePages = 0
  public var barrierWaits = 0
  public var longestBarrierMicroseconds = 0

  public init() {}
}
