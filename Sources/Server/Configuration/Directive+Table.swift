// The table's rows, grouped as redis.conf groups them. Bounds and defaults are Redis 7.2's.

extension Directive {
  static let network: [Directive] = [
    .special("bind", .bind).multipleWords.applies(.listeners),
    .integer("port", \.port, 0...65535).applies(.listeners),
    .text("unixsocket", \.unixSocket).immutable,
    .integer("unixsocketperm", \.unixSocketPermissions, 0...0o777, .octal).immutable,
    .integer("tcp-backlog", \.tcpBacklog, 0...int32Max).immutable,
    .integer("tcp-keepalive", \.tcpKeepAliveSeconds, 0...int32Max),
    .integer("timeout", \.timeoutSeconds, 0...int32Max),
    .boolean("protected-mode", \.protectedMode),
    .integer("maxclients", \.maximumClients, 1...uint32Max).applies(.clients),
    .choice("event-loop", \.eventLoop).immutable,
    .integer(
      "proto-max-bulk-len", \.maximumBulkLength, 1 << 20...Int.max, .memory),
    .integer("client-query-buffer-limit", \.queryBufferLimit, 1 << 20...Int.max, .memory),
    .special("client-output-buffer-limit", .outputBufferLimits).multipleWords,
    .integer("maxmemory-clients", \.maximumClientMemory, -100...Int.max, .memoryOrPercent)
      .applies(.memory),
    .secret("requirepass", \.requirePass).applies(.password),
    .choice("enable-protected-configs", \.protectedConfigs).immutable,
    .choice("enable-debug-command", \.debugCommand).immutable,
    .integer("socket-mark-id", kept: 0, 0...uint32Max, .noSocketMark).immutable,
    .text("bind-source-addr", kept: "", .noReplication),
    .integer("io-threads", kept: 1, 1...128, .noIOThreads).immutable,
    .boolean("io-threads-do-reads", kept: false, .noIOThreads).immutable,
    .integer("tracking-table-max-keys", kept: 1_000_000, 0...Int.max, .noTracking),
    .text("aclfile", kept: "", .noACL).immutable.adding(.emptyIsValue).unavailable(.noACL),
    .integer("acllog-max-len", kept: 128, 0...Int.max, .noACL),
    .choice(
      "acl-pubsub-default", kept: "resetchannels", of: ["allchannels", "resetchannels"], .noACL),
    .choice("enable-module-command", kept: "no", of: ["no", "yes", "local"], .noModules).immutable,
  ]

  static let process: [Directive] = [
    .integer("databases", \.databases, 1...int32Max).immutable,
    .boolean("daemonize", \.daemonize).immutable,
    .choice("supervised", \.supervised).immutable,
    .text("pidfile", \.pidFile).immutable,
    .choice("loglevel", \.logLevel).applies(.log),
    .text("logfile", \.logFile).immutable.adding(.emptyIsValue),
    .special("dir", .directory).adding([.protected, .denyLoading]).applies(.directory),
    .boolean("crash-log-enabled", \.crashLogEnabled),
    .integer("hz", \.hz, 0...int32Max).applies(.frequency),
    .boolean("dynamic-hz", \.dynamicHz),
    .integer("shutdown-timeout", \.shutdownTimeoutSeconds, 0...int32Max),
    .special("shutdown-on-sigint", .shutdown(\.shutdownOnSIGINT)).multipleWords,
    .special("shutdown-on-sigterm", .shutdown(\.shutdownOnSIGTERM)).multipleWords,
    .boolean("syslog-enabled", kept: false, .noSyslog).immutable,
    .text("syslog-ident", kept: "redis", .noSyslog).immutable,
    .choice("syslog-facility", kept: "local0", of: syslogFacilities, .noSyslog).immutable,
    .boolean("crash-memcheck-enabled", kept: true, .noMemoryTest),
    .boolean("use-exit-on-panic", kept: false, .debugging).adding(.hidden),
    .integer("watchdog-period", kept: 0, 0...int32Max, .debugging).adding(.hidden),
    .boolean("always-show-logo", kept: false, .noLogo).immutable,
    .boolean("set-proc-title", kept: true, .noTitle).immutable,
    .text(
      "proc-title-template", kept: "{title} {listen-addr} {server-mode}", .noTitle,
      check: DirectiveCheck.titleTemplate),
    .text("ignore-warnings", kept: "", .noWarnings).adding(.emptyIsValue),
    .text("locale-collate", kept: "", .noLocale).adding(.emptyIsValue),
    .text("server_cpulist", kept: "", .noAffinity).immutable,
    .text("bio_cpulist", kept: "", .noAffinity).immutable,
    .text("aof_rewrite_cpulist", kept: "", .noAffinity).immutable,
    .text("bgsave_cpulist", kept: "", .noAffinity).immutable,
    .choice(
      "oom-score-adj", kept: "no", of: ["no", "yes", "relative", "absolute"],
      synonyms: ["relative": "yes"], .noOOMScore),
    .special("oom-score-adj-values", .oomScores, .withoutEffect(.noOOMScore)).multipleWords,
    .boolean("disable-thp", kept: true, .noHugePages).immutable,
    .integer("busy-reply-threshold", kept: 5000, 0...Int.max, .noScripting)
      .alias("lua-time-limit"),
  ]

