// ScoredMember: what the tree of a large sorted set holds, and how it is searched.
//
//   member's entry    | header | member | score 8 |          in the set's hash table
//   tree              | score 8 | ref 5 | ...                ordered by score, then by member
//
// 1. Score and ref of an item are those of its entry: the tree is searched without a look at the
//    entries unless scores are equal.
// 2. A score is never NaN. -0 and 0 are equal.

import Bytes
import Memory

@frozen public struct ScoredMember: CountedItem, Equatable, Sendable {
  public let score: Double
  @usableFromInline let low: UInt32
  @usableFromInline let high: UInt8

  @inlinable public init(_ score: Double, _ entry: Ref<Entry>) {
    self.score = score
    low = UInt32(truncatingIfNeeded: entry.unit)
    high = UInt8(truncatingIfNeeded: entry.unit &>> 32)
  }

  /// The entry whose key is the member.
  @inlinable public var entry: Ref<Entry> { Ref(unit: UInt64(high) &<< 32 | UInt64(low)) }

  @inlinable public var key: ScoredMember { self }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }

  @inlinable public static func == (a: ScoredMember, b: ScoredMember) -> Bool {
    a.score.bitPattern == b.score.bitPattern && a.low == b.low && a.high == b.high
  }
}

/// Searches the place of a member with a score.
@frozen public struct MemberProbe: TreeProbe, ~Escapable {
  @usableFromInline let score: Double
  @usableFromInline let member: Span<UInt8>

  @_lifetime(copy member)
  @inlinable public init(_ score: Double, _ member: Span<UInt8>) {
    self.score = score
    self.member = member
  }

  @inlinable public borrowing func follows(
    _ key: ScoredMember, _ reader: borrowing ArenaReader
  ) -> Bool {
    if key.score != score { return key.score < score }
    return reader.entry(key.entry).key.compare(member) < 0
  }
}

/// Searches the first member whose score is at least `score`, or above it.
@frozen public struct ScoreProbe: TreeProbe {
  @usableFromInline let score: Double
  @usableFromInline let isAbove: Bool

  @inlinable public init(_ score: Double, isAbove: Bool) {
    self.score = score
    self.isAbove = isAbove
  }

  @inlinable public borrowing func follows(
    _ key: ScoredMember, _ reader: borrowing ArenaReader
  ) -> Bool {
    key.score == score ? isAbove : key.score < score
  }
}

/// Searches the first member that is at least `member`, or behind it, where all scores are equal.
@frozen public struct TextProbe: TreeProbe, ~Escapable {
  @usableFromInline let member: Span<UInt8>
  @usableFromInline let isAbove: Bool

  @_lifetime(copy member)
  @inlinable public init(_ member: Span<UInt8>, isAbove: Bool) {
    self.member = member
    self.isAbove = isAbove
  }

  @inlinable public borrowing func follows(
    _ key: ScoredMember, _ reader: borrowing ArenaReader
  ) -> Bool {
    let order = reader.entry(key.entry).key.compare(member)
    return order == 0 ? isAbove : order < 0
  }
}

extension ArenaReader {
  /// The score in a member's entry.
  @inlinable public func score(_ member: Ref<Entry>) -> Double {
    // SAFETY: members' entries are made with a score as their value (`makeMember`).
    unsafe load(member, at: entry(member).valueOffset, as: Double.self)
  }
}

extension Arena {
  /// An entry for a member of a large sorted set.
  public mutating func makeMember(
    _ member: borrowing Span<UInt8>, score: Double
  ) throws(ArenaFull) -> Ref<Entry> {
    var bytes = InlineArray<8, UInt8>(repeating: 0)
    var rest = score.bitPattern
    for index in 0..<8 {
      bytes[index] = UInt8(truncatingIfNeeded: rest)
      rest &>>= 8
    }
    return try makeEntry(key: member, value: bytes.span)
  }

  /// Stores another score in a member's entry.
  @inlinable public mutating func setScore(_ member: Ref<Entry>, _ score: Double) {
    let offset = reader.entry(member).valueOffset
    // SAFETY: as in `ArenaReader.score`.
    unsafe write(member, at: offset, count: 8).storeBytes(of: score, as: Double.self)
  }
}
