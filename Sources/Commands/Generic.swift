// Generic: the rows of the commands that work on keys of any type. Handlers: GenericHandlers.

extension Command where Host: ~Copyable {
  /// Commands on keys of any type.
  @_optimize(none) @CommandList<Host>
  public static var generic: [Command] {
    CommandGroup.generic
    Command(
      "COPY", arity: -3, [.write, .denyOOM], .keyspace, .keyspace(GenericHandlers.copy),
      keys: [.key(1, [.readOnly, .access]), .key(2, [.overwrite, .update])],
      summary: "Copies a value to another key.", since: "6.2.0",
      complexity: "O(N) for a collection of N elements, O(1) for a string",
      arguments: [
        .key("source"), .key("destination", spec: 1),
        .integer("destination-db", token: "DB", .optional), .token("REPLACE", .optional),
      ])
    Command(
      "DEL", arity: -2, .write, .keyspace, .keyspace(GenericHandlers.del),
      keys: [.keys(from: 1, [.remove, .delete])],
      summary: "Deletes keys.", since: "1.0.0",
      complexity: "O(N) for N keys, plus O(M) for each collection of M elements",
      tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
      arguments: [.key("key", .multiple)])
    Command(
      "DUMP", arity: 2, .readOnly, .keyspace, .keyspace(GenericHandlers.dump),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a key's value as bytes for RESTORE.", since: "2.6.0",
      complexity: "O(1) to find the key, O(N*M) for N elements of M bytes",
      tips: ["nondeterministic_output"],
      arguments: [.key()])
    Command(
      "EXISTS", arity: -2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.exists),
      keys: [.keys(from: 1, .readOnly)],
      summary: "Counts how many of the keys exist.", since: "1.0.0", complexity: "O(N) for N keys",
      tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
      history: ["3.0.3": "Takes several keys."],
      arguments: [.key("key", .multiple)])
    Command(
      "EXPIRE", arity: -3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.expire),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets a key expire after some seconds.", since: "1.0.0", complexity: "O(1)",
      history: ["7.0.0": "Conditions `NX`, `XX`, `GT`, `LT`."],
      arguments: [
        .key(), .integer("seconds"),
        .oneOf(
          "condition", .optional, since: "7.0.0",
          of: [
            .token("NX"), .token("XX"), .token("GT"), .token("LT"),
          ]),
      ])
    Command(
      "EXPIREAT", arity: -3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.expireat),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets a key expire at a Unix time in seconds.", since: "1.2.0", complexity: "O(1)",
      history: ["7.0.0": "Conditions `NX`, `XX`, `GT`, `LT`."],
      arguments: [
        .key(), .unixTime("unix-time-seconds"),
        .oneOf(
          "condition", .optional, since: "7.0.0",
          of: [
            .token("NX"), .token("XX"), .token("GT"), .token("LT"),
          ]),
      ])
    Command(
      "EXPIRETIME", arity: 2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.expiretime),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the Unix time in seconds at which a key expires.", since: "7.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "KEYS", arity: 2, .readOnly, [.keyspace, .dangerous], .keyspace(GenericHandlers.keys),
      summary: "Lists the keys that match a pattern.", since: "1.0.0",
      complexity: "O(N) for N keys in the database, with short keys and pattern",
      tips: ["request_policy:all_shards", "nondeterministic_output_order"],
      arguments: [.value(.pattern, "pattern")])
    Command(
      "MOVE", arity: 3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.move),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Moves a key to another database.", since: "1.0.0", complexity: "O(1)",
      arguments: [.key(), .integer("db")])
    Command(
      "OBJECT", arity: -2,
      summary: "Values: how they are kept.", since: "2.2.3", complexity: "Depends on subcommand."
    ) {
      Command(
        "ENCODING", arity: 3, .readOnly, .keyspace, .keyspace(GenericHandlers.objectEncoding),
        keys: [.key(2, .readOnly)],
        summary: "Returns the encoding of a key's value.", since: "2.2.3", complexity: "O(1)",
        tips: ["nondeterministic_output"],
        arguments: [.key()])
      Command(
        "FREQ", arity: 3, .readOnly, .keyspace, .keyspace(GenericHandlers.objectFreq),
        keys: [.key(2, .readOnly)],
        summary: "Returns the logarithmic access counter of a key.", since: "4.0.0",
        complexity: "O(1)",
        tips: ["nondeterministic_output"],
        arguments: [.key()])
      Command(
        "HELP", arity: 2, [.loading, .stale], .keyspace, .help,
        summary: "Lists the subcommands.", since: "6.2.0", complexity: "O(1)")
      Command(
        "IDLETIME", arity: 3, .readOnly, .keyspace, .keyspace(GenericHandlers.objectIdletime),
        keys: [.key(2, .readOnly)],
        summary: "Returns the seconds since a key was last accessed.", since: "2.2.3",
        complexity: "O(1)",
        tips: ["nondeterministic_output"],
        arguments: [.key()])
      Command(
        "REFCOUNT", arity: 3, .readOnly, .keyspace, .keyspace(GenericHandlers.objectRefcount),
        keys: [.key(2, .readOnly)],
        summary: "Returns the reference count of a key's value.", since: "2.2.3",
        complexity: "O(1)",
        tips: ["nondeterministic_output"],
        arguments: [.key()])
    }
    Command(
      "PERSIST", arity: 2, [.write, .fast], .keyspace, .keyspace(GenericHandlers.persist),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets a key live for ever.", since: "2.2.0", complexity: "O(1)",
      arguments: [.key()])
    Command(
      "PEXPIRE", arity: -3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.pexpire),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets a key expire after some milliseconds.", since: "2.6.0", complexity: "O(1)",
      history: ["7.0.0": "Conditions `NX`, `XX`, `GT`, `LT`."],
      arguments: [
        .key(), .integer("milliseconds"),
        .oneOf(
          "condition", .optional, since: "7.0.0",
          of: [
            .token("NX"), .token("XX"), .token("GT"), .token("LT"),
          ]),
      ])
    Command(
      "PEXPIREAT", arity: -3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.pexpireat),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets a key expire at a Unix time in milliseconds.", since: "2.6.0",
      complexity: "O(1)",
      history: ["7.0.0": "Conditions `NX`, `XX`, `GT`, `LT`."],
      arguments: [
        .key(), .unixTime("unix-time-milliseconds"),
        .oneOf(
          "condition", .optional, since: "7.0.0",
          of: [
            .token("NX"), .token("XX"), .token("GT"), .token("LT"),
          ]),
      ])
    Command(
      "PEXPIRETIME", arity: 2, [.readOnly, .fast], .keyspace,
      .keyspace(GenericHandlers.pexpiretime),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the Unix time in milliseconds at which a key expires.", since: "7.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "PTTL", arity: 2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.pttl),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the milliseconds that a key has left.", since: "2.6.0", complexity: "O(1)",
      tips: ["nondeterministic_output"], history: ["2.8.0": "Replies -2 for a missing key."],
      arguments: [.key()])
    Command(
      "RANDOMKEY", arity: 1, [.readOnly, .touchesArbitraryKeys], .keyspace,
      .keyspace(GenericHandlers.randomkey),
      summary: "Returns some key.", since: "1.0.0", complexity: "O(1)",
      tips: [
        "request_policy:all_shards", "response_policy:special", "nondeterministic_output",
      ])
    Command(
      "RENAME", arity: 3, .write, .keyspace, .keyspace(GenericHandlers.rename),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.overwrite, .update])],
      summary: "Renames a key, replacing any that has the new name.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key(), .key("newkey", spec: 1)])
    Command(
      "RENAMENX", arity: 3, [.write, .fast], .keyspace, .keyspace(GenericHandlers.renamenx),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.overwrite, .insert])],
      summary: "Renames a key, unless one has the new name.", since: "1.0.0", complexity: "O(1)",
      history: ["3.2.0": "No error when both names are the same."],
      arguments: [.key(), .key("newkey", spec: 1)])
    Command(
      "RESTORE", arity: -4, [.write, .denyOOM], [.keyspace, .dangerous],
      .keyspace(GenericHandlers.restore),
      keys: [.key(1, [.overwrite, .update])],
      summary: "Makes a key of the bytes that DUMP returned.", since: "2.6.0",
      complexity: "O(N*M) for N elements of M bytes, O(N*M*log(N)) for a sorted set",
      history: [
        "3.0.0": "Takes `REPLACE`.", "5.0.0": "Takes `ABSTTL`.",
        "5.0.0": "Takes `IDLETIME` and `FREQ`.",
      ],
      arguments: restoreArguments)
    Command(
      "SCAN", arity: -2, [.readOnly, .touchesArbitraryKeys], .keyspace,
      .keyspace(GenericHandlers.scan),
      summary: "Walks through the keys, some at a time.", since: "2.8.0",
      complexity: "O(1) a call, O(N) for the N keys of a whole walk",
      tips: [
        "nondeterministic_output", "request_policy:special", "response_policy:special",
      ],
      history: ["6.0.0": "Filters by `TYPE`."],
      arguments: [
        .integer("cursor"), .value(.pattern, "pattern", token: "MATCH", .optional),
        .integer("count", token: "COUNT", .optional),
        .string("type", token: "TYPE", .optional, since: "6.0.0"),
      ])
    Command(
      "TOUCH", arity: -2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.touch),
      keys: [.keys(from: 1, .readOnly)],
      summary: "Marks keys as accessed and counts those that exist.", since: "3.2.1",
      complexity: "O(N) for N keys",
      tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
      arguments: [.key("key", .multiple)])
    Command(
      "TTL", arity: 2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.ttl),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the seconds that a key has left.", since: "1.0.0", complexity: "O(1)",
      tips: ["nondeterministic_output"], history: ["2.8.0": "Replies -2 for a missing key."],
      arguments: [.key()])
    Command(
      "TYPE", arity: 2, [.readOnly, .fast], .keyspace, .keyspace(GenericHandlers.type),
      keys: [.key(1, .readOnly)],
      summary: "Returns the type of a key's value.", since: "1.0.0", complexity: "O(1)",
      arguments: [.key()])
    Command(
      "UNLINK", arity: -2, [.write, .fast], .keyspace, .keyspace(GenericHandlers.unlink),
      keys: [.keys(from: 1, [.remove, .delete])],
      summary: "Deletes keys, and frees their memory in the background.", since: "4.0.0",
      complexity: "O(1) a key, plus O(N) in the background for N allocations",
      tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
      arguments: [.key("key", .multiple)])
    Command(
      "WAIT", arity: 3, .blocking, .connection, .blocking(GenericHandlers.wait),
      summary: "Waits until replicas have this connection's writes.", since: "3.0.0",
      complexity: "O(1)", tips: ["request_policy:all_shards", "response_policy:agg_min"],
      arguments: [.integer("numreplicas"), .integer("timeout")])
    Command(
      "WAITAOF", arity: 4, .blocking, .connection, .blocking(GenericHandlers.waitaof),
      summary: "Waits until this connection's writes are on disk here and on replicas.",
      since: "7.2.0", complexity: "O(1)",
      tips: ["request_policy:all_shards", "response_policy:agg_min"],
      arguments: [.integer("numlocal"), .integer("numreplicas"), .integer("timeout")])
  }

  /// Commands that move keys inside a cluster; Redis counts them to the server's group.
  @_optimize(none) @CommandList<Host>
  public static var keyMoves: [Command] {
    CommandGroup.server
    Command(
      "RESTORE-ASKING", arity: -4, [.write, .denyOOM, .asking], [.keyspace, .dangerous],
      .keyspace(GenericHandlers.restore),
      keys: [.key(1, [.overwrite, .update])],
      summary: "RESTORE, for moving keys inside a cluster.", since: "3.0.0",
      complexity: "O(N*M) for N elements of M bytes, O(N*M*log(N)) for a sorted set",
      isInternal: true,
      history: [
        "3.0.0": "Takes `REPLACE`.", "5.0.0": "Takes `ABSTTL`.",
        "5.0.0": "Takes `IDLETIME` and `FREQ`.",
      ],
      arguments: restoreArguments)
  }
}

private let restoreArguments: [Argument] = [
  .key(), .integer("ttl"), .string("serialized-value"),
  .token("REPLACE", .optional, since: "3.0.0"), .token("ABSTTL", .optional, since: "5.0.0"),
  .integer("seconds", token: "IDLETIME", .optional, since: "5.0.0"),
  .integer("frequency", token: "FREQ", .optional, since: "5.0.0"),
]
