// What INFO tells of values that are freed in the background (lazyfreed_objects).
//
// 1. A large value is always freed in slices between commands, whatever removed it. Counted is what
//    Redis' background thread would free: values of more than 64 pieces that UNLINK removes, or
//    anything else that a lazyfree directive speaks of, and all keys of a database that is flushed
//    with ASYNC. They count when they are removed.

import Memory
import Structures

/// Why a value goes: UNLINK, and those of the lazyfree directives that are on.
public struct LazyFree: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let unlink = LazyFree(rawValue: 1 << 0)
  public static let userDelete = LazyFree(rawValue: 1 << 1)
  public static let serverDelete = LazyFree(rawValue: 1 << 2)
  public static let expire = LazyFree(rawValue: 1 << 3)
  public static let eviction = LazyFree(rawValue: 1 << 4)
}

extension Keyspace {
  /// A value of at most so many pieces is freed at once by Redis.
  private static var smallPieces: Int { 64 }

  /// Counts a value that is about to be discarded.
  mutating func countLazyFree(_ entry: Ref<Entry>, _ reason: LazyFree) {
    if lazyFree.isDisjoint(with: reason) { return }
    if arena.pieces(entry) > Self.smallPieces { statistics.lazyFreedObjects &+= 1 }
  }
}
