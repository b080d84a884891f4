// ConnectionCommands: the rows of the commands on connections. Handlers: ConnectionHandlers.

import Commands

extension Command where Host == Server {
  /// Commands on connections.
  @_optimize(none) @CommandList<Host>
  public static var connection: [Command] {
    CommandGroup.connection
    Command(
      "AUTH", arity: -2, [.noScript, .loading, .stale, .fast, .noAuth, .sentinel, .allowBusy],
      .connection, .host(ConnectionHandlers.auth),
      summary: "Authenticates the connection.", since: "1.0.0",
      complexity: "O(N) for a user's N passwords",
      history: ["6.0.0": "Takes a user name before the password."],
      arguments: [.string("username", .optional, since: "6.0.0"), .string("password")])
    Command(
      "CLIENT", arity: -2, .sentinel,
      summary: "Connections: about this one and the others.", since: "2.4.0",
      complexity: "Depends on subcommand."
    ) {
      Command(
        "CACHING", arity: 3, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientCaching),
        summary: "Says whether the keys of the next command are tracked.", since: "6.0.0",
        complexity: "O(1)",
        arguments: [.oneOf("mode", of: [.token("YES"), .token("NO")])])
      Command(
        "GETNAME", arity: 2, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientGetname),
        summary: "Returns this connection's name.", since: "2.6.9", complexity: "O(1)")
      Command(
        "GETREDIR", arity: 2, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientGetredir),
        summary: "Returns the client that receives this connection's invalidations.",
        since: "6.0.0", complexity: "O(1)")
      Command(
        "HELP", arity: 2, [.loading, .stale, .sentinel], .connection, .help,
        summary: "Lists the subcommands.", since: "5.0.0", complexity: "O(1)")
      Command(
        "ID", arity: 2, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientId),
        summary: "Returns this connection's number.", since: "5.0.0", complexity: "O(1)")
      Command(
        "INFO", arity: 2, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientInfo),
        summary: "Describes this connection.", since: "6.2.0", complexity: "O(1)",
        tips: ["nondeterministic_output"])
      Command(
        "KILL", arity: -3, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientKill),
        summary: "Closes connections.", since: "2.4.0", complexity: "O(N) for N connections",
        history: [
          "2.8.12": "Takes filters.", "2.8.12": "Filters by `ID`.",
          "3.2.0": "`TYPE` knows `master`.",
          "5.0.0": "`TYPE` says `replica`; `slave` still works.",
          "6.2.0": "Filters by `LADDR`.",
        ],
        arguments: [
          .oneOf(
            "filter",
            of: [
              .string("old-format", deprecatedSince: "2.8.12", display: "ip:port"),
              .oneOf(
                "new-format", .multiple,
                of: [
                  .integer("client-id", token: "ID", .optional, since: "2.8.12"),
                  .oneOf(
                    "client-type", token: "TYPE", .optional, since: "2.8.12",
                    of: [
                      .token("NORMAL"), .token("MASTER", since: "3.2.0"), .token("SLAVE"),
                      .token("REPLICA", since: "5.0.0"), .token("PUBSUB"),
                    ]),
                  .string("username", token: "USER", .optional),
                  .string("addr", token: "ADDR", .optional, display: "ip:port"),
                  .string("laddr", token: "LADDR", .optional, since: "6.2.0", display: "ip:port"),
                  .oneOf("skipme", token: "SKIPME", .optional, of: [.token("YES"), .token("NO")]),
                ]),
            ])
        ])
      Command(
        "LIST", arity: -2, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientList),
        summary: "Describes the open connections, one a line.", since: "2.4.0",
        complexity: "O(N) for N connections",
        tips: ["nondeterministic_output"],
        history: [
          "2.8.12": "Field `id`.", "5.0.0": "Filters by `TYPE`.", "6.0.0": "Field `user`.",
          "6.2.0": "Fields `argv-mem`, `tot-mem`, `laddr`, `redir`; filters by `ID`.",
          "7.0.0": "Fields `resp`, `multi-mem`, `rbs`, `rbp`.", "7.0.3": "Field `ssub`.",
        ],
        arguments: [
          .oneOf(
            "client-type", token: "TYPE", .optional, since: "5.0.0",
            of: [
              .token("NORMAL"), .token("MASTER"), .token("REPLICA"), .token("PUBSUB"),
            ]),
          .integer("client-id", token: "ID", [.optional, .multiple], since: "6.2.0"),
        ])
      Command(
        "NO-EVICT", arity: 3, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientNoEvict),
        summary: "Exempts this connection from client eviction, or ends that.", since: "7.0.0",
        complexity: "O(1)",
        arguments: [.oneOf("enabled", of: [.token("ON"), .token("OFF")])])
      Command(
        "NO-TOUCH", arity: 3, [.noScript, .loading, .stale], .connection,
        .host(ConnectionHandlers.clientNoTouch),
        summary: "Says whether this connection's commands count as access to keys.",
        since: "7.2.0", complexity: "O(1)",
        arguments: [.oneOf("enabled", of: [.token("ON"), .token("OFF")])])
      Command(
        "PAUSE", arity: -3, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientPause),
        summary: "Holds back all clients' commands for a while.", since: "3.0.0",
        complexity: "O(1)",
        history: ["6.2.0": "The mode, with `WRITE`."],
        arguments: [
          .integer("timeout"),
          .oneOf("mode", .optional, since: "6.2.0", of: [.token("WRITE"), .token("ALL")]),
        ])
      Command(
        "REPLY", arity: 3, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientReply),
        summary: "Says which of this connection's commands are answered.", since: "3.2.0",
        complexity: "O(1)",
        arguments: [.oneOf("action", of: [.token("ON"), .token("OFF"), .token("SKIP")])])
      Command(
        "SETINFO", arity: 4, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientSetinfo),
        summary: "Tells the server which client library is calling.", since: "7.2.0",
        complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        arguments: [
          .oneOf(
            "attr",
            of: [
              .string("libname", token: "LIB-NAME"), .string("libver", token: "LIB-VER"),
            ])
        ])
      Command(
        "SETNAME", arity: 3, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientSetname),
        summary: "Names this connection.", since: "2.6.9", complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        arguments: [.string("connection-name")])
      Command(
        "TRACKING", arity: -3, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientTracking),
        summary: "Switches invalidation messages for client-side caching on or off.",
        since: "6.0.0", complexity: "O(1), more with some options",
        arguments: [
          .oneOf("status", of: [.token("ON"), .token("OFF")]),
          .integer("client-id", token: "REDIRECT", .optional),
          .string("prefix", token: "PREFIX", [.optional, .multiple, .multipleToken]),
          .token("BCAST", .optional), .token("OPTIN", .optional), .token("OPTOUT", .optional),
          .token("NOLOOP", .optional),
        ])
      Command(
        "TRACKINGINFO", arity: 2, [.noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientTrackinginfo),
        summary: "Describes this connection's invalidation tracking.", since: "6.2.0",
        complexity: "O(1)")
      Command(
        "UNBLOCK", arity: -3, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientUnblock),
        summary: "Ends another client's wait in a blocking command.", since: "5.0.0",
        complexity: "O(log N) for N connections",
        arguments: [
          .integer("client-id"),
          .oneOf("unblock-type", .optional, of: [.token("TIMEOUT"), .token("ERROR")]),
        ])
      Command(
        "UNPAUSE", arity: 2, [.admin, .noScript, .loading, .stale, .sentinel], .connection,
        .host(ConnectionHandlers.clientUnpause),
        summary: "Ends CLIENT PAUSE.", since: "6.2.0", complexity: "O(N) for N paused clients")
    }
    Command(
      "ECHO", arity: 2, [.loading, .stale, .fast], .connection, .host(ConnectionHandlers.echo),
      summary: "Returns its argument.", since: "1.0.0", complexity: "O(1)",
      arguments: [.string("message")])
    Command(
      "HELLO", arity: -1, [.noScript, .loading, .stale, .fast, .noAuth, .sentinel, .allowBusy],
      .connection, .host(ConnectionHandlers.hello),
      summary: "Agrees on the protocol, authenticates and names the connection.", since: "6.0.0",
      complexity: "O(1)",
      history: ["6.2.0": "Without a version it only reports."],
      arguments: [
        .block(
          "arguments", .optional,
          of: [
            .integer("protover"),
            .block(
              "auth", token: "AUTH", .optional,
              of: [
                .string("username"), .string("password"),
              ]),
            .string("clientname", token: "SETNAME", .optional),
          ])
      ])
    Command(
      "PING", arity: -1, [.fast, .sentinel], .connection, .host(ConnectionHandlers.ping),
      summary: "Answers, to show that the server is alive.", since: "1.0.0", complexity: "O(1)",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      arguments: [.string("message", .optional)])
    Command(
      "QUIT", arity: -1,
      [.allowBusy, .noScript, .loading, .stale, .fast, .noAuth, .unqueued], .connection,
      .host(ConnectionHandlers.quit),
      summary: "Closes the connection.", since: "1.0.0", complexity: "O(1)",
      deprecated: Deprecation(since: "7.2.0", replacedBy: "just closing the connection"))
    Command(
      "RESET", arity: 1,
      [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy, .unqueued], .connection,
      .host(ConnectionHandlers.reset),
      summary: "Returns the connection to its initial state.", since: "6.2.0", complexity: "O(1)")
    Command(
      "SELECT", arity: 2, [.loading, .stale, .fast], .connection, .host(ConnectionHandlers.select),
      summary: "Switches the connection to another database.", since: "1.0.0", complexity: "O(1)",
      arguments: [.integer("index")])
  }
}
