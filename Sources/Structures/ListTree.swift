// ListTree: a long list: a counted tree of leaves, each of them a listpack in a blob of its own.
//
//   root record of the entry   | tree 24 |
//   tree                       leaf of 450 elements ── leaf of 12 ── leaf of 1 ── ...
//   item                       | blob's unit 40 bits | elements 24 bits |
//
// 1. No leaf is empty; an item counts the elements of its leaf. The tree's weight is the list's
//    length.
// 2. A leaf grows up to the limit; an element that is over it by itself has a leaf of its own.
// 3. Leaves are merged only next to where one was split: taking elements away leaves small ones.

import Bytes
import Memory

/// How much one listpack of a list may hold, as `list-max-listpack-size` says it: up to n elements,
/// or, for -1 to -5, up to 4, 8, 16, 32 or 64 KiB.
@frozen public struct ListLimit: BitwiseCopyable, Equatable, Sendable {
  public let bytes: Int
  public let elements: Int

  @inlinable public init(_ setting: Int) {
    if setting >= 0 {
      // Whatever their number, elements that are long do not share a leaf.
      bytes = 8192
      elements = max(setting, 1)
    } else {
      bytes = 2048 << min(-setting, 5)
      elements = .max
    }
  }

  /// What Redis adds to an element's length when it judges whether a leaf has room.
  @inlinable static var estimatedOverhead: Int { 8 }

  @inlinable public func allows(bytes: Int, elements: Int) -> Bool {
    bytes <= self.bytes && elements <= self.elements
  }

  /// Whether a tree of one leaf becomes a listpack again: below half of the limit.
  public func mayShrink(bytes: Int, elements: Int) -> Bool {
    if self.elements == .max { return bytes <= self.bytes / 2 }
    // Where elements are counted, an element that is over the limit alone still bars the way.
    return elements <= self.elements / 2 && (elements > 1 || bytes <= self.bytes)
  }

  /// Whether an element of `count` bytes has to have a leaf of its own.
  @inlinable func isLarge(_ count: Int) -> Bool { count > bytes }
}

/// An item of a list's tree.
@frozen public struct ListLeaf: CountedItem {
  @usableFromInline var bits: UInt64

  @inlinable init(_ blob: Ref<Blob>, count: Int) {
    assert(count > 0 && count < 1 << 24)
    bits = blob.unit | UInt64(truncatingIfNeeded: count) &<< 40
  }

  @inlinable public var blob: Ref<Blob> { Ref(unit: bits & 0xFF_FFFF_FFFF) }
  @inlinable public var weight: Int { Int(truncatingIfNeeded: bits &>> 40) }
  @inlinable public static var hasUnitWeight: Bool { false }

  /// Only positions count.
  @frozen public struct Key: BitwiseCopyable, Equatable, Sendable {
    @inlinable init() {}
  }
  @inlinable public var key: Key { Key() }
}

@frozen public struct ListTree: BitwiseCopyable, Sendable {
  public var tree: CountedTree<ListLeaf>
  @usableFromInline let limit: ListLimit

  @inlinable public init(_ tree: CountedTree<ListLeaf>, _ limit: ListLimit) {
    self.tree = tree
    self.limit = limit
  }

  /// How many elements there are.
  @inlinable public var count: Int { tree.weight }

  // MARK: Adding

  /// Adds an element in front of the one at `index`, or behind all. Bytes of `element` must not lie
  /// in the arena.
  public mutating func insert(
    _ arena: inout Arena, _ element: borrowing ListpackElement, at index: Int
  ) throws(ArenaFull) {
    let length = element.textCount
    if limit.isLarge(length) { return try insertLeaf(&arena, element, at: index) }
    // The leaf before takes what comes between two, then the one behind.
    if index > 0 {
      let (place, rest) = tree.place(arena.reader, at: index - 1)
      if hasRoom(arena.reader, tree.item(arena.reader, place), length) {
        return try insert(&arena, element, place, rest + 1)
      }
      if rest + 1 < tree.item(arena.reader, place).weight {
        return try insertSplitting(&arena, element, place, rest + 1)
      }
    }
    if index < count {
      let (place, rest) = tree.place(arena.reader, at: index)
      if hasRoom(arena.reader, tree.item(arena.reader, place), length) {
        return try insert(&arena, element, place, rest)
      }
    }
    try insertLeaf(&arena, element, at: index)
  }

  @inlinable func hasRoom(
    _ reader: borrowing ArenaReader, _ leaf: ListLeaf, _ length: Int
  ) -> Bool {
    let bytes = reader.listpack(leaf.blob).bytes.count
    return limit.allows(
      bytes: bytes &+ length &+ ListLimit.estimatedOverhead, elements: leaf.weight &+ 1)
  }

