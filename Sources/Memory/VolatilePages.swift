// VolatilePages: an arena without a file, in a memfd that is as long as the arena's reach and
// takes memory only where it was touched.
//
//   owner's mapping   MAP_SHARED   ─┐
//                                   ├─ memfd
//   frozen view       MAP_PRIVATE  ─┘   a page diverges when it is touched through the view
//
// The mapping is made of huge pages where the kernel has any: random accesses to many gigabytes
// miss the TLB otherwise (5 M keys: a quarter of a request's time). As the system's setting for
// shared memory is "never" nearly everywhere, each 2 MiB are asked for by name (MADV_COLLAPSE) when
// their first page is written, which also saves 511 page faults.
//
// 1. Before the owner first writes a page after a view was opened, the page is touched in that
//    view, which makes the kernel give the view its own copy of the old content.
// 2. In guard mode a clean page of the owner's mapping is read-only, so that a write which dodged
//    the barrier faults. Where the kernel grants no more mappings (vm.max_map_count; each change of
//    protection splits one), the guard rests until the next flip.
// 3. Pages below `preparedPages` were asked for as huge pages, but for the descriptors at a zone's
//    start, of which most are never used. After a refusal, or when the kernel took long (it may
//    compact memory first, and a value of 512 MB asks for 256 at once), the next `pausePages` make
//    do with small ones.

import CSystem
import Glibc

@safe public final class VolatilePages: PageProvider {
  public let base: UnsafeMutableRawPointer
  public let reachBytes: Int
  let descriptor: Int32
  private let isGuarded: Bool
  private var views: [FrozenView] = []
  /// Invariant 3.
  private var preparedPages = Arena.descriptorPages
  private static let hugePages = 512
  /// What was spent on pages that were asked for one right after the other, and until when.
  private var burst = Duration.zero
  private var burstEnd = ContinuousClock.now
  private static let longestBurst = Duration.milliseconds(50)
  private static let pausePages = 64 * hugePages

  /// - Parameters:
  ///   - reachBytes: the largest size, whole pages; halved until the machine grants it, but not
  ///     below one GiB.
  ///   - isGuarded: whether clean pages are read-only (invariant 2); such pages are small.
  ///   - prefersHugePages: whether to ask for huge pages (invariant 3).
  public init(
    reachBytes: Int = 1 << 43, isGuarded: Bool = false, prefersHugePages: Bool = true
  ) throws(MemoryError) {
    precondition(reachBytes >= Arena.smallestReachBytes && reachBytes % Arena.pageBytes == 0)
    // SAFETY: a constant, and ended by a zero.
    descriptor = unsafe csystem_memfd_create("ferrite-arena")
    guard descriptor >= 0 else { throw MemoryError(operation: "memfd_create", code: errno) }
    var reach = reachBytes
    let access = isGuarded ? PROT_READ : PROT_READ | PROT_WRITE
    while true {
      if ftruncate(descriptor, off_t(reach)) == 0 {
        if let address = unsafe Self.map(descriptor, reach, access) {
          unsafe base = address
          break
        }
      }
      let code = errno
      guard reach >= 2 << 30 else {
        _ = Glibc.close(descriptor)
        throw MemoryError(operation: "mmap", code: code)
      }
      reach = reach / 2 & ~(Arena.pageBytes - 1)
    }
    self.reachBytes = reach
    self.isGuarded = isGuarded
    if isGuarded || !prefersHugePages { preparedPages = .max }
    if isGuarded { unsafe csystem_guard_range(base, reach) }
  }

  /// Maps the file where huge pages can lie: at a multiple of their size.
  @unsafe private static func map(
    _ descriptor: Int32, _ bytes: Int, _ access: Int32
  ) -> UnsafeMutableRawPointer? {
    let hugeBytes = hugePages << Arena.pageShift
    // SAFETY: a fresh reservation; the file takes its aligned part, the rest goes back.
    let reservation = unsafe mmap(
      nil, bytes + hugeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let start = unsafe reservation, unsafe start != MAP_FAILED else { return nil }
    let aligned = unsafe start.alignedUp(toMultipleOf: hugeBytes)
    let before = unsafe aligned - start
    if before > 0 { unsafe munmap(start, before) }
    if before < hugeBytes { unsafe munmap(aligned + bytes, hugeBytes - before) }
    let mapping = unsafe mmap(
      aligned, bytes, access, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, descriptor, 0)
    if unsafe mapping == MAP_FAILED {
      let code = errno
      unsafe munmap(aligned, bytes)
      errno = code
      return nil
    }
    return unsafe aligned
  }

  /// Asks for the huge page around a page that is written for the first time (invariant 3).
  private func prepare(_ page: Int) {
    let first = page & ~(Self.hugePages - 1)
    preparedPages = first + Self.hugePages
    guard page & (Arena.zonePages - 1) >= Arena.descriptorPages, preparedPages <= reachBytes >> 12
    else { return }
    let start = ContinuousClock.now
    if start - burstEnd > .milliseconds(1) { burst = .zero }
    // SAFETY: the range lies inside the mapping; its content stays as it is. The touch makes the
    // page table, without which the kernel refuses.
    unsafe csystem_touch(base + page << Arena.pageShift)
    let result = unsafe madvise(
      base + first << Arena.pageShift, Self.hugePages << Arena.pageShift, csystem_madv_collapse)
    burstEnd = ContinuousClock.now
    burst += burstEnd - start
    if result != 0 || burst > Self.longestBurst { preparedPages += Self.pausePages }
  }

  deinit {
    if isGuarded { unsafe csystem_unguard_range(base) }
    // SAFETY: nothing refers to the mapping any more: the arena keeps its provider alive.
    unsafe munmap(base, reachBytes)
    _ = Glibc.close(descriptor)
  }

  public func willWrite(page: Int) {
    if page >= preparedPages { prepare(page) }
    let offset = page << Arena.pageShift
    if isGuarded {
      // SAFETY: the page lies inside the mapping.
      if unsafe mprotect(base + offset, Arena.pageBytes, PROT_READ | PROT_WRITE) != 0 {
        let result = unsafe mprotect(base, reachBytes, PROT_READ | PROT_WRITE)
        precondition(result == 0, "guard mode could not open the arena")
      }
    }
    for view in views { view.keep(page: page) }  // invariant 1
  }

  public func didFlip(usedPages: Int) {
    guard isGuarded else { return }
    // SAFETY: the mapping's own range; the whole, because the guard may have been resting.
    let result = unsafe mprotect(base, reachBytes, PROT_READ)
    precondition(result == 0, "guard mode could not protect the arena")
  }

  public func release(pages: Range<Int>) -> Bool {
    guard views.isEmpty else { return false }
    let offset = Int64(pages.lowerBound << Arena.pageShift)
    return csystem_punch_hole(descriptor, offset, Int64(pages.count << Arena.pageShift)) == 0
  }

  public func openView(usedBytes: Int) throws(MemoryError) -> FrozenView {
    // SAFETY: a fresh private mapping at an address of the kernel's choice.
    let mapping = unsafe mmap(
      nil, usedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0)
    guard let address = unsafe mapping, unsafe address != MAP_FAILED else {
      throw MemoryError(operation: "mmap", code: errno)
    }
    let view = unsafe FrozenView(base: address, usedBytes: usedBytes)
    views.append(view)
    return view
  }

  public func close(_ view: FrozenView) {
    guard let index = views.firstIndex(where: { $0 === view }) else {
      preconditionFailure("the view belongs to another arena or was closed before")
    }
    views.remove(at: index)
  }
}
