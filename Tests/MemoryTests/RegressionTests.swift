// Bugs that were there once; each test failed before its fix.

import Testing

@testable import Memory

struct RegressionTests {
  /// The touch that gives a view its own page was an idempotent atomic, which the optimiser
  /// deletes: views showed the owner's later writes in release builds.
  @Test func aViewKeepsAPageThatTheOwnerChanges() throws {
    let pages = try VolatilePages()
    var arena = try Arena(provider: pages)
    let ref: Ref<Untyped> = try arena.allocate(3000)
    arena.fill(ref, count: 3000, with: 1)
    let view = try arena.openView()
    arena.fill(ref, count: 3000, with: 2)
    let isFrozen = view.isFilled(ref, count: 3000, with: 1)
    #expect(isFrozen)
    arena.close(view)
  }

  /// Trim marked a run's pages, and so copied them into every open view, before it learned that
  /// releasing has to wait for the views.
  @Test func trimWithAViewOpenCopiesNothing() throws {
    let pages = try VolatilePages()
    var arena = try Arena(provider: pages)
    let ref: Ref<Untyped> = try arena.allocate(8 << 20)
    arena.fill(ref, count: 8 << 20, with: 1)
    arena.free(ref)
    let view = try arena.openView()
    let released = arena.trim(keeping: 0)
    #expect(released == 0)
    let copied = unsafe mappedBytes("Anonymous", at: view.base, count: view.usedBytes)
    #expect(copied == 0)
    arena.close(view)
    var total = 0
    while case let bytes = arena.trim(keeping: 0), bytes > 0 { total += bytes }
    #expect(total == 8 << 20)
  }

  /// A freed run's head kept its kind when the run joined the free run before it, so that a second
  /// free passed.
  @Test func aRunFreedTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      var arena = try Arena(provider: VolatilePages())
      let first: Ref<Untyped> = try arena.allocate(100_000)
      let second: Ref<Untyped> = try arena.allocate(100_000)
      arena.free(first)
      arena.free(second)
      arena.free(second)
    }
  }

  /// The free list took the object a second time and would have handed it out twice.
  @Test func anObjectFreedTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      var arena = try Arena(provider: VolatilePages())
      let refs: [Ref<Untyped>] = [
        try arena.allocate(40), try arena.allocate(40), try arena.allocate(40),
      ]
      arena.free(refs[0])
      arena.free(refs[1])
      arena.free(refs[0])
    }
  }

  @Test func aRefIntoAnObjectCannotBeFreed() async {
    await #expect(processExitsWith: .failure) {
      var arena = try Arena(provider: VolatilePages())
      let ref: Ref<Untyped> = try arena.allocate(40)
      arena.free(Ref<Untyped>(offset: ref.offset + 8))
    }
  }

  /// A hint of three bytes looked at its first byte's page only.
  @Test func aHintAcrossAPageBorderLeavesACleanPageAlone() throws {
    let pages = try VolatilePages()
    var arena = try Arena(provider: pages)
    let ref: Ref<Untyped> = try arena.allocate(3 * 4096 + 32768)
    arena.fill(ref, count: 8192, with: 1)
    let view = try arena.openView()
    arena.fill(ref, count: 1, with: 1)
    arena.hint(ref, at: 4095, 0x0909, 9)
    let isFrozen = view.isFilled(ref, count: 8192, with: 1)
    #expect(isFrozen)
    arena.close(view)
  }

  /// The free rest of a zone was not joined with the released run before it.
  @Test func theRestOfAZoneJoinsTheReleasedRunBeforeIt() throws {
    var arena = try Arena(provider: VolatilePages())
    let half: Ref<Untyped> = try arena.allocate(500 << 20)
    let quarter: Ref<Untyped> = try arena.allocate(250 << 20)
    arena.free(quarter)
    while arena.trim(keeping: 0) > 0 {}
    let beyond: Ref<Untyped> = try arena.allocate(700 << 20)
    #expect(beyond.offset > 1 << 30)
    // What the zone has left in one piece: 1024 MiB less descriptors, header and `half`.
    let rest = (1 << 30) - half.offset - (500 << 20)
    let refilled: Ref<Untyped> = try arena.allocate(rest)
    #expect(refilled.offset == half.offset + 500 << 20)
  }

  /// A reach below one GiB reported errno 0 instead of working.
  @Test func aSmallReachWorksAndIsKept() throws {
    var arena = try Arena(provider: VolatilePages(reachBytes: 64 << 20))
    var count = 0
    var isFull = false
    while !isFull {
      do {
        let _: Ref<Untyped> = try arena.allocate(1 << 20)
        count += 1
      } catch {
        isFull = true
      }
    }
    // 64 MiB less 4 MiB of descriptors and a header page.
    #expect(count == 59)
  }

  /// A slab that holds one object is full and empty by turns; freeing looked at one of the two, and
  /// such slabs were never given back.
  @Test func slabsOfOneObjectAreGivenBack() throws {
    var arena = try Arena(provider: VolatilePages())
    let refs: [Ref<Untyped>] = try (0..<100).map { _ in try arena.allocate(4096) }
    for ref in refs { arena.free(ref) }
    #expect(arena.usage.residentFreeBytes == 99 * 4096)
    arena.checkInvariants()
  }
}
