// CountedTree: a B+tree that counts. Items of a fixed size, in an order that the owner keeps, each
// with a weight; found by key and by position, and ranked, in O(log n).
//
//   tree (24 bytes, in the owner's record)   | root 5, height 1, 0 2 | items 8 | weight 8 |
//
//   inner node  | front 8 | child 8 ... | weight 8 ... | first key ... |
//   leaf        | front 8 | item | item | ... |
//   front       | count 2 | capacity 2 | level 1 | 0 3 |          level 0 is a leaf
//
//                 inner  ( a  m )            a, m: the first keys of the two leaves,
//                        /      \                  beside the weight of what is below
//             leaf ( a c f )  ( m n z )
//
// 1. All leaves are equally deep; height 0 is an empty tree, height 1 a root that is a leaf.
// 2. An inner node has, of each child, the place, the first item's key as that item has it now, and
//    the sum of the weights below.
// 3. No node is empty, and a root that is inner has two children at least. Two neighbours under one
//    parent are merged once one is less than half full and both fit three quarters of a node.
// 4. A leaf that is the root may have a smaller capacity; all other nodes have their kind's own.
// 5. Items are in the order of their owner's probes; the tree compares none by itself.
// 6. A place dies with any change of the tree.

import Memory

/// What a counted tree holds.
public protocol CountedItem: BitwiseCopyable {
  /// What inner nodes keep of an item to search by; an empty type when only positions count.
  associatedtype Key: BitwiseCopyable, Equatable
  var key: Key { get }
  /// How many positions the item takes, at least 1.
  var weight: Int { get }
  /// Whether every item weighs 1, so that positions need no adding up.
  static var hasUnitWeight: Bool { get }
}

/// What is searched for.
public protocol TreeProbe<Key>: ~Escapable {
  associatedtype Key: BitwiseCopyable
  /// Whether what is searched for lies behind `key`. True for the keys of the tree's first items,
  /// false from one on.
  borrowing func follows(_ key: Key, _ reader: borrowing ArenaReader) -> Bool
}

/// A place between the items of a tree, or the item behind it: the way there from the root.
@frozen public struct TreePlace: BitwiseCopyable, Sendable {
  /// From the root down: | index 24 bits | node's unit 40 bits |.
  @usableFromInline var steps = InlineArray<12, UInt64>(repeating: 0)

  @inlinable init() {}

  @inlinable func node(_ depth: Int) -> Int {
    Int(truncatingIfNeeded: (steps[depth] & 0xFF_FFFF_FFFF) &<< 3)
  }

  @inlinable func index(_ depth: Int) -> Int { Int(truncatingIfNeeded: steps[depth] &>> 40) }

  @inlinable mutating func set(_ depth: Int, _ node: Int, _ index: Int) {
    steps[depth] =
      UInt64(truncatingIfNeeded: index) &<< 40 | UInt64(truncatingIfNeeded: node) &>> 3
  }

  @inlinable mutating func setIndex(_ depth: Int, _ index: Int) {
    set(depth, node(depth), index)
  }
}

/// Names the nodes of trees.
public enum TreeNode {}

@frozen public struct CountedTree<Item: CountedItem>: BitwiseCopyable, Sendable {
  @usableFromInline var rootBits: UInt64
  @usableFromInline var items: Int
  @usableFromInline var total: Int

  /// Root and height: all that a tree which is being taken down is known by.
  @inlinable public var rootWord: UInt64 { rootBits }
  /// How many items there are.
  @inlinable public var count: Int { items }
  /// The sum of their weights.
  @inlinable public var weight: Int { total }

  /// An empty tree; it takes no memory.
  @inlinable public init() {
    rootBits = 0
    items = 0
    total = 0
  }

  /// A tree from its owner's record.
  @inlinable public init(rootWord: UInt64, count: Int, weight: Int) {
    rootBits = rootWord
    items = count
    total = weight
  }

  /// The bytes that an owner keeps of a tree.
  @inlinable public static var recordBytes: Int { 24 }
  @inlinable public var isEmpty: Bool { rootBits == 0 }
  @inlinable public var height: Int { Int(truncatingIfNeeded: rootWord &>> 40) }
  @inlinable var root: Int { Int(truncatingIfNeeded: (rootWord & 0xFF_FFFF_FFFF) &<< 3) }

  // MARK: Nodes

  @inlinable static var itemBytes: Int { MemoryLayout<Item>.size }
  @inlinable static var keyBytes: Int { MemoryLayout<Item.Key>.size }
  @inlinable static var frontBytes: Int { 8 }
  @inlinable static var leafBytes: Int { 1024 }
  @inlinable static var innerBytes: Int { 2048 }
  /// The items of a full leaf.
  @inlinable public static var leafCapacity: Int { (leafBytes &- frontBytes) / itemBytes }
  /// The children of a full inner node.
  @inlinable public static var innerCapacity: Int {
    (innerBytes &- frontBytes) / (16 &+ keyBytes)
  }

