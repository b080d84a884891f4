// Arguments: one request's words, as spans of the bytes they arrived in.
//
//   bytes   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n
//   ranges            4..7        13..14      20..25
//
// 1. Every range lies inside `bytes` (checked by `extracting`).
// 2. `request` is the verbatim RESP array, or empty when the client wrote an inline command; then
//    an effect has to be encoded anew.

import Bytes

/// Where one argument lies in the request's bytes. Offsets in bytes.
@frozen public struct ArgumentRange: BitwiseCopyable, Sendable {
  public var offset: UInt32
  public var count: UInt32

  @inlinable public init(offset: Int, count: Int) {
    self.offset = UInt32(truncatingIfNeeded: offset)
    self.count = UInt32(truncatingIfNeeded: count)
  }
}

/// A large argument that was read straight into its final place: which argument it is, its bytes,
/// and the number by which the keyspace knows the place.
@frozen public struct PlacedArgument: ~Escapable {
  public let index: Int
  public let token: UInt64
  public let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  @inlinable public init(index: Int, token: UInt64, bytes: Span<UInt8>) {
    self.index = index
    self.token = token
    self.bytes = bytes
  }
}

@frozen public struct Arguments: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>
  @usableFromInline let ranges: Span<ArgumentRange>
  /// The request exactly as it came, when it came as a RESP array and nothing was placed.
  public let request: Span<UInt8>
  @usableFromInline let placedBytes: Span<UInt8>
  @usableFromInline let placedIndex: Int
  @usableFromInline let placedToken: UInt64

  /// - Parameters:
  ///   - bytes: what the ranges point into.
  ///   - ranges: one per argument; the first is the command's name.
  ///   - request: the verbatim RESP array, or an empty span.
  @_lifetime(copy bytes, copy ranges, copy request)
  @inlinable public init(
    bytes: Span<UInt8>, ranges: Span<ArgumentRange>, request: Span<UInt8>
  ) {
    self.bytes = bytes
    self.ranges = ranges
    self.request = request
    placedBytes = Span()
    placedIndex = -1
    placedToken = 0
  }

  /// As above, with one argument placed elsewhere.
  @_lifetime(copy bytes, copy ranges, copy placed)
  @inlinable public init(
    bytes: Span<UInt8>, ranges: Span<ArgumentRange>, placed: PlacedArgument
  ) {
    self.bytes = bytes
    self.ranges = ranges
    request = Span()
    placedBytes = placed.bytes
    placedIndex = placed.index
    placedToken = placed.token
  }

  @inlinable public var count: Int { ranges.count }

  /// Argument `index`; 0 is the command's name.
  @inlinable public subscript(_ index: Int) -> Span<UInt8> {
    @_lifetime(copy self) get {
      if index == placedIndex { return placedBytes }
      let range = ranges[index]
      let first = Int(range.offset)
      return bytes.extracting(first..<(first + Int(range.count)))
    }
  }

  /// The place that argument `index` was read into, if it was large.
  @inlinable public func place(_ index: Int) -> UInt64? {
    index == placedIndex ? placedToken : nil
  }
}
