// Whole databases: their records in the arena, flushing in O(1), and freeing what was flushed.

import Bytes
import Memory
import Structures

extension Keyspace {
  static var recordsRoot: Int { 0 }
  static var countRoot: Int { 1 }

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
    arena.storeWord(record, 5, UInt64(database.timedCount))
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

  /// Puts a table and a wheel on the garbage list, whatever their size.
  private mutating func detach(_ table: Ref<HashTable>, _ wheel: Ref<ExpiryWheel>) {
    arena.discardLater(.table, table.unit)
    arena.discardLater(.wheel, wheel.unit)
  }

  /// Whether flushed data and large collections wait to be freed.
  public var hasGarbage: Bool { arena.hasGarbage }

  /// Frees some of what waits.
  /// - Parameter limit: about how many entries.
  /// - Returns: whether there is more.
  public mutating func freeGarbage(limit: Int) -> Bool {
    var freed = 0
    defer { statistics.freedElements += freed }
    return arena.freeGarbage(limit: limit, freed: &freed)
  }
}
