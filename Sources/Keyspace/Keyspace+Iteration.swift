// Walking a database: SCAN, KEYS, RANDOMKEY, and the samples that eviction takes.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// One step of SCAN over the selected database: appends the entries of at least one bucket, and
  /// of as many as it takes to reach `count` entries or `10 * count` buckets. Expired ones are not
  /// left out: `isLive` tells.
  /// - Returns: the next cursor; 0 at the end.
  public mutating func scan(
    cursor: UInt64, count: Int, into entries: inout GrowableArray<Ref<Entry>>
  ) -> UInt64 {
    let table = databases[selected].table
    if table.root.isNull { return 0 }
    return Self.scan(table, arena, cursor: cursor, count: count, into: &entries)
  }

  /// The same over any table.
  static func scan(
    _ table: HashTable, _ arena: borrowing Arena, cursor: UInt64, count: Int,
    into entries: inout GrowableArray<Ref<Entry>>
  ) -> UInt64 {
    var cursor = cursor
    let (sum, overflow) = entries.count.addingReportingOverflow(max(count, 1))
    let wanted = overflow ? Int.max : sum
    var buckets = count.multipliedReportingOverflow(by: 10).overflow ? Int.max : count * 10
    repeat {
      cursor = table.scan(arena.reader, cursor: cursor, into: &entries)
      buckets -= 1
    } while cursor != 0 && entries.count < wanted && buckets > 0
    return cursor
  }

  /// An entry that `scan` returned, while the keyspace has not changed.
  @_lifetime(borrow self)
  public borrowing func entry(_ ref: Ref<Entry>) -> EntryView {
    arena.reader.entry(ref)
  }

  /// Whether the entry's deadline, if it has one, is still ahead.
  public func isLive(_ ref: Ref<Entry>) -> Bool {
    guard let expiry = arena.facts(ref).expiry else { return true }
    return !isDue(expiry)
  }

  /// A key of the selected database at random, one that is not expired if a hundred tries find it.
  public mutating func randomEntry() -> Ref<Entry>? {
    let table = databases[selected].table
    if table.root.isNull { return nil }
    for _ in 0..<100 {
      guard let entry = randomEntry(of: table) else { return nil }
      if isLive(entry) { return entry }
    }
    return nil
  }

  private mutating func randomEntry(of table: HashTable) -> Ref<Entry>? {
    var generator = random
    defer { random = generator }
    return table.random(arena.reader, using: &generator)
  }

  /// Bytes that the keyspace takes: entries, blobs, tables, wheels.
  public var usedBytes: Int { arena.usage.allocatedBytes }

  // MARK: Places

  /// Where in the arena a key's parts lie, in bytes.
  public struct Places: Sendable {
    /// The bucket where a search begins.
    public let bucket: Int
    public let entry: Int
    /// The value, if it is not part of the entry. Of a collection, what is packed in one piece.
    public let value: Range<Int>
  }

  /// Where a key lies; nil if there is none. Counts nothing.
  public func places(
    of key: borrowing Span<UInt8>, _ hash: UInt64, database: Int
  ) -> Places? {
    let table = databases[database].table
    guard !table.root.isNull, let slot = table.find(arena.reader, hash, key) else { return nil }
    let facts = arena.facts(slot.entry)
    let start = facts.blob.isNull ? 0 : facts.blob.offset
    return Places(
      bucket: slot.bucketOffset, entry: slot.entry.offset,
      value: start..<start + (facts.blob.isNull ? 0 : facts.valueCount))
  }

  // MARK: Eviction

  /// How far removing keys for want of memory has come.
  public enum Eviction: Sendable {
    case done
    /// There is more to remove.
    case unfinished
    /// The policy finds nothing to remove.
    case impossible
  }

  /// Removes keys by the policy until no more than `limit` bytes are used.
  /// - Returns: false when the policy finds nothing to remove.
  public mutating func evict(downTo limit: Int) -> Bool {
    evictSome(downTo: limit, steps: .max) == .done
  }

  /// The same, for at most `steps` keys.
  public mutating func evictSome(downTo limit: Int, steps: Int) -> Eviction {
    var left = steps
    while usedBytes > limit {
      if left == 0 { return .unfinished }
      left -= 1
      // What was flushed goes before any key does.
      if hasGarbage {
        _ = freeGarbage(limit: 64)
        continue
      }
      guard policy != .noEviction, let victim = chooseVictim() else { return .impossible }
      appendRemoval(of: victim)
      effects.endGroup()
      statistics.evictedKeys &+= 1
      remove(victim, changes: 0, .eviction)
    }
    return .done
  }

  private mutating func chooseVictim() -> Key? {
    var best: (score: Int, entry: Ref<Entry>, database: Int)?
    for database in 0..<databases.count where !databases[database].isEmpty {
      if policy.onlyExpiring && databases[database].expiringCount == 0 { continue }
      let table = databases[database].table
      for _ in 0..<evictionSamples {
        guard let entry = sample(database, table) else { break }
        let score = evictionScore(entry)
        if best.map({ score > $0.score }) ?? true { best = (score, entry, database) }
        if policy == .allKeysRandom || policy == .volatileRandom { break }
      }
    }
    guard let best else { return nil }
    let hash = hash(arena.reader.entry(best.entry).key)
    let table = databases[best.database].table
    guard let slot = table.slot(arena.reader, hash, of: best.entry) else { return nil }
    return Key(hash: hash, slot: slot, database: best.database)
  }

  private mutating func sample(_ database: Int, _ table: HashTable) -> Ref<Entry>? {
    guard policy.onlyExpiring else { return randomEntry(of: table) }
    for _ in 0..<64 {
      guard let entry = randomEntry(of: table) else { return nil }
      if arena.reader.entry(entry).expiry != nil { return entry }
    }
    // Keys with a deadline are rare: walk on from where the last walk ended.
    var entries = GrowableArray<Ref<Entry>>()
    for _ in 0..<(64 * 1024) {
      evictionCursor = table.scan(arena.reader, cursor: evictionCursor, into: &entries)
      for index in 0..<entries.count where arena.reader.entry(entries[index]).expiry != nil {
        return entries[index]
      }
      entries.removeAll(keepingCapacity: true)
    }
    return nil
  }

  /// The higher, the sooner the entry goes.
  private func evictionScore(_ ref: Ref<Entry>) -> Int {
    let entry = arena.facts(ref)
    switch policy {
    case .noEviction, .allKeysRandom, .volatileRandom: return 0
    case .allKeysLRU, .volatileLRU:
      let clock = UInt32(truncatingIfNeeded: now / 1000) & 0xFF_FFFF
      return Int((clock &- entry.header.access) & 0xFF_FFFF)
    case .allKeysLFU, .volatileLFU: return 255 - Int(decayed(entry.header.access))
    case .volatileTTL: return Int.max - (entry.expiry ?? Int.max)
    }
  }
}
