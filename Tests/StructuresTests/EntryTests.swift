// Entries of every shape: around the inline limit, at the borders of size classes, with and without
// deadline, with long keys, and their accounting.

import Bytes
import Memory
import Structures
import Testing

@Suite struct EntryTests {
  static let keyCounts = [0, 1, 7, 8, 9, 16, 254, 255, 256, 257, 70_000]
  static let valueCounts = [
    0, 1, 2, 7, 8, 9, 63, 64, 65, 200, 2039, 2040, 2041, 2047, 2048, 2049, 4096, 32_768, 32_769,
    3 << 20,
  ]

  private func pattern(_ count: Int, _ seed: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
  }

  /// Whether all parts of the entry are as given.
  private func holds(
    _ arena: borrowing Arena, _ ref: Ref<Entry>, _ key: [UInt8], _ value: [UInt8], _ expiry: Int?,
    access: UInt32 = 0
  ) -> Bool {
    let entry = arena.reader.entry(ref)
    let facts = arena.facts(ref)
    return bytes(entry.key) == key && bytes(entry.value) == value && entry.expiry == expiry
      && entry.hasKey(key.span) && entry.keyCount == key.count && entry.valueCount == value.count
      && entry.header.access == access && entry.header.type == .string
      && facts.expiry == expiry && facts.valueCount == value.count
      && facts.ownBytes == entry.layout.totalBytes
      && arena.roundedBytes(facts.ownBytes) == arena.allocatedBytes(ref)
  }

  @Test(arguments: keyCounts)
  func makingAndCopying(keyCount: Int) throws {
    var arena = try makeArena()
    let key = pattern(keyCount, 1)
    let other = pattern((keyCount + 100) % 300, 2)
    // Long values with one short key, the longest key with short values: comparing takes time.
    let longest = keyCount == 16 ? Int.max : keyCount > 1000 ? 9 : 5000
    for count in Self.valueCounts where count <= longest {
      let value = pattern(count, 3)
      for expiry in [nil, 0, Int.max] as [Int?] {
        let ref = try arena.makeEntry(
          key: key.span, value: value.span, expiry: expiry, access: 0xAB_CDEF)
        let isRight = holds(arena, ref, key, value, expiry, access: 0xAB_CDEF)
        #expect(isRight, "value of \(count)")
        #expect(arena.entryBytes(ref) == arena.usage.allocatedBytes)
        #expect(arena.facts(ref).blob.isNull == (count <= Entry.inlineLimit))
        let copy = try arena.copyEntry(ref, key: other.span, access: 5)
        let both = holds(arena, copy, other, value, expiry, access: 5)
        #expect(both, "copy of a value of \(count)")
        let wrongKey = arena.hasKey(copy, key.span)
        #expect(!wrongKey)
        arena.freeEntry(ref)
        let alone = holds(arena, copy, other, value, expiry, access: 5)
        #expect(alone)
        arena.freeEntry(copy)
        #expect(arena.usage.allocatedBytes == 0)
      }
    }
  }

  @Test(arguments: [0, 5, 255, 256])
  func reshaping(keyCount: Int) throws {
    var arena = try makeArena()
    let key = pattern(keyCount, 1)
    let limit = keyCount == 5 ? 40_000 : 5000
    for old in Self.valueCounts where old < limit {
      for new in Self.valueCounts where new < limit {
        for (before, after) in [(nil, nil), (nil, 7), (7, nil), (7, 9)] as [(Int?, Int?)] {
          var value = pattern(old, 3)
          let ref = try arena.makeEntry(key: key.span, value: value.span, expiry: before, access: 9)
          let moved = try arena.reshape(ref, expiry: after, valueCount: new, slack: new % 2 == 0)
          value = Array(value.prefix(new)) + [UInt8](repeating: 0, count: max(0, new - old))
          let isRight = holds(arena, moved, key, value, after, access: 9)
          #expect(isRight, "from \(old) to \(new)")
          arena.freeEntry(moved)
        }
      }
    }
    #expect(arena.usage.allocatedBytes == 0)
  }

  /// Values that grow and shrink by random steps, in place where that is possible, changed at
  /// random ranges meanwhile.
  @Test(arguments: 1...4, [false, true])
  func growingInPlace(seed: Int, guarded: Bool) throws {
    var random = Seeded(seed)
    var arena = try makeArena(guarded: guarded)
    let key = pattern([3, 16, 255, 300][seed - 1], 1)
    var value = pattern(10, 2)
    let expiry = seed % 2 == 0 ? 77 : nil
    var ref = try arena.makeEntry(key: key.span, value: value.span, expiry: expiry)
    var inPlace = 0
    for step in 0..<250 {
      if guarded && step % 3 == 0 { try arena.flip() }
      let reach = [1, 9, 9, 300, 300, 3000, 3000, 20_000][random.below(8)]
      let count = max(0, value.count + random.below(2 * reach + 1) - reach)
      if arena.resize(ref, valueCount: count) {
        inPlace += 1
      } else {
        ref = try arena.reshape(ref, expiry: expiry, valueCount: count, slack: true)
      }
      value = Array(value.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - value.count))
      if count > 0 {
        let start = random.below(count)
        let range = start..<min(count, start + random.below(100))
        var span = arena.mutableValue(ref, range)
        for index in span.indices {
          span[index] = UInt8(step & 255)
          value[range.lowerBound + index] = UInt8(step & 255)
        }
      }
      let isRight = holds(arena, ref, key, value, expiry)
      #expect(isRight, "step \(step)")
    }
    #expect(inPlace > 10)
    arena.freeEntry(ref)
    #expect(arena.usage.allocatedBytes == 0)
  }

  /// n appends cost O(n): the blob is moved a number of times that grows with the logarithm.
  @Test func appendingMovesSeldom() throws {
    var arena = try makeArena()
    var ref = try arena.makeEntry(key: [1].span, value: [1].span)
    var moves = 0
    for count in stride(from: 100, to: 3 << 20, by: 100) {
      if arena.resize(ref, valueCount: count) { continue }
      let blob = arena.facts(ref).blob
      ref = try arena.reshape(ref, expiry: nil, valueCount: count, slack: true)
      if arena.facts(ref).blob != blob { moves += 1 }
    }
    #expect(moves < 25)
    #expect(arena.usage.allocatedBytes <= 6 << 20)
    arena.freeEntry(ref)
    #expect(arena.usage.allocatedBytes == 0)
  }

  /// The hint of an access changes nothing but itself, and nothing at all on a clean page.
  @Test func accessHints() throws {
    var arena = try makeArena(guarded: true)
    let value = pattern(30, 1)
    let ref = try arena.makeEntry(key: [1, 2].span, value: value.span, expiry: 5)
    arena.setAccess(ref, 0x12_3456)
    let isSet = holds(arena, ref, [1, 2], value, 5, access: 0x12_3456)
    #expect(isSet)
    try arena.flip()
    arena.setAccess(ref, 0x65_4321)
    let isKept = holds(arena, ref, [1, 2], value, 5, access: 0x12_3456)
    #expect(isKept)
    arena.setExpiry(ref, 6)
    arena.setFlags(ref, [.expiry, .modified])
    let isWhole = holds(arena, ref, [1, 2], value, 6, access: 0x12_3456)
    #expect(isWhole)
    #expect(arena.facts(ref).header.flags == [.expiry, .modified])
  }
}
