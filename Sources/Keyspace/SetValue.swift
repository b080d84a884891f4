// SetValue: sets, in the encodings and at the sizes at which Redis 7.2 has them.
//
//   intset ──► listpack ──► table
//      └───────────────────────►
//
//   an integer too many for the intset: table; another text: listpack if that has room, else table
//
// 1. An intset holds integers only, a listpack each text once. Nothing goes back to a smaller
//    encoding by itself; whoever builds a set anew may choose (`packIntegers`).
// 2. These functions work on an entry wherever it is, in a database or not yet: it may move, and
//    its owner has to be told. Members to be stored lie outside the arena.

import Bytes
import Memory
import Structures

enum SetValue {
  static var intsetForm: Entry.Form { Entry.Form(.set, .intset) }
  static var listpackForm: Entry.Form { Entry.Form(.set, .listpack) }

  /// An empty set that nothing refers to yet.
  /// - Parameter startsAsListpack: as `setTypeCreate` decides.
  static func make(
    _ arena: inout Arena, key: borrowing Span<UInt8>, startsAsListpack: Bool = false,
    access: UInt32 = 0
  ) throws(ArenaFull) -> Ref<Entry> {
    if startsAsListpack {
      return try arena.makeEntry(
        key: key, value: Listpack.empty.span, form: listpackForm, access: access)
    }
    return try arena.makeEntry(key: key, value: Intset.empty.span, form: intsetForm, access: access)
  }

  /// Prepares an existing or fresh set for up to `count` more members, as Redis does before SADD:
  /// what cannot stay packed becomes a table first.
  static func prepare(
    _ arena: inout Arena, _ set: inout Ref<Entry>, adding count: Int, _ limits: CollectionLimits,
    _ hash: KeyedHash
  ) throws(ArenaFull) {
    switch arena.reader.entry(set).header.encoding {
    case .listpack where count > limits.setListpackEntries:
      try makeTable(&arena, &set, hash)
    case .intset where count > limits.setIntsetEntries:
      try makeTable(&arena, &set, hash)
    default: break
    }
  }

  /// Adds a member.
  /// - Parameter isNew: whether it is known that the set does not have it.
  /// - Returns: whether it is new.
  static func add(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ limits: CollectionLimits, _ hash: KeyedHash, isNew: Bool = false
  ) throws(ArenaFull) -> Bool {
    switch arena.reader.entry(set).header.encoding {
    case .intset: return try addToIntset(&arena, &set, member, limits, hash)
    case .listpack:
      if !isNew && arena.reader.place(of: Element(copy member), inListpack: set) != nil {
        return false
      }
      return try addToListpack(&arena, &set, member, limits, hash)
    default: return try addToTable(&arena, set, member, hash)
    }
  }

  private static func addToTable(
    _ arena: inout Arena, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ hash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let table = arena.reader.table(set, hash)
    let memberHash = hash(member)
    if table.find(arena.reader, memberHash, member) != nil { return false }
    let entry = try arena.makeEntry(key: member, value: Span())
    do throws(ArenaFull) {
      try table.insert(&arena, memberHash, entry)
    } catch {
      arena.freeEntry(entry)
      throw error
    }
    return true
  }

  /// Adds a member that the set does not have.
  private static func addToListpack(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ limits: CollectionLimits, _ hash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let bytes = arena.reader.entry(set).valueCount
    guard arena.reader.listpack(set).count < limits.setListpackEntries,
      member.count <= limits.setListpackValueBytes, bytes + member.count <= Listpack.largestBytes
    else {
      try makeTable(&arena, &set, hash)
      return try addToTable(&arena, set, member, hash)
    }
    var place = ListpackPlace.value(set)
    try arena.append(Element(copy member), to: &place)
    set = place.entry
    return true
  }

  private static func addToIntset(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ limits: CollectionLimits, _ hash: KeyedHash
  ) throws(ArenaFull) -> Bool {
    let element = Element(copy member)
    if element.isInteger {
      guard try arena.insert(element.integer, intoIntset: &set) else { return false }
      if arena.reader.intset(set).count > limits.intsetEntries {
        do throws(ArenaFull) {
          try makeTable(&arena, &set, hash)
        } catch {
          _ = arena.remove(element.integer, fromIntset: &set)
          throw error
        }
      }
      return true
    }
    if listpackTakes(arena.reader, set, member, limits) {
      try makeListpack(&arena, &set)
      var place = ListpackPlace.value(set)
      try arena.append(element, to: &place)
      set = place.entry
      return true
    }
    try makeTable(&arena, &set, hash)
    return try addToTable(&arena, set, member, hash)
  }

  /// Whether an intset can become a listpack with `member` in it.
  private static func listpackTakes(
    _ reader: borrowing ArenaReader, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ limits: CollectionLimits
  ) -> Bool {
    let integers = reader.intset(set)
    let count = integers.count
    let longest =
      count == 0 ? 0 : max(decimalCount(integers[0]), decimalCount(integers[count - 1]))
    return count < limits.setListpackEntries && member.count <= limits.setListpackValueBytes
      && longest <= limits.setListpackValueBytes
  }

