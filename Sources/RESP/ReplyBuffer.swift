// ReplyBuffer: replies in the client's RESP version, appended as bytes.
//
// 1. Every method appends exactly one complete reply, or the header of an aggregate whose
//    elements the caller appends next.
// 2. The types that only RESP3 has degrade as Redis degrades them: map → flat array, set → array,
//    double and big number → bulk string, null → $-1 or *-1, boolean → :0 or :1.

import Bytes

public enum RESPVersion: UInt8, Sendable {
  case two = 2
  case three = 3
}

@frozen public struct ReplyBuffer: ~Copyable {
  public var bytes: ByteBuffer
  public var version: RESPVersion

  public init(version: RESPVersion = .two) {
    bytes = ByteBuffer()
    self.version = version
  }

  @inlinable public mutating func ok() { bytes.append("+OK\r\n") }

  /// A simple string; `text` has no CR or LF.
  @inlinable public mutating func simple(_ text: StaticString) {
    bytes.append(0x2B)
    bytes.append(text)
    endLine()
  }

  public mutating func simple(_ text: String) {
    bytes.append(0x2B)
    bytes.append(text)
    endLine()
  }

  /// An error: `text` is the whole line with its code, such as "ERR syntax error"; CR and LF in it
  /// become spaces.
  public mutating func error(_ text: String) {
    bytes.append(0x2D)
    for byte in text.utf8 { bytes.append(byte == 13 || byte == 10 ? 32 : byte) }
    endLine()
  }

  @inlinable public mutating func integer(_ value: Int) {
    bytes.append(0x3A)
    bytes.append(decimal: value)
    endLine()
  }

  @inlinable public mutating func bulk(_ value: borrowing Span<UInt8>) {
    bytes.reserve(value.count + 32)
    header(0x24, value.count)
    bytes.append(value)
    endLine()
  }

  @inlinable public mutating func bulk(_ value: StaticString) {
    header(0x24, value.utf8CodeUnitCount)
    bytes.append(value)
    endLine()
  }

  public mutating func bulk(_ value: String) {
    header(0x24, value.utf8.count)
    bytes.append(value)
    endLine()
  }

  /// The integer's decimal text as a bulk string.
  public mutating func bulk(decimal value: Int) {
    header(0x24, decimalCount(value))
    bytes.append(decimal: value)
    endLine()
  }

  /// Null where a single value was expected.
  @inlinable public mutating func null() {
    if version == .three { bytes.append("_\r\n") } else { bytes.append("$-1\r\n") }
  }

  /// Null where an array was expected.
  @inlinable public mutating func nullArray() {
    if version == .three { bytes.append("_\r\n") } else { bytes.append("*-1\r\n") }
  }

  @inlinable public mutating func array(_ count: Int) { header(0x2A, count) }

  /// A map of `count` pairs.
  @inlinable public mutating func map(_ count: Int) {
    if version == .three { header(0x25, count) } else { header(0x2A, count * 2) }
  }

  @inlinable public mutating func set(_ count: Int) {
    header(version == .three ? 0x7E : 0x2A, count)
  }

  /// Puts the header of an array of `count` elements before what was appended since the reply had
  /// `mark` bytes, for elements that could not be counted before.
  public mutating func array(_ count: Int, before mark: Int) {
    var head = ReplyBuffer(version: version)
    head.array(count)
    bytes.insert(head.bytes.span, at: mark)
  }

  /// The same for a set.
  public mutating func set(_ count: Int, before mark: Int) {
    var head = ReplyBuffer(version: version)
    head.set(count)
    bytes.insert(head.bytes.span, at: mark)
  }

  /// An out-of-band message of `count` elements.
  @inlinable public mutating func push(_ count: Int) {
    header(version == .three ? 0x3E : 0x2A, count)
  }

  @inlinable public mutating func boolean(_ value: Bool) {
    if version == .three {
      bytes.append(value ? "#t\r\n" : "#f\r\n")
    } else {
      integer(value ? 1 : 0)
    }
  }

  /// A number whose decimal text is `text` (inf, -inf and nan included).
  public mutating func double(text: borrowing Span<UInt8>) {
    if version == .three {
      bytes.append(0x2C)
      bytes.append(text)
      endLine()
    } else {
      bulk(text)
    }
  }

  /// A number, printed as ZSCORE prints it.
  public mutating func double(_ value: Double) {
    if version == .three {
      bytes.append(0x2C)
      bytes.append(double: value)
      return endLine()
    }
    let mark = bytes.count
    bytes.append(double: value)
    let count = bytes.count - mark
    endLine()
    // The length is known last: at most 25 bytes move.
    var head = InlineArray<5, UInt8>(repeating: 0x24)
    var length = 1
    if count > 9 {
      head[length] = 0x30 + UInt8(truncatingIfNeeded: count / 10)
      length += 1
    }
    head[length] = 0x30 + UInt8(truncatingIfNeeded: count % 10)
    head[length + 1] = 13
    head[length + 2] = 10
    bytes.insert(head.span.extracting(0..<(length + 3)), at: mark)
  }

  /// An integer of any size as decimal text.
  public mutating func bigNumber(_ text: String) {
    if version == .three {
      bytes.append(0x28)
      bytes.append(text)
      endLine()
    } else {
      bulk(text)
    }
  }

  /// Text with a three-letter format, "txt" or "mkd".
  public mutating func verbatim(_ text: String, format: StaticString = "txt") {
    guard version == .three else { return bulk(text) }
    header(0x3D, text.utf8.count + 4)
    bytes.append(format)
    bytes.append(0x3A)
    bytes.append(text)
    endLine()
  }

  @inlinable mutating func header(_ type: UInt8, _ count: Int) {
    bytes.append(type)
    bytes.append(decimal: count)
    endLine()
  }

  @inlinable mutating func endLine() {
    bytes.append(13)
    bytes.append(10)
  }
}
