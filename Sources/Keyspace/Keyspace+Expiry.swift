// Deadlines: lazily when a key is found, actively from the wheel.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// Gives the key that was found a deadline, or takes it away.
  /// - Parameter expiry: milliseconds since 1970.
  public mutating func setExpiry(_ found: Key, _ expiry: Int?) throws(CommandError) {
    let facts = arena.facts(found.entry)
    let old = facts.expiry
    let header = facts.header
    if old == nil && expiry == nil { return }
    let isFiled = try file(found.hash, expiry, was: old, header, database: found.database)
    statistics.changes &+= 1
    if old != nil, let expiry {
      arena.setExpiry(found.entry, expiry)
      if isFiled && !header.flags.contains(.filed) { setFiled(found.entry) }
      return
    }
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.reshape(
        found.entry, expiry: expiry, valueCount: facts.valueCount, slack: false)
    } catch {
      throw .outOfMemory
    }
    let flags = arena.facts(new).header.flags
    arena.setFlags(new, isFiled ? flags.union(.filed) : flags.subtracting(.filed))
    databases[found.database].table.replace(&arena, found.slot, new)
    countExpiring(found.database, from: old, to: expiry)
  }

  /// Files a deadline unless an older record will come up in time.
  /// - Returns: whether the key has a record that is in time.
  mutating func file(
    _ hash: UInt64, _ expiry: Int?, was old: Int?, _ header: Entry.Header, database: Int
  ) throws(CommandError) -> Bool {
    guard let expiry else { return false }
    if let old, header.flags.contains(.filed), expiry >= old { return true }
    do throws(ArenaFull) {
      try wheel(database).file(&arena, hash, deadline: expiry)
    } catch {
      throw .outOfMemory
    }
    return true
  }

  mutating func countExpiring(_ database: Int, from old: Int?, to new: Int?) {
    let change = (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
    guard change != 0 else { return }
    databases[database].expiringCount += change
    storeRecord(database)
  }

  /// Whether a deadline has passed.
  @inlinable public func isDue(_ expiry: Int) -> Bool { now > expiry }

  /// Removes the slot's key if its deadline has passed, and says so in the effects.
  mutating func removeIfDue(_ hash: UInt64, _ slot: HashTable.Slot) -> Bool {
    guard let expiry = arena.facts(slot.entry).expiry, isDue(expiry) else { return false }
    expire(Key(hash: hash, slot: slot, database: selected))
    return true
  }

  private mutating func expire(_ key: Key) {
    appendRemoval(of: key)
    statistics.expiredKeys &+= 1
    remove(key)
  }

  /// The effect of a removal that no command asked for.
  mutating func appendRemoval(of key: Key) {
    Self.appendRemoval(of: key, arena, &effects)
  }

  private static func appendRemoval(
    of key: Key, _ arena: borrowing Arena, _ effects: inout EffectStream
  ) {
    effects.begin(2, database: key.database)
    effects.word("DEL")
    effects.word(arena.reader.entry(key.entry).key)
  }

  /// Removes keys whose deadlines have passed, without looking at any other.
  /// - Parameter limit: about how many records to deal with in this call.
  /// - Returns: whether there may be more to do at once.
  public mutating func expireSome(limit: Int) -> Bool {
    guard expiresActively else { return false }
    var isBehind = false
    for database in 0..<databases.count where !databases[database].wheel.root.isNull {
      due.removeAll(keepingCapacity: true)
      let wheel = databases[database].wheel
      if wheel.takeDue(&arena, now: now, limit: limit, into: &due) { isBehind = true }
      expireTaken(database)
      effects.endGroup()
    }
    return isBehind
  }

  private mutating func expireTaken(_ database: Int) {
    let table = databases[database].table
    // Buckets first, then entries: the misses of a whole slice overlap.
    for index in 0..<due.count { table.prefetchBucket(arena.reader, due[index]) }
    for index in 0..<due.count {
      table.prefetchEntries(arena.reader, due[index].partialHash)
    }
    for index in 0..<due.count {
      let record = due[index]
      // The last key may have gone, and the table's structure with it.
      guard !databases[database].isEmpty else { return }
      slots.removeAll(keepingCapacity: true)
      Self.collect(table, arena, record, &slots)
      for position in 0..<slots.count { settle(slots[position], record, database) }
    }
  }

  private static func collect(
    _ table: HashTable, _ arena: borrowing Arena, _ record: ExpiryWheel.Record,
    _ slots: inout GrowableArray<HashTable.Slot>
  ) {
    table.candidates(arena.reader, record, into: &slots)
  }

  /// Deals with one entry that a record may mean: removes it if it is due, files it again if the
  /// record is its own and its deadline has moved.
  private mutating func settle(
    _ slot: HashTable.Slot, _ record: ExpiryWheel.Record, _ database: Int
  ) {
    guard let expiry = arena.facts(slot.entry).expiry else { return }
    let hash = hash(arena.reader.entry(slot.entry).key)
    guard record.matches(hash) else { return }
    if isDue(expiry) {
      // Positions of further candidates stay true: removal never moves an entry but by a merge,
      // and then the table is searched again.
      guard let current = databases[database].table.slot(arena.reader, hash, of: slot.entry) else {
        return
      }
      expire(Key(hash: hash, slot: current, database: database))
      effects.endGroup()
    } else if let wheel = try? wheel(database) {
      // Without memory for the record the key remains to lazy expiry.
      try? wheel.file(&arena, hash, deadline: expiry)
    }
  }

  func wheelOrNull(_ database: Int) -> ExpiryWheel { databases[database].wheel }

  mutating func wheel(_ database: Int) throws(ArenaFull) -> ExpiryWheel {
    if databases[database].wheel.root.isNull {
      databases[database].wheel = try ExpiryWheel.create(&arena, now: now)
      storeRecord(database)
    }
    return databases[database].wheel
  }

  // MARK: Access clock

  /// The 24 bits that a key's access starts with: seconds, or minutes and a counter of 5.
  var initialAccess: UInt32 {
    policy.usesFrequency ? minutes << 8 | 5 : UInt32(truncatingIfNeeded: now / 1000) & 0xFF_FFFF
  }

  private var minutes: UInt32 { UInt32(truncatingIfNeeded: now / 60_000) & 0xFFFF }

  mutating func touch(_ entry: Ref<Entry>, _ header: Entry.Header) {
    if leavesNoTrace { return }
    let access: UInt32
    if policy.usesFrequency {
      access = minutes << 8 | UInt32(increment(decayed(header.access)))
    } else {
      access = UInt32(truncatingIfNeeded: now / 1000) & 0xFF_FFFF
    }
    if access != header.access { arena.setAccess(entry, access) }
  }

  /// The logarithmic counter after the time since its last change, as Redis decays it.
  func decayed(_ access: UInt32) -> UInt8 {
    let counter = Int(access & 0xFF)
    guard lfuDecayMinutes > 0 else { return UInt8(counter) }
    let elapsed = Int((minutes &- access >> 8) & 0xFFFF)
    return UInt8(max(counter - elapsed / lfuDecayMinutes, 0))
  }

  private mutating func increment(_ counter: UInt8) -> UInt8 {
    if counter == 255 { return counter }
    let base = max(Int(counter) - 5, 0)
    let chance = 1 / (Double(base * lfuLogFactor) + 1)
    return Double.random(in: 0..<1, using: &random) < chance ? counter + 1 : counter
  }

  /// Seconds since the key's last access (OBJECT IDLETIME).
  public func idleSeconds(_ key: Key) -> Int {
    let clock = UInt32(truncatingIfNeeded: now / 1000) & 0xFF_FFFF
    return Int((clock &- arena.reader.entry(key.entry).header.access) & 0xFF_FFFF)
  }

  /// The key's access counter (OBJECT FREQ).
  public func frequency(_ key: Key) -> Int {
    Int(decayed(arena.reader.entry(key.entry).header.access))
  }
}
