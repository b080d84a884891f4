// Who changed: the one place that every change of a key passes.
//
//   command ──► set, remove, … ──► didChange ──► statistics.changes      (always)
//                                           └──► notes | hash, database | …   (if `tracksChanges`)
//                                                  └─► the server, after each command:
//                                                      WATCH, blocked clients, reads that wait
//
// 1. A mutation that changes a key's value, deadline or existence calls `didChange` once, after it
//    is made. What a command counts for is Redis' `server.dirty`: a mutation that is half of a
//    command's work, or that no command asked for, notes its key with a count of 0.
// 2. A note names a key by the hash of its bytes and its database. Two keys may share a hash, so a
//    note says that the key may have changed, never that it has.
// 3. Notes are taken only while `tracksChanges` is set, which is the server's affair.

import Bytes
import Memory
import Structures

/// Something that has changed.
@frozen public struct ChangeNote: BitwiseCopyable, Sendable {
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// The key with `hash` in `database`.
    case key
    /// All keys of `database` are gone.
    case flush
    /// `database` and `other` have changed places.
    case swap
  }

  public let hash: UInt64
  public let database: Int32
  public let other: Int32
  public let kind: Kind

  @usableFromInline init(_ kind: Kind, hash: UInt64 = 0, database: Int, other: Int = 0) {
    self.kind = kind
    self.hash = hash
    self.database = Int32(truncatingIfNeeded: database)
    self.other = Int32(truncatingIfNeeded: other)
  }
}

/// Whether a key is there, without removing it when it is due.
public enum KeyState: Sendable {
  case missing, expired
  case live(ValueType)
}

extension Keyspace {
  /// Notes that a key has changed (invariant 1).
  /// - Parameter count: how many changes that is for INFO.
  @inline(__always) public mutating func didChange(_ key: Key, count: Int = 1) {
    didChange(key.hash, database: key.database, count: count)
  }

  @inline(__always) mutating func didChange(_ hash: UInt64, database: Int, count: Int = 1) {
    statistics.changes &+= count
    if tracksChanges { notes.append(ChangeNote(.key, hash: hash, database: database)) }
  }

  mutating func didFlush(_ database: Int, count: Int) {
    statistics.changes &+= count
    if tracksChanges { notes.append(ChangeNote(.flush, database: database)) }
  }

  mutating func didSwap(_ first: Int, _ second: Int) {
    statistics.changes &+= 1
    if tracksChanges { notes.append(ChangeNote(.swap, database: first, other: second)) }
  }

  /// Forgets the notes: whoever wanted them has them.
  public mutating func forgetNotes() {
    notes.removeAll(keepingCapacity: notes.capacity <= 1 << 12)
  }

  /// Whether a key is there. Leaves it where it is, and counts nothing.
  public func state(of key: borrowing Span<UInt8>, database: Int) -> KeyState {
    let table = databases[database].table
    guard !table.root.isNull, let slot = table.find(arena.reader, hash(key), key) else {
      return .missing
    }
    let facts = arena.facts(slot.entry)
    if let expiry = facts.expiry, isDue(expiry) { return .expired }
    return .live(facts.header.type)
  }
}
