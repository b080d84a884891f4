// Keyspace: all databases, as commands see them.
//
//   command ──► find / set / remove ... ──► tables, entries, wheels in the arena
//          └──► effects                     (Keyspace+Expiry and eviction append theirs themselves)
//
// 1. A key past its deadline is never seen: finding it removes it and appends its DEL.
// 2. `now`, the access clock and all randomness are given from outside, once a batch.
// 3. Every count is exact: of keys, of keys with a deadline, of bytes.

import Bytes
import Memory
import Structures

public struct Keyspace: ~Copyable {
  public var arena: Arena
  public var effects = EffectStream()
  public var statistics = KeyspaceStatistics()
  /// The database that the command being executed works on.
  public private(set) var selected = 0
  /// Milliseconds since 1970; 0 while effects are replayed, when no deadline passes.
  public var now = 0
  /// The time that stands for `now` while that is 0: where new deadlines are counted from, and what
  /// new keys note as their access.
  public var replayTime = 0
  public var policy = EvictionPolicy.noEviction
  public var evictionSamples = 5
  public var lfuLogFactor = 10
  public var lfuDecayMinutes = 1
  /// Whether lookups leave no trace in the access bits (CLIENT NO-TOUCH).
  public var leavesNoTrace = false
  /// Whether deadlines remove keys on their own (DEBUG SET-ACTIVE-EXPIRE).
  public var expiresActively = true
  /// Whether what is due stays where it is when it is read, unseen: while CLIENT PAUSE lasts. No
  /// command may write then, since it could take the place of such a key for free.
  public var keepsDueKeys = false
  /// The longest string that a command may grow (proto-max-bulk-len).
  public var maximumStringBytes = 512 << 20
  /// Up to which size collections stay packed.
  public var limits = CollectionLimits()
  /// What counts as freed in the background (Keyspace+LazyFree).
  public var lazyFree: LazyFree = .unlink
  /// Whether the checksums of payloads that are to become keys are looked at.
  public var checksPayloads = true
  /// The longest sparse HyperLogLog (hll-sparse-max-bytes).
  public var maximumSparseHyperLogLogBytes = 3000
  /// Set when a command has given the place of a large argument to a key. The server clears it
  /// before a request with such an argument, and frees the place if it is still clear afterwards.
  public var hasTakenPlace = false

  /// Whether anybody wants to know which keys change (Keyspace+Notes).
  public var tracksChanges = false
  /// What has changed since the server last looked.
  public internal(set) var notes = GrowableArray<ChangeNote>()

  public let hash: KeyedHash
  var databases = GrowableArray<Database>()
  /// Gathers what is to be stored as one piece.
  var packer = ListpackWriter()
  var random: Generator
  var due = GrowableArray<ExpiryWheel.Record>()
  var slots = GrowableArray<HashTable.Slot>()
  /// Hashes with more due fields than one slice takes (Keyspace+Wheels).
  var overdue = GrowableArray<OverdueHash>()
  var evictionCursor: UInt64 = 0

  /// A new keyspace in an empty arena.
  /// - Parameters:
  ///   - databaseCount: at least 1.
  ///   - hash: keys the hash tables; random for each image.
  ///   - seed: of the generator behind RANDOMKEY, eviction sampling and LFU counters.
  public init(
    arena: consuming Arena, databaseCount: Int = 16, hash: KeyedHash = .random(),
    seed: UInt64 = UInt64.random(in: 0...UInt64.max)
  ) throws(CommandError) {
    precondition(databaseCount > 0)
    self.arena = arena
    self.hash = hash
    random = Generator(state: seed)
    self.arena.hashSecrets = [hash.secret0, hash.secret1, hash.secret2, hash.secret3]
    for _ in 0..<databaseCount { databases.append(emptyDatabase) }
    try makeRecords()
  }

  /// A keyspace without databases over an arena that may hold some (Keyspace+Opening).
  init(opened arena: consuming Arena, hash: KeyedHash, seed: UInt64) {
    self.arena = arena
    self.hash = hash
    random = Generator(state: seed)
  }

  public var databaseCount: Int { databases.count }

  var emptyDatabase: Database {
    Database(table: HashTable(root: .null, hash: hash), wheel: ExpiryWheel(root: .null))
  }

  /// Chooses the database that following calls work on.
  @inlinable public mutating func select(_ database: Int) {
    if database != selected { change(database) }
  }

  @usableFromInline mutating func change(_ database: Int) {
    precondition(database >= 0 && database < databases.count)
    selected = database
  }

  public func count(database: Int) -> Int {
    let table = databases[database].table
    return table.root.isNull ? 0 : table.count(arena.reader)
  }

  /// Keys of `database` that have a deadline.
  public func expiringCount(database: Int) -> Int { databases[database].expiringCount }

  /// Hashes of `database` with fields that have a deadline.
  public func timedCount(database: Int) -> Int { databases[database].timedCount }

  // MARK: Prefetching

  /// The hash of a key, for the two prefetch passes of a batch.
  @inlinable public func hash(of key: borrowing Span<UInt8>) -> UInt64 { hash(key) }

  public func prefetchBucket(_ hash: UInt64, database: Int) {
    let table = databases[database].table
    if !table.root.isNull { table.prefetchBucket(arena.reader, hash) }
  }

  public func prefetchEntries(_ hash: UInt64, database: Int) {
    let table = databases[database].table
    if !table.root.isNull { table.prefetchEntries(arena.reader, hash) }
  }

  // MARK: Finding

  /// Looks a key up in the selected database.
  public mutating func find(_ key: borrowing Span<UInt8>, _ lookup: Lookup = .read) -> Key? {
    let hash = hash(key)
    let table = databases[selected].table
    guard !table.root.isNull, let slot = table.find(arena.reader, hash, key) else {
      if lookup == .read { statistics.misses &+= 1 }
      return nil
    }
    let header = arena.reader.entry(slot.entry).header
    if header.flags.contains(.expiry), removeIfDue(hash, slot, lookup) {
      if lookup == .read { statistics.misses &+= 1 }
      return nil
    }
    if lookup != .peek {
      if lookup == .read { statistics.hits &+= 1 }
      touch(slot.entry, header)
    }
    return Key(hash: hash, slot: slot, database: selected)
  }

  /// What was found.
  @_lifetime(borrow self)
  public borrowing func entry(_ key: Key) -> EntryView {
    arena.reader.entry(key.entry)
  }

  /// The value of a string that was found.
  @_lifetime(borrow self)
  public borrowing func value(_ key: Key) -> Span<UInt8> {
    arena.reader.entry(key.entry).value
  }

  /// An entry's plain facts, which do not hold the keyspace.
  public func facts(_ key: Key) -> EntryFacts { arena.facts(key.entry) }

  /// As `find`, for a command that works on strings only.
  public mutating func findString(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    guard let found = find(key, lookup) else { return nil }
    guard arena.reader.entry(found.entry).header.type == .string else { throw .wrongType }
    return found
  }
}
