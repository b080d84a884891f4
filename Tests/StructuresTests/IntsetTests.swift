// Intsets: Redis' own bytes, random edits across both upgrades against a sorted array, and foreign
// bytes with every byte mutated.

import Bytes
import Memory
import Structures
import Testing

@Suite struct IntsetTests {
  private func make(_ arena: inout Arena, _ values: [Int]) throws -> Ref<Entry> {
    let key: [UInt8] = [9]
    var ref = try arena.makeEntry(key: key.span, value: Intset.empty.span)
    for value in values { _ = try arena.insert(value, intoIntset: &ref) }
    return ref
  }

  private func isSound(_ bytes: [UInt8]) -> Bool { Intset.isValid(bytes.span) }

  /// What Redis 7.0.15 makes of these sets (SADD, then DUMP without compression).
  @Test(arguments: [
    ([1, 2, 3], "0200000003000000010002000300"),
    ([-5, 40_000], "0400000002000000fbffffff409c0000"),
    (
      [5_000_000_000, -1, 7],
      "0800000003000000ffffffffffffffff070000000000000000f2052a01000000"
    ),
    ([-40_000, 3], "0400000002000000c063ffff03000000"),
    ([3, -40_000], "0400000002000000c063ffff03000000"),
  ])
  func bytesAreRedisBytes(values: [Int], hex: String) throws {
    var arena = try makeArena()
    let ref = try make(&arena, values)
    let value = bytes(arena.reader.entry(ref).value)
    #expect(ListpackTests.hex(value) == hex)
    #expect(isSound(value))
    arena.freeEntry(ref)
  }

  static let borders = [
    0, 1, -1, 32_767, -32_768, 32_768, -32_769, 1 << 31, (1 << 31) - 1, -(1 << 31), -(1 << 31) - 1,
    .max, .min,
  ]

  @Test(arguments: 1...6, [false, true])
  func randomEdits(seed: Int, guarded: Bool) throws {
    var random = Seeded(seed)
    var arena = try makeArena(guarded: guarded)
    var ref = try make(&arena, [])
    var model: [Int] = []
    for step in 0..<700 {
      if guarded && step % 5 == 0 { try arena.flip() }
      // Small values first, so that sets of every width grow before the next upgrade.
      let reach = step < 200 ? 15 : step < 400 ? 30 : 62
      var value = random.below(1 << random.below(reach)) * (random.below(2) == 0 ? 1 : -1)
      if step > 300 && random.below(20) == 0 { value = Self.borders[random.below(13)] }
      let isThere = model.contains(value)
      if random.below(3) > 0 {
        let isNew = try arena.insert(value, intoIntset: &ref)
        #expect(isNew == !isThere)
        if isNew { model.append(value) }
      } else {
        if random.below(2) == 0, let some = model.randomElement(using: &random) { value = some }
        let wasThere = arena.remove(value, fromIntset: &ref)
        #expect(wasThere == model.contains(value))
        model.removeAll { $0 == value }
      }
      model.sort()
      check(arena, ref, model, value, step)
    }
    arena.freeEntry(ref)
    #expect(arena.usage.allocatedBytes == 0)
  }

  private func check(
    _ arena: borrowing Arena, _ ref: Ref<Entry>, _ model: [Int], _ value: Int, _ step: Int
  ) {
    let set = arena.reader.intset(ref)
    #expect(set.count == model.count, "step \(step)")
    let isValid = Intset.isValid(set.bytes)
    #expect(isValid == !model.isEmpty, "step \(step)")
    var held: [Int] = []
    for index in 0..<set.count { held.append(set[index]) }
    #expect(held == model, "step \(step)")
    let (isFound, index) = set.search(value)
    #expect(isFound == model.contains(value))
    #expect(index == model.count { $0 < value })
    for border in Self.borders {
      let isThere = set.contains(border)
      #expect(isThere == model.contains(border))
    }
  }

  @Test func hostileBytesAreRefused() throws {
    var arena = try makeArena()
    let ref = try make(&arena, [-40_000, 3, 9, 1_000_000])
    let sound = bytes(arena.reader.entry(ref).value)
    arena.freeEntry(ref)
    for cut in 0..<sound.count { #expect(!isSound(Array(sound[..<cut]))) }
    #expect(!isSound(sound + [0]) && !isSound([2, 0, 0, 0, 0, 0, 0, 0]))
    for index in 0..<8 {
      for byte in UInt8.min...UInt8.max where byte != sound[index] {
        var bad = sound
        bad[index] = byte
        #expect(!isSound(bad), "byte \(index) = \(byte)")
      }
    }
    var twice = sound
    twice.replaceSubrange(12..<16, with: sound[8..<12])
    #expect(!isSound(twice))
  }
}
