// Decimal text of integers, written straight into a ByteBuffer.

extension ByteBuffer {
  /// Appends `value` in decimal: 1 to 20 bytes.
  @inlinable public mutating func append(decimal value: Int) {
    if value >= 0 && value < 10 {
      append(UInt8(truncatingIfNeeded: value &+ 48))
      return
    }
    reserve(20)
    var magnitude = value.magnitude
    var digits = 1
    var bound: UInt = 10
    while magnitude >= bound {
      digits += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    let length = value < 0 ? digits + 1 : digits
    // SAFETY: 20 bytes were reserved and the longest text, Int.min, takes 20.
    let text = unsafe base + end
    var position = length
    while position > length - digits {
      position -= 1
      let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
      unsafe text[position] = UInt8(truncatingIfNeeded: remainder &+ 48)
      magnitude = quotient
    }
    if value < 0 { unsafe text[0] = 45 }
    end += length
  }
}
