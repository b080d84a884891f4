// Proof of the keyspace's invariants, for tests.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// Traps unless the databases, their tables, wheels and records and the garbage list agree.
  /// - Parameter allowsUnfiled: whether memory ran short, so that deadlines may have no record.
  public func checkInvariants(allowsUnfiled: Bool = false) {
    for index in 0..<databases.count {
      let database = databases[index]
      checkRecord(index)
      guard !database.table.root.isNull else {
        precondition(
          database.expiringCount == 0 && database.timedCount == 0,
          "a database without table counts deadlines")
        continue
      }
      database.table.checkInvariants(arena.reader)
      checkDeadlines(database, allowsUnfiled)
    }
    checkGarbage()
  }

  /// Database's invariant 1.
  private func checkRecord(_ index: Int) {
    let record = recordRef(index)
    let database = databases[index]
    precondition(
      arena.reader.word(record, 0) == database.table.root.unit
        && arena.reader.word(record, 1) == database.wheel.root.unit
        && arena.reader.word(record, 2) == UInt64(database.expiringCount)
        && arena.reader.word(record, 3) == database.oldWheel.root.unit
        && arena.reader.word(record, 4) == UInt64(database.generation)
        && arena.reader.word(record, 5) == UInt64(database.timedCount),
      "a database and its record disagree")
  }

  /// The wheel's invariant 2, and the exact count of deadlines.
  private func checkDeadlines(_ database: Database, _ allowsUnfiled: Bool) {
    let current = earliestTicks(database.wheel)
    let old = earliestTicks(database.oldWheel)
    var expiring = 0
    var timed = 0
    var cursor: UInt64 = 0
    var entries = GrowableArray<Ref<Entry>>()
    repeat {
      cursor = database.table.scan(arena.reader, cursor: cursor, into: &entries)
      for index in 0..<entries.count {
        let facts = arena.facts(entries[index])
        arena.reader.checkValue(entries[index], hash)
        let isFiled = facts.header.flags.contains(.filed)
        if facts.expiry != nil { expiring += 1 }
        if arena.reader.fieldsDeadline(entries[index]) != nil { timed += 1 }
        guard let expiry = arena.reader.nextDeadline(entries[index]) else {
          precondition(!isFiled, "a key without deadline is filed")
          continue
        }
        precondition(isFiled || allowsUnfiled, "a deadline is not filed")
        let hash = hash(arena.reader.entry(entries[index]).key)
        guard isFiled else { continue }
        let isCurrent = facts.header.flags.contains(.odd) == (database.generation == 1)
        let wheel = isCurrent ? database.wheel : database.oldWheel
        let tick = (isCurrent ? current : old)[ExpiryWheel.Record.partial(hash)] ?? .max
        precondition(
          tick <= max(expiry >> 7, wheel.tick(arena.reader)), "a filed key has no record in time")
      }
      entries.removeAll(keepingCapacity: true)
    } while cursor != 0
    precondition(expiring == database.expiringCount, "deadlines are miscounted")
    precondition(timed == database.timedCount, "hashes with timed fields are miscounted")
  }

  /// The tick of the earliest record for each hash.
  private func earliestTicks(_ wheel: ExpiryWheel) -> [UInt64: Int] {
    var earliest: [UInt64: Int] = [:]
    guard !wheel.root.isNull else { return earliest }
    wheel.checkInvariants(arena.reader)
    wheel.forEachRecord(arena.reader) { record, tick, _ in
      earliest[record.partialHash] = min(earliest[record.partialHash] ?? .max, tick)
    }
    return earliest
  }

  private func checkGarbage() {
    arena.forEachGarbage { _, unit in
      precondition(unit != 0, "the garbage list names nothing")
    }
  }
}
