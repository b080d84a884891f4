// StreamValue: a stream: its nodes in the order of their IDs, its counts, its groups.
//
//   root record, words   | 0 length | 1 last ID, 2 | 3 first ID, 2 | 5 greatest deleted ID, 2 |
//                        | 7 entries ever added | 8 tree of nodes, 3 | 11 tree of groups, 3 |
//   item of the nodes    | ID 16 | blob's unit 8 |        the blob is a StreamNode
//
// 1. A node's item has the ID of the entry that it was begun with; all entries of a node come
//    before those of the next one.
// 2. No node is without an entry that is not deleted; `length` counts those of all nodes.
// 3. The first ID is that of the first entry that is not deleted, 0-0 when there is none.

import Bytes
import Memory

/// An item of a stream's tree: a node.
@frozen public struct StreamItem: CountedItem {
  public let id: StreamID
  @usableFromInline let unit: UInt64

  @inlinable init(_ id: StreamID, _ blob: Ref<Blob>) {
    self.id = id
    unit = blob.unit
  }

  /// No node.
  @inlinable public static var none: StreamItem { StreamItem(.zero, .null) }
  @inlinable public var blob: Ref<Blob> { Ref(unit: unit) }
  @inlinable public var key: StreamID { id }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }
}

/// Searches for the first key at or after an ID.
@frozen @usableFromInline struct AtOrAfter: TreeProbe {
  @usableFromInline let id: StreamID
  @inlinable init(_ id: StreamID) { self.id = id }
  @inlinable func follows(_ key: StreamID, _ reader: borrowing ArenaReader) -> Bool { key < id }
}

/// Searches for the first key after an ID.
@frozen @usableFromInline struct After: TreeProbe {
  @usableFromInline let id: StreamID
  @inlinable init(_ id: StreamID) { self.id = id }
  @inlinable func follows(_ key: StreamID, _ reader: borrowing ArenaReader) -> Bool { key <= id }
}

/// What a stream's root record counts.
public struct StreamFacts: BitwiseCopyable, Sendable {
  public var length: Int
  public var lastID: StreamID
  public var firstID: StreamID
  /// The greatest ID that XDEL has deleted.
  public var deletedID: StreamID
  /// How many entries were ever added.
  public var added: Int
  public let nodeCount: Int
  public let groupCount: Int
}

/// To what a stream is trimmed.
public enum StreamTrim: BitwiseCopyable, Equatable, Sendable {
  case none
  case length(Int)
  /// Entries before the ID go.
  case minimum(StreamID)
}

public enum StreamValue {
  public static var form: Entry.Form { Entry.Form(.stream, .stream) }
  public static var rootBytes: Int { 112 }
  @inlinable static var nodesWord: Int { 8 }
  @inlinable static var groupsWord: Int { 11 }
  /// The longest that a node becomes, whatever the limits.
  public static var largestNodeBytes: Int { 1 << 30 }

  @inlinable static func id(_ reader: borrowing ArenaReader, _ owner: Ref<Entry>, word: Int)
    -> StreamID
  {
    StreamID(reader.rootWord(owner, word), reader.rootWord(owner, word &+ 1))
  }

  @inlinable static func setID(
    _ arena: inout Arena, _ owner: Ref<Entry>, word: Int, _ id: StreamID
  ) {
    arena.setRootWord(owner, word, id.milliseconds)
    arena.setRootWord(owner, word &+ 1, id.sequence)
  }

  public static func facts(_ reader: borrowing ArenaReader, _ stream: Ref<Entry>) -> StreamFacts {
    StreamFacts(
      length: Int(reader.rootWord(stream, 0)), lastID: id(reader, stream, word: 1),
      firstID: id(reader, stream, word: 3), deletedID: id(reader, stream, word: 5),
      added: Int(truncatingIfNeeded: reader.rootWord(stream, 7)),
      nodeCount: Int(reader.rootWord(stream, nodesWord + 1)),
      groupCount: Int(reader.rootWord(stream, groupsWord + 1)))
  }

  public static func setFacts(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ facts: StreamFacts
  ) {
    arena.setRootWord(stream, 0, UInt64(facts.length))
    setID(&arena, stream, word: 1, facts.lastID)
    setID(&arena, stream, word: 3, facts.firstID)
    setID(&arena, stream, word: 5, facts.deletedID)
    arena.setRootWord(stream, 7, UInt64(truncatingIfNeeded: facts.added))
  }

  public static func nodes(
    _ reader: borrowing ArenaReader, _ stream: Ref<Entry>
  ) -> CountedTree<StreamItem> {
    CountedTree(reader, stream, word: nodesWord)
  }

