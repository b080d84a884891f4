// TableHarness: a hash table beside the dictionary that it should be equal to.

import Bytes
import Memory
import Structures
import Testing

struct TableHarness: ~Copyable {
  var arena: Arena
  let table: HashTable
  var model: [[UInt8]: [UInt8]] = [:]
  let isGuarded: Bool
  private var operations = 0
  private let startBytes: Int

  init(guarded: Bool = false, hash: KeyedHash) throws {
    let arena = try makeArena(guarded: guarded)
    try self.init(arena, guarded, hash)
  }

  private init(_ arena: consuming Arena, _ isGuarded: Bool, _ hash: KeyedHash) throws {
    startBytes = arena.usage.allocatedBytes
    table = try HashTable.create(&arena, hash: hash)
    self.arena = arena
    self.isGuarded = isGuarded
  }

  func find(_ key: [UInt8]) -> HashTable.Slot? {
    table.find(arena.reader, table.hash(key.span), key.span)
  }

  /// Inserts or replaces.
  mutating func set(_ key: [UInt8], _ value: [UInt8]) throws {
    try step()
    let entry = try arena.makeEntry(key: key.span, value: value.span)
    if let slot = find(key) {
      table.replace(&arena, slot, entry)
      arena.freeEntry(slot.entry)
    } else {
      do throws(ArenaFull) {
        try table.insert(&arena, table.hash(key.span), entry)
      } catch {
        arena.freeEntry(entry)
        throw error
      }
    }
    model[key] = value
  }

  mutating func remove(_ key: [UInt8]) throws {
    try step()
    let slot = find(key)
    let isKnown = model.removeValue(forKey: key) != nil
    #expect((slot != nil) == isKnown)
    guard let slot else { return }
    table.remove(&arena, slot)
    arena.freeEntry(slot.entry)
  }

  /// In guard mode every few operations begin with all pages read-only.
  private mutating func step() throws {
    operations += 1
    if isGuarded && operations % 5 == 0 { try arena.flip() }
  }

  func check() {
    table.checkInvariants(arena.reader)
    let count = table.count(arena.reader)
    #expect(count == model.count)
  }

  /// Every key of the model is found with its value.
  func checkContents() {
    check()
    var wrong = 0
    for (key, value) in model {
      guard let slot = find(key) else {
        wrong += 1
        continue
      }
      if bytes(arena.reader.entry(slot.entry).value) != value { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  /// After all keys are gone only the root is left.
  mutating func checkNothingLeft() {
    #expect(model.isEmpty)
    table.checkInvariants(arena.reader)
    arena.checkInvariants()
    arena.free(table.root)
    let left = arena.usage.allocatedBytes - startBytes
    #expect(left == 0)
    // A slab a size class may stay, empty; all other pages are free.
    let kept = arena.usage.committedBytes - arena.usage.residentFreeBytes
    #expect(kept < 2 << 20)
  }
}
