// Database: one numbered database: its table of entries, its wheel of deadlines, its counts.
//
//   record in the arena | table 8 | wheel 8 | keys with a deadline 8 | old wheel 8 | generation 8 |
//                       | hashes with timed fields 8 |
//   root 0 of the arena | the records' ref |  root 1: how many databases |  root 2: garbage list |
//
// 1. The struct only caches what the record says; whoever changes one changes the other.
// 2. Table and wheel are made with the first key and the first deadline; a null ref means none.
// 3. A wheel in which stale records have come to outnumber keys is replaced by one of the next
//    generation. The old one gives its records up little by little: a key that still says that it
//    is filed there moves, all other records are dropped. So there are never many more records
//    than keys with a deadline, whatever is set and deleted (Keyspace+Wheels).
// 4. A hash whose fields have deadlines is filed, too, by the earliest of them or its own.

import Bytes
import Memory
import Structures

struct Database: BitwiseCopyable {
  static let recordBytes = 48

  var table: HashTable
  var wheel: ExpiryWheel
  /// The wheel before, until it is empty.
  var oldWheel = ExpiryWheel(root: .null)
  /// 0 or 1, of `wheel`.
  var generation = 0
  /// Keys that have a deadline.
  var expiringCount = 0
  /// Hashes with fields that have a deadline.
  var timedCount = 0

  var isEmpty: Bool { table.root.isNull }

  /// What a key says of itself that has a record in `wheel`.
  var filedFlags: Entry.Flags { generation == 0 ? .filed : [.filed, .odd] }
}

/// How a keyspace is sampled when memory runs short.
public enum EvictionPolicy: String, CaseIterable, Sendable {
  case volatileLRU = "volatile-lru"
  case volatileLFU = "volatile-lfu"
  case volatileRandom = "volatile-random"
  case volatileTTL = "volatile-ttl"
  case allKeysLRU = "allkeys-lru"
  case allKeysLFU = "allkeys-lfu"
  case allKeysRandom = "allkeys-random"
  case noEviction = "noeviction"

  var onlyExpiring: Bool {
    switch self {
    case .volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL: true
    default: false
    }
  }

  public var usesFrequency: Bool { self == .allKeysLFU || self == .volatileLFU }
}

/// What the keyspace counts for INFO.
public struct KeyspaceStatistics: Sendable {
  public var hits = 0
  public var misses = 0
  public var expiredKeys = 0
  /// Fields of hashes that went by their deadlines.
  public var expiredFields = 0
  public var evictedKeys = 0
  /// Values and flushed keys that were left to be freed in the background.
  public var lazyFreedObjects = 0
  /// Elements and keys that have been freed in the background.
  public var freedElements = 0
  /// Writes since the start (INFO's rdb_changes_since_last_save).
  public var changes = 0

  public init() {}
}

/// A key that was found: good until the keyspace changes.
public struct Key: BitwiseCopyable, Sendable {
  let hash: UInt64
  let slot: HashTable.Slot
  let database: Int
  public var entry: Ref<Entry> { slot.entry }
}

/// What a command does with a key that it looks up.
@frozen public enum Lookup: Sendable {
  /// Reads it: counts as hit or miss and as an access.
  case read
  /// Changes it: counts as an access.
  case write
  /// Only looks: neither.
  case peek
}

/// What becomes of a key's deadline when its value is set.
public enum Deadline: Sendable, Equatable {
  case none
  case keep
  /// Milliseconds since 1970.
  case at(Int)
}
