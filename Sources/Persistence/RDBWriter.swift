// RDBWriter: the pieces that RDB payloads are made of, appended as bytes.
//
//   length   00nnnnnn | 01nnnnnn n | 0x80 n4 | 0x81 n8        n from the highest byte on
//   string   length, bytes
//            0xC0 n1 | 0xC1 n2 | 0xC2 n4                      an integer, from the lowest byte on
//            0xC3 length, length, bytes                       LZF: compressed length, length
//   double   8 bytes, from the lowest on
//
// 1. A string is written in the shortest of its forms, as Redis does.

import Bytes

public struct RDBWriter: ~Copyable {
  public var bytes = ByteBuffer()
  /// Whether longer strings are compressed (rdbcompression).
  public var compresses = true
  /// Compressed bytes, until their length is known.
  private var scratch = ByteBuffer()

  public init() {}

  public mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  public mutating func length(_ count: Int) { length(UInt64(count)) }

  public mutating func length(_ count: UInt64) {
    if count < 1 << 6 {
      bytes.append(UInt8(count))
    } else if count < 1 << 14 {
      bytes.append(0x40 | UInt8(count >> 8))
      bytes.append(UInt8(truncatingIfNeeded: count))
    } else if count <= UInt32.max {
      bytes.append(0x80)
      big(count, 4)
    } else {
      bytes.append(0x81)
      big(count, 8)
    }
  }

  public mutating func string(_ text: borrowing Span<UInt8>) {
    if text.count <= 11, let integer = text.parseInteger(), small(integer) { return }
    if compresses && text.count > 20 {
      scratch.removeAll()
      let count = LZF.compress(text, into: &scratch)
      if count > 0 {
        bytes.append(0xC3)
        length(count)
        length(text.count)
        Self.append(scratch, to: &bytes)
        return
      }
    }
    length(text.count)
    bytes.append(text)
  }

  /// The integer's text.
  public mutating func string(decimal integer: Int) {
    if small(integer) { return }
    length(decimalCount(integer))
    bytes.append(decimal: integer)
  }

  public mutating func double(_ value: Double) { little(value.bitPattern, 8) }

  /// Milliseconds since 1970.
  public mutating func time(_ milliseconds: Int) {
    little(UInt64(bitPattern: Int64(milliseconds)), 8)
  }

  public mutating func little(_ value: UInt64, _ count: Int) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }

  public mutating func big(_ value: UInt64, _ count: Int) {
    for index in (0..<count).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
  }

  private static func append(_ source: borrowing ByteBuffer, to target: inout ByteBuffer) {
    target.append(source.span)
  }

  /// The integer in its short form, if it has one.
  private mutating func small(_ integer: Int) -> Bool {
    let bits = UInt64(bitPattern: Int64(integer))
    if Int8(exactly: integer) != nil {
      bytes.append(0xC0)
      little(bits, 1)
    } else if Int16(exactly: integer) != nil {
      bytes.append(0xC1)
      little(bits, 2)
    } else if Int32(exactly: integer) != nil {
      bytes.append(0xC2)
      little(bits, 4)
    } else {
      return false
    }
    return true
  }
}
