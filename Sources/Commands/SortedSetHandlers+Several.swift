// Operations on several sorted sets, any of which may be a plain set: union, intersection and
// difference, replied or stored.
//
// 1. Every member of a plain set has the score 1. Scores are multiplied by their set's weight; what
//    is no number then, or as a sum, is 0.
// 2. Union and intersection take the smallest set first, as Redis does: sums depend on the order.

import Bytes
import Keyspace
import RESP

/// Which operation.
private enum Operation: Sendable {
  case union, intersection, difference
}

/// How the scores that a member has in several sets become one.
private enum Aggregate: Sendable {
  case sum, minimum, maximum

  func combine(_ old: Double, _ new: Double) -> Double {
    switch self {
    case .sum:
      let sum = old + new
      return sum.isNaN ? 0 : sum
    case .minimum: return new < old ? new : old
    case .maximum: return new > old ? new : old
    }
  }
}

/// One of the sets.
private struct Source: BitwiseCopyable {
  var key: Key?
  var isSorted = true
  var count = 0
  var weight = 1.0
}

/// A place in one of the sets.
private enum SourceWalk {
  case sorted(SortedSetWalk)
  case plain(ElementWalk)
}

/// The arguments of one command.
private struct SeveralArguments: ~Copyable {
  var sources = GrowableArray<Source>()
  var aggregate = Aggregate.sum
  var withScores = false
  var limit = 0
}

extension SortedSetHandlers {
  static func zunion(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try list(args, &keys, &reply, .union, "zunion")
  }

  static func zinter(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try list(args, &keys, &reply, .intersection, "zinter")
  }

  static func zdiff(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try list(args, &keys, &reply, .difference, "zdiff")
  }

  static func zunionstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try store(args, &keys, &reply, .union, "zunionstore")
  }

  static func zinterstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try store(args, &keys, &reply, .intersection, "zinterstore")
  }

  static func zdiffstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try store(args, &keys, &reply, .difference, "zdiffstore")
  }

  static func zintercard(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var several = SeveralArguments()
    var index = try keys.readSources(args, numberAt: 1, "zintercard", &several.sources)
    while index < args.count {
      guard args.equals(index, "LIMIT"), index + 1 < args.count else { throw .syntax }
      guard let limit = args[index + 1].parseInteger(), limit >= 0 else {
        throw .fixed("ERR LIMIT can't be negative")
      }
      several.limit = limit
      index += 2
    }
    several.sources.sortBySize()
    var count = 0
    try keys.intersect(several) { _, _, _ throws(CommandError) in
      count += 1
      return count != several.limit
    }
    reply.integer(count)
  }

  private static func list(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ operation: Operation, _ name: StaticString
  ) throws(CommandError) {
    var several = SeveralArguments()
    try several.read(args, numberAt: 1, operation, stores: false, name, &keys)
    let draft = try keys.collect(&several, operation)
    defer { keys.discard(draft) }
    let members = keys.sorted(draft)
    reply.scoredArray(members.count, withScores: several.withScores)
    for member in members {
      if several.withScores && reply.version == .three { reply.array(2) }
      reply.bulk(keys.text(member))
      if several.withScores { reply.double(member.score) }
    }
  }

  private static func store(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ operation: Operation, _ name: StaticString
  ) throws(CommandError) {
    var several = SeveralArguments()
    try several.read(args, numberAt: 2, operation, stores: true, name, &keys)
    var draft = try keys.collect(&several, operation)
    let count = keys.count(draft)
    guard count > 0 else {
      keys.discard(draft)
      return keys.storeNothing(args, &reply)
    }
    try keys.store(&draft, args[1])
    keys.propagate(args)
    reply.integer(count)
  }
}

// MARK: Arguments

extension SeveralArguments {
  fileprivate mutating func read(
    _ args: borrowing Arguments, numberAt: Int, _ operation: Operation, stores: Bool,
    _ name: StaticString, _ keys: inout Keyspace
  ) throws(CommandError) {
    var index = try keys.readSources(args, numberAt: numberAt, name, &sources)
    while index < args.count {
      if operation != .difference && args.count - index > sources.count
        && args.equals(index, "WEIGHTS")
      {
        for source in 0..<sources.count {
          guard let weight = args[index + 1 + source].parseDouble() else {
            throw .fixed("ERR weight value is not a float")
          }
          sources[source].weight = weight
        }
        index += 1 + sources.count
      } else if operation != .difference && index + 1 < args.count
        && args.equals(index, "AGGREGATE")
      {
        aggregate = try Self.aggregate(args, index + 1)
        index += 2
      } else if !stores && args.equals(index, "WITHSCORES") {
        withScores = true
        index += 1
      } else {
        throw .syntax
      }
    }
  }

  private static func aggregate(
    _ args: borrowing Arguments, _ index: Int
  ) throws(CommandError) -> Aggregate {
    if args.equals(index, "SUM") { return .sum }
    if args.equals(index, "MIN") { return .minimum }
    if args.equals(index, "MAX") { return .maximum }
    throw .syntax
  }
}

