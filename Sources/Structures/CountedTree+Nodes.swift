// The nodes of a CountedTree, written: layout and invariants in CountedTree.swift.

import Memory

extension CountedTree {
  /// A node without items or children, its offset in bytes.
  @inlinable static func makeNode(
    _ arena: inout Arena, level: Int, capacity: Int
  ) throws(ArenaFull) -> Int {
    let bytes = level == 0 ? frontBytes &+ capacity &* itemBytes : innerBytes
    let node: Ref<TreeNode> = try arena.allocate(
      level == 0 && capacity == leafCapacity ? leafBytes : bytes)
    // SAFETY: a fresh allocation that is longer than a front.
    let front = unsafe arena.write(node, count: frontBytes)
    unsafe front.storeBytes(
      of: UInt64(truncatingIfNeeded: capacity &<< 16 | level &<< 32), as: UInt64.self)
    return node.offset
  }

  @inlinable static func level(_ reader: borrowing ArenaReader, _ node: Int) -> Int {
    // SAFETY: a node begins with its front.
    unsafe Int(reader.base.load(fromByteOffset: node &+ 4, as: UInt8.self))
  }

  @inlinable mutating func setRoot(_ node: Int, height: Int) {
    rootBits = UInt64(truncatingIfNeeded: node) &>> 3 | UInt64(truncatingIfNeeded: height) &<< 40
  }

  // MARK: Stores

  @inlinable static func store<Value: BitwiseCopyable>(
    _ arena: inout Arena, _ node: Int, at offset: Int, _ value: Value
  ) {
    // SAFETY: the callers' offsets lie inside the node, whose capacity they have checked.
    unsafe arena.write(
      Ref<TreeNode>(offset: node), at: offset, count: max(MemoryLayout<Value>.size, 1)
    ).storeBytes(of: value, as: Value.self)
  }

  @inlinable static func setCount(_ arena: inout Arena, _ node: Int, _ count: Int) {
    store(&arena, node, at: 0, UInt16(truncatingIfNeeded: count))
  }

  @inlinable static func setWeight(
    _ arena: inout Arena, _ node: Int, _ index: Int, _ weight: Int
  ) {
    store(&arena, node, at: weightOffset(index), weight)
  }

  @inlinable static func setKey(
    _ arena: inout Arena, _ node: Int, _ index: Int, _ key: Item.Key
  ) {
    if keyBytes > 0 { store(&arena, node, at: keyOffset(index), key) }
  }

  @inlinable static func storeItem(
    _ arena: inout Arena, _ leaf: Int, _ index: Int, _ item: Item
  ) {
    store(&arena, leaf, at: itemOffset(index), item)
  }

  /// Moves `count` items; the two places may overlap.
  @inlinable static func moveItems(
    _ arena: inout Arena, from source: Int, _ index: Int, to target: Int, _ targetIndex: Int,
    count: Int
  ) {
    move(
      &arena, from: source &+ itemOffset(index), to: target &+ itemOffset(targetIndex),
      bytes: count &* itemBytes)
  }

  @inlinable static func move(
    _ arena: inout Arena, from source: Int, to target: Int, bytes: Int
  ) {
    guard bytes > 0 else { return }
    let from = unsafe arena.reader.base + source
    // The barrier takes the place as an offset from the node's own start, a multiple of eight.
    let start = target & ~7
    // SAFETY: both ranges lie inside nodes (the callers'); copyMemory handles the overlap.
    unsafe arena.write(Ref<TreeNode>(offset: start), at: target &- start, count: bytes)
      .copyMemory(from: from, byteCount: bytes)
  }

  // MARK: Paths

  /// Adds to the weights of the nodes on the way to the place, and of the tree.
  @inlinable mutating func addWeight(_ arena: inout Arena, _ place: TreePlace, _ change: Int) {
    total &+= change
    var depth = 0
    while depth < height &- 1 {
      let node = place.node(depth)
      let index = place.index(depth)
      Self.setWeight(
        &arena, node, index, Self.weight(arena.reader, node, index) &+ change)
      depth &+= 1
    }
  }

  /// Makes the keys above the node at depth `depth` true after its first item has changed.
  @inlinable func refreshKeys(_ arena: inout Arena, _ place: TreePlace, from depth: Int) {
    guard Self.keyBytes > 0 else { return }
    var depth = depth
    while depth > 0 {
      let parent = place.node(depth &- 1)
      let index = place.index(depth &- 1)
      let node = Self.child(arena.reader, parent, index)
      Self.setKey(&arena, parent, index, Self.firstKey(arena.reader, node))
      guard index == 0 else { return }
      depth &-= 1
    }
  }

  @inlinable static func firstKey(_ reader: borrowing ArenaReader, _ node: Int) -> Item.Key {
    level(reader, node) == 0 ? item(reader, node, 0).key : key(reader, node, 0)
  }

  /// The sum of the weights of a leaf's items `range`.
  @inlinable static func sum(
    _ reader: borrowing ArenaReader, _ leaf: Int, _ range: Range<Int>
  ) -> Int {
    if Item.hasUnitWeight { return range.count }
    var sum = 0
    for index in range { sum &+= item(reader, leaf, index).weight }
    return sum
  }

  // MARK: Children

  /// Enters a child that holds something; the node has room for it.
  static func insertChild(
    _ arena: inout Arena, _ node: Int, _ index: Int, _ child: Int, weight: Int
  ) {
    let count = count(arena.reader, node)
    precondition(index <= count && count < innerCapacity)
    moveChildren(&arena, node, index, to: node, index + 1, count: count - index)
    store(&arena, node, at: childOffset(index), UInt64(child) >> 3)
    setWeight(&arena, node, index, weight)
    setKey(&arena, node, index, firstKey(arena.reader, child))
    setCount(&arena, node, count + 1)
  }

  static func removeChild(_ arena: inout Arena, _ node: Int, _ index: Int) {
    let count = count(arena.reader, node)
    moveChildren(&arena, node, index + 1, to: node, index, count: count - index - 1)
    setCount(&arena, node, count - 1)
  }

  static func moveChildren(
    _ arena: inout Arena, _ source: Int, _ index: Int, to target: Int, _ targetIndex: Int,
    count: Int
  ) {
    move(
      &arena, from: source + childOffset(index), to: target + childOffset(targetIndex),
      bytes: count * 8)
    move(
      &arena, from: source + weightOffset(index), to: target + weightOffset(targetIndex),
      bytes: count * 8)
    move(
      &arena, from: source + keyOffset(index), to: target + keyOffset(targetIndex),
      bytes: count * keyBytes)
  }

  /// Moves what a node has from `at` on to the end of another of the same level.
  /// - Returns: the weight that was moved.
  static func moveTail(_ arena: inout Arena, of node: Int, from at: Int, to target: Int) -> Int {
    let moved = count(arena.reader, node) - at
    let before = count(arena.reader, target)
    var weight = 0
    if level(arena.reader, node) == 0 {
      weight = sum(arena.reader, node, at..<(at + moved))
      moveItems(&arena, from: node, at, to: target, before, count: moved)
    } else {
      for index in at..<(at + moved) { weight += self.weight(arena.reader, node, index) }
      moveChildren(&arena, node, at, to: target, before, count: moved)
    }
    setCount(&arena, node, at)
    setCount(&arena, target, before + moved)
    return weight
  }
}