  private mutating func insert(
    _ arena: inout Arena, _ element: borrowing ListpackElement, _ place: TreePlace, _ rest: Int
  ) throws(ArenaFull) {
    let leaf = tree.item(arena.reader, place)
    var pack = ListpackPlace.blob(leaf.blob)
    let offset = Self.offset(arena.reader.listpack(leaf.blob), rest, of: leaf.weight)
    try arena.insert(element, into: &pack, at: offset)
    tree.replace(&arena, ListLeaf(pack.blob, count: leaf.weight + 1), at: place)
  }

  /// Makes a leaf of its own for an element, splitting the leaf that it comes into.
  private mutating func insertLeaf(
    _ arena: inout Arena, _ element: borrowing ListpackElement, at index: Int
  ) throws(ArenaFull) {
    let (place, rest) = tree.place(arena.reader, at: index)
    if rest > 0 { try split(&arena, place, rest) }
    var pack = ListpackPlace.blob(try arena.makeListpack())
    do throws(ArenaFull) {
      try arena.append(element, to: &pack)
      let target = tree.place(arena.reader, at: index).place
      try tree.insert(&arena, ListLeaf(pack.blob, count: 1), at: target)
    } catch {
      arena.free(pack.blob)
      throw error
    }
  }

  private mutating func insertSplitting(
    _ arena: inout Arena, _ element: borrowing ListpackElement, _ place: TreePlace, _ rest: Int
  ) throws(ArenaFull) {
    let first = tree.weightBefore(arena.reader, place)
    try split(&arena, place, rest)
    try insert(&arena, element, tree.place(arena.reader, at: first).place, rest)
    mergeAt(&arena, first + rest + 1)
    mergeAt(&arena, first)
  }

  /// Splits a leaf before its element `rest`.
  private mutating func split(
    _ arena: inout Arena, _ place: TreePlace, _ rest: Int
  ) throws(ArenaFull) {
    let leaf = tree.item(arena.reader, place)
    let first = tree.weightBefore(arena.reader, place)
    // The tail is a copy until all that needs memory has it.
    var tail = ListpackPlace.blob(try arena.makeListpack())
    do throws(ArenaFull) {
      try arena.appendListpack(leaf.blob, to: &tail)
      arena.removeElements(rest, at: Listpack.headerBytes, from: &tail)
      let behind = tree.place(arena.reader, at: first + leaf.weight).place
      try tree.insert(&arena, ListLeaf(tail.blob, count: leaf.weight - rest), at: behind)
    } catch {
      arena.free(tail.blob)
      throw error
    }
    let start = Self.offset(arena.reader.listpack(leaf.blob), rest, of: leaf.weight)
    let range = start..<arena.reader.listpack(leaf.blob).end
    var head = ListpackPlace.blob(leaf.blob)
    arena.remove(range, elements: leaf.weight - rest, from: &head)
    let again = tree.place(arena.reader, at: first).place
    tree.replace(&arena, ListLeaf(head.blob, count: rest), at: again)
  }

  /// Merges the leaf that begins at position `first` with the one before it, if one leaf may hold
  /// both. Without memory they stay two.
  private mutating func mergeAt(_ arena: inout Arena, _ first: Int) {
    guard first > 0 && first < count else { return }
    let (place, rest) = tree.place(arena.reader, at: first)
    precondition(rest == 0, "a leaf does not begin where it was said to")
    let right = tree.item(arena.reader, place)
    let before = tree.place(arena.reader, at: first - 1).place
    let left = tree.item(arena.reader, before)
    let bytes =
      arena.reader.listpack(left.blob).bytes.count + arena.reader.listpack(right.blob).bytes.count
    guard limit.allows(bytes: bytes, elements: left.weight + right.weight) else { return }
    var pack = ListpackPlace.blob(left.blob)
    guard (try? arena.appendListpack(right.blob, to: &pack)) != nil else { return }
    tree.replace(&arena, ListLeaf(pack.blob, count: left.weight + right.weight), at: before)
    let obsolete = tree.place(arena.reader, at: first + right.weight).place
    arena.free(right.blob)
    tree.remove(&arena, at: obsolete)
  }

  /// Appends a listpack, which the tree then owns, as a leaf.
  public mutating func append(
    _ arena: inout Arena, leaf blob: Ref<Blob>, count: Int
  ) throws(ArenaFull) {
    try tree.append(&arena, ListLeaf(blob, count: count))
  }

