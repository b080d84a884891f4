// Random workloads of everything that the keyspace can do, against dictionaries.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct KeyspaceModelTests {
  struct Value: Equatable {
    var bytes: [UInt8]
    var expiry: Int?
  }

  /// A keyspace and its model, and the random choices that drive both.
  struct World: ~Copyable {
    var keys: Keyspace
    var model: [[[UInt8]: Value]]
    var random: Seeded
    let startBytes: Int
    let isGuarded: Bool
    let keyRange: Int

    init(seed: Int, guarded: Bool, keyRange: Int) throws {
      let keys = try makeKeyspace(seed: seed, guarded: guarded)
      self.init(keys, seed, guarded, keyRange)
    }

    private init(_ keys: consuming Keyspace, _ seed: Int, _ guarded: Bool, _ keyRange: Int) {
      startBytes = keys.usedBytes
      model = .init(repeating: [:], count: keys.databaseCount)
      self.keys = keys
      random = Seeded(seed &+ 1000)
      isGuarded = guarded
      self.keyRange = keyRange
    }

    mutating func someKey() -> [UInt8] {
      let number = random.below(keyRange)
      let length = [1, 3, 8, 16, 40, 256, 300][number % 7]
      var key = [UInt8](repeating: UInt8(number % 251), count: length)
      for index in 0..<min(length, 3) { key[index] = UInt8(number >> (8 * index) & 255) }
      return length == 1 ? [UInt8(number & 255)] : key
    }

    mutating func someValue() -> [UInt8] {
      let lengths = [0, 1, 10, 64, 64, 64, 200, 2040, 2047, 2048, 2049, 5000, 33_000]
      var length = lengths[random.below(lengths.count)]
      if length > 64 && random.below(4) != 0 { length = random.below(100) }
      return [UInt8](repeating: UInt8(random.below(256)), count: length)
    }

    mutating func someDeadline() -> Int {
      let reach = [1, 200, 2000, 60_000, 4_000_000, 40_000_000_000][random.below(6)]
      return keys.now + random.below(reach) - random.below(20)
    }

    /// Forgets, in the model, what is due.
    mutating func forgetDue() {
      for database in model.indices {
        for (key, value) in model[database] where value.expiry.map({ keys.now > $0 }) ?? false {
          model[database][key] = nil
        }
      }
    }

    mutating func step() throws {
      if isGuarded && random.below(4) == 0 { try keys.arena.flip() }
      let database = random.below(keys.databaseCount)
      keys.select(database)
      let key = someKey()
      switch random.below(100) {
      case 0..<25: try set(key, database, .none)
      case 25..<40: try set(key, database, .at(someDeadline()))
      case 40..<45: try set(key, database, .keep)
      case 45..<55: try expire(key, database)
      case 55..<65:
        let isRemoved = keys.remove(key.span)
        let isKnown = model[database].removeValue(forKey: key) != nil
        #expect(isRemoved == isKnown)
      case 65..<72: try rename(key, database)
      case 72..<78: try copy(key, database)
      case 78..<86: try resize(key, database)
      case 86..<88: try place(key, database)
      case 88..<98: wait()
      case 98: rarely(database)
      default: keys.freeAllGarbage()
      }
      keys.effects.endGroup()
      keys.effects.consume()
    }

    mutating func set(_ key: [UInt8], _ database: Int, _ deadline: Deadline) throws {
      let value = someValue()
      let before = model[database][key]?.expiry
      try keys.set(key.span, value: value.span, deadline: deadline)
      let expiry: Int? =
        switch deadline {
        case .none: nil
        case .keep: before
        case .at(let time): time
        }
      model[database][key] = Value(bytes: value, expiry: expiry)
      forgetDue()
    }

    mutating func expire(_ key: [UInt8], _ database: Int) throws {
      guard let found = keys.find(key.span, .write) else {
        #expect(model[database][key] == nil)
        return
      }
      let expiry = random.below(3) == 0 ? nil : someDeadline()
      try keys.setExpiry(found, expiry)
      model[database][key]?.expiry = expiry
      forgetDue()
    }

    mutating func rename(_ key: [UInt8], _ database: Int) throws {
      guard let found = keys.find(key.span, .write) else { return }
      let name = someKey()
      try keys.rename(found, to: name.span)
      let value = model[database].removeValue(forKey: key)
      #expect(value != nil)
      model[database][name] = value
    }

    mutating func copy(_ key: [UInt8], _ database: Int) throws {
      guard let found = keys.find(key.span, .read) else { return }
      let name = someKey()
      let target = random.below(keys.databaseCount)
      if target == database && name == key { return }
      try keys.copy(found, to: name.span, database: target)
      model[target][name] = model[database][key]
    }

    mutating func resize(_ key: [UInt8], _ database: Int) throws {
      let found = keys.find(key.span, .write)
      var value = model[database][key] ?? Value(bytes: [], expiry: nil)
      #expect((found != nil) == (model[database][key] != nil))
      let count = value.bytes.count + [0, 1, 5, 100, 3000][random.below(5)]
      let resized = try keys.resizeString(key.span, found: found, count: count)
      value.bytes += [UInt8](repeating: 0, count: count - value.bytes.count)
      if count > 0 {
        let start = random.below(count)
        let end = min(count, start + 1 + random.below(50))
        var span = keys.mutableString(resized, start..<end)
        for index in span.indices { span[index] = 7 }
        for index in start..<end { value.bytes[index] = 7 }
      }
      model[database][key] = value
    }

    mutating func place(_ key: [UInt8], _ database: Int) throws {
      let count = 2049 + random.below(70_000)
      let place = try keys.makePlace(count)
      if random.below(4) == 0 { return keys.discard(place: place.token) }
      let found = keys.find(key.span, .write)
      let deadline: Deadline = random.below(2) == 0 ? .keep : .none
      try keys.set(key.span, found: found, place: place.token, count: count, deadline: deadline)
      let kept = deadline == .keep ? model[database][key]?.expiry : nil
      guard let made = keys.find(key.span, .write) else {
        Issue.record("a key that was placed is not there")
        return
      }
      var span = keys.mutableString(made, 0..<count)
      for index in span.indices { span[index] = 9 }
      model[database][key] = Value(bytes: [UInt8](repeating: 9, count: count), expiry: kept)
    }

    mutating func wait() {
      let reach = [2, 100, 130, 1000, 40_000, 4_000_000, 1_000_000_000][random.below(7)]
      keys.now += random.below(reach)
      forgetDue()
      if random.below(3) != 0 { keys.expireAll(limit: 1 + random.below(500)) }
    }

    mutating func rarely(_ database: Int) {
      switch random.below(8) {
      case 0:
        keys.flushAll()
        for index in model.indices { model[index] = [:] }
      case 1, 2:
        keys.flush(database: database)
        model[database] = [:]
      case 3: _ = keys.freeGarbage(limit: 50)
      default:
        let other = random.below(keys.databaseCount)
        keys.swap(database, other)
        model.swapAt(database, other)
      }
    }

    /// Everything is equal, once what is due has gone.
    mutating func check() {
      keys.checkInvariants()
      keys.arena.checkInvariants()
      forgetDue()
      keys.now += 129
      forgetDue()
      keys.expireAll()
      // What is within a tick of its deadline may remain; nothing else.
      for database in model.indices {
        keys.select(database)
        var wrong = 0
        for (key, value) in model[database] {
          guard let content = keys.content(key) else {
            wrong += 1
            continue
          }
          if content.value != value.bytes || content.expiry != value.expiry { wrong += 1 }
        }
        #expect(wrong == 0, "database \(database)")
        let extra = keys.count(database: database) - model[database].count
        #expect(extra >= 0 && extra <= keys.expiringCount(database: database))
      }
      keys.now += 129
      forgetDue()
      keys.expireAll()
      for database in model.indices {
        let late = keys.lateCount(database)
        #expect(late == 0)
      }
      keys.checkInvariants()
      keys.effects.consume()
    }
  }

  @Test(arguments: 1...6, [false, true])
  func randomWorkload(seed: Int, guarded: Bool) throws {
    var world = try World(seed: seed, guarded: guarded, keyRange: [20, 300, 3000][seed % 3])
    for step in 0..<(guarded ? 1500 : 4000) {
      try world.step()
      if step < 100 && step % 5 == 0 || step % 250 == 0 { world.check() }
    }
    world.check()
    world.keys.flushAll()
    world.keys.freeAllGarbage()
    let left = world.keys.usedBytes - world.startBytes
    #expect(left == 0)
  }

  /// The same, emptied key by key.
  @Test(arguments: 7...9)
  func nothingLeaks(seed: Int) throws {
    var world = try World(seed: seed, guarded: false, keyRange: 500)
    for _ in 0..<3000 { try world.step() }
    world.check()
    for database in world.model.indices {
      world.keys.select(database)
      for key in world.model[database].keys {
        let isRemoved = world.keys.remove(key.span)
        #expect(isRemoved)
      }
    }
    world.keys.now += 129
    world.keys.expireAll()
    world.keys.freeAllGarbage()
    // What a table that was emptied keeps: its root.
    let left = world.keys.usedBytes - world.startBytes
    #expect(left <= world.keys.databaseCount * 24)
    world.keys.effects.endGroup()
    world.keys.flushAll()
    world.keys.freeAllGarbage()
    #expect(world.keys.usedBytes == world.startBytes)
  }
}

extension Keyspace {
  /// Keys of a database that should have expired more than a tick ago.
  func lateCount(_ database: Int) -> Int {
    let table = databases[database].table
    if table.root.isNull { return 0 }
    var entries = GrowableArray<Ref<Entry>>()
    var cursor: UInt64 = 0
    repeat {
      cursor = table.scan(arena.reader, cursor: cursor, into: &entries)
    } while cursor != 0
    var late = 0
    for index in 0..<entries.count {
      if let expiry = arena.facts(entries[index]).expiry, expiry + 128 < now { late += 1 }
    }
    return late
  }
}
