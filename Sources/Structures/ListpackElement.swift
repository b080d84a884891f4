// ListpackElement: one element of a listpack, read or about to be written: a string or an integer.
// Encodings: Listpack.swift.
//
// 1. A text that is an integer, written as printing it would write it, is that integer.

import Bytes

@frozen public struct ListpackElement: ~Escapable {
  public let isInteger: Bool
  /// The integer; 0 for a string.
  public let integer: Int
  /// The string; empty for an integer.
  public let string: Span<UInt8>

  @_lifetime(immortal)
  @inlinable public init(integer: Int) {
    isInteger = true
    self.integer = integer
    string = Span()
  }

  /// A string, even if it spells an integer.
  @_lifetime(copy text)
  @inlinable public init(text: Span<UInt8>) {
    isInteger = false
    integer = 0
    string = text
  }

  /// A string, or the integer that it spells (invariant 1).
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    if bytes.count <= 20, bytes.count > 0, bytes[0] <= 0x39, let integer = bytes.parseInteger() {
      isInteger = true
      self.integer = integer
      string = Span()
    } else {
      isInteger = false
      integer = 0
      string = bytes
    }
  }

  /// The length of the string or of the integer's text.
  @inlinable public var textCount: Int { isInteger ? decimalCount(integer) : string.count }

  /// Whether both spell the same.
  @inlinable public func equals(_ other: borrowing ListpackElement) -> Bool {
    if isInteger && other.isInteger { return integer == other.integer }
    // By invariant 1 an integer and a string differ, but a foreign listpack may break it.
    if isInteger { return other.string.isText(of: integer) }
    if other.isInteger { return string.isText(of: other.integer) }
    return string.equals(other.string)
  }

  // MARK: Encoding

  /// The bytes that the element takes in a listpack.
  @inlinable public var encodedCount: Int {
    let body = bodyCount
    return body &+ Self.backwardCount(body)
  }

  @inlinable var bodyCount: Int {
    guard isInteger else {
      let count = string.count
      return count &+ (count < 64 ? 1 : count < 4096 ? 2 : 5)
    }
    let width = integerWidth
    return width == 0 ? (integer >= 0 && integer < 128 ? 1 : 2) : 1 &+ width
  }

  /// The bytes behind the head, or 0 when the integer is part of it.
  @inlinable var integerWidth: Int {
    if integer >= -4096 && integer < 4096 { return 0 }
    if integer >= -(1 << 15) && integer < 1 << 15 { return 2 }
    if integer >= -(1 << 23) && integer < 1 << 23 { return 3 }
    return integer >= -(1 << 31) && integer < 1 << 31 ? 4 : 8
  }

  /// The bytes of a backward length. The borders are the format's own.
  @inlinable static func backwardCount(_ body: Int) -> Int {
    if body <= 127 { return 1 }
    if body < 16_383 { return 2 }
    if body < 2_097_151 { return 3 }
    return body < 268_435_455 ? 4 : 5
  }

  /// Writes the whole element, `encodedCount` bytes, to `target` at `offset`.
  @inlinable public func encode(into target: inout MutableSpan<UInt8>, at offset: Int) {
    let body = bodyCount
    if isInteger {
      encodeInteger(into: &target, at: offset)
    } else {
      let count = string.count
      if count < 64 {
        target[offset] = 0x80 | UInt8(truncatingIfNeeded: count)
      } else if count < 4096 {
        target[offset] = 0xE0 | UInt8(truncatingIfNeeded: count &>> 8)
        target[offset &+ 1] = UInt8(truncatingIfNeeded: count)
      } else {
        target[offset] = 0xF0
        target.storeLittleEndian(count, at: offset &+ 1, count: 4)
      }
      target.copy(string, at: offset &+ body &- count)
    }
    let back = Self.backwardCount(body)
    var rest = body
    for index in 0..<back {
      let mark: UInt8 = index == back &- 1 ? 0 : 128
      target[offset &+ body &+ back &- 1 &- index] = UInt8(truncatingIfNeeded: rest & 127) | mark
      rest &>>= 7
    }
  }

  @inlinable func encodeInteger(into target: inout MutableSpan<UInt8>, at offset: Int) {
    let width = integerWidth
    if width > 0 {
      target[offset] = width == 8 ? 0xF4 : UInt8(truncatingIfNeeded: 0xEF &+ width)
      target.storeLittleEndian(integer, at: offset &+ 1, count: width)
    } else if integer >= 0 && integer < 128 {
      target[offset] = UInt8(truncatingIfNeeded: integer)
    } else {
      target[offset] = 0xC0 | UInt8(truncatingIfNeeded: integer &>> 8 & 31)
      target[offset &+ 1] = UInt8(truncatingIfNeeded: integer)
    }
  }
}

extension MutableSpan where Element == UInt8 {
  /// Stores the low `count` bytes of `value`, the lowest first.
  @inlinable mutating func storeLittleEndian(_ value: Int, at offset: Int, count: Int) {
    var rest = value
    for index in 0..<count {
      self[offset &+ index] = UInt8(truncatingIfNeeded: rest)
      rest &>>= 8
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether both are the same bytes.
  @inlinable public func equals(_ other: borrowing Span<UInt8>) -> Bool {
    let length = count
    guard length == other.count else { return false }
    // SAFETY: both sides are `length` bytes long.
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in
        guard let a = mine.baseAddress, let b = theirs.baseAddress else { return true }
        return unsafe equalBytes(a, b, length)
      }
    }
  }

  @inlinable func isText(of integer: Int) -> Bool {
    guard count == decimalCount(integer) else { return false }
    return equals(IntegerText(integer).span)
  }
}
