// What commands count as changes, and that no change of a key goes unnoticed.

import Bytes
import Keyspace
import RESP
import Testing

@testable import Commands

@Suite struct ChangeNoteTests {
  /// Lines with what redis-server 7.0.15 adds to rdb_changes_since_last_save for them.
  private static let counts: [(line: String, count: Int)] = [
    ("SETBIT a 0 0", 1), ("SETBIT a 0 0", 0), ("SETBIT a 0 1", 1), ("SETBIT a 0 1", 0),
    ("SETBIT a 90 0", 1), ("BITFIELD b SET i5 0 0", 1), ("BITFIELD b SET i5 0 0", 0),
    ("BITFIELD b SET i5 0 1", 1), ("BITFIELD b SET i5 90 0", 1), ("BITFIELD b INCRBY i5 0 1", 1),
    ("BITFIELD b SET u8 0 7 SET u8 8 9 GET u8 0", 2), ("BITFIELD c SET u8 0 0 SET u8 8 0", 2),
    ("BITFIELD b OVERFLOW FAIL SET u8 0 999", 0), ("BITFIELD_RO b GET u8 0", 0),
    ("SET s v", 1), ("SET s v", 1), ("SET s v NX", 0), ("SET t v XX", 0), ("SET s v EX 100", 1),
    ("APPEND s x", 1), ("APPEND s \"\"", 1), ("APPEND n x", 1), ("SETRANGE s 0 q", 1),
    ("SETRANGE s 0 \"\"", 0), ("SETRANGE m 5 q", 1), ("MSET x 1 y 2 z 3", 3),
    ("MSETNX x 1 w 2", 0), ("INCR x", 1), ("INCRBYFLOAT x 0.5", 1), ("GETSET x 4", 1),
    ("GETEX x", 0), ("GETEX x EX 100", 1), ("GETEX x PERSIST", 1), ("GETEX x PERSIST", 0),
    ("EXPIRE x 100", 1), ("EXPIRE x 100 NX", 0), ("PERSIST x", 1), ("PERSIST x", 0),
    ("RENAME x xx", 1), ("RENAME xx y", 1), ("RENAME y y", 0), ("RENAMENX y z", 0),
    ("COPY y yy", 1), ("COPY y z REPLACE", 1), ("MOVE y 1", 1), ("BITOP AND r s s", 1),
    ("BITOP AND r none", 1), ("BITOP AND r none", 0), ("DEL s n nothing m", 3), ("GETDEL z", 1),
    ("EXPIRE yy 0", 1), ("SET d v PX 1", 1), ("DEL a b c", 3),
  ]

  @Test func commandsCountWhatRedisCounts() throws {
    var session = try GenericSession()
    for (line, count) in Self.counts {
      let before = session.keys.statistics.changes
      _ = try session.run(line)
      #expect(session.keys.statistics.changes - before == count, "\(line)")
    }
    // What no command asked for does not count.
    let before = session.keys.statistics.changes
    session.keys.now += 10
    _ = try session.run("GET d")
    #expect(session.keys.statistics.expiredKeys == 1)
    session.keys.policy = .allKeysRandom
    _ = session.keys.evict(downTo: 0)
    #expect(session.keys.statistics.evictedKeys > 0)
    #expect(session.keys.statistics.changes == before)
  }

  @Test func nothingIsNotedForNobody() throws {
    var session = try GenericSession()
    _ = try session.run("SET a b")
    #expect(session.keys.notes.count == 0)
    session.keys.tracksChanges = true
    _ = try session.run("GET a")
    _ = try session.run("SET a b NX")
    #expect(session.keys.notes.count == 0)
    _ = try session.run("MSET a b c d")
    #expect(session.keys.notes.count == 2)
    session.keys.forgetNotes()
    session.keys.flush(database: 0)
    session.keys.swap(0, 3)
    #expect(session.keys.notes.count == 2)
    #expect(session.keys.notes[0].kind == .flush)
    #expect(session.keys.notes[1].kind == .swap)
    #expect(session.keys.notes[1].other == 3)
  }

  /// Whatever differs after a command has been noted.
  @Test(arguments: UInt64(0)..<12)
  func everyChangeIsNoted(seed: UInt64) throws {
    var session = try GenericSession(seed: seed)
    var workload = Workload(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    session.keys.tracksChanges = true
    session.keys.policy = .allKeysRandom
    var before = session.everything()
    for _ in 0..<1000 {
      var line = "(expiry, eviction)"
      if workload.below(30) == 0 {
        _ = session.keys.expireSome(limit: 100)
        _ = session.keys.evict(downTo: session.keys.usedBytes - 1)
      } else {
        line = workload.command(now: session.keys.now)
        _ = try session.run(line)
      }
      let after = session.everything()
      var noted: Set<NotedKey> = []
      for index in 0..<session.keys.notes.count {
        let note = session.keys.notes[index]
        noted.insert(NotedKey(hash: note.hash, database: Int(note.database)))
      }
      session.keys.forgetNotes()
      for key in Set(before.keys).union(after.keys) where before[key] != after[key] {
        #expect(noted.contains(key), "seed \(seed): \(line)")
      }
      before = after
      session.keys.now += workload.below(10) == 0 ? workload.below(400) : workload.below(3)
    }
  }
}

private struct NotedKey: Hashable {
  var hash: UInt64
  var database: Int
}

private struct Content: Equatable {
  var value: [UInt8]
  var expiry: Int?
}

extension GenericSession {
  fileprivate mutating func everything() -> [NotedKey: Content] {
    let selected = keys.selected
    var found: [NotedKey: Content] = [:]
    for database in 0..<keys.databaseCount {
      keys.select(database)
      var entries = EntryList()
      _ = keys.scan(cursor: 0, count: .max, into: &entries)
      for index in 0..<entries.count {
        let entry = keys.entry(entries[index])
        let key = NotedKey(hash: keys.hash(of: entry.key), database: database)
        found[key] = Content(value: bytes(entry.value), expiry: entry.expiry)
      }
    }
    keys.select(selected)
    return found
  }
}
