// SortedSetHandlers: members and scores of one sorted set. Rows: SortedSets. Ranges, pops, and
// operations on several sets have files of their own.
//
// 1. A set that a command has emptied is removed by it, and the effect is the command itself.
// 2. Scores print as Redis 7.2 prints them: the shortest text that reads back as the same number.

import Bytes
import Keyspace
import RESP

enum SortedSetHandlers {}

extension SortedSetHandlers {
  static func zadd(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var rules = AddRules()
    var first = 2
    while first < args.count, rules.take(args, first) { first += 1 }
    try rules.check(pairs: args.count - first)
    try keys.addScores(args, from: first, rules, .scores, &reply)
  }

  static func zincrby(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var rules = AddRules()
    rules.adds = true
    try keys.addScores(args, from: 2, rules, .scores, &reply)
  }

  static func zrem(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard var set = try keys.findSortedSet(args[1]) else { return reply.integer(0) }
    var removed = 0
    for index in 2..<args.count where keys.removeScored(args[index], of: &set) { removed += 1 }
    if removed > 0 {
      keys.noteChanges(removed, set, args)
      keys.removeIfEmpty(set)
    }
    reply.integer(removed)
  }

  static func zcard(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSortedSet(args[1], .read)
    reply.integer(found.map { keys.sortedCount($0) } ?? 0)
  }

  static func zscore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findSortedSet(args[1], .read),
      let score = keys.score(args[2], found)
    else { return reply.null() }
    reply.double(score)
  }

  static func zmscore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSortedSet(args[1], .read)
    reply.array(args.count - 2)
    for index in 2..<args.count {
      if let found, let score = keys.score(args[index], found) {
        reply.double(score)
      } else {
        reply.null()
      }
    }
  }

  static func zrank(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try rank(args, &keys, &reply, isReversed: false)
  }

  static func zrevrank(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try rank(args, &keys, &reply, isReversed: true)
  }

  private static func rank(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    isReversed: Bool
  ) throws(CommandError) {
    if args.count > 4 { throw .wrongArity(isReversed ? "zrevrank" : "zrank") }
    let withScore = args.count == 4
    if withScore && !args.equals(3, "WITHSCORE") { throw .syntax }
    guard let found = try keys.findSortedSet(args[1], .read),
      let (rank, score) = keys.rank(args[2], found)
    else { return withScore ? reply.nullArray() : reply.null() }
    if withScore { reply.array(2) }
    reply.integer(isReversed ? keys.sortedCount(found) - 1 - rank : rank)
    if withScore { reply.double(score) }
  }

  static func zscan(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let cursor = try ScanOptions.cursor(args[2])
    guard let found = try keys.findSortedSet(args[1], .read) else { return reply.emptyScan() }
    let options = try ScanOptions(args, from: 3, allowsType: false)
    var entries = EntryList()
    guard
      let next = keys.scanSortedSet(found, cursor: cursor, count: options.count, into: &entries)
    else { return scanAll(args, options, found, keys, &reply) }
    reply.array(2)
    reply.bulk(unsigned: next)
    let mark = reply.bytes.count
    var kept = 0
    var text = ByteBuffer()
    for index in 0..<entries.count
    where options.matches(keys.entry(entries[index]).key, args) {
      kept += 1
      reply.bulk(keys.entry(entries[index]).key)
      text.removeAll()
      text.append(seventeenDigits: keys.memberScore(entries[index]))
      reply.bulk(text.span)
    }
    reply.array(kept * 2, before: mark)
  }

  /// A packed set is scanned in one step.
  private static func scanAll(
    _ args: borrowing Arguments, _ options: ScanOptions, _ found: Key,
    _ keys: borrowing Keyspace, _ reply: inout ReplyBuffer
  ) {
    reply.array(2)
    reply.bulk("0")
    let mark = reply.bytes.count
    var kept = 0
    var walk = keys.sortedWalk(found)
    var text = ByteBuffer()
    while keys.advance(&walk) {
      text.removeAll()
      text.append(keys.member(walk))
      guard options.matches(text.span, args) else { continue }
      kept += 1
      reply.bulk(text.span)
      text.removeAll()
      text.append(double: keys.score(walk))
      reply.bulk(text.span)
    }
    reply.array(kept * 2, before: mark)
  }
}

