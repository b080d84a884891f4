// Opening a keyspace in an arena that holds one already: an image that an earlier process wrote.
//
//   roots ──► records ──► tables, wheels
//     └─────► garbage list ──► tables, wheels
//
// 1. Nothing that is read here is trusted: a word that cannot be right is an error, not a trap.
// 2. Opening takes the same time whatever the number of keys.
// 3. More databases than the image has are added; fewer are possible while the others are empty.

import Bytes
import Memory
import Structures

/// Why an arena is no keyspace that can be opened.
public struct KeyspaceDamage: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

extension Keyspace {
  /// A database that no configuration asks for.
  private static var databaseLimit: Int { 1 << 24 }

  /// Opens the keyspace that `arena` holds.
  /// - Parameter seed: of the generator behind RANDOMKEY, eviction sampling and LFU counters.
  // cold: once, at the start
  public static func open(
    _ arena: consuming Arena, databaseCount: Int,
    seed: UInt64 = UInt64.random(in: 0...UInt64.max)
  ) throws(KeyspaceDamage) -> Keyspace {
    precondition(databaseCount > 0)
    let secrets = arena.hashSecrets
    let hash = KeyedHash(secrets[0], secrets[1], secrets[2], secrets[3])
    try checkRoots(arena, hash, databaseCount)
    var keyspace = Keyspace(opened: arena, hash: hash, seed: seed)
    try keyspace.adoptDatabases(databaseCount)
    return keyspace
  }

  // cold: once, at the start
  private mutating func adoptDatabases(_ databaseCount: Int) throws(KeyspaceDamage) {
    let stored = Int(arena.root(Self.countRoot))
    let records = Ref<Words>(unit: arena.root(Self.recordsRoot))
    for index in 0..<min(stored, databaseCount) { adopt(index, records) }
    if databaseCount > stored {
      for _ in stored..<databaseCount { databases.append(emptyDatabase) }
      do throws(CommandError) {
        try makeRecords()
      } catch {
        throw KeyspaceDamage("there is no room for the records of \(databaseCount) databases")
      }
      arena.free(records)
    } else if databaseCount < stored {
      // The rest of the records stays where it is and is empty.
      arena.setRoot(Self.countRoot, UInt64(databaseCount))
    }
  }

  private mutating func adopt(_ index: Int, _ records: Ref<Words>) {
    let record = Self.record(records, index)
    var database = Database(
      table: HashTable(root: Ref(unit: arena.reader.word(record, 0)), hash: hash),
      wheel: ExpiryWheel(root: Ref(unit: arena.reader.word(record, 1))))
    database.expiringCount = Int(arena.reader.word(record, 2))
    database.oldWheel = ExpiryWheel(root: Ref(unit: arena.reader.word(record, 3)))
    database.generation = Int(arena.reader.word(record, 4))
    database.timedCount = Int(arena.reader.word(record, 5))
    databases.append(database)
  }

  static func record(_ records: Ref<Words>, _ index: Int) -> Ref<Words> {
    Ref(unit: records.unit + UInt64(index * Database.recordBytes / 8))
  }

  // MARK: Checking

  // cold: once, at the start
  private static func checkRoots(
    _ arena: borrowing Arena, _ hash: KeyedHash, _ databaseCount: Int
  ) throws(KeyspaceDamage) {
    guard let stored = Int(exactly: arena.root(countRoot)), stored > 0, stored <= databaseLimit
    else { throw KeyspaceDamage("its number of databases is \(arena.root(countRoot))") }
    let records = Ref<Words>(unit: arena.root(recordsRoot))
    guard arena.root(recordsRoot) >> 40 == 0,
      arena.holds(records, count: stored * Database.recordBytes)
    else { throw KeyspaceDamage("the records of its databases lie outside of it") }
    for index in 0..<stored {
      try checkRecord(arena, record(records, index), hash, index)
      let root = Ref<HashTable>(unit: arena.reader.word(record(records, index), 0))
      let isEmpty = HashTable(root: root, hash: hash).isVacant(arena.reader)
      guard index < databaseCount || isEmpty else {
        throw KeyspaceDamage(
          "it has keys in database \(index), and `databases` is \(databaseCount)")
      }
    }
    guard arena.hasPlausibleGarbage else {
      throw KeyspaceDamage("its list of flushed data is damaged")
    }
  }

  // cold: once, at the start
  private static func checkRecord(
    _ arena: borrowing Arena, _ record: Ref<Words>, _ hash: KeyedHash, _ index: Int
  ) throws(KeyspaceDamage) {
    let words = arena.reader
    for word in [0, 1, 3] where words.word(record, word) >> 40 != 0 {
      throw KeyspaceDamage("word \(word) of database \(index)'s record is no ref")
    }
    let table = HashTable(root: Ref(unit: words.word(record, 0)), hash: hash)
    guard table.isPlausible(arena) else {
      throw KeyspaceDamage("the table of database \(index) is damaged")
    }
    let wheel = ExpiryWheel(root: Ref(unit: words.word(record, 1)))
    let oldWheel = ExpiryWheel(root: Ref(unit: words.word(record, 3)))
    guard wheel.isPlausible(arena) && oldWheel.isPlausible(arena) else {
      throw KeyspaceDamage("the deadlines of database \(index) are damaged")
    }
    let count = table.root.isNull ? 0 : table.count(words)
    guard words.word(record, 2) <= UInt64(count), words.word(record, 4) <= 1,
      words.word(record, 5) <= UInt64(count)
    else {
      throw KeyspaceDamage("the counts of database \(index) contradict each other")
    }
  }
}

extension HashTable {
  fileprivate func isVacant(_ reader: borrowing ArenaReader) -> Bool {
    root.isNull || count(reader) == 0
  }
}
