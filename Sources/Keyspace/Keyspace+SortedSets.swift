// Sorted sets as commands see them. What they are made of: SortedSetValue.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// As `find`, for a command on sorted sets.
  public mutating func findSortedSet(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    try findCollection(key, .sortedSet, lookup)
  }

  /// A new, empty sorted set, in the encoding in which Redis begins one of `count` members, the
  /// first of which has `length` bytes.
  public mutating func makeSortedSet(
    _ key: borrowing Span<UInt8>, count: Int, length: Int
  ) throws(CommandError) -> Key {
    let startsAsTree =
      count > limits.sortedSetListpackEntries || length > limits.sortedSetListpackValueBytes
    let entry: Ref<Entry>
    do throws(ArenaFull) {
      entry = try SortedSetValue.make(
        &arena, key: key, startsAsTree: startsAsTree, access: initialAccess, hash)
    } catch {
      throw .outOfMemory
    }
    return try enter(entry, key)
  }

  /// Prepares a set for up to `count` more members, as Redis does before ZADD.
  public mutating func prepareSortedSet(
    _ key: inout Key, adding count: Int
  ) throws(CommandError) {
    var entry = key.entry
    defer { adopt(&key, entry) }
    do throws(ArenaFull) {
      try SortedSetValue.prepare(&arena, &entry, adding: count, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  public func sortedCount(_ key: Key) -> Int { arena.reader.sortedCount(key.entry) }

  public func score(_ member: borrowing Span<UInt8>, _ key: Key) -> Double? {
    arena.reader.score(key.entry, member, hash)
  }

  /// The score of the member at which a walk through another sorted set stands.
  public func score(_ walk: SortedSetWalk, _ key: Key) -> Double? {
    score(of: arena.reader.member(walk), key)
  }

  /// The score of the member at which a walk through a set stands.
  public func score(_ walk: ElementWalk, _ key: Key) -> Double? {
    score(of: arena.reader.element(walk), key)
  }

  private func score(of element: borrowing Element, _ key: Key) -> Double? {
    if !element.isInteger { return arena.reader.score(key.entry, element.string, hash) }
    return arena.reader.score(key.entry, IntegerText(element.integer).span, hash)
  }

  /// Gives a member a score, `old` being the one that `score` has just told.
  public mutating func setScore(
    _ member: borrowing Span<UInt8>, _ score: Double, old: Double?, in key: inout Key
  ) throws(CommandError) {
    var entry = key.entry
    defer { adopt(&key, entry) }
    do throws(ArenaFull) {
      try SortedSetValue.set(&arena, &entry, member, score, old: old, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Removes a member.
  /// - Returns: whether it was there.
  public mutating func removeScored(
    _ member: borrowing Span<UInt8>, of key: inout Key
  ) -> Bool {
    var entry = key.entry
    let isRemoved = SortedSetValue.remove(&arena, &entry, member, hash)
    adopt(&key, entry)
    return isRemoved
  }

  /// Removes the members of those ranks.
  public mutating func removeRanks(_ range: Range<Int>, of key: inout Key) {
    var entry = key.entry
    SortedSetValue.removeRanks(&arena, &entry, range, hash)
    adopt(&key, entry)
  }

  /// How many members come before this one, and its score.
  public func rank(
    _ member: borrowing Span<UInt8>, _ key: Key
  ) -> (rank: Int, score: Double)? {
    arena.reader.rank(key.entry, member, hash)
  }

  public func ranks(_ range: ScoreRange, _ key: Key) -> Range<Int> {
    arena.reader.ranks(key.entry, range, hash)
  }

  public func ranks(
    _ range: borrowing TextRange, fromEnd: Bool = false, _ key: Key
  ) -> Range<Int> {
    arena.reader.ranks(key.entry, range, fromEnd: fromEnd, hash)
  }

  // MARK: Walks

  /// A walk whose first member is that of rank `rank`; backwards it goes down from there.
  public func sortedWalk(
    _ key: Key, from rank: Int = 0, isReversed: Bool = false
  ) -> SortedSetWalk {
    arena.reader.sortedWalk(key.entry, from: rank, isReversed: isReversed, hash)
  }

  /// Goes to the next member.
  /// - Returns: false at the end.
  public func advance(_ walk: inout SortedSetWalk) -> Bool { arena.reader.advance(&walk) }

  /// The member at which a walk stands.
  @_lifetime(borrow self)
  public borrowing func member(_ walk: SortedSetWalk) -> Element { arena.reader.member(walk) }

  public func score(_ walk: SortedSetWalk) -> Double { arena.reader.score(walk) }

  /// A walk that stands at a member at random; the set is not empty.
  public mutating func randomMember(_ key: Key) -> SortedSetWalk {
    let count = sortedCount(key)
    var walk = sortedWalk(key, from: Int.random(in: 0..<count, using: &random))
    let isThere = advance(&walk)
    precondition(isThere, "a sorted set has fewer members than it says")
    return walk
  }

  /// A number below `limit` at random.
  public mutating func randomIndex(below limit: Int) -> Int {
    Int.random(in: 0..<limit, using: &random)
  }

  /// One step of ZSCAN over a large set, as `scan`; nil for a packed one, of which all members are
  /// returned in one step.
  public func scanSortedSet(
    _ key: Key, cursor: UInt64, count: Int, into entries: inout EntryList
  ) -> UInt64? {
    guard arena.reader.entry(key.entry).header.encoding == .sortedTree else { return nil }
    let table = arena.reader.sortedTree(key.entry, hash).table
    return Self.scan(table, arena, cursor: cursor, count: count, into: &entries)
  }

  /// The score in an entry that `scanSortedSet` returned.
  public func memberScore(_ entry: ScannedEntry) -> Double { arena.reader.score(entry) }

  // MARK: Sorted sets under construction

  /// A sorted set that no key has yet: the result of a union or of a range.
  public struct ScoreDraft: BitwiseCopyable {
    var draft: SortedSetDraft
  }

  public mutating func makeScoreDraft() throws(CommandError) -> ScoreDraft {
    do throws(ArenaFull) {
      return ScoreDraft(draft: try SortedSetDraft(&arena, hash))
    } catch {
      throw .outOfMemory
    }
  }

  /// Adds a member, or changes the score that it has there. Discards the draft when there is no
  /// memory.
  public mutating func add(
    _ member: borrowing Span<UInt8>, _ score: Double, to draft: inout ScoreDraft,
    _ aggregate: (_ old: Double, _ new: Double) -> Double = { _, new in new }
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try draft.draft.add(&arena, member, score, aggregate)
    } catch {
      draft.draft.discard(&arena)
      throw .outOfMemory
    }
  }

  /// Adds a member behind all others. Discards the draft when there is no memory.
  public mutating func append(
    _ member: borrowing Span<UInt8>, _ score: Double, to draft: inout ScoreDraft
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try draft.draft.append(&arena, member, score)
    } catch {
      draft.draft.discard(&arena)
      throw .outOfMemory
    }
  }

  public func count(_ draft: ScoreDraft) -> Int { draft.draft.count(arena.reader) }

  /// All members of a draft in order.
  public func sorted(_ draft: ScoreDraft) -> [ScoredMember] { draft.draft.sorted(arena) }

  /// A draft's member.
  @_lifetime(borrow self)
  public borrowing func text(_ member: ScoredMember) -> Span<UInt8> {
    arena.reader.entry(member.entry).key
  }

  public mutating func discard(_ draft: ScoreDraft) { draft.draft.discard(&arena) }

  /// Puts a draft, which is not empty, over whatever has the key; counts one change.
  public mutating func store(
    _ draft: inout ScoreDraft, _ key: borrowing Span<UInt8>
  ) throws(CommandError) {
    let entry: Ref<Entry>
    do throws(ArenaFull) {
      entry = try draft.draft.finish(&arena, key: key, access: initialAccess, limits)
    } catch {
      draft.draft.discard(&arena)
      throw .outOfMemory
    }
    try store(entry, key)
  }
}

public typealias ScoredMember = Structures.ScoredMember