// MARK: Adding

/// What ZADD's options ask for.
struct AddRules: BitwiseCopyable {
  var onlyIfMissing = false
  var onlyIfExists = false
  var onlyIfGreater = false
  var onlyIfLess = false
  /// Whether the reply counts changed members, too.
  var countsChanged = false
  /// Whether the score is added to the old one, and the sum replied.
  var adds = false

  /// - Returns: whether argument `index` is an option.
  mutating func take(_ args: borrowing Arguments, _ index: Int) -> Bool {
    // Most scores are no option at first sight.
    guard args[index].count <= 4, args[index].count > 1, args[index][0] > 0x39 else { return false }
    if args.equals(index, "NX") {
      onlyIfMissing = true
    } else if args.equals(index, "XX") {
      onlyIfExists = true
    } else if args.equals(index, "CH") {
      countsChanged = true
    } else if args.equals(index, "INCR") {
      adds = true
    } else if args.equals(index, "GT") {
      onlyIfGreater = true
    } else if args.equals(index, "LT") {
      onlyIfLess = true
    } else {
      return false
    }
    return true
  }

  /// - Parameter pairs: the number of arguments behind the options.
  func check(pairs: Int) throws(CommandError) {
    if pairs <= 0 || pairs % 2 != 0 { throw .syntax }
    if onlyIfMissing && onlyIfExists {
      throw .fixed("ERR XX and NX options at the same time are not compatible")
    }
    if (onlyIfGreater && onlyIfMissing) || (onlyIfLess && onlyIfMissing)
      || (onlyIfGreater && onlyIfLess)
    {
      throw .fixed("ERR GT, LT, and/or NX options at the same time are not compatible")
    }
    if adds && pairs > 2 {
      throw .fixed("ERR INCR option supports a single increment-element pair")
    }
  }
}

/// What adding members has done.
struct AddOutcome: BitwiseCopyable {
  var added = 0
  var changed = 0
  /// The last member's score, if it was looked at.
  var score: Double?

  var changes: Int { added + changed }
}

/// How a command names members with their scores.
enum ScoreForm: BitwiseCopyable {
  /// Score, member.
  case scores
  /// Longitude, latitude, member.
  case places

  /// Arguments for each member.
  var step: Int { self == .scores ? 2 : 3 }

  /// The score that stands at argument `index`.
  func score(_ args: borrowing Arguments, _ index: Int) throws(CommandError) -> Double {
    if self == .places { return GeoCell(try GeoPoint(args, index)).score }
    guard let score = args[index].parseDouble() else { throw .notFloat }
    return score
  }
}

extension Keyspace {
  /// Adds the members from argument `first` on, and replies.
  mutating func addScores(
    _ args: borrowing Arguments, from first: Int, _ rules: AddRules, _ form: ScoreForm,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    // All scores are read before the first one is used.
    for index in stride(from: first, to: args.count, by: form.step) {
      _ = try form.score(args, index)
    }
    let count = (args.count - first) / form.step
    var set: Key
    if let found = try findSortedSet(args[1]) {
      set = found
      try prepareSortedSet(&set, adding: count)
    } else {
      if rules.onlyIfExists { return rules.adds ? reply.null() : reply.integer(0) }
      set = try makeSortedSet(
        args[1], count: count, length: args[first + form.step - 1].count)
    }
    var outcome = AddOutcome()
    do throws(CommandError) {
      for index in stride(from: first, to: args.count, by: form.step) {
        let score = try form.score(args, index)
        try addScore(args[index + form.step - 1], score, to: &set, rules, &outcome)
      }
    } catch {
      // What was added before stays.
      if outcome.changes > 0 { noteChanges(outcome.changes, set, args) }
      removeIfEmpty(set)
      throw error
    }
    if outcome.changes > 0 { noteChanges(outcome.changes, set, args) }
    guard rules.adds else {
      return reply.integer(rules.countsChanged ? outcome.changes : outcome.added)
    }
    if let score = outcome.score { reply.double(score) } else { reply.null() }
  }

