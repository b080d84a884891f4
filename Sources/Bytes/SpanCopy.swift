// SpanCopy: copying one span's bytes into another's, and moving bytes within one.

extension MutableSpan where Element == UInt8 {
  /// Overwrites the first bytes with those of `source`, which must not be longer.
  @inlinable public mutating func copy(_ source: borrowing Span<UInt8>) {
    precondition(source.count <= count)
    // SAFETY: the line above; two owners' spans, or an owner's and a mutable one, never overlap.
    unsafe source.withUnsafeBytes { from in
      guard let address = from.baseAddress else { return }
      unsafe withUnsafeMutableBytes { target in
        guard let base = target.baseAddress else { return }
        unsafe base.copyMemory(from: address, byteCount: from.count)
      }
    }
  }

  /// Overwrites the bytes from `offset` on with those of `source`, which fit there.
  @inlinable public mutating func copy(_ source: borrowing Span<UInt8>, at offset: Int) {
    precondition(offset >= 0 && source.count <= count &- offset)
    // SAFETY: as above, with the line before.
    unsafe source.withUnsafeBytes { from in
      guard let address = from.baseAddress else { return }
      unsafe withUnsafeMutableBytes { target in
        guard let base = target.baseAddress else { return }
        unsafe (base + offset).copyMemory(from: address, byteCount: from.count)
      }
    }
  }

  /// Copies the bytes `range` to `offset`; the two places may overlap.
  @inlinable public mutating func move(_ range: Range<Int>, to offset: Int) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    precondition(offset >= 0 && range.count <= count &- offset)
    // SAFETY: both places lie inside the span by the lines above; memmove handles the overlap.
    unsafe withUnsafeMutableBytes { target in
      guard let base = target.baseAddress else { return }
      unsafe (base + offset).copyMemory(
        from: base + range.lowerBound, byteCount: range.count)
    }
  }
}
