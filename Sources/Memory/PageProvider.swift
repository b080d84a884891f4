// PageProvider: the seam under the arena: who provides its pages, and what happens on the first
// write to a page after a flip of the epoch. Called on slow paths only.
//
// 1. `base` is page-aligned and `reachBytes` long for the provider's whole life.
// 2. `willWrite` runs before the first write to a page in an epoch; when it returns, every frozen
//    view that is open, and a checkpoint under way, has kept the page's old content.

import CSystem
import Glibc

/// The machine refused memory: which call, and its errno.
public struct MemoryError: Error, Sendable, CustomStringConvertible {
  public let operation: StaticString
  public let code: Int32

  public init(operation: StaticString, code: Int32) {
    self.operation = operation
    self.code = code
  }

  public var description: String { "\(operation) failed with errno \(code)" }
}

/// A private, read-only picture of the arena at one moment. It may be read on any thread while the
/// owner goes on writing; it must be handed back with `Arena.close`, after which it is no longer
/// kept as it was. Its mapping lives until the last reference is gone.
@safe public final class FrozenView: Sendable {
  // SAFETY: the mapping is never written but by the provider, which stores back what is there.
  @usableFromInline nonisolated(unsafe) let base: UnsafeMutableRawPointer
  /// Bytes of the arena that were in use when the view was opened.
  public let usedBytes: Int

  /// - Parameter base: a mapping of `usedBytes` bytes, which the view owns from now on.
  @unsafe public init(base: UnsafeMutableRawPointer, usedBytes: Int) {
    unsafe self.base = base
    self.usedBytes = usedBytes
  }

  deinit {
    // SAFETY: the mapping is ours, and a reader cannot outlive the view it was borrowed from.
    unsafe munmap(base, usedBytes)
  }

  /// Root `index` as it was when the view was opened.
  public func root(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < Arena.rootCount)
    // SAFETY: the header page is always in use.
    return unsafe base.load(
      fromByteOffset: Arena.headerOffset + Arena.Header.roots + index * 8, as: UInt64.self)
  }

  /// Gives the view its own copy of a page, as it is now, before what the page shows is changed
  /// elsewhere. For providers; pages beyond the view need none.
  public func keep(page: Int) {
    let offset = page << Arena.pageShift
    guard offset < usedBytes else { return }
    // SAFETY: the page lies inside the mapping; storing back an unchanged value forces the private
    // copy and alters nothing that a reader could see.
    unsafe csystem_touch(base + offset)
  }

  /// Reads as from the arena itself.
  public var reader: ArenaReader {
    @_lifetime(borrow self) get {
      // SAFETY: the mapping lives as long as the view is open, which the reader's lifetime covers.
      let reader = unsafe ArenaReader(base: UnsafeRawPointer(base))
      return unsafe _overrideLifetime(reader, borrowing: self)
    }
  }
}

public protocol PageProvider: AnyObject {
  /// Where the arena lies.
  @unsafe var base: UnsafeMutableRawPointer { get }
  var reachBytes: Int { get }

  /// Called before the first write to page `page` since the last flip; never beyond the reach.
  func willWrite(page: Int)

  /// Called when an epoch ends: every page is clean again. `usedPages` bounds the pages in use. A
  /// provider that wants to know which pages the epoch wrote counts them in `willWrite`.
  func didFlip(usedPages: Int)

  /// Gives the pages' memory back to the system. The pages are free, so that what they hold is
  /// dead and losing it counts as no write: afterwards they are clean, and their next write is a
  /// first one.
  /// - Returns: false when that has to wait (a view or checkpoint still needs them).
  func release(pages: Range<Int>) -> Bool

  /// Opens a frozen view of the arena as it is now. The arena flips its epoch right after. Throws
  /// where views are to be had in another way (an image is pinned at a checkpoint).
  func openView(usedBytes: Int) throws(MemoryError) -> FrozenView

  func close(_ view: FrozenView)
}
