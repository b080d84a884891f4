// Ranges of sorted sets: listing, counting, removing and storing them. Arguments: ScoreArguments.

import Bytes
import Keyspace
import RESP

// MARK: Listing

extension SortedSetHandlers {
  static func zrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, nil, isReversed: nil)
  }

  static func zrangebyscore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, .score, isReversed: false)
  }

  static func zrangebylex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, .text, isReversed: false)
  }

  static func zrevrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, .rank, isReversed: true)
  }

  static func zrevrangebyscore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, .score, isReversed: true)
  }

  static func zrevrangebylex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, &keys, &long, &reply, .text, isReversed: true)
  }

  private static func range(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer, _ kind: RangeKind?, isReversed: Bool?
  ) throws(CommandError) {
    let request = try RangeRequest(
      args, key: 1, stores: false, kind: kind, isReversed: isReversed)
    guard let found = try keys.findSortedSet(args[1], .read) else { return reply.array(0) }
    let ranks = try request.ranks(args, keys, found)
    let isReversed = request.isReversed ?? false
    reply.scoredArray(ranks.count, withScores: request.withScores)
    keys.reply(
      ranks, of: found, isReversed: isReversed, withScores: request.withScores, &long, &reply)
  }
}

// MARK: Counting

extension SortedSetHandlers {
  static func zcount(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let range = try ScoreRange(args[2], args[3])
    guard let found = try keys.findSortedSet(args[1], .read) else { return reply.integer(0) }
    reply.integer(keys.ranks(range, found).count)
  }

  static func zlexcount(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let range = TextRange(low: try TextBound(args[2]), high: try TextBound(args[3]))
    guard let found = try keys.findSortedSet(args[1], .read) else { return reply.integer(0) }
    reply.integer(keys.ranks(range, found).count)
  }
}

// MARK: Removing

extension SortedSetHandlers {
  static func zremrangebyrank(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let first = args[2].parseInteger(), let last = args[3].parseInteger() else {
      throw .notInteger
    }
    guard let found = try keys.findSortedSet(args[1]) else { return reply.integer(0) }
    let ranks = RangeRequest.ranks(first, last, of: keys.sortedCount(found))
    remove(ranks ?? 0..<0, found, args, &keys, &reply)
  }

  static func zremrangebyscore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let range = try ScoreRange(args[2], args[3])
    guard let found = try keys.findSortedSet(args[1]) else { return reply.integer(0) }
    remove(keys.ranks(range, found), found, args, &keys, &reply)
  }

  static func zremrangebylex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let range = TextRange(low: try TextBound(args[2]), high: try TextBound(args[3]))
    guard let found = try keys.findSortedSet(args[1]) else { return reply.integer(0) }
    remove(keys.ranks(range, found), found, args, &keys, &reply)
  }

  private static func remove(
    _ ranks: Range<Int>, _ found: Key, _ args: borrowing Arguments, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    var set = found
    keys.takeRanks(ranks, of: &set)
    if !ranks.isEmpty { keys.propagate(args) }
    reply.integer(ranks.count)
  }
}

extension Keyspace {
  /// Removes the members of those ranks, and the key with the last of them; counts a change for
  /// each.
  mutating func takeRanks(_ ranks: Range<Int>, of set: inout Key) {
    guard !ranks.isEmpty else { return }
    // A whole set goes at once, whatever its size.
    if ranks.count == sortedCount(set) { return remove(set, changes: ranks.count, []) }
    removeRanks(ranks, of: &set)
    didChange(set, count: ranks.count)
  }
}

// MARK: Storing

extension SortedSetHandlers {
  static func zrangestore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let request = try RangeRequest(args, key: 2, stores: true, kind: nil, isReversed: nil)
    var ranks = 0..<0
    let found = try keys.findSortedSet(args[2], .read)
    if let found { ranks = try request.ranks(args, keys, found) }
    guard let found, !ranks.isEmpty else { return keys.storeNothing(args, &reply) }
    var draft = try keys.makeScoreDraft()
    var walk = keys.sortedWalk(found, from: ranks.lowerBound)
    var text = ByteBuffer()
    for _ in 0..<ranks.count {
      let isThere = keys.advance(&walk)
      precondition(isThere, "a sorted set has fewer members than it says")
      text.removeAll()
      text.append(keys.member(walk))
      try keys.append(text.span, keys.score(walk), to: &draft)
    }
    try keys.store(&draft, args[1])
    keys.propagate(args)
    reply.integer(ranks.count)
  }
}

extension Keyspace {
  /// An empty result: the target goes, if there is one.
  mutating func storeNothing(_ args: borrowing Arguments, _ reply: inout ReplyBuffer) {
    if remove(args[1]) { propagate(args) }
    reply.integer(0)
  }
}
