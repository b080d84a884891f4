import Foundation
import Testing

@testable import Server

@Suite struct ConfigurationTableTests {
  /// What CONFIG GET * of redis-server 7.0.15 tells, and the settings that came with 7.2.
  private let redisNames = """
    acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
    active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
    active-defrag-threshold-upper active-expire-effort activedefrag activerehashing
    always-show-logo aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync
    aof-timestamp-enabled aof-use-rdb-preamble aof_rewrite_cpulist appenddirname appendfilename
    appendfsync appendonly auto-aof-rewrite-min-size auto-aof-rewrite-percentage bgsave_cpulist
    bind bind-source-addr bio_cpulist busy-reply-threshold client-output-buffer-limit
    client-query-buffer-limit cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down
    cluster-allow-replica-migration cluster-announce-bus-port cluster-announce-hostname
    cluster-announce-ip cluster-announce-port cluster-announce-tls-port cluster-config-file
    cluster-enabled cluster-link-sendbuf-limit cluster-migration-barrier cluster-node-timeout
    cluster-port cluster-preferred-endpoint-type cluster-replica-no-failover
    cluster-replica-validity-factor cluster-require-full-coverage cluster-slave-no-failover
    cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled daemonize databases
    dbfilename dir disable-thp dynamic-hz enable-debug-command enable-module-command
    enable-protected-configs hash-max-listpack-entries hash-max-listpack-value
    hash-max-ziplist-entries hash-max-ziplist-value hll-sparse-max-bytes hz ignore-warnings
    io-threads io-threads-do-reads jemalloc-bg-thread latency-monitor-threshold latency-tracking
    latency-tracking-info-percentiles lazyfree-lazy-eviction lazyfree-lazy-expire
    lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time
    lfu-log-factor list-compress-depth list-max-listpack-size list-max-ziplist-size logfile
    loglevel lua-time-limit masterauth masteruser maxclients maxmemory maxmemory-clients
    maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples min-replicas-max-lag
    min-replicas-to-write min-slaves-max-lag min-slaves-to-write no-appendfsync-on-rewrite
    notify-keyspace-events oom-score-adj oom-score-adj-values pidfile port proc-title-template
    propagation-error-behavior protected-mode proto-max-bulk-len rdb-del-sync-files
    rdb-save-incremental-fsync rdbchecksum rdbcompression repl-backlog-size repl-backlog-ttl
    repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay
    repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout
    replica-announce-ip replica-announce-port replica-announced replica-ignore-disk-write-errors
    replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only
    replica-serve-stale-data replicaof requirepass sanitize-dump-payload save server_cpulist
    set-max-intset-entries set-proc-title shutdown-on-sigint shutdown-on-sigterm shutdown-timeout
    slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority
    slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len
    socket-mark-id stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries
    supervised syslog-enabled syslog-facility syslog-ident tcp-backlog tcp-keepalive timeout
    tls-auth-clients tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites
    tls-client-cert-file tls-client-key-file tls-client-key-file-pass tls-cluster
    tls-dh-params-file tls-key-file tls-key-file-pass tls-port tls-prefer-server-ciphers
    tls-protocols tls-replication tls-session-cache-size tls-session-cache-timeout
    tls-session-caching tracking-table-max-keys unixsocket unixsocketperm
    zset-max-listpack-entries zset-max-listpack-value zset-max-ziplist-entries
    zset-max-ziplist-value
    cluster-announce-human-nodename locale-collate set-max-listpack-entries
    set-max-listpack-value use-exit-on-panic rdb-key-save-delay key-load-delay watchdog-period
    cluster-ping-interval loading-process-events-interval-bytes
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  @Test func redisDirectivesAreKnown() {
    let configuration = Configuration()
    for name in redisNames { #expect(configuration.names(name) == [name]) }
  }

  @Test func ferriteAddsOnlyItsOwn() {
    let known = Set(redisNames)
    let own = Configuration().names("*").filter { !known.contains($0) }
    #expect(
      Set(own) == [
        "persistence", "event-loop", "storage-medium", "log-segment-size", "log-max-size",
        "log-truncate-corrupt", "checkpoint-log-size", "checkpoint-interval",
        "checkpoint-io-budget", "maxmemory-dram",
      ])
  }

  @Test func defaultsThatDifferFromRedis() {
    let configuration = Configuration()
    #expect(configuration.normalOutputLimit.hardBytes == 1 << 30)
    #expect(configuration["appendfsync"] == "always")
    #expect(
      configuration["client-output-buffer-limit"]
        == "normal 1073741824 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
  }

  // CONFIG GET of redis-server 7.0.15 without a configuration.
  @Test(arguments: [
    ("save", "3600 1 300 100 60 10000"), ("bind", "* -::*"), ("port", "6379"), ("hz", "10"),
    ("maxmemory-policy", "noeviction"), ("oom-score-adj-values", "0 200 800"),
    ("latency-tracking-info-percentiles", "50 99 99.9"), ("unixsocketperm", "0"),
    ("shutdown-on-sigint", "default"), ("notify-keyspace-events", ""), ("replicaof", ""),
    ("proto-max-bulk-len", "536870912"), ("client-query-buffer-limit", "1073741824"),
    ("acl-pubsub-default", "resetchannels"), ("repl-backlog-ttl", "3600"), ("logfile", ""),
    ("active-defrag-ignore-bytes", "104857600"), ("auto-aof-rewrite-min-size", "67108864"),
    ("tls-session-cache-size", "20480"), ("maxmemory-clients", "0"), ("lua-time-limit", "5000"),
    ("proc-title-template", "{title} {listen-addr} {server-mode}"), ("syslog-facility", "local0"),
  ])
  func defaultsAreRedis(name: String, value: String) {
    #expect(Configuration()[name] == value)
  }

  /// Where Debian's redis-server is installed, its own redis.conf loads.
  @Test func stockFileLoads() throws {
    let path = "/etc/redis/redis.conf"
    if let text = try? String(contentsOfFile: path, encoding: .utf8) {
      let files = MemoryFiles([path: text])
      files.directories.formUnion(["/var/lib/redis"])
      let loaded = Loaded([path], files: files)
      #expect(loaded.outcome == .serves, "\(path)")
      #expect(loaded.configuration.port == 6379)
      #expect(loaded.notes.count > 20)
      #expect(Set(loaded.notes.map(\.text)).count == loaded.notes.count)
    }
    // Elsewhere the directives of a stock file, each at its default, stand in for it.
    let lines = DirectiveTable.shared.rows.map { directive in
      let value = directive.get(Configuration.defaults)
      let text = ConfigurationText.string(ConfigurationText.quoted(value))
      return directive.name == "dir" ? "dir /tmp" : "\(directive.name) \(text)"
    }
    let refused = lines.filter {
      // Without a primary there is no line to write.
      !$0.hasPrefix("replicaof ") && Loaded(file: $0).outcome != .serves
    }
    #expect(refused == [])
  }
}
