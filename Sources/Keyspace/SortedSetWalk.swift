// SortedSetWalk: a place in a sorted set, whatever its encoding, and the way to the next member, in
// either direction.
//
//   listpack     | member | score | member | score | ...      the member's place
//   sortedTree   ( item item | item ... )                     the place before the item
//
// 1. A walk is good while the set does not change.

import Bytes
import Memory
import Structures

public struct SortedSetWalk: BitwiseCopyable, Sendable {
  let set: Ref<Entry>
  let isPacked: Bool
  let isReversed: Bool
  /// Whether the walk has not begun: its place is then that of the first member, or, backwards, the
  /// one behind it.
  var isFresh = true
  /// The present member's place in the listpack.
  var offset = 0
  var tree = CountedTree<ScoredMember>()
  var place: TreePlace?
  var item = ScoredMember(0, .null)
}

extension ArenaReader {
  /// A walk whose first member is that of rank `rank`; backwards it goes down from there.
  public func sortedWalk(
    _ set: Ref<Entry>, from rank: Int, isReversed: Bool, _ hash: KeyedHash
  ) -> SortedSetWalk {
    let isPacked = entry(set).header.encoding == .listpack
    var walk = SortedSetWalk(set: set, isPacked: isPacked, isReversed: isReversed)
    let start = isReversed ? rank + 1 : rank
    if isPacked {
      let list = listpack(set)
      let end = list.end
      walk.offset = list.place(of: start * 2) ?? end
    } else {
      walk.tree = sortedTree(set, hash).tree
      walk.place = walk.tree.place(self, at: start).place
    }
    return walk
  }

  /// Goes to the next member.
  /// - Returns: false at the end.
  public func advance(_ walk: inout SortedSetWalk) -> Bool {
    walk.isPacked ? advanceInListpack(&walk) : advanceInTree(&walk)
  }

  private func advanceInListpack(_ walk: inout SortedSetWalk) -> Bool {
    let list = listpack(walk.set)
    defer { walk.isFresh = false }
    if walk.isReversed {
      guard walk.offset > list.start else { return false }
      walk.offset = list.previous(list.previous(walk.offset))
      return true
    }
    if !walk.isFresh { walk.offset = list.skip(walk.offset, 2) }
    return walk.offset < list.end
  }

  private func advanceInTree(_ walk: inout SortedSetWalk) -> Bool {
    guard var place = walk.place else { return false }
    if walk.isReversed {
      guard walk.tree.retreat(self, &place) else { return false }
    } else {
      if !walk.isFresh { walk.tree.advance(&place) }
      guard walk.tree.hasItem(self, &place) else { return false }
    }
    walk.isFresh = false
    walk.item = walk.tree.item(self, place)
    walk.place = place
    return true
  }

  /// The member at which the walk stands.
  @_lifetime(copy self)
  public func member(_ walk: SortedSetWalk) -> Element {
    guard walk.isPacked else { return Element(text: entry(walk.item.entry).key) }
    return listpack(walk.set).element(walk.offset)
  }

  /// The score of the member at which the walk stands.
  public func score(_ walk: SortedSetWalk) -> Double {
    guard walk.isPacked else { return walk.item.score }
    let list = listpack(walk.set)
    return list.element(list.next(walk.offset)).score
  }
}
