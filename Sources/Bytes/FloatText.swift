// FloatText: floating-point numbers as text, in Redis 7.2's forms.
//
// 1. Reading takes the whole text by strtod's grammar (decimal, hexadecimal, inf) without leading
//    space; NaN and what overflows or vanishes is refused.
// 2. A double prints as the integer it is up to 2^62, and otherwise as in
//
//      0.00000015   1.5e-8   1234.5   1e+20
//
// 3. Where Redis prints all seventeen digits that tell doubles apart (ZSCAN, DEBUG DIGEST) we do.
// 4. The extended type prints as INCRBYFLOAT does: 17 decimals without trailing zeros, never an
//    exponent.

import CSystem

/// The widest type for INCRBYFLOAT: 80 bits where the processor has them, as C's long double.
#if arch(x86_64)
  public typealias ExtendedFloat = Float80
#else
  public typealias ExtendedFloat = Double
#endif

extension Span where Element == UInt8 {
  /// The bytes as a double, or nil.
  public func parseDouble() -> Double? {
    if let value = plainDecimal() { return value }
    var value = 0.0
    // SAFETY: the C function reads exactly the bytes of the buffer.
    let isNumber = unsafe withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return false }
      return unsafe csystem_parse_double(base, buffer.count, &value) != 0
    }
    return isNumber ? value : nil
  }

  /// The bytes as the widest floating-point type, or nil.
  public func parseExtended() -> ExtendedFloat? {
    var value: ExtendedFloat = 0
    // SAFETY: the C function reads exactly the bytes of the buffer.
    let isNumber = unsafe withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return false }
      return unsafe csystem_parse_extended(base, buffer.count, &value) != 0
    }
    return isNumber ? value : nil
  }

  /// Up to fifteen digits with at most one point, which nearly every number is: both the digits and
  /// the power of ten are exact doubles, so that one division rounds correctly.
  private func plainDecimal() -> Double? {
    var index = 0
    let isNegative = count > 0 && self[0] == 0x2D
    if isNegative { index = 1 }
    guard count > index, count - index <= 16 else { return nil }
    var digits = 0
    var point = -1
    var significand: UInt64 = 0
    while index < count {
      let byte = self[index]
      index += 1
      if byte == 0x2E && point < 0 {
        point = digits
      } else {
        guard byte &- 48 <= 9 else { return nil }
        significand = significand &* 10 &+ UInt64(byte &- 48)
        digits += 1
      }
    }
    guard digits > 0, digits <= 15 else { return nil }
    var divisor = 1.0
    if point >= 0 { for _ in point..<digits { divisor *= 10 } }
    let value = Double(significand) / divisor
    return isNegative ? -value : value
  }
}

extension ByteBuffer {
  /// Appends `value` as ZSCORE prints it: at most 25 bytes.
  public mutating func append(double value: Double) {
    guard value.isFinite else {
      if value.isNaN { append("nan") } else { append(value < 0 ? "-inf" : "inf") }
      return
    }
    let magnitude = value.magnitude
    if magnitude <= 0x1p62 && magnitude == Double(Int(magnitude)) && value != 0 {
      append(decimal: Int(value))
      return
    }
    if value.sign == .minus { append(0x2D) }
    if value == 0 {
      append(0x30)
    } else {
      append(digits: ShortestDigits(magnitude))
    }
  }

  /// Appends `value` with seventeen significant digits, as printf's %.17g does.
  public mutating func append(seventeenDigits value: Double) {
    append(value, style: 0x67, precision: 17)
  }

  /// Appends `value` with so many decimals, at most 17, as printf's %f does.
  public mutating func append(_ value: Double, decimals: Int) {
    append(value, style: 0x66, precision: decimals)
  }

  private mutating func append(_ value: Double, style: CChar, precision: Int) {
    // The longest: 309 digits, a sign, a point, 17 decimals and C's final zero.
    var text = InlineArray<352, UInt8>(repeating: 0)
    var span = text.mutableSpan
    // SAFETY: the C function writes at most `count` bytes and says how many.
    let count = unsafe span.withUnsafeMutableBufferPointer { buffer in
      unsafe Int(
        csystem_format_double(
          value, style, Int32(precision), buffer.baseAddress, buffer.count))
    }
    precondition(count > 0)
    append(text.span.extracting(0..<count))
  }

  /// Appends `value` as INCRBYFLOAT does.
  public mutating func append(human value: ExtendedFloat) {
    guard value.isFinite else {
      if value.isNaN { append("nan") } else { append(value < 0 ? "-inf" : "inf") }
      return
    }
    // The longest: 4933 digits, a sign, a point, 17 decimals and C's final zero.
    // SAFETY: the buffer is used only inside, as said there.
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 5120) { text in
      // SAFETY: the C function writes at most `capacity` bytes and says how many.
      let end = unsafe Int(csystem_format_extended(value, text.baseAddress, text.count))
      precondition(end > 0)
      let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(rebasing: text[..<end]))
      var length = end
      while span[length - 1] == 0x30 { length -= 1 }
      if span[length - 1] == 0x2E { length -= 1 }
      let isMinusZero = length == 2 && span[0] == 0x2D && span[1] == 0x30
      append(isMinusZero ? span.extracting(1..<2) : span.extracting(0..<length))
    }
  }

  private mutating func append(digits: ShortestDigits) {
    // Collected at the array's end, last digit first.
    var text = InlineArray<20, UInt8>(repeating: 0)
    var first = 20
    var rest = digits.significand
    while rest > 0 {
      first -= 1
      text[first] = 48 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    let count = 20 - first
    let exponent = digits.exponent
    let magnitude = abs(exponent + count - 1)
    let span = text.span.extracting(first..<20)
    if exponent >= 0 && magnitude < count + 7 {
      append(span)
      for _ in 0..<exponent { append(0x30) }
    } else if exponent < 0 && (exponent > -7 || magnitude < 4) {
      let whole = count + exponent
      if whole <= 0 {
        append("0.")
        for _ in whole..<0 { append(0x30) }
        append(span)
      } else {
        append(span.extracting(0..<whole))
        append(0x2E)
        append(span.extracting(whole..<count))
      }
    } else {
      append(span[0])
      if count > 1 {
        append(0x2E)
        append(span.extracting(1..<count))
      }
      append(exponent + count - 1 < 0 ? "e-" : "e+")
      append(decimal: magnitude)
    }
  }
}
