// NetworkEvent: one thing that a turn of the event loop has to report.

/// Which kernel interface carries the event loop.
public enum EventLoopKind: String, Sendable, CaseIterable {
  /// io_uring where the kernel permits it, otherwise epoll.
  case auto
  case ioUring = "io_uring"
  case epoll
}

public struct NetworkEvent: BitwiseCopyable, Sendable {
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// The event's connection has been closed since; ignore it.
    case none
    /// A new connection.
    case accepted
    /// Bytes have been appended to the connection's input.
    case received
    /// The placement is complete; its memory is the user's again.
    case placed
    /// The peer has closed its side (value 0) or the connection failed (value: errno), and
    /// everything received before has been reported; or all output of a connection that the user
    /// closed "after output" has been delivered. The user answers with `close`.
    case closed
    /// Output that the socket could not take at once has been sent in full.
    case drained
    /// A WakeHandle has been used.
    case wake
    /// A watched signal has arrived (value: its number).
    case signal
  }

  public let kind: Kind
  /// The connection's slot, or -1.
  public let connection: Int
  public let value: Int32
  @usableFromInline let generation: UInt32

  @inlinable init(_ kind: Kind, _ connection: Int = -1, value: Int32 = 0, generation: UInt32 = 0) {
    self.kind = kind
    self.connection = connection
    self.value = value
    self.generation = generation
  }
}

/// What the kernel hands back with each piece of news: who it is about.
///
///     | source 8 bits | generation 24 bits | index 32 bits |
struct EventToken: BitwiseCopyable {
  enum Source: UInt8 {
    case connection, receive, pollInput, pollOutput, send, listener, wake, signal, ignored
  }

  let rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }

  init(_ source: Source, _ index: Int = 0, generation: UInt32 = 0) {
    rawValue =
      UInt64(source.rawValue) << 56 | UInt64(generation & 0xFF_FFFF) << 32
      | UInt64(UInt32(truncatingIfNeeded: index))
  }

  var source: Source { Source(rawValue: UInt8(rawValue >> 56)) ?? .ignored }
  var index: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }

  /// The token was made for this user of the slot.
  func matches(_ generation: UInt32) -> Bool {
    UInt32(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF == generation & 0xFF_FFFF
  }
}
