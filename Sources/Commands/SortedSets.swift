// SortedSets: the rows of the commands on sorted sets. Handlers: SortedSetHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on sorted sets.
  @_optimize(none) @CommandList<Host>
  public static var sortedSets: [Command] {
    CommandGroup.sortedSet
    Command(
      "BZMPOP", arity: -5, [.write, .blocking], .sortedSet, .blocking(SortedSetHandlers.bzmpop),
      keys: [
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readWrite, .access, .delete])
      ],
      summary:
        "Pops the lowest or highest members of the first set that has any, waiting for one.",
      since: "7.0.0",
      complexity: "O(K)+O(M*log(N)) for K keys, M members popped of N",
      arguments: [
        .value(.double, "timeout"), .integer("numkeys"), .key("key", .multiple),
        .oneOf("where", of: [.token("MIN"), .token("MAX")]),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "BZPOPMAX", arity: -3, [.write, .noScript, .blocking, .fast], .sortedSet,
      .blocking(SortedSetHandlers.bzpopmax),
      keys: [
        KeySpec(.index(1), .range(lastKey: -2, step: 1, limit: 0), [.readWrite, .access, .delete])
      ],
      summary:
        "Pops the member with the highest score of the first set that has any, waiting for one.",
      since: "5.0.0",
      complexity: "O(log(N)) for N members",
      history: ["6.0.0": "Timeouts have fractions."],
      arguments: [.key("key", .multiple), .value(.double, "timeout")])
    Command(
      "BZPOPMIN", arity: -3, [.write, .noScript, .blocking, .fast], .sortedSet,
      .blocking(SortedSetHandlers.bzpopmin),
      keys: [
        KeySpec(.index(1), .range(lastKey: -2, step: 1, limit: 0), [.readWrite, .access, .delete])
      ],
      summary:
        "Pops the member with the lowest score of the first set that has any, waiting for one.",
      since: "5.0.0",
      complexity: "O(log(N)) for N members",
      history: ["6.0.0": "Timeouts have fractions."],
      arguments: [.key("key", .multiple), .value(.double, "timeout")])
    Command(
      "ZADD", arity: -4, [.write, .denyOOM, .fast], .sortedSet, .keyspace(SortedSetHandlers.zadd),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Adds members to a sorted set or changes their scores, creating it if need be.",
      since: "1.2.0",
      complexity: "O(log(N)) for each member, N being in the set",
      history: [
        "2.4.0": "Takes several members.", "3.0.2": "`XX`, `NX`, `CH`, `INCR`.",
        "6.2.0": "`GT`, `LT`.",
      ],
      arguments: [
        .key(), .oneOf("condition", .optional, since: "3.0.2", of: [.token("NX"), .token("XX")]),
        .oneOf("comparison", .optional, since: "6.2.0", of: [.token("GT"), .token("LT")]),
        .token("CH", .optional, name: "change", since: "3.0.2"),
        .token("INCR", .optional, name: "increment", since: "3.0.2"),
        .block("score_member", .multiple, of: [.value(.double, "score"), .string("member")]),
      ])
    Command(
      "ZCARD", arity: 2, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zcard),
      keys: [.key(1, .readOnly)],
      summary: "Returns how many members a sorted set has.", since: "1.2.0",
      complexity: "O(1)",
      arguments: [.key()])
    Command(
      "ZCOUNT", arity: 4, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zcount),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Counts the members whose scores are in a range.", since: "2.0.0",
      complexity: "O(log(N)) for N members",
      arguments: [.key(), .value(.double, "min"), .value(.double, "max")])
    Command(
      "ZDIFF", arity: -3, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zdiff),
      keys: [KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access])],
      summary: "Returns the members of the first sorted set that are in none of the others.",
      since: "6.2.0",
      complexity: "O(L+K*log(K)) for L members in all sets, K in the result",
      arguments: [.integer("numkeys"), .key("key", .multiple), .token("WITHSCORES", .optional)])
    Command(
      "ZDIFFSTORE", arity: -4, [.write, .denyOOM], .sortedSet,
      .keyspace(SortedSetHandlers.zdiffstore),
      keys: [
        .key(1, [.overwrite, .update]),
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access]),
      ],
      summary: "Stores the members of the first sorted set that are in none of the others.",
      since: "6.2.0",
      complexity: "O(L+K*log(K)) for L members in all sets, K in the result",
      arguments: [.key("destination"), .integer("numkeys"), .key("key", spec: 1, .multiple)])
    Command(
      "ZINCRBY", arity: 4, [.write, .denyOOM, .fast], .sortedSet,
      .keyspace(SortedSetHandlers.zincrby),
      keys: [.key(1, [.readWrite, .access, .update])],
      summary: "Adds to a member's score; a missing member has 0.", since: "1.2.0",
      complexity: "O(log(N)) for N members",
      arguments: [.key(), .integer("increment"), .string("member")])
    Command(
      "ZINTER", arity: -3, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zinter),
      keys: [KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access])],
      summary: "Returns the members that all sorted sets have, with their scores put together.",
      since: "6.2.0",
      complexity: "O(N*K)+O(M*log(M)) for N members in the smallest of K sets, M in the result",
      arguments: [
        .integer("numkeys"), .key("key", .multiple), .weights, .aggregate,
        .token("WITHSCORES", .optional),
      ])
    Command(
      "ZINTERCARD", arity: -3, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zintercard),
      keys: [KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access])],
      summary: "Counts the members that all sorted sets have.", since: "7.0.0",
      complexity: "O(N*K) for N members in the smallest of K sets",
      arguments: [
        .integer("numkeys"), .key("key", .multiple), .integer("limit", token: "LIMIT", .optional),
      ])
    Command(
      "ZINTERSTORE", arity: -4, [.write, .denyOOM], .sortedSet,
      .keyspace(SortedSetHandlers.zinterstore),
      keys: [
        .key(1, [.overwrite, .update]),
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access]),
      ],
      summary: "Stores the members that all sorted sets have, with their scores put together.",
      since: "2.0.0",
      complexity: "O(N*K)+O(M*log(M)) for N members in the smallest of K sets, M in the result",
      arguments: [
        .key("destination"), .integer("numkeys"), .key("key", spec: 1, .multiple),
        .weights, .aggregate,
      ])
    Command(
      "ZLEXCOUNT", arity: 4, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zlexcount),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Counts the members in a range of texts, all scores being equal.", since: "2.8.9",
      complexity: "O(log(N)) for N members",
      arguments: [.key(), .string("min"), .string("max")])
    Command(
      "ZMPOP", arity: -4, .write, .sortedSet, .keyspace(SortedSetHandlers.zmpop),
      keys: [
        KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readWrite, .access, .delete])
      ],
      summary: "Pops members with the lowest or highest scores of the first set that has any.",
      since: "7.0.0",
      complexity: "O(K)+O(M*log(N)) for K keys, M members popped of N",
      arguments: [
        .integer("numkeys"), .key("key", .multiple),
        .oneOf("where", of: [.token("MIN"), .token("MAX")]),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "ZMSCORE", arity: -3, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zmscore),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the scores of several members.", since: "6.2.0",
      complexity: "O(N) for N members",
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "ZPOPMAX", arity: -2, [.write, .fast], .sortedSet, .keyspace(SortedSetHandlers.zpopmax),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Removes and returns the members with the highest scores.", since: "5.0.0",
      complexity: "O(M*log(N)) for M members popped of N",
      arguments: [.key(), .integer("count", .optional)])
    Command(
      "ZPOPMIN", arity: -2, [.write, .fast], .sortedSet, .keyspace(SortedSetHandlers.zpopmin),
      keys: [.key(1, [.readWrite, .access, .delete])],
      summary: "Removes and returns the members with the lowest scores.", since: "5.0.0",
      complexity: "O(M*log(N)) for M members popped of N",
      arguments: [.key(), .integer("count", .optional)])
    Command(
      "ZRANDMEMBER", arity: -2, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zrandmember),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns members of a sorted set at random.", since: "6.2.0",
      complexity: "O(N) for N members returned",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(),
        .block("options", .optional, of: [.integer("count"), .token("WITHSCORES", .optional)]),
      ])
    Command(
      "ZRANGE", arity: -4, .readOnly, .sortedSet, .long(SortedSetHandlers.zrange),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members in a range of ranks, scores or texts.", since: "1.2.0",
      complexity: "O(log(N)+M) for N members, M of them returned",
      history: ["6.2.0": "`REV`, `BYSCORE`, `BYLEX`, `LIMIT`."],
      arguments: [
        .key(), .string("start"), .string("stop"),
        .oneOf("sortby", .optional, since: "6.2.0", of: [.token("BYSCORE"), .token("BYLEX")]),
        .token("REV", .optional, since: "6.2.0"),
        .block(
          "offset_count", token: "LIMIT", .optional, since: "6.2.0",
          of: [.integer("offset"), .integer("count")]), .token("WITHSCORES", .optional),
      ])
    Command(
      "ZRANGEBYLEX", arity: -4, .readOnly, .sortedSet, .long(SortedSetHandlers.zrangebylex),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members in a range of texts, all scores being equal.", since: "2.8.9",
      complexity: "O(log(N)+M) for N members, M of them returned",
      deprecated: Deprecation(since: "6.2.0", replacedBy: "`ZRANGE` with the `BYLEX` argument"),
      arguments: [
        .key(), .string("min"), .string("max"), .limit,
      ])
    Command(
      "ZRANGEBYSCORE", arity: -4, .readOnly, .sortedSet, .long(SortedSetHandlers.zrangebyscore),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members whose scores are in a range.", since: "1.0.5",
      complexity: "O(log(N)+M) for N members, M of them returned",
      deprecated: Deprecation(since: "6.2.0", replacedBy: "`ZRANGE` with the `BYSCORE` argument"),
      history: ["2.0.0": "`WITHSCORES`."],
      arguments: [
        .key(), .value(.double, "min"), .value(.double, "max"),
        .token("WITHSCORES", .optional, since: "2.0.0"), .limit,
      ])
    Command(
      "ZRANGESTORE", arity: -5, [.write, .denyOOM], .sortedSet,
      .keyspace(SortedSetHandlers.zrangestore),
      keys: [.key(1, [.overwrite, .update]), .key(2, [.readOnly, .access])],
      summary: "Stores the members in a range of ranks, scores or texts.", since: "6.2.0",
      complexity: "O(log(N)+M) for N members, M of them stored",
      arguments: [
        .key("dst"), .key("src", spec: 1), .string("min"), .string("max"),
        .oneOf("sortby", .optional, of: [.token("BYSCORE"), .token("BYLEX")]),
        .token("REV", .optional), .limit,
      ])
    Command(
      "ZRANK", arity: -3, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zrank),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a member's rank, the lowest score first.", since: "2.0.0",
      complexity: "O(log(N)) for N members",
      history: ["7.2.0": "`WITHSCORE`."],
      arguments: [.key(), .string("member"), .token("WITHSCORE", .optional)])
    Command(
      "ZREM", arity: -3, [.write, .fast], .sortedSet, .keyspace(SortedSetHandlers.zrem),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes members of a sorted set.", since: "1.2.0",
      complexity: "O(M*log(N)) for M members removed of N",
      history: ["2.4.0": "Takes several members."],
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "ZREMRANGEBYLEX", arity: 4, .write, .sortedSet, .keyspace(SortedSetHandlers.zremrangebylex),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes the members in a range of texts, all scores being equal.", since: "2.8.9",
      complexity: "O(log(N)+M) for M members removed of N",
      arguments: [.key(), .string("min"), .string("max")])
    Command(
      "ZREMRANGEBYRANK", arity: 4, .write, .sortedSet, .keyspace(SortedSetHandlers.zremrangebyrank),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes the members in a range of ranks.", since: "2.0.0",
      complexity: "O(log(N)+M) for M members removed of N",
      arguments: [.key(), .integer("start"), .integer("stop")])
    Command(
      "ZREMRANGEBYSCORE", arity: 4, .write, .sortedSet,
      .keyspace(SortedSetHandlers.zremrangebyscore),
      keys: [.key(1, [.readWrite, .delete])],
      summary: "Removes the members whose scores are in a range.", since: "1.2.0",
      complexity: "O(log(N)+M) for M members removed of N",
      arguments: [.key(), .value(.double, "min"), .value(.double, "max")])
    Command(
      "ZREVRANGE", arity: -4, .readOnly, .sortedSet, .long(SortedSetHandlers.zrevrange),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members in a range of ranks, the highest score first.", since: "1.2.0",
      complexity: "O(log(N)+M) for N members, M of them returned",
      deprecated: Deprecation(since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` argument"),
      arguments: [.key(), .integer("start"), .integer("stop"), .token("WITHSCORES", .optional)])
    Command(
      "ZREVRANGEBYLEX", arity: -4, .readOnly, .sortedSet,
      .long(SortedSetHandlers.zrevrangebylex),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members in a range of texts, the last one first.", since: "2.8.9",
      complexity: "O(log(N)+M) for N members, M of them returned",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments"),
      arguments: [
        .key(), .string("max"), .string("min"),
        .limit,
      ])
    Command(
      "ZREVRANGEBYSCORE", arity: -4, .readOnly, .sortedSet,
      .long(SortedSetHandlers.zrevrangebyscore),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the members whose scores are in a range, the highest first.",
      since: "2.2.0",
      complexity: "O(log(N)+M) for N members, M of them returned",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
      history: ["2.1.6": "Bounds may be exclusive."],
      arguments: [
        .key(), .value(.double, "max"), .value(.double, "min"), .token("WITHSCORES", .optional),
        .limit,
      ])
    Command(
      "ZREVRANK", arity: -3, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zrevrank),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a member's rank, the highest score first.", since: "2.0.0",
      complexity: "O(log(N)) for N members",
      history: ["7.2.0": "`WITHSCORE`."],
      arguments: [.key(), .string("member"), .token("WITHSCORE", .optional)])
    Command(
      "ZSCAN", arity: -3, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zscan),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Walks through the members and scores of a sorted set, step by step.",
      since: "2.8.0",
      complexity: "O(1) for each call, O(N) for a whole walk through N members",
      tips: ["nondeterministic_output"],
      arguments: [
        .key(), .integer("cursor"), .value(.pattern, "pattern", token: "MATCH", .optional),
        .integer("count", token: "COUNT", .optional),
      ])
    Command(
      "ZSCORE", arity: 3, [.readOnly, .fast], .sortedSet, .keyspace(SortedSetHandlers.zscore),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns a member's score.", since: "1.2.0",
      complexity: "O(1)",
      arguments: [.key(), .string("member")])
    Command(
      "ZUNION", arity: -3, .readOnly, .sortedSet, .keyspace(SortedSetHandlers.zunion),
      keys: [KeySpec(.index(1), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access])],
      summary: "Returns the members of all sorted sets, with their scores put together.",
      since: "6.2.0",
      complexity: "O(N)+O(M*log(M)) for N members in all sets, M in the result",
      arguments: [
        .integer("numkeys"), .key("key", .multiple), .weights, .aggregate,
        .token("WITHSCORES", .optional),
      ])
    Command(
      "ZUNIONSTORE", arity: -4, [.write, .denyOOM], .sortedSet,
      .keyspace(SortedSetHandlers.zunionstore),
      keys: [
        .key(1, [.overwrite, .update]),
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readOnly, .access]),
      ],
      summary: "Stores the members of all sorted sets, with their scores put together.",
      since: "2.0.0",
      complexity: "O(N)+O(M*log(M)) for N members in all sets, M in the result",
      arguments: [
        .key("destination"), .integer("numkeys"), .key("key", spec: 1, .multiple),
        .weights, .aggregate,
      ])
  }
}

// What several rows take.
extension Argument {
  fileprivate static var weights: Argument {
    .integer("weight", token: "WEIGHTS", [.optional, .multiple])
  }

  fileprivate static var aggregate: Argument {
    .oneOf(
      "aggregate", token: "AGGREGATE", .optional,
      of: [.token("SUM"), .token("MIN"), .token("MAX")])
  }

  fileprivate static var limit: Argument {
    .block("offset_count", token: "LIMIT", .optional, of: [.integer("offset"), .integer("count")])
  }
}
