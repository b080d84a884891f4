// DirtyPages: one bit a page, in memory that costs nothing where no bit was ever set.
//
// 1. The bitmap covers the arena's whole reach, so no access is ever out of bounds.
// 2. A new bitmap is all zeros without being touched: making one is O(1).

import CSystem
import Glibc

@safe public struct DirtyPages: ~Copyable, @unchecked Sendable {
  @usableFromInline let words: UnsafeMutablePointer<UInt64>
  public let pageCount: Int

  public init(pageCount: Int) throws(MemoryError) {
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

  @inlinable public mutating func insert(page: Int) {
    precondition(page >= 0 && page < pageCount)
    // SAFETY: in bounds by the line above.
    unsafe words[page &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: page & 63)
  }

  /// A page whose word was never touched costs nothing to remove.
  public mutating func remove(page: Int) {
    guard contains(page: page) else { return }
    // SAFETY: in bounds, or `contains` would have trapped in a debug build; pages come from refs.
    unsafe words[page &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: page & 63))
  }

  /// Inserts what `other` has below `limit`, or removes it.
  /// Takes time in proportion to `limit`, a 64th of it in steps.
  private mutating func combine(
    _ other: borrowing DirtyPages, below limit: Int, isSubtracting: Bool
  ) {
    precondition(other.pageCount == pageCount)
    for word in 0..<((min(limit, pageCount) + 63) / 64) {
      // SAFETY: word * 64 < pageCount, the same for both.
      let bits = unsafe other.words[word]
      guard bits != 0 else { continue }
      if isSubtracting { unsafe words[word] &= ~bits } else { unsafe words[word] |= bits }
    }
  }

  /// Inserts the pages of `other`, both being without any page at or above `limit`.
  public mutating func formUnion(_ other: borrowing DirtyPages, below limit: Int) {
    combine(other, below: limit, isSubtracting: false)
  }

  /// Removes the pages of `other`, which has none at or above `limit`.
  public mutating func subtract(_ other: borrowing DirtyPages, below limit: Int) {
    combine(other, below: limit, isSubtracting: true)
  }

  /// Removes every page, all being below `limit`.
  public mutating func removeAll(below limit: Int) {
    // SAFETY: the words lie inside the mapping.
    for word in 0..<((min(limit, pageCount) + 63) / 64) where unsafe words[word] != 0 {
      unsafe words[word] = 0
    }
  }

  /// The first page at or after `page` and below `limit`.
  public func next(from page: Int, below limit: Int) -> Int? {
    let end = min(limit, pageCount)
    guard page < end else { return nil }
    var word = page >> 6
    // SAFETY: word * 64 < pageCount for every word that is loaded.
    var bits = unsafe words[word] & ~0 << UInt64(page & 63)
    while bits == 0 {
      word += 1
      guard word << 6 < end else { return nil }
      bits = unsafe words[word]
    }
    let found = word << 6 + bits.trailingZeroBitCount
    return found < end ? found : nil
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
