// Inserting and replacing items, and splitting what is full. Invariants: CountedTree.swift.
//
//   full leaf ──► has it all of its capacity? no: a larger one
//             ──► a neighbour with room? it takes half of that
//             ──► split: in the middle; at the tree's ends all but one item stay behind
//
// 1. Whatever needs memory is allocated before anything changes, step by step: when there is none
//    the tree is whole, if perhaps with a node more.

import Memory

/// Where a full node is split.
private enum Split {
  /// Where the tree is appended to: all but one stay behind.
  case last
  /// Where it is prepended to.
  case first
  case middle

  func position(_ count: Int) -> Int {
    switch self {
    case .last: count - 1
    case .first: 1
    case .middle: count / 2
    }
  }
}

extension CountedTree {
  /// Inserts `item` at the place.
  @inlinable public mutating func insert(
    _ arena: inout Arena, _ item: Item, at place: TreePlace
  ) throws(ArenaFull) {
    var place = place
    if height == 0 {
      let leaf = try Self.makeNode(&arena, level: 0, capacity: min(8, Self.leafCapacity))
      setRoot(leaf, height: 1)
      place.set(0, leaf, 0)
    } else {
      let leaf = place.node(height &- 1)
      if Self.count(arena.reader, leaf) == Self.capacity(arena.reader, leaf) {
        try makeRoom(&arena, &place)
      }
    }
    let leafDepth = height &- 1
    let leaf = place.node(leafDepth)
    let index = place.index(leafDepth)
    let count = Self.count(arena.reader, leaf)
    Self.moveItems(&arena, from: leaf, index, to: leaf, index &+ 1, count: count &- index)
    Self.storeItem(&arena, leaf, index, item)
    Self.setCount(&arena, leaf, count &+ 1)
    items &+= 1
    addWeight(&arena, place, item.weight)
    if index == 0 { refreshKeys(&arena, place, from: leafDepth) }
  }

  /// Inserts `item` behind the last one.
  @inlinable public mutating func append(_ arena: inout Arena, _ item: Item) throws(ArenaFull) {
    try insert(&arena, item, at: end(arena.reader))
  }

  /// Replaces the item behind the place by one that belongs there, too.
  @inlinable public mutating func replace(
    _ arena: inout Arena, _ item: Item, at place: TreePlace
  ) {
    let leafDepth = height &- 1
    let old = self.item(arena.reader, place)
    Self.storeItem(&arena, place.node(leafDepth), place.index(leafDepth), item)
    let change = item.weight &- old.weight
    if change != 0 { addWeight(&arena, place, change) }
    if place.index(leafDepth) == 0 && item.key != old.key {
      refreshKeys(&arena, place, from: leafDepth)
    }
  }

  // MARK: Room

  @usableFromInline mutating func makeRoom(
    _ arena: inout Arena, _ place: inout TreePlace
  ) throws(ArenaFull) {
    let depth = height - 1
    let leaf = place.node(depth)
    let capacity = Self.capacity(arena.reader, leaf)
    if capacity < Self.leafCapacity {
      // Invariant 4: it is the root.
      let larger = try Self.makeNode(
        &arena, level: 0, capacity: min(capacity * 2, Self.leafCapacity))
      Self.moveItems(&arena, from: leaf, 0, to: larger, 0, count: capacity)
      Self.setCount(&arena, larger, capacity)
      arena.free(Ref<TreeNode>(offset: leaf))
      setRoot(larger, height: 1)
      return place.set(0, larger, place.index(0))
    }
    let isLast = isAtEnd(arena.reader, place)
    let isFirst = (0...depth).allSatisfy { place.index($0) == 0 }
    if !isLast && !isFirst && depth > 0 && shareWithNeighbour(&arena, &place) { return }
    try split(&arena, &place, depth, isLast ? .last : isFirst ? .first : .middle)
  }

  private func isAtEnd(_ reader: borrowing ArenaReader, _ place: TreePlace) -> Bool {
    let depth = height - 1
    for inner in 0..<depth
    where place.index(inner) + 1 < Self.count(reader, place.node(inner)) { return false }
    return place.index(depth) == Self.count(reader, place.node(depth))
  }

  /// Moves items of a full leaf into a neighbour under the same parent that has room for some.
  private mutating func shareWithNeighbour(
    _ arena: inout Arena, _ place: inout TreePlace
  ) -> Bool {
    let depth = height - 1
    let leaf = place.node(depth)
    let parent = place.node(depth - 1)
    let position = place.index(depth - 1)
    let index = place.index(depth)
    let count = Self.count(arena.reader, leaf)
    if position + 1 < Self.count(arena.reader, parent) {
      let right = Self.child(arena.reader, parent, position + 1)
      let moved = Self.share(Self.count(arena.reader, right))
      if moved > 0 {
        moveRight(&arena, parent, position, count: moved)
        if index > count - moved {
          place.set(depth - 1, parent, position + 1)
          place.set(depth, right, index - (count - moved))
        }
        return true
      }
    }
    guard position > 0 else { return false }
    let left = Self.child(arena.reader, parent, position - 1)
    let leftCount = Self.count(arena.reader, left)
    let moved = Self.share(leftCount)
    guard moved > 0 else { return false }
    moveLeft(&arena, parent, position, count: moved)
    if index <= moved {
      place.set(depth - 1, parent, position - 1)
      place.set(depth, left, leftCount + index)
    } else {
      place.setIndex(depth, index - moved)
    }
    return true
  }

