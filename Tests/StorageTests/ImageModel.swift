// ImageModel: an arena over an image, beside a plain list of what should be in it; and the same
// list as it was at each flip, for whoever opens the image again.

import Bytes
import Glibc
import Memory
import Simulation
import Testing

@testable import Storage

/// A value's place, size and fill.
struct ImageEntry: Sendable, Equatable {
  var ref: Ref<Untyped>
  var count: Int
  var value: UInt8
}

extension Arena {
  mutating func fill(_ entry: ImageEntry) {
    // SAFETY: the tests stay inside what they allocated.
    unsafe memset(write(entry.ref, count: entry.count), Int32(entry.value), entry.count)
  }

  func holds(_ entry: ImageEntry) -> Bool {
    // SAFETY: as in `fill`.
    unsafe isFilled(reader.pointer(entry.ref), entry.count, entry.value)
  }
}

extension FrozenView {
  func holds(_ entry: ImageEntry) -> Bool {
    // SAFETY: as in `fill`.
    unsafe isFilled(reader.pointer(entry.ref), entry.count, entry.value)
  }
}

private func isFilled(_ start: UnsafeRawPointer, _ count: Int, _ value: UInt8) -> Bool {
  guard count > 0 else { return true }
  guard unsafe start.load(as: UInt8.self) == value else { return false }
  return unsafe memcmp(start, start + 1, count - 1) == 0
}

/// Options that suit tests: small, without a thread.
func imageOptions(isGuarded: Bool = false, hasThread: Bool = false) -> ImageOptions {
  var options = ImageOptions()
  options.reachBytes = 256 << 20
  options.pieceBytes = 8 << 20
  options.isGuarded = isGuarded
  options.hasThread = hasThread
  return options
}

struct ImageModel: ~Copyable {
  var arena: Arena
  let pages: ImagePages
  var entries: [ImageEntry] = []
  var random: SeededRandom
  /// What the image has once the checkpoint under way has ended, and what it has now.
  var flipped: [ImageEntry]?
  var lsn: UInt64 = 0

  init(_ medium: any Medium, seed: UInt64, _ options: ImageOptions = imageOptions()) throws {
    let pages = try ImagePages(medium, options)
    let arena = pages.isNew ? try Arena(provider: pages) : try Arena.open(pages)
    self.pages = pages
    self.arena = arena
    random = SeededRandom(seed: seed)
  }

  mutating func randomCount() -> Int {
    switch random.below(100) {
    case 0..<70: 1 + random.below(256)
    case 70..<92: 257 + random.below(4096)
    case 92..<99: 4097 + random.below(40000)
    default: 40001 + random.below(300_000)
    }
  }

  /// One random operation; what it meets must be intact.
  mutating func step(target: Int) throws -> Bool {
    let isGrowing = random.below(2 * target) >= entries.count
    if random.below(10) < 4, let index = entries.indices.randomElement(using: &random) {
      let isIntact = arena.holds(entries[index])
      entries[index].value = UInt8(random.below(256))
      arena.fill(entries[index])
      return isIntact
    }
    if isGrowing {
      let count = randomCount()
      let entry = ImageEntry(
        ref: try arena.allocate(count), count: count, value: UInt8(random.below(256)))
      arena.fill(entry)
      entries.append(entry)
      return true
    }
    guard let index = entries.indices.randomElement(using: &random) else { return true }
    let entry = entries[index]
    entries.swapAt(index, entries.count - 1)
    entries.removeLast()
    let isIntact = arena.holds(entry)
    arena.free(entry.ref)
    return isIntact
  }

  mutating func begin() throws {
    lsn += 1
    arena.setRoot(0, lsn)
    if try pages.beginCheckpoint(&arena, lsn: lsn) { flipped = entries }
  }

  func holdsEverything() -> Bool { entries.allSatisfy { arena.holds($0) } }
}

/// What is wrong with an image that should hold `entries`; nil if nothing is.
func problem(
  _ medium: any Medium, _ entries: [ImageEntry], lsn: UInt64? = nil
) throws -> String? {
  let pages = try ImagePages(medium, imageOptions())
  if pages.isNew { return entries.isEmpty ? nil : "the image is new" }
  if let lsn, pages.lsn != lsn { return "LSN \(pages.lsn) rather than \(lsn)" }
  let arena = try Arena.open(pages)
  arena.checkInvariants()
  if arena.root(0) != pages.lsn { return "root \(arena.root(0)) at LSN \(pages.lsn)" }
  for entry in entries where !arena.holds(entry) { return "\(entry) is not there" }
  if arena.usage.allocations != entries.count {
    return "\(arena.usage.allocations) allocations, not \(entries.count)"
  }
  pages.beginScrub()
  while pages.stepScrub() {}
  let progress = pages.scrubProgress
  return progress.damagedCount == 0 ? nil : "damaged pages: \(progress.damagedPages)"
}
