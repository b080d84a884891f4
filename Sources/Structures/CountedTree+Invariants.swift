// Proof of CountedTree's invariants, for tests. The numbers are those of CountedTree.swift.

import Memory

extension CountedTree {
  /// Traps unless every invariant holds. Looks at the whole tree.
  /// - Parameter isOrdered: whether the second item belongs behind the first (invariant 5).
  public func checkInvariants(
    _ reader: borrowing ArenaReader, isOrdered: (Item, Item) -> Bool = { _, _ in true }
  ) {
    guard height > 0 else {
      precondition(rootWord == 0 && count == 0 && weight == 0, "1: an empty tree holds something")
      return
    }
    precondition(height == 1 || Self.count(reader, root) > 1, "3: a root has one child")
    var last: Item?
    let (count, weight) = check(reader, root, height - 1, &last, isOrdered)
    precondition(count == self.count, "the tree's count is wrong")
    precondition(weight == self.weight, "the tree's weight is wrong")
  }

  private func check(
    _ reader: borrowing ArenaReader, _ node: Int, _ level: Int, _ last: inout Item?,
    _ isOrdered: (Item, Item) -> Bool
  ) -> (count: Int, weight: Int) {
    let held = Self.count(reader, node)
    let capacity = Self.capacity(reader, node)
    precondition(Self.level(reader, node) == level, "1: a leaf lies at another depth")
    precondition(held > 0 && held <= capacity, "3: a node is empty, or holds too much")
    let own = level == 0 ? Self.leafCapacity : Self.innerCapacity
    precondition(
      capacity == own || (height == 1 && capacity < own), "4: a node's capacity is wrong")
    var count = 0
    var weight = 0
    for index in 0..<held {
      guard level > 0 else {
        let item = Self.item(reader, node, index)
        if let last { precondition(isOrdered(last, item), "5: items are out of order") }
        precondition(item.weight > 0, "an item weighs nothing")
        last = item
        weight += item.weight
        count += 1
        continue
      }
      let child = Self.child(reader, node, index)
      if Self.keyBytes > 0 {
        precondition(
          Self.key(reader, node, index) == Self.firstKey(reader, child), "2: a key is wrong")
      }
      let below = check(reader, child, level - 1, &last, isOrdered)
      precondition(below.weight == Self.weight(reader, node, index), "2: a weight is wrong")
      count += below.count
      weight += below.weight
    }
    return (count, weight)
  }
}
