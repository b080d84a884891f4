// The rows of persistence: Ferrite's own engine, which they rule, and RDB and AOF, which this
// version does not have.

extension Directive {
  static let persistence: [Directive] = [
    .boolean("persistence", \.persistence).immutable,
    .choice("appendfsync", \.appendFsync).applies(.durability),
    .choice("storage-medium", \.storageMedium).immutable,
    .integer("log-segment-size", \.logSegmentBytes, 1 << 20...1 << 30, .memory).immutable,
    .integer("log-max-size", \.logLimitBytes, 64 << 20...Int.max, .memory).applies(.durability),
    .boolean("log-truncate-corrupt", \.logTruncateCorrupt).immutable,
    .integer("checkpoint-log-size", \.checkpointLogBytes, 1 << 20...Int.max, .memory)
      .applies(.durability),
    .integer("checkpoint-interval", \.checkpointIntervalSeconds, 0...int32Max)
      .applies(.durability),
    .integer("checkpoint-io-budget", \.checkpointBudgetBytes, 0...Int.max, .memory)
      .applies(.durability),
    .integer("maxmemory-dram", \.maximumDRAMBytes, 0...Int.max, .memory).applies(.durability),
    .special("save", .savePoints).multipleWords
      .remarks { configuration in
        if configuration.savePoints.isEmpty || configuration.persistence { return nil }
        return "no snapshot is taken in this version of Ferrite: " + volatile
      },
    .boolean("appendonly", \.appendOnly).adding(.denyLoading)
      .remarks { configuration in
        if !configuration.appendOnly || configuration.persistence { return nil }
        return "no append-only file is written in this version of Ferrite: " + volatile
      },
    .text(
      "appendfilename", kept: "appendonly.aof", .noAOF,
      check: { DirectiveCheck.baseName($0, "appendfilename", "filename", mayBeEmpty: false) }
    ).immutable,
    .text(
      "appenddirname", kept: "appendonlydir", .noAOF,
      check: { DirectiveCheck.baseName($0, "appenddirname", "dirname", mayBeEmpty: false) }
    ).immutable,
    .boolean("no-appendfsync-on-rewrite", kept: false, .noAOF),
    .integer("auto-aof-rewrite-percentage", kept: 100, 0...int32Max, .noAOF),
    .integer("auto-aof-rewrite-min-size", kept: 64 << 20, 0...Int.max, .noAOF, .memory),
    .boolean("aof-load-truncated", kept: true, .noAOF),
    .boolean("aof-use-rdb-preamble", kept: true, .noAOF),
    .boolean("aof-timestamp-enabled", kept: false, .noAOF),
    .boolean("aof-rewrite-incremental-fsync", kept: true, .noAOF),
    .boolean("aof-disable-auto-gc", kept: false, .noAOF).adding(.hidden),
    .text(
      "dbfilename", kept: "dump.rdb", .noRDB,
      check: { DirectiveCheck.baseName($0, "dbfilename", "filename", mayBeEmpty: true) }
    ).adding(.protected),
    .boolean("rdbcompression", kept: true, .noRDB),
    .boolean("rdbchecksum", kept: true, .noRDB).immutable,
    .boolean("rdb-del-sync-files", kept: false, .noRDB),
    .boolean("rdb-save-incremental-fsync", kept: true, .noRDB),
    .boolean("stop-writes-on-bgsave-error", kept: true, .noRDB),
    .integer(
      "rdb-key-save-delay", kept: 0, Int(Int32.min)...int32Max, .debugging
    ).adding(.hidden),
    .integer("key-load-delay", kept: 0, Int(Int32.min)...int32Max, .debugging).adding(.hidden),
    .integer("loading-process-events-interval-bytes", kept: 2 << 20, 1024...int32Max, .noRDB)
      .adding(.hidden),
  ]

  private static let volatile = "with `persistence no` the data ends with the process."
}
