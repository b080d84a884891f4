// Server: the wiring. One thread runs it; a turn of its loop is one batch.
//
//   network ─► parse (Server+Parsing) ─► prefetch ─► execute (Server+Execution) ─► network
//                                                        │
//                                                        └► keys.effects ─► (log, replicas, AOF)
//   cron (Server+Cron): expiry, garbage, limits, statistics

import Bytes
import Commands
import Keyspace
import Logging
import Memory
import Platform
import RESP
import Storage

public struct Server: ~Copyable {
  public internal(set) var network: Network
  public internal(set) var keys: Keyspace
  public var configuration: Configuration
  let table: CommandTable<Server>
  let logSettings: LogSettings
  let log: Logger
  var clock: Clock
  var ticks: Ticks
  var statistics: ServerStatistics
  /// The data directory; nil without persistence.
  var storage: Engine?
  /// `dir` as it was at the start.
  var dataDirectory = ""
  var durability = Durability()
  /// Why the log cannot be written; empty while it can.
  var logFailure = ""
  var lastCheckpointFailure = ""
  var damage = DamageReport()
  var recoveryMilliseconds = 0
  /// Whether the shutdown under way ends with a checkpoint.
  var wantsFinalCheckpoint = true
  var slowlog = Slowlog()
  var latency = LatencyMonitor()
  /// By connection number.
  var clients = Pool<Client>()
  var nextClientID = 1
  /// Whether the last request reached its handler.
  var wasCalled = false
  /// The client whose command is being executed; -1 outside.
  var current = -1
  /// The size of its input, which `execute` has, and of the memory around it.
  var currentInputBytes = 0
  var currentInputCapacity = 0
  /// Large arguments in their places, by the number of the client whose request has them.
  var placed: [Int: Placing] = [:]
  var slowThreshold = UInt64.max
  var batch = Batch()
  var reply = ReplyBuffer()
  /// The part of a reply that waits for the log, while what precedes it is sent.
  var laterReply = ByteBuffer()
  /// Clients that have parsed requests in the batch, for what follows the execution.
  var ready = GrowableArray<Int32>()
  /// Clients whose next command CLIENT PAUSE holds back.
  var waiting = GrowableArray<Int32>()
  /// What clients have queued since MULTI, and the keys that they watch.
  var transactions = Recycler<Transaction>()
  var watched = InterestTable()
  /// Requests of clients that wait in a blocking command, their keys, and when their time is up.
  var suspensions = Recycler<Suspension>()
  var blocked = InterestTable()
  var deadlines = DeadlineQueue()
  /// Clients that wait for the log (WAITAOF).
  var logWaiters = GrowableArray<Int32>()
  /// The effects' length when the client's run of requests began.
  var runOffset = 0
  /// Connections to the targets of MIGRATE.
  var keptPeers: [KeptPeer.Name: KeptPeer] = [:]
  /// Keys that may have what blocked clients wait for, as soon as the command is over.
  var readyKeys = GrowableArray<ReadyKey>()
  /// Clients that wait no longer and may have more input.
  var released = GrowableArray<Int32>()
  /// Replies of which part is still to be written (Server+LongReplies); the one that the command
  /// being executed has begun; whether one can go on at once.
  var unfinished = GrowableArray<UnfinishedReply>()
  var begun: UnfinishedReply?
  var isReplying = false
  /// Whether the command being executed may wait, or leave a rest of its reply: not inside EXEC.
  var mayBlock = true
  /// Until when, in milliseconds since 1970, CLIENT PAUSE holds commands back; 0 without a pause.
  var pausedUntil = 0
  var pausesOnlyWrites = false
  /// Milliseconds since 1970, read once a turn.
  var now = 0
  var startMilliseconds = 0
  var nextCronMilliseconds = 0
  var cronCount = 0
  var nextIdleCheck = 0
  var isBehind = false
  /// When the log last told of a browser that was made to speak to us.
  var lastAttackMilliseconds = 0
  /// The exit status, once the server is to stop.
  var exitStatus: Int32?
  var listeners: [BoundListener] = []
  var supervisor = Supervisor.none
  /// The program's file, as far as the command line tells.
  var executablePath = ""
  /// DEBUG PAUSE-CRON.
  var isCronPaused = false
  let runID = randomHexadecimal(40)
  var replicationID = randomHexadecimal(40)
  let pingCommand: CommandID?
  let execCommand: CommandID?
  let seed = UInt64.random(in: 0...UInt64.max)

  /// An empty server with the configuration's settings. It listens after `start`.
  public static func make(
    _ configuration: Configuration, logSettings: LogSettings, clock: Clock = .system
  ) throws(IOError) -> Server {
    var settled = configuration
    settled.maximumClients =
      Process.raiseDescriptorLimit(forClients: configuration.maximumClients).clients
    let keys = try makeKeyspace(configuration)
    let network = try Network(
      kind: configuration.eventLoop, maximumConnections: settled.maximumClients)
    var server = Server(settled, network, keys, logSettings, clock)
    if settled.maximumClients < configuration.maximumClients {
      server.log.warning(
        """
        maxclients is \(settled.maximumClients) rather than \(configuration.maximumClients): \
        the system's limit on open files
        """)
    }
    server.network.refusal = "-ERR max number of clients reached\r\n"
    server.adoptKeyspaceSettings()
    server.adoptObservationSettings()
    return server
  }

