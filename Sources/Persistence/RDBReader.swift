// RDBReader: takes RDB's pieces from bytes that nobody vouches for. The pieces: RDBWriter.
//
// 1. Nothing is read beyond the bytes, whatever they say; what does not fit is `corrupt`.
// 2. Memory is bounded by the bytes that are there: a count is refused when what it counts cannot
//    have a byte each, a compressed string when its bytes could not stand for so many.

import Bytes
import Keyspace

/// Why a payload cannot become a value.
public enum PayloadError: Error, Sendable {
  case corrupt
  /// A collection without elements, which no key can hold.
  case empty
  /// There is no memory for it.
  case failed(CommandError)
}

public struct RDBReader: ~Escapable {
  private let bytes: Span<UInt8>
  public private(set) var offset = 0

  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  public var left: Int { bytes.count - offset }

  @_lifetime(self: copy self)
  public mutating func byte() throws(PayloadError) -> UInt8 {
    guard offset < bytes.count else { throw .corrupt }
    offset += 1
    return bytes[offset - 1]
  }

  /// The next `count` bytes as they are.
  @_lifetime(copy self)
  public mutating func take(_ count: Int) throws(PayloadError) -> Span<UInt8> {
    guard count >= 0, count <= left else { throw .corrupt }
    offset += count
    return bytes.extracting((offset - count)..<offset)
  }

  @_lifetime(self: copy self)
  public mutating func little(_ count: Int) throws(PayloadError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
    return value
  }

  @_lifetime(self: copy self)
  public mutating func big(_ count: Int) throws(PayloadError) -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<count { value = value << 8 | UInt64(try byte()) }
    return value
  }

  /// A length, or any number that is written as one.
  @_lifetime(self: copy self)
  public mutating func length() throws(PayloadError) -> UInt64 {
    let first = try byte()
    guard first < 0xC0 else { throw .corrupt }
    return try length(first)
  }

  /// How many things follow, each of at least one byte.
  @_lifetime(self: copy self)
  public mutating func count() throws(PayloadError) -> Int {
    let count = try length()
    guard count <= UInt64(left) else { throw .corrupt }
    return Int(count)
  }

  private mutating func length(_ first: UInt8) throws(PayloadError) -> UInt64 {
    if first < 0x40 { return UInt64(first) }
    if first < 0x80 { return UInt64(first & 0x3F) << 8 | UInt64(try byte()) }
    if first == 0x80 { return try big(4) }
    guard first == 0x81 else { throw .corrupt }
    return try big(8)
  }

  /// Appends a string to `target`.
  @_lifetime(self: copy self)
  public mutating func string(into target: inout ByteBuffer) throws(PayloadError) {
    let first = try byte()
    switch first {
    case 0xC0:
      target.append(decimal: Int(Int8(truncatingIfNeeded: try little(1))))
    case 0xC1:
      target.append(decimal: Int(Int16(truncatingIfNeeded: try little(2))))
    case 0xC2:
      target.append(decimal: Int(Int32(truncatingIfNeeded: try little(4))))
    case 0xC3:
      let compressed = try length()
      let count = try length()
      guard let count = Int(exactly: count), let compressed = Int(exactly: compressed),
        LZF.decompress(try take(compressed), count: count, into: &target)
      else { throw .corrupt }
    case 0xC4...:
      throw .corrupt
    default:
      guard let count = Int(exactly: try length(first)) else { throw .corrupt }
      target.append(try take(count))
    }
  }

  /// Milliseconds since 1970.
  @_lifetime(self: copy self)
  public mutating func time() throws(PayloadError) -> Int {
    Int(Int64(bitPattern: try little(8)))
  }

  @_lifetime(self: copy self)
  public mutating func double() throws(PayloadError) -> Double {
    Double(bitPattern: try little(8))
  }

  /// A double as text, as versions before 8 have it.
  @_lifetime(self: copy self)
  public mutating func textDouble() throws(PayloadError) -> Double {
    let count = try byte()
    switch count {
    case 255: return -.infinity
    case 254: return .infinity
    case 253: return .nan
    default:
      guard let value = try take(Int(count)).parseDouble() else { throw .corrupt }
      return value
    }
  }
}
