// ListpackWriter: builds a listpack in memory, element after element, for whoever then stores it as
// a whole.

import Bytes

public struct ListpackWriter: ~Copyable {
  private var buffer = ByteBuffer()
  /// Elements written so far.
  public private(set) var count = 0

  public init() {
    buffer.append(Listpack.empty.span)
  }

  /// The bytes that the list takes so far.
  public var byteCount: Int { buffer.count }

  public mutating func append(_ element: borrowing ListpackElement) {
    let length = element.encodedCount
    // The terminator moves to the new end.
    buffer.truncate(to: buffer.count - 1)
    buffer.reserve(length + 1)
    // SAFETY: `reserve` made that much room, and all of it is written before it is committed.
    var room = unsafe MutableSpan<UInt8>(_unsafeBytes: buffer.freeSpace())
    element.encode(into: &room, at: 0)
    room[length] = 0xFF
    unsafe buffer.commit(length + 1)
    count += 1
  }

  /// The list as it stands. Its header is made true first.
  public var bytes: Span<UInt8> {
    @_lifetime(&self) mutating get {
      buffer.overwrite(at: 0, Listpack.header(byteCount: buffer.count, count: count).span)
      return buffer.span
    }
  }

  /// Begins anew, keeping the memory.
  public mutating func removeAll() {
    buffer.removeAll()
    buffer.append(Listpack.empty.span)
    count = 0
  }
}

extension Listpack {
  static func header(byteCount: Int, count: Int) -> InlineArray<6, UInt8> {
    let count = min(count, unknownCount)
    return [
      UInt8(truncatingIfNeeded: byteCount), UInt8(truncatingIfNeeded: byteCount >> 8),
      UInt8(truncatingIfNeeded: byteCount >> 16), UInt8(truncatingIfNeeded: byteCount >> 24),
      UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8),
    ]
  }
}
