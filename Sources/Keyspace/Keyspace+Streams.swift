// Streams as commands see them: entries are drafted word by word, then committed.
//
//   draft ──► compareField for each field ──► begin, add, ... ──► commit
//             does the entry have the fields   the elements that the node gets,
//             of the node's master?            gathered outside the arena
//
// 1. An entry begins a new node when the last one has as many bytes or entries as the limits say,
//    judged as Redis judges it.
// 2. A stream may be empty: its key stays, with its last ID and its groups.

import Bytes
import Memory
import Structures

public typealias StreamID = Structures.StreamID
public typealias StreamFacts = Structures.StreamFacts
public typealias StreamTrim = Structures.StreamTrim
public typealias StreamEntry = Structures.StreamEntry
public typealias StreamFields = Structures.StreamFields
public typealias StreamCursor = Structures.StreamCursor

/// How an entry that is about to be added will be stored.
public struct StreamDraft: BitwiseCopyable, Sendable {
  let fieldCount: Int
  /// Whether the entry begins a node, and its fields are the master's.
  public let needsMaster: Bool
  /// Whether the entry has the master's fields, as far as they were compared.
  public internal(set) var sharesFields: Bool
  let node: StreamItem
  /// The master's field that is to be compared next.
  var fieldPlace = 0
}

extension Keyspace {
  /// As `find`, for a command that works on streams only.
  public mutating func findStream(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    try findCollection(key, .stream, lookup)
  }

  /// Makes an empty stream. Counts nothing.
  public mutating func makeStream(_ key: borrowing Span<UInt8>) throws(CommandError) -> Key {
    let zeros = InlineArray<112, UInt8>(repeating: 0)
    return try makeCollection(key, StreamValue.form, value: zeros.span)
  }

  public func streamFacts(_ stream: Key) -> StreamFacts {
    StreamValue.facts(arena.reader, stream.entry)
  }

  public mutating func setStreamFacts(_ stream: Key, _ facts: StreamFacts) {
    StreamValue.setFacts(&arena, stream.entry, facts)
  }

  /// How many keys and nodes Redis' radix tree of the stream would have.
  public func streamShape(_ stream: Key) -> (keys: Int, nodes: Int) {
    StreamValue.shape(arena.reader, stream.entry)
  }

  // MARK: Adding

  /// Begins the draft of an entry whose fields and values take `bytes` bytes together.
  public func draft(_ stream: Key, fieldCount: Int, bytes: Int) -> StreamDraft {
    guard let last = StreamValue.lastItem(arena.reader, stream.entry) else {
      return StreamDraft(
        fieldCount: fieldCount, needsMaster: true, sharesFields: true, node: StreamItem.none)
    }
    let pack = arena.reader.listpack(last.blob)
    let master = StreamNode(pack, id: last.id).master
    var limit = limits.streamNodeBytes
    if limit <= 0 || limit > StreamValue.largestNodeBytes { limit = StreamValue.largestNodeBytes }
    let most = limits.streamNodeEntries
    let isFull =
      pack.bytes.count + bytes >= limit || (most > 0 && master.live + master.deleted >= most)
    return StreamDraft(
      fieldCount: fieldCount, needsMaster: isFull,
      sharesFields: isFull || master.fieldCount == fieldCount, node: last,
      fieldPlace: master.firstField)
  }

  /// Compares the entry's next field with the master's.
  public func compareField(_ draft: inout StreamDraft, _ field: borrowing Span<UInt8>) {
    if draft.needsMaster { return }
    let pack = arena.reader.listpack(draft.node.blob)
    if pack.element(draft.fieldPlace).equals(Element(copy field)) {
      draft.fieldPlace = pack.next(draft.fieldPlace)
    } else {
      draft.sharesFields = false
    }
  }

  /// Begins to gather what the node gets. When the draft needs a master its fields come first, then
  /// `endMaster`; then `beginEntry`, and the values, or fields and values in turn.
  public mutating func begin(_ draft: StreamDraft) {
    packer.removeAll()
    guard draft.needsMaster else { return }
    packer.append(Element(integer: 1))
    packer.append(Element(integer: 0))
    packer.append(Element(integer: draft.fieldCount))
  }

