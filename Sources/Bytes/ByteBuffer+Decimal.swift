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
    let length = decimalCount(value)
    let firstDigit = value < 0 ? 1 : 0
    // SAFETY: 20 bytes were reserved and the longest text, Int.min, takes 20.
    let text = unsafe base + end
    var position = length
    while position > firstDigit {
      position -= 1
      let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
      unsafe text[position] = UInt8(truncatingIfNeeded: remainder &+ 48)
      magnitude = quotient
    }
    if value < 0 { unsafe text[0] = 45 }
    end += length
  }
}

/// The length of an integer's decimal text: 1 to 20 bytes.
@inlinable public func decimalCount(_ value: Int) -> Int {
  let magnitude = value.magnitude
  var count = value < 0 ? 2 : 1
  var bound: UInt = 10
  while magnitude >= bound {
    count += 1
    let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
    if overflow { break }
    bound = next
  }
  return count
}
