// KeyspaceModel: dictionaries that a keyspace should be equal to, and helpers to drive both.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

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

let startTime = 1_700_000_000_000

func makeKeyspace(
  seed: Int = 1, guarded: Bool = false, databases: Int = 4
) throws -> Keyspace {
  let arena = try Arena(provider: VolatilePages(reachBytes: 1 << 35, isGuarded: guarded))
  var random = Seeded(seed)
  let hash = KeyedHash(random.next(), random.next(), random.next(), random.next())
  var keyspace = try Keyspace(
    arena: arena, databaseCount: databases, hash: hash, seed: random.next())
  keyspace.now = startTime
  return keyspace
}

func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(span.count)
  for index in span.indices { result.append(span[index]) }
  return result
}

extension Keyspace {
  /// What the selected database holds at `key`, without leaving a trace.
  mutating func content(_ key: [UInt8]) -> (value: [UInt8], expiry: Int?)? {
    guard let found = find(key.span, .peek) else { return nil }
    return (bytes(value(found)), facts(found).expiry)
  }

  /// Frees everything that was flushed.
  mutating func freeAllGarbage() {
    while freeGarbage(limit: 100) {}
  }

  /// Removes all that is due.
  mutating func expireAll(limit: Int = 1000) {
    while expireSome(limit: limit) {}
  }

  /// Records in the wheels of a database.
  func recordCount(_ database: Int) -> Int {
    var count = 0
    for wheel in [databases[database].wheel, databases[database].oldWheel]
    where !wheel.root.isNull {
      count += wheel.recordCount(arena.reader)
    }
    return count
  }
}

/// What the effects of a keyspace are, parsed.
func commands(_ stream: [UInt8]) -> [[String]] {
  var result: [[String]] = []
  var position = 0
  func line() -> Int {
    // `*3` or `$5`, then CRLF.
    position += 1
    var number = 0
    while stream[position] != 13 {
      number = number * 10 + Int(stream[position] - 48)
      position += 1
    }
    position += 2
    return number
  }
  while position < stream.count {
    var words: [String] = []
    for _ in 0..<line() {
      let count = line()
      words.append(String(decoding: stream[position..<(position + count)], as: UTF8.self))
      position += count + 2
    }
    result.append(words)
  }
  return result
}
