// Streams: the rows of the stream commands. Handlers: StreamHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on streams.
  @_optimize(none) @CommandList<Host>
  public static var streams: [Command] {
    CommandGroup.stream
    Command(
      "XACK", arity: -4, [.write, .fast], .stream, .keyspace(StreamHandlers.xack),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Takes entries that were dealt with off a consumer group's pending list.",
      since: "5.0.0", complexity: "O(log N) for each ID",
      arguments: [.key(), .string("group"), .string("id", .multiple)])
    Command(
      "XADD", arity: -5, [.write, .denyOOM, .fast], .stream, .keyspace(StreamHandlers.xadd),
      keys: [.key(1, [.readWrite, .update], notes: "Trimming makes it an update")],
      summary: "Appends an entry to a stream, creating it if need be, and may trim it.",
      since: "5.0.0", complexity: "O(log N), plus O(M) for M entries trimmed",
      tips: ["nondeterministic_output"],
      history: [
        "6.2.0": "`NOMKSTREAM`, `MINID` and `LIMIT`.",
        "7.0.0": "IDs of which only the milliseconds are given, `<ms>-*`.",
      ],
      arguments: [
        .key(), .token("NOMKSTREAM", .optional, since: "6.2.0"),
        .block(
          "trim", .optional,
          of: [
            .oneOf("strategy", of: [.token("MAXLEN"), .token("MINID", since: "6.2.0")]),
            .oneOf(
              "operator", .optional,
              of: [.token("=", name: "equal"), .token("~", name: "approximately")]),
            .string("threshold"), .integer("count", token: "LIMIT", .optional, since: "6.2.0"),
          ]), .oneOf("id-selector", of: [.token("*", name: "auto-id"), .string("id")]),
        .block("data", .multiple, of: [.string("field"), .string("value")]),
      ])
    Command(
      "XAUTOCLAIM", arity: -6, [.write, .fast], .stream, .keyspace(StreamHandlers.xautoclaim),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Gives pending entries that have waited long enough to another consumer.",
      since: "6.2.0", complexity: "O(1) for a small `COUNT`", tips: ["nondeterministic_output"],
      history: ["7.0.0": "The reply lists pending entries that were found deleted."],
      arguments: [
        .key(), .string("group"), .string("consumer"), .string("min-idle-time"), .string("start"),
        .integer("count", token: "COUNT", .optional), .token("JUSTID", .optional),
      ])
    Command(
      "XCLAIM", arity: -6, [.write, .fast], .stream, .keyspace(StreamHandlers.xclaim),
      keys: [.key(1, [.readWrite, .update])], summary: "Gives pending entries to another consumer.",
      since: "5.0.0", complexity: "O(log N) for each ID", tips: ["nondeterministic_output"],
      arguments: [
        .key(), .string("group"), .string("consumer"), .string("min-idle-time"),
        .string("id", .multiple), .integer("ms", token: "IDLE", .optional),
        .unixTime("unix-time-milliseconds", token: "TIME", .optional),
        .integer("count", token: "RETRYCOUNT", .optional), .token("FORCE", .optional),
        .token("JUSTID", .optional), .string("id", token: "LASTID", .optional),
      ])
    Command(
      "XDEL", arity: -3, [.write, .fast], .stream, .keyspace(StreamHandlers.xdel),
      keys: [.key(1, [.readWrite, .delete])], summary: "Deletes entries of a stream by their IDs.",
      since: "5.0.0", complexity: "O(log N) for each entry",
      arguments: [.key(), .string("id", .multiple)])
    Command(
      "XGROUP", arity: -2, summary: "Consumer groups of a stream.", since: "5.0.0",
      complexity: "By subcommand"
    ) {
      Command(
        "CREATE", arity: -5, [.write, .denyOOM], .stream, .keyspace(StreamHandlers.xgroupCreate),
        keys: [.key(2, [.readWrite, .insert])], summary: "Creates a consumer group.",
        since: "5.0.0", complexity: "O(1)", history: ["7.0.0": "`ENTRIESREAD`."],
        arguments: [
          .key(), .string("groupname"),
          .oneOf("id", of: [.string("id"), .token("$", name: "new-id")]),
          .token("MKSTREAM", .optional), .integer("entries-read", token: "ENTRIESREAD", .optional),
        ])
      Command(
        "CREATECONSUMER", arity: 5, [.write, .denyOOM], .stream,
        .keyspace(StreamHandlers.xgroupCreateconsumer), keys: [.key(2, [.readWrite, .insert])],
        summary: "Creates a consumer in a group.", since: "6.2.0", complexity: "O(1)",
        arguments: [.key(), .string("groupname"), .string("consumername")])
      Command(
        "DELCONSUMER", arity: 5, .write, .stream, .keyspace(StreamHandlers.xgroupDelconsumer),
        keys: [.key(2, [.readWrite, .delete])],
        summary: "Deletes a consumer and what it has pending.", since: "5.0.0",
        complexity: "O(N) for N entries pending",
        arguments: [.key(), .string("groupname"), .string("consumername")])
      Command(
        "DESTROY", arity: 4, .write, .stream, .keyspace(StreamHandlers.xgroupDestroy),
        keys: [.key(2, [.readWrite, .delete])], summary: "Deletes a consumer group.",
        since: "5.0.0", complexity: "O(N) for N entries pending",
        arguments: [.key(), .string("groupname")])
      Command(
        "SETID", arity: -5, .write, .stream, .keyspace(StreamHandlers.xgroupSetid),
        keys: [.key(2, [.readWrite, .update])], summary: "Sets up to which entry a group has read.",
        since: "5.0.0", complexity: "O(1)", history: ["7.0.0": "`ENTRIESREAD`."],
        arguments: [
          .key(), .string("groupname"),
          .oneOf("id", of: [.string("id"), .token("$", name: "new-id")]),
          .integer("entries-read", token: "ENTRIESREAD", .optional),
        ])
      Command(
        "HELP", arity: 2, [.loading, .stale], .stream, .keyspace(StreamHandlers.xgroupHelp),
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
    }
    Command(
      "XINFO", arity: -2, summary: "Describes streams, their groups and consumers.", since: "5.0.0",
      complexity: "By subcommand"
    ) {
      Command(
        "CONSUMERS", arity: 4, .readOnly, .stream, .keyspace(StreamHandlers.xinfoConsumers),
        keys: [.key(2, [.readOnly, .access])], summary: "Lists a group's consumers.",
        since: "5.0.0", complexity: "O(N) for N consumers", tips: ["nondeterministic_output"],
        history: ["7.2.0": "The `inactive` field."], arguments: [.key(), .string("groupname")])
      Command(
        "GROUPS", arity: 3, .readOnly, .stream, .keyspace(StreamHandlers.xinfoGroups),
        keys: [.key(2, [.readOnly, .access])], summary: "Lists a stream's consumer groups.",
        since: "5.0.0", complexity: "O(N) for N groups",
        history: ["7.0.0": "The fields `entries-read` and `lag`."], arguments: [.key()])
      Command(
        "STREAM", arity: -3, .readOnly, .stream, .keyspace(StreamHandlers.xinfoStream),
        keys: [.key(2, [.readOnly, .access])], summary: "Describes a stream.", since: "5.0.0",
        complexity: "O(1); `FULL` takes O(N) for N entries returned",
        history: ["6.0.0": "`FULL`.", "7.0.0": "Fields on deleted and added entries and on lag."],
        arguments: [
          .key(),
          .block(
            "full", token: "FULL", .optional, of: [.integer("count", token: "COUNT", .optional)]),
        ])
      Command(
        "HELP", arity: 2, [.loading, .stale], .stream, .keyspace(StreamHandlers.xinfoHelp),
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
    }
    Command(
      "XLEN", arity: 2, [.readOnly, .fast], .stream, .keyspace(StreamHandlers.xlen),
      keys: [.key(1, .readOnly)], summary: "Counts a stream's entries.", since: "5.0.0",
      complexity: "O(1)", arguments: [.key()])
    Command(
      "XPENDING", arity: -3, .readOnly, .stream, .keyspace(StreamHandlers.xpending),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Describes what a consumer group has delivered and nobody has acknowledged.",
      since: "5.0.0",
      complexity: "O(log N + M) for M entries looked at; the summary O(C) for C consumers",
      tips: ["nondeterministic_output"],
      history: ["6.2.0": "`IDLE`, and ranges that exclude an end."],
      arguments: [
        .key(), .string("group"),
        .block(
          "filters", .optional,
          of: [
            .integer("min-idle-time", token: "IDLE", .optional, since: "6.2.0"), .string("start"),
            .string("end"), .integer("count"), .string("consumer", .optional),
          ]),
      ])
    Command(
      "XRANGE", arity: -4, .readOnly, .stream, .keyspace(StreamHandlers.xrange),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a stream's entries with IDs in a range.", since: "5.0.0",
      complexity: "O(log N + M) for M entries returned",
      history: ["6.2.0": "Ranges that exclude an end."],
      arguments: [
        .key(), .string("start"), .string("end"), .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "XREAD", arity: -4, [.readOnly, .blocking], .stream, .blocking(StreamHandlers.xread),
      keys: [
        KeySpec(
          .keyword("STREAMS", startFrom: 1), .range(lastKey: -1, step: 1, limit: 2),
          [.readOnly, .access])
      ], summary: "Returns what streams have after given IDs; may wait for it.", since: "5.0.0",
      complexity: "O(log N + M) for each stream, M entries returned",
      arguments: [
        .integer("count", token: "COUNT", .optional),
        .integer("milliseconds", token: "BLOCK", .optional),
        .block(
          "streams", token: "STREAMS", of: [.key("key", .multiple), .string("id", .multiple)]),
      ])
    Command(
      "XREADGROUP", arity: -7, [.write, .blocking], .stream, .blocking(StreamHandlers.xreadgroup),
      keys: [
        KeySpec(
          .keyword("STREAMS", startFrom: 4), .range(lastKey: -1, step: 1, limit: 2),
          [.readOnly, .access])
      ],
      summary: "Returns what is new to a consumer group, or what a consumer has pending; may wait.",
      since: "5.0.0", complexity: "O(log N + M) for each stream, M entries returned",
      arguments: [
        .block("group-consumer", token: "GROUP", of: [.string("group"), .string("consumer")]),
        .integer("count", token: "COUNT", .optional),
        .integer("milliseconds", token: "BLOCK", .optional), .token("NOACK", .optional),
        .block(
          "streams", token: "STREAMS", of: [.key("key", .multiple), .string("id", .multiple)]),
      ])
    Command(
      "XREVRANGE", arity: -4, .readOnly, .stream, .keyspace(StreamHandlers.xrevrange),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a stream's entries with IDs in a range, the last one first.",
      since: "5.0.0", complexity: "O(log N + M) for M entries returned",
      history: ["6.2.0": "Ranges that exclude an end."],
      arguments: [
        .key(), .string("end"), .string("start"), .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "XSETID", arity: -3, [.write, .denyOOM, .fast], .stream, .keyspace(StreamHandlers.xsetid),
      keys: [.key(1, [.readWrite, .update])], summary: "Sets a stream's last ID. For internal use.",
      since: "5.0.0", complexity: "O(1)", history: ["7.0.0": "`ENTRIESADDED` and `MAXDELETEDID`."],
      arguments: [
        .key(), .string("last-id"),
        .integer("entries-added", token: "ENTRIESADDED", .optional, since: "7.0.0"),
        .string("max-deleted-entry-id", token: "MAXDELETEDID", .optional, since: "7.0.0"),
      ])
    Command(
      "XTRIM", arity: -4, .write, .stream, .keyspace(StreamHandlers.xtrim),
      keys: [.key(1, [.readWrite, .delete])], summary: "Deletes a stream's oldest entries.",
      since: "5.0.0", complexity: "O(N) for N entries deleted", tips: ["nondeterministic_output"],
      history: ["6.2.0": "`MINID` and `LIMIT`."],
      arguments: [
        .key(),
        .block(
          "trim",
          of: [
            .oneOf("strategy", of: [.token("MAXLEN"), .token("MINID", since: "6.2.0")]),
            .oneOf(
              "operator", .optional,
              of: [.token("=", name: "equal"), .token("~", name: "approximately")]),
            .string("threshold"), .integer("count", token: "LIMIT", .optional, since: "6.2.0"),
          ]),
      ])
  }
}
