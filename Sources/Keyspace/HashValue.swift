// HashValue: hashes, in the encodings and at the sizes at which Redis 7.2 has them.
//
//   listpack         | field | value | field | value | ... |   up to hash-max-listpack-entries
//   timed listpack   | field | value | deadline | ... |         so, once a field had a deadline
//   table            an entry for each field: its key is the field, its value the value
//
// 1. A hash becomes a table when it has too many fields, or a field or value is too long; it never
//    goes back, nor from the timed listpack to the other one. Deadlines: FieldDeadlines.
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
    guard arena.reader.entry(hash).header.encoding.isListpack else { return }
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
    if arena.reader.entry(hash).header.encoding.isListpack {
      let longest = max(field.count, value.count)
      if longest <= limits.hashListpackValueBytes {
        return try setInListpack(
          &arena, &hash, field, value, keepsDeadline: keepsDeadline, limits, keyedHash)
      }
      try makeTable(&arena, &hash, keyedHash)
    }
    return try setInTable(&arena, hash, field, value, keepsDeadline: keepsDeadline, keyedHash)
  }

  private static func setInListpack(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ value: borrowing Span<UInt8>, keepsDeadline: Bool, _ limits: CollectionLimits,
    _ keyedHash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let wanted = Element(copy field)
    let end = arena.reader.listpack(hash).end
    let stride = arena.reader.entry(hash).header.form.stride
    let count = arena.reader.listpack(hash).count / stride
    let found = arena.reader.place(of: wanted, inListpack: hash, step: stride)
    if let found, !keepsDeadline, arena.reader.deadline(hash, at: found) != nil {
      try arrange(&arena, &hash, found, value: value, deadline: nil)
      return false
    }
    var place = ListpackPlace.value(hash)
    defer { hash = place.entry }
    if let found {
      let old = arena.reader.listpack(hash).next(found)
      try arena.replace(in: &place, at: old, with: Element(copy value))
      return false
    }
    if stride == 3 {
      try arena.insert(wanted, Element(copy value), Element(integer: 0), into: &place, at: end)
    } else {
      try arena.insert(wanted, Element(copy value), into: &place, at: end)
    }
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
    let fieldHash = keyedHash(field)
    let slot = table.find(arena.reader, fieldHash, field)
    let deadline = slot.flatMap { arena.reader.entry($0.entry).expiry }
    let isNew = try table.set(
      &arena, fieldHash, field, value: value, expiry: keepsDeadline ? deadline : nil)
    if let deadline, !keepsDeadline { forget(&arena, hash, deadline, fieldHash) }
    return isNew
  }

  /// Removes a field.
  /// - Returns: whether it was there.
  static func remove(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ keyedHash: KeyedHash
  ) -> Bool {
    guard arena.reader.entry(hash).header.encoding.isListpack else {
      let table = arena.reader.table(hash, keyedHash)
      let fieldHash = keyedHash(field)
      guard let slot = table.find(arena.reader, fieldHash, field) else { return false }
      if let deadline = arena.reader.entry(slot.entry).expiry {
        forget(&arena, hash, deadline, fieldHash)
      }
      table.remove(&arena, slot)
      arena.freeEntry(slot.entry)
      return true
    }
    let wanted = Element(copy field)
    let stride = arena.reader.entry(hash).header.form.stride
    guard let found = arena.reader.place(of: wanted, inListpack: hash, step: stride) else {
      return false
    }
    var place = ListpackPlace.value(hash)
    arena.removeElements(stride, at: found, from: &place)
    hash = place.entry
    return true
  }

  // MARK: Conversion

  static func makeTable(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ keyedHash: KeyedHash
  ) throws(ArenaFull) {
    var bytes = ByteBuffer()
    bytes.append(arena.reader.entry(hash).value)
    let isTimed = arena.reader.entry(hash).header.encoding == .timedListpack
    let table = try HashTable.create(&arena, hash: keyedHash)
    var deadlines = DeadlineTree()
    do throws(ArenaFull) {
      try fill(table, &deadlines, &arena, from: bytes.span, isTimed: isTimed)
      try arena.adopt(table, by: &hash, words: 3)
    } catch {
      deadlines.free(&arena)
      arena.discardLater(.table, table.root.unit)
      throw error
    }
    store(&arena, hash, deadlines)
  }

  private static func fill(
    _ table: HashTable, _ deadlines: inout DeadlineTree, _ arena: inout Arena,
    from bytes: borrowing Span<UInt8>, isTimed: Bool
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
      place = list.next(second)
      var deadline: Int?
      let hash = table.hash(field.span)
      if isTimed {
        let stored = list.element(place).integer
        if stored != 0 {
          deadline = stored
          try deadlines.insert(&arena, DeadlineItem(deadline: stored, hash: hash))
        }
        place = list.next(place)
      }
      _ = try table.set(&arena, hash, field.span, value: value.span, expiry: deadline)
    }
  }
}

extension ArenaReader {
  /// The value of a field.
  /// - Parameter now: fields whose deadline lies before are not seen.
  @_lifetime(copy self)
  func fieldValue(
    _ hash: Ref<Entry>, _ field: borrowing Span<UInt8>, _ keyedHash: KeyedHash, now: Int
  ) -> Element? {
    let form = entry(hash).header.form
    guard form.encoding.isListpack else {
      guard let slot = table(hash, keyedHash).find(self, keyedHash(field), field) else {
        return nil
      }
      if let deadline = entry(slot.entry).expiry, deadline < now { return nil }
      return Element(text: entry(slot.entry).value)
    }
    guard let place = place(of: Element(copy field), inListpack: hash, step: form.stride) else {
      return nil
    }
    if form.encoding == .timedListpack, let deadline = deadline(hash, at: place), deadline < now {
      return nil
    }
    let list = listpack(hash)
    return list.element(list.next(place))
  }
}