  /// Adds one member, or changes its score, as the rules want it.
  mutating func addScore(
    _ member: borrowing Span<UInt8>, _ score: Double, to set: inout Key, _ rules: AddRules,
    _ outcome: inout AddOutcome
  ) throws(CommandError) {
    outcome.score = nil
    guard let old = self.score(member, set) else {
      if rules.onlyIfExists { return }
      try setScore(member, score, old: nil, in: &set)
      outcome.added += 1
      outcome.score = score
      return
    }
    if rules.onlyIfMissing { return }
    let new = rules.adds ? old + score : score
    if new.isNaN { throw .fixed("ERR resulting score is not a number (NaN)") }
    if (rules.onlyIfLess && new >= old) || (rules.onlyIfGreater && new <= old) { return }
    outcome.score = new
    if new != old {
      try setScore(member, new, old: old, in: &set)
      outcome.changed += 1
    }
  }
}

// MARK: At random

extension SortedSetHandlers {
  static func zrandmember(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count > 2 else {
      guard let found = try keys.findSortedSet(args[1], .read) else { return reply.null() }
      let walk = keys.randomMember(found)
      return reply.bulk(keys.member(walk))
    }
    let draw = try DrawCount(args[2])
    let withScores = args.count == 4
    if args.count > 4 || (withScores && !args.equals(3, "WITHSCORES")) { throw .syntax }
    if withScores && draw.count > Int.max / 2 { throw .outOfRange }
    guard let found = try keys.findSortedSet(args[1], .read), draw.count > 0 else {
      return reply.array(0)
    }
    let size = keys.sortedCount(found)
    let count = draw.repeats ? draw.count : min(draw.count, size)
    reply.scoredArray(count, withScores: withScores)
    if draw.repeats {
      try drawRepeatedly(count, found, withScores, &keys, &reply)
    } else if count * 3 > size {
      drawByWalking(count, of: size, found, withScores, &keys, &reply)
    } else {
      drawRanks(count, of: size, found, withScores, &keys, &reply)
    }
  }

  private static func drawRepeatedly(
    _ count: Int, _ found: Key, _ withScores: Bool, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let mark = reply.bytes.count
    for _ in 0..<count {
      let walk = keys.randomMember(found)
      reply.scored(walk, keys, withScores: withScores)
      guard reply.bytes.count - mark <= longestDraw else { throw .drawTooLong }
    }
  }

  private static func drawByWalking(
    _ count: Int, of size: Int, _ found: Key, _ withScores: Bool, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    var walk = keys.sortedWalk(found)
    var left = size
    var wanted = count
    while wanted > 0 && keys.advance(&walk) {
      if keys.chooses(wanted, of: left) {
        reply.scored(walk, keys, withScores: withScores)
        wanted -= 1
      }
      left -= 1
    }
  }

  private static func drawRanks(
    _ count: Int, of size: Int, _ found: Key, _ withScores: Bool, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    var drawn = DrawnSet(count: count)
    var left = count
    while left > 0 {
      let rank = keys.randomIndex(below: size)
      guard drawn.insert(UInt64(rank) + 1) else { continue }
      var walk = keys.sortedWalk(found, from: rank)
      _ = keys.advance(&walk)
      reply.scored(walk, keys, withScores: withScores)
      left -= 1
    }
  }
}

// MARK: Replies

extension ReplyBuffer {
  /// The header of `count` members: with scores, RESP2 has them flat and RESP3 as pairs.
  mutating func scoredArray(_ count: Int, withScores: Bool) {
    array(withScores && version == .two ? count * 2 : count)
  }

  /// The member at which a walk stands, in an array begun by `scoredArray`.
  @inline(__always) mutating func scored(
    _ walk: SortedSetWalk, _ keys: borrowing Keyspace, withScores: Bool
  ) {
    if withScores && version == .three { array(2) }
    bulk(keys.member(walk))
    if withScores { double(keys.score(walk)) }
  }
}
