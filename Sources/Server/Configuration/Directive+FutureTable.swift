// The rows of what this version does not have: replication, cluster, TLS. They are accepted so that
// a stock redis.conf starts the server; what would be dangerous to ignore is refused.

extension Directive {
  static let replication: [Directive] = [
    .special("replicaof", .replicaOf, .unavailable(.noReplication)).alias("slaveof")
      .immutable.multipleWords,
    .secret("masterauth", \.masterAuth).withoutEffect(.noReplication),
    .text("masteruser", kept: "", .noReplication).adding(.sensitive),
    .boolean("replica-read-only", kept: true, .noReplication).alias("slave-read-only"),
    .boolean("replica-serve-stale-data", kept: true, .noReplication)
      .alias("slave-serve-stale-data"),
    .boolean("replica-lazy-flush", kept: false, .noReplication).alias("slave-lazy-flush"),
    .boolean("replica-ignore-maxmemory", kept: true, .noReplication)
      .alias("slave-ignore-maxmemory"),
    .boolean("replica-ignore-disk-write-errors", kept: false, .noReplication),
    .boolean("replica-announced", kept: true, .noReplication),
    .text("replica-announce-ip", kept: "", .noReplication).alias("slave-announce-ip"),
    .integer("replica-announce-port", kept: 0, 0...65535, .noReplication)
      .alias("slave-announce-port"),
    .integer("replica-priority", kept: 100, 0...int32Max, .noReplication).alias("slave-priority"),
    .boolean("repl-disable-tcp-nodelay", kept: false, .noReplication),
    .boolean("repl-diskless-sync", kept: true, .noReplication),
    .integer("repl-diskless-sync-delay", kept: 5, 0...int32Max, .noReplication),
    .integer("repl-diskless-sync-max-replicas", kept: 0, 0...int32Max, .noReplication),
    .choice(
      "repl-diskless-load", kept: "disabled", of: ["disabled", "on-empty-db", "swapdb"],
      .noReplication
    ).adding(.denyLoading),
    .integer("repl-timeout", kept: 60, 1...int32Max, .noReplication),
    .integer("repl-ping-replica-period", kept: 10, 1...int32Max, .noReplication)
      .alias("repl-ping-slave-period"),
    .integer("repl-backlog-size", kept: 1 << 20, 1...Int.max, .noReplication, .memory),
    .integer("repl-backlog-ttl", kept: 3600, 0...Int.max, .noReplication),
    .integer("min-replicas-to-write", kept: 0, 0...int32Max, .noReplication)
      .alias("min-slaves-to-write"),
    .integer("min-replicas-max-lag", kept: 10, 0...int32Max, .noReplication)
      .alias("min-slaves-max-lag"),
    .choice(
      "propagation-error-behavior", kept: "ignore", of: ["ignore", "panic", "panic-on-replicas"],
      .noPanic),
  ]

  static let cluster: [Directive] = [
    .boolean("cluster-enabled", kept: false, .noCluster).immutable.unavailable(.noCluster),
    .text("cluster-config-file", kept: "nodes.conf", .noCluster).immutable,
    .integer("cluster-node-timeout", kept: 15000, 0...Int.max, .noCluster),
    .integer("cluster-ping-interval", kept: 0, 0...Int.max, .noCluster).adding(.hidden),
    .integer("cluster-port", kept: 0, 0...65535, .noCluster).immutable,
    .text("cluster-announce-ip", kept: "", .noCluster),
    .integer("cluster-announce-port", kept: 0, 0...65535, .noCluster),
    .integer("cluster-announce-tls-port", kept: 0, 0...65535, .noCluster),
    .integer("cluster-announce-bus-port", kept: 0, 0...65535, .noCluster),
    .text(
      "cluster-announce-hostname", kept: "", .noCluster, check: DirectiveCheck.announcedHostname),
    .text(
      "cluster-announce-human-nodename", kept: "", .noCluster,
      check: DirectiveCheck.announcedNodename),
    .choice(
      "cluster-preferred-endpoint-type", kept: "ip", of: ["ip", "hostname", "unknown-endpoint"],
      .noCluster),
    .boolean("cluster-require-full-coverage", kept: true, .noCluster),
    .boolean("cluster-replica-no-failover", kept: false, .noCluster)
      .alias("cluster-slave-no-failover"),
    .integer("cluster-replica-validity-factor", kept: 10, 0...int32Max, .noCluster)
      .alias("cluster-slave-validity-factor"),
    .integer("cluster-migration-barrier", kept: 1, 0...int32Max, .noCluster),
    .boolean("cluster-allow-replica-migration", kept: true, .noCluster),
    .boolean("cluster-allow-reads-when-down", kept: false, .noCluster),
    .boolean("cluster-allow-pubsubshard-when-down", kept: true, .noCluster),
    .integer("cluster-link-sendbuf-limit", kept: 0, 0...Int.max, .noCluster, .unboundedMemory),
  ]

  static let tls: [Directive] = [
    .integer("tls-port", kept: 0, 0...65535, .noTLS).unavailable(.noTLS),
    .boolean("tls-replication", kept: false, .noTLS).unavailable(.noTLS),
    .boolean("tls-cluster", kept: false, .noTLS).unavailable(.noTLS),
    .choice("tls-auth-clients", kept: "yes", of: ["no", "yes", "optional"], .noTLS),
    .text("tls-cert-file", kept: "", .noTLS),
    .text("tls-key-file", kept: "", .noTLS),
    .text("tls-key-file-pass", kept: "", .noTLS).adding(.sensitive),
    .text("tls-client-cert-file", kept: "", .noTLS),
    .text("tls-client-key-file", kept: "", .noTLS),
    .text("tls-client-key-file-pass", kept: "", .noTLS).adding(.sensitive),
    .text("tls-dh-params-file", kept: "", .noTLS),
    .text("tls-ca-cert-file", kept: "", .noTLS),
    .text("tls-ca-cert-dir", kept: "", .noTLS),
    .text("tls-protocols", kept: "", .noTLS),
    .text("tls-ciphers", kept: "", .noTLS),
    .text("tls-ciphersuites", kept: "", .noTLS),
    .boolean("tls-prefer-server-ciphers", kept: false, .noTLS),
    .boolean("tls-session-caching", kept: true, .noTLS),
    .integer("tls-session-cache-size", kept: 20 << 10, 0...int32Max, .noTLS),
    .integer("tls-session-cache-timeout", kept: 300, 0...int32Max, .noTLS),
  ]
}