  private static func makeKeyspace(_ configuration: Configuration) throws(IOError) -> Keyspace {
    do {
      let arena = try Arena(provider: VolatilePages())
      return try Keyspace(arena: arena, databaseCount: configuration.databases)
    } catch let error as MemoryError {
      throw IOError("\(error.operation)", errno: error.code)
    } catch {
      throw IOError("allocate", errno: 12)
    }
  }

  private init(
    _ configuration: Configuration, _ network: consuming Network, _ keys: consuming Keyspace,
    _ logSettings: LogSettings, _ clock: Clock
  ) {
    table = CommandTable<Server>.all(renamed: configuration.renamedCommands)
    pingCommand = table.find(fullName: [0x70, 0x69, 0x6E, 0x67].span)
    execCommand = table.find(fullName: [0x65, 0x78, 0x65, 0x63].span)
    statistics = ServerStatistics(commandCount: table.count)
    self.network = network
    self.keys = keys
    self.configuration = configuration
    self.logSettings = logSettings
    self.clock = clock
    log = logSettings.logger()
    ticks = Ticks()
    now = Int(clock.wallMilliseconds())
    startMilliseconds = now
    self.keys.now = now
    // Nobody reads the effects of a volatile server.
    self.keys.effects.isRecorded = false
  }

  /// Takes over what the keyspace wants to know of the configuration.
  mutating func adoptKeyspaceSettings() {
    keys.policy = configuration.maximumMemoryPolicy
    keys.evictionSamples = configuration.maximumMemorySamples
    keys.lfuLogFactor = configuration.lfuLogFactor
    keys.lfuDecayMinutes = configuration.lfuDecayMinutes
    keys.maximumStringBytes = configuration.maximumBulkLength
    keys.limits = configuration.collectionLimits
    keys.maximumSparseHyperLogLogBytes = configuration.hllSparseMaxBytes
    keys.lazyFree = .unlink
    if configuration.lazyFreeUserDelete { keys.lazyFree.insert(.userDelete) }
    if configuration.lazyFreeServerDelete { keys.lazyFree.insert(.serverDelete) }
    if configuration.lazyFreeExpire { keys.lazyFree.insert(.expire) }
    if configuration.lazyFreeEviction { keys.lazyFree.insert(.eviction) }
  }

  // MARK: The loop

  /// Serves until a signal or SHUTDOWN.
  /// - Returns: the process' exit status.
  public mutating func run() throws(IOError) -> Int32 {
    while exitStatus == nil { try turn() }
    settleStorage()
    // With io_uring the last replies leave with the next turn.
    try network.turn(timeoutMilliseconds: 0)
    closeStorage()
    return exitStatus ?? 0
  }

  /// One turn: waits for news, executes what came, answers.
  public mutating func turn() throws(IOError) {
    var timeout = max(nextCronMilliseconds - now, 0)
    if pausedUntil > 0 { timeout = min(timeout, max(pausedUntil - now, 0)) }
    if let first = deadlines.first { timeout = min(timeout, max(first.deadline - now, 0)) }
    if let due = durability.nextDue { timeout = min(timeout, max(due - now, 0)) }
    if isBehind || !waiting.isEmpty && mayResume || !released.isEmpty || isReplying {
      timeout = 0
    }
    let count = try network.turn(timeoutMilliseconds: timeout)
    let start = Ticks.now()
    now = Int(clock.wallMilliseconds())
    keys.now = now
    if pausedUntil > 0 && pausedUntil <= now { pausedUntil = 0 }
    // From the first turn on in which every write is held back.
    keys.keepsDueKeys = pausedUntil > 0
    if !unfinished.isEmpty { finishDueReplies() }
    if durability.isOn { hearFromLog() }
    for index in 0..<count { handle(network.event(index)) }
    if !batch.requests.isEmpty || !ready.isEmpty { finishBatch() }
    if !waiting.isEmpty && mayResume { resumeWaiting() }
    if !deadlines.isEmpty { endWaits() }
    if isReplying || !unfinished.isEmpty { continueReplies() }
    if !released.isEmpty { resumeReleased() }
    maintain()
    commitEffects()
    network.flush()
    statistics.loopTurns &+= 1
    statistics.loopTicks &+= Ticks.now() &- start
  }

  /// Whether clients that were held back may go on.
  private var mayResume: Bool { pausedUntil == 0 && durability.gate != .waiting }

  private mutating func handle(_ event: NetworkEvent) {
    switch event.kind {
    case .none, .drained: break
    case .accepted: accept(event.connection)
    case .received:
      statistics.readsProcessed &+= 1
      parse(event.connection)
    case .placed: finishPlacement(event.connection)
    case .closed: ended(event.connection, byPeer: event.value == 0)
    case .wake: break
    case .signal: receive(signal: event.value)
    }
  }

  private mutating func receive(signal: Int32) {
    let name = signal == 2 ? "SIGINT" : "SIGTERM"
    if exitStatus != nil {
      log.warning("Received \(name) again, exiting now")
      exitStatus = 1
      return
    }
    log.warning("Received \(name), shutting down")
    exitStatus = 0
  }
}
