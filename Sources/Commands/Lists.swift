// Lists: the rows of the list commands. Handlers: ListHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on lists.
  @_optimize(none) @CommandList<Host>
  public static var lists: [Command] {
    CommandGroup.list
    Command(
      "BLMOVE", arity: 6, [.write, .denyOOM, .noScript, .blocking], .list,
      .blocking(ListHandlers.blmove),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])],
      summary:
        "Moves an element from one list to another and returns it; waits while there is none.",
      since: "6.2.0", complexity: "O(1)",
      arguments: [
        .key("source"), .key("destination", spec: 1),
        .oneOf("wherefrom", of: [.token("LEFT"), .token("RIGHT")]),
        .oneOf("whereto", of: [.token("LEFT"), .token("RIGHT")]), .value(.double, "timeout"),
      ])
    Command(
      "BLMPOP", arity: -5, [.write, .blocking], .list, .blocking(ListHandlers.blmpop),
      keys: [
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readWrite, .access, .delete])
      ],
      summary:
        "Takes elements from the first list of several that is not empty; waits while all are.",
      since: "7.0.0", complexity: "O(N + M) for N keys and M elements returned",
      arguments: [
        .value(.double, "timeout"), .integer("numkeys"), .key("key", .multiple),
        .oneOf("where", of: [.token("LEFT"), .token("RIGHT")]),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "BLPOP", arity: -3, [.write, .noScript, .blocking], .list, .blocking(ListHandlers.blpop),
      keys: [
        KeySpec(.index(1), .range(lastKey: -2, step: 1, limit: 0), [.readWrite, .access, .delete])
      ], summary: "Takes the first element of one of several lists; waits while all are empty.",
      since: "2.0.0", complexity: "O(N) for N keys",
      history: ["6.0.0": "The timeout may have a fraction."],
      arguments: [.key("key", .multiple), .value(.double, "timeout")])
    Command(
      "BRPOP", arity: -3, [.write, .noScript, .blocking], .list, .blocking(ListHandlers.brpop),
      keys: [
        KeySpec(.index(1), .range(lastKey: -2, step: 1, limit: 0), [.readWrite, .access, .delete])
      ], summary: "Takes the last element of one of several lists; waits while all are empty.",
      since: "2.0.0", complexity: "O(N) for N keys",
      history: ["6.0.0": "The timeout may have a fraction."],
      arguments: [.key("key", .multiple), .value(.double, "timeout")])
    Command(
      "BRPOPLPUSH", arity: 4, [.write, .denyOOM, .noScript, .blocking], .list,
      .blocking(ListHandlers.brpoplpush),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])],
      summary:
        "Moves a list's last element to another's front and returns it; waits while there is none.",
      since: "2.2.0", complexity: "O(1)",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
      history: ["6.0.0": "The timeout may have a fraction."],
      arguments: [.key("source"), .key("destination", spec: 1), .value(.double, "timeout")])
    Command(
      "LINDEX", arity: 3, .readOnly, .list, .keyspace(ListHandlers.lindex),
      keys: [.key(1, [.readOnly, .access])], summary: "Returns a list's element by its index.",
      since: "1.0.0", complexity: "O(log N)", arguments: [.key(), .integer("index")])
    Command(
      "LINSERT", arity: 5, [.write, .denyOOM], .list, .keyspace(ListHandlers.linsert),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Inserts an element before or after another one of a list.", since: "2.2.0",
      complexity: "O(N) for N elements passed over",
      arguments: [
        .key(), .oneOf("where", of: [.token("BEFORE"), .token("AFTER")]), .string("pivot"),
        .string("element"),
      ])
    Command(
      "LLEN", arity: 2, [.readOnly, .fast], .list, .keyspace(ListHandlers.llen),
      keys: [.key(1, .readOnly)], summary: "Returns the length of a list.", since: "1.0.0",
      complexity: "O(1)", arguments: [.key()])
    Command(
      "LMOVE", arity: 5, [.write, .denyOOM], .list, .keyspace(ListHandlers.lmove),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])],
      summary:
        "Takes an element from one end of a list, adds it at an end of another, and returns it.",
      since: "6.2.0", complexity: "O(1)",
      arguments: [
        .key("source"), .key("destination", spec: 1),
        .oneOf("wherefrom", of: [.token("LEFT"), .token("RIGHT")]),
        .oneOf("whereto", of: [.token("LEFT"), .token("RIGHT")]),
      ])
    Command(
      "LMPOP", arity: -4, .write, .list, .keyspace(ListHandlers.lmpop),
      keys: [
        KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readWrite, .access, .delete])
      ], summary: "Takes elements from the first list of several that is not empty.",
      since: "7.0.0", complexity: "O(N + M) for N keys and M elements returned",
      arguments: [
        .integer("numkeys"), .key("key", .multiple),
        .oneOf("where", of: [.token("LEFT"), .token("RIGHT")]),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "LPOP", arity: -2, [.write, .fast], .list, .keyspace(ListHandlers.lpop),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Takes elements from a list's head; an empty list is deleted.", since: "1.0.0",
      complexity: "O(N) for N elements returned", history: ["6.2.0": "The `count` argument."],
      arguments: [.key(), .integer("count", .optional, since: "6.2.0")])
    Command(
      "LPOS", arity: -3, .readOnly, .list, .keyspace(ListHandlers.lpos),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Finds the positions of elements equal to a value in a list.", since: "6.0.6",
      complexity: "O(N) for N elements compared",
      arguments: [
        .key(), .string("element"), .integer("rank", token: "RANK", .optional),
        .integer("num-matches", token: "COUNT", .optional),
        .integer("len", token: "MAXLEN", .optional),
      ])
    Command(
      "LPUSH", arity: -3, [.write, .denyOOM, .fast], .list, .keyspace(ListHandlers.lpush),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds elements at a list's head, creating the list if need be.", since: "1.0.0",
      complexity: "O(N) for N elements", history: ["2.4.0": "Takes several elements."],
      arguments: [.key(), .string("element", .multiple)])
    Command(
      "LPUSHX", arity: -3, [.write, .denyOOM, .fast], .list, .keyspace(ListHandlers.lpushx),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds elements at the head of a list that exists.", since: "2.2.0",
      complexity: "O(N) for N elements", history: ["4.0.0": "Takes several elements."],
      arguments: [.key(), .string("element", .multiple)])
    Command(
      "LRANGE", arity: 4, .readOnly, .list, .long(ListHandlers.lrange),
      keys: [.key(1, [.readOnly, .access])], summary: "Returns a range of a list's elements.",
      since: "1.0.0", complexity: "O(log N + M) for M elements returned",
      arguments: [.key(), .integer("start"), .integer("stop")])
    Command(
      "LREM", arity: 4, .write, .list, .keyspace(ListHandlers.lrem),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes elements equal to a value from a list.", since: "1.0.0", complexity: "O(N)",
      arguments: [.key(), .integer("count"), .string("element")])
    Command(
      "LSET", arity: 4, [.write, .denyOOM], .list, .keyspace(ListHandlers.lset),
      keys: [.key(1, [.readWrite, .update])], summary: "Replaces a list's element by its index.",
      since: "1.0.0", complexity: "O(log N)",
      arguments: [.key(), .integer("index"), .string("element")])
    Command(
      "LTRIM", arity: 4, .write, .list, .keyspace(ListHandlers.ltrim),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes everything but a range from a list.", since: "1.0.0",
      complexity: "O(N) for N elements removed",
      arguments: [.key(), .integer("start"), .integer("stop")])
    Command(
      "RPOP", arity: -2, [.write, .fast], .list, .keyspace(ListHandlers.rpop),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Takes elements from a list's tail; an empty list is deleted.", since: "1.0.0",
      complexity: "O(N) for N elements returned", history: ["6.2.0": "The `count` argument."],
      arguments: [.key(), .integer("count", .optional, since: "6.2.0")])
    Command(
      "RPOPLPUSH", arity: 3, [.write, .denyOOM], .list, .keyspace(ListHandlers.rpoplpush),
      keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])],
      summary: "Takes a list's last element, makes it the first of another, and returns it.",
      since: "1.2.0", complexity: "O(1)",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
      arguments: [.key("source"), .key("destination", spec: 1)])
    Command(
      "RPUSH", arity: -3, [.write, .denyOOM, .fast], .list, .keyspace(ListHandlers.rpush),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds elements at a list's tail, creating the list if need be.", since: "1.0.0",
      complexity: "O(N) for N elements", history: ["2.4.0": "Takes several elements."],
      arguments: [.key(), .string("element", .multiple)])
    Command(
      "RPUSHX", arity: -3, [.write, .denyOOM, .fast], .list, .keyspace(ListHandlers.rpushx),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds elements at the tail of a list that exists.", since: "2.2.0",
      complexity: "O(N) for N elements", history: ["4.0.0": "Takes several elements."],
      arguments: [.key(), .string("element", .multiple)])
  }
}
