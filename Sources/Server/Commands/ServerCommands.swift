// ServerCommands: the rows of the commands on the server as a whole. Handlers: ServerHandlers.

import Commands

extension Command where Host == Server {
  /// Commands on the server as a whole.
  @_optimize(none) @CommandList<Host>
  public static var server: [Command] {
    CommandGroup.server
    Command(
      "CHECKPOINT", arity: 1, [.admin, .noScript], [.keyspace, .dangerous],
      .host(ServerHandlers.checkpoint),
      summary: "Starts to bring all changes since the last checkpoint into the image.",
      since: "7.2.0", complexity: "O(1)")
    Command(
      "COMMAND", arity: -1, [.loading, .stale, .sentinel], .connection, .commandAll,
      summary: "Describes every command.", since: "2.8.13", complexity: "O(N) for N commands",
      tips: ["nondeterministic_output_order"]
    ) {
      Command(
        "COUNT", arity: 2, [.loading, .stale, .sentinel], .connection, .commandCount,
        summary: "Counts the commands.", since: "2.8.13", complexity: "O(1)")
      Command(
        "DOCS", arity: -2, [.loading, .stale, .sentinel], .connection, .commandDocs,
        summary: "Documents the named commands, or all.", since: "7.0.0",
        complexity: "O(N) for N commands",
        tips: ["nondeterministic_output_order"],
        arguments: [.string("command-name", [.optional, .multiple])])
      Command(
        "GETKEYS", arity: -3, [.loading, .stale, .sentinel], .connection, .commandGetKeys,
        summary: "Finds the keys among a command's arguments.", since: "2.8.13",
        complexity: "O(N) for N arguments",
        arguments: [.string("command"), .string("arg", [.optional, .multiple])])
      Command(
        "GETKEYSANDFLAGS", arity: -3, [.loading, .stale, .sentinel], .connection,
        .commandGetKeysAndFlags,
        summary: "Finds the keys among a command's arguments, and how they are used.",
        since: "7.0.0", complexity: "O(N) for N arguments",
        arguments: [.string("command"), .string("arg", [.optional, .multiple])])
      Command(
        "HELP", arity: 2, [.loading, .stale, .sentinel], .connection, .help,
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
      Command(
        "INFO", arity: -2, [.loading, .stale, .sentinel], .connection, .commandInfo,
        summary: "Describes the named commands, or all.", since: "2.8.13",
        complexity: "O(N) for N commands",
        tips: ["nondeterministic_output_order"],
        history: ["7.0.0": "Without a name it describes all."],
        arguments: [.string("command-name", [.optional, .multiple])])
      Command(
        "LIST", arity: -2, [.loading, .stale, .sentinel], .connection, .commandList,
        summary: "Lists the commands' names.", since: "7.0.0", complexity: "O(N) for N commands",
        tips: ["nondeterministic_output_order"],
        arguments: [
          .oneOf(
            "filterby", token: "FILTERBY", .optional,
            of: [
              .string("module-name", token: "MODULE"), .string("category", token: "ACLCAT"),
              .value(.pattern, "pattern", token: "PATTERN"),
            ])
        ])
    }
    Command(
      "CONFIG", arity: -2,
      summary: "The server's configuration.", since: "2.0.0", complexity: "Depends on subcommand."
    ) {
      Command(
        "GET", arity: -3, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.configGet),
        summary: "Returns parameters and their values.", since: "2.0.0",
        complexity: "O(N) for N parameters",
        history: ["7.0.0": "Takes several patterns."],
        arguments: [.string("parameter", .multiple)])
      Command(
        "HELP", arity: 2, [.loading, .stale], [], .help,
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
      Command(
        "RESETSTAT", arity: 2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.configResetstat),
        summary: "Sets the server's statistics to zero.", since: "2.0.0", complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"])
      Command(
        "REWRITE", arity: 2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.configRewrite),
        summary: "Writes the configuration in force to its file.", since: "2.8.0",
        complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"])
      Command(
        "SET", arity: -4, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.configSet),
        summary: "Changes parameters of the running server.", since: "2.0.0",
        complexity: "O(N) for N parameters",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: ["7.0.0": "Sets several parameters at once."],
        arguments: [.block("data", .multiple, of: [.string("parameter"), .string("value")])])
    }
    Command(
      "DBSIZE", arity: 1, [.readOnly, .fast], .keyspace, .host(ServerHandlers.dbsize),
      summary: "Counts the database's keys.", since: "1.0.0", complexity: "O(1)",
      tips: ["request_policy:all_shards", "response_policy:agg_sum"])
    Command(
      "DEBUG", arity: -2, [.admin, .noScript, .loading, .stale, .protected], [],
      .host(ServerHandlers.debug),
      summary: "Tools for those who work on the server itself.", since: "1.0.0",
      complexity: "Depends on subcommand.",
      isInternal: true)
    Command(
      "FLUSHALL", arity: -1, .write, [.keyspace, .dangerous], .host(ServerHandlers.flushall),
      summary: "Deletes every key of every database.", since: "1.0.0",
      complexity: "O(N) for N keys",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      history: ["4.0.0": "`ASYNC`.", "6.2.0": "`SYNC`."],
      arguments: [
        .oneOf(
          "flush-type", .optional,
          of: [
            .token("ASYNC", since: "4.0.0"), .token("SYNC", since: "6.2.0"),
          ])
      ])
    Command(
      "FLUSHDB", arity: -1, .write, [.keyspace, .dangerous], .host(ServerHandlers.flushdb),
      summary: "Deletes every key of the database.", since: "1.0.0", complexity: "O(N) for N keys",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      history: ["4.0.0": "`ASYNC`.", "6.2.0": "`SYNC`."],
      arguments: [
        .oneOf(
          "flush-type", .optional,
          of: [
            .token("ASYNC", since: "4.0.0"), .token("SYNC", since: "6.2.0"),
          ])
      ])
    Command(
      "INFO", arity: -1, [.loading, .stale, .sentinel], .dangerous, .host(ServerHandlers.info),
      summary: "Reports on the server, section by section.", since: "1.0.0", complexity: "O(1)",
      tips: [
        "nondeterministic_output", "request_policy:all_shards", "response_policy:special",
      ],
      history: ["7.0.0": "Takes several sections."],
      arguments: [.string("section", [.optional, .multiple])])
    Command(
      "LASTSAVE", arity: 1, [.loading, .stale, .fast], [.admin, .dangerous],
      .host(ServerHandlers.lastsave),
      summary: "Returns when the data was last saved.", since: "1.0.0", complexity: "O(1)",
      tips: ["nondeterministic_output"])
    Command(
      "LATENCY", arity: -2,
      summary: "Delays: what was slow, and when.", since: "2.8.13",
      complexity: "Depends on subcommand."
    ) {
      Command(
        "DOCTOR", arity: 2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyDoctor),
        summary: "Explains the recorded delays in prose.", since: "2.8.13", complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_nodes", "response_policy:special",
        ])
      Command(
        "GRAPH", arity: 3, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyGraph),
        summary: "Draws an event's recent delays.", since: "2.8.13", complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_nodes", "response_policy:special",
        ],
        arguments: [.string("event")])
      Command(
        "HELP", arity: 2, [.loading, .stale], [], .help,
        summary: "Lists the subcommands.", since: "2.8.13", complexity: "O(1)")
      Command(
        "HISTOGRAM", arity: -2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyHistogram),
        summary: "Returns how commands' times are distributed.", since: "7.0.0",
        complexity: "O(N) for N commands with times",
        tips: [
          "nondeterministic_output", "request_policy:all_nodes", "response_policy:special",
        ],
        arguments: [.string("command", [.optional, .multiple])])
      Command(
        "HISTORY", arity: 3, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyHistory),
        summary: "Returns an event's recorded delays.", since: "2.8.13", complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_nodes", "response_policy:special",
        ],
        arguments: [.string("event")])
      Command(
        "LATEST", arity: 2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyLatest),
        summary: "Returns every event's latest and worst delay.", since: "2.8.13",
        complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_nodes", "response_policy:special",
        ])
      Command(
        "RESET", arity: -2, [.admin, .noScript, .loading, .stale], [],
        .host(ServerHandlers.latencyReset),
        summary: "Forgets the recorded delays of some events, or of all.", since: "2.8.13",
        complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
        arguments: [.string("event", [.optional, .multiple])])
    }
    Command(
      "LOLWUT", arity: -1, [.readOnly, .fast], [], .host(ServerHandlers.lolwut),
      summary: "Draws a picture and names the version.", since: "5.0.0",
      arguments: [.integer("version", token: "VERSION", .optional)])
    Command(
      "MEMORY", arity: -2,
      summary: "Memory: where it went.", since: "4.0.0", complexity: "Depends on subcommand."
    ) {
      Command(
        "DOCTOR", arity: 2, [], [], .host(ServerHandlers.memoryDoctor),
        summary: "Explains the memory in use in prose.", since: "4.0.0", complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_shards", "response_policy:special",
        ])
      Command(
        "HELP", arity: 2, [.loading, .stale], [], .help,
        summary: "Lists the subcommands.", since: "4.0.0", complexity: "O(1)")
      Command(
        "MALLOC-STATS", arity: 2, [], [], .host(ServerHandlers.memoryMallocStats),
        summary: "Returns the allocator's own report.", since: "4.0.0",
        complexity: "O(N) for N allocations",
        tips: [
          "nondeterministic_output", "request_policy:all_shards", "response_policy:special",
        ])
      Command(
        "PURGE", arity: 2, [], [], .host(ServerHandlers.memoryPurge),
        summary: "Gives unused memory back to the system.", since: "4.0.0",
        complexity: "O(N) for N allocations",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"])
      Command(
        "STATS", arity: 2, [], [], .host(ServerHandlers.memoryStats),
        summary: "Returns the figures of memory use.", since: "4.0.0", complexity: "O(1)",
        tips: [
          "nondeterministic_output", "request_policy:all_shards", "response_policy:special",
        ])
      Command(
        "USAGE", arity: -3, .readOnly, [], .host(ServerHandlers.memoryUsage),
        keys: [.key(2, .readOnly)],
        summary: "Estimates the memory of a key and its value.", since: "4.0.0",
        complexity: "O(N) for N samples",
        arguments: [.key(), .integer("count", token: "SAMPLES", .optional)])
    }
    Command(
      "MODULE", arity: -2,
      summary: "Modules: there are none.", since: "4.0.0", complexity: "Depends on subcommand."
    ) {
      Command(
        "HELP", arity: 2, [.loading, .stale], [], .help,
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
      Command(
        "LIST", arity: 2, [.admin, .noScript], [], .host(ServerHandlers.moduleList),
        summary: "Lists the loaded modules.", since: "4.0.0",
        complexity: "O(N) for N modules", tips: ["nondeterministic_output_order"])
    }
    Command(
      "ROLE", arity: 1, [.noScript, .loading, .stale, .fast, .sentinel], [.admin, .dangerous],
      .host(ServerHandlers.role),
      summary: "Returns the server's part in replication.", since: "2.8.12", complexity: "O(1)")
    Command(
      "SHUTDOWN", arity: -1,
      [.admin, .noScript, .loading, .stale, .noMulti, .sentinel, .allowBusy], [],
      .host(ServerHandlers.shutdown),
      summary: "Saves the data if so configured and ends the server.", since: "1.0.0",
      complexity: "O(N) for N keys when it saves, else O(1)",
      history: ["7.0.0": "`NOW`, `FORCE`, `ABORT`."],
      arguments: [
        .oneOf("save-selector", .optional, of: [.token("NOSAVE"), .token("SAVE")]),
        .token("NOW", .optional, since: "7.0.0"), .token("FORCE", .optional, since: "7.0.0"),
        .token("ABORT", .optional, since: "7.0.0"),
      ])
    Command(
      "SLOWLOG", arity: -2,
      summary: "The slow log: commands that took long.", since: "2.2.12",
      complexity: "Depends on subcommand."
    ) {
      Command(
        "GET", arity: -2, [.admin, .loading, .stale], [], .host(ServerHandlers.slowlogGet),
        summary: "Returns the newest entries.", since: "2.2.12", complexity: "O(N) for N entries",
        tips: ["request_policy:all_nodes", "nondeterministic_output"],
        history: ["4.0.0": "Each with the client's address and name."],
        arguments: [.integer("count", .optional)])
      Command(
        "HELP", arity: 2, [.loading, .stale], [], .help,
        summary: "Lists the subcommands.", since: "6.2.0", complexity: "O(1)")
      Command(
        "LEN", arity: 2, [.admin, .loading, .stale], [], .host(ServerHandlers.slowlogLen),
        summary: "Counts the entries.", since: "2.2.12", complexity: "O(1)",
        tips: [
          "request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output",
        ])
      Command(
        "RESET", arity: 2, [.admin, .loading, .stale], [], .host(ServerHandlers.slowlogReset),
        summary: "Deletes the entries.", since: "2.2.12", complexity: "O(N) for N entries",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"])
    }
    Command(
      "SWAPDB", arity: 3, [.write, .fast], [.keyspace, .dangerous], .host(ServerHandlers.swapdb),
      summary: "Exchanges two databases.", since: "4.0.0",
      complexity: "O(N) for N clients that watch or wait for their keys",
      arguments: [.integer("index1"), .integer("index2")])
    Command(
      "TIME", arity: 1, [.loading, .stale, .fast], [], .host(ServerHandlers.time),
      summary: "Returns the server's clock.", since: "2.6.0", complexity: "O(1)",
      tips: ["nondeterministic_output"])
  }
}
