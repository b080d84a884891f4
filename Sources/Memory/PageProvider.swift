// PageProvider: the seam under the arena: who provides its pages, and what happens on the first
// write to a page after a flip of the epoch. Called on slow paths only.
//
// 1. `base` is page-aligned and `reachBytes` long for the provider's whole life.
// 2. `willWrite` runs before the first write to a page in an epoch; when it returns, every frozen
//    view that is open has kept the page's old content.

/// The machine refused memory: which call, and its errno.
public struct MemoryError: Error, Sendable, CustomStringConvertible {
  public let operation: StaticString
  public let code: Int32

  public var description: String { "\(operation) failed with errno \(code)" }
}

/// A private, read-only picture of the arena at one moment. It may be read on any thread while the
/// owner goes on writing; it must be handed back with `Arena.close`.
@safe public final class FrozenView: Sendable {
  // SAFETY: the mapping is never written but by `keep`, which stores back what is there.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer
  let reachBytes: Int
  /// Bytes of the arena that were in use when the view was opened.
  public let usedBytes: Int

  init(base: UnsafeMutableRawPointer, reachBytes: Int, usedBytes: Int) {
    unsafe self.base = base
    self.reachBytes = reachBytes
    self.usedBytes = usedBytes
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

  /// Called before the first write to page `page` since the last flip.
  func willWrite(page: Int)

  /// Called when an epoch ends: every page is clean again. `usedPages` bounds the pages in use.
  func didFlip(usedPages: Int)

  /// Gives the pages' memory back to the system. They read as zeros afterwards.
  /// - Returns: false when that has to wait (a view or checkpoint still needs them).
  func release(pages: Range<Int>) -> Bool

  /// Opens a frozen view of the arena as it is now. The arena flips its epoch right after.
  func openView(usedBytes: Int) throws(MemoryError) -> FrozenView

  func close(_ view: FrozenView)
}
