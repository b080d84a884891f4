// Consumer groups as commands see them. What they are made of: Structures' StreamGroup.
//
// 1. `lag` and the count of entries read are Redis' estimates, deletions included: known while
//    nothing was deleted ahead of the group, unknown otherwise.

import Bytes
import Memory
import Structures

public typealias StreamGroup = Structures.StreamGroup
public typealias StreamConsumer = Structures.StreamConsumer
public typealias Pending = Structures.Pending

public struct StreamGroupFacts: BitwiseCopyable, Sendable {
  public let lastID: StreamID
  /// -1 when it is not known.
  public let entriesRead: Int
  public let pendingCount: Int
  public let consumerCount: Int
}

public struct StreamConsumerFacts: BitwiseCopyable, Sendable {
  /// Milliseconds since 1970.
  public let seenAt: Int
  /// -1 for never.
  public let activeAt: Int
  public let pendingCount: Int
}

/// A place in a list of groups or consumers, which come in the order of their names.
public struct NamePlace: BitwiseCopyable, Sendable {
  let tree: CountedTree<NamedItem>
  var place: TreePlace

  mutating func next(_ reader: borrowing ArenaReader) -> Ref<Entry>? {
    guard tree.hasItem(reader, &place) else { return nil }
    let entry = tree.item(reader, place).key
    tree.advance(&place)
    return entry
  }
}

// MARK: Groups

extension Keyspace {
  public func findGroup(_ stream: Key, _ name: borrowing Span<UInt8>) -> StreamGroup? {
    StreamValue.find(arena.reader, stream.entry, group: name)
  }

  /// Makes a group of a name that the stream has none of. Counts nothing.
  public mutating func makeGroup(
    _ stream: Key, _ name: borrowing Span<UInt8>, lastID: StreamID, entriesRead: Int
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try StreamValue.make(
        &arena, stream.entry, group: name, lastID: lastID, entriesRead: entriesRead)
    } catch {
      throw .outOfMemory
    }
  }

  /// - Returns: whether there was such a group.
  public mutating func removeGroup(_ stream: Key, _ name: borrowing Span<UInt8>) -> Bool {
    guard let group = findGroup(stream, name) else { return false }
    StreamValue.remove(&arena, stream.entry, group)
    return true
  }

  public func groupFacts(_ group: StreamGroup) -> StreamGroupFacts {
    StreamGroupFacts(
      lastID: group.lastID(arena.reader), entriesRead: group.entriesRead(arena.reader),
      pendingCount: group.pending(arena.reader).count,
      consumerCount: group.consumers(arena.reader).count)
  }

  public mutating func setGroup(_ group: StreamGroup, lastID: StreamID, entriesRead: Int) {
    group.set(&arena, lastID: lastID, entriesRead: entriesRead)
  }

  /// Notes that the group was given an entry for the first time.
  public mutating func noteDelivery(of id: StreamID, to group: StreamGroup, _ stream: Key) {
    guard id > group.lastID(arena.reader) else { return }
    var read = group.entriesRead(arena.reader)
    let facts = streamFacts(stream)
    if read != -1 && !facts.hasDeletions(from: id) {
      read += 1
    } else if facts.added != 0 {
      read = facts.distance(to: id) ?? -1
    }
    group.set(&arena, lastID: id, entriesRead: read)
  }

  public func firstGroup(of stream: Key) -> NamePlace {
    let tree = StreamValue.groups(arena.reader, stream.entry)
    return NamePlace(tree: tree, place: tree.start(arena.reader))
  }

  public func nextGroup(_ place: inout NamePlace, of stream: Key) -> StreamGroup? {
    place.next(arena.reader).map { StreamGroup($0) }
  }

  @_lifetime(borrow self)
  public borrowing func name(_ group: StreamGroup) -> Span<UInt8> {
    arena.reader.entry(group.entry).key
  }
}

// MARK: Consumers

extension Keyspace {
  public func findConsumer(
    _ group: StreamGroup, _ name: borrowing Span<UInt8>
  ) -> StreamConsumer? {
    group.find(arena.reader, consumer: name)
  }

  /// Makes a consumer of a name that the group has none of. Counts nothing.
  public mutating func makeConsumer(
    _ group: StreamGroup, _ name: borrowing Span<UInt8>
  ) throws(CommandError) -> StreamConsumer {
    do throws(ArenaFull) {
      return try group.make(&arena, consumer: name, seenAt: now)
    } catch {
      throw .outOfMemory
    }
  }

  /// Removes a consumer with all that it has pending.
  public mutating func removeConsumer(_ consumer: StreamConsumer, from group: StreamGroup) {
    group.remove(&arena, consumer)
  }

