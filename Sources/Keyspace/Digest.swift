// Digest: one number for all data, as DEBUG DIGEST computes it: equal data, equal digest, in
// Ferrite and in Redis, whatever the order in which it came.
//
//   keyspace   for each database that has keys:  mix its number, then xor each key's digest
//   key        mix the name, the value;  a deadline: xor "!!expire!!"
//   value      mix the type's number, then by type (ValueParts):
//     string   mix the string
//     set      xor each member
//     hash     for each field: mix field, mix value, from zero; a deadline: xor "!!hexpire!!"; xor
//              that
//
//   xor d x    d ← d ⊕ SHA1(x)              in any order
//   mix d x    d ← SHA1(d ⊕ SHA1(x))        in this order
//
// 1. Numbers are mixed as 4 bytes, the highest first.
// 2. That a key or a field has a deadline counts, but not which. Expired ones count until they are
//    removed.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// The digest of all databases: 20 bytes.
  public func digest() -> [UInt8] {
    var digest = RunningDigest()
    var entries = EntryList()
    for database in 0..<databases.count where count(database: database) > 0 {
      digest.mix(number: database)
      let table = databases[database].table
      var cursor: UInt64 = 0
      repeat {
        cursor = table.scan(arena.reader, cursor: cursor, into: &entries)
        for index in 0..<entries.count {
          var own = RunningDigest()
          own.mix(arena.reader.entry(entries[index]).key)
          own.mix(entry: entries[index], arena.reader, hash)
          digest.xor(own)
        }
        entries.removeAll(keepingCapacity: true)
      } while cursor != 0
    }
    return digest.bytes
  }

  /// The digest of a key's value in the selected database (DEBUG DIGEST-VALUE); zeros without one.
  public func digest(of key: borrowing Span<UInt8>) -> [UInt8] {
    var digest = RunningDigest()
    let table = databases[selected].table
    if !table.root.isNull, let slot = table.find(arena.reader, hash(key), key) {
      digest.mix(entry: slot.entry, arena.reader, hash)
    }
    return digest.bytes
  }
}

struct RunningDigest {
  private var state = SHA1.Digest(repeating: 0)

  var bytes: [UInt8] { state.indices.map { state[$0] } }

  mutating func xor(_ bytes: borrowing Span<UInt8>) {
    let other = SHA1.digest(bytes)
    for index in other.indices { state[index] ^= other[index] }
  }

  mutating func xor(_ other: RunningDigest) {
    xor(other.state.span)
  }

  mutating func mix(_ bytes: borrowing Span<UInt8>) {
    xor(bytes)
    state = SHA1.digest(state.span)
  }

  mutating func mix(number: Int) {
    let bytes: InlineArray<4, UInt8> = [
      UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
      UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
    ]
    mix(bytes.span)
  }

  /// Mixes type, value and deadline in.
  mutating func mix(entry ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash) {
    mix(number: Int(reader.entry(ref).header.type.rawValue))
    mix(value: ref, reader, hash)
    if reader.entry(ref).expiry != nil {
      let mark: InlineArray<10, UInt8> = [
        0x21, 0x21, 0x65, 0x78, 0x70, 0x69, 0x72, 0x65, 0x21, 0x21,
      ]
      xor(mark.span)
    }
  }
}
