// BitKernels: the loops under BITCOUNT, BITPOS and BITOP, eight bytes at a time.
//
//   bit    0 1 2 3 4 5 6 7 | 8 9 ...
//   byte   0 (bit 0 is 0x80)| 1 ...
//
// 1. Bits are counted as Redis counts them: the most significant bit of byte 0 is bit 0.
// 2. Nothing outside the spans is looked at; a shorter operand of `formAnd` and its sisters is
//    continued with zeros, as BITOP does.

import CSystem

extension Span where Element == UInt8 {
  /// How many bits are set.
  @inlinable public var nonzeroBitCount: Int {
    // SAFETY: the C function reads exactly the bytes of the buffer.
    unsafe withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe csystem_count_ones(base, buffer.count)
    }
  }

  /// The first bit that is `value`; nil when there is none in the span.
  @inlinable public func firstBit(_ value: Bool) -> Int? {
    let flip: UInt64 = value ? 0 : .max
    var offset = 0
    while count - offset >= 8 {
      let word = self.word(at: offset) ^ flip
      if word != 0 { return offset * 8 + word.byteSwapped.leadingZeroBitCount }
      offset += 8
    }
    while offset < count {
      let byte = self[offset] ^ UInt8(truncatingIfNeeded: flip)
      if byte != 0 { return offset * 8 + byte.leadingZeroBitCount }
      offset += 1
    }
    return nil
  }
}

extension MutableSpan where Element == UInt8 {
  /// Keeps the bits that `other` has too; clears all beyond its end.
  public mutating func formAnd(_ other: borrowing Span<UInt8>) {
    combine(other) { $0 & $1 }
    for index in Swift.min(count, other.count)..<count { self[index] = 0 }
  }

  /// Sets the bits that `other` has set.
  public mutating func formOr(_ other: borrowing Span<UInt8>) {
    combine(other) { $0 | $1 }
  }

  /// Flips the bits that `other` has set.
  public mutating func formXor(_ other: borrowing Span<UInt8>) {
    combine(other) { $0 ^ $1 }
  }

  /// Flips every bit.
  public mutating func invert() {
    // SAFETY: every access lies in 0..<buffer.count by the loops' conditions.
    unsafe withUnsafeMutableBytes { buffer in
      var offset = 0
      while buffer.count - offset >= 8 {
        let word = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        unsafe buffer.storeBytes(of: ~word, toByteOffset: offset, as: UInt64.self)
        offset += 8
      }
      while offset < buffer.count {
        unsafe buffer[offset] = ~buffer[offset]
        offset += 1
      }
    }
  }

  @inline(__always) private mutating func combine(
    _ other: borrowing Span<UInt8>, _ operation: (UInt64, UInt64) -> UInt64
  ) {
    let length = Swift.min(count, other.count)
    // SAFETY: every access lies in 0..<length, inside both buffers, by the loops' conditions.
    unsafe other.withUnsafeBytes { source in
      unsafe withUnsafeMutableBytes { target in
        var offset = 0
        while length - offset >= 8 {
          let a = unsafe target.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          let b = unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          unsafe target.storeBytes(of: operation(a, b), toByteOffset: offset, as: UInt64.self)
          offset += 8
        }
        while offset < length {
          let byte = unsafe operation(UInt64(target[offset]), UInt64(source[offset]))
          unsafe target[offset] = UInt8(truncatingIfNeeded: byte)
          offset += 1
        }
      }
    }
  }
}
