// Values as RDB has them: in encodings that Redis 7.0 reads, but for fields with deadlines, which
// began with 7.4.
//
//   kept as     hash listpack | hash table | set intset | set listpack, table
//   written as  16, its bytes | 4, pairs   | 11, bytes  | 2, members
//   lists and streams: RDBWriter+Sequences
//
//   kept as     sorted set listpack | tree
//   written as  17, its bytes       | 5, members and scores
//
//   kept as     hash timed listpack         | table with deadlines
//   written as  25, the earliest, its bytes | 24, the earliest, deadlines and pairs
//               without any deadline as other hashes
//
// 1. Reading goes through an ArenaReader alone: a frozen view will do.

import Bytes
import Keyspace
import Memory
import Structures

extension RDBWriter {
  /// The type's number and the value of an entry.
  public mutating func value(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    let form = reader.entry(ref).header.form
    switch (form.type, form.encoding) {
    case (.string, _): bytes(.string, reader.entry(ref).value)
    case (.hash, .listpack): bytes(.hashListpack, reader.entry(ref).value)
    case (.hash, .timedListpack): timedListpack(ref, reader, hash)
    case (.hash, _): fields(ref, reader, hash)
    case (.set, .intset): bytes(.setIntset, reader.entry(ref).value)
    case (.set, _): members(ref, reader, hash)
    case (.sortedSet, .listpack): bytes(.sortedSetListpack, reader.entry(ref).value)
    case (.sortedSet, _): sortedTree(ref, reader, hash)
    case (.list, _): list(ref, reader)
    case (.stream, _): stream(ref, reader)
    }
  }

  mutating func type(_ type: RDBType) { byte(type.rawValue) }

  /// A value that is one string.
  private mutating func bytes(_ type: RDBType, _ value: borrowing Span<UInt8>) {
    self.type(type)
    string(value)
  }

  mutating func element(_ element: borrowing Element) {
    if element.isInteger { string(decimal: element.integer) } else { string(element.string) }
  }

  private mutating func timedListpack(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    guard let earliest = reader.fieldsDeadline(ref) else { return fields(ref, reader, hash) }
    type(.hashListpackExpiry)
    time(earliest)
    string(reader.entry(ref).value)
  }

  /// A field's deadline is written as its distance from the earliest, plus one; 0 is none.
  private mutating func fields(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    let earliest = reader.fieldsDeadline(ref)
    type(earliest == nil ? .hash : .hashMetadata)
    if let earliest { time(earliest) }
    length(reader.elementCount(ref, hash))
    var walk = reader.walk(ref)
    while reader.advance(&walk, hash) {
      if let earliest { length(reader.deadline(walk).map { $0 - earliest + 1 } ?? 0) }
      element(reader.element(walk))
      element(reader.fieldValue(walk))
    }
  }

  private mutating func members(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    type(.set)
    length(reader.elementCount(ref, hash))
    var walk = reader.walk(ref)
    while reader.advance(&walk, hash) { element(reader.element(walk)) }
  }

  /// From the highest score to the lowest, as Redis has it: each member that is read becomes the
  /// first.
  private mutating func sortedTree(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    type(.sortedSet)
    let count = reader.sortedCount(ref)
    length(count)
    var walk = reader.sortedWalk(ref, from: count - 1, isReversed: true, hash)
    while reader.advance(&walk) {
      element(reader.member(walk))
      double(reader.score(walk))
    }
  }
}
