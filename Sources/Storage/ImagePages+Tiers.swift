// Tiers: which pages have a copy in DRAM, under a limit.
//
//   heat of a page:  3 written lately   2, 1 cooling, or sampled reads   0 cold
//
//   hand ──► pages with a copy: hot ones cool by one, cold clean ones are dropped
//   coolingHand ──► pages without: four of them cool by one with each sampled read
//
// 1. Only a page that the image has as it is may be dropped: not written since the last flip, nor
//    part of a checkpoint whose outcome is not known.
// 2. The count of copies is exact: a page has a copy from its first write or promotion until it is
//    dropped or released.
// 3. A call does a bounded amount of work.
// 4. A page comes back if it is read more than four times as often as the average page: else it
//    cools faster than it is warmed. A sixteenth of the limit is kept free for such pages.

import CSystem
import Glibc
import Memory

extension ImagePages {
  static let warmest: UInt8 = 3
  /// Pages that one call looks at.
  private static let sweepPages = 16384
  /// Pages that cool with each sampled read.
  private static let cooledPages = 4

  /// DRAM that private copies take.
  public var copiedBytes: Int { copyCount << Arena.pageShift }

  /// Drops cold copies while there are more than fifteen sixteenths of `limit` bytes of them.
  /// - Returns: whether a checkpoint would help: too much is copied that the image does not have.
  public func limitCopies(to limit: Int) -> Bool {
    let wanted = (limit - limit / 16) >> Arena.pageShift
    guard copyCount > wanted else { return false }
    let end = usedPages
    var looked = 0
    var dropped = 0..<0
    while copyCount - dropped.count > wanted, looked < min(Self.sweepPages, 4 * end) {
      if hand >= end { hand = 0 }
      guard let page = copies.next(from: hand, below: end) else {
        looked += end - hand
        hand = end
        continue
      }
      looked += 1
      hand = page + 1
      guard mayDrop(page) else { continue }
      let warmth = heat[page]
      if warmth > 0 {
        heat[page] = warmth - 1
        continue
      }
      if page != dropped.upperBound { flushDrops(&dropped, next: page) }
      dropped = dropped.lowerBound..<page + 1
    }
    flushDrops(&dropped, next: 0)
    return copiedBytes > limit && (dirtyCount + (running?.pageCount ?? 0)) * 2 > copyCount
  }

  /// Drops what has been collected, and begins a new range.
  private func flushDrops(_ pages: inout Range<Int>, next: Int) {
    if !pages.isEmpty {
      drop(pages)
      counters.dropped += pages.count
    }
    pages = next..<next
  }

  private func mayDrop(_ page: Int) -> Bool {
    showsFile(page) && !dirty.contains(page: page)
      && !(running?.pages.contains(page: page) ?? false)
  }

  /// Says that what lies at `offset` was read: for one in many reads, so that what is read often
  /// stays, and comes back. A page that is warm and has no copy gets one while there is room under
  /// `limit`.
  public func noteRead(at offset: Int, limit: Int) {
    let page = offset >> Arena.pageShift
    guard page < usedPages else { return }
    coolOthers()
    let warmth = heat[page]
    guard warmth >= Self.warmest else {
      heat[page] = warmth + 1
      return
    }
    guard !copies.contains(page: page), showsFile(page),
      (copyCount + 1) << Arena.pageShift <= limit
    else { return }
    promote(page)
  }

  /// Invariant 4.
  private func coolOthers() {
    for _ in 0..<Self.cooledPages {
      coolingHand = coolingHand + 1 < usedPages ? coolingHand + 1 : 0
      let warmth = heat[coolingHand]
      if warmth > 0 && !copies.contains(page: coolingHand) { heat[coolingHand] = warmth - 1 }
    }
  }

  /// Gives a page its copy, unchanged.
  private func promote(_ page: Int) {
    if isGuarded { open(page) }
    // SAFETY: the page lies inside the mapping; what is stored back is what is there.
    unsafe csystem_touch(base + page << Arena.pageShift)
    if isGuarded { shut(page) }
    copies.insert(page: page)
    copyCount += 1
    counters.promoted += 1
  }

  // MARK: Figures

  public var statistics: ImageStatistics {
    let superblock = store.superblock
    let background = checkpointer.statistics.withLock { $0 }
    var figures = ImageStatistics()
    figures.epoch = superblock.epoch
    figures.lsn = superblock.lsn
    figures.checkpoints = background.checkpoints
    figures.failures = background.failures
    figures.lastError = background.lastError
    figures.lastDurationMicroseconds = background.lastDurationMicroseconds
    figures.lastFinishedMicroseconds = background.lastFinishedMicroseconds
    figures.lastPages = background.lastPages
    figures.lastChangedBytes = background.lastLines * ImageFormat.lineBytes
    figures.changedBytes = background.linesChanged * ImageFormat.lineBytes
    figures.journalBytes = background.journalBytes
    figures.imageBytes = background.imageBytes
    figures.punchedBytes = background.punchedPages << Arena.pageShift
    figures.imageFileBytes = store.image.count
    figures.isUnderWay = running != nil
    figures.stage = checkpointer.stageName
    figures.copiedBytes = copiedBytes
    figures.dirtyBytes = dirtyCount << Arena.pageShift
    figures.pendingBytes = (running?.pageCount ?? 0) << Arena.pageShift
    figures.firstWrites = counters.firstWrites
    figures.droppedPages = counters.dropped
    figures.promotedPages = counters.promoted
    figures.asidePages = counters.aside
    figures.barrierWaits = counters.waits
    figures.longestBarrierMicroseconds = counters.longestBarrierMicroseconds
    return figures
  }
}
