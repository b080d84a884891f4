// Hashes: the rows of the commands on hashes. Handlers: HashHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on hashes.
  @_optimize(none) @CommandList<Host>
  public static var hashes: [Command] {
    CommandGroup.hash
    Command(
      "HDEL", arity: -3, [.write, .fast], .hash, .keyspace(HashHandlers.hdel),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Deletes fields of a hash, and the hash with the last one.", since: "2.0.0",
      complexity: "O(N) for N fields",
      history: ["2.4.0": "Takes several fields."],
      arguments: [.key(), .string("field", .multiple)])
    Command(
      "HEXISTS", arity: 3, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hexists),
      keys: [.key(1, .readOnly)],
      summary: "Tells whether a hash has a field.", since: "2.0.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field")])
    Command(
      "HEXPIRE", arity: -6, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hexpire),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets fields of a hash expire after some seconds.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .integer("seconds"),
        .oneOf(
          "condition", .optional, of: [.token("NX"), .token("XX"), .token("GT"), .token("LT")]),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HEXPIREAT", arity: -6, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hexpireat),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets fields of a hash expire at a Unix time in seconds.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .unixTime("unix-time-seconds"),
        .oneOf(
          "condition", .optional, of: [.token("NX"), .token("XX"), .token("GT"), .token("LT")]),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HEXPIRETIME", arity: -5, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hexpiretime),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the Unix times in seconds at which fields expire.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HGET", arity: 3, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hget),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the value of a hash's field.", since: "2.0.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field")])
    Command(
      "HGETALL", arity: 2, .readOnly, .hash, .long(HashHandlers.hgetall),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns all fields of a hash with their values.", since: "2.0.0",
      complexity: "O(N) for a hash of N fields",
      tips: ["nondeterministic_output_order"],
      arguments: [.key()])
    Command(
      "HGETDEL", arity: -5, [.write, .fast], .hash, .keyspace(HashHandlers.hgetdel),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Returns the values of a hash's fields and deletes them.", since: "8.0.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HGETEX", arity: -5, [.write, .fast], .hash, .keyspace(HashHandlers.hgetex),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Returns the values of a hash's fields and changes when they expire.",
      since: "8.0.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .oneOf(
          "expiration", .optional,
          of: [
            .integer("seconds", token: "EX"),
            .integer("milliseconds", token: "PX"),
            .unixTime("unix-time-seconds", token: "EXAT"),
            .unixTime("unix-time-milliseconds", token: "PXAT"),
            .token("PERSIST"),
          ]),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HINCRBY", arity: 4, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hincrby),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds to the integer in a hash's field; a missing field is 0.", since: "2.0.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field"), .integer("increment")])
    Command(
      "HINCRBYFLOAT", arity: 4, [.write, .denyOOM, .fast], .hash,
      .keyspace(HashHandlers.hincrbyfloat),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds to the floating-point number in a hash's field; a missing field is 0.",
      since: "2.6.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field"), .value(.double, "increment")])
    Command(
      "HKEYS", arity: 2, .readOnly, .hash, .long(HashHandlers.hkeys),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns all fields of a hash.", since: "2.0.0",
      complexity: "O(N) for a hash of N fields",
      tips: ["nondeterministic_output_order"],
      arguments: [.key()])
    Command(
      "HLEN", arity: 2, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hlen),
      keys: [.key(1, .readOnly)],
      summary: "Returns how many fields a hash has.", since: "2.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "HMGET", arity: -3, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hmget),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the values of several fields of a hash.", since: "2.0.0",
      complexity: "O(N) for N fields",
      arguments: [.key(), .string("field", .multiple)])
    Command(
      "HMSET", arity: -4, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hmset),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Sets several fields of a hash.", since: "2.0.0",
      complexity: "O(N) for N fields",
      deprecated: Deprecation(since: "4.0.0", replacedBy: "`HSET` with multiple field-value pairs"),
      arguments: [
        .key(), .block("field_value", .multiple, of: [.string("field"), .string("value")]),
      ])
    Command(
      "HPERSIST", arity: -5, [.write, .fast], .hash, .keyspace(HashHandlers.hpersist),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Takes the deadlines of a hash's fields away.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HPEXPIRE", arity: -6, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hpexpire),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets fields of a hash expire after some milliseconds.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .integer("milliseconds"),
        .oneOf(
          "condition", .optional, of: [.token("NX"), .token("XX"), .token("GT"), .token("LT")]),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HPEXPIREAT", arity: -6, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hpexpireat),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Lets fields of a hash expire at a Unix time in milliseconds.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .unixTime("unix-time-milliseconds"),
        .oneOf(
          "condition", .optional, of: [.token("NX"), .token("XX"), .token("GT"), .token("LT")]),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HPEXPIRETIME", arity: -5, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hpexpiretime),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the Unix times in milliseconds at which fields expire.", since: "7.4.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HPTTL", arity: -5, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hpttl),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the milliseconds that fields of a hash have left.", since: "7.4.0",
      complexity: "O(N) for N fields",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HRANDFIELD", arity: -2, .readOnly, .hash, .keyspace(HashHandlers.hrandfield),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns fields of a hash at random.", since: "6.2.0",
      complexity: "O(N) for N fields returned",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(),
        .block("options", .optional, of: [.integer("count"), .token("WITHVALUES", .optional)]),
      ])
    Command(
      "HSCAN", arity: -3, .readOnly, .hash, .keyspace(HashHandlers.hscan),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Walks through a hash's fields and values, step by step.", since: "2.8.0",
      complexity: "O(1) for a step, O(N) for a hash of N fields",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(), .integer("cursor"), .value(.pattern, "pattern", token: "MATCH", .optional),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "HSET", arity: -4, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hset),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Sets fields of a hash, creating it if need be.", since: "2.0.0",
      complexity: "O(N) for N fields",
      history: ["4.0.0": "Takes several pairs."],
      arguments: [
        .key(), .block("field_value", .multiple, of: [.string("field"), .string("value")]),
      ])
    Command(
      "HSETEX", arity: -6, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hsetex),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Sets fields of a hash and when they expire.", since: "8.0.0",
      complexity: "O(N) for N fields",
      arguments: [
        .key(),
        .oneOf("condition", .optional, of: [.token("FNX"), .token("FXX")]),
        .oneOf(
          "expiration", .optional,
          of: [
            .integer("seconds", token: "EX"),
            .integer("milliseconds", token: "PX"),
            .unixTime("unix-time-seconds", token: "EXAT"),
            .unixTime("unix-time-milliseconds", token: "PXAT"),
            .token("KEEPTTL"),
          ]),
        .block(
          "fields", token: "FIELDS",
          of: [
            .integer("numfields"),
            .block("data", .multiple, of: [.string("field"), .string("value")]),
          ]),
      ])
    Command(
      "HSETNX", arity: 4, [.write, .denyOOM, .fast], .hash, .keyspace(HashHandlers.hsetnx),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Sets a field of a hash, unless it exists.", since: "2.0.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field"), .string("value")])
    Command(
      "HSTRLEN", arity: 3, [.readOnly, .fast], .hash, .keyspace(HashHandlers.hstrlen),
      keys: [.key(1, .readOnly)],
      summary: "Returns the length of a field's value.", since: "3.2.0",
      complexity: "O(1)",
      arguments: [.key(), .string("field")])
    Command(
      "HTTL", arity: -5, [.readOnly, .fast], .hash, .keyspace(HashHandlers.httl),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the seconds that fields of a hash have left.", since: "7.4.0",
      complexity: "O(N) for N fields",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(),
        .block(
          "fields", token: "FIELDS",
          of: [.integer("numfields"), .string("field", .multiple)]),
      ])
    Command(
      "HVALS", arity: 2, .readOnly, .hash, .long(HashHandlers.hvals),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns all values of a hash.", since: "2.0.0",
      complexity: "O(N) for a hash of N fields",
      tips: ["nondeterministic_output_order"],
      arguments: [.key()])
  }
}
