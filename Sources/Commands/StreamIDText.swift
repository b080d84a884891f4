// StreamIDText: a stream ID's text, on the stack.

import Keyspace

/// "ms-seq", both in decimal.
struct StreamIDText {
  private var bytes = InlineArray<41, UInt8>(repeating: 0x30)
  private var first = 41

  init(_ id: StreamID) {
    put(id.sequence)
    first -= 1
    bytes[first] = 0x2D
    put(id.milliseconds)
  }

  private mutating func put(_ number: UInt64) {
    var rest = number
    repeat {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
      first -= 1
      bytes[first] = 0x30 + UInt8(truncatingIfNeeded: remainder)
      rest = quotient
    } while rest > 0
  }

  var span: Span<UInt8> {
    @_lifetime(borrow self) borrowing get { bytes.span.extracting(first..<41) }
  }
}
