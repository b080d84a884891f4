// Transaction: what a client has queued since MULTI, and the keys that it watches.
//
//   free ──WATCH──► watching ──MULTI──► queueing ──EXEC, DISCARD──► free
//    └────────────────MULTI───────────────▲
//
// 1. A client has a transaction (its number is in `Client.transaction`) while it queues or watches,
//    or while a key that it watched has been touched.
// 2. Nothing more is queued, and nothing more watched, once the transaction is sure to fail.

import Bytes
import Commands
import Keyspace

struct Transaction: ~Copyable {
  var queue = RequestQueue()
  /// What the queued commands do, all together.
  var flags: CommandFlags = []
  /// The bytes of the watched keys.
  var watched = ByteBuffer()
  /// How many requests were queued: EXEC takes the queue away while it executes it.
  var count = 0

  init() {}

  /// The state of the key whose bytes are `range` of `watched`.
  func state(of range: Range<Int>, in keys: borrowing Keyspace, _ database: Int32) -> KeyState {
    keys.state(of: watched.span.extracting(range), database: Int(database))
  }
}

/// What the table of watched keys remembers of each.
struct WatchFlags: OptionSet, BitwiseCopyable {
  let rawValue: UInt8
  /// The key was there when WATCH was called.
  static var existed: WatchFlags { WatchFlags(rawValue: 1) }
  /// It was, but its deadline had passed.
  static var expired: WatchFlags { WatchFlags(rawValue: 2) }
}

/// Noncopyable values that come and go, by number; a freed number is given again.
struct Recycler<Element: ~Copyable>: ~Copyable {
  private var pool = Pool<Element>()
  private var free = GrowableArray<Int32>()

  init() {}

  var count: Int { pool.count - free.count }

  subscript(_ index: Int32) -> Element {
    _read { yield pool[Int(index)] }
    _modify { yield &pool[Int(index)] }
  }

  mutating func take(_ make: () -> Element) -> Int32 {
    guard !free.isEmpty else { return Int32(pool.append(make())) }
    let index = free[free.count - 1]
    free.truncate(to: free.count - 1)
    return index
  }

  /// The value must be as good as new.
  mutating func giveBack(_ index: Int32) { free.append(index) }
}
