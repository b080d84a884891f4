// ImagePages: an arena that is a private mapping of its image.
//
//   address space   | image file, MAP_PRIVATE ............ | reserved, anonymous ........ |
//                   0                                 mappedPages                     reach
//   a page          image (PMem, page cache) ──first write──► private copy (DRAM)
//                        ▲                                        │
//                        └── dropped, once it is in the image ────┘
//
// 1. A page without a private copy shows what the image has. The checkpointer changes a page of the
//    image only if it was written in the epoch that it carries, and such a page has a private copy
//    until that epoch's outcome is known: so nothing ever changes under a reader.
// 2. No less of the file is mapped than is used, and the file is never shorter than its mapping.
//    Where it cannot be made longer, the reserved memory serves, and its pages are never dropped.
// 3. `dirty` are the pages written since the last flip, and those of epochs that were abandoned:
//    what the next checkpoint takes. Neither they nor a checkpoint's pages are dropped.
// 4. Released pages are free at the flip that follows; their blocks go when its epoch is durable.
// 5. In guard mode a clean page is read-only, as in VolatilePages.
//
// One thread, the arena's owner, calls everything here. A pointer from `Arena.write` is good until
// the next flip: who lets a socket fill memory over several turns asks for it again after each.

import CSystem
import Glibc
import Memory
import Platform
import Synchronization

public struct ImageOptions: Sendable {
  /// The largest size of the arena; halved until the machine grants it.
  public var reachBytes = 1 << 43
  /// How much the file grows at a time, sparsely.
  public var pieceBytes = 64 << 20
  /// Whether clean pages are read-only, for tests.
  public var isGuarded = false
  /// Bytes a second that a checkpoint may write; 0 for as fast as it goes.
  public var budgetBytes = 0
  /// Bytes a second that the background scrub reads; 0 for none.
  public var scrubBudgetBytes = 64 << 20
  /// Whether a thread of its own carries checkpoints; without one, `step` does.
  public var hasThread = true
  /// Called on that thread when a checkpoint has ended, or failed and will be tried again.
  public var onProgress: @Sendable () -> Void = {}

  public init() {}
}

/// How a checkpoint ended.
public enum CheckpointOutcome: Sendable {
  /// The image has everything below `lsn`: what the log has there may go.
  case finished(epoch: UInt64, lsn: UInt64)
  /// Nothing has changed; the next checkpoint takes what this one would have. The reason is in
  /// the statistics.
  case abandoned(StorageError?)
}

@safe public final class ImagePages: PageProvider {
  public let base: UnsafeMutableRawPointer
  public let reachBytes: Int
  let store: ImageStore
  let checkpointer: Checkpointer
  let scrubber: Scrubber
  let thread: CheckpointThread?
  private let options: ImageOptions
  /// Pages below show the file (invariant 2).
  private var mappedPages = 0
  private var hasGrowthFailed = false
  var dirty: DirtyPages
  private(set) var dirtyCount = 0
  var copies: DirtyPages
  var copyCount = 0
  /// Free pages that were given back since the last flip.
  private var released: DirtyPages
  /// The checkpoint whose outcome is not known yet.
  var running: Checkpoint?
  /// As the last flip found them.
  private(set) var usedPages: Int
  let heat: PageBytes
  var hand = 0
  var coolingHand = 0
  var counters = Counters()

  struct Counters {
    var firstWrites = 0
    var dropped = 0
    var promoted = 0
    var aside = 0
    var waits = 0
    var longestBarrierMicroseconds = 0
  }

  /// Opens the image in the medium's directory, or makes one, and finishes what a crash left.
  public init(
    _ medium: any Medium, _ options: ImageOptions = ImageOptions()
  ) throws(StorageError) {
    store = try ImageStore(medium)
    self.options = options
    do throws(MemoryError) {
      // SAFETY: the reservation is ours from here on.
      let reservation = try Self.reserve(options)
      unsafe base = reservation.base
      reachBytes = reservation.bytes
      let pageCount = reachBytes >> Arena.pageShift
      dirty = try DirtyPages(pageCount: pageCount)
      copies = try DirtyPages(pageCount: pageCount)
      released = try DirtyPages(pageCount: pageCount)
      heat = try PageBytes(pageCount: pageCount)
      checkpointer = unsafe try Checkpointer(store, base: base, pageCount: pageCount)
    } catch {
      throw .io(IOError("\(error.operation)", errno: error.code))
    }
    usedPages = store.superblock.usedPages
    scrubber = Scrubber(store)
    thread = options.hasThread ? CheckpointThread(checkpointer, scrubber, options) : nil
    guard usedPages <= reachBytes >> Arena.pageShift else {
      throw .io(IOError("mmap", store.image.path, errno: ENOMEM))
    }
    try storageError { () throws(IOError) in try map(through: usedPages) }
    if options.isGuarded { unsafe csystem_guard_range(base, reachBytes) }
    try storageError { () throws(IOError) in try thread?.start() }
  }

