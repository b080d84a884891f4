// ElementList: strings one behind the other in one buffer, for whoever collects many before it does
// something with all of them.
//
//   bytes  | first | second | third |
//   ends           5        11      16

public struct ElementList: ~Copyable {
  @usableFromInline var bytes = ByteBuffer()
  @usableFromInline var ends = GrowableArray<Int>()

  public init() {}

  @inlinable public var count: Int { ends.count }
  @inlinable public var isEmpty: Bool { ends.isEmpty }

  @inlinable public mutating func append(_ element: borrowing Span<UInt8>) {
    bytes.append(element)
    ends.append(bytes.count)
  }

  public mutating func append(decimal integer: Int) {
    bytes.append(decimal: integer)
    ends.append(bytes.count)
  }

  /// Appends the element that `fill` writes to the end of the buffer it is given. When it fails,
  /// the list is good for nothing but being dropped.
  @inlinable public mutating func append<Failure: Error>(
    _ fill: (inout ByteBuffer) throws(Failure) -> Void
  ) throws(Failure) {
    try fill(&bytes)
    ends.append(bytes.count)
  }

  @_lifetime(borrow self)
  @inlinable public borrowing func element(_ index: Int) -> Span<UInt8> {
    bytes.span.extracting((index == 0 ? 0 : ends[index - 1])..<ends[index])
  }

  /// Empties the list, keeping its memory.
  public mutating func removeAll() {
    bytes.removeAll()
    ends.removeAll(keepingCapacity: true)
  }
}
