// DirtyPages: one bit a page, in memory that costs nothing where no bit was ever set.
//
// 1. The bitmap covers the arena's whole reach, so no access is ever out of bounds.
// 2. A new bitmap is all zeros without being touched: making one is O(1).

import CSystem
import Glibc

@safe public struct DirtyPages: ~Copyable, @unchecked Sendable {
  @usableFromInline let words: UnsafeMutablePointer<UInt64>
  public let pageCount: Int

  init(pageCount: Int) throws(MemoryError) {
    let bytes = (pageCount + 63) / 64 * 8
    // SAFETY: a fresh anonymous mapping, zero-filled by the kernel.
    let mapping = unsafe mmap(
      nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address = unsafe mapping, unsafe address != MAP_FAILED else {
      throw MemoryError(operation: "mmap", code: errno)
    }
    unsafe words = address.bindMemory(to: UInt64.self, capacity: bytes / 8)
    self.pageCount = pageCount
  }

  deinit {
    // SAFETY: the mapping is ours and dies with us.
    unsafe munmap(words, (pageCount + 63) / 64 * 8)
  }

  @inlinable public func contains(page: Int) -> Bool {
    assert(page >= 0 && page < pageCount)
    // SAFETY: invariant 1; pages come from refs, which lie inside the reach.
    return unsafe words[page &>> 6] &>> UInt64(truncatingIfNeeded: page & 63) & 1 != 0
  }

  @inlinable mutating func insert(page: Int) {
    precondition(page >= 0 && page < pageCount)
    // SAFETY: in bounds by the line above.
    unsafe words[page &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: page & 63)
  }

  /// The dirty pages below `limit`, in order.
  public func forEach(below limit: Int, _ body: (Int) -> Void) {
    for word in 0..<((min(limit, pageCount) + 63) / 64) {
      // SAFETY: word * 64 < pageCount.
      var bits = unsafe words[word]
      while bits != 0 {
        let page = word * 64 + bits.trailingZeroBitCount
        if page < limit { body(page) }
        bits &= bits - 1
      }
    }
  }
}
