// IntegerText: an integer's decimal text, on the stack.

@frozen public struct IntegerText: Sendable {
  @usableFromInline var bytes = InlineArray<20, UInt8>(repeating: 0x30)
  @usableFromInline var first = 20

  @inlinable public init(_ value: Int) {
    var rest = value.magnitude
    repeat {
      first -= 1
      bytes[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    if value < 0 {
      first -= 1
      bytes[first] = 0x2D
    }
  }

  @inlinable public var span: Span<UInt8> {
    @_lifetime(borrow self) borrowing get { bytes.span.extracting(first..<20) }
  }
}
