// Drafts of streams: nodes as they come, checked against all that streams rely on, then groups with
// what is pending. Drafts of other types: Keyspace+Drafts.
//
// 1. Nodes are foreign bytes: each is a sound listpack (the caller's duty) and is walked here,
//    entry by entry, before it is taken: order, counts, the way back, an entry that lives.
// 2. A stream that was refused leaves nothing behind.

import Bytes
import Memory
import Structures

extension Keyspace {
  public mutating func draftStream(
    _ key: borrowing Span<UInt8>
  ) throws(CommandError) -> ValueDraft {
    let zeros = InlineArray<112, UInt8>(repeating: 0)
    do throws(ArenaFull) {
      return ValueDraft(
        entry: try arena.makeEntry(
          key: key, value: zeros.span, form: StreamValue.form, access: initialAccess))
    } catch {
      throw .outOfMemory
    }
  }

  /// Adds a node behind those that the draft has.
  /// - Parameters:
  ///   - bytes: a sound listpack, outside the arena.
  ///   - check: what the nodes before it came to.
  /// - Returns: false, with nothing added, if the bytes are no node that may follow.
  public mutating func addNode(
    _ bytes: Span<UInt8>, _ id: StreamID, to draft: ValueDraft, _ check: inout StreamCheck
  ) throws(CommandError) -> Bool {
    guard check.add(bytes, id) else { return false }
    do throws(ArenaFull) {
      try StreamValue.append(&arena, draft.entry, node: bytes, id)
    } catch {
      throw .outOfMemory
    }
    return true
  }

  /// Sets the draft's counts. The first ID is found, not believed.
  public mutating func setFacts(
    of draft: ValueDraft, length: Int, lastID: StreamID, deletedID: StreamID, added: Int
  ) -> StreamFacts {
    var facts = StreamValue.facts(arena.reader, draft.entry)
    facts.length = length
    facts.lastID = lastID
    facts.deletedID = deletedID
    facts.added = added
    StreamValue.setFacts(&arena, draft.entry, facts)
    StreamValue.findFirst(&arena, draft.entry)
    return StreamValue.facts(arena.reader, draft.entry)
  }

  /// Adds a group; nil when there is one of that name.
  public mutating func addGroup(
    _ name: borrowing Span<UInt8>, lastID: StreamID, entriesRead: Int, to draft: ValueDraft
  ) throws(CommandError) -> StreamGroup? {
    if StreamValue.find(arena.reader, draft.entry, group: name) != nil { return nil }
    do throws(ArenaFull) {
      return try StreamValue.make(
        &arena, draft.entry, group: name, lastID: lastID, entriesRead: entriesRead)
    } catch {
      throw .outOfMemory
    }
  }

  /// Adds a consumer; nil when the group has one of that name.
  public mutating func addConsumer(
    _ name: borrowing Span<UInt8>, seenAt: Int, activeAt: Int, to group: StreamGroup
  ) throws(CommandError) -> StreamConsumer? {
    if group.find(arena.reader, consumer: name) != nil { return nil }
    do throws(ArenaFull) {
      return try group.make(&arena, consumer: name, seenAt: seenAt, activeAt: activeAt)
    } catch {
      throw .outOfMemory
    }
  }

  /// Notes an entry as pending with a consumer.
  /// - Returns: false, with nothing changed, if it is pending already.
  public mutating func addPending(
    _ pending: Pending, to group: StreamGroup
  ) throws(CommandError) -> Bool {
    if group.pending(arena.reader, pending.id) != nil { return false }
    do throws(ArenaFull) {
      try group.set(&arena, pending)
    } catch {
      throw .outOfMemory
    }
    return true
  }
}

/// What the nodes of a stream came to, one after the other.
public struct StreamCheck: BitwiseCopyable, Sendable {
  /// Entries that are not deleted.
  public private(set) var live = 0
  public private(set) var last = StreamID.zero

  public init() {}

  /// Looks a node through.
  /// - Returns: whether it may follow those before it.
  mutating func add(_ bytes: Span<UInt8>, _ id: StreamID) -> Bool {
    let pack = Listpack(bytes)
    var place = pack.start
    guard let alive = integer(pack, &place), let deleted = integer(pack, &place),
      let fields = integer(pack, &place), alive > 0, deleted >= 0, fields >= 0,
      skip(pack, &place, fields), integer(pack, &place) == 0
    else { return false }
    var counted = (live: 0, all: 0)
    while place < pack.end {
      guard let isLive = entry(pack, &place, id, masterFields: fields) else { return false }
      counted.all += 1
      if isLive { counted.live += 1 }
    }
    guard counted.live == alive, counted.all - counted.live == deleted else { return false }
    live += alive
    return true
  }

  /// One entry; nil unless it is sound. Whether it lives.
  private mutating func entry(
    _ pack: Listpack, _ place: inout Int, _ base: StreamID, masterFields: Int
  ) -> Bool? {
    guard let flags = integer(pack, &place), 0...3 ~= flags,
      let milliseconds = integer(pack, &place), let sequence = integer(pack, &place)
    else { return nil }
    let id = StreamID(
      base.milliseconds &+ UInt64(truncatingIfNeeded: milliseconds),
      base.sequence &+ UInt64(truncatingIfNeeded: sequence))
    guard id > last, id >= base else { return nil }
    var elements = 3 + masterFields
    if flags & 2 != 0 {
      guard skip(pack, &place, masterFields) else { return nil }
    } else {
      guard let fields = integer(pack, &place), fields >= 0, fields <= pack.bytes.count,
        skip(pack, &place, fields * 2)
      else { return nil }
      elements = 4 + fields * 2
    }
    guard integer(pack, &place) == elements else { return nil }
    last = id
    return flags & 1 == 0
  }

  private func integer(_ pack: Listpack, _ place: inout Int) -> Int? {
    guard place < pack.end else { return nil }
    let element = pack.element(place)
    guard element.isInteger else { return nil }
    place = pack.next(place)
    return element.integer
  }

  /// Passes over `count` elements; false if there are not so many.
  private func skip(_ pack: Listpack, _ place: inout Int, _ count: Int) -> Bool {
    guard count <= pack.bytes.count else { return false }
    for _ in 0..<count {
      guard place < pack.end else { return false }
      place = pack.next(place)
    }
    return true
  }
}
