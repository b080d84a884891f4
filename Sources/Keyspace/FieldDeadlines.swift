// FieldDeadlines: hashes whose fields have deadlines, wherever the hash is.
//
//   timed listpack   | field | value | deadline | ... |   milliseconds since 1970, 0 for none
//   table            root record | table 8 | deadlines: root 8 | count 8 |, a field's entry has its
//                    deadline as keys have theirs
//
// 1. The fields of a timed listpack are in the order of their deadlines; those without one come
//    last. In a table each field with a deadline has an item in the tree of deadlines.
// 2. Removing a field needs no memory. Changing a deadline changes nothing when there is none.

import Bytes
import Memory
import Structures

extension ArenaReader {
  /// The deadlines of a hash that is a table.
  func deadlines(_ hash: Ref<Entry>) -> DeadlineTree {
    let count = Int(truncatingIfNeeded: rootWord(hash, 2))
    return DeadlineTree(rootWord: rootWord(hash, 1), count: count, weight: count)
  }

  /// The earliest deadline of an entry's fields; nil for what is no hash.
  @inline(__always) public func fieldsDeadline(_ ref: Ref<Entry>) -> Int? {
    let form = entry(ref).header.form
    guard form.type == .hash && form.encoding != .listpack else { return nil }
    return earliestDeadline(ref)
  }

  private func earliestDeadline(_ hash: Ref<Entry>) -> Int? {
    guard entry(hash).header.encoding == .timedListpack else {
      return deadlines(hash).first(self)?.deadline
    }
    let list = listpack(hash)
    return list.isEmpty ? nil : deadline(hash, at: list.start)
  }

  /// When a key or the first of its fields is due.
  func nextDeadline(_ ref: Ref<Entry>) -> Int? {
    earlier(entry(ref).expiry, fieldsDeadline(ref))
  }

  /// The deadline of the field at `place` of a hash's listpack.
  func deadline(_ hash: Ref<Entry>, at place: Int) -> Int? {
    guard entry(hash).header.encoding == .timedListpack else { return nil }
    let list = listpack(hash)
    let deadline = list.element(list.skip(place, 2)).integer
    return deadline == 0 ? nil : deadline
  }

  /// How many fields of a hash have a deadline before `now`.
  func dueFieldCount(_ hash: Ref<Entry>, _ now: Int) -> Int {
    guard let earliest = fieldsDeadline(hash), earliest < now else { return 0 }
    guard entry(hash).header.encoding == .timedListpack else {
      return deadlines(hash).count(self, before: now)
    }
    let list = listpack(hash)
    var count = 0
    var place = list.start
    while place < list.end, let deadline = deadline(hash, at: place), deadline < now {
      count += 1
      place = list.skip(place, 3)
    }
    return count
  }

  /// The deadline of a field: nil without such a field, `.some(nil)` for a field without.
  func deadline(
    _ hash: Ref<Entry>, of field: borrowing Span<UInt8>, _ keyedHash: KeyedHash
  ) -> Int?? {
    let form = entry(hash).header.form
    guard form.encoding.isListpack else {
      guard let slot = table(hash, keyedHash).find(self, keyedHash(field), field) else {
        return nil
      }
      return .some(entry(slot.entry).expiry)
    }
    guard let place = place(of: Element(copy field), inListpack: hash, step: form.stride) else {
      return nil
    }
    return .some(deadline(hash, at: place))
  }
}

/// The earlier of two deadlines, of which there may be none.
func earlier(_ one: Int?, _ other: Int?) -> Int? {
  guard let one, let other else { return one ?? other }
  return min(one, other)
}

extension HashValue {
  static var timedForm: Entry.Form { Entry.Form(.hash, .timedListpack) }

  /// Stores the tree in the root record.
  static func store(_ arena: inout Arena, _ hash: Ref<Entry>, _ deadlines: DeadlineTree) {
    arena.setRootWord(hash, 1, deadlines.rootWord)
    arena.setRootWord(hash, 2, UInt64(truncatingIfNeeded: deadlines.count))
  }

  /// Takes the item of a field whose hash is `fieldHash` out of a table's tree.
  static func forget(
    _ arena: inout Arena, _ hash: Ref<Entry>, _ deadline: Int, _ fieldHash: UInt64
  ) {
    var deadlines = arena.reader.deadlines(hash)
    let isKnown = deadlines.remove(&arena, DeadlineItem(deadline: deadline, hash: fieldHash))
    precondition(isKnown, "a field's deadline is not in the tree")
    store(&arena, hash, deadlines)
  }

  /// Gives a field that exists a deadline, at least 1, or takes it away.
  static func setDeadline(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ field: borrowing Span<UInt8>,
    _ deadline: Int?, _ keyedHash: KeyedHash
  ) throws(ArenaFull) {
    let form = arena.reader.entry(hash).header.form
    guard form.encoding.isListpack else {
      return try setInTable(&arena, hash, field, deadline, keyedHash)
    }
    let wanted = Element(copy field)
    guard let place = arena.reader.place(of: wanted, inListpack: hash, step: form.stride) else {
      preconditionFailure("a field that was found is gone")
    }
    if arena.reader.deadline(hash, at: place) == deadline { return }
    let most = arena.reader.entry(hash).valueCount + 10 * (arena.reader.listpack(hash).count + 1)
    if most > Listpack.largestBytes {
      try makeTable(&arena, &hash, keyedHash)
      return try setInTable(&arena, hash, field, deadline, keyedHash)
    }
    var value = ByteBuffer()
    value.append(arena.reader.listpack(hash).element(arena.reader.listpack(hash).next(place)))
    try arrange(&arena, &hash, place, value: value.span, deadline: deadline)
  }