  /// Removes a member.
  /// - Returns: whether it was there.
  static func remove(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ hash: KeyedHash
  ) -> Bool {
    let element = Element(copy member)
    switch arena.reader.entry(set).header.encoding {
    case .intset:
      return element.isInteger && arena.remove(element.integer, fromIntset: &set)
    case .listpack:
      guard let offset = arena.reader.place(of: element, inListpack: set) else { return false }
      var place = ListpackPlace.value(set)
      arena.removeElements(at: offset, from: &place)
      set = place.entry
      return true
    default:
      let table = arena.reader.table(set, hash)
      guard let slot = table.find(arena.reader, hash(member), member) else { return false }
      table.remove(&arena, slot)
      arena.freeEntry(slot.entry)
      return true
    }
  }

  // MARK: Conversions

  /// Turns an intset or listpack into a table.
  static func makeTable(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ hash: KeyedHash
  ) throws(ArenaFull) {
    var bytes = ByteBuffer()
    bytes.append(arena.reader.entry(set).value)
    let isIntset = arena.reader.entry(set).header.encoding == .intset
    let table = try HashTable.create(&arena, hash: hash)
    do throws(ArenaFull) {
      if isIntset {
        for index in 0..<Intset(bytes.span).count {
          let text = IntegerText(Intset(bytes.span)[index])
          _ = try table.set(&arena, hash(text.span), text.span, value: Span())
        }
      } else {
        try fill(table, &arena, from: bytes.span)
      }
      try arena.adopt(table, by: &set, words: 1)
    } catch {
      arena.discardLater(.table, table.root.unit)
      throw error
    }
  }

  /// Enters all elements of the listpack into the table.
  private static func fill(
    _ table: HashTable, _ arena: inout Arena, from bytes: borrowing Span<UInt8>
  ) throws(ArenaFull) {
    let list = Listpack(copy bytes)
    var place = list.start
    while place < list.end {
      let element = list.element(place)
      if element.isInteger {
        let text = IntegerText(element.integer)
        _ = try table.set(&arena, table.hash(text.span), text.span, value: Span())
      } else {
        let text = element.string
        _ = try table.set(&arena, table.hash(text), text, value: Span())
      }
      place = list.next(place)
    }
  }

  /// Turns an intset into a listpack.
  private static func makeListpack(
    _ arena: inout Arena, _ set: inout Ref<Entry>
  ) throws(ArenaFull) {
    var writer = ListpackWriter()
    for index in 0..<arena.reader.intset(set).count {
      writer.append(Element(integer: arena.reader.intset(set)[index]))
    }
    try replace(&arena, &set, writer.bytes, listpackForm)
  }

  /// Turns a set of integers into an intset, if it is small enough for one and is none yet.
  static func packIntegers(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ limits: CollectionLimits, _ hash: KeyedHash
  ) throws(ArenaFull) {
    let encoding = arena.reader.entry(set).header.encoding
    guard encoding != .intset, arena.reader.elementCount(set, hash) <= limits.intsetEntries else {
      return
    }
    var new = try arena.makeEntry(like: set, value: Intset.empty.span, form: intsetForm)
    var walk = arena.reader.walk(set)
    do throws(ArenaFull) {
      while arena.reader.advance(&walk, hash) {
        guard let integer = arena.reader.element(walk).parseInteger() else {
          preconditionFailure("a set of integers holds another text")
        }
        _ = try arena.insert(integer, intoIntset: &new)
      }
    } catch {
      arena.discardEntry(new)
      throw error
    }
    arena.discardEntry(set)
    set = new
  }

  /// Gives a set other bytes as its value, which lie outside the arena.
  static func replace(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ bytes: borrowing Span<UInt8>,
    _ form: Entry.Form
  ) throws(ArenaFull) {
    let new = try arena.makeEntry(like: set, value: bytes, form: form)
    arena.discardEntry(set)
    set = new
  }
}

extension ArenaReader {
  /// Where an element is in a listpack, of those that lie a multiple of `step` elements away from
  /// the first.
  func place(
    of element: borrowing Element, inListpack ref: Ref<Entry>, step: Int = 1
  ) -> Int? {
    let list = listpack(ref)
    return list.find(element, from: list.start, step: step)
  }

  /// Whether the set has a member of that text.
  func contains(
    _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ hash: KeyedHash
  ) -> Bool {
    switch entry(set).header.encoding {
    case .table: return table(set, hash).find(self, hash(member), member) != nil
    case .intset:
      guard let integer = member.parseInteger() else { return false }
      return intset(set).contains(integer)
    default:
      return place(of: Element(copy member), inListpack: set) != nil
    }
  }

  /// The same for an element of another set.
  func contains(_ set: Ref<Entry>, _ element: borrowing Element, _ hash: KeyedHash) -> Bool {
    if !element.isInteger { return contains(set, element.string, hash) }
    switch entry(set).header.encoding {
    case .table:
      let text = IntegerText(element.integer)
      return table(set, hash).find(self, hash(text.span), text.span) != nil
    case .intset: return intset(set).contains(element.integer)
    default:
      return place(of: element, inListpack: set) != nil
    }
  }
}