  @inlinable static func count(_ reader: borrowing ArenaReader, _ node: Int) -> Int {
    // SAFETY: nodes are made by `makeNode` only, and begin with their front.
    unsafe Int(reader.base.load(fromByteOffset: node, as: UInt16.self))
  }

  @inlinable static func capacity(_ reader: borrowing ArenaReader, _ node: Int) -> Int {
    // SAFETY: as in `count`.
    unsafe Int(reader.base.load(fromByteOffset: node &+ 2, as: UInt16.self))
  }

  @inlinable static func childOffset(_ index: Int) -> Int { frontBytes &+ index &* 8 }

  @inlinable static func weightOffset(_ index: Int) -> Int {
    frontBytes &+ (innerCapacity &+ index) &* 8
  }

  @inlinable static func keyOffset(_ index: Int) -> Int {
    frontBytes &+ innerCapacity &* 16 &+ index &* keyBytes
  }

  @inlinable static func itemOffset(_ index: Int) -> Int { frontBytes &+ index &* itemBytes }

  @inlinable static func child(_ reader: borrowing ArenaReader, _ node: Int, _ index: Int) -> Int {
    // SAFETY: the index is below the inner node's count (the callers').
    let unit = unsafe reader.base.load(
      fromByteOffset: node &+ childOffset(index), as: UInt64.self)
    return Int(truncatingIfNeeded: unit &<< 3)
  }

  @inlinable static func weight(_ reader: borrowing ArenaReader, _ node: Int, _ index: Int) -> Int {
    // SAFETY: as in `child`.
    unsafe reader.base.load(fromByteOffset: node &+ weightOffset(index), as: Int.self)
  }

  @inlinable static func key(
    _ reader: borrowing ArenaReader, _ node: Int, _ index: Int
  ) -> Item.Key {
    // SAFETY: as in `child`.
    unsafe reader.base.loadUnaligned(
      fromByteOffset: node &+ keyOffset(index), as: Item.Key.self)
  }

  @inlinable static func item(_ reader: borrowing ArenaReader, _ leaf: Int, _ index: Int) -> Item {
    // SAFETY: the index is below the leaf's count (the callers').
    unsafe reader.base.loadUnaligned(fromByteOffset: leaf &+ itemOffset(index), as: Item.self)
  }

  // MARK: Places

  /// The place before the first item.
  @inlinable public func start(_ reader: borrowing ArenaReader) -> TreePlace {
    descend(reader) { _, _, _ in 0 }
  }

  /// The place behind the last item.
  @inlinable public func end(_ reader: borrowing ArenaReader) -> TreePlace {
    descend(reader) { _, depth, count in depth == height - 1 ? count : count - 1 }
  }

