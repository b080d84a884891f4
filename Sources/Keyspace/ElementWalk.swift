// ElementWalk: a place in a hash or a set, whatever its encoding, and the way to the next one.
//
//   listpack   | field | value | field | value |      place of the field, place of the next field;
//              a timed listpack has a deadline behind each value
//   intset     | integer | integer |                  index, next index
//   table      entry, and how far the table's own walk has come
//
// 1. A walk is good while the collection does not change.
// 2. A set's elements are its members; a hash's are its fields, each with a value.
// 3. A walk passes over fields whose deadline lies before its `now`; 0 shows all.

import Bytes
import Memory
import Structures

public typealias Element = ListpackElement

public struct ElementWalk: BitwiseCopyable, Sendable {
  let collection: Ref<Entry>
  let encoding: ValueEncoding
  /// Listpack elements from one element to the next.
  let stride: Int
  /// Invariant 3.
  var now = 0
  /// The present element: its place in the listpack or its index in the intset.
  var place = 0
  var following = 0
  /// The present element's entry in the table.
  var entry = Ref<Entry>.null
  var table = HashTable.Walk()

  /// Tells elements of a table apart; never 0.
  public var identity: UInt64 { entry.unit }

  init(_ collection: Ref<Entry>, _ form: Entry.Form) {
    self.collection = collection
    encoding = form.encoding
    stride = form.stride
    if encoding.isListpack { following = Listpack.headerBytes }
  }
}

extension ArenaReader {
  /// A walk that stands before the first element of a hash or set.
  public func walk(_ collection: Ref<Entry>) -> ElementWalk {
    ElementWalk(collection, entry(collection).header.form)
  }

  /// The table of a hash or set that has one.
  func table(_ collection: Ref<Entry>, _ hash: KeyedHash) -> HashTable {
    HashTable(root: Ref(unit: rootWord(collection, 0)), hash: hash)
  }

  /// Goes to the next element.
  /// - Returns: false at the end.
  public func advance(_ walk: inout ElementWalk, _ hash: KeyedHash) -> Bool {
    while step(&walk, hash) {
      if walk.now == 0 { return true }
      guard let deadline = deadline(walk), deadline < walk.now else { return true }
    }
    return false
  }

  private func step(_ walk: inout ElementWalk, _ hash: KeyedHash) -> Bool {
    switch walk.encoding {
    case .listpack, .timedListpack:
      let list = listpack(walk.collection)
      walk.place = walk.following
      guard walk.place < list.end else { return false }
      walk.following = list.skip(walk.place, walk.stride)
      return true
    case .intset:
      walk.place = walk.following
      guard walk.place < intset(walk.collection).count else { return false }
      walk.following += 1
      return true
    case .table:
      guard let next = table(walk.collection, hash).next(self, &walk.table) else { return false }
      walk.entry = next
      return true
    case .plain, .sortedTree, .listTree, .stream:
      preconditionFailure("a value that is neither hash nor set")
    }
  }

  /// The deadline of the field at which the walk stands.
  public func deadline(_ walk: ElementWalk) -> Int? {
    switch walk.encoding {
    case .timedListpack: deadline(walk.collection, at: walk.place)
    case .table: entry(walk.entry).expiry
    default: nil
    }
  }

  /// The member or field at which the walk stands.
  @_lifetime(copy self)
  public func element(_ walk: ElementWalk) -> Element {
    switch walk.encoding {
    case .listpack, .timedListpack: return listpack(walk.collection).element(walk.place)
    case .intset: return Element(integer: intset(walk.collection)[walk.place])
    default: return Element(text: entry(walk.entry).key)
    }
  }

  /// The value of the field at which the walk stands.
  @_lifetime(copy self)
  public func fieldValue(_ walk: ElementWalk) -> Element {
    guard walk.encoding.isListpack else { return Element(text: entry(walk.entry).value) }
    let list = listpack(walk.collection)
    return list.element(list.next(walk.place))
  }

  /// How many members or fields a hash or set has, due ones included.
  public func elementCount(_ collection: Ref<Entry>, _ hash: KeyedHash) -> Int {
    let form = entry(collection).header.form
    switch form.encoding {
    case .listpack, .timedListpack: return listpack(collection).count / form.stride
    case .intset: return intset(collection).count
    case .table: return table(collection, hash).count(self)
    case .plain, .sortedTree, .listTree, .stream:
      preconditionFailure("a value that is neither hash nor set")
    }
  }

