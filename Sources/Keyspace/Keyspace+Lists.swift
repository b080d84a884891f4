// Lists as commands see them, whatever they are kept as.
//
//   listpack   the entry's value        ──► grow ──►   list tree   leaves of listpacks
//                                       ◄── shrink ◄──
//
// 1. A list becomes a tree before elements are added that would make its listpack larger than
//    `list-max-listpack-size` says, all that one command adds taken together (grow).
// 2. A tree that has one leaf, of at most half that size, becomes a listpack again after elements
//    were taken away (shrink). So a list at the limit does not go to and fro.
// 3. Elements to be stored lie outside the arena.

import Bytes
import Memory
import Structures

/// From which end a list is pushed to or popped.
@frozen public enum ListEnd: BitwiseCopyable, Sendable {
  case head, tail
}

/// An element of a list, and the way to its neighbours. Good until the keyspace changes.
public struct ListCursor: BitwiseCopyable, Sendable {
  var pack: ListpackPlace
  var offset: Int
  /// The leaf in its tree, for a list that has one.
  var leaf: TreePlace
  let tree: CountedTree<ListLeaf>
}

extension Keyspace {
  var listLimit: ListLimit { ListLimit(limits.listListpackSize) }
  private static var listpackForm: Entry.Form { Entry.Form(.list, .listpack) }
  private static var treeForm: Entry.Form { Entry.Form(.list, .listTree) }

  // MARK: Finding

  /// As `find`, for a command that works on lists only.
  public mutating func findList(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    try findCollection(key, .list, lookup)
  }

  public func checkList(_ list: Key) throws(CommandError) {
    guard arena.reader.entry(list.entry).header.type == .list else { throw .wrongType }
  }

  /// How many elements a list has.
  public func count(_ list: Key) -> Int {
    arena.reader.listCount(list.entry)
  }

  private func tree(_ list: Key) -> ListTree {
    ListTree(CountedTree(arena.reader, list.entry, word: 0), listLimit)
  }

  private func isTree(_ list: Key) -> Bool {
    arena.reader.entry(list.entry).header.encoding == .listTree
  }

  // MARK: Elements

  /// A cursor at element `index`, which there is.
  public func cursor(_ list: Key, at index: Int) -> ListCursor {
    guard isTree(list) else {
      let pack = arena.reader.listpack(list.entry)
      let none = CountedTree<ListLeaf>()
      return ListCursor(
        pack: .value(list.entry), offset: ListTree.offset(pack, index, of: pack.count),
        leaf: none.start(arena.reader), tree: none)
    }
    let tree = tree(list).tree
    let (place, rest) = tree.place(arena.reader, at: index)
    let leaf = tree.item(arena.reader, place)
    let offset = ListTree.offset(arena.reader.listpack(leaf.blob), rest, of: leaf.weight)
    return ListCursor(pack: .blob(leaf.blob), offset: offset, leaf: place, tree: tree)
  }

  /// Moves a cursor to the next element, or to the one before; there must be one.
  @inline(__always) public func advance(_ cursor: inout ListCursor, _ step: Int) {
    let pack = arena.reader.listpack(cursor.pack)
    if step > 0 {
      cursor.offset = pack.next(cursor.offset)
      if cursor.offset >= pack.end { enterNextLeaf(&cursor) }
    } else if cursor.offset > pack.start {
      cursor.offset = pack.previous(cursor.offset)
    } else {
      enterLeafBefore(&cursor)
    }
  }

  @inline(never) private func enterNextLeaf(_ cursor: inout ListCursor) {
    if case .value = cursor.pack { preconditionFailure("a cursor left its list") }
    cursor.tree.advance(&cursor.leaf)
    guard cursor.tree.hasItem(arena.reader, &cursor.leaf) else {
      preconditionFailure("a cursor left its list")
    }
    let blob = cursor.tree.item(arena.reader, cursor.leaf).blob
    cursor.pack = .blob(blob)
    cursor.offset = Listpack.headerBytes
  }