  /// The place before the first item that the probe does not follow.
  @inlinable public func lowerBound<Probe: TreeProbe & ~Escapable>(
    _ reader: borrowing ArenaReader, _ probe: borrowing Probe
  ) -> TreePlace where Probe.Key == Item.Key {
    var place = TreePlace()
    var node = root
    let leafDepth = height &- 1
    guard leafDepth >= 0 else { return place }
    for depth in 0..<leafDepth {
      // The last child whose first key the probe follows, or the first one.
      var low = 1
      var high = Self.count(reader, node)
      while low < high {
        let middle = (low &+ high) &>> 1
        if probe.follows(Self.key(reader, node, middle), reader) {
          low = middle &+ 1
        } else {
          high = middle
        }
      }
      place.set(depth, node, low &- 1)
      node = Self.child(reader, node, low &- 1)
    }
    var low = 0
    var high = Self.count(reader, node)
    while low < high {
      let middle = (low &+ high) &>> 1
      if probe.follows(Self.item(reader, node, middle).key, reader) {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    place.set(leafDepth, node, low)
    return place
  }

  /// The place before the item that holds position `position`, and how far inside it that is; the
  /// end from the tree's weight on.
  @inlinable public func place(
    _ reader: borrowing ArenaReader, at position: Int
  ) -> (place: TreePlace, rest: Int) {
    guard position < weight else { return (end(reader), 0) }
    var place = TreePlace()
    var node = root
    var rest = max(position, 0)
    let leafDepth = height &- 1
    for depth in 0..<leafDepth {
      var index = 0
      var below = Self.weight(reader, node, 0)
      while rest >= below {
        rest &-= below
        index &+= 1
        below = Self.weight(reader, node, index)
      }
      place.set(depth, node, index)
      node = Self.child(reader, node, index)
    }
    if Item.hasUnitWeight {
      place.set(leafDepth, node, rest)
      return (place, 0)
    }
    var index = 0
    var own = Self.item(reader, node, 0).weight
    while rest >= own {
      rest &-= own
      index &+= 1
      own = Self.item(reader, node, index).weight
    }
    place.set(leafDepth, node, index)
    return (place, rest)
  }

  /// The sum of the weights before the place: the rank of the item behind it.
  @inlinable public func weightBefore(
    _ reader: borrowing ArenaReader, _ place: TreePlace
  ) -> Int {
    let leafDepth = height &- 1
    guard leafDepth >= 0 else { return 0 }
    var sum = 0
    for depth in 0..<leafDepth {
      let node = place.node(depth)
      for index in 0..<place.index(depth) { sum &+= Self.weight(reader, node, index) }
    }
    if Item.hasUnitWeight { return sum &+ place.index(leafDepth) }
    for index in 0..<place.index(leafDepth) {
      sum &+= Self.item(reader, place.node(leafDepth), index).weight
    }
    return sum
  }

  /// Whether there is an item behind the place, which moves to it.
  @inlinable public func hasItem(
    _ reader: borrowing ArenaReader, _ place: inout TreePlace
  ) -> Bool {
    let leafDepth = height &- 1
    guard leafDepth >= 0 else { return false }
    if place.index(leafDepth) < Self.count(reader, place.node(leafDepth)) { return true }
    return moveToNextLeaf(reader, &place)
  }

  /// The item behind the place; `hasItem` has just said that there is one.
  @inlinable public func item(_ reader: borrowing ArenaReader, _ place: TreePlace) -> Item {
    let leafDepth = height &- 1
    let leaf = place.node(leafDepth)
    precondition(place.index(leafDepth) < Self.count(reader, leaf), "no item at this place")
    return Self.item(reader, leaf, place.index(leafDepth))
  }

  /// How many items there are from the place to the end of its leaf.
  @inlinable public func itemsInLeaf(_ reader: borrowing ArenaReader, _ place: TreePlace) -> Int {
    let leafDepth = height &- 1
    guard leafDepth >= 0 else { return 0 }
    return Self.count(reader, place.node(leafDepth)) &- place.index(leafDepth)
  }

  /// Moves the place over `count` items that are in its leaf.
  @inlinable public func advance(_ place: inout TreePlace, by count: Int = 1) {
    place.setIndex(height &- 1, place.index(height &- 1) &+ count)
  }

  /// Moves the place before the item in front of it.
  /// - Returns: false at the start.
  @inlinable public func retreat(
    _ reader: borrowing ArenaReader, _ place: inout TreePlace
  ) -> Bool {
    let leafDepth = height &- 1
    guard leafDepth >= 0 else { return false }
    if place.index(leafDepth) > 0 {
      place.setIndex(leafDepth, place.index(leafDepth) &- 1)
      return true
    }
    return moveToLeafBefore(reader, &place)
  }

  /// The place before the first item of the last leaf, for taking a tree down from its end.
  public func lastLeaf(_ reader: borrowing ArenaReader) -> TreePlace {
    descend(reader) { _, depth, count in depth == height - 1 ? 0 : count - 1 }
  }

  // MARK: Moving about

  @inlinable func descend(
    _ reader: borrowing ArenaReader, _ choose: (_ node: Int, _ depth: Int, _ count: Int) -> Int
  ) -> TreePlace {
    var place = TreePlace()
    var node = root
    for depth in 0..<height {
      let index = choose(node, depth, Self.count(reader, node))
      place.set(depth, node, index)
      if depth < height &- 1 { node = Self.child(reader, node, index) }
    }
    return place
  }

  @usableFromInline func moveToNextLeaf(
    _ reader: borrowing ArenaReader, _ place: inout TreePlace
  ) -> Bool {
    var depth = height - 2
    while depth >= 0 && place.index(depth) + 1 >= Self.count(reader, place.node(depth)) {
      depth -= 1
    }
    guard depth >= 0 else { return false }
    place.setIndex(depth, place.index(depth) + 1)
    while depth < height - 1 {
      let node = Self.child(reader, place.node(depth), place.index(depth))
      depth += 1
      place.set(depth, node, 0)
    }
    return true
  }

  @usableFromInline func moveToLeafBefore(
    _ reader: borrowing ArenaReader, _ place: inout TreePlace
  ) -> Bool {
    var depth = height - 2
    while depth >= 0 && place.index(depth) == 0 { depth -= 1 }
    guard depth >= 0 else { return false }
    place.setIndex(depth, place.index(depth) - 1)
    while depth < height - 1 {
      let node = Self.child(reader, place.node(depth), place.index(depth))
      depth += 1
      place.set(depth, node, Self.count(reader, node) - 1)
    }
    return true
  }
}
