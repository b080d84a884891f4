// StreamGroup: a stream's consumer groups, their consumers, and what those have pending.
//
//   stream ──► tree of groups by name ──► group ──┬─► tree of pending entries by ID
//                                                 └─► tree of consumers by name ──► consumer
//   consumer ──► tree of the IDs that it has pending
//
//   group      entry, its name the key  | last ID 16 | entries read 8 | pending 24 | consumers 24 |
//   consumer   entry, its name the key  | seen 8 | active 8 | IDs 24 |
//   pending    item                    | ID 16 | delivered 8 | deliveries 8 | consumer's unit 8 |
//
// 1. An ID is in its group's tree exactly when it is in that of one of the group's consumers, the
//    one that the group's item names.
// 2. Groups and consumers never move while they live: they are named by their entries' refs.
// 3. Names are ordered as bytes, the shorter of two that begin alike first.

import Bytes
import Memory

/// A group or a consumer, found by its name.
@frozen public struct NamedItem: CountedItem {
  public let key: Ref<Entry>
  @inlinable init(_ entry: Ref<Entry>) { key = entry }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }
}

/// Searches for the first name that is at or behind another (invariant 3).
struct NameProbe: TreeProbe, ~Escapable {
  let name: Span<UInt8>

  @_lifetime(copy name)
  init(_ name: Span<UInt8>) { self.name = name }

  borrowing func follows(_ key: Ref<Entry>, _ reader: borrowing ArenaReader) -> Bool {
    let other = reader.entry(key).key
    let shared = min(other.count, name.count)
    for index in 0..<shared where other[index] != name[index] { return other[index] < name[index] }
    return other.count < name.count
  }
}

/// An entry that was delivered and not acknowledged.
@frozen public struct Pending: CountedItem {
  public let id: StreamID
  /// Milliseconds since 1970.
  public var deliveredAt: Int
  public var deliveries: Int
  @usableFromInline let consumerUnit: UInt64

  @inlinable public init(
    id: StreamID, consumer: StreamConsumer, deliveredAt: Int, deliveries: Int
  ) {
    self.id = id
    self.deliveredAt = deliveredAt
    self.deliveries = deliveries
    consumerUnit = consumer.entry.unit
  }

  @inlinable public var consumer: StreamConsumer { StreamConsumer(Ref(unit: consumerUnit)) }
  @inlinable public var key: StreamID { id }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }
}

/// An ID that a consumer has pending.
@frozen public struct OwnedID: CountedItem {
  public let key: StreamID
  @inlinable init(_ id: StreamID) { key = id }
  @inlinable public var weight: Int { 1 }
  @inlinable public static var hasUnitWeight: Bool { true }
}

/// A consumer, named by its entry.
@frozen public struct StreamConsumer: BitwiseCopyable, Equatable, Sendable {
  public let entry: Ref<Entry>
  @inlinable public init(_ entry: Ref<Entry>) { self.entry = entry }
  static var rootBytes: Int { 40 }

  /// When the consumer last asked for something, in milliseconds since 1970.
  public func seenAt(_ reader: borrowing ArenaReader) -> Int {
    Int(truncatingIfNeeded: reader.rootWord(entry, 0))
  }

  /// When it last got something; -1 for never.
  public func activeAt(_ reader: borrowing ArenaReader) -> Int {
    Int(truncatingIfNeeded: reader.rootWord(entry, 1))
  }

  public func setSeen(_ arena: inout Arena, _ time: Int) {
    arena.setRootWord(entry, 0, UInt64(truncatingIfNeeded: time))
  }

  public func setActive(_ arena: inout Arena, _ time: Int) {
    arena.setRootWord(entry, 1, UInt64(truncatingIfNeeded: time))
  }

  public func pending(_ reader: borrowing ArenaReader) -> CountedTree<OwnedID> {
    CountedTree(reader, entry, word: 2)
  }

