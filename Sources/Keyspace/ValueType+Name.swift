// ValueType's names, and names for what walks deal with, so that commands need not know Structures.

import Bytes
import Memory
import Structures

/// An entry that a walk has met: good until it is removed.
public typealias ScannedEntry = Ref<Entry>

/// The entries that a walk has met.
public typealias EntryList = GrowableArray<Ref<Entry>>

public typealias EntryView = Structures.EntryView

extension ValueType {
  /// As TYPE replies and SCAN's TYPE option asks.
  public var name: StaticString {
    switch self {
    case .string: "string"
    case .list: "list"
    case .set: "set"
    case .sortedSet: "zset"
    case .hash: "hash"
    case .stream: "stream"
    }
  }
}
