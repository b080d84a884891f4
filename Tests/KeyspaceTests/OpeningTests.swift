// A keyspace opened in an arena that holds one: the same data; and damage, which is an error and
// never a trap.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct OpeningTests {
  /// Opens the arena of `keyspace` again, as another process would.
  private func reopen(
    _ keyspace: consuming Keyspace, databases: Int = 4
  ) throws -> Keyspace {
    var arena = try Arena(provider: VolatilePages(reachBytes: 1 << 30))
    swap(&arena, &keyspace.arena)
    var opened = try Keyspace.open(arena, databaseCount: databases, seed: 1)
    opened.now = startTime
    return opened
  }

  private func filled(seed: Int, count: Int = 3000) throws -> Keyspace {
    var keyspace = try makeKeyspace(seed: seed)
    var random = Seeded(seed)
    for index in 0..<count {
      keyspace.select(random.below(3))
      let key = Array("key:\(random.below(count))".utf8)
      let value = Array(repeating: UInt8(index & 255), count: random.below(200))
      let deadline: Deadline =
        random.below(3) == 0 ? .at(startTime + 1000 + random.below(100_000)) : .none
      try keyspace.set(key.span, value: value.span, deadline: deadline)
      if random.below(10) == 0 { _ = keyspace.remove(key.span) }
    }
    for index in 0..<20 {
      let name = Array("hash:\(index)".utf8)
      var hash = try keyspace.openHash(name.span, found: try keyspace.findHash(name.span))
      for field in 0..<(index % 2 == 0 ? 5 : 600) {
        let text = Array("\(field)".utf8)
        _ = try keyspace.setField(text.span, of: &hash, to: text.span)
        guard field % 3 == 0 else { continue }
        try keyspace.setFieldDeadline(text.span, of: &hash, startTime + 1000 + random.below(5000))
      }
    }
    keyspace.effects.endGroup()
    return keyspace
  }

  @Test(arguments: 0..<4)
  func itHoldsTheSame(seed: Int) throws {
    var keyspace = try filled(seed: seed)
    keyspace.flush(database: 2)
    let digest = keyspace.digest()
    let counts = (0..<4).map { keyspace.count(database: $0) }
    let expiring = (0..<4).map { keyspace.expiringCount(database: $0) }
    let timed = (0..<4).map { keyspace.timedCount(database: $0) }
    #expect(timed.reduce(0, +) > 0)
    var opened = try reopen(keyspace)
    opened.checkInvariants()
    #expect(opened.digest() == digest)
    #expect((0..<4).map { opened.count(database: $0) } == counts)
    #expect((0..<4).map { opened.expiringCount(database: $0) } == expiring)
    #expect((0..<4).map { opened.timedCount(database: $0) } == timed)
    #expect(opened.hasGarbage == true)
    opened.freeAllGarbage()
    // It lives on: deadlines pass, keys change.
    opened.now = startTime + 200_000
    opened.expireAll()
    #expect(opened.expiringCount(database: 0) == 0)
    opened.select(0)
    try opened.set([1].span, value: [2].span)
    let content = opened.content([1])
    #expect(content?.value == [2])
    opened.checkInvariants()
    opened.arena.checkInvariants()
  }

  /// A sorted set's tree is on the list by its root and its height.
  @Test func itTakesUpFreeingALargeSortedSet() throws {
    var keyspace = try makeKeyspace(seed: 5)
    let empty = keyspace.arena.usage.allocatedBytes
    var set = try keyspace.makeSortedSet([1].span, count: 1, length: 3)
    for number in 0..<3000 {
      let member = Array("member:\(number)".utf8)
      try keyspace.setScore(member.span, Double(number), old: nil, in: &set)
    }
    let isRemoved = keyspace.remove([1].span)
    #expect(isRemoved && keyspace.hasGarbage)
    let full = keyspace.arena.usage.allocatedBytes
    var opened = try reopen(keyspace)
    #expect(opened.hasGarbage == true)
    opened.freeAllGarbage()
    opened.checkInvariants()
    opened.arena.checkInvariants()
    #expect(opened.arena.usage.allocatedBytes - empty < (full - empty) / 10)
  }

  @Test func aReplayWithoutTimeFilesDeadlinesWhereTheyBelong() throws {
    var keyspace = try makeKeyspace()
    keyspace.now = 0
    keyspace.replayTime = startTime
    try keyspace.set([1].span, value: [2].span, deadline: .at(startTime - 5))
    try keyspace.set([2].span, value: [2].span, deadline: .at(startTime + 5000))
    let content = keyspace.content([1])
    #expect(content != nil, "nothing expires while time stands still")
    let isBehind = keyspace.expireSome(limit: 10)
    #expect(isBehind == false)
    keyspace.now = startTime + 256
    keyspace.expireAll()
    #expect(keyspace.count(database: 0) == 1)
    keyspace.now = startTime + 6000
    keyspace.expireAll()
    #expect(keyspace.count(database: 0) == 0)
    keyspace.checkInvariants()
  }

  @Test func moreDatabasesAreAdded() throws {
    let keyspace = try filled(seed: 9)
    let digest = keyspace.digest()
    var opened = try reopen(keyspace, databases: 40)
    #expect(opened.databaseCount == 40)
    #expect(opened.digest() == digest)
    opened.select(39)
    try opened.set([1].span, value: [2].span)
    opened.checkInvariants()
    let again = try reopen(opened, databases: 40)
    #expect(again.count(database: 39) == 1)
    again.arena.checkInvariants()
  }

  @Test func fewerDatabasesAreEnoughWhileTheOthersAreEmpty() throws {
    var opened = try reopen(try filled(seed: 3), databases: 3)
    #expect(opened.databaseCount == 3)
    opened.checkInvariants()
    opened.flush(database: 2)
    opened.flush(database: 1)
    var one = try reopen(opened, databases: 1)
    #expect(one.databaseCount == 1)
    one.freeAllGarbage()
    one.checkInvariants()
    #expect(throws: KeyspaceDamage.self) { _ = try reopen(try filled(seed: 3), databases: 1) }
  }

  /// Every word that opening reads, set to something else: an error, or a keyspace.
  @Test(arguments: 0..<64)
  func damageIsAnErrorAndNoTrap(seed: Int) throws {
    var keyspace = try filled(seed: seed % 3, count: 200)
    keyspace.flush(database: 1)
    var random = Seeded(seed)
    let junk: UInt64 =
      switch random.below(5) {
      case 0: random.next()
      case 1: UInt64(random.below(4096))
      case 2: 1 << UInt64(random.below(64))
      case 3: 0
      default: UInt64(keyspace.arena.usedPages) << 9
      }
    switch random.below(4) {
    case 0: keyspace.arena.setRoot(random.below(3), junk)
    case 1: keyspace.arena.storeWord(keyspace.recordRef(random.below(4)), random.below(6), junk)
    case 2:
      let root = Ref<Words>(unit: keyspace.databases[0].table.root.unit)
      keyspace.arena.storeWord(root, random.below(3), junk)
    default:
      let root = Ref<Words>(unit: keyspace.databases[0].wheel.root.unit)
      keyspace.arena.storeWord(root, random.below(1027), junk)
    }
    do {
      _ = try reopen(keyspace)
    } catch let error as KeyspaceDamage {
      #expect(!error.description.isEmpty)
    }
  }
}