  /// The first ID from `id` on that is pending with the consumer.
  public func firstPending(_ reader: borrowing ArenaReader, from id: StreamID) -> StreamID? {
    let tree = pending(reader)
    var place = tree.lowerBound(reader, AtOrAfter(id))
    return tree.hasItem(reader, &place) ? tree.item(reader, place).key : nil
  }

  func add(_ arena: inout Arena, _ id: StreamID) throws(ArenaFull) {
    var tree = pending(arena.reader)
    let place = tree.lowerBound(arena.reader, AtOrAfter(id))
    try tree.insert(&arena, OwnedID(id), at: place)
    tree.store(&arena, entry, word: 2)
  }

  func remove(_ arena: inout Arena, _ id: StreamID) {
    var tree = pending(arena.reader)
    var place = tree.lowerBound(arena.reader, AtOrAfter(id))
    guard tree.hasItem(arena.reader, &place), tree.item(arena.reader, place).key == id else {
      preconditionFailure("a consumer does not have what is pending with it")
    }
    tree.remove(&arena, at: place)
    tree.store(&arena, entry, word: 2)
  }
}

/// A group, named by its entry.
@frozen public struct StreamGroup: BitwiseCopyable, Equatable, Sendable {
  public let entry: Ref<Entry>
  @inlinable public init(_ entry: Ref<Entry>) { self.entry = entry }
  static var rootBytes: Int { 72 }

  public func lastID(_ reader: borrowing ArenaReader) -> StreamID {
    StreamValue.id(reader, entry, word: 0)
  }

  /// How many entries the group has read; -1 when that is not known.
  public func entriesRead(_ reader: borrowing ArenaReader) -> Int {
    Int(truncatingIfNeeded: reader.rootWord(entry, 2))
  }

  public func set(_ arena: inout Arena, lastID: StreamID, entriesRead: Int) {
    StreamValue.setID(&arena, entry, word: 0, lastID)
    arena.setRootWord(entry, 2, UInt64(truncatingIfNeeded: entriesRead))
  }

  public func pending(_ reader: borrowing ArenaReader) -> CountedTree<Pending> {
    CountedTree(reader, entry, word: 3)
  }

  public func consumers(_ reader: borrowing ArenaReader) -> CountedTree<NamedItem> {
    CountedTree(reader, entry, word: 6)
  }

  // MARK: Pending entries

  public func pending(_ reader: borrowing ArenaReader, _ id: StreamID) -> Pending? {
    guard let found = firstPending(reader, from: id), found.id == id else { return nil }
    return found
  }

  /// The first pending entry at `id` or behind it.
  public func firstPending(_ reader: borrowing ArenaReader, from id: StreamID) -> Pending? {
    let tree = pending(reader)
    var place = tree.lowerBound(reader, AtOrAfter(id))
    return tree.hasItem(reader, &place) ? tree.item(reader, place) : nil
  }

  /// Notes `new` as pending, whether or not its ID already was.
  public func set(_ arena: inout Arena, _ new: Pending) throws(ArenaFull) {
    var tree = pending(arena.reader)
    var place = tree.lowerBound(arena.reader, AtOrAfter(new.id))
    guard tree.hasItem(arena.reader, &place), tree.item(arena.reader, place).id == new.id else {
      try new.consumer.add(&arena, new.id)
      do throws(ArenaFull) {
        try tree.insert(
          &arena, new, at: tree.lowerBound(arena.reader, AtOrAfter(new.id)))
      } catch {
        new.consumer.remove(&arena, new.id)
        throw error
      }
      return tree.store(&arena, entry, word: 3)
    }
    let old = tree.item(arena.reader, place)
    if old.consumer != new.consumer {
      try new.consumer.add(&arena, new.id)
      old.consumer.remove(&arena, new.id)
    }
    tree.replace(&arena, new, at: place)
    tree.store(&arena, entry, word: 3)
  }

  /// - Returns: whether the ID was pending.
  public func removePending(_ arena: inout Arena, _ id: StreamID) -> Bool {
    var tree = pending(arena.reader)
    var place = tree.lowerBound(arena.reader, AtOrAfter(id))
    guard tree.hasItem(arena.reader, &place), tree.item(arena.reader, place).id == id else {
      return false
    }
    tree.item(arena.reader, place).consumer.remove(&arena, id)
    tree.remove(&arena, at: place)
    tree.store(&arena, entry, word: 3)
    return true
  }