  static let memory: [Directive] = [
    .integer("maxmemory", \.maximumMemoryBytes, 0...Int.max, .unboundedMemory).applies(.memory),
    .choice("maxmemory-policy", \.maximumMemoryPolicy).applies(.memory),
    .integer("maxmemory-samples", \.maximumMemorySamples, 1...int32Max).applies(.memory),
    .integer("maxmemory-eviction-tenacity", \.evictionTenacity, 0...100).applies(.memory),
    .integer("lfu-log-factor", \.lfuLogFactor, 0...int32Max).applies(.keyspace),
    .integer("lfu-decay-time", \.lfuDecayMinutes, 0...int32Max).applies(.keyspace),
    .integer("active-expire-effort", \.activeExpireEffort, 1...10).applies(.keyspace),
    .boolean("lazyfree-lazy-eviction", \.lazyFreeEviction).applies(.keyspace),
    .boolean("lazyfree-lazy-expire", \.lazyFreeExpire).applies(.keyspace),
    .boolean("lazyfree-lazy-server-del", \.lazyFreeServerDelete).applies(.keyspace),
    .boolean("lazyfree-lazy-user-del", \.lazyFreeUserDelete).applies(.keyspace),
    .boolean("lazyfree-lazy-user-flush", \.lazyFreeUserFlush).applies(.keyspace),
    .boolean("activerehashing", kept: true, .noRehash),
    .boolean("jemalloc-bg-thread", kept: true, .noJemalloc),
    .boolean("activedefrag", kept: false, .noDefrag).unavailable(.defragRefused),
    .integer("active-defrag-cycle-min", kept: 1, 1...99, .noDefrag),
    .integer("active-defrag-cycle-max", kept: 25, 1...99, .noDefrag),
    .integer("active-defrag-threshold-lower", kept: 10, 0...1000, .noDefrag),
    .integer("active-defrag-threshold-upper", kept: 100, 0...1000, .noDefrag),
    .integer("active-defrag-max-scan-fields", kept: 1000, 1...Int.max, .noDefrag),
    .integer("active-defrag-ignore-bytes", kept: 100 << 20, 1...Int.max, .noDefrag, .memory),
  ]

  static let encodings: [Directive] = [
    .integer("hash-max-listpack-entries", \.hashMaxListpackEntries, 0...Int.max)
      .alias("hash-max-ziplist-entries").applies(.keyspace),
    .integer("hash-max-listpack-value", \.hashMaxListpackValueBytes, 0...Int.max, .memory)
      .alias("hash-max-ziplist-value").applies(.keyspace),
    .integer("list-max-listpack-size", \.listMaxListpackSize, Int(Int32.min)...int32Max)
      .alias("list-max-ziplist-size").applies(.keyspace),
    .integer("list-compress-depth", kept: 0, 0...int32Max, .noCompression),
    .integer("set-max-intset-entries", \.setMaxIntsetEntries, 0...Int.max).applies(.keyspace),
    .integer("set-max-listpack-entries", \.setMaxListpackEntries, 0...Int.max).applies(.keyspace),
    .integer("set-max-listpack-value", \.setMaxListpackValueBytes, 0...Int.max).applies(.keyspace),
    .integer("zset-max-listpack-entries", \.zsetMaxListpackEntries, 0...Int.max)
      .alias("zset-max-ziplist-entries").applies(.keyspace),
    .integer("zset-max-listpack-value", \.zsetMaxListpackValueBytes, 0...Int.max, .memory)
      .alias("zset-max-ziplist-value").applies(.keyspace),
    .integer("hll-sparse-max-bytes", \.hllSparseMaxBytes, 0...Int.max, .memory)
      .applies(.keyspace),
    .integer("stream-node-max-bytes", \.streamNodeMaxBytes, 0...Int.max, .memory)
      .applies(.keyspace),
    .integer("stream-node-max-entries", \.streamNodeMaxEntries, 0...Int.max).applies(.keyspace),
    .choice("sanitize-dump-payload", kept: "no", of: ["no", "yes", "clients"], .sanitized),
  ]

  static let observation: [Directive] = [
    .integer("slowlog-log-slower-than", \.slowlogLogSlowerThanMicroseconds, -1...Int.max)
      .applies(.observation),
    .integer("slowlog-max-len", \.slowlogMaxLength, 0...Int.max).applies(.observation),
    .integer("latency-monitor-threshold", \.latencyMonitorThresholdMilliseconds, 0...Int.max)
      .applies(.observation),
    .boolean("latency-tracking", \.latencyTracking).applies(.observation),
    .special("latency-tracking-info-percentiles", .percentiles).multipleWords
      .applies(.observation),
    .special("notify-keyspace-events", .keyspaceEvents).applies(.events),
  ]

  private static let syslogFacilities = ["user"] + (0...7).map { "local\($0)" }
}