  /// A walk that stands at an element at random, every one with about the same chance. There is
  /// one.
  func randomWalk(
    _ collection: Ref<Entry>, _ hash: KeyedHash, using generator: inout Generator
  ) -> ElementWalk {
    var walk = walk(collection)
    if walk.encoding == .table {
      guard let entry = table(collection, hash).random(self, using: &generator) else {
        preconditionFailure("a collection is empty")
      }
      walk.entry = entry
      return walk
    }
    let index = Int.random(in: 0..<elementCount(collection, hash), using: &generator)
    move(&walk, to: index)
    return walk
  }

  /// Goes to element `index` of a collection that is no table.
  func move(_ walk: inout ElementWalk, to index: Int) {
    guard walk.encoding.isListpack else {
      walk.place = index
      walk.following = index + 1
      return
    }
    let list = listpack(walk.collection)
    guard let place = list.place(of: index * walk.stride) else {
      preconditionFailure("a listpack has fewer elements than it says")
    }
    walk.place = place
    walk.following = list.skip(place, walk.stride)
  }
}

extension Arena {
  /// Removes the element at which the walk stands, and its value. The collection may move.
  mutating func removeElement(
    _ walk: ElementWalk, of collection: inout Ref<Entry>, _ hash: KeyedHash
  ) {
    switch walk.encoding {
    case .listpack, .timedListpack:
      var place = ListpackPlace.value(collection)
      removeElements(walk.stride, at: walk.place, from: &place)
      collection = place.entry
    case .intset:
      let value = reader.intset(collection)[walk.place]
      let isRemoved = remove(value, fromIntset: &collection)
      precondition(isRemoved, "a walk stands at an integer that is not there")
    default:
      let table = reader.table(collection, hash)
      precondition(reader.entry(walk.entry).expiry == nil, "a timed field goes by its name")
      let elementHash = hash(reader.entry(walk.entry).key)
      guard let slot = table.slot(reader, elementHash, of: walk.entry) else {
        preconditionFailure("a walk stands at an entry that is not there")
      }
      table.remove(&self, slot)
      freeEntry(walk.entry)
    }
  }

  /// Removes the elements of those indexes, which ascend, from a packed set. It may move.
  mutating func removeElements(
    _ indexes: borrowing Span<Int>, of set: inout Ref<Entry>, _ hash: KeyedHash
  ) {
    do throws(ArenaFull) {
      try rebuild(&set, without: indexes, hash)
    } catch {
      // One by one needs no memory, only more time.
      for index in stride(from: indexes.count - 1, through: 0, by: -1) {
        var walk = reader.walk(set)
        reader.move(&walk, to: indexes[index])
        removeElement(walk, of: &set, hash)
      }
    }
  }

  private mutating func rebuild(
    _ set: inout Ref<Entry>, without indexes: borrowing Span<Int>, _ hash: KeyedHash
  ) throws(ArenaFull) {
    var writer = ListpackWriter()
    var integers = ByteBuffer()
    let isIntset = reader.entry(set).header.encoding == .intset
    if isIntset { integers.append(reader.entry(set).value.extracting(0..<8)) }
    var walk = reader.walk(set)
    var index = 0
    var next = 0
    while reader.advance(&walk, hash) {
      defer { index += 1 }
      if next < indexes.count && indexes[next] == index {
        next += 1
        continue
      }
      if isIntset {
        let width = reader.intset(set).width
        let start = 8 + index * width
        integers.append(reader.entry(set).value.extracting(start..<(start + width)))
      } else {
        writer.append(reader.element(walk))
      }
    }
    guard isIntset else {
      return try SetValue.replace(&self, &set, writer.bytes, SetValue.listpackForm)
    }
    let count = index - next
    let stored: InlineArray<4, UInt8> = [
      UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8),
      UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 24),
    ]
    integers.overwrite(at: 4, stored.span)
    try SetValue.replace(&self, &set, integers.span, SetValue.intsetForm)
  }

  /// Gives a collection a table as its value. Its old value's bytes are freed; on failure the
  /// table is the caller's still.
  mutating func adopt(
    _ table: HashTable, by collection: inout Ref<Entry>, words: Int
  ) throws(ArenaFull) {
    let type = reader.entry(collection).header.type
    let zeros = InlineArray<24, UInt8>(repeating: 0)
    let new = try makeEntry(
      like: collection, value: zeros.span.extracting(0..<(words * 8)),
      form: Entry.Form(type, .table))
    setRootWord(new, 0, table.root.unit)
    freeEntry(collection)
    collection = new
  }
}

extension ByteBuffer {
  /// Appends an element's text.
  public mutating func append(_ element: borrowing Element) {
    if element.isInteger { append(decimal: element.integer) } else { append(element.string) }
  }
}

extension ListpackElement {
  /// The integer that the element spells, if it does.
  public func parseInteger() -> Int? { isInteger ? integer : string.parseInteger() }
}
