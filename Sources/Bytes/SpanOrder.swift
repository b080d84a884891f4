// SpanOrder: the order of texts by their bytes, a prefix before what it begins.

extension Span where Element == UInt8 {
  /// Negative, zero or positive as these bytes come before the others, equal them or come after.
  @inlinable public func compare(_ other: borrowing Span<UInt8>) -> Int {
    let shorter = Swift.min(count, other.count)
    var offset = 0
    while offset &+ 8 <= shorter {
      let mine = word(at: offset)
      let theirs = other.word(at: offset)
      if mine != theirs { return mine.byteSwapped < theirs.byteSwapped ? -1 : 1 }
      offset &+= 8
    }
    while offset < shorter {
      if self[offset] != other[offset] { return self[offset] < other[offset] ? -1 : 1 }
      offset &+= 1
    }
    return count &- other.count
  }
}
