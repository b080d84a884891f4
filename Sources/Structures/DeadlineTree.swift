// DeadlineTree: the deadlines of one large hash's fields, in order.
//
//   item   | deadline 8, milliseconds since 1970 | hash 8, of the field |
//
// 1. Items are in the order of deadline, then hash. There is one for each field with a deadline;
//    two equal ones only where two fields have the same hash.
// 2. An item says which field it means by its hash alone: the field is found in the table, so that
//    entries may move without the tree.

import Memory

@frozen public struct DeadlineItem: CountedItem, Equatable, Sendable {
  public let deadline: Int
  public let hash: UInt64

  @inlinable public init(deadline: Int, hash: UInt64) {
    self.deadline = deadline
    self.hash = hash
  }

  @inlinable public var key: DeadlineItem { self }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }

  static func < (a: DeadlineItem, b: DeadlineItem) -> Bool {
    a.deadline < b.deadline || a.deadline == b.deadline && a.hash < b.hash
  }
}

public typealias DeadlineTree = CountedTree<DeadlineItem>

private struct DeadlineProbe: TreeProbe {
  let item: DeadlineItem

  func follows(_ key: DeadlineItem, _ reader: borrowing ArenaReader) -> Bool { key < item }
}

extension CountedTree where Item == DeadlineItem {
  /// The item that is due first.
  public func first(_ reader: borrowing ArenaReader) -> DeadlineItem? {
    var place = start(reader)
    return hasItem(reader, &place) ? item(reader, place) : nil
  }

  /// How many deadlines lie before `time`.
  public func count(_ reader: borrowing ArenaReader, before time: Int) -> Int {
    let probe = DeadlineProbe(item: DeadlineItem(deadline: time, hash: 0))
    return weightBefore(reader, lowerBound(reader, probe))
  }

  public mutating func insert(_ arena: inout Arena, _ item: DeadlineItem) throws(ArenaFull) {
    try insert(&arena, item, at: lowerBound(arena.reader, DeadlineProbe(item: item)))
  }

  /// Removes one such item.
  /// - Returns: whether there was one.
  public mutating func remove(_ arena: inout Arena, _ item: DeadlineItem) -> Bool {
    var place = lowerBound(arena.reader, DeadlineProbe(item: item))
    guard hasItem(arena.reader, &place), self.item(arena.reader, place) == item else {
      return false
    }
    remove(&arena, at: place)
    return true
  }

  public func contains(_ reader: borrowing ArenaReader, _ item: DeadlineItem) -> Bool {
    var place = lowerBound(reader, DeadlineProbe(item: item))
    return hasItem(reader, &place) && self.item(reader, place) == item
  }

  /// A tree with the same items.
  public func clone(_ arena: inout Arena) throws(ArenaFull) -> DeadlineTree {
    var copy = DeadlineTree()
    var place = start(arena.reader)
    do throws(ArenaFull) {
      while hasItem(arena.reader, &place) {
        try copy.append(&arena, item(arena.reader, place))
        advance(&place)
      }
    } catch {
      copy.free(&arena)
      throw error
    }
    return copy
  }

  /// Traps unless the tree is sound and in order.
  public func checkOrder(_ reader: borrowing ArenaReader) {
    checkInvariants(reader) { first, second in !(second < first) }
  }
}
