// Destination: bytes of another owner's memory that are to be filled from elsewhere, such as a
// socket, and read before the owner takes them into use.
//
// 1. Whoever makes one vouches that the memory stays valid and unshared until it is used or
//    discarded; nobody else can make one.

@safe public struct Destination: BitwiseCopyable, @unchecked Sendable {
  public let count: Int
  @usableFromInline let base: UnsafeMutableRawPointer

  /// - Parameter base: `count` bytes that stay the destination's until it is given up.
  @unsafe public init(base: UnsafeMutableRawPointer, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// Where the bytes go.
  @unsafe public var pointer: UnsafeMutableRawPointer { unsafe base }

  /// What they are, once they are filled.
  public var bytes: Span<UInt8> {
    @_lifetime(borrow self) get {
      // SAFETY: invariant 1.
      let span = unsafe Span<UInt8>(
        _unsafeStart: UnsafeRawPointer(base).assumingMemoryBound(to: UInt8.self), count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