  /// Gives the field at `place` of a listpack a value and a deadline, and the place that the
  /// deadline asks for. The listpack is a timed one from now on.
  static func arrange(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, _ place: Int,
    value: borrowing Span<UInt8>, deadline: Int?
  ) throws(ArenaFull) {
    var writer = ListpackWriter()
    write(arena.reader, hash, place, value, deadline ?? 0, &writer)
    let new = try arena.makeEntry(like: hash, value: writer.bytes, form: timedForm)
    arena.freeEntry(hash)
    hash = new
  }

  private static func write(
    _ reader: borrowing ArenaReader, _ hash: Ref<Entry>, _ changed: Int,
    _ value: borrowing Span<UInt8>, _ deadline: Int, _ writer: inout ListpackWriter
  ) {
    let list = reader.listpack(hash)
    let stride = reader.entry(hash).header.form.stride
    var isWritten = false
    var place = list.start
    while place < list.end {
      let next = list.skip(place, stride)
      defer { place = next }
      if place == changed { continue }
      let old = reader.deadline(hash, at: place) ?? 0
      if !isWritten && deadline != 0 && (old == 0 || old > deadline) {
        writer.append(list.element(changed), Element(copy value), deadline)
        isWritten = true
      }
      writer.append(list.element(place), list.element(list.next(place)), old)
    }
    if !isWritten { writer.append(list.element(changed), Element(copy value), deadline) }
  }

  private static func setInTable(
    _ arena: inout Arena, _ hash: Ref<Entry>, _ field: borrowing Span<UInt8>, _ deadline: Int?,
    _ keyedHash: KeyedHash
  ) throws(ArenaFull) {
    let table = arena.reader.table(hash, keyedHash)
    let fieldHash = keyedHash(field)
    guard let slot = table.find(arena.reader, fieldHash, field) else {
      preconditionFailure("a field that was found is gone")
    }
    let facts = arena.facts(slot.entry)
    if facts.expiry == deadline { return }
    var deadlines = arena.reader.deadlines(hash)
    if let deadline {
      // Made before anything changes, and taken back if the entry finds no room.
      try deadlines.insert(&arena, DeadlineItem(deadline: deadline, hash: fieldHash))
      store(&arena, hash, deadlines)
    }
    if facts.expiry != nil, let deadline {
      arena.setExpiry(slot.entry, deadline)
    } else {
      do throws(ArenaFull) {
        let moved = try arena.reshape(
          slot.entry, expiry: deadline, valueCount: facts.valueCount, slack: false)
        table.replace(&arena, slot, moved)
      } catch {
        if let deadline { forget(&arena, hash, deadline, fieldHash) }
        throw error
      }
    }
    if let old = facts.expiry { forget(&arena, hash, old, fieldHash) }
  }

  // MARK: Removing what is due

  /// Appends the names of up to `limit` fields whose deadlines lie before `now`, in the order of
  /// their deadlines, and removes them.
  /// - Returns: how many.
  static func removeDue(
    _ arena: inout Arena, _ hash: inout Ref<Entry>, now: Int, limit: Int,
    _ keyedHash: KeyedHash, into names: inout ElementList
  ) -> Int {
    guard arena.reader.entry(hash).header.encoding == .timedListpack else {
      return removeDueFromTable(&arena, hash, now: now, limit: limit, keyedHash, into: &names)
    }
    let count = min(arena.reader.dueFieldCount(hash, now), limit)
    var at = Listpack.headerBytes
    for _ in 0..<count {
      names.append(arena.reader.listpack(hash).element(at))
      at = arena.reader.listpack(hash).skip(at, 3)
    }
    var place = ListpackPlace.value(hash)
    arena.removeElements(3 * count, at: Listpack.headerBytes, from: &place)
    hash = place.entry
    return count
  }

  private static func removeDueFromTable(
    _ arena: inout Arena, _ hash: Ref<Entry>, now: Int, limit: Int, _ keyedHash: KeyedHash,
    into names: inout ElementList
  ) -> Int {
    let table = arena.reader.table(hash, keyedHash)
    var deadlines = arena.reader.deadlines(hash)
    var count = 0
    while count < limit, let item = deadlines.first(arena.reader), item.deadline < now {
      guard let slot = table.find(arena.reader, item) else {
        preconditionFailure("a field with a deadline is gone")
      }
      names.append(arena.reader.entry(slot.entry).key)
      let isKnown = deadlines.remove(&arena, item)
      precondition(isKnown)
      table.remove(&arena, slot)
      arena.freeEntry(slot.entry)
      count += 1
    }
    store(&arena, hash, deadlines)
    return count
  }
}

extension ListpackWriter {
  fileprivate mutating func append(
    _ field: borrowing Element, _ value: borrowing Element, _ deadline: Int
  ) {
    append(field)
    append(value)
    append(Element(integer: deadline))
  }
}

extension ElementList {
  fileprivate mutating func append(_ element: borrowing Element) {
    if element.isInteger { append(decimal: element.integer) } else { append(element.string) }
  }
}
