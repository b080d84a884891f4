// What the tests of this target share: seeded randomness, keys of chosen lengths, small arenas.

import Bytes
import Memory
import Structures

/// SplitMix64: a seed gives the same numbers on every machine.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) &* 0x2545_F491_4F6C_DD1D &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
}

func makeArena(guarded: Bool = false) throws -> Arena {
  try Arena(provider: VolatilePages(reachBytes: 1 << 34, isGuarded: guarded))
}

/// Key number `number` of `length` bytes; different numbers give different keys while the length
/// has room for them.
func key(_ number: Int, length: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0x61, count: length)
  for index in 0..<min(8, length) {
    bytes[length - 1 - index] = UInt8(truncatingIfNeeded: number >> (8 * index))
  }
  return bytes
}

func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(span.count)
  for index in span.indices { result.append(span[index]) }
  return result
}

/// The lengths that a test's keys have.
struct KeyLengths: CustomStringConvertible, Sendable {
  var lengths: [Int]
  var description: String { "key lengths \(lengths)" }

  static let mixed = KeyLengths(lengths: [0, 1, 7, 8, 9, 16, 255, 256])
  static let all = [
    KeyLengths(lengths: [1]), KeyLengths(lengths: [7]), KeyLengths(lengths: [8]),
    KeyLengths(lengths: [9]), KeyLengths(lengths: [16]), KeyLengths(lengths: [255, 256]), mixed,
  ]

  func key(_ number: Int) -> [UInt8] {
    let length = lengths[number % lengths.count]
    return StructuresTests.key(number / lengths.count, length: length)
  }
}