  public func consumerFacts(_ consumer: StreamConsumer) -> StreamConsumerFacts {
    StreamConsumerFacts(
      seenAt: consumer.seenAt(arena.reader), activeAt: consumer.activeAt(arena.reader),
      pendingCount: consumer.pending(arena.reader).count)
  }

  public mutating func setSeen(_ consumer: StreamConsumer) { consumer.setSeen(&arena, now) }
  public mutating func setActive(_ consumer: StreamConsumer) { consumer.setActive(&arena, now) }

  public func firstConsumer(of group: StreamGroup) -> NamePlace {
    let tree = group.consumers(arena.reader)
    return NamePlace(tree: tree, place: tree.start(arena.reader))
  }

  public func nextConsumer(_ place: inout NamePlace, of group: StreamGroup) -> StreamConsumer? {
    place.next(arena.reader).map { StreamConsumer($0) }
  }

  @_lifetime(borrow self)
  public borrowing func name(_ consumer: StreamConsumer) -> Span<UInt8> {
    arena.reader.entry(consumer.entry).key
  }
}

// MARK: Pending entries

extension Keyspace {
  public func pending(_ id: StreamID, in group: StreamGroup) -> Pending? {
    group.pending(arena.reader, id)
  }

  /// The first entry at `id` or behind it that is pending with a consumer, or with any.
  public func firstPending(
    of consumer: StreamConsumer?, in group: StreamGroup, from id: StreamID
  ) -> Pending? {
    guard let consumer else { return group.firstPending(arena.reader, from: id) }
    return consumer.firstPending(arena.reader, from: id).flatMap { group.pending(arena.reader, $0) }
  }

  public func lastPendingID(of group: StreamGroup) -> StreamID? {
    let tree = group.pending(arena.reader)
    var place = tree.end(arena.reader)
    return tree.retreat(arena.reader, &place) ? tree.item(arena.reader, place).id : nil
  }

  /// Notes an entry as pending, whether or not it already was. Counts nothing.
  public mutating func setPending(
    _ pending: Pending, in group: StreamGroup
  ) throws(CommandError) {
    do throws(ArenaFull) {
      try group.set(&arena, pending)
    } catch {
      throw .outOfMemory
    }
  }

  /// - Returns: whether the ID was pending.
  public mutating func removePending(_ id: StreamID, from group: StreamGroup) -> Bool {
    group.removePending(&arena, id)
  }
}

// MARK: Progress

extension StreamFacts {
  /// Whether an entry at `id` or behind it was deleted by XDEL.
  func hasDeletions(from id: StreamID) -> Bool {
    if length == 0 || deletedID.isZero || firstID > deletedID { return false }
    return id <= deletedID
  }

  /// How many entries were added up to `id`, if that can be told.
  func distance(to id: StreamID) -> Int? {
    if added == 0 { return 0 }
    if length == 0 && id <= lastID { return added }
    if id == lastID { return added }
    if id > lastID { return nil }
    guard deletedID.isZero || deletedID < firstID else { return nil }
    if id < firstID { return added - length }
    return id == firstID ? added - length + 1 : nil
  }

  /// How many entries a group has yet to read, if that can be told.
  public func lag(_ group: StreamGroupFacts) -> Int? {
    if added == 0 { return 0 }
    if group.entriesRead != -1 && !hasDeletions(from: group.lastID) {
      return added - group.entriesRead
    }
    return distance(to: group.lastID).map { added - $0 }
  }
}

// MARK: Effects

extension Keyspace {
  /// Appends the claim that reproduces a pending entry as it is now.
  public mutating func propagateClaim(
    _ key: borrowing Span<UInt8>, _ group: borrowing Span<UInt8>, _ pending: Pending,
    id: borrowing Span<UInt8>, lastID: borrowing Span<UInt8>
  ) {
    effects.begin(14, database: selected)
    effects.word("XCLAIM")
    effects.word(key)
    effects.word(group)
    Self.word(&effects, arena, nameOf: pending.consumer)
    effects.word("0")
    effects.word(id)
    effects.word("TIME")
    effects.word(decimal: pending.deliveredAt)
    effects.word("RETRYCOUNT")
    effects.word(decimal: pending.deliveries)
    effects.word("FORCE")
    effects.word("JUSTID")
    effects.word("LASTID")
    effects.word(lastID)
  }

  private static func word(
    _ effects: inout EffectStream, _ arena: borrowing Arena, nameOf consumer: StreamConsumer
  ) {
    effects.word(arena.reader.entry(consumer.entry).key)
  }
}
