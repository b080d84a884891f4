// Scrubber: reads the image's pages and compares them with their sums, piece by piece.
//
// 1. It runs where the image cannot change meanwhile: on the checkpointer's thread between its
//    steps of gathering, or on an image that nobody has open.
// 2. A page without a sum has no content that is known, and nothing to say.
// 3. A bad page is read twice before it is reported.

import Bytes
import Platform
import Synchronization

public struct ScrubProgress: Sendable, Equatable {
  /// Pages looked at in this pass, of how many.
  public var pages = 0
  public var totalPages = 0
  /// Passes that have ended.
  public var passes = 0
  /// Pages whose content is not what their sum says, or that cannot be read.
  public var damagedPages: [Int] = []
  /// More pages than the list has room for.
  public var damagedCount = 0

  public init() {}
}

final class Scrubber: Sendable {
  /// Pages looked at in one step.
  static let stepPages = 64
  /// Damaged pages that are listed; more are counted.
  static let listLimit = 1000

  private struct State: ~Copyable {
    var progress = ScrubProgress()
    var isActive = false
    var page = 0
    var pages = Block(stepPages << ImageFormat.pageShift)
    var sums = Block(ImageFormat.pageBytes)
    /// The block of sums that `sums` holds; they are read anew for each step.
    var sumsIndex = -1
  }

  private let store: ImageStore
  private let state = Mutex(State())

  init(_ store: ImageStore) { self.store = store }

  var progress: ScrubProgress { state.withLock { $0.progress } }

  /// Begins a pass over all pages that are in use now.
  func begin() {
    let total = store.superblock.usedPages
    state.withLock { state in
      let passes = state.progress.passes
      state.progress = ScrubProgress()
      state.progress.passes = passes
      state.progress.totalPages = total
      state.page = 0
      state.isActive = true
    }
  }

  func cancel() { state.withLock { $0.isActive = false } }

  var isActive: Bool { state.withLock { $0.isActive } }

  /// Looks at some pages.
  /// - Returns: the bytes read; nil when there is no pass, or it has ended.
  func step() -> Int? {
    state.withLock { state in
      guard state.isActive else { return nil }
      let end = min(state.page + Self.stepPages, state.progress.totalPages)
      guard state.page < end else {
        state.isActive = false
        state.progress.passes += 1
        return nil
      }
      state.sumsIndex = -1
      let bytes = check(state.page..<end, &state)
      state.page = end
      state.progress.pages = end
      return bytes
    }
  }

  private func check(_ range: Range<Int>, _ state: inout State) -> Int {
    var bytes = 0
    var page = range.lowerBound
    while page < range.upperBound {
      // Pages with a sum that follow each other are read at once: holes are not.
      guard hasSum(page, &state) else {
        page += 1
        continue
      }
      var end = page + 1
      while end < range.upperBound, hasSum(end, &state) { end += 1 }
      let isRead = read(page..<end, &state)
      for index in page..<end where !isRead || !isGood(index, at: index - page, &state) {
        if !isGoodAgain(index, &state) { report(index, &state) }
      }
      bytes += (end - page) << ImageFormat.pageShift
      page = end
    }
    return bytes
  }

  private func hasSum(_ page: Int, _ state: inout State) -> Bool { sum(page, &state) != 0 }

  /// 0 for none, or where it cannot be read, which is reported.
  private func sum(_ page: Int, _ state: inout State) -> UInt32 {
    let index = page / ImageFormat.sumsPerBlock
    if index != state.sumsIndex {
      state.sumsIndex = index
      do throws(IOError) {
        try store.sums.read(
          0..<ImageFormat.pageBytes, of: &state.sums,
          at: ImageFormat.sumsOffset(ofBlock: index))
      } catch {
        state.sums.clear(0..<ImageFormat.pageBytes)
        report(page, &state)
      }
    }
    return state.sums.load(page % ImageFormat.sumsPerBlock * 4)
  }

  private func read(_ pages: Range<Int>, _ state: inout State) -> Bool {
    do throws(IOError) {
      try store.image.read(
        0..<pages.count << ImageFormat.pageShift, of: &state.pages,
        at: ImageFormat.place(ofPage: pages.lowerBound))
      return true
    } catch {
      return false
    }
  }

  private func isGood(_ page: Int, at index: Int, _ state: inout State) -> Bool {
    let start = index << ImageFormat.pageShift
    let crc = state.pages.checksum(start..<start + ImageFormat.pageBytes)
    return ImageFormat.stored(sum: crc) == sum(page, &state)
  }

  /// Invariant 3. It uses the last page of the block, which the caller has done with or will read
  /// again.
  private func isGoodAgain(_ page: Int, _ state: inout State) -> Bool {
    var again = Block(ImageFormat.pageBytes)
    do throws(IOError) {
      try store.image.read(
        0..<ImageFormat.pageBytes, of: &again, at: ImageFormat.place(ofPage: page))
    } catch {
      return false
    }
    let crc = again.checksum(0..<ImageFormat.pageBytes)
    return ImageFormat.stored(sum: crc) == sum(page, &state)
  }

  private func report(_ page: Int, _ state: inout State) {
    state.progress.damagedCount += 1
    if state.progress.damagedPages.count < Self.listLimit {
      state.progress.damagedPages.append(page)
    }
  }
}
