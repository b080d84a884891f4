// PageBytes: one byte a page, in memory that costs nothing where no byte was ever set; read and
// changed by two threads.

import CSystem
import Glibc
import Memory

@safe final class PageBytes: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  let pageCount: Int

  init(pageCount: Int) throws(MemoryError) {
    // SAFETY: a fresh anonymous mapping, zero-filled by the kernel.
    let mapping = unsafe mmap(
      nil, pageCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address = unsafe mapping, unsafe address != MAP_FAILED else {
      throw MemoryError(operation: "mmap", code: errno)
    }
    unsafe base = address
    self.pageCount = pageCount
  }

  deinit {
    // SAFETY: the mapping is ours and dies with us.
    unsafe munmap(base, pageCount)
  }

  subscript(page: Int) -> UInt8 {
    get {
      precondition(page >= 0 && page < pageCount)
      // SAFETY: in bounds by the line above.
      return unsafe csystem_load_byte(base + page)
    }
    set {
      precondition(page >= 0 && page < pageCount)
      // SAFETY: in bounds by the line above.
      unsafe csystem_store_byte(base + page, newValue)
    }
  }

  /// Stores `value` where `expected` is.
  /// - Returns: what was there.
  func replace(_ page: Int, _ expected: UInt8, by value: UInt8) -> UInt8 {
    precondition(page >= 0 && page < pageCount)
    // SAFETY: in bounds by the line above.
    return unsafe csystem_replace_byte(base + page, expected, value)
  }
}