  public mutating func endMaster() { packer.append(Element(integer: 0)) }

  public mutating func beginEntry(_ draft: StreamDraft, _ id: StreamID) {
    let deltas = StreamNode.deltas(of: id, in: draft.needsMaster ? id : draft.node.id)
    packer.append(Element(integer: draft.sharesFields ? 2 : 0))
    packer.append(Element(integer: deltas.milliseconds))
    packer.append(Element(integer: deltas.sequence))
    if !draft.sharesFields { packer.append(Element(integer: draft.fieldCount)) }
  }

  public mutating func add(_ word: borrowing Span<UInt8>) {
    packer.append(Element(copy word))
  }

  /// Adds the entry. Counts nothing.
  public mutating func commit(
    _ draft: StreamDraft, _ id: StreamID, to stream: Key
  ) throws(CommandError) {
    let count = draft.sharesFields ? draft.fieldCount + 3 : 2 * draft.fieldCount + 4
    packer.append(Element(integer: count))
    do throws(ArenaFull) {
      try Self.store(&arena, &packer, draft, id, stream.entry)
    } catch {
      throw .outOfMemory
    }
    StreamValue.didAppend(&arena, stream.entry, id)
    if packer.byteCount > 1 << 16 { packer = ListpackWriter() }
  }

  private static func store(
    _ arena: inout Arena, _ packer: inout ListpackWriter, _ draft: StreamDraft, _ id: StreamID,
    _ stream: Ref<Entry>
  ) throws(ArenaFull) {
    if draft.needsMaster { return try StreamValue.append(&arena, stream, node: packer.bytes, id) }
    let elements = packer.count
    let end = packer.byteCount - 1
    try StreamValue.append(
      &arena, stream, entry: packer.bytes.extracting(Listpack.headerBytes..<end),
      elements: elements)
  }

  // MARK: Reading

  /// A cursor that stands before the first entry from `id` on, or behind the last up to `id`.
  public func streamCursor(_ stream: Key, from id: StreamID, isForward: Bool) -> StreamCursor {
    StreamCursor(arena.reader, stream.entry, from: id, isForward: isForward)
  }

  @inline(__always) public func nextEntry(_ cursor: inout StreamCursor) -> StreamEntry? {
    cursor.next(arena.reader)
  }

  /// The fields and values of the entry that a cursor has just returned; it has some.
  @_lifetime(borrow self)
  public borrowing func fields(of entry: StreamEntry, _ cursor: StreamCursor) -> StreamFields {
    StreamFields(arena.reader.listpack(cursor.node), entry)
  }

  public func hasEntry(_ id: StreamID, in stream: Key) -> Bool {
    var cursor = streamCursor(stream, from: id, isForward: true)
    return nextEntry(&cursor)?.id == id
  }

  /// The ID of the last entry; 0-0 when there is none.
  public func topID(_ stream: Key) -> StreamID {
    var cursor = streamCursor(stream, from: .greatest, isForward: false)
    return nextEntry(&cursor)?.id ?? .zero
  }

  // MARK: Removing

  /// Removes an entry as XDEL does. Counts nothing.
  /// - Returns: whether there was one.
  public mutating func deleteEntry(_ id: StreamID, from stream: Key) -> Bool {
    var cursor = streamCursor(stream, from: id, isForward: true)
    guard let entry = nextEntry(&cursor), entry.id == id else { return false }
    StreamValue.remove(&arena, stream.entry, entry, at: cursor)
    var facts = streamFacts(stream)
    if id > facts.deletedID {
      facts.deletedID = id
      setStreamFacts(stream, facts)
    }
    if id == facts.firstID { StreamValue.findFirst(&arena, stream.entry) }
    return true
  }

  /// Trims a stream from its beginning. Counts nothing.
  /// - Parameters:
  ///   - wholeNodes: whether to delete nodes only as a whole.
  ///   - limit: how many entries to delete at most.
  /// - Returns: how many entries were deleted.
  public mutating func trim(
    _ stream: Key, _ trim: StreamTrim, wholeNodes: Bool, limit: Int
  ) -> Int {
    StreamValue.trim(&arena, stream.entry, trim, wholeNodes: wholeNodes, limit: limit)
  }
}
