// Sets: the rows of the commands on sets. Handlers: SetHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on sets.
  @_optimize(none) @CommandList<Host>
  public static var sets: [Command] {
    CommandGroup.set
    Command(
      "SADD", arity: -3, [.write, .denyOOM, .fast], .set, .keyspace(SetHandlers.sadd),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds members to a set, creating it if need be.", since: "1.0.0",
      complexity: "O(N) for N members",
      history: ["2.4.0": "Takes several members."],
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "SCARD", arity: 2, [.readOnly, .fast], .set, .keyspace(SetHandlers.scard),
      keys: [.key(1, .readOnly)],
      summary: "Returns how many members a set has.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "SDIFF", arity: -2, .readOnly, .set, .keyspace(SetHandlers.sdiff),
      keys: [.keys(from: 1, [.readOnly, .access])],
      summary: "Returns the members of the first set that are in none of the others.",
      since: "1.0.0",
      complexity: "O(N) for N members in all sets",
      tips: ["nondeterministic_output_order"],
      arguments: [.key("key", .multiple)])
    Command(
      "SDIFFSTORE", arity: -3, [.write, .denyOOM], .set, .keyspace(SetHandlers.sdiffstore),
      keys: [.key(1, [.overwrite, .update]), .keys(from: 2, [.readOnly, .access])],
      summary: "Stores the members of the first set that are in none of the others.",
      since: "1.0.0",
      complexity: "O(N) for N members in all sets",
      arguments: [.key("destination"), .key("key", spec: 1, .multiple)])
    Command(
      "SINTER", arity: -2, .readOnly, .set, .keyspace(SetHandlers.sinter),
      keys: [.keys(from: 1, [.readOnly, .access])],
      summary: "Returns the members that all sets have.", since: "1.0.0",
      complexity: "O(N*M) for the smallest of M sets having N members",
      tips: ["nondeterministic_output_order"],
      arguments: [.key("key", .multiple)])
    Command(
      "SINTERCARD", arity: -3, .readOnly, .set, .keyspace(SetHandlers.sintercard),
      keys: [KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access])],
      summary: "Counts the members that all sets have.", since: "7.0.0",
      complexity: "O(N*M) for the smallest of M sets having N members",
      arguments: [
        .integer("numkeys"), .key("key", .multiple), .integer("limit", token: "LIMIT", .optional),
      ])
    Command(
      "SINTERSTORE", arity: -3, [.write, .denyOOM], .set, .keyspace(SetHandlers.sinterstore),
      keys: [.key(1, [.readWrite, .update]), .keys(from: 2, [.readOnly, .access])],
      summary: "Stores the members that all sets have.", since: "1.0.0",
      complexity: "O(N*M) for the smallest of M sets having N members",
      arguments: [.key("destination"), .key("key", spec: 1, .multiple)])
    Command(
      "SISMEMBER", arity: 3, [.readOnly, .fast], .set, .keyspace(SetHandlers.sismember),
      keys: [.key(1, .readOnly)],
      summary: "Tells whether a set has a member.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key(), .string("member")])
    Command(
      "SMEMBERS", arity: 2, .readOnly, .set, .long(SetHandlers.smembers),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns all members of a set.", since: "1.0.0",
      complexity: "O(N) for a set of N members",
      tips: ["nondeterministic_output_order"],
      arguments: [.key()])
    Command(
      "SMISMEMBER", arity: -3, [.readOnly, .fast], .set, .keyspace(SetHandlers.smismember),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Tells which of several members a set has.", since: "6.2.0",
      complexity: "O(N) for N members",
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "SMOVE", arity: 4, [.write, .fast], .set, .keyspace(SetHandlers.smove),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])],
      summary: "Moves a member from one set to another.", since: "1.0.0",
      complexity: "O(1)",
      arguments: [.key("source"), .key("destination", spec: 1), .string("member")])
    Command(
      "SPOP", arity: -2, [.write, .fast], .set, .keyspace(SetHandlers.spop),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Removes members at random from a set and returns them.", since: "1.0.0",
      complexity: "O(N) for N members returned",
      tips: ["nondeterministic_output"],
      history: ["3.2.0": "`count`."],
      arguments: [.key(), .integer("count", .optional, since: "3.2.0")])
    Command(
      "SRANDMEMBER", arity: -2, .readOnly, .set, .keyspace(SetHandlers.srandmember),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns members of a set at random.", since: "1.0.0",
      complexity: "O(N) for N members returned",
      tips: ["nondeterministic_output"],
      history: ["2.6.0": "`count`."],
      arguments: [.key(), .integer("count", .optional, since: "2.6.0")])
    Command(
      "SREM", arity: -3, [.write, .fast], .set, .keyspace(SetHandlers.srem),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes members of a set, and the set with the last one.", since: "1.0.0",
      complexity: "O(N) for N members",
      history: ["2.4.0": "Takes several members."],
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "SSCAN", arity: -3, .readOnly, .set, .keyspace(SetHandlers.sscan),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Walks through a set's members, step by step.", since: "2.8.0",
      complexity: "O(1) for a step, O(N) for a set of N members",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(), .integer("cursor"), .value(.pattern, "pattern", token: "MATCH", .optional),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "SUNION", arity: -2, .readOnly, .set, .keyspace(SetHandlers.sunion),
      keys: [.keys(from: 1, [.readOnly, .access])],
      summary: "Returns the members that any of the sets has.", since: "1.0.0",
      complexity: "O(N) for N members in all sets",
      tips: ["nondeterministic_output_order"],
      arguments: [.key("key", .multiple)])
    Command(
      "SUNIONSTORE", arity: -3, [.write, .denyOOM], .set, .keyspace(SetHandlers.sunionstore),
      keys: [.key(1, [.overwrite, .update]), .keys(from: 2, [.readOnly, .access])],
      summary: "Stores the members that any of the sets has.", since: "1.0.0",
      complexity: "O(N) for N members in all sets",
      arguments: [.key("destination"), .key("key", spec: 1, .multiple)])
  }
}