  // MARK: Replacing, removing

  /// Replaces the element at `index`.
  public mutating func replace(
    _ arena: inout Arena, at index: Int, with element: borrowing ListpackElement
  ) throws(ArenaFull) {
    let (place, rest) = tree.place(arena.reader, at: index)
    let leaf = tree.item(arena.reader, place)
    let offset = Self.offset(arena.reader.listpack(leaf.blob), rest, of: leaf.weight)
    let old = arena.reader.listpack(leaf.blob).next(offset) - offset
    let bytes = arena.reader.listpack(leaf.blob).bytes.count - old + element.encodedCount
    if leaf.weight == 1 || bytes <= limit.bytes {
      var pack = ListpackPlace.blob(leaf.blob)
      try arena.replace(in: &pack, at: offset, with: element)
      return tree.replace(&arena, ListLeaf(pack.blob, count: leaf.weight), at: place)
    }
    try insert(&arena, element, at: index)
    remove(&arena, (index + 1)..<(index + 2))
  }

  /// Removes the elements at the positions of `range`.
  public mutating func remove(_ arena: inout Arena, _ range: Range<Int>) {
    var left = range.count
    while left > 0 {
      let (place, rest) = tree.place(arena.reader, at: range.lowerBound)
      let leaf = tree.item(arena.reader, place)
      let taken = min(leaf.weight - rest, left)
      left -= taken
      if taken == leaf.weight {
        arena.free(leaf.blob)
        tree.remove(&arena, at: place)
        continue
      }
      let offset = Self.offset(arena.reader.listpack(leaf.blob), rest, of: leaf.weight)
      var pack = ListpackPlace.blob(leaf.blob)
      arena.removeElements(taken, at: offset, from: &pack)
      tree.replace(&arena, ListLeaf(pack.blob, count: leaf.weight - taken), at: place)
    }
  }

  /// Removes the elements equal to `wanted`, the first `limit` of them, or the last.
  /// - Returns: how many.
  public mutating func remove(
    _ arena: inout Arena, equalTo wanted: borrowing ListpackElement, limit: Int, fromTail: Bool
  ) -> Int {
    var removed = 0
    // Positions still to be searched: before this from the tail, from this on otherwise.
    var border = fromTail ? count : 0
    while removed < limit && (fromTail ? border > 0 : border < count) {
      let place = tree.place(arena.reader, at: fromTail ? border - 1 : border).place
      let leaf = tree.item(arena.reader, place)
      var pack = ListpackPlace.blob(leaf.blob)
      let taken = arena.removeElements(
        equalTo: wanted, limit: limit - removed, fromTail: fromTail, from: &pack)
      removed += taken
      border += fromTail ? -leaf.weight : leaf.weight - taken
      if taken == leaf.weight {
        arena.free(pack.blob)
        tree.remove(&arena, at: place)
      } else if taken > 0 {
        tree.replace(&arena, ListLeaf(pack.blob, count: leaf.weight - taken), at: place)
      }
    }
    return removed
  }

  // MARK: Places

  /// Where element `index` of a listpack of `count` elements lies, searched from the nearer end;
  /// the end for `count`.
  public static func offset(_ list: borrowing Listpack, _ index: Int, of count: Int) -> Int {
    if index <= count / 2 { return list.skip(list.start, index) }
    var place = list.end
    for _ in index..<count { place = list.previous(place) }
    return place
  }
}

extension Arena {
  /// Removes elements equal to `wanted` from a listpack: the first `limit` of them, or the last.
  /// - Returns: how many.
  public mutating func removeElements(
    equalTo wanted: borrowing ListpackElement, limit: Int, fromTail: Bool,
    from place: inout ListpackPlace
  ) -> Int {
    var removed = 0
    if fromTail {
      var offset = reader.listpack(place).end
      while removed < limit && offset > Listpack.headerBytes {
        offset = reader.listpack(place).previous(offset)
        guard reader.listpack(place).element(offset).equals(wanted) else { continue }
        removed += removeElements(at: offset, from: &place)
      }
      return removed
    }
    var offset = Listpack.headerBytes
    while removed < limit, let found = reader.listpack(place).find(wanted, from: offset) {
      offset = found
      var run = 1
      var next = reader.listpack(place).next(found)
      while removed + run < limit, next < reader.listpack(place).end,
        reader.listpack(place).element(next).equals(wanted)
      {
        run += 1
        next = reader.listpack(place).next(next)
      }
      removed += removeElements(run, at: found, from: &place)
    }
    return removed
  }
}
