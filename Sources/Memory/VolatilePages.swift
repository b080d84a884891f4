// VolatilePages: an arena without a file, in a memfd that is as long as the arena's reach and
// takes memory only where it was touched.
//
//   owner's mapping   MAP_SHARED   ─┐
//                                   ├─ memfd
//   frozen view       MAP_PRIVATE  ─┘   a page diverges when it is touched through the view
//
// 1. Before the owner first writes a page after a view was opened, the page is touched in that
//    view, which makes the kernel give the view its own copy of the old content.
// 2. In guard mode a clean page of the owner's mapping is read-only, so that a write which dodged
//    the barrier faults. Where the kernel grants no more mappings (vm.max_map_count; each change of
//    protection splits one), the guard rests until the next flip.

import CSystem
import Glibc

@safe public final class VolatilePages: PageProvider {
  public let base: UnsafeMutableRawPointer
  public let reachBytes: Int
  let descriptor: Int32
  private let isGuarded: Bool
  private var views: [FrozenView] = []

  /// - Parameters:
  ///   - reachBytes: the largest size, whole pages; halved until the machine grants it, but not
  ///     below one GiB.
  ///   - isGuarded: whether clean pages are read-only (invariant 2).
  public init(reachBytes: Int = 1 << 43, isGuarded: Bool = false) throws(MemoryError) {
    precondition(reachBytes >= Arena.smallestReachBytes && reachBytes % Arena.pageBytes == 0)
    descriptor = unsafe csystem_memfd_create("ferrite-arena")
    guard descriptor >= 0 else { throw MemoryError(operation: "memfd_create", code: errno) }
    var reach = reachBytes
    let access = isGuarded ? PROT_READ : PROT_READ | PROT_WRITE
    while true {
      if ftruncate(descriptor, off_t(reach)) == 0 {
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let mapping = unsafe mmap(nil, reach, access, MAP_SHARED | MAP_NORESERVE, descriptor, 0)
        if let address = unsafe mapping, unsafe address != MAP_FAILED {
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
    // Huge pages where the system allows them for shared memory; refusal is no error.
    _ = unsafe madvise(base, reach, MADV_HUGEPAGE)
    if isGuarded { unsafe csystem_guard_range(base, reach) }
  }

  deinit {
    if isGuarded { unsafe csystem_unguard_range(base) }
    // SAFETY: nothing refers to the mapping any more: the arena keeps its provider alive.
    unsafe munmap(base, reachBytes)
    _ = Glibc.close(descriptor)
  }

  public func willWrite(page: Int) {
    let offset = page << Arena.pageShift
    if isGuarded {
      // SAFETY: the page lies inside the mapping.
      if unsafe mprotect(base + offset, Arena.pageBytes, PROT_READ | PROT_WRITE) != 0 {
        let result = unsafe mprotect(base, reachBytes, PROT_READ | PROT_WRITE)
        precondition(result == 0, "guard mode could not open the arena")
      }
    }
    for view in views where offset < view.usedBytes {
      // SAFETY: the page lies inside the view's mapping; storing back an unchanged value forces
      // the private copy (invariant 1) and alters nothing that a reader could see.
      unsafe csystem_touch(view.base + offset)
    }
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
