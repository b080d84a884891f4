// ModelArena: an arena beside a plain list of what should be in it. Every allocation is filled with
// one value, so that overlapping ones betray each other.

import Glibc

@testable import Memory

struct ModelArena: ~Copyable {
  struct Entry: Sendable {
    var ref: Ref<Untyped>
    var count: Int
    var value: UInt8
  }

  var arena: Arena
  let pages: VolatilePages
  var entries: [Entry] = []
  /// What the live entries take, as `roundedBytes` says.
  var roundedBytes = 0
  var random: SeededRandom

  init(seed: UInt64, isGuarded: Bool = false) throws {
    let pages = try VolatilePages(isGuarded: isGuarded)
    let arena = try Arena(provider: pages)
    self.pages = pages
    self.arena = arena
    random = SeededRandom(seed: seed)
  }

  /// Mostly small, some of several pages, a few large runs.
  mutating func randomCount() -> Int {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<70: Int.random(in: 1...256, using: &random)
    case 70..<90: Int.random(in: 257...4096, using: &random)
    case 90..<98: Int.random(in: 4097...40000, using: &random)
    default: Int.random(in: 40001...1_000_000, using: &random)
    }
  }

  mutating func allocate(_ count: Int) throws {
    let value = UInt8.random(in: 0...255, using: &random)
    let ref: Ref<Untyped> = try arena.allocate(count)
    arena.fill(ref, count: count, with: value)
    entries.append(Entry(ref: ref, count: count, value: value))
    roundedBytes += arena.roundedBytes(count)
  }

  /// Frees a random entry.
  /// - Returns: whether it still held what it should.
  mutating func freeOne() -> Bool {
    guard let index = entries.indices.randomElement(using: &random) else { return true }
    let entry = entries[index]
    entries[index] = entries[entries.count - 1]
    entries.removeLast()
    let isIntact =
      holds(entry) && arena.allocatedBytes(entry.ref) == arena.roundedBytes(entry.count)
    arena.free(entry.ref)
    roundedBytes -= arena.roundedBytes(entry.count)
    return isIntact
  }

  /// Overwrites a part of a random entry, then all of it: both through the barrier.
  mutating func rewriteOne() -> Bool {
    guard let index = entries.indices.randomElement(using: &random) else { return true }
    let entry = entries[index]
    let isIntact = holds(entry)
    let start = Int.random(in: 0..<entry.count, using: &random)
    let value = UInt8.random(in: 0...255, using: &random)
    arena.fill(entry.ref, at: start, count: entry.count - start, with: value)
    let isTailWritten = arena.isFilled(
      entry.ref, at: start, count: entry.count - start, with: value)
    arena.fill(entry.ref, count: start, with: value)
    entries[index].value = value
    return isIntact && isTailWritten
  }

  /// One random operation; every entry that it meets must be intact.
  mutating func step(target: Int) throws -> Bool {
    let isGrowing = Int.random(in: 0..<(2 * target), using: &random) >= entries.count
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<3: return rewriteOne()
    case _ where isGrowing:
      try allocate(randomCount())
      return true
    default: return freeOne()
    }
  }

  func holds(_ entry: Entry) -> Bool {
    arena.isFilled(entry.ref, count: entry.count, with: entry.value)
  }

  func holdsEverything() -> Bool {
    entries.allSatisfy { arena.isFilled($0.ref, count: $0.count, with: $0.value) }
  }

  /// Whether the arena's figures are the model's.
  var isAccountExact: Bool {
    arena.usage.allocatedBytes == roundedBytes && arena.usage.allocations == entries.count
  }
}