  // MARK: Consumers

  public func find(
    _ reader: borrowing ArenaReader, consumer name: borrowing Span<UInt8>
  ) -> StreamConsumer? {
    StreamValue.find(reader, consumers(reader), name).map { StreamConsumer($0) }
  }

  /// Makes a consumer of a name that the group has none of.
  public func make(
    _ arena: inout Arena, consumer name: borrowing Span<UInt8>, seenAt: Int, activeAt: Int = -1
  ) throws(ArenaFull) -> StreamConsumer {
    let zeros = InlineArray<40, UInt8>(repeating: 0)
    let made = try arena.makeEntry(key: name, value: zeros.span, form: StreamValue.form)
    var tree = consumers(arena.reader)
    do throws(ArenaFull) {
      try StreamValue.insert(&arena, &tree, made)
    } catch {
      arena.freeEntry(made)
      throw error
    }
    tree.store(&arena, entry, word: 6)
    let consumer = StreamConsumer(made)
    consumer.setSeen(&arena, seenAt)
    consumer.setActive(&arena, activeAt)
    return consumer
  }

  /// Removes a consumer with all that it has pending.
  public func remove(_ arena: inout Arena, _ consumer: StreamConsumer) {
    let owned = consumer.pending(arena.reader).count
    let kept = pending(arena.reader).count - owned
    if owned > Self.smallCount && kept < owned * 2 && leave(consumer, &arena) { return }
    removePending(of: consumer, &arena)
    var ids = consumer.pending(arena.reader)
    ids.free(&arena)
    var consumers = consumers(arena.reader)
    StreamValue.remove(&arena, &consumers, consumer.entry)
    consumers.store(&arena, entry, word: 6)
  }

  /// A consumer with so many pending entries goes with them at once.
  private static var smallCount: Int { 64 }

  /// Takes the consumer's entries out of the group's tree, those that stand together at once.
  private func removePending(of consumer: StreamConsumer, _ arena: inout Arena) {
    var tree = pending(arena.reader)
    let ids = consumer.pending(arena.reader)
    var next = ids.start(arena.reader)
    while ids.hasItem(arena.reader, &next) {
      let id = ids.item(arena.reader, next).key
      var first = tree.lowerBound(arena.reader, AtOrAfter(id))
      let isThere = tree.hasItem(arena.reader, &first)
      precondition(isThere && tree.item(arena.reader, first).id == id, "1: an ID is lost")
      var place = first
      var count = 0
      let limit = tree.itemsInLeaf(arena.reader, first)
      while count < limit && tree.item(arena.reader, place).consumer == consumer {
        count += 1
        tree.advance(&place)
      }
      precondition(count > 0, "1: an ID has another consumer")
      tree.remove(&arena, at: first, count: count)
      for _ in 0..<count {
        let isThere = ids.hasItem(arena.reader, &next)
        precondition(isThere, "1: an ID has another consumer")
        ids.advance(&next)
      }
    }
    tree.store(&arena, entry, word: 3)
  }

  /// Leaves the consumer and the whole tree of pending entries to a group that is discarded, and
  /// enters what others have pending into a new tree: the time goes by what stays.
  /// - Returns: false, with nothing changed, without memory for that.
  private func leave(_ consumer: StreamConsumer, _ arena: inout Arena) -> Bool {
    let zeros = InlineArray<72, UInt8>(repeating: 0)
    var kept = CountedTree<Pending>()
    var leaving = CountedTree<NamedItem>()
    guard
      let carrier = try? arena.makeEntry(key: Span(), value: zeros.span, form: StreamValue.form)
    else { return false }
    let old = pending(arena.reader)
    do throws(ArenaFull) {
      try StreamValue.insert(&arena, &leaving, consumer.entry)
      if old.count > consumer.pending(arena.reader).count {
        var place = old.start(arena.reader)
        while old.hasItem(arena.reader, &place) {
          let item = old.item(arena.reader, place)
          if item.consumer != consumer { try kept.append(&arena, item) }
          old.advance(&place)
        }
      }
    } catch {
      kept.free(&arena)
      leaving.free(&arena)
      arena.freeEntry(carrier)
      return false
    }
    var consumers = consumers(arena.reader)
    StreamValue.unlink(&arena, &consumers, consumer.entry)
    consumers.store(&arena, entry, word: 6)
    kept.store(&arena, entry, word: 3)
    old.store(&arena, carrier, word: 3)
    leaving.store(&arena, carrier, word: 6)
    arena.discard(StreamGroup(carrier))
    return true
  }
}

