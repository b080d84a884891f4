// HashValue: hashes, in the encodings and at the sizes at which Redis 7.2 has them.
//
//   listpack   | field | value | field | value | ... |   up to hash-max-listpack-entries fields
//   table      an entry for each field: its key is the field, its value the value
//
// 1. A hash becomes a table when it has too many fields, a field or value is too long, or a field
//    gets a deadline; it never goes back.
// 2. These functions work on an entry wherever it is, in a database or not yet: it may move, and
//    its owner has to be told. Fields and values to be stored lie outside the arena.

import Bytes
import Memory
import Structures

/// What a command is about to store, for the decision that Redis makes before it stores.
public struct FieldBatch: BitwiseCopyable, Sendable {
  var fields = 0
  var longest = 0
  var total = 0

  public init() {}

  public mutating func add(field: Int, value: Int) {
    fields += 1
    longest = max(longest, field, value)
    total += field + value
  }
}

enum HashValue {
  static var listpackForm: Entry.Form { Entry.Form(.hash, .listpack) }

  /// An empty hash that nothing refers to yet.
  static func make(
    _ arena: inout Arena, key: borrowing Span<UInt8>, access: UInt32 = 0
  ) throws(ArenaFull) -> Ref<Entry> {
    try arena.makeEntry(key: key, value: Listpack.empty.span, form: listpackForm, access: access)
  }

  /// Makes a listpack a table if it cannot take what is to be stored.
  static func prepare(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, for batch: FieldBatch,
    _ limits: CollectionLimits, _ keyedHash: KeyedHash
  ) throws(ArenaFull) {
    guard arena.reader.entry(hash).header.encoding == .listpack else { return }
    let bytes = arena.reader.entry(hash).valueCount
    if batch.fields > limits.hashListpackEntries || batch.longest > limits.hashListpackValueBytes
      || bytes + batch.total > Listpack.largestBytes
    {
      try makeTable(&arena, &hash, keyedHash)
    }
  }

  /// Gives a field a value.
  /// - Parameter keepsDeadline: whether a deadline of the field stays.
  /// - Returns: whether the field is new.
  static func set(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ value: borrowing Span<UInt8>, keepsDeadline: Bool, _ limits: CollectionLimits,
    _ keyedHash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    if arena.reader.entry(hash).header.encoding == .listpack {
      let longest = max(field.count, value.count)
      if longest <= limits.hashListpackValueBytes {
        return try setInListpack(&arena, &hash, field, value, limits, keyedHash)
      }
      try makeTable(&arena, &hash, keyedHash)
    }
    return try setInTable(&arena, hash, field, value, keepsDeadline: keepsDeadline, keyedHash)
  }

  private static func setInListpack(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ value: borrowing Span<UInt8>, _ limits: CollectionLimits, _ keyedHash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let wanted = Element(copy field)
    let end = arena.reader.listpack(hash).end
    let count = arena.reader.listpack(hash).count / 2
    let found = arena.reader.place(of: wanted, inListpack: hash, step: 2)
    var place = ListpackPlace.value(hash)
    defer { hash = place.entry }
    if let found {
      let old = arena.reader.listpack(hash).next(found)
      try arena.replace(in: &place, at: old, with: Element(copy value))
      return false
    }
    try arena.insert(wanted, Element(copy value), into: &place, at: end)
    if count + 1 > limits.hashListpackEntries {
      var moved = place.entry
      // Without memory for a table the listpack stays: it is correct, only slower.
      try? makeTable(&arena, &moved, keyedHash)
      place = .value(moved)
    }
    return true
  }

  private static func setInTable(
    _ arena: inout Arena, _ hash: Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ value: borrowing Span<UInt8>, keepsDeadline: Bool, _ keyedHash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let table = arena.reader.table(hash, keyedHash)
    return try table.set(&arena, keyedHash(field), field, value: value)
  }

  /// Removes a field.
  /// - Returns: whether it was there.
  static func remove(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ keyedHash: KeyedHash
  ) -> Bool {
    guard arena.reader.entry(hash).header.encoding == .listpack else {
      let table = arena.reader.table(hash, keyedHash)
      guard let slot = table.find(arena.reader, keyedHash(field), field) else { return false }
      table.remove(&arena, slot)
      arena.freeEntry(slot.entry)
      return true
    }
    let wanted = Element(copy field)
    guard let found = arena.reader.place(of: wanted, inListpack: hash, step: 2) else {
      return false
    }
    var place = ListpackPlace.value(hash)
    arena.removeElements(2, at: found, from: &place)
    hash = place.entry
    return true
  }

  // MARK: Conversion

  static func makeTable(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ keyedHash: KeyedHash
  ) throws(ArenaFull) {
    var bytes = ByteBuffer()
    bytes.append(arena.reader.entry(hash).value)
    let table = try HashTable.create(&arena, hash: keyedHash)
    do throws(ArenaFull) {
      try fill(table, &arena, from: bytes.span)
      try arena.adopt(table, by: &hash, words: 2)
    } catch {
      arena.discardLater(.table, table.root.unit)
      throw error
    }
  }

  private static func fill(
    _ table: HashTable, _ arena: inout Arena, from bytes: borrowing Span<UInt8>
  ) throws(ArenaFull) {
    let list = Listpack(copy bytes)
    var place = list.start
    var field = ByteBuffer()
    var value = ByteBuffer()
    while place < list.end {
      field.removeAll()
      field.append(list.element(place))
      let second = list.next(place)
      value.removeAll()
      value.append(list.element(second))
      _ = try table.set(&arena, table.hash(field.span), field.span, value: value.span)
      place = list.next(second)
    }
  }
}

extension ArenaReader {
  /// The value of a field.
  @_lifetime(copy self)
  func fieldValue(
    _ hash: Ref<Entry>, _ field: borrowing Span<UInt8>, _ keyedHash: KeyedHash
  ) -> Element? {
    guard entry(hash).header.encoding == .listpack else {
      guard let slot = table(hash, keyedHash).find(self, keyedHash(field), field) else {
        return nil
      }
      return Element(text: entry(slot.entry).value)
    }
    guard let place = place(of: Element(copy field), inListpack: hash, step: 2) else {
      return nil
    }
    let list = listpack(hash)
    return list.element(list.next(place))
  }
}
