// Words: eight bytes of a span at a time, bounds-checked once.

extension Span where Element == UInt8 {
  /// The eight bytes at `offset`, the first one lowest.
  @inlinable public func word(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= count - 8)
    // SAFETY: offset..<offset + 8 lies inside the span by the line above.
    let word = unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: offset, as: UInt64.self)
    return UInt64(littleEndian: word)
  }
}
