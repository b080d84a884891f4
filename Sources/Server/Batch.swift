// Batch: the requests of one turn, parsed and ready to execute in order.
//
//   requests  | client 3: GET | client 3: SET | client 7: GET | ...
//   ranges      ▲ first, count: the arguments, as offsets into the client's input
//
// 1. Requests of one client stand together and in order.
// 2. Ranges of an inline request refer to `inlineText`, all others to their client's input, which
//    loses nothing before the batch has been executed.

import Bytes
import Commands
import RESP

struct Request: BitwiseCopyable {
  var slot: Int32
  /// `CommandID.rawValue`, or `Request.unknown`.
  var command: UInt16
  var isInline: Bool
  /// Whether `hash` is the first key's.
  var hasKey: Bool
  /// The argument that was read into its final place; -1 for none.
  var placed: Int32
  var firstRange: Int32
  var rangeCount: Int32
  /// The request's bytes in the input.
  var start: Int
  var end: Int
  var hash: UInt64

  static var unknown: UInt16 { .max }
}

struct Batch: ~Copyable {
  /// How many requests are executed together: enough for their cache misses to overlap, few
  /// enough for what was prefetched to stay in the cache.
  static var capacity: Int { 128 }

  var requests = GrowableArray<Request>()
  var ranges = ArgumentList()
  var inlineText = ByteBuffer()

  init() {}

  mutating func removeAll() {
    requests.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: ranges.capacity <= 1 << 16)
    inlineText.removeAll()
    if inlineText.capacity > 1 << 16 { inlineText.release() }
  }
}
