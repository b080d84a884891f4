// SpanCopy: copying one span's bytes into another's.

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
}
