// Strings: the rows of the string commands. Handlers: StringHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on strings.
  @_optimize(none) @CommandList<Host>
  public static var strings: [Command] {
    CommandGroup.string
    Command(
      "APPEND", arity: 3, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.append),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Appends to a key's string, creating it if need be.", since: "2.0.0",
      complexity: "O(1) amortized, as growth is geometric",
      arguments: [.key(), .string("value")])
    Command(
      "DECR", arity: 2, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.decr),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Subtracts one from a key's integer; a missing key is 0.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "DECRBY", arity: 3, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.decrby),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Subtracts from a key's integer; a missing key is 0.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key(), .integer("decrement")])
    Command(
      "GET", arity: 2, [.readOnly, .fast], .string, .keyspace(StringHandlers.get),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a key's string.", since: "1.0.0", complexity: "O(1)",
      arguments: [.key()])
    Command(
      "GETDEL", arity: 2, [.write, .fast], .string, .keyspace(StringHandlers.getdel),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Returns a key's string and deletes the key.", since: "6.2.0", complexity: "O(1)",
      arguments: [.key()])
    Command(
      "GETEX", arity: -2, [.write, .fast], .string, .keyspace(StringHandlers.getex),
      keys: [
        .key(1, [.readWrite, .access, .update], notes: "Writes when the expiry changes")
      ],
      summary: "Returns a key's string and changes when it expires.", since: "6.2.0",
      complexity: "O(1)",
      arguments: [
        .key(),
        .oneOf(
          "expiration", .optional,
          of: [
            .integer("seconds", token: "EX"), .integer("milliseconds", token: "PX"),
            .unixTime("unix-time-seconds", token: "EXAT"),
            .unixTime("unix-time-milliseconds", token: "PXAT"), .token("PERSIST"),
          ]),
      ])
    Command(
      "GETRANGE", arity: 4, .readOnly, .string, .keyspace(StringHandlers.getrange),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a part of a key's string.", since: "2.4.0",
      complexity: "O(N) for N bytes returned",
      arguments: [.key(), .integer("start"), .integer("end")])
    Command(
      "GETSET", arity: 3, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.getset),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Sets a key's string and returns the one before.", since: "1.0.0",
      complexity: "O(1)",
      deprecated: Deprecation(since: "6.2.0", replacedBy: "`SET` with the `!GET` argument"),
      arguments: [.key(), .string("value")])
    Command(
      "INCR", arity: 2, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.incr),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds one to a key's integer; a missing key is 0.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "INCRBY", arity: 3, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.incrby),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds to a key's integer; a missing key is 0.", since: "1.0.0", complexity: "O(1)",
      arguments: [.key(), .integer("increment")])
    Command(
      "INCRBYFLOAT", arity: 3, [.write, .denyOOM, .fast], .string,
      .keyspace(StringHandlers.incrbyfloat),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds to a key's floating-point number; a missing key is 0.", since: "2.6.0",
      complexity: "O(1)",
      arguments: [.key(), .value(.double, "increment")])
    Command(
      "LCS", arity: -3, .readOnly, .string, .keyspace(StringHandlers.lcs),
      keys: [.keys(from: 1, count: 2, [.readOnly, .access])],
      summary: "Finds the longest common subsequence of two strings.", since: "7.0.0",
      complexity: "O(N*M) for lengths N and M",
      arguments: [
        .key("key1"), .key("key2"), .token("LEN", .optional), .token("IDX", .optional),
        .integer("min-match-len", token: "MINMATCHLEN", .optional),
        .token("WITHMATCHLEN", .optional),
      ])
    Command(
      "MGET", arity: -2, [.readOnly, .fast], .string, .keyspace(StringHandlers.mget),
      keys: [.keys(from: 1, [.readOnly, .access])],
      summary: "Returns the strings of several keys.", since: "1.0.0",
      complexity: "O(N) for N keys",
      tips: ["request_policy:multi_shard"],
      arguments: [.key("key", .multiple)])
    Command(
      "MSET", arity: -3, [.write, .denyOOM], .string, .keyspace(StringHandlers.mset),
      keys: [.keys(from: 1, step: 2, [.overwrite, .update])],
      summary: "Sets several keys at once.", since: "1.0.1", complexity: "O(N) for N keys",
      tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
      arguments: [.block("data", .multiple, of: [.key(), .string("value")])])
    Command(
      "MSETNX", arity: -3, [.write, .denyOOM], .string, .keyspace(StringHandlers.msetnx),
      keys: [.keys(from: 1, step: 2, [.overwrite, .insert])],
      summary: "Sets several keys at once, unless one of them exists.", since: "1.0.1",
      complexity: "O(N) for N keys",
      arguments: [.block("data", .multiple, of: [.key(), .string("value")])])
    Command(
      "PSETEX", arity: 4, [.write, .denyOOM], .string, .keyspace(StringHandlers.psetex),
      keys: [.key(1, [.overwrite, .update])],
      summary: "Sets a key's string, to expire after some milliseconds.", since: "2.6.0",
      complexity: "O(1)",
      deprecated: Deprecation(since: "2.6.12", replacedBy: "`SET` with the `PX` argument"),
      arguments: [.key(), .integer("milliseconds"), .string("value")])
    Command(
      "SET", arity: -3, [.write, .denyOOM], .string, .keyspace(StringHandlers.set),
      keys: [
        .key(
          1, [.readWrite, .access, .update, .variableFlags], notes: "Reads the old value with `GET`"
        )
      ],
      keyFunction: setKeys,
      summary: "Sets a key to a string, whatever it held before.", since: "1.0.0",
      complexity: "O(1)",
      history: [
        "2.6.12": "`EX`, `PX`, `NX`, `XX`.", "6.0.0": "`KEEPTTL`.",
        "6.2.0": "`GET`, `EXAT`, `PXAT`.", "7.0.0": "`NX` and `GET` go together.",
      ],
      arguments: [
        .key(), .string("value"),
        .oneOf("condition", .optional, since: "2.6.12", of: [.token("NX"), .token("XX")]),
        .token("GET", .optional, since: "6.2.0"),
        .oneOf(
          "expiration", .optional,
          of: [
            .integer("seconds", token: "EX", since: "2.6.12"),
            .integer("milliseconds", token: "PX", since: "2.6.12"),
            .unixTime("unix-time-seconds", token: "EXAT", since: "6.2.0"),
            .unixTime("unix-time-milliseconds", token: "PXAT", since: "6.2.0"),
            .token("KEEPTTL", since: "6.0.0"),
          ]),
      ])
    Command(
      "SETEX", arity: 4, [.write, .denyOOM], .string, .keyspace(StringHandlers.setex),
      keys: [.key(1, [.overwrite, .update])],
      summary: "Sets a key's string, to expire after some seconds.", since: "2.0.0",
      complexity: "O(1)",
      deprecated: Deprecation(since: "2.6.12", replacedBy: "`SET` with the `EX` argument"),
      arguments: [.key(), .integer("seconds"), .string("value")])
    Command(
      "SETNX", arity: 3, [.write, .denyOOM, .fast], .string, .keyspace(StringHandlers.setnx),
      keys: [.key(1, [.overwrite, .insert])],
      summary: "Sets a key's string, unless the key exists.", since: "1.0.0", complexity: "O(1)",
      deprecated: Deprecation(since: "2.6.12", replacedBy: "`SET` with the `NX` argument"),
      arguments: [.key(), .string("value")])
    Command(
      "SETRANGE", arity: 4, [.write, .denyOOM], .string, .keyspace(StringHandlers.setrange),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Overwrites a part of a string, creating or growing it if need be.", since: "2.2.0",
      complexity: "O(M) for M bytes written, O(1) for few",
      arguments: [.key(), .integer("offset"), .string("value")])
    Command(
      "STRLEN", arity: 2, [.readOnly, .fast], .string, .keyspace(StringHandlers.strlen),
      keys: [.key(1, .readOnly)],
      summary: "Returns the length of a key's string.", since: "2.2.0", complexity: "O(1)",
      arguments: [.key()])
    Command(
      "SUBSTR", arity: 4, .readOnly, .string, .keyspace(StringHandlers.substr),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a part of a key's string.", since: "1.0.0",
      complexity: "O(N) for N bytes returned",
      deprecated: Deprecation(since: "2.0.0", replacedBy: "`GETRANGE`"),
      arguments: [.key(), .integer("start"), .integer("end")])
  }
}

/// SET reads the old value only with GET.
private func setKeys(
  _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
) -> Bool {
  var flags: KeyFlags = [.overwrite, .update]
  var index = offset + 3
  while index < arguments.count {
    if arguments.equals(index, "GET") { flags = [.readWrite, .access, .update] }
    index += 1
  }
  keys.append(KeyReference(position: 1, flags: flags))
  return true
}