  /// How many items a leaf with `count` of them takes over: half its room, if that is worth it.
  private static func share(_ count: Int) -> Int {
    let room = leafCapacity - count
    return room >= max(leafCapacity / 8, 2) ? room / 2 : 0
  }

  /// Moves the last items of leaf `position` of the parent to the front of the next one.
  private func moveRight(_ arena: inout Arena, _ parent: Int, _ position: Int, count: Int) {
    let left = Self.child(arena.reader, parent, position)
    let right = Self.child(arena.reader, parent, position + 1)
    let leftCount = Self.count(arena.reader, left)
    let rightCount = Self.count(arena.reader, right)
    Self.moveItems(&arena, from: right, 0, to: right, count, count: rightCount)
    Self.moveItems(&arena, from: left, leftCount - count, to: right, 0, count: count)
    Self.setCount(&arena, left, leftCount - count)
    Self.setCount(&arena, right, rightCount + count)
    settle(&arena, parent, position, weight: Self.sum(arena.reader, right, 0..<count))
  }

  /// Moves the first items of leaf `position` of the parent to the end of the one before.
  private func moveLeft(_ arena: inout Arena, _ parent: Int, _ position: Int, count: Int) {
    let left = Self.child(arena.reader, parent, position - 1)
    let right = Self.child(arena.reader, parent, position)
    let leftCount = Self.count(arena.reader, left)
    let rightCount = Self.count(arena.reader, right)
    let moved = Self.sum(arena.reader, right, 0..<count)
    Self.moveItems(&arena, from: right, 0, to: left, leftCount, count: count)
    Self.moveItems(&arena, from: right, count, to: right, 0, count: rightCount - count)
    Self.setCount(&arena, left, leftCount + count)
    Self.setCount(&arena, right, rightCount - count)
    settle(&arena, parent, position - 1, weight: -moved)
  }

  /// Makes the parent's facts true after `weight` went from child `position` to the next one.
  private func settle(_ arena: inout Arena, _ parent: Int, _ position: Int, weight: Int) {
    let left = Self.weight(arena.reader, parent, position)
    let right = Self.weight(arena.reader, parent, position + 1)
    Self.setWeight(&arena, parent, position, left - weight)
    Self.setWeight(&arena, parent, position + 1, right + weight)
    let child = Self.child(arena.reader, parent, position + 1)
    Self.setKey(&arena, parent, position + 1, Self.firstKey(arena.reader, child))
  }

  // MARK: Splitting

  /// Moves a part of the node at `depth` into a new node behind it. The place stays where it was
  /// among the items.
  private mutating func split(
    _ arena: inout Arena, _ place: inout TreePlace, _ depth: Int, _ split: Split
  ) throws(ArenaFull) {
    var depth = depth
    if depth > 0,
      Self.count(arena.reader, place.node(depth - 1)) == Self.innerCapacity
    {
      let before = height
      try self.split(&arena, &place, depth - 1, split)
      // With a new root, everything is one deeper.
      depth += height - before
    }
    let node = place.node(depth)
    let level = Self.level(arena.reader, node)
    let new = try Self.makeNode(
      &arena, level: level, capacity: level == 0 ? Self.leafCapacity : Self.innerCapacity)
    if depth == 0 {
      do throws(ArenaFull) {
        try growRoot(&arena, &place)
      } catch {
        arena.free(Ref<TreeNode>(offset: new))
        throw error
      }
      depth = 1
    }
    let at = split.position(Self.count(arena.reader, node))
    let moved = Self.moveTail(&arena, of: node, from: at, to: new)
    let parent = place.node(depth - 1)
    let position = place.index(depth - 1)
    let left = Self.weight(arena.reader, parent, position)
    Self.setWeight(&arena, parent, position, left - moved)
    Self.insertChild(&arena, parent, position + 1, new, weight: moved)
    let index = place.index(depth)
    if level == 0 ? index > at : index >= at {
      place.set(depth - 1, parent, position + 1)
      place.set(depth, new, index - at)
    }
  }

  /// Puts a new root over the old one, which becomes its only child, to be split at once.
  private mutating func growRoot(
    _ arena: inout Arena, _ place: inout TreePlace
  ) throws(ArenaFull) {
    precondition(height < 12, "a tree grows beyond all measure")
    let root = try Self.makeNode(&arena, level: height, capacity: Self.innerCapacity)
    Self.insertChild(&arena, root, 0, self.root, weight: weight)
    for depth in stride(from: height, to: 0, by: -1) {
      place.set(depth, place.node(depth - 1), place.index(depth - 1))
    }
    place.set(0, root, 0)
    setRoot(root, height: height + 1)
  }
}
