// Removing items, merging what has become small, and taking a tree down. Invariants:
// CountedTree.swift. Nothing here needs memory.

import Memory

extension CountedTree {
  /// Removes `count` items behind the place, all of them in its leaf (`itemsInLeaf`).
  public mutating func remove(_ arena: inout Arena, at place: TreePlace, count: Int = 1) {
    let depth = height - 1
    let leaf = place.node(depth)
    let index = place.index(depth)
    let held = Self.count(arena.reader, leaf)
    precondition(depth >= 0 && count > 0 && index + count <= held, "no such items at this place")
    let weight = Self.sum(arena.reader, leaf, index..<(index + count))
    Self.moveItems(
      &arena, from: leaf, index + count, to: leaf, index, count: held - index - count)
    Self.setCount(&arena, leaf, held - count)
    items -= count
    addWeight(&arena, place, -weight)
    if held == count {
      unlink(&arena, place, depth)
    } else {
      if index == 0 { refreshKeys(&arena, place, from: depth) }
      mergeIfSmall(&arena, place, depth)
    }
  }

  /// Removes the items at positions `range`, whatever lies behind them. `taken` sees them before,
  /// `count` at a time: those behind `place` in one leaf of the tree as it then is.
  public mutating func remove(
    _ arena: inout Arena, positions range: Range<Int>,
    _ taken: (_ arena: inout Arena, _ tree: Self, _ place: TreePlace, _ count: Int) -> Void
  ) {
    precondition(Item.hasUnitWeight && range.lowerBound >= 0 && range.upperBound <= weight)
    var left = range.count
    while left > 0 {
      let place = place(arena.reader, at: range.lowerBound).place
      let chunk = min(left, itemsInLeaf(arena.reader, place))
      taken(&arena, self, place, chunk)
      remove(&arena, at: place, count: chunk)
      left -= chunk
    }
  }

  /// Frees all nodes at once; the items' own belongings are the owner's.
  public mutating func free(_ arena: inout Arena) {
    if height > 0 { Self.free(&arena, root) }
    self = CountedTree()
  }

  /// Frees the last leaf of a tree that is being taken down: its counts and weights are no longer
  /// kept, and nothing else may be done with it. `taken` sees each of the leaf's items.
  /// - Returns: how many items there were; 0 when the tree is gone.
  public mutating func dropLastLeaf(
    _ arena: inout Arena, _ taken: (_ arena: inout Arena, _ item: Item) -> Void = { _, _ in }
  ) -> Int {
    guard height > 0 else { return 0 }
    let place = lastLeaf(arena.reader)
    let leaf = place.node(height - 1)
    let held = Self.count(arena.reader, leaf)
    for index in 0..<held { taken(&arena, Self.item(arena.reader, leaf, index)) }
    arena.free(Ref<TreeNode>(offset: leaf))
    var depth = height - 2
    while depth >= 0 {
      let node = place.node(depth)
      let left = Self.count(arena.reader, node) - 1
      Self.setCount(&arena, node, left)
      if left > 0 { return held }
      arena.free(Ref<TreeNode>(offset: node))
      depth -= 1
    }
    self = CountedTree()
    return held
  }

  private static func free(_ arena: inout Arena, _ node: Int) {
    if level(arena.reader, node) > 0 {
      for index in 0..<count(arena.reader, node) { free(&arena, child(arena.reader, node, index)) }
    }
    arena.free(Ref<TreeNode>(offset: node))
  }

  /// The bytes that the nodes take. Looks at the inner nodes only.
  public func structureBytes(_ reader: borrowing ArenaReader) -> Int {
    if height == 0 { return 0 }
    if height == 1 { return Self.frontBytes + Self.capacity(reader, root) * Self.itemBytes }
    return Self.bytes(reader, root, level: height - 1)
  }

  private static func bytes(_ reader: borrowing ArenaReader, _ node: Int, level: Int) -> Int {
    let count = count(reader, node)
    if level == 1 { return innerBytes + count * leafBytes }
    var sum = innerBytes
    for index in 0..<count { sum += bytes(reader, child(reader, node, index), level: level - 1) }
    return sum
  }

  // MARK: Small nodes

  /// Takes the empty node at `depth` out of the tree, and with it parents that it leaves empty.
  private mutating func unlink(_ arena: inout Arena, _ place: TreePlace, _ depth: Int) {
    arena.free(Ref<TreeNode>(offset: place.node(depth)))
    guard depth > 0 else {
      rootBits = 0
      return
    }
    let parent = place.node(depth - 1)
    let index = place.index(depth - 1)
    Self.removeChild(&arena, parent, index)
    if Self.count(arena.reader, parent) == 0 { return unlink(&arena, place, depth - 1) }
    if index == 0 { refreshKeys(&arena, place, from: depth - 1) }
    mergeIfSmall(&arena, place, depth - 1)
  }

  /// Invariant 3, for the node at `depth`, which has lost something.
  private mutating func mergeIfSmall(_ arena: inout Arena, _ place: TreePlace, _ depth: Int) {
    if depth == 0 { return lowerRoot(&arena) }
    let node = place.node(depth)
    let count = Self.count(arena.reader, node)
    let capacity = Self.capacity(arena.reader, node)
    guard count < capacity / 2 else { return }
    let parent = place.node(depth - 1)
    let index = place.index(depth - 1)
    let limit = capacity * 3 / 4
    var left = index
    if index + 1 < Self.count(arena.reader, parent), fits(arena.reader, parent, index + 1) {
      left = index
    } else if index > 0, fits(arena.reader, parent, index - 1) {
      left = index - 1
    } else {
      return
    }
    merge(&arena, parent, left)
    mergeIfSmall(&arena, place, depth - 1)

    func fits(_ reader: borrowing ArenaReader, _ parent: Int, _ other: Int) -> Bool {
      Self.count(reader, Self.child(reader, parent, other)) + count <= limit
    }
  }

  /// Merges children `position` and `position + 1` of the parent into the first.
  private func merge(_ arena: inout Arena, _ parent: Int, _ position: Int) {
    let left = Self.child(arena.reader, parent, position)
    let right = Self.child(arena.reader, parent, position + 1)
    let moved = Self.moveTail(&arena, of: right, from: 0, to: left)
    let weight = Self.weight(arena.reader, parent, position)
    Self.setWeight(&arena, parent, position, weight + moved)
    Self.removeChild(&arena, parent, position + 1)
    arena.free(Ref<TreeNode>(offset: right))
  }

  /// A root with one child gives way to it.
  private mutating func lowerRoot(_ arena: inout Arena) {
    while height > 1 && Self.count(arena.reader, root) == 1 {
      let child = Self.child(arena.reader, root, 0)
      let old = root
      setRoot(child, height: height - 1)
      arena.free(Ref<TreeNode>(offset: old))
    }
  }
}
