// Ref: where something lies in the arena, in 8-byte units from its start.
//
//   | 24 bits zero | 40 bits unit |      byte offset = unit * 8, so five bytes reach 8 TiB
//
// 1. Unit 0 is the null ref: the arena's first bytes are never allocated.
// 2. A ref stays true when the image is mapped at another address.

@frozen public struct Ref<Target>: BitwiseCopyable, Equatable, Hashable, Sendable {
  /// The unit, below 2^40.
  public let unit: UInt64

  @inlinable public init(unit: UInt64) {
    self.unit = unit
  }

  @inlinable public init(offset: Int) {
    assert(offset >= 0 && offset & 7 == 0)
    unit = UInt64(truncatingIfNeeded: offset) &>> 3
  }

  @inlinable public static var null: Ref { Ref(unit: 0) }
  @inlinable public var isNull: Bool { unit == 0 }

  /// The distance from the arena's start in bytes.
  @inlinable public var offset: Int { Int(truncatingIfNeeded: unit &<< 3) }

  /// The same place, seen as something else.
  @inlinable public func cast<Other>(to: Other.Type = Other.self) -> Ref<Other> {
    Ref<Other>(unit: unit)
  }
}

/// Names places whose content has no type of its own.
public enum Untyped {}
