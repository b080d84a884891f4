// Configuration: every setting as a plain stored field, so that reading one costs a load.
//
//   redis.conf, arguments ──► load ──► Configuration ◄──► CONFIG GET / SET / REWRITE
//                                        │ fields: `used` directives, read by the whole server
//                                        └ kept values: directives that have no effect here
//
// 1. A used directive's default is its field's initial value; its row in the table names the field.
// 2. A field changes only through its directive's row, which has checked type and bounds.
// 3. Defaults are Redis 7.2's, with two exceptions: a normal client's output buffer is limited to
//    1 GiB, so that a client that stops reading costs bounded memory; and `appendfsync` is
//    `always`, so that what was acknowledged is durable.
//
// The units are in the names; sizes are bytes. A value type: CONFIG SET works on a copy and swaps.

import Keyspace
import Platform
import Storage

public struct Configuration: Sendable {
  public init() {}

  // Network.
  public var bindAddresses = ["*", "-::*"]
  public var port = 6379
  public var unixSocket = ""
  public var unixSocketPermissions = 0
  public var tcpBacklog = 511
  public var tcpKeepAliveSeconds = 300
  public var timeoutSeconds = 0
  public var protectedMode = true
  public var maximumClients = 10_000
  public var eventLoop = EventLoopKind.auto

  // Protocol and buffers.
  public var maximumBulkLength = 512 << 20
  public var queryBufferLimit = 1 << 30
  public var normalOutputLimit = OutputBufferLimit(hardBytes: 1 << 30)
  public var replicaOutputLimit = OutputBufferLimit(
    hardBytes: 256 << 20, softBytes: 64 << 20, softSeconds: 60)
  public var pubsubOutputLimit = OutputBufferLimit(
    hardBytes: 32 << 20, softBytes: 8 << 20, softSeconds: 60)

  // Security. The password is bytes, not text: AUTH compares bytes.
  public var requirePass: [UInt8] = []
  public var masterAuth: [UInt8] = []
  public var protectedConfigs = ProtectedAction.no
  public var debugCommand = ProtectedAction.no
  public var renamedCommands: [RenamedCommand] = []

  // Process and log.
  public var databases = 16
  public var daemonize = false
  public var supervised = Supervision.no
  public var pidFile = ""
  public var logLevel = LogThreshold.notice
  public var logFile = ""
  /// The working directory; a relative path in any other setting starts here.
  public var directory = ""
  public var crashLogEnabled = true
  public var hz = 10
  public var dynamicHz = true
  public var shutdownTimeoutSeconds = 10
  public var shutdownOnSIGINT = ShutdownActions()
  public var shutdownOnSIGTERM = ShutdownActions()

  // Memory and expiry.
  public var maximumMemoryBytes = 0
  public var maximumMemoryPolicy = EvictionPolicy.noEviction
  public var maximumMemorySamples = 5
  public var evictionTenacity = 10
  /// Bytes when positive, a percentage of `maxmemory` when negative, no limit when 0.
  public var maximumClientMemory = 0
  public var lfuLogFactor = 10
  public var lfuDecayMinutes = 1
  public var activeExpireEffort = 1
  public var lazyFreeEviction = false
  public var lazyFreeExpire = false
  public var lazyFreeServerDelete = false
  public var lazyFreeUserDelete = false
  public var lazyFreeUserFlush = false

  // Persistence.
  public var persistence = true
  /// When a write is acknowledged: at once, with a flush each second or whenever the system likes,
  /// or when it is durable.
  public var appendFsync = SyncPolicy.always
  /// What the data directory is taken for.
  public var storageMedium = MediumChoice.automatic
  public var logSegmentBytes = 16 << 20
  public var logLimitBytes = 1 << 30
  public var logTruncateCorrupt = false
  public var checkpointLogBytes = 64 << 20
  public var checkpointIntervalSeconds = 300
  /// Bytes a second that a checkpoint may write; 0 is no limit.
  public var checkpointBudgetBytes = 0
  /// Bytes of DRAM that the image may take beside its file; 0 is no limit.
  public var maximumDRAMBytes = 0
  public var savePoints = [SavePoint(3600, 1), SavePoint(300, 100), SavePoint(60, 10_000)]
  public var appendOnly = false

  // Encodings.
  public var hashMaxListpackEntries = 512
  public var hashMaxListpackValueBytes = 64
  public var listMaxListpackSize = -2
  public var setMaxIntsetEntries = 512
  public var setMaxListpackEntries = 128
  public var setMaxListpackValueBytes = 64
  public var zsetMaxListpackEntries = 128
  public var zsetMaxListpackValueBytes = 64
  public var hllSparseMaxBytes = 3000
  public var streamNodeMaxBytes = 4096
  public var streamNodeMaxEntries = 100

  /// The encodings' limits, as the keyspace takes them.
  var collectionLimits: CollectionLimits {
    var limits = CollectionLimits()
    limits.hashListpackEntries = hashMaxListpackEntries
    limits.hashListpackValueBytes = hashMaxListpackValueBytes
    limits.listListpackSize = listMaxListpackSize
    limits.setIntsetEntries = setMaxIntsetEntries
    limits.setListpackEntries = setMaxListpackEntries
    limits.setListpackValueBytes = setMaxListpackValueBytes
    limits.sortedSetListpackEntries = zsetMaxListpackEntries
    limits.sortedSetListpackValueBytes = zsetMaxListpackValueBytes
    limits.streamNodeBytes = streamNodeMaxBytes
    limits.streamNodeEntries = streamNodeMaxEntries
    return limits
  }

  // Observation.
  public var slowlogLogSlowerThanMicroseconds = 10_000
  public var slowlogMaxLength = 128
  public var latencyMonitorThresholdMilliseconds = 0
  public var latencyTracking = true
  public var latencyTrackingPercentiles = [50.0, 99.0, 99.9]
  public var keyspaceEvents = KeyspaceEvents()

  // Kept only to be told again: CONFIG GET and REWRITE know them, the server does not.
  var oomScoreAdjustments = [0, 200, 800]
  var keptFlags: [String: Bool] = [:]
  var keptNumbers: [String: Int] = [:]
  var keptTexts: [String: String] = [:]

  /// The file this configuration came from, absolute; nil without one. CONFIG REWRITE's target.
  public internal(set) var filePath: String?
  /// True once the file being loaded has given its first `save`, which replaces the defaults.
  var savePointsLoaded = false

  /// What an untouched server is configured to.
  public static let defaults = Configuration()

  subscript(flag name: String, or standard: Bool) -> Bool {
    get { keptFlags[name] ?? standard }
    set { keptFlags[name] = newValue }
  }

  subscript(number name: String, or standard: Int) -> Int {
    get { keptNumbers[name] ?? standard }
    set { keptNumbers[name] = newValue }
  }

  subscript(text name: String, or standard: String) -> String {
    get { keptTexts[name] ?? standard }
    set { keptTexts[name] = newValue }
  }
}
