// Renaming, copying, SCAN, eviction: what the model tests do not pin.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

private func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

@Suite struct ChangeTests {
  /// A long value moves with its key: nothing is copied, the deadline stays.
  @Test func renameMovesTheBlob() throws {
    var keys = try makeKeyspace()
    let value = [UInt8](repeating: 5, count: 3 << 20)
    try keys.set([1].span, value: value.span, deadline: .at(startTime + 5000))
    try keys.set([2].span, value: value.span, deadline: .at(startTime + 6000))
    guard let found = keys.find([1].span) else {
      Issue.record("the key is not there")
      return
    }
    let blob = keys.facts(found).blob
    let before = keys.usedBytes
    try keys.rename(found, to: [3].span)
    #expect(keys.usedBytes - before < 4096)
    #expect(keys.find([1].span) == nil)
    let moved = keys.find([3].span)
    #expect(moved.map { keys.facts($0).blob } == blob)
    let isWhole = keys.content([3])?.value == value
    #expect(isWhole)
    #expect(keys.content([3])?.expiry == startTime + 5000)
    // Over a key that has a blob and a deadline of its own.
    if let moved { try keys.rename(moved, to: [2].span) }
    #expect(keys.count(database: 0) == 1)
    #expect(keys.expiringCount(database: 0) == 1)
    #expect(keys.content([2])?.expiry == startTime + 5000)
    #expect(keys.usedBytes < before - 3 << 20 + 4096)
    keys.checkInvariants()
    keys.now += 6000
    keys.expireAll()
    #expect(keys.count(database: 0) == 0)
  }

  @Test func renameToItself() throws {
    var keys = try makeKeyspace()
    try keys.set([1].span, value: [2].span)
    if let found = keys.find([1].span) { try keys.rename(found, to: [1].span) }
    #expect(keys.content([1])?.value == [2])
    keys.checkInvariants()
  }

  @Test func scanCountsOverflowSafely() throws {
    var keys = try makeKeyspace()
    for number in 0..<100 { try keys.set(key(number).span, value: [1].span) }
    var entries = GrowableArray<Ref<Entry>>()
    for count in [Int.max, Int.max / 2, 0, -1, Int.min] {
      var cursor: UInt64 = 0
      let before = entries.count
      repeat {
        cursor = keys.scan(cursor: cursor, count: count, into: &entries)
      } while cursor != 0
      #expect(entries.count - before == 100)
    }
  }

  @Test func randomKeysAreLive() throws {
    var keys = try makeKeyspace()
    #expect(keys.randomEntry() == nil)
    for number in 0..<50 {
      try keys.set(
        key(number).span, value: [1].span, deadline: number < 25 ? .at(startTime + 5) : .none)
    }
    keys.now += 6
    for _ in 0..<200 {
      if let entry = keys.randomEntry() { #expect(keys.isLive(entry) == true) }
    }
  }

  @Test(arguments: [
    EvictionPolicy.allKeysLRU, .allKeysLFU, .allKeysRandom, .volatileLRU, .volatileLFU,
    .volatileRandom, .volatileTTL,
  ])
  func evictsToTheLimit(policy: EvictionPolicy) throws {
    var keys = try makeKeyspace()
    keys.policy = policy
    for number in 0..<4000 {
      keys.select(number % 3)
      let deadline: Deadline = number % 2 == 0 ? .at(startTime + 1_000_000 + number) : .none
      try keys.set(
        key(number).span, value: [UInt8](repeating: 1, count: 100).span, deadline: deadline)
      if number % 100 == 0 { keys.now += 1000 }
    }
    keys.effects.endGroup()
    keys.effects.consume()
    let limit = keys.usedBytes * 3 / 4
    let isEnough = keys.evict(downTo: limit)
    #expect(isEnough && keys.usedBytes <= limit)
    var removed = 0
    for command in commands(bytes(keys.effects.bytes.span)) where command[0] == "DEL" {
      removed += 1
      let number = Int(command[1].dropFirst(4)) ?? 1
      if policy.onlyExpiring { #expect(number % 2 == 0) }
    }
    #expect(removed == keys.statistics.evictedKeys && removed > 0)
    let left = (0..<3).reduce(0) { $0 + keys.count(database: $1) }
    #expect(left == 4000 - removed)
    keys.checkInvariants()
    keys.effects.consume()
    // Down to nothing: volatile policies stop at the last key with a deadline.
    let isDone = keys.evict(downTo: 0)
    #expect(!isDone)
    for database in 0..<3 {
      #expect(keys.expiringCount(database: database) == 0)
      if !policy.onlyExpiring { #expect(keys.count(database: database) == 0) }
    }
    keys.checkInvariants()
  }

  /// LRU goes for the keys that were not used, LFU for those used rarely, TTL for the next to go.
  @Test func victimsAreTheRightOnes() throws {
    for policy in [EvictionPolicy.allKeysLRU, .allKeysLFU, .volatileTTL] {
      var keys = try makeKeyspace()
      keys.policy = policy
      keys.evictionSamples = 10
      for number in 0..<1000 {
        try keys.set(
          key(number).span, value: [1].span,
          deadline: .at(startTime + 10_000_000 + (number < 500 ? 5_000_000 : 0)))
      }
      for _ in 0..<20 {
        keys.now += 1000
        for number in 0..<500 { _ = keys.find(key(number).span) }
      }
      _ = keys.evict(downTo: keys.usedBytes - 200 * 40)
      let kept = (0..<500).filter { keys.content(key($0)) != nil }.count
      #expect(kept >= 490, "\(policy)")
      #expect(keys.count(database: 0) < 900)
    }
  }

  @Test func flushedDataGoesBeforeKeys() throws {
    var keys = try makeKeyspace()
    keys.policy = .allKeysLRU
    for number in 0..<3000 { try keys.set(key(number).span, value: [1].span) }
    keys.flush(database: 0)
    keys.select(1)
    try keys.set([1].span, value: [1].span)
    let isEnough = keys.evict(downTo: 40_000)
    #expect(isEnough)
    #expect(keys.count(database: 1) == 1)
  }

  /// Without memory nothing changes: the old value, the target of a copy or a rename, the counts.
  @Test func outOfMemoryLosesNothing() throws {
    let arena = try Arena(provider: VolatilePages(reachBytes: 1 << 30))
    var keys = try Keyspace(arena: arena, databaseCount: 2, hash: .random(), seed: 1)
    keys.now = startTime
    let long = [UInt8](repeating: 1, count: 100 << 20)
    var count = 0
    while (try? keys.set([UInt8(count)].span, value: long.span)) != nil && count < 12 { count += 1 }
    #expect(count > 2 && count < 12)
    try keys.set([99].span, value: [9].span, deadline: .at(startTime + 1000))
    let used = keys.usedBytes
    #expect(throws: CommandError.self) { try keys.set([99].span, value: long.span) }
    #expect(throws: CommandError.self) { try keys.set([100].span, value: long.span) }
    if let found = keys.find([1].span) {
      #expect(throws: CommandError.self) { try keys.copy(found, to: [99].span, database: 0) }
      #expect(throws: CommandError.self) { try keys.copy(found, to: [99].span, database: 1) }
    }
    #expect(throws: CommandError.self) { _ = try keys.makePlace(long.count) }
    #expect(keys.content([99])?.value == [9])
    #expect(keys.expiringCount(database: 0) == 1)
    #expect(keys.usedBytes - used < 8192)
    keys.checkInvariants()
  }
}