  @inline(never) private func enterLeafBefore(_ cursor: inout ListCursor) {
    guard case .blob = cursor.pack, cursor.tree.retreat(arena.reader, &cursor.leaf) else {
      preconditionFailure("a cursor left its list")
    }
    let blob = cursor.tree.item(arena.reader, cursor.leaf).blob
    cursor.pack = .blob(blob)
    let pack = arena.reader.listpack(blob)
    cursor.offset = pack.previous(pack.end)
  }

  /// The element at which a cursor stands.
  @_lifetime(borrow self)
  public borrowing func element(_ cursor: ListCursor) -> Element {
    arena.reader.listpack(cursor.pack).element(cursor.offset)
  }

  /// The first element or the last.
  @_lifetime(borrow self)
  public borrowing func element(_ list: Key, _ end: ListEnd) -> Element {
    element(cursor(list, at: end == .head ? 0 : count(list) - 1))
  }

  // MARK: Adding

  /// Prepares a list for `count` more elements of `bytes` bytes together, making it when there is
  /// none.
  public mutating func growList(
    _ key: borrowing Span<UInt8>, _ found: Key?, bytes: Int, count: Int
  ) throws(CommandError) -> Key {
    guard var list = found else {
      let isSmall = listLimit.allows(bytes: Listpack.empty.count + bytes, elements: count)
      if isSmall { return try makeCollection(key, Self.listpackForm, value: Listpack.empty.span) }
      let zeros = InlineArray<24, UInt8>(repeating: 0)
      return try makeCollection(key, Self.treeForm, value: zeros.span)
    }
    guard !isTree(list) else { return list }
    if packAllows(list, bytes, count) { return list }
    do throws(ArenaFull) {
      try makeTree(&list)
    } catch {
      throw .outOfMemory
    }
    return list
  }

  /// Whether a listpack may get `count` more elements.
  private func packAllows(_ list: Key, _ bytes: Int, _ count: Int) -> Bool {
    let pack = arena.reader.listpack(list.entry)
    return listLimit.allows(bytes: pack.bytes.count + bytes, elements: pack.count + count)
  }

  /// The place of element `index` of a list that is a listpack; its end for the count.
  private func packOffset(_ list: Key, _ index: Int) -> Int {
    let pack = arena.reader.listpack(list.entry)
    return ListTree.offset(pack, index, of: pack.count)
  }

