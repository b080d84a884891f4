// A frozen view shows the arena as it was when it was opened, whatever the owner does meanwhile.

import Glibc
import Synchronization
import Testing

@testable import Memory

/// How far a reader has come, so that the owner's work and the reading really overlap.
private final class Progress: Sendable {
  let isDone = Atomic<Bool>(false)
  let passes = Atomic<Int>(0)
}

struct FrozenViewTests {
  /// One reader a view, each on its own thread: every byte that was in use against a copy, and
  /// every entry of the model through the reader, again and again while the owner goes on.
  private static func read(
    _ view: FrozenView, against copy: FrozenCopy, _ entries: [ModelArena.Entry],
    _ progress: Progress
  ) -> Int {
    var mismatches = 0
    repeat {
      for start in stride(from: 0, to: view.usedBytes, by: 1 << 16) {
        let end = min(start + 1 << 16, view.usedBytes)
        if !view.isEqual(to: copy, in: start..<end) { mismatches += 1 }
      }
      for entry in entries {
        let value = unsafe view.reader.load(entry.ref, at: entry.count - 1, as: UInt8.self)
        if value != entry.value { mismatches += 1 }
        if !view.isFilled(entry.ref, count: entry.count, with: entry.value) { mismatches += 1 }
      }
      progress.passes.add(1, ordering: .relaxed)
    } while !progress.isDone.load(ordering: .acquiring)
    return mismatches
  }

  @Test(arguments: [1, 2] as [UInt64], [false, true])
  func aViewStandsStillWhileTheOwnerWorks(seed: UInt64, isGuarded: Bool) throws {
    var model = try ModelArena(seed: seed, isGuarded: isGuarded)
    for _ in 0..<1000 { _ = try model.step(target: 600) }
    for round in 0..<3 {
      let mismatches = try Self.workWithThreeViews(&model, isGuarded ? 300 : 3000)
      #expect(mismatches == 0, "seed \(seed), round \(round)")
      model.arena.checkInvariants()
      let isEverythingThere = model.holdsEverything()
      #expect(isEverythingThere, "seed \(seed), round \(round)")
      model.arena.trim(keeping: 0)
    }
  }

  /// Opens three views with work between them, and works on until each was read twice.
  /// - Returns: how many readings went wrong.
  private static func workWithThreeViews(
    _ model: inout ModelArena, _ steps: Int
  ) throws -> Int {
    var views: [FrozenView] = []
    var readers: [WorkerThread] = []
    let progress = (0..<3).map { _ in Progress() }
    for index in 0..<3 {
      let copy = FrozenCopy(of: model.arena)
      let view = try model.arena.openView()
      let entries = model.entries
      let own = progress[index]
      views.append(view)
      readers.append(WorkerThread { read(view, against: copy, entries, own) })
      for _ in 0..<steps { _ = try model.step(target: 600) }
    }
    // Bounded: a reader that never runs would otherwise hang the test.
    var turns = 0
    while turns < 10_000, progress.contains(where: { $0.passes.load(ordering: .relaxed) < 2 }) {
      for _ in 0..<50 { _ = try model.step(target: 600) }
      turns += 1
      sched_yield()
    }
    var mismatches = 0
    for index in 0..<3 {
      progress[index].isDone.store(true, ordering: .releasing)
      mismatches += readers[index].join()
      // The views that are still open keep standing still while the others are closed.
      model.arena.close(views[index])
      for _ in 0..<steps { _ = try model.step(target: 600) }
    }
    return mismatches
  }

