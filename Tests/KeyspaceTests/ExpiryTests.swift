// Deadlines through the keyspace: in time, never early, in bounded slices, without piling up.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

private func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

@Suite struct ExpiryTests {
  /// Every key goes no later than a tick and one call after its deadline, none early, whatever the
  /// size of the steps.
  @Test(arguments: [1, 5, 128, 1000, 60_000, 86_400_000])
  func inTime(step: Int) throws {
    var keys = try makeKeyspace(seed: step)
    var random = Seeded(step)
    var deadlines: [Int: Int] = [:]
    for number in 0..<2000 {
      let deadline = startTime + random.below(step * 300)
      try keys.set(key(number).span, value: [1].span, deadline: .at(deadline))
      deadlines[number] = deadline
      // Some move later, some earlier, some lose theirs.
      if number % 4 == 1, let found = keys.find(key(number).span, .write) {
        let moved = startTime + random.below(step * 300)
        try keys.setExpiry(found, moved)
        deadlines[number] = moved
      } else if number % 16 == 2, let found = keys.find(key(number).span, .write) {
        try keys.setExpiry(found, nil)
        deadlines[number] = nil
      }
    }
    let forever = 2000 - deadlines.count
    while keys.now < startTime + step * 300 + 256 {
      keys.now += step
      keys.expireAll(limit: 64)
      let due = deadlines.values.filter { $0 + 128 < keys.now }.count
      let early = deadlines.values.filter { $0 < keys.now }.count
      let gone = 2000 - keys.count(database: 0)
      #expect(gone >= due && gone <= early)
      keys.effects.consume()
    }
    #expect(keys.count(database: 0) == forever)
    #expect(keys.expiringCount(database: 0) == 0)
    keys.checkInvariants()
  }

  /// A deadline that passed is met by the first look, without the wheel.
  @Test func lazily() throws {
    var keys = try makeKeyspace()
    try keys.set(key(1).span, value: [1].span, deadline: .at(startTime + 10))
    keys.now += 10
    #expect(keys.find(key(1).span) != nil)
    keys.now += 1
    #expect(keys.find(key(1).span) == nil)
    #expect(keys.count(database: 0) == 0)
    keys.effects.endGroup()
    #expect(commands(bytes(keys.effects.bytes.span)) == [["SELECT", "0"], ["DEL", "key:1"]])
  }

  /// During a pause what is due is not there for readers, and yet it stays.
  @Test func keptDuringAPause() throws {
    var keys = try makeKeyspace()
    for number in 1...2 {
      try keys.set(key(number).span, value: [1].span, deadline: .at(startTime + 10))
    }
    keys.now += 11
    keys.keepsDueKeys = true
    #expect(keys.find(key(1).span) == nil && keys.find(key(2).span) == nil)
    #expect(keys.count(database: 0) == 2 && keys.statistics.expiredKeys == 0)
    keys.keepsDueKeys = false
    try keys.set(key(2).span, value: [2].span)
    #expect(keys.count(database: 0) == 2 && keys.statistics.expiredKeys == 1)
    #expect(keys.find(key(1).span) == nil && keys.count(database: 0) == 1)
    keys.checkInvariants()
  }

  /// Sessions that are prolonged with every request keep one record each.
  @Test func prolonging() throws {
    var keys = try makeKeyspace()
    for _ in 0..<200 {
      keys.now += 700
      for number in 0..<20 {
        try keys.set(key(number).span, value: [1].span, deadline: .at(keys.now + 100_000))
      }
      keys.expireAll()
    }
    #expect(keys.recordCount(0) == 20)
    keys.checkInvariants()
  }

  enum Churn: CaseIterable, Sendable {
    case deleted, persisted, shortened, alternating, overwritten
  }

  /// Deadlines of years that are taken back at once leave records behind. They stay bounded.
  @Test(arguments: Churn.allCases, [false, true])
  func staleRecordsAreBounded(churn: Churn, isExpiring: Bool) throws {
    var keys = try makeKeyspace()
    let live = 300
    for number in 0..<live {
      try keys.set(key(number).span, value: [1].span, deadline: .at(startTime + 500_000_000))
    }
    let year = 31_536_000_000
    var largest = 0
    for round in 0..<6000 {
      let name = key(live + round % 7)
      let far = Deadline.at(keys.now + year - round)
      try keys.set(name.span, value: [1].span, deadline: far)
      switch churn {
      case .deleted: _ = keys.remove(name.span)
      case .persisted:
        if let found = keys.find(name.span, .write) { try keys.setExpiry(found, nil) }
      case .shortened: break
      case .alternating:
        let length = [1, 2, 3][round % 3] * year - round
        try keys.set(name.span, value: [1].span, deadline: .at(keys.now + length))
      case .overwritten: try keys.set(name.span, value: [1].span)
      }
      largest = max(largest, keys.recordCount(0))
      if isExpiring && round % 50 == 0 {
        keys.now += 1000
        keys.expireAll()
        keys.effects.consume()
      }
      if round % 1000 == 0 { keys.checkInvariants() }
    }
    #expect(largest <= 2 * (2 * (live + 7) + 1024))
    keys.checkInvariants()
    // None of the others was lost on the way.
    keys.now = startTime + 500_000_000 + 129
    keys.expireAll()
    for number in 0..<live {
      let found = keys.find(key(number).span, .peek)
      #expect(found == nil)
    }
    #expect(keys.count(database: 0) <= 7)
    keys.checkInvariants()
  }

  /// The clock is put back by a day: keys with short deadlines go in time all the same.
  @Test func clockPutBack() throws {
    var keys = try makeKeyspace()
    try keys.set(key(0).span, value: [1].span, deadline: .at(startTime + 100 * 86_400_000))
    keys.now += 1000
    keys.expireAll()
    keys.now -= 86_400_000
    keys.expireAll()
    for number in 1..<100 {
      try keys.set(key(number).span, value: [1].span, deadline: .at(keys.now + number))
    }
    keys.now += 300
    keys.expireAll()
    #expect(keys.count(database: 0) == 1)
    keys.checkInvariants()
  }

  /// As many keys as one likes in one second are removed in slices, and their memory comes back.
  @Test(arguments: [(20_000, 1000), (10_000, 100)])
  func sameSecond(count: Int, limit: Int) throws {
    var keys = try makeKeyspace(databases: 1)
    let before = keys.usedBytes
    let deadline = startTime + 3_600_000
    for number in 0..<count {
      try keys.set(
        key(number).span, value: [1, 2, 3].span, deadline: .at(deadline + number % 1000))
    }
    keys.now = deadline + 1000 + 128
    var isBehind = true
    var slices = 0
    while isBehind {
      let left = keys.count(database: 0)
      isBehind = keys.expireSome(limit: limit)
      slices += 1
      let removed = left - keys.count(database: 0)
      #expect(removed <= limit)
      keys.effects.consume()
    }
    // Once down the levels, once out: no record is dealt with more than a few times.
    #expect(slices <= 4 * count / limit + 1000)
    #expect(keys.count(database: 0) == 0)
    #expect(keys.statistics.expiredKeys == count)
    keys.freeAllGarbage()
    let left = keys.usedBytes - before
    #expect(left <= 24)
    keys.checkInvariants()
  }

  @Test func notActively() throws {
    var keys = try makeKeyspace()
    keys.expiresActively = false
    try keys.set(key(1).span, value: [1].span, deadline: .at(startTime + 10))
    keys.now += 10_000
    keys.expireAll()
    #expect(keys.count(database: 0) == 1)
    keys.expiresActively = true
    keys.expireAll()
    #expect(keys.count(database: 0) == 0)
  }
}
