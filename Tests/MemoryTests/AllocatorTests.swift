import Testing

@testable import Memory

struct AllocatorTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func randomWorkAgreesWithTheModel(seed: UInt64) throws {
    var model = try ModelArena(seed: seed)
    for step in 0..<20_000 {
      // Grow, shrink, grow: targets of 2000, 0 and 2000 entries.
      let isIntact = try model.step(target: step / 5000 % 2 == 0 ? 2000 : 20)
      #expect(isIntact, "seed \(seed), step \(step)")
      let isExact = model.isAccountExact
      #expect(isExact, "seed \(seed), step \(step)")
      if step % 1000 == 0 { model.arena.checkInvariants() }
      if step % 3000 == 0 { model.arena.trim(keeping: 1 << 20, limit: 3) }
      if step % 700 == 0 { try model.arena.flip() }
    }
    let isEverythingThere = model.holdsEverything()
    #expect(isEverythingThere, "seed \(seed)")
    while !model.entries.isEmpty {
      let isIntact = model.freeOne()
      #expect(isIntact, "seed \(seed), the end")
    }
    model.arena.checkInvariants()
    let usage = model.arena.usage
    #expect(usage.allocatedBytes == 0 && usage.allocations == 0, "seed \(seed)")
  }

  /// Guard mode proves that the allocator and the tests' own writes pass the barrier: every write
  /// that does not would crash.
  @Test(arguments: [11, 12] as [UInt64])
  func randomWorkSurvivesGuardMode(seed: UInt64) throws {
    var model = try ModelArena(seed: seed, isGuarded: true)
    for step in 0..<4000 {
      if step % 40 == 0 { try model.arena.flip() }
      let isIntact = try model.step(target: 400)
      #expect(isIntact, "seed \(seed), step \(step)")
      if step % 500 == 0 { model.arena.checkInvariants() }
      if step % 900 == 0 { model.arena.trim(keeping: 0) }
    }
    let isEverythingThere = model.holdsEverything()
    #expect(isEverythingThere, "seed \(seed)")
  }

  /// Descriptors, slabs and runs that were handed out once come back in full.
  @Test(arguments: [21, 22] as [UInt64])
  func oneSizeFillsSlabsCompletely(seed: UInt64) throws {
    var model = try ModelArena(seed: seed)
    for index in stride(from: 0, to: SizeClass.count, by: 3) {
      let bytes = SizeClass.objectBytes(index: index)
      let capacity = Int(SizeClass(index: index).capacity)
      for _ in 0..<(2 * capacity + 1) { try model.allocate(bytes) }
      model.arena.checkInvariants()
      let isEverythingThere = model.holdsEverything()
      #expect(isEverythingThere, "class \(index)")
      while !model.entries.isEmpty { _ = model.freeOne() }
      model.arena.checkInvariants()
    }
  }

  @Test func everySizeGetsItsSmallestClass() throws {
    var arena = try Arena(provider: VolatilePages())
    var failures: [Int] = []
    for bytes in 1...40_000 {
      let rounded = arena.roundedBytes(bytes)
      var isRight = rounded >= bytes
      if bytes > SizeClass.largestBytes {
        isRight = isRight && rounded % 4096 == 0 && rounded - bytes < 4096
      } else {
        let index = SizeClass.index(bytes: bytes)
        let size = SizeClass.objectBytes(index: index)
        isRight = isRight && index < SizeClass.count && size == rounded
        isRight = isRight && (index == 0 || SizeClass.objectBytes(index: index - 1) < bytes)
        if bytes > 128 { isRight = isRight && Double(rounded - bytes) <= 0.125 * Double(bytes) }
        if bytes >= 16 && bytes <= 128 { isRight = isRight && rounded - bytes < 8 }
      }
      let ref: Ref<Untyped> = try arena.allocate(bytes)
      isRight = isRight && arena.allocatedBytes(ref) == rounded && ref.offset % 8 == 0
      isRight = isRight && arena.usage.allocatedBytes == rounded
      arena.free(ref)
      if !isRight { failures.append(bytes) }
    }
    #expect(failures.isEmpty)
    arena.checkInvariants()
  }

  @Test func slabsWasteLittleAndReciprocalsAreExact() {
    for index in 0..<SizeClass.count {
      let sizeClass = SizeClass(index: index)
      let size = Int(sizeClass.objectBytes)
      let slab = Int(sizeClass.slabPages) * Arena.pageBytes
      #expect(sizeClass.capacity >= 1 && Int(sizeClass.capacity) * size <= slab)
      let waste = Double(slab - Int(sizeClass.capacity) * size) / Double(slab)
      #expect(waste <= 0.035, "class \(index) of \(size) bytes")
      let isExact = (0..<slab).allSatisfy { sizeClass.object(at: $0) == $0 / size }
      #expect(isExact, "class \(index)")
    }
    #expect(MemoryLayout<PageDescriptor>.size == 16)
  }

  @Test func binsAreInOrder() {
    var last = 0
    for pages in 1..<Arena.zonePages {
      let bin = Arena.bin(pages: pages)
      guard bin == last || bin == last + 1 else {
        Issue.record("bin \(bin) for \(pages) pages")
        return
      }
      last = bin
    }
    #expect(last == Arena.binCount - 1)
  }

  /// Large runs are sparse: nothing here is touched but what is written.
  @Test func runsNeverCrossAZone() throws {
    var arena = try Arena(provider: VolatilePages(isGuarded: true))
    var refs: [Ref<Untyped>] = []
    for megabytes in [400, 500, 300, 700, 100, 1000, 23, 200, 64] {
      let bytes = megabytes << 20
      let ref: Ref<Untyped> = try arena.allocate(bytes)
      #expect(ref.offset >> 30 == (ref.offset + bytes - 1) >> 30)
      arena.fill(ref, count: 1, with: 1)
      arena.fill(ref, at: bytes - 1, count: 1, with: 2)
      refs.append(ref)
      arena.checkInvariants()
    }
    try arena.flip()
    for ref in refs {
      arena.free(ref)
      arena.checkInvariants()
    }
    let largest: Ref<Untyped> = try arena.allocate(Arena.largestAllocationBytes)
    #expect(arena.allocatedBytes(largest) == Arena.largestAllocationBytes)
    arena.checkInvariants()
  }

  @Test func tooLargeAnAllocationIsRefused() throws {
    var arena = try Arena(provider: VolatilePages())
    #expect(throws: ArenaFull.self) {
      let _: Ref<Untyped> = try arena.allocate(Arena.largestAllocationBytes + 1)
    }
    #expect(arena.usage.allocations == 0)
    arena.checkInvariants()
  }

  @Test(arguments: [31, 32] as [UInt64])
  func aFullArenaStaysWhole(seed: UInt64) throws {
    var arena = try Arena(provider: VolatilePages(reachBytes: 16 << 20))
    var random = SeededRandom(seed: seed)
    var refs: [Ref<Untyped>] = []
    for _ in 0..<5 {
      var refusals = 0
      while refusals < 50 {
        do {
          refs.append(try arena.allocate(Int.random(in: 1...200_000, using: &random)))
        } catch {
          refusals += 1
        }
      }
      arena.checkInvariants()
      refs.shuffle(using: &random)
      for ref in refs.suffix(refs.count / 2) { arena.free(ref) }
      refs.removeLast(refs.count / 2)
      arena.checkInvariants()
    }
    #expect(!refs.isEmpty, "seed \(seed)")
  }

  @Test func trimGivesMemoryBack() throws {
    let pages = try VolatilePages(prefersHugePages: false)
    var arena = try Arena(provider: pages)
    let before = pages.blockBytes
    var refs: [Ref<Untyped>] = []
    for _ in 0..<20_000 {
      let ref: Ref<Untyped> = try arena.allocate(1000)
      arena.fill(ref, count: 1000, with: 1)
      refs.append(ref)
    }
    #expect(pages.blockBytes >= before + 20_000_000)
    // Dense slabs: committed memory is what the kernel counts.
    #expect(arena.usage.committedBytes == pages.blockBytes)
    for ref in refs { arena.free(ref) }
    let committed = arena.usage.committedBytes
    var released = 0
    while case let bytes = arena.trim(keeping: 4 << 20), bytes > 0 { released += bytes }
    arena.checkInvariants()
    let usage = arena.usage
    #expect(usage.residentFreeBytes <= 4 << 20)
    #expect(usage.committedBytes == committed - released)
    #expect(pages.blockBytes <= before + 5 << 20)
    // What was given back serves again, and no new pages are used.
    let used = arena.usedPages
    for _ in 0..<15_000 {
      let ref: Ref<Untyped> = try arena.allocate(1000)
      arena.fill(ref, count: 1000, with: 2)
    }
    #expect(arena.usedPages == used)
    arena.checkInvariants()
  }

  @Test func rootsAndSecretsKeepTheirValues() throws {
    var arena = try Arena(provider: VolatilePages(isGuarded: true))
    for index in 0..<Arena.rootCount { arena.setRoot(index, UInt64(index) &* 0x9E37_79B9) }
    arena.hashSecrets = [1, 2, 3, 4]
    try arena.flip()
    let _: Ref<Untyped> = try arena.allocate(100)
    for index in 0..<Arena.rootCount {
      #expect(arena.root(index) == UInt64(index) &* 0x9E37_79B9)
    }
    #expect(arena.hashSecrets[3] == 4)
    arena.checkInvariants()
  }

  @Test func flipHandsOutThePagesWritten() throws {
    var arena = try Arena(provider: VolatilePages())
    let ref: Ref<Untyped> = try arena.allocate(10 * 4096)
    try arena.flip()
    arena.fill(ref, at: 4096 + 4000, count: 200, with: 1)
    let written = try arena.flip()
    let first = ref.offset >> 12
    var pages: [Int] = []
    written.forEach(below: arena.usedPages) { pages.append($0) }
    #expect(pages == [first + 1, first + 2])
    let nothing = try arena.flip()
    nothing.forEach(below: arena.usedPages) { Issue.record("page \($0) was not written") }
  }
}