// MARK: Groups of a stream

extension StreamValue {
  public static func groups(
    _ reader: borrowing ArenaReader, _ stream: Ref<Entry>
  ) -> CountedTree<NamedItem> {
    CountedTree(reader, stream, word: groupsWord)
  }

  public static func find(
    _ reader: borrowing ArenaReader, _ stream: Ref<Entry>, group name: borrowing Span<UInt8>
  ) -> StreamGroup? {
    find(reader, groups(reader, stream), name).map { StreamGroup($0) }
  }

  /// Makes a group of a name that the stream has none of.
  @discardableResult
  public static func make(
    _ arena: inout Arena, _ stream: Ref<Entry>, group name: borrowing Span<UInt8>,
    lastID: StreamID, entriesRead: Int
  ) throws(ArenaFull) -> StreamGroup {
    let zeros = InlineArray<72, UInt8>(repeating: 0)
    let made = try arena.makeEntry(key: name, value: zeros.span, form: form)
    var tree = groups(arena.reader, stream)
    do throws(ArenaFull) {
      try insert(&arena, &tree, made)
    } catch {
      arena.freeEntry(made)
      throw error
    }
    tree.store(&arena, stream, word: groupsWord)
    let group = StreamGroup(made)
    group.set(&arena, lastID: lastID, entriesRead: entriesRead)
    return group
  }

  /// Removes a group from its stream. What it has is discarded.
  public static func remove(_ arena: inout Arena, _ stream: Ref<Entry>, _ group: StreamGroup) {
    var tree = groups(arena.reader, stream)
    unlink(&arena, &tree, group.entry)
    tree.store(&arena, stream, word: groupsWord)
    arena.discard(group)
  }

  // MARK: Names

  static func find(
    _ reader: borrowing ArenaReader, _ tree: CountedTree<NamedItem>,
    _ name: borrowing Span<UInt8>
  ) -> Ref<Entry>? {
    var place = tree.lowerBound(reader, NameProbe(copy name))
    guard tree.hasItem(reader, &place) else { return nil }
    let entry = tree.item(reader, place).key
    return reader.entry(entry).hasKey(name) ? entry : nil
  }

  static func insert(
    _ arena: inout Arena, _ tree: inout CountedTree<NamedItem>, _ entry: Ref<Entry>
  ) throws(ArenaFull) {
    let place = tree.lowerBound(arena.reader, NameProbe(arena.reader.entry(entry).key))
    try tree.insert(&arena, NamedItem(entry), at: place)
  }

  /// Takes an entry out of a tree of names; the entry remains.
  static func unlink(
    _ arena: inout Arena, _ tree: inout CountedTree<NamedItem>, _ entry: Ref<Entry>
  ) {
    var place = tree.lowerBound(arena.reader, NameProbe(arena.reader.entry(entry).key))
    guard tree.hasItem(arena.reader, &place), tree.item(arena.reader, place).key == entry else {
      preconditionFailure("a name is not where it belongs")
    }
    tree.remove(&arena, at: place)
  }

  static func remove(
    _ arena: inout Arena, _ tree: inout CountedTree<NamedItem>, _ entry: Ref<Entry>
  ) {
    unlink(&arena, &tree, entry)
    arena.freeEntry(entry)
  }
}