  /// The item whose node is the last one; nil without nodes.
  public static func lastItem(_ reader: borrowing ArenaReader, _ stream: Ref<Entry>) -> StreamItem?
  {
    let nodes = nodes(reader, stream)
    var place = nodes.end(reader)
    return nodes.retreat(reader, &place) ? nodes.item(reader, place) : nil
  }

  // MARK: Adding

  /// Adds a node that `bytes` are, behind all others.
  public static func append(
    _ arena: inout Arena, _ stream: Ref<Entry>, node bytes: borrowing Span<UInt8>, _ id: StreamID
  ) throws(ArenaFull) {
    let blob = try arena.makeListpack(bytes)
    do throws(ArenaFull) {
      try append(&arena, stream, blob, id)
    } catch {
      arena.free(blob)
      throw error
    }
  }

  /// Adds a node, which the stream then owns, behind all others.
  public static func append(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ blob: Ref<Blob>, _ id: StreamID
  ) throws(ArenaFull) {
    var nodes = nodes(arena.reader, stream)
    try nodes.append(&arena, StreamItem(id, blob))
    nodes.store(&arena, stream, word: nodesWord)
  }

  /// Notes that an entry was added behind all others.
  public static func didAppend(_ arena: inout Arena, _ stream: Ref<Entry>, _ id: StreamID) {
    let length = arena.reader.rootWord(stream, 0) + 1
    arena.setRootWord(stream, 0, length)
    arena.setRootWord(stream, 7, arena.reader.rootWord(stream, 7) &+ 1)
    setID(&arena, stream, word: 1, id)
    if length == 1 { setID(&arena, stream, word: 3, id) }
  }

  /// Adds `elements` elements, one entry's, to the last node.
  public static func append(
    _ arena: inout Arena, _ stream: Ref<Entry>, entry: borrowing Span<UInt8>, elements: Int
  ) throws(ArenaFull) {
    var nodes = nodes(arena.reader, stream)
    var place = nodes.end(arena.reader)
    let isThere = nodes.retreat(arena.reader, &place)
    precondition(isThere, "a stream has no node to add to")
    let item = nodes.item(arena.reader, place)
    var pack = ListpackPlace.blob(item.blob)
    let end = arena.reader.listpack(item.blob).end
    try arena.splice(&pack, at: end, removing: 0, adding: entry.count, elements: elements)
    var gap = arena.mutableListpack(pack, end..<(end + entry.count))
    gap.copy(entry)
    let live = arena.reader.listpack(pack).element(Listpack.headerBytes).integer + 1
    do throws(ArenaFull) {
      try arena.replace(in: &pack, at: Listpack.headerBytes, with: ListpackElement(integer: live))
    } catch {
      arena.remove(end..<(end + entry.count), elements: elements, from: &pack)
      replace(&arena, &nodes, place, item, pack, stream)
      throw error
    }
    replace(&arena, &nodes, place, item, pack, stream)
  }

  /// Tells the tree where a node is now.
  private static func replace(
    _ arena: inout Arena, _ nodes: inout CountedTree<StreamItem>, _ place: TreePlace,
    _ item: StreamItem, _ pack: ListpackPlace, _ stream: Ref<Entry>
  ) {
    guard pack.blob != item.blob else { return }
    nodes.replace(&arena, StreamItem(item.id, pack.blob), at: place)
    nodes.store(&arena, stream, word: nodesWord)
  }

  // MARK: Removing

  /// Removes the entry that a cursor has just returned.
  public static func remove(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ entry: StreamEntry, at cursor: StreamCursor
  ) {
    var nodes = cursor.nodes
    let length = arena.reader.rootWord(stream, 0) - 1
    arena.setRootWord(stream, 0, length)
    if cursor.master.live == 1 {
      arena.free(cursor.item.blob)
      nodes.remove(&arena, at: cursor.place)
      nodes.store(&arena, stream, word: nodesWord)
    } else {
      var pack = ListpackPlace.blob(cursor.item.blob)
      mark(&arena, &pack, entry)
      count(&arena, &pack, deleted: 1)
      replace(&arena, &nodes, cursor.place, cursor.item, pack, stream)
    }
  }

  /// Marks an entry as deleted. Its flags keep their length.
  private static func mark(
    _ arena: inout Arena, _ pack: inout ListpackPlace, _ entry: StreamEntry
  ) {
    let flags = arena.reader.listpack(pack).element(entry.place).integer | StreamNode.deletedFlag
    put(&arena, &pack, flags, at: entry.place)
  }