  private mutating func makeTree(_ list: inout Key) throws(ArenaFull) {
    var tree = try ListTree.make(&arena, from: list.entry, listLimit)
    let zeros = InlineArray<24, UInt8>(repeating: 0)
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.makeEntry(like: list.entry, value: zeros.span, form: Self.treeForm)
    } catch {
      tree.free(&arena)
      throw error
    }
    tree.tree.store(&arena, new, word: 0)
    arena.freeEntry(list.entry)
    adopt(&list, new)
  }

  /// Adds an element at an end; the list was grown for it.
  public mutating func push(
    _ element: borrowing Span<UInt8>, to list: inout Key, _ end: ListEnd
  ) throws(CommandError) {
    try insert(element, at: end == .head ? 0 : count(list), in: &list)
  }

  /// Inserts an element before the one at `index`, or at the end; the list was grown for it.
  public mutating func insert(
    _ element: borrowing Span<UInt8>, at index: Int, in list: inout Key
  ) throws(CommandError) {
    do throws(ArenaFull) {
      guard isTree(list) else {
        let offset = packOffset(list, index)
        var place = ListpackPlace.value(list.entry)
        try arena.insert(Element(copy element), into: &place, at: offset)
        return adopt(&list, place.entry)
      }
      var tree = tree(list)
      try tree.insert(&arena, Element(copy element), at: index)
      tree.tree.store(&arena, list.entry, word: 0)
    } catch {
      throw .outOfMemory
    }
  }

  /// Replaces the element at `index`; the list was grown for the new one.
  public mutating func replace(
    at index: Int, in list: inout Key, with element: borrowing Span<UInt8>
  ) throws(CommandError) {
    do throws(ArenaFull) {
      guard isTree(list) else {
        let offset = packOffset(list, index)
        var place = ListpackPlace.value(list.entry)
        try arena.replace(in: &place, at: offset, with: Element(copy element))
        return adopt(&list, place.entry)
      }
      var tree = tree(list)
      try tree.replace(&arena, at: index, with: Element(copy element))
      tree.tree.store(&arena, list.entry, word: 0)
    } catch {
      throw .outOfMemory
    }
  }

  // MARK: Removing

  /// Removes the elements at the positions of `range`, and the key with the last of them. Counts
  /// nothing.
  public mutating func remove(_ range: Range<Int>, from list: Key) {
    var list = list
    if range.count == count(list) { return remove(list, changes: 0, []) }
    if isTree(list) {
      var tree = tree(list)
      tree.remove(&arena, range)
      tree.tree.store(&arena, list.entry, word: 0)
    } else {
      let offset = packOffset(list, range.lowerBound)
      var place = ListpackPlace.value(list.entry)
      arena.removeElements(range.count, at: offset, from: &place)
      adopt(&list, place.entry)
    }
    shrinkList(list)
  }

  /// Removes elements equal to `wanted`: the first `limit` of them, or the last; and the key with
  /// the list's last element.
  /// - Returns: how many.
  public mutating func remove(
    equalTo wanted: borrowing Element, from list: Key, limit: Int, fromTail: Bool
  ) -> Int {
    var list = list
    let removed: Int
    if isTree(list) {
      var tree = tree(list)
      removed = tree.remove(&arena, equalTo: wanted, limit: limit, fromTail: fromTail)
      tree.tree.store(&arena, list.entry, word: 0)
    } else {
      var place = ListpackPlace.value(list.entry)
      removed = arena.removeElements(
        equalTo: wanted, limit: limit, fromTail: fromTail, from: &place)
      adopt(&list, place.entry)
    }
    if removed > 0 && !removeIfEmpty(list) { shrinkList(list) }
    return removed
  }

  /// Removes all elements but those at the positions of `range`, and the key if none remain.
  public mutating func trim(_ list: Key, to range: Range<Int>) {
    let total = count(list)
    if range.isEmpty { return remove(list, changes: 0, []) }
    var list = list
    if isTree(list) {
      var tree = tree(list)
      tree.remove(&arena, range.upperBound..<total)
      tree.remove(&arena, 0..<range.lowerBound)
      tree.tree.store(&arena, list.entry, word: 0)
    } else {
      var place = ListpackPlace.value(list.entry)
      if range.upperBound < total {
        let offset = packOffset(list, range.upperBound)
        arena.removeElements(total - range.upperBound, at: offset, from: &place)
      }
      arena.removeElements(range.lowerBound, at: Listpack.headerBytes, from: &place)
      adopt(&list, place.entry)
    }
    shrinkList(list)
  }

  /// Invariant 2. Without memory the tree stays.
  public mutating func shrinkList(_ list: Key) {
    guard isTree(list) else { return }
    let tree = tree(list).tree
    guard tree.count == 1 else { return }
    let leaf = tree.item(arena.reader, tree.start(arena.reader))
    let bytes = arena.reader.listpack(leaf.blob).bytes.count
    guard listLimit.mayShrink(bytes: bytes, elements: leaf.weight) else { return }
    var copy = ByteBuffer()
    copy.append(arena.reader.listpack(leaf.blob).bytes)
    guard
      let new = try? arena.makeEntry(
        like: list.entry, value: copy.span, form: Self.listpackForm)
    else { return }
    var list = list
    arena.discardEntry(list.entry)
    adopt(&list, new)
  }
}

extension ArenaReader {
  /// How many elements a list has.
  func listCount(_ list: Ref<Entry>) -> Int {
    // A tree's weight is the third of its words.
    entry(list).header.encoding == .listTree
      ? Int(truncatingIfNeeded: rootWord(list, 2)) : listpack(list).count
  }
}