extension GrowableArray<Source> {
  /// The smallest first; equal ones stay in their order.
  fileprivate mutating func sortBySize() {
    for index in 0..<count {
      let source = self[index]
      var place = index
      while place > 0 && self[place - 1].count > source.count {
        self[place] = self[place - 1]
        place -= 1
      }
      self[place] = source
    }
  }
}

extension Keyspace {
  /// Looks up the keys whose number is argument `numberAt`.
  /// - Returns: the index of the argument behind them.
  fileprivate mutating func readSources(
    _ args: borrowing Arguments, numberAt: Int, _ name: StaticString,
    _ sources: inout GrowableArray<Source>
  ) throws(CommandError) -> Int {
    guard let number = args[numberAt].parseInteger() else { throw .notInteger }
    if number < 1 {
      throw .custom("ERR at least 1 input key is needed for '\(name)' command")
    }
    guard number <= args.count - numberAt - 1 else { throw .syntax }
    for index in (numberAt + 1)..<(numberAt + 1 + number) {
      var source = Source(key: find(args[index]))
      if let found = source.key {
        let type = facts(found).header.type
        guard type == .sortedSet || type == .set else { throw .wrongType }
        source.isSorted = type == .sortedSet
        source.count = source.isSorted ? sortedCount(found) : elementCount(found)
      }
      sources.append(source)
    }
    return numberAt + 1 + number
  }
}

// MARK: Walking

extension Keyspace {
  fileprivate func walk(_ source: Source) -> SourceWalk? {
    guard let key = source.key else { return nil }
    return source.isSorted ? .sorted(sortedWalk(key)) : .plain(walk(key))
  }

  /// Goes to the next member and copies its text.
  /// - Returns: its score, nil at the end.
  fileprivate func next(_ walk: inout SourceWalk, _ text: inout ByteBuffer) -> Double? {
    text.removeAll()
    switch walk {
    case .sorted(var inner):
      guard advance(&inner) else { return nil }
      text.append(member(inner))
      walk = .sorted(inner)
      return score(inner)
    case .plain(var inner):
      guard advance(&inner) else { return nil }
      text.append(element(inner))
      walk = .plain(inner)
      return 1
    }
  }

  fileprivate func score(_ member: borrowing Span<UInt8>, in source: Source) -> Double? {
    guard let key = source.key else { return nil }
    if source.isSorted { return score(member, key) }
    return hasMember(member, key) ? 1 : nil
  }
}

// MARK: The operations

extension Keyspace {
  /// The result as a draft.
  fileprivate mutating func collect(
    _ several: inout SeveralArguments, _ operation: Operation
  ) throws(CommandError) -> ScoreDraft {
    if operation != .difference { several.sources.sortBySize() }
    var draft = try makeScoreDraft()
    switch operation {
    case .union: try unite(several, &draft)
    case .intersection:
      try intersect(several) { keys, member, score throws(CommandError) in
        try keys.add(member, score, to: &draft)
        return true
      }
    case .difference: try subtract(several, &draft)
    }
    return draft
  }

  private mutating func unite(
    _ several: borrowing SeveralArguments, _ draft: inout ScoreDraft
  ) throws(CommandError) {
    let aggregate = several.aggregate
    var text = ByteBuffer()
    for index in 0..<several.sources.count {
      let source = several.sources[index]
      guard var walk = walk(source) else { continue }
      while let score = next(&walk, &text) {
        let weighted = score * source.weight
        try add(text.span, weighted.isNaN ? 0 : weighted, to: &draft) { old, new in
          aggregate.combine(old, new)
        }
      }
    }
  }

  /// Calls `body` with each member that all sets have, the smallest set being the first, until it
  /// returns false.
  fileprivate mutating func intersect(
    _ several: borrowing SeveralArguments,
    _ body: (inout Keyspace, borrowing Span<UInt8>, Double) throws(CommandError) -> Bool
  ) throws(CommandError) {
    let first = several.sources[0]
    guard var walk = walk(first) else { return }
    var text = ByteBuffer()
    while let score = next(&walk, &text) {
      let weighted = score * first.weight
      var total = weighted.isNaN ? 0 : weighted
      var isEverywhere = true
      for index in 1..<several.sources.count {
        let source = several.sources[index]
        guard let other = self.score(text.span, in: source) else {
          isEverywhere = false
          break
        }
        total = several.aggregate.combine(total, other * source.weight)
      }
      guard isEverywhere else { continue }
      guard try body(&self, text.span, total) else { return }
    }
  }

  private mutating func subtract(
    _ several: borrowing SeveralArguments, _ draft: inout ScoreDraft
  ) throws(CommandError) {
    guard var walk = walk(several.sources[0]) else { return }
    var text = ByteBuffer()
    while let score = next(&walk, &text) {
      var isElsewhere = false
      for index in 1..<several.sources.count where !isElsewhere {
        isElsewhere = self.score(text.span, in: several.sources[index]) != nil
      }
      if !isElsewhere { try add(text.span, score, to: &draft) }
    }
  }
}
