// Finding, making, changing and removing collections of every type.
//
//   find ──► change, element by element ──► didChange ──► removeIfEmpty
//   make ──►
//
// 1. A collection's entry may move with every change: the table is told at once, and `Key` is
//    passed inout.
// 2. No key holds an empty collection after a command; commands remove what they have emptied.
// 3. Making and changing count nothing: the command knows how many changes it makes.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// As `find`, for a command that works on one type only.
  public mutating func findCollection(
    _ key: borrowing Span<UInt8>, _ type: ValueType, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    guard let found = find(key, lookup) else { return nil }
    guard arena.reader.entry(found.entry).header.type == type else { throw .wrongType }
    return found
  }

  /// Enters a new entry, which has no deadline, into the selected database. Frees it when there is
  /// no memory.
  mutating func enter(
    _ entry: Ref<Entry>, _ key: borrowing Span<UInt8>
  ) throws(CommandError) -> Key {
    let hash = hash(key)
    try link(entry, hash, expiry: nil, database: selected, changes: 0)
    guard let slot = databases[selected].table.find(arena.reader, hash, key) else {
      preconditionFailure("a new key is not there")
    }
    return Key(hash: hash, slot: slot, database: selected)
  }

  /// Makes a key whose value is `value`, bytes outside the arena.
  mutating func makeCollection(
    _ key: borrowing Span<UInt8>, _ form: Entry.Form, value: borrowing Span<UInt8>
  ) throws(CommandError) -> Key {
    let entry: Ref<Entry>
    do throws(ArenaFull) {
      entry = try arena.makeEntry(key: key, value: value, form: form, access: initialAccess)
    } catch {
      throw .outOfMemory
    }
    return try enter(entry, key)
  }

  /// Puts a finished entry over whatever has its key in the selected database; counts one change.
  /// Frees the entry when there is no memory.
  mutating func store(_ entry: Ref<Entry>, _ key: borrowing Span<UInt8>) throws(CommandError) {
    try put(entry, hash(key), expiry: arena.facts(entry).expiry, database: selected)
  }

  /// Tells the table where the key's entry is now. The old one is freed, or shared, already.
  mutating func adopt(_ key: inout Key, _ entry: Ref<Entry>) {
    guard entry != key.entry else { return }
    databases[key.database].table.replace(&arena, key.slot, entry)
    key = Key(hash: key.hash, slot: key.slot.with(entry), database: key.database)
  }

  /// Removes the key if its collection has no elements left.
  /// - Returns: whether it was removed.
  @discardableResult
  public mutating func removeIfEmpty(_ key: Key) -> Bool {
    guard arena.reader.isEmptyCollection(key.entry, hash) else { return false }
    remove(key, changes: 0)
    return true
  }

  // MARK: Elements of hashes and sets

  /// How many members or fields a hash or set has; fields count until they are removed.
  public func elementCount(_ key: Key) -> Int { arena.reader.elementCount(key.entry, hash) }

  /// A walk that stands before the first element of a hash or set. It sees no field that is past
  /// its deadline.
  public func walk(_ key: Key) -> ElementWalk {
    var walk = arena.reader.walk(key.entry)
    if let earliest = arena.reader.fieldsDeadline(key.entry), isDue(earliest) { walk.now = now }
    return walk
  }

  /// How many of them a walk will see.
  public func liveElementCount(_ key: Key) -> Int {
    elementCount(key) - arena.reader.dueFieldCount(key.entry, now)
  }

  /// Goes to the next element.
  /// - Returns: false at the end.
  public func advance(_ walk: inout ElementWalk) -> Bool { arena.reader.advance(&walk, hash) }

  /// The member or field at which a walk stands.
  @_lifetime(borrow self)
  public borrowing func element(_ walk: ElementWalk) -> Element { arena.reader.element(walk) }

  /// The value of the field at which a walk stands.
  @_lifetime(borrow self)
  public borrowing func fieldValue(_ walk: ElementWalk) -> Element {
    arena.reader.fieldValue(walk)
  }

  /// The first moment at which the key or one of its fields is due, in milliseconds since 1970; the
  /// end of time without a deadline.
  public func firstDeadline(_ key: Key) -> Int {
    min(
      arena.reader.entry(key.entry).expiry ?? .max, arena.reader.fieldsDeadline(key.entry) ?? .max)
  }

  /// A walk that stands at an element at random; there is one to be seen.
  public mutating func randomElement(_ key: Key) -> ElementWalk {
    var generator = random
    defer { random = generator }
    while true {
      let walk = arena.reader.randomWalk(key.entry, hash, using: &generator)
      // Only a pause leaves due fields here.
      guard let deadline = arena.reader.deadline(walk), isDue(deadline) else { return walk }
    }
  }

  /// Chooses whether the walk's element is one of `wanted` out of `left` that are still to come:
  /// so that walking through all chooses `wanted`, every choice being as likely.
  public mutating func chooses(_ wanted: Int, of left: Int) -> Bool {
    wanted > 0 && Int.random(in: 0..<left, using: &random) < wanted
  }

  /// Removes the element at which a walk stands.
  public mutating func removeElement(_ walk: ElementWalk, of key: inout Key) {
    var entry = key.entry
    arena.removeElement(walk, of: &entry, hash)
    adopt(&key, entry)
  }

  /// Removes the elements of those indexes, which ascend, from a packed set.
  public mutating func removeElements(_ indexes: borrowing Span<Int>, of key: inout Key) {
    var entry = key.entry
    arena.removeElements(indexes, of: &entry, hash)
    adopt(&key, entry)
  }

  /// Whether the elements of a hash or set lie in one run of bytes.
  public func isPacked(_ key: Key) -> Bool {
    arena.reader.entry(key.entry).header.encoding != .table
  }

  /// Appends the element at which a walk stands to the effect that was begun.
  public mutating func appendEffect(_ walk: ElementWalk) {
    Self.append(walk, arena, &effects)
  }

  private static func append(
    _ walk: ElementWalk, _ arena: borrowing Arena, _ effects: inout EffectStream
  ) {
    effects.word(arena.reader.element(walk))
  }

  /// One step of HSCAN or SSCAN over a table, as `scan`; nil for a packed collection, of which all
  /// elements are returned in one step.
  public func scanElements(
    _ key: Key, cursor: UInt64, count: Int, into entries: inout EntryList
  ) -> UInt64? {
    guard arena.reader.entry(key.entry).header.encoding == .table else { return nil }
    return Self.scan(
      arena.reader.table(key.entry, hash), arena, cursor: cursor, count: count, into: &entries)
  }
}

extension EffectStream {
  public mutating func word(_ element: borrowing Element) {
    if element.isInteger { word(decimal: element.integer) } else { word(element.string) }
  }
}
