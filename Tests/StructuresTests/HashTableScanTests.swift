// SCAN's guarantee: what is there from the first call to the last is returned, whatever happens to
// the table in between, and nothing that never was there.

import Bytes
import Memory
import Structures
import Testing

@Suite struct HashTableScanTests {
  private static func hash(_ seed: Int) -> KeyedHash {
    var random = Seeded(seed)
    return KeyedHash(random.next(), random.next(), random.next(), random.next())
  }

  /// What changes the table between two calls.
  enum Traffic: CaseIterable, Sendable { case none, growing, shrinking, tides }

  @Test(arguments: Traffic.allCases, 1...6)
  func guarantee(_ traffic: Traffic, seed: Int) throws {
    var random = Seeded(seed)
    var harness = try TableHarness(hash: Self.hash(seed))
    let stayers = Set((0..<(200 * seed)).map { key($0, length: 6) })
    for key in stayers { try harness.set(key, []) }
    var visitors = 1 << 20
    var here: [[UInt8]] = []
    if traffic == .shrinking || traffic == .tides {
      for _ in 0..<6000 {
        visitors += 1
        here.append(key(visitors, length: 6))
        try harness.set(key(visitors, length: 6), [])
      }
    }
    var met = Set<[UInt8]>()
    var entries = GrowableArray<Ref<Entry>>()
    var cursor: UInt64 = 0
    var calls = 0
    repeat {
      cursor = harness.table.scan(harness.arena.reader, cursor: cursor, into: &entries)
      for index in 0..<entries.count {
        let key = bytes(harness.arena.reader.entry(entries[index]).key)
        #expect(stayers.contains(key) || harness.model[key] != nil)
        met.insert(key)
      }
      entries.removeAll(keepingCapacity: true)
      calls += 1
      let isRising =
        switch traffic {
        case .none: false
        case .growing: calls < 1500
        case .shrinking: false
        case .tides: calls / 200 % 2 == 0 && calls < 20_000
        }
      if traffic != .none {
        for _ in 0..<random.below(40) {
          if isRising {
            visitors += 1
            here.append(key(visitors, length: 6))
            try harness.set(key(visitors, length: 6), [])
          } else if !here.isEmpty {
            let index = random.below(here.count)
            here.swapAt(index, here.count - 1)
            try harness.remove(here.removeLast())
          }
        }
      }
      guard calls < 200_000 else {
        Issue.record("the scan does not end")
        break
      }
    } while cursor != 0
    let missed = stayers.subtracting(met)
    #expect(missed.isEmpty)
    harness.check()
  }

  /// Without changes every entry comes exactly once, long probes included.
  @Test(arguments: [0, 1, 2])
  func exactlyOnce(kind: Int) throws {
    let hash = kind == 0 ? KeyedHash(0, 0, 0, 0) : Self.hash(kind)
    var harness = try TableHarness(hash: hash)
    let count = kind == 0 ? 640 : 20_000
    for number in 0..<count { try harness.set(key(number, length: kind == 0 ? 3 : 8), []) }
    var entries = GrowableArray<Ref<Entry>>()
    var cursor: UInt64 = 0
    repeat {
      cursor = harness.table.scan(harness.arena.reader, cursor: cursor, into: &entries)
    } while cursor != 0
    #expect(entries.count == count)
    var met = Set<[UInt8]>()
    for index in 0..<entries.count {
      met.insert(bytes(harness.arena.reader.entry(entries[index]).key))
    }
    #expect(met.count == count)
  }

  /// A client may send any number as cursor. The walk from there ends, and returns entries only.
  @Test func anyCursor() throws {
    var random = Seeded(11)
    var harness = try TableHarness(hash: Self.hash(11))
    for number in 0..<3000 { try harness.set(key(number, length: 4), []) }
    var cursors: [UInt64] = [.max, .max - 1, 1, 63, 64, 0xFFF, 0x1000, 1 << 63, 40 << 6, 41 << 6]
    for _ in 0..<300 { cursors.append(random.next() >> UInt64(random.below(64))) }
    for start in cursors {
      var entries = GrowableArray<Ref<Entry>>()
      var cursor = start
      var calls = 0
      repeat {
        cursor = harness.table.scan(harness.arena.reader, cursor: cursor, into: &entries)
        calls += 1
      } while cursor != 0 && calls < 5000
      #expect(cursor == 0, "start \(start)")
      #expect(entries.count <= 3000)
    }
    for number in 0..<3000 { try harness.remove(key(number, length: 4)) }
    var entries = GrowableArray<Ref<Entry>>()
    for start in cursors {
      let next = harness.table.scan(harness.arena.reader, cursor: start, into: &entries)
      #expect(next == 0 && entries.isEmpty)
    }
  }
}
