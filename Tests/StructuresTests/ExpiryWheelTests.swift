// The expiry wheel against a plain list of deadlines.

import Bytes
import Memory
import Testing

@testable import Structures

private let day = 86_400_000
private let year = 365 * day

@Suite struct ExpiryWheelTests {
  /// A wheel and the deadlines that were filed in it, by hash. `step` plays the keyspace's part:
  /// what is taken too early is filed again.
  struct Harness: ~Copyable {
    var arena: Arena
    let wheel: ExpiryWheel
    var now: Int
    var waiting: [UInt64: Int] = [:]
    /// When they were filed; a deadline may have passed before.
    var filed: [UInt64: Int] = [:]

    init(now: Int, guarded: Bool = false) throws {
      let arena = try makeArena(guarded: guarded)
      try self.init(arena, now)
    }

    private init(_ arena: consuming Arena, _ now: Int) throws {
      wheel = try ExpiryWheel.create(&arena, now: now)
      self.arena = arena
      self.now = now
    }

    mutating func file(_ hash: UInt64, _ deadline: Int) throws {
      try wheel.file(&arena, hash, deadline: deadline)
      // What the record remembers of the hash.
      waiting[ExpiryWheel.Record.partial(hash)] = deadline
      filed[ExpiryWheel.Record.partial(hash)] = now
    }

    /// Moves to `time` and takes all that is due by slices of `limit`.
    mutating func step(to time: Int, limit: Int) throws {
      now = time
      var records = GrowableArray<ExpiryWheel.Record>()
      var isBehind = true
      while isBehind {
        isBehind = wheel.takeDue(&arena, now: now, limit: limit, into: &records)
        #expect(records.count <= limit)
        for index in 0..<records.count {
          let hash = records[index].partialHash
          guard let deadline = waiting[hash] else { continue }
          if now > deadline {
            waiting[hash] = nil
          } else {
            try wheel.file(&arena, hash, deadline: deadline)
          }
        }
        records.removeAll(keepingCapacity: true)
      }
    }

    /// The sum of all records' levels.
    func height() -> Int {
      var sum = 0
      wheel.forEachRecord(arena.reader) { _, _, level in sum += level }
      return sum
    }

    /// Nothing is left that has been due, since it was filed, for longer than a tick.
    func checkLateness() {
      let late = waiting.filter { max($0.value, filed[$0.key] ?? 0) + 128 < now }.count
      #expect(late == 0, "\(late) deadlines were missed at \(now)")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8], [false, true])
  func everythingComesInTime(seed: Int, guarded: Bool) throws {
    var random = Seeded(seed)
    // Starts at, just before and just after the borders of slots, and anywhere.
    let base = 1_700_000_000_000
    let aligned = (base >> 31) << 31
    let start = [base, aligned, aligned - 1, aligned + 1, aligned - 128, 0, base + 77, 5][seed - 1]
    var harness = try Harness(now: start, guarded: guarded)
    let steps = [1, 50, 127, 128, 129, 1000, 32_768, 40_000, 3_600_000, day, 9 * day, year]
    for round in 0..<(guarded ? 300 : 800) {
      if guarded && round % 7 == 0 { try harness.arena.flip() }
      for _ in 0..<random.below(20) {
        let reach = [0, 1, 127, 1000, 33_000, 100_000, day, 100 * day, 3 * year, 50 * year]
        let ahead = random.below(reach[random.below(reach.count)] + 1)
        try harness.file(random.next(), harness.now + ahead - random.below(300))
      }
      let limit = [1, 7, 100, 10_000][random.below(4)]
      let step = steps[random.below(steps.count)]
      try harness.step(to: harness.now + random.below(step + 1), limit: limit)
      harness.checkLateness()
      if round % 20 == 0 { harness.wheel.checkInvariants(harness.arena.reader) }
    }
    harness.wheel.checkInvariants(harness.arena.reader)
    let filed = harness.wheel.recordCount(harness.arena.reader)
    #expect(filed == harness.waiting.count)
  }

  /// Deadlines beyond the last level's reach are filed again when their slot comes round, and are
  /// met to the tick after all.
  @Test func fiftyYears() throws {
    var random = Seeded(3)
    var harness = try Harness(now: 1_700_000_000_000)
    for number in 0..<200 {
      try harness.file(random.next(), harness.now + number * 50 * year / 200)
    }
    while !harness.waiting.isEmpty {
      // To the next deadline, when nothing is due yet, then just behind it.
      let next = harness.waiting.values.min() ?? 0
      let before = harness.waiting.count
      try harness.step(to: max(harness.now, next), limit: 1 << 20)
      #expect(harness.waiting.count == before, "a key was taken early")
      try harness.step(to: max(harness.now, next) + 129, limit: 1 << 20)
      harness.checkLateness()
      let left = harness.waiting.count
      #expect(left < before)
      if left >= before { return }
    }
    #expect(harness.wheel.recordCount(harness.arena.reader) == 0)
  }

  /// A slot of a high level may hold a million records; coming down, they are dealt with in slices
  /// as well. Every move takes a record down one level at least, three at most.
  @Test func crowdedSlotsComeDownInSlices() throws {
    var random = Seeded(5)
    let start = 1_700_000_000_000
    var harness = try Harness(now: start)
    for _ in 0..<5000 { try harness.file(random.next(), start + 10 * day + random.below(1000)) }
    var records = GrowableArray<ExpiryWheel.Record>()
    var largestMove = 0
    var height = harness.height()
    #expect(height >= 10_000)
    var now = start
    while now < start + 11 * day {
      now += 28_800_000
      var isBehind = true
      while isBehind {
        records.removeAll(keepingCapacity: true)
        isBehind = harness.wheel.takeDue(&harness.arena, now: now, limit: 250, into: &records)
        #expect(records.count <= 250)
        let left = harness.height()
        largestMove = max(largestMove, height - left)
        height = left
      }
    }
    #expect(harness.wheel.recordCount(harness.arena.reader) == 0)
    #expect(largestMove > 0 && largestMove <= 3 * 250)
  }

  @Test func freeingPieceByPiece() throws {
    var random = Seeded(6)
    var harness = try Harness(now: 1_700_000_000_000)
    for _ in 0..<30_000 {
      try harness.file(random.next(), harness.now + random.below(random.below(year) + 1))
    }
    var calls = 0
    while !harness.wheel.free(&harness.arena, limit: 50) { calls += 1 }
    #expect(calls > 5)
    #expect(harness.arena.usage.allocatedBytes == 0)
  }
}
