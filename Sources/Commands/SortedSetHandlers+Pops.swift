// Taking members from an end of a sorted set, with and without waiting.
//
// 1. The effect of a pop is ZPOPMIN or ZPOPMAX, with a count where there was one or where several
//    keys were tried.

import Bytes
import Keyspace
import RESP

/// Which members a pop takes.
private struct Pop: BitwiseCopyable {
  var fromHighest: Bool
  /// At most so many; nil asks for one, and has no count in the effect.
  var count: Int?
}

extension SortedSetHandlers {
  static func zpopmin(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try pop(args, &keys, &reply, fromHighest: false)
  }

  static func zpopmax(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try pop(args, &keys, &reply, fromHighest: true)
  }

  private static func pop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    fromHighest: Bool
  ) throws(CommandError) {
    if args.count > 3 { throw .syntax }
    var pop = Pop(fromHighest: fromHighest, count: nil)
    if args.count == 3 {
      guard let count = args[2].parseInteger(), count >= 0 else { throw .mustBePositive }
      pop.count = count
    }
    guard var set = try keys.findSortedSet(args[1]), pop.count != 0 else {
      return reply.array(0)
    }
    let ranks = pop.ranks(of: keys.sortedCount(set))
    let hasPairs = reply.version == .three && pop.count != nil
    reply.array(hasPairs ? ranks.count : ranks.count * 2)
    replyPopped(ranks, set, pop, hasPairs: hasPairs, keys, &reply)
    keys.takeRanks(ranks, of: &set)
    keys.propagate(args)
  }

  private static func replyPopped(
    _ ranks: Range<Int>, _ set: Key, _ pop: Pop, hasPairs: Bool, _ keys: borrowing Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    let start = pop.fromHighest ? ranks.upperBound - 1 : ranks.lowerBound
    var walk = keys.sortedWalk(set, from: start, isReversed: pop.fromHighest)
    for _ in 0..<ranks.count {
      let isThere = keys.advance(&walk)
      precondition(isThere, "a sorted set has fewer members than it says")
      if hasPairs { reply.array(2) }
      reply.bulk(keys.member(walk))
      reply.double(keys.score(walk))
    }
  }

  // MARK: Several keys

  static func zmpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let (names, pop) = try popArguments(args, numberAt: 1)
    for index in names where try popPairs(args, index, pop, &keys, &reply) { return }
    reply.nullArray()
  }

  static func bzmpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let (names, pop) = try popArguments(args, numberAt: 2)
    let deadline = try Wait.deadline(seconds: args[1], now: keys.now)
    for index in names where try popPairs(args, index, pop, &keys, &reply) { return }
    wait.forKeys(names, .sortedSet, until: deadline, &reply)
  }

  static func bzpopmin(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try popOrWait(args, &keys, &wait, &reply, fromHighest: false)
  }

  static func bzpopmax(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try popOrWait(args, &keys, &wait, &reply, fromHighest: true)
  }

  private static func popOrWait(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer, fromHighest: Bool
  ) throws(CommandError) {
    let names = 1..<(args.count - 1)
    let deadline = try Wait.deadline(seconds: args[args.count - 1], now: keys.now)
    let pop = Pop(fromHighest: fromHighest, count: nil)
    for index in names {
      guard var set = try keys.findSortedSet(args[index]) else { continue }
      let ranks = pop.ranks(of: keys.sortedCount(set))
      reply.array(3)
      reply.bulk(args[index])
      replyPopped(ranks, set, pop, hasPairs: false, keys, &reply)
      keys.takeRanks(ranks, of: &set)
      return keys.propagatePop(args[index], pop)
    }
    wait.forKeys(names, .sortedSet, until: deadline, &reply)
  }

  /// `numkeys key [key ...] MIN|MAX [COUNT count]`.
  private static func popArguments(
    _ args: borrowing Arguments, numberAt: Int
  ) throws(CommandError) -> (Range<Int>, Pop) {
    guard let number = args[numberAt].parseInteger(), number > 0 else {
      throw .fixed("ERR numkeys should be greater than 0")
    }
    guard number < args.count, numberAt + number + 1 < args.count else { throw .syntax }
    let names = (numberAt + 1)..<(numberAt + 1 + number)
    let end = names.upperBound
    let fromHighest = args.equals(end, "MAX")
    if !fromHighest && !args.equals(end, "MIN") { throw .syntax }
    var pop = Pop(fromHighest: fromHighest, count: nil)
    var index = end + 1
    while index < args.count {
      guard pop.count == nil, args.equals(index, "COUNT"), index + 1 < args.count else {
        throw .syntax
      }
      guard let count = args[index + 1].parseInteger(), count > 0 else {
        throw .fixed("ERR count should be greater than 0")
      }
      pop.count = count
      index += 2
    }
    if pop.count == nil { pop.count = 1 }
    return (names, pop)
  }

  /// Pops from the set that argument `index` names.
  /// - Returns: false, with no reply, when there is none.
  private static func popPairs(
    _ args: borrowing Arguments, _ index: Int, _ pop: Pop, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    guard var set = try keys.findSortedSet(args[index]) else { return false }
    let ranks = pop.ranks(of: keys.sortedCount(set))
    reply.array(2)
    reply.bulk(args[index])
    reply.array(ranks.count)
    replyPopped(ranks, set, pop, hasPairs: true, keys, &reply)
    keys.takeRanks(ranks, of: &set)
    keys.propagatePop(args[index], Pop(fromHighest: pop.fromHighest, count: ranks.count))
    return true
  }
}

extension Pop {
  /// The ranks that are popped from a set of `size` members.
  fileprivate func ranks(of size: Int) -> Range<Int> {
    let taken = min(count ?? 1, size)
    return fromHighest ? (size - taken)..<size : 0..<taken
  }
}

extension Keyspace {
  fileprivate mutating func propagatePop(_ key: borrowing Span<UInt8>, _ pop: Pop) {
    effects.begin(pop.count == nil ? 2 : 3, database: selected)
    if pop.fromHighest { effects.word("ZPOPMAX") } else { effects.word("ZPOPMIN") }
    effects.word(key)
    if let count = pop.count { effects.word(decimal: count) }
  }
}
