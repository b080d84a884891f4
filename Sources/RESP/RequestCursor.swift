// RequestParser.Cursor: the position while `next` runs, kept in registers.
//
//   *3\r\n   $3\r\n SET\r\n   $1\r\n k\r\n
//   ▲        ▲      ▲
//   arrayHeader     position once bulkLength is known
//            bulkHeader
//
// 1. `position` never passes the end of `bytes`.
// 2. `bulkLength` is -1 exactly when `position` is at a bulk's header.
//
// Nearly every header has one to three digits. It is read as one word of eight bytes; the words
// that do not fit that pattern, and the last bytes of the input, take the general way.

import Bytes

extension RequestParser {
  struct Cursor: ~Escapable {
    enum Stop {
      case complete, withinHeader, withinBulk
    }

    let bytes: Span<UInt8>
    var position: Int
    /// No line end lies between `position` and here.
    var scanned: Int
    var remaining = 0
    var bulkLength = -1
    var steps = 0

    @_lifetime(copy bytes)
    @inline(__always) init(bytes: Span<UInt8>, position: Int, scanned: Int) {
      self.bytes = bytes
      self.position = position
      self.scanned = scanned
    }

    /// Reads the array's header; nil when it has not all arrived.
    @inline(__always) @_lifetime(self: copy self)
    mutating func arrayHeader(_ limits: RequestLimits) throws(ProtocolError) -> Int? {
      let count: Int
      if let short = shortHeader(0x2A) {
        count = short
      } else {
        guard let long = try longArrayHeader() else { return nil }
        count = long
      }
      guard limits.isAuthenticated || count <= RequestLimits.maxUnauthenticatedArguments else {
        throw ProtocolError(.unauthenticatedMultibulk)
      }
      return count
    }

    /// Reads as many of the remaining arguments as have arrived. Their ranges count from `base`.
    @inline(__always) @_lifetime(self: copy self)
    mutating func arguments(
      _ limits: RequestLimits, base: Int, into ranges: inout ArgumentList
    ) throws(ProtocolError) -> Stop {
      let maxLength =
        limits.isAuthenticated
        ? limits.maxBulkLength
        : min(limits.maxBulkLength, RequestLimits.maxUnauthenticatedBulkLength)
      while true {
        if bulkLength < 0 {
          if let short = shortHeader(0x24) {
            bulkLength = short
          } else {
            guard let long = try longBulkHeader() else { return .withinHeader }
            bulkLength = long
          }
          if bulkLength > maxLength { throw refusal(limits) }
        }
        step()
        let available = bytes.count - position
        if available - 2 < bulkLength { return .withinBulk }
        ranges.append(ArgumentRange(offset: position - base, count: bulkLength))
        position += bulkLength + 2
        bulkLength = -1
        remaining -= 1
        if remaining == 0 { return .complete }
      }
    }

    /// Why a bulk's length is over the limit.
    private func refusal(_ limits: RequestLimits) -> ProtocolError {
      ProtocolError(
        bulkLength > limits.maxBulkLength ? .invalidBulkLength : .unauthenticatedBulk)
    }

    /// The number of a header of one to three digits without leading zeros, such as "$16\r\n".
    @inline(__always) @_lifetime(self: copy self)
    private mutating func shortHeader(_ type: UInt8) -> Int? {
      guard bytes.count - position >= 8 else { return nil }
      let word = bytes.word(at: position)
      guard UInt8(truncatingIfNeeded: word) == type else { return nil }
      let digit = UInt8(truncatingIfNeeded: word >> 8) &- 48
      let second = UInt8(truncatingIfNeeded: word >> 16)
      if second == 13 && digit <= 9 {
        position += 4
        return Int(digit)
      }
      let third = UInt8(truncatingIfNeeded: word >> 24)
      guard digit &- 1 < 9, second &- 48 <= 9 else { return nil }
      let tens = Int(digit) &* 10 &+ Int(second &- 48)
      if third == 13 {
        position += 5
        return tens
      }
      guard third &- 48 <= 9, UInt8(truncatingIfNeeded: word >> 32) == 13 else { return nil }
      position += 6
      return tens &* 10 &+ Int(third &- 48)
    }

    @inline(never) @_lifetime(self: copy self)
    private mutating func longArrayHeader() throws(ProtocolError) -> Int? {
      guard let end = try header(.multibulkHeaderTooLong) else { return nil }
      guard let count = bytes.parseInteger(position + 1..<end), count <= Int32.max else {
        throw ProtocolError(.invalidMultibulkLength)
      }
      position = end + 2
      return count
    }

    @inline(never) @_lifetime(self: copy self)
    private mutating func longBulkHeader() throws(ProtocolError) -> Int? {
      guard let end = try header(.bulkHeaderTooLong) else { return nil }
      guard bytes[position] == 0x24 else {
        throw ProtocolError(.expectedDollar, found: bytes[position])
      }
      guard let length = bytes.parseInteger(position + 1..<end), length >= 0 else {
        throw ProtocolError(.invalidBulkLength)
      }
      position = end + 2
      return length
    }

    /// Where the header's CR is, once the byte after it is there too.
    @_lifetime(self: copy self)
    private mutating func header(_ tooLong: ProtocolError.Reason) throws(ProtocolError) -> Int? {
      guard let end = try line(endingIn: 13, tooLong), end + 1 < bytes.count else { return nil }
      return end
    }

    /// Where the line at `position` ends. The length is limited whether or not the end has
    /// arrived, so that the answer does not depend on how the input was cut.
    @_lifetime(self: copy self)
    mutating func line(
      endingIn terminator: UInt8, _ tooLong: ProtocolError.Reason
    ) throws(ProtocolError) -> Int? {
      var index = max(position, scanned)
      let limit = min(bytes.count, position + RequestLimits.maxLineLength + 1)
      while index < limit, bytes[index] != terminator, bytes[index] != 0 {
        index += 1
        step()
      }
      step()
      scanned = index
      if index < limit && bytes[index] == terminator { return index }
      guard bytes.count - position <= RequestLimits.maxLineLength else {
        throw ProtocolError(tooLong)
      }
      return nil
    }

    @inline(__always) @_lifetime(self: copy self)
    private mutating func step() {
      #if DEBUG
        steps += 1
      #endif
    }
  }
}