  deinit {
    thread?.stop()
    if options.isGuarded { unsafe csystem_unguard_range(base) }
    // SAFETY: nothing refers to the mapping any more: the arena keeps its provider alive, and the
    // checkpointer's thread is gone.
    unsafe munmap(base, reachBytes)
  }

  /// Whether the image has no arena yet: `Arena(provider:)` makes one, otherwise
  /// `Arena.open` opens it.
  public var isNew: Bool { store.superblock.epoch == 0 }

  /// Where in the log the effects begin that the arena, as it was opened, does not have.
  public var lsn: UInt64 { store.superblock.lsn }

  public var identity: StorageIdentity { store.identity }

  /// Whether opening finished a checkpoint that a crash had interrupted.
  public var hasAppliedJournal: Bool { store.hasAppliedJournal }

  /// Pages that opening found damaged while it finished a checkpoint.
  public var damagedPages: [Int] { store.damagedPages }

  // MARK: The mapping

  @safe private struct Reservation {
    let base: UnsafeMutableRawPointer
    let bytes: Int
  }

  private static func reserve(
    _ options: ImageOptions
  ) throws(MemoryError) -> Reservation {
    var reach = options.reachBytes
    precondition(reach >= Arena.smallestReachBytes && reach % Arena.pageBytes == 0)
    let access = options.isGuarded ? PROT_READ : PROT_READ | PROT_WRITE
    while true {
      // SAFETY: a fresh mapping at an address of the kernel's choice.
      let mapping = unsafe mmap(
        nil, reach, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let address = unsafe mapping, unsafe address != MAP_FAILED {
        return unsafe Reservation(base: address, bytes: reach)
      }
      guard reach >= 2 << 30 else { throw MemoryError(operation: "mmap", code: errno) }
      reach = reach / 2 & ~(Arena.pageBytes - 1)
    }
  }

  /// Maps the file over the reserved memory up to `pages` and a piece's end.
  private func map(through pages: Int) throws(IOError) {
    guard pages > mappedPages else { return }
    let piece = max(options.pieceBytes, mappedPages << Arena.pageShift / 8 & ~(1 << 20 - 1))
    try store.ensureLength(pages: pages, pieceBytes: piece)
    let fileBytes = store.settledLength - ImageFormat.dataOffset
    let end = min(reachBytes, fileBytes) & ~(Arena.pageBytes - 1)
    let start = mappedPages << Arena.pageShift
    let access = options.isGuarded ? PROT_READ : PROT_READ | PROT_WRITE
    // SAFETY: the range lies inside our own reservation, and nothing was written there: the first
    // write to a page beyond `mappedPages` comes here first (`willWrite`).
    let mapping = unsafe mmap(
      base + start, end - start, access, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED,
      store.image.descriptor, off_t(ImageFormat.dataOffset + start))
    guard unsafe mapping != MAP_FAILED else {
      throw IOError("mmap", store.image.path, errno: errno)
    }
    mappedPages = end >> Arena.pageShift
  }

  /// Invariant 2: no failure here loses anything.
  private func grow(through pages: Int) {
    guard !hasGrowthFailed else { return }
    do throws(IOError) {
      try map(through: pages)
    } catch {
      hasGrowthFailed = true
    }
  }

  // MARK: PageProvider

  public func willWrite(page: Int) {
    if page >= mappedPages { grow(through: page + 1) }
    if let running, running.pages.contains(page: page) { keep(page) }
    counters.firstWrites += 1
    if !dirty.contains(page: page) {
      dirty.insert(page: page)
      dirtyCount += 1
    }
    if !copies.contains(page: page) {
      copies.insert(page: page)
      copyCount += 1
    }
    released.remove(page: page)
    heat[page] = Self.warmest
    if options.isGuarded { open(page) }
  }

  /// The barrier's part for a checkpoint: the page stays as it was at the flip, or is in the
  /// checkpointer's hands already.
  private func keep(_ page: Int) {
    guard !store.medium.has(.imageBarrierSkipped) else { return }
    let states = checkpointer.states
    var found = states.replace(page, PageState.waiting, by: PageState.aside)
    guard found == PageState.waiting || found == PageState.taking else { return }
    let start = Clock.system.monotonicMicroseconds()
    if found == PageState.waiting {
      // SAFETY: the page lies inside the mapping.
      unsafe checkpointer.aside.append(page: page, base + page << Arena.pageShift)
      counters.aside += 1
    } else {
      counters.waits += 1
      // The checkpointer copies 4 KiB; if it has lost its processor, so may we.
      var turns = 0
      while found == PageState.taking {
        turns += 1
        if turns > 1000 { sched_yield() } else { csystem_spin_pause() }
        found = states[page]
      }
    }
    let elapsed = Int(Clock.system.monotonicMicroseconds() - start)
    counters.longestBarrierMicroseconds = max(counters.longestBarrierMicroseconds, elapsed)
  }

  var isGuarded: Bool { options.isGuarded }

  /// Makes a page read-only again, in guard mode.
  func shut(_ page: Int) {
    // SAFETY: the page lies inside the mapping; where this is refused the guard rests.
    unsafe mprotect(base + page << Arena.pageShift, Arena.pageBytes, PROT_READ)
  }

  /// Makes a page writable, in guard mode.
  func open(_ page: Int) {
    // SAFETY: the page lies inside the mapping; where the kernel grants no more mappings the guard
    // rests until the next flip.
    if unsafe mprotect(
      base + page << Arena.pageShift, Arena.pageBytes, PROT_READ | PROT_WRITE) != 0
    {
      let result = unsafe mprotect(base, reachBytes, PROT_READ | PROT_WRITE)
      precondition(result == 0, "guard mode could not open the arena")
    }
  }

  public func didFlip(usedPages: Int) {
    self.usedPages = usedPages
    guard options.isGuarded else { return }
    // SAFETY: the mapping's own range.
    let result = unsafe mprotect(base, reachBytes, PROT_READ)
    precondition(result == 0, "guard mode could not protect the arena")
  }

  public func release(pages: Range<Int>) -> Bool {
    if let running, !store.medium.has(.imagePendingPagesReleased) {
      for page in pages where running.pages.contains(page: page) {
        let state = checkpointer.states[page]
        if state == PageState.waiting || state == PageState.taking { return false }
      }
    }
    drop(pages)
    for page in pages {
      if dirty.contains(page: page) {
        dirty.remove(page: page)
        dirtyCount -= 1
      }
      released.insert(page: page)
    }
    return true
  }

  /// Gives up the private copies of `pages`: they show the image again, or zeros where there is
  /// only reserved memory.
  func drop(_ pages: Range<Int>) {
    // SAFETY: the pages lie inside the mapping; nobody needs what their copies hold.
    unsafe madvise(
      base + pages.lowerBound << Arena.pageShift, pages.count << Arena.pageShift, MADV_DONTNEED)
    for page in pages where copies.contains(page: page) {
      copies.remove(page: page)
      copyCount -= 1
    }
  }

  /// Whether a page shows the file when it has no private copy.
  func showsFile(_ page: Int) -> Bool { page < mappedPages }

  public func openView(usedBytes: Int) throws(MemoryError) -> FrozenView {
    throw MemoryError(operation: "a view of an image is pinned at a checkpoint: mmap", code: EBUSY)
  }

  public func close(_ view: FrozenView) { store.unpin(view) }

  // MARK: Checkpoints

  /// Ends the arena's epoch and sends it on its way into the image, in constant time.
  /// - Parameter lsn: where in the log the effects begin that the arena does not have now.
  /// - Returns: false when a checkpoint is under way, or its outcome was not asked for (`poll`).
  public func beginCheckpoint(
    _ arena: inout Arena, lsn: UInt64
  ) throws(MemoryError) -> Bool {
    guard !isCheckpointing else { return false }
    var pages = try DirtyPages(pageCount: dirty.pageCount)
    var freed = try DirtyPages(pageCount: dirty.pageCount)
    try arena.flip()
    swap(&pages, &dirty)
    swap(&freed, &released)
    let superblock = Superblock(
      epoch: store.superblock.epoch + 1, lsn: lsn, usedPages: usedPages)
    let checkpoint = Checkpoint(
      superblock, pages: pages, pageCount: dirtyCount, freed: freed,
      startedMicroseconds: Clock.system.monotonicMicroseconds())
    dirtyCount = 0
    running = checkpoint
    checkpointer.begin(checkpoint)
    thread?.wake()
    return true
  }

  /// Where the log has to be durable before the checkpoint under way may be committed.
  var awaitedLSN: UInt64? { running?.superblock.lsn }

  /// Says how far the log is durable. Once it has been said, no checkpoint beyond it is committed.
  public func noteDurable(_ lsn: UInt64) {
    let before = checkpointer.logDurable.exchange(lsn, ordering: .acquiringAndReleasing)
    guard let wanted = running?.superblock.lsn else { return }
    if before < wanted && wanted <= lsn { thread?.wake() }
  }

  /// Looks whether the checkpoint under way has ended. To be called every turn or so: until the
  /// owner knows, the next one cannot begin.
  /// - Returns: its outcome, once.
  public func poll() -> CheckpointOutcome? {
    guard let running else { return nil }
    let outcome = running.outcome.load(ordering: .acquiring)
    guard outcome != .underWay else { return nil }
    if outcome == .abandoned { takeBack(running) }
    self.running = nil
    running.isAcknowledged.store(true, ordering: .releasing)
    thread?.wake()
    guard outcome == .finished else {
      return .abandoned(checkpointer.statistics.withLock { $0.lastError })
    }
    return .finished(epoch: running.superblock.epoch, lsn: running.superblock.lsn)
  }

  /// What an abandoned checkpoint had taken belongs to the next one.
  private func takeBack(_ checkpoint: Checkpoint) {
    guard !store.medium.has(.imageAbandonedPagesForgotten) else { return }
    let limit = checkpoint.superblock.usedPages
    checkpoint.freed.subtract(dirty, below: limit)
    released.formUnion(checkpoint.freed, below: limit)
    checkpoint.pages.forEach(below: limit) { page in
      guard !dirty.contains(page: page), !released.contains(page: page) else { return }
      dirty.insert(page: page)
      dirtyCount += 1
    }
  }

  /// Whether a checkpoint is under way, or its traces are: `beginCheckpoint` would refuse.
  public var isCheckpointing: Bool { running != nil || checkpointer.isBusy }

  /// Does a piece of the checkpointer's work, where it has no thread.
  /// - Returns: whether there may be more to do at once.
  public func step() throws(StorageError) -> Bool {
    precondition(thread == nil)
    do throws(StorageError) {
      return try checkpointer.step()
    } catch {
      checkpointer.fail(error)
      throw error
    }
  }

  /// Waits for the checkpoint under way, without its budget: for shutdown and tests.
  /// - Returns: its outcome; nil if there was none, or it cannot be finished now (see statistics).
  public func finishCheckpoint(timeoutMilliseconds: Int = .max) -> CheckpointOutcome? {
    guard running != nil else { return nil }
    guard let thread else { return finishBySteps() }
    thread.hurry(true)
    defer { thread.hurry(false) }
    let start = Clock.system.monotonicMilliseconds()
    while true {
      if let outcome = poll() { return outcome }
      guard Clock.system.monotonicMilliseconds() - start < timeoutMilliseconds else { return nil }
      usleep(200)
    }
  }

  private func finishBySteps() -> CheckpointOutcome? {
    for _ in 0..<10_000_000 {
      do throws(StorageError) {
        guard try step() else { break }
      } catch {
        if checkpointer.isCommitted { return nil }
      }
      if let outcome = poll() {
        // The traces go at once, so that the next checkpoint may begin.
        _ = checkpointer.clear()
        return outcome
      }
    }
    return poll()
  }

  // MARK: Scrubbing

  /// Compares the image's pages with their sums, in the background where there is a thread.
  public func beginScrub() {
    scrubber.begin()
    thread?.wake()
  }

  public func cancelScrub() { scrubber.cancel() }

  public var isScrubbing: Bool { scrubber.isActive }

  public var scrubProgress: ScrubProgress { scrubber.progress }

  /// A piece of the scrub, where there is no thread and no checkpoint has been begun.
  /// - Returns: whether there is more.
  public func stepScrub() -> Bool {
    precondition(thread == nil && !checkpointer.isWorking)
    return scrubber.step() != nil
  }

  /// Bytes a second that checkpoints may write and the scrub may read; 0 for no limit.
  public func setBudgets(checkpoint: Int, scrub: Int) {
    thread?.setBudgets(checkpoint: checkpoint, scrub: scrub)
  }

  /// Whether the checkpoint under way goes on without its budget: the log is filling up.
  public func hurry(_ isHurried: Bool) { thread?.hurry(isHurried) }

  /// Pins a view at the last checkpoint, which `poll` has reported or is about to. Close it with
  /// `close`.
  /// - Returns: nil while the image is being changed by the next one, or has no checkpoint yet.
  public func pinView() throws(MemoryError) -> PinnedView? {
    let superblock = store.superblock
    guard superblock.epoch > 0,
      let view = try store.pin(usedPages: superblock.usedPages)
    else { return nil }
    return PinnedView(view: view, epoch: superblock.epoch, lsn: superblock.lsn)
  }

}

/// A view of the arena as it was at a checkpoint.
public struct PinnedView: Sendable {
  public let view: FrozenView
  public let epoch: UInt64
  /// Effects from here on are not in it.
  public let lsn: UInt64
}
