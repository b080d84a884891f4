// Checkpoint: one epoch on its way into the image, as the owner and the checkpointer share it.
//
//   a page of the epoch:   waiting ──► taking ──► taken           by the checkpointer
//                             └──────► aside                      by the owner's barrier
//
// 1. `pages` does not change while the checkpoint is under way. A page of it whose byte says
//    `waiting` still is what it was at the flip; whoever changes the byte first copies it.
// 2. The owner writes to a page of `pages` only once its byte says `taken` or `aside`.
// 3. The bytes return to `waiting` after the owner has seen the outcome: from then on it does not
//    look at them until the next checkpoint begins, and that waits for the last byte.

import Memory
import Synchronization

enum PageState {
  static let waiting: UInt8 = 0
  static let taking: UInt8 = 1
  static let taken: UInt8 = 2
  static let aside: UInt8 = 3
}

final class Checkpoint: @unchecked Sendable {
  enum Outcome: UInt8, AtomicRepresentable {
    case underWay, finished, abandoned
  }

  let superblock: Superblock
  /// What the epoch wrote.
  let pages: DirtyPages
  let pageCount: Int
  /// Free pages that were given back: holes to punch. The owner's again after the outcome.
  var freed: DirtyPages
  let startedMicroseconds: Int64
  let outcome = Atomic<Outcome>(.underWay)
  /// Set by the owner, once it has seen the outcome (invariant 3).
  let isAcknowledged = Atomic(false)

  init(
    _ superblock: Superblock, pages: consuming DirtyPages, pageCount: Int,
    freed: consuming DirtyPages, startedMicroseconds: Int64
  ) {
    self.superblock = superblock
    self.pages = pages
    self.pageCount = pageCount
    self.freed = freed
    self.startedMicroseconds = startedMicroseconds
  }
}

/// A page's content, set aside.
@safe struct AsideCopy: @unchecked Sendable {
  let page: Int
  let content: UnsafeMutableRawPointer
}

/// Copies of pages that the owner made, on their way to the checkpointer.
final class AsideQueue: Sendable {
  private struct State {
    var waiting: [AsideCopy] = []
    var free: [AsideCopy] = []
  }

  /// Free copies that are kept for the next ones.
  private static let freeLimit = 1024
  private let state = Mutex(State())

  deinit {
    state.withLock { state in
      // SAFETY: the queue's own memory, which nobody uses any more.
      for copy in state.waiting + state.free { unsafe copy.content.deallocate() }
    }
  }

  /// Copies the page at `content` and appends it.
  @unsafe func append(page: Int, _ content: UnsafeRawPointer) {
    let reused = state.withLock { $0.free.popLast() }
    let copy = unsafe reused?.content ?? .allocate(byteCount: 4096, alignment: 64)
    unsafe copy.copyMemory(from: content, byteCount: 4096)
    let entry = unsafe AsideCopy(page: page, content: copy)
    state.withLock { $0.waiting.append(entry) }
  }

  /// Takes all copies that wait.
  func take() -> [AsideCopy] {
    state.withLock { state in
      var taken: [AsideCopy] = []
      swap(&taken, &state.waiting)
      return taken
    }
  }

  /// The copies are done with.
  func giveBack(_ copies: [AsideCopy]) {
    guard !copies.isEmpty else { return }
    state.withLock { state in
      for copy in copies {
        if state.free.count < Self.freeLimit {
          state.free.append(copy)
        } else {
          // SAFETY: the copy was allocated by `append` and nobody reads it any more.
          unsafe copy.content.deallocate()
        }
      }
    }
  }
}