  @Test func aViewOfAnArenaThatGrowsAndItsRoots() throws {
    var arena = try Arena(provider: VolatilePages())
    arena.setRoot(3, 33)
    let first = try arena.openView()
    arena.setRoot(3, 44)
    let second = try arena.openView()
    let ref: Ref<Untyped> = try arena.allocate(900 << 20)
    let beyond: Ref<Untyped> = try arena.allocate(900 << 20)
    arena.fill(ref, count: 5000, with: 1)
    arena.fill(beyond, count: 5000, with: 1)
    arena.setRoot(3, 55)
    #expect(first.root(3) == 33 && second.root(3) == 44 && arena.root(3) == 55)
    #expect(first.usedBytes < arena.usedPages << 12)
    arena.close(first)
    #expect(second.root(3) == 44)
    arena.close(second)
    #expect(arena.openViews == 0)
  }

  /// A reader that holds on to a closed view reads memory that is still mapped.
  @Test func aClosedViewStaysMappedWhileItIsHeld() throws {
    var arena = try Arena(provider: VolatilePages())
    arena.setRoot(0, 7)
    let view = try arena.openView()
    arena.setRoot(0, 8)
    arena.close(view)
    #expect(view.root(0) == 7)
  }

  @Test func aViewOutlivesItsArena() throws {
    func openAndLeave() throws -> FrozenView {
      var arena = try Arena(provider: VolatilePages(isGuarded: true))
      arena.setRoot(0, 7)
      let view = try arena.openView()
      arena.setRoot(0, 8)
      return view
    }
    let view = try openAndLeave()
    #expect(view.root(0) == 7)
  }

  @Test func closingAViewTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      var arena = try Arena(provider: VolatilePages())
      let view = try arena.openView()
      arena.close(view)
      arena.close(view)
    }
  }

  /// Opening is O(1): a view of a GiB costs neither pages nor page tables, and writing costs it one
  /// page a page.
  @Test func openingCostsNothingAndWritingOnePage() throws {
    let pages = try VolatilePages()
    var arena = try Arena(provider: pages)
    let count = 64 << 20
    var refs: [Ref<Untyped>] = []
    for _ in 0..<16 {
      let ref: Ref<Untyped> = try arena.allocate(count)
      // One byte a page is enough to make the pages real.
      for page in 0..<(count >> 12) where page % 8 == 0 {
        arena.fill(ref, at: page << 12, count: 1, with: 1)
      }
      refs.append(ref)
    }
    let view = try arena.openView()
    let size = unsafe mappedBytes("Size", at: view.base, count: view.usedBytes)
    #expect(size == view.usedBytes && size > 1 << 30)
    #expect(unsafe mappedBytes("Rss", at: view.base, count: view.usedBytes) == 0)
    for ref in refs { arena.fill(ref, at: 4096, count: 100, with: 2) }
    let copied = unsafe mappedBytes("Anonymous", at: view.base, count: view.usedBytes)
    #expect(copied == 16 * 4096)
    for ref in refs { arena.fill(ref, at: 4096, count: 100, with: 3) }
    let later = unsafe mappedBytes("Anonymous", at: view.base, count: view.usedBytes)
    #expect(later == copied)
    let isFrozen = refs.allSatisfy { view.isFilled($0, at: 4096, count: 100, with: 0) }
    #expect(isFrozen)
    arena.close(view)
  }

  @Test func trimWaitsForEveryView() throws {
    let pages = try VolatilePages(prefersHugePages: false)
    var arena = try Arena(provider: pages)
    let ref: Ref<Untyped> = try arena.allocate(20 << 20)
    arena.fill(ref, count: 20 << 20, with: 5)
    let first = try arena.openView()
    let second = try arena.openView()
    arena.free(ref)
    #expect(arena.trim(keeping: 0) == 0)
    arena.close(first)
    #expect(arena.trim(keeping: 0) == 0)
    let isFrozen = second.isFilled(ref, count: 20 << 20, with: 5)
    #expect(isFrozen)
    arena.close(second)
    let before = pages.blockBytes
    #expect(arena.trim(keeping: 0, limit: 20) == 20 << 20)
    // Released pieces begin and end on descriptors that were not in use before.
    #expect(pages.blockBytes <= before - 20 << 20 + 32 * Arena.pageBytes)
    arena.checkInvariants()
  }
}
