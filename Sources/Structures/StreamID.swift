// StreamID: what orders a stream's entries: milliseconds since 1970 and a number among those of the
// same millisecond. Both are unsigned; 0-0 is no entry's.

@frozen public struct StreamID: BitwiseCopyable, Comparable, Hashable, Sendable {
  public var milliseconds: UInt64
  public var sequence: UInt64

  @inlinable public init(_ milliseconds: UInt64, _ sequence: UInt64) {
    self.milliseconds = milliseconds
    self.sequence = sequence
  }

  @inlinable public static var zero: StreamID { StreamID(0, 0) }
  @inlinable public static var greatest: StreamID { StreamID(.max, .max) }
  @inlinable public var isZero: Bool { milliseconds == 0 && sequence == 0 }

  @inlinable public static func < (a: StreamID, b: StreamID) -> Bool {
    a.milliseconds == b.milliseconds
      ? a.sequence < b.sequence : a.milliseconds < b.milliseconds
  }

  /// The next greater ID; nil after the greatest.
  @inlinable public var next: StreamID? {
    if sequence < .max { return StreamID(milliseconds, sequence &+ 1) }
    return milliseconds < .max ? StreamID(milliseconds &+ 1, 0) : nil
  }

  /// The next smaller ID; nil before the least.
  @inlinable public var previous: StreamID? {
    if sequence > 0 { return StreamID(milliseconds, sequence &- 1) }
    return milliseconds > 0 ? StreamID(milliseconds &- 1, .max) : nil
  }

  /// The ID `deltas` away, as nodes of a stream store it: the parts wrap around.
  @inlinable func adding(_ milliseconds: Int, _ sequence: Int) -> StreamID {
    StreamID(
      self.milliseconds &+ UInt64(bitPattern: Int64(milliseconds)),
      self.sequence &+ UInt64(bitPattern: Int64(sequence)))
  }

  /// What `adding` takes to come from `base` to this ID.
  @inlinable func deltas(from base: StreamID) -> (milliseconds: Int, sequence: Int) {
    (
      Int(truncatingIfNeeded: milliseconds &- base.milliseconds),
      Int(truncatingIfNeeded: sequence &- base.sequence)
    )
  }
}
