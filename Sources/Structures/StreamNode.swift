// StreamNode: some entries of a stream, in order, as one listpack in Redis' published layout.
//
//   master    | live | deleted | field count n | field 1 | ... | field n | 0 |
//   entry     | flags | ms delta | sequence delta | ... | elements before this one |
//               flags & 2: the master's fields   | value 1 | ... | value n |
//               else                             | count m | field 1 | value 1 | ... | value m |
//               flags & 1: the entry was deleted
//
// 1. The deltas count from the node's ID, that of the entry it was begun with; they wrap around.
// 2. `live` and `deleted` together count all entries that lie in the node.
// 3. Each entry ends with how many elements it has before that last one, and the master with 0, so
//    that a node is read backwards, too.

import Bytes
import Memory

@frozen public struct StreamNode: ~Escapable {
  public let pack: Listpack
  public let id: StreamID

  @_lifetime(copy pack)
  @inlinable public init(_ pack: Listpack, id: StreamID) {
    self.pack = pack
    self.id = id
  }

  @inlinable static var deletedFlag: Int { 1 }
  @inlinable static var sameFieldsFlag: Int { 2 }

  /// Where the master's parts lie, and what it counts.
  @frozen public struct Master: BitwiseCopyable, Sendable {
    public let live: Int
    public let deleted: Int
    public let fieldCount: Int
    @usableFromInline let fieldsPlace: Int
    /// The first field's place.
    @inlinable public var firstField: Int { fieldsPlace }
    /// The first entry's place.
    @usableFromInline let entriesPlace: Int

    @inlinable init(
      live: Int, deleted: Int, fieldCount: Int, fieldsPlace: Int, entriesPlace: Int
    ) {
      self.live = live
      self.deleted = deleted
      self.fieldCount = fieldCount
      self.fieldsPlace = fieldsPlace
      self.entriesPlace = entriesPlace
    }
  }

  /// What an entry's ID is stored as in the node of `base`.
  @inlinable public static func deltas(
    of id: StreamID, in base: StreamID
  ) -> (milliseconds: Int, sequence: Int) {
    id.deltas(from: base)
  }

  @inlinable public var master: Master {
    let deletedPlace = pack.next(pack.start)
    let countPlace = pack.next(deletedPlace)
    let fieldsPlace = pack.next(countPlace)
    let fieldCount = pack.element(countPlace).integer
    let zeroPlace = pack.skip(fieldsPlace, fieldCount)
    return Master(
      live: pack.element(pack.start).integer, deleted: pack.element(deletedPlace).integer,
      fieldCount: fieldCount,
      fieldsPlace: fieldsPlace, entriesPlace: pack.next(zeroPlace))
  }

  /// The entry whose flags lie at `place`.
  @inlinable public func entry(at place: Int, _ master: Master) -> StreamEntry {
    let flags = pack.element(place).integer
    let millisecondsPlace = pack.next(place)
    let sequencePlace = pack.next(millisecondsPlace)
    var contentPlace = pack.next(sequencePlace)
    let hasMasterFields = flags & Self.sameFieldsFlag != 0
    var fieldCount = master.fieldCount
    if !hasMasterFields {
      fieldCount = pack.element(contentPlace).integer
      contentPlace = pack.next(contentPlace)
    }
    return StreamEntry(
      id: id.adding(
        pack.element(millisecondsPlace).integer, pack.element(sequencePlace).integer),
      fieldCount: fieldCount, isDeleted: flags & Self.deletedFlag != 0,
      fieldsPlace: hasMasterFields ? master.fieldsPlace : -1, place: place,
      contentPlace: contentPlace)
  }

  /// The place of the entry after `entry`; the listpack's end when it is the last.
  @inlinable func next(_ entry: StreamEntry) -> Int {
    let elements = entry.fieldsPlace >= 0 ? entry.fieldCount : entry.fieldCount &* 2
    return pack.next(pack.skip(entry.contentPlace, elements))
  }

  /// The place of the entry before `place`, which is an entry's or the end; nil before the first.
  @inlinable func previous(_ place: Int) -> Int? {
    var place = pack.previous(place)
    var elements = pack.element(place).integer
    guard elements > 0 else { return nil }
    while elements > 0 && place > pack.start {
      place = pack.previous(place)
      elements &-= 1
    }
    return place
  }
}

/// An entry that was found in a node: where its parts lie. Good until the node changes.
@frozen public struct StreamEntry: BitwiseCopyable, Sendable {
  public let id: StreamID
  public let fieldCount: Int
  public let isDeleted: Bool
  /// The first of the master's fields, if the entry has those; else -1.
  @usableFromInline let fieldsPlace: Int
  @usableFromInline let place: Int
  /// The first value or, when the entry has fields of its own, the first field.
  @usableFromInline let contentPlace: Int

  @inlinable init(
    id: StreamID, fieldCount: Int, isDeleted: Bool, fieldsPlace: Int, place: Int,
    contentPlace: Int
  ) {
    self.id = id
    self.fieldCount = fieldCount
    self.isDeleted = isDeleted
    self.fieldsPlace = fieldsPlace
    self.place = place
    self.contentPlace = contentPlace
  }
}

/// Walks over an entry's fields and values.
@frozen public struct StreamFields: ~Escapable {
  @usableFromInline let pack: Listpack
  @usableFromInline var fieldPlace: Int
  @usableFromInline var valuePlace: Int
  @usableFromInline let isShared: Bool

  @_lifetime(copy pack)
  @inlinable public init(_ pack: Listpack, _ entry: StreamEntry) {
    self.pack = pack
    isShared = entry.fieldsPlace >= 0
    fieldPlace = isShared ? entry.fieldsPlace : entry.contentPlace
    valuePlace = isShared ? entry.contentPlace : pack.next(entry.contentPlace)
  }

  @inlinable public var field: ListpackElement {
    @_lifetime(copy self) get { pack.element(fieldPlace) }
  }
  @inlinable public var value: ListpackElement {
    @_lifetime(copy self) get { pack.element(valuePlace) }
  }

  /// Goes to the next pair; there must be one.
  @inlinable public mutating func advance() {
    if isShared {
      fieldPlace = pack.next(fieldPlace)
      valuePlace = pack.next(valuePlace)
    } else {
      fieldPlace = pack.next(valuePlace)
      valuePlace = fieldPlace < pack.end ? pack.next(fieldPlace) : fieldPlace
    }
  }
}
