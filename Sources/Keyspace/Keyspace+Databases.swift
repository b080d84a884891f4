// Whole databases: their records in the arena, flushing in O(1), and freeing what was flushed.

import Bytes
import Memory
import Structures

extension Keyspace {
  private static var recordsRoot: Int { 0 }
  private static var countRoot: Int { 1 }
  static var garbageRoot: Int { 2 }
  private static var garbageBytes: Int { 24 }

  mutating func makeRecords() throws(CommandError) {
    let bytes = databases.count * Database.recordBytes
    do throws(ArenaFull) {
      let records = try arena.allocate(bytes, as: Untyped.self)
      arena.setRoot(Self.recordsRoot, records.unit)
    } catch {
      throw .outOfMemory
    }
    arena.setRoot(Self.countRoot, UInt64(databases.count))
    for database in 0..<databases.count { storeRecord(database) }
  }

  /// Writes what the struct knows of a database to its record (Database's invariant 1).
  mutating func storeRecord(_ index: Int) {
    let database = databases[index]
    let record = recordRef(index)
    arena.storeWord(record, 0, database.table.root.unit)
    arena.storeWord(record, 1, database.wheel.root.unit)
    arena.storeWord(record, 2, UInt64(database.expiringCount))
    arena.storeWord(record, 3, database.oldWheel.root.unit)
    arena.storeWord(record, 4, UInt64(database.generation))
  }

  func recordRef(_ index: Int) -> Ref<Words> {
    Ref(unit: arena.root(Self.recordsRoot) + UInt64(index * Database.recordBytes / 8))
  }

  mutating func makeTable(_ index: Int) throws(ArenaFull) {
    databases[index].table = try HashTable.create(&arena, hash: hash)
    storeRecord(index)
  }

  /// Drops the wheels of a database that has become empty: their records are all stale.
  mutating func forgetWheels(_ index: Int) {
    let database = databases[index]
    guard !database.wheel.root.isNull || !database.oldWheel.root.isNull else { return }
    detach(Ref<HashTable>.null, database.wheel.root)
    detach(Ref<HashTable>.null, database.oldWheel.root)
    databases[index].wheel = ExpiryWheel(root: .null)
    databases[index].oldWheel = ExpiryWheel(root: .null)
    storeRecord(index)
  }

  // MARK: Flushing

  /// Empties a database in O(1); its memory comes back through `freeGarbage`.
  public mutating func flush(database index: Int) {
    let database = databases[index]
    didFlush(index, count: count(database: index))
    detach(database.table.root, database.wheel.root)
    detach(Ref<HashTable>.null, database.oldWheel.root)
    databases[index] = Database(
      table: HashTable(root: .null, hash: hash), wheel: ExpiryWheel(root: .null))
    storeRecord(index)
  }

  public mutating func flushAll() {
    for index in 0..<databases.count where !databases[index].isEmpty { flush(database: index) }
  }

  /// Exchanges the contents of two databases.
  public mutating func swap(_ first: Int, _ second: Int) {
    // A database's exchange with itself counts as one, as in Redis.
    let database = databases[first]
    databases[first] = databases[second]
    databases[second] = database
    storeRecord(first)
    storeRecord(second)
    didSwap(first, second)
  }

  /// Puts a table and a wheel on the garbage list. Without memory for the list's node they are
  /// freed at once.
  mutating func detach(_ table: Ref<HashTable>, _ wheel: Ref<ExpiryWheel>) {
    if table.isNull && wheel.isNull { return }
    if !table.isNull { HashTable(root: table, hash: hash).beginFreeing(&arena) }
    guard let node = try? arena.allocate(Self.garbageBytes, as: Words.self) else {
      var freed = 0
      if !table.isNull {
        _ = HashTable(root: table, hash: hash).freeSome(&arena, limit: .max, freed: &freed)
      }
      if !wheel.isNull { _ = ExpiryWheel(root: wheel).free(&arena, limit: .max) }
      return
    }
    arena.storeWord(node, 0, arena.root(Self.garbageRoot))
    arena.storeWord(node, 1, table.unit)
    arena.storeWord(node, 2, wheel.unit)
    arena.setRoot(Self.garbageRoot, node.unit)
  }

  /// Whether flushed data waits to be freed.
  public var hasGarbage: Bool { arena.root(Self.garbageRoot) != 0 }

  /// Frees some of what was flushed.
  /// - Parameter limit: about how many entries.
  /// - Returns: whether there is more.
  public mutating func freeGarbage(limit: Int) -> Bool {
    let node = Ref<Words>(unit: arena.root(Self.garbageRoot))
    if node.isNull { return false }
    let table = Ref<HashTable>(unit: arena.reader.word(node, 1))
    if !table.isNull {
      var freed = 0
      let isGone = HashTable(root: table, hash: hash).freeSome(&arena, limit: limit, freed: &freed)
      statistics.lazyFreedObjects += freed
      if isGone { arena.storeWord(node, 1, 0) }
      return true
    }
    let wheel = Ref<ExpiryWheel>(unit: arena.reader.word(node, 2))
    if !wheel.isNull {
      guard ExpiryWheel(root: wheel).free(&arena, limit: max(limit / 16, 1)) else { return true }
      arena.storeWord(node, 2, 0)
    }
    arena.setRoot(Self.garbageRoot, arena.reader.word(node, 0))
    arena.free(node)
    return hasGarbage
  }
}