  /// Moves `deleted` entries of a node from those that live to those that were deleted.
  private static func count(_ arena: inout Arena, _ pack: inout ListpackPlace, deleted: Int) {
    let live = arena.reader.listpack(pack).element(Listpack.headerBytes).integer - deleted
    put(&arena, &pack, live, at: Listpack.headerBytes)
    let place = arena.reader.listpack(pack).next(Listpack.headerBytes)
    let gone = arena.reader.listpack(pack).element(place).integer + deleted
    put(&arena, &pack, gone, at: place)
  }

  /// Replaces an integer of a node by one that takes no more room, but for the count of deleted
  /// entries: without memory for its second byte it stays behind, which misleads nobody but DEBUG.
  private static func put(
    _ arena: inout Arena, _ pack: inout ListpackPlace, _ value: Int, at place: Int
  ) {
    _ = try? arena.replace(in: &pack, at: place, with: ListpackElement(integer: value))
  }

  /// Trims a stream from its beginning, as Redis does.
  /// - Parameters:
  ///   - wholeNodes: whether to delete nodes only as a whole.
  ///   - limit: how many entries to delete at most; whole nodes that would be too many stay.
  /// - Returns: how many entries were deleted.
  public static func trim(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ trim: StreamTrim, wholeNodes: Bool, limit: Int
  ) -> Int {
    var deleted = 0
    while true {
      let nodes = nodes(arena.reader, stream)
      let length = Int(arena.reader.rootWord(stream, 0))
      guard !nodes.isEmpty, trim != .none else { break }
      if case .length(let wanted) = trim, length <= wanted { break }
      let place = nodes.start(arena.reader)
      let item = nodes.item(arena.reader, place)
      let master = StreamNode(arena.reader.listpack(item.blob), id: item.id).master
      if master.live > limit - deleted { break }
      let goesWhole: Bool
      switch trim {
      case .none: goesWhole = false
      case .length(let wanted): goesWhole = length - master.live >= wanted
      case .minimum(let id):
        let node = StreamNode(arena.reader.listpack(item.blob), id: item.id)
        goesWhole = node.lastID(master) < id
      }
      if goesWhole {
        removeNode(&arena, stream, nodes, place, item)
        arena.setRootWord(stream, 0, UInt64(length - master.live))
        deleted += master.live
        continue
      }
      if !wholeNodes { deleted += trimNode(&arena, stream, trim, place, item, master) }
      break
    }
    if deleted > 0 { findFirst(&arena, stream) }
    return deleted
  }

  private static func removeNode(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ nodes: CountedTree<StreamItem>,
    _ place: TreePlace, _ item: StreamItem
  ) {
    var nodes = nodes
    arena.free(item.blob)
    nodes.remove(&arena, at: place)
    nodes.store(&arena, stream, word: nodesWord)
  }

  /// Deletes entries from the beginning of the first node, of which some remain.
  private static func trimNode(
    _ arena: inout Arena, _ stream: Ref<Entry>, _ trim: StreamTrim, _ place: TreePlace,
    _ item: StreamItem, _ master: StreamNode.Master
  ) -> Int {
    var pack = ListpackPlace.blob(item.blob)
    let length = Int(arena.reader.rootWord(stream, 0))
    var deleted = 0
    var offset = master.entriesPlace
    while offset < arena.reader.listpack(pack).end {
      let (entry, next) = read(arena.reader, pack, item.id, at: offset, master)
      switch trim {
      case .none: return 0
      case .length(let wanted): if length - deleted <= wanted { offset = .max }
      case .minimum(let id): if entry.id >= id { offset = .max }
      }
      if offset == .max { break }
      offset = next
      if entry.isDeleted { continue }
      mark(&arena, &pack, entry)
      deleted += 1
    }
    guard deleted > 0 else { return 0 }
    count(&arena, &pack, deleted: deleted)
    var nodes = nodes(arena.reader, stream)
    replace(&arena, &nodes, place, item, pack, stream)
    arena.setRootWord(stream, 0, UInt64(length - deleted))
    return deleted
  }

  /// The entry at `place` of a node, and the place after it.
  private static func read(
    _ reader: borrowing ArenaReader, _ pack: ListpackPlace, _ id: StreamID, at place: Int,
    _ master: StreamNode.Master
  ) -> (StreamEntry, next: Int) {
    let node = StreamNode(reader.listpack(pack), id: id)
    let entry = node.entry(at: place, master)
    return (entry, node.next(entry))
  }

  /// Invariant 3, after entries were removed.
  public static func findFirst(_ arena: inout Arena, _ stream: Ref<Entry>) {
    var cursor = StreamCursor(arena.reader, stream, from: .zero, isForward: true)
    let first = cursor.next(arena.reader)?.id ?? .zero
    setID(&arena, stream, word: 3, first)
  }
}
