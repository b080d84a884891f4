// Active expiry: what is filed in the databases' wheels, and what becomes of it.
//
//   set, expire ──► file ──► wheel ──► takeDue ──► settle: expired, or filed again
//                      old wheel ──► drain ──► move: filed in the new wheel, or dropped
//                                              settle ──► overdue: fields left for the next slices
//
// 1. A key that says that it is filed has a record, no later than its deadline and those of its
//    fields, in the wheel whose generation it names; other records of it are stale, and nobody
//    files them again.
// 2. Records number at most 2 * keys with a deadline or with timed fields + 1024 when a wheel is
//    given up, and filing one record in the new wheel moves two out of the old one.
// 3. A hash with more due fields than a slice takes is filed again at once, and noted in `overdue`,
//    so that its turn comes before the wheel's next tick; forgetting the note costs only time.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// Stale records that a wheel may hold whatever the number of its keys.
  static let staleLimit = 1024

  // MARK: Filing

  /// Files a deadline unless an older record will come up in time.
  /// - Returns: what the entry is to say of its record (invariant 1).
  mutating func file(
    _ hash: UInt64, _ expiry: Int?, was old: Int?, _ header: Entry.Header, database: Int
  ) throws(CommandError) -> Entry.Flags {
    guard let expiry else { return [] }
    if let old, header.flags.contains(.filed), expiry >= old {
      return header.flags.intersection([.filed, .odd])
    }
    do throws(ArenaFull) {
      return try file(hash, expiry, database: database)
    } catch {
      throw .outOfMemory
    }
  }

  mutating func file(
    _ hash: UInt64, _ expiry: Int, database: Int
  ) throws(ArenaFull) -> Entry.Flags {
    if databases[database].wheel.root.isNull {
      databases[database].wheel = try ExpiryWheel.create(&arena, now: time)
      storeRecord(database)
    }
    if databases[database].oldWheel.root.isNull {
      let records = databases[database].wheel.recordCount(arena.reader)
      let filed = databases[database].expiringCount + databases[database].timedCount
      if records > 2 * filed + Self.staleLimit { renewWheel(database) }
    } else {
      drainOldWheel(database, limit: 2)
    }
    try databases[database].wheel.file(&arena, hash, deadline: expiry)
    return databases[database].filedFlags
  }

  mutating func setFiled(_ entry: Ref<Entry>, _ filed: Entry.Flags) {
    let flags = arena.facts(entry).header.flags
    let wanted = flags.subtracting([.filed, .odd]).union(filed)
    if wanted != flags { arena.setFlags(entry, wanted) }
  }

  // MARK: Expiring

  /// Removes keys whose deadlines have passed, without looking at any other.
  /// - Parameter limit: about how many records to deal with in this call.
  /// - Returns: whether there may be more to do at once.
  public mutating func expireSome(limit: Int) -> Bool {
    guard expiresActively else { return false }
    var fields = limit
    expireOverdue(&fields)
    var isBehind = false
    for database in 0..<databases.count where !databases[database].wheel.root.isNull {
      if !databases[database].oldWheel.root.isNull {
        if expireSome(database, fromOld: true, limit: limit, &fields) { isBehind = true }
        drainOldWheel(database, limit: limit)
      } else if now >> 7 + 8 < databases[database].wheel.tick(arena.reader) {
        // The clock was put back: this wheel would sleep until it has caught up.
        renewWheel(database)
      }
      if expireSome(database, fromOld: false, limit: limit, &fields) { isBehind = true }
    }
    return isBehind || !overdue.isEmpty
  }

  /// - Parameter fields: how many fields may be removed in this call still.
  private mutating func expireSome(
    _ database: Int, fromOld: Bool, limit: Int, _ fields: inout Int
  ) -> Bool {
    let wheel = fromOld ? databases[database].oldWheel : databases[database].wheel
    // Settling may have emptied the database, and its wheels are gone with the last key.
    guard !wheel.root.isNull else { return false }
    due.removeAll(keepingCapacity: true)
    let isBehind = wheel.takeDue(&arena, now: now, limit: limit, into: &due)
    let database = (index: database, generation: databases[database].generation ^ (fromOld ? 1 : 0))
    prefetchDue(database.index)
    for index in 0..<due.count {
      collect(due[index], database.index)
      for position in 0..<slots.count {
        settle(
          slots[position], due[index], database.index, generation: database.generation, &fields)
      }
    }
    return isBehind
  }

  /// Goes on with the hashes that had more due fields than a slice takes.
  private mutating func expireOverdue(_ fields: inout Int) {
    while fields > 0, !overdue.isEmpty {
      let next = overdue[overdue.count - 1]
      overdue.truncate(to: overdue.count - 1)
      if databases[next.database].isEmpty { continue }
      collect(next.record, next.database)
      for position in 0..<slots.count {
        guard let deadline = arena.reader.fieldsDeadline(slots[position].entry), isDue(deadline)
        else { continue }
        let hash = hash(arena.reader.entry(slots[position].entry).key)
        guard next.record.matches(hash) else { continue }
        _ = expireFields(slots[position], hash, next.record, next.database, &fields)
      }
    }
  }

  /// Removes due fields of the hash at a slot, as many as may be, and the hash if none is left.
  /// - Returns: the hash's entry as it is now; nil when it is gone.
  private mutating func expireFields(
    _ slot: HashTable.Slot, _ hash: UInt64, _ record: ExpiryWheel.Record, _ database: Int,
    _ fields: inout Int
  ) -> Ref<Entry>? {
    // The removal of an earlier candidate may have merged segments: look for the place again.
    guard let current = databases[database].table.slot(arena.reader, hash, of: slot.entry) else {
      return nil
    }
    var key = Key(hash: hash, slot: current, database: database)
    fields -= expireFields(&key, limit: max(fields, 0), files: false)
    let isGone = removeIfEmpty(key)
    effects.endGroup()
    if isGone { return nil }
    if arena.reader.nextDeadline(key.entry) == nil { setFiled(key.entry, []) }
    if hasDueFields(key) { overdue.append(OverdueHash(record: record, database: database)) }
    return key.entry
  }

  /// Buckets first, then entries: the misses of a whole slice overlap.
  private func prefetchDue(_ database: Int) {
    let table = databases[database].table
    for index in 0..<due.count { table.prefetchBucket(arena.reader, due[index]) }
    for index in 0..<due.count {
      table.prefetchEntries(arena.reader, due[index].partialHash)
    }
  }

  private mutating func collect(_ record: ExpiryWheel.Record, _ database: Int) {
    let table = databases[database].table
    var found = GrowableArray<HashTable.Slot>()
    Swift.swap(&found, &slots)
    found.removeAll(keepingCapacity: true)
    table.candidates(arena.reader, record, into: &found)
    Swift.swap(&found, &slots)
  }

  /// Deals with one entry that a record may mean: removes it, or fields of it, if they are due;
  /// files it again if the record is its own and its deadline has moved.
  private mutating func settle(
    _ slot: HashTable.Slot, _ record: ExpiryWheel.Record, _ database: Int, generation: Int,
    _ fields: inout Int
  ) {
    guard let next = arena.reader.nextDeadline(slot.entry) else { return }
    let hash = hash(arena.reader.entry(slot.entry).key)
    guard record.matches(hash) else { return }
    if let expiry = arena.facts(slot.entry).expiry, isDue(expiry) {
      // The removal of an earlier candidate may have merged segments: look for the place again.
      guard let current = databases[database].table.slot(arena.reader, hash, of: slot.entry) else {
        return
      }
      expire(Key(hash: hash, slot: current, database: database))
      effects.endGroup()
      return
    }
    var entry = slot.entry
    if isDue(next) {
      guard let left = expireFields(slot, hash, record, database, &fields) else { return }
      entry = left
    }
    guard let next = arena.reader.nextDeadline(entry) else { return }
    refile(entry, hash, next, database, generation: generation)
  }

  /// Files a key again whose record was taken out of the wheel of `generation`.
  private mutating func refile(
    _ entry: Ref<Entry>, _ hash: UInt64, _ expiry: Int, _ database: Int, generation: Int
  ) {
    let flags = arena.facts(entry).header.flags
    // Invariant 1: its own record is in the other wheel.
    if flags.contains(.filed) && flags.contains(.odd) != (generation == 1) { return }
    do throws(ArenaFull) {
      try databases[database].wheel.file(&arena, hash, deadline: expiry)
      setFiled(entry, databases[database].filedFlags)
    } catch {
      // Without memory for the record the key remains to lazy expiry.
      setFiled(entry, [])
    }
  }

  // MARK: Renewing a wheel

  /// Begins a wheel of the next generation (Database's invariant 3). Without memory for it the old
  /// one stays.
  private mutating func renewWheel(_ database: Int) {
    guard let wheel = try? ExpiryWheel.create(&arena, now: time) else { return }
    databases[database].oldWheel = databases[database].wheel
    databases[database].wheel = wheel
    databases[database].generation ^= 1
    storeRecord(database)
  }

  /// Moves up to `limit` records out of the old wheel, which goes when it is empty. Changes no
  /// table: places that were found stay true.
  private mutating func drainOldWheel(_ database: Int, limit: Int) {
    let old = databases[database].oldWheel
    guard !old.root.isNull else { return }
    let generation = databases[database].generation ^ 1
    due.removeAll(keepingCapacity: true)
    old.drain(&arena, limit: limit, into: &due)
    prefetchDue(database)
    for index in 0..<due.count {
      collect(due[index], database)
      for position in 0..<slots.count {
        let entry = slots[position].entry
        let hash = hash(arena.reader.entry(entry).key)
        guard let next = arena.reader.nextDeadline(entry), due[index].matches(hash) else {
          continue
        }
        refile(entry, hash, next, database, generation: generation)
      }
    }
    if old.recordCount(arena.reader) == 0 {
      databases[database].oldWheel = ExpiryWheel(root: .null)
      storeRecord(database)
      _ = old.free(&arena, limit: .max)
    }
  }
}
