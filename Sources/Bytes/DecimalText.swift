// DecimalText: integers as decimal text, read by the one strict rule that Redis has for them: what
// is accepted is exactly what printing the integer would give.
//
// 1. No leading zeros, plus signs, spaces or "-0"; every value has one text.
// 2. Anything out of range, empty or longer than the longest number is refused, never clamped.

extension Span where Element == UInt8 {
  /// The bytes as a signed 64-bit integer, or nil.
  @inlinable public func parseInteger() -> Int? { parseInteger(0..<count) }

  /// The bytes `range` as a signed 64-bit integer, or nil.
  @inlinable public func parseInteger(_ range: Range<Int>) -> Int? {
    guard let first = range.first else { return nil }
    guard self[first] == 45 else {
      guard let magnitude = parseUnsigned(range) else { return nil }
      return Int(exactly: magnitude)
    }
    guard let magnitude = parseUnsigned(first + 1..<range.upperBound), magnitude > 0,
      magnitude <= UInt64(1) << 63
    else { return nil }
    return Int(truncatingIfNeeded: 0 &- magnitude)
  }

  /// The bytes as an unsigned 64-bit integer, or nil.
  @inlinable public func parseUnsigned() -> UInt64? { parseUnsigned(0..<count) }

  /// The bytes `range` as an unsigned 64-bit integer, or nil.
  @inlinable public func parseUnsigned(_ range: Range<Int>) -> UInt64? {
    guard !range.isEmpty, range.count <= 20 else { return nil }
    let text = extracting(range)
    var value = UInt64(text[0] &- 48)
    guard value <= 9, value > 0 || text.count == 1 else { return nil }
    // The first nineteen digits cannot overflow; only a twentieth needs the checks.
    let safe = min(text.count, 19)
    var index = 1
    while index < safe {
      let digit = text[index] &- 48
      guard digit <= 9 else { return nil }
      value = value &* 10 &+ UInt64(digit)
      index += 1
    }
    guard text.count == 20 else { return value }
    let digit = text[19] &- 48
    let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
    return digit <= 9 && !overflow && !carry ? sum : nil
  }
}
