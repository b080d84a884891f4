// Deadlines when a key is found or changed, and the access clock. The wheels:
// Keyspace+Wheels.swift.

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
    let fields = arena.reader.fieldsDeadline(found.entry)
    let filed = try file(
      found.hash, earlier(expiry, fields), was: earlier(old, fields), header,
      database: found.database)
    if old != nil, let expiry {
      arena.setExpiry(found.entry, expiry)
      setFiled(found.entry, filed)
      return didChange(found)
    }
    let new: Ref<Entry>
    do throws(ArenaFull) {
      new = try arena.reshape(
        found.entry, expiry: expiry, valueCount: facts.valueCount, slack: false)
    } catch {
      throw .outOfMemory
    }
    setFiled(new, filed)
    databases[found.database].table.replace(&arena, found.slot, new)
    countExpiring(found.database, from: old, to: expiry)
    didChange(found)
  }

  mutating func countExpiring(_ database: Int, from old: Int?, to new: Int?) {
    let change = (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
    guard change != 0 else { return }
    databases[database].expiringCount += change
    storeRecord(database)
  }

  mutating func countTimed(_ database: Int, _ change: Int) {
    guard change != 0 else { return }
    databases[database].timedCount += change
    storeRecord(database)
  }

  /// Whether a deadline has passed.
  @inlinable public func isDue(_ expiry: Int) -> Bool { now > expiry }

  /// Removes the slot's key if its deadline has passed, and says so in the effects.
  /// - Returns: whether it has passed; during a pause a key that is only read stays all the same.
  mutating func removeIfDue(_ hash: UInt64, _ slot: HashTable.Slot, _ lookup: Lookup) -> Bool {
    guard let expiry = arena.facts(slot.entry).expiry, isDue(expiry) else { return false }
    if keepsDueKeys && lookup == .read { return true }
    expire(Key(hash: hash, slot: slot, database: selected))
    return true
  }

  mutating func expire(_ key: Key) {
    appendRemoval(of: key)
    statistics.expiredKeys &+= 1
    remove(key, changes: 0, .expire)
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

  /// Milliseconds since 1970, in a replay too.
  var time: Int { now == 0 ? replayTime : now }

  // MARK: Access clock

  /// The 24 bits that a key's access starts with: seconds, or minutes and a counter of 5.
  var initialAccess: UInt32 {
    policy.usesFrequency ? minutes << 8 | 5 : UInt32(truncatingIfNeeded: time / 1000) & 0xFF_FFFF
  }

  private var minutes: UInt32 { UInt32(truncatingIfNeeded: time / 60_000) & 0xFFFF }

  mutating func touch(_ entry: Ref<Entry>, _ header: Entry.Header) {
    if leavesNoTrace { return }
    let access: UInt32
    if policy.usesFrequency {
      access = minutes << 8 | UInt32(increment(decayed(header.access)))
    } else {
      access = UInt32(truncatingIfNeeded: time / 1000) & 0xFF_FFFF
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

  /// Lets the key look as if it had last been used so many seconds ago, or so often: whichever the
  /// policy counts. Negative numbers say nothing.
  public mutating func setAccess(_ key: Key, idleSeconds: Int, frequency: Int) {
    if policy.usesFrequency {
      guard frequency >= 0 else { return }
      arena.setAccess(key.entry, minutes << 8 | UInt32(min(frequency, 255)))
    } else if idleSeconds >= 0 {
      let access = max(now / 1000 - idleSeconds, 0)
      arena.setAccess(key.entry, UInt32(truncatingIfNeeded: access) & 0xFF_FFFF)
    }
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
