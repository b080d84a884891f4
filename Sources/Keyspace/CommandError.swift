// CommandError: the client's mistake, as the complete error line that it is answered with.
//
// 1. Throwing a shared error allocates nothing: its text is static and the error is passed by value
//    (typed throws).

@frozen public enum CommandError: Error, Sendable {
  case fixed(StaticString)
  /// A text that depends on the request. It may quote the client: CR and LF are replaced when it
  /// is written.
  case custom(String)

  /// The whole line, code included.
  public var text: String {
    switch self {
    case .fixed(let text): "\(text)"
    case .custom(let text): text
    }
  }
}

extension CommandError: Equatable {
  public static func == (a: CommandError, b: CommandError) -> Bool { a.text == b.text }
}

/// The errors that several commands share. One command's own errors stand beside its handler.
extension CommandError {
  @inlinable public static var wrongType: CommandError {
    .fixed("WRONGTYPE Operation against a key holding the wrong kind of value")
  }
  @inlinable public static var syntax: CommandError { .fixed("ERR syntax error") }
  @inlinable public static var noSuchKey: CommandError { .fixed("ERR no such key") }
  @inlinable public static var sameObject: CommandError {
    .fixed("ERR source and destination objects are the same")
  }
  @inlinable public static var indexOutOfRange: CommandError { .fixed("ERR index out of range") }
  @inlinable public static var notInteger: CommandError {
    .fixed("ERR value is not an integer or out of range")
  }
  @inlinable public static var outOfRange: CommandError { .fixed("ERR value is out of range") }
  @inlinable public static var mustBePositive: CommandError {
    .fixed("ERR value is out of range, must be positive")
  }
  @inlinable public static var notFloat: CommandError { .fixed("ERR value is not a valid float") }
  @inlinable public static var overflow: CommandError {
    .fixed("ERR increment or decrement would overflow")
  }
  @inlinable public static var notANumber: CommandError {
    .fixed("ERR increment would produce NaN or Infinity")
  }
  @inlinable public static var offsetOutOfRange: CommandError {
    .fixed("ERR offset is out of range")
  }
  @inlinable public static var bitOffset: CommandError {
    .fixed("ERR bit offset is not an integer or out of range")
  }
  @inlinable public static var stringTooLong: CommandError {
    .fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
  }
  @inlinable public static var invalidCursor: CommandError { .fixed("ERR invalid cursor") }
  @inlinable public static var databaseOutOfRange: CommandError {
    .fixed("ERR DB index is out of range")
  }
  @inlinable public static var outOfMemory: CommandError {
    .fixed("OOM command not allowed when used memory > 'maxmemory'.")
  }
  @inlinable public static var noAuthentication: CommandError {
    .fixed("NOAUTH Authentication required.")
  }
  @inlinable public static var loading: CommandError {
    .fixed("LOADING Redis is loading the dataset in memory")
  }
  @inlinable public static var readOnlyReplica: CommandError {
    .fixed("READONLY You can't write against a read only replica.")
  }
  @inlinable public static var busyKey: CommandError {
    .fixed("BUSYKEY Target key name already exists.")
  }
  @inlinable public static var transactionAborted: CommandError {
    .fixed("EXECABORT Transaction discarded because of previous errors.")
  }

  /// The wrong number of arguments, found by the handler; `name` as in "config|set".
  public static func wrongArity(_ name: String) -> CommandError {
    .custom("ERR wrong number of arguments for '\(name)' command")
  }

  /// An expiry that cannot be; `name` is the command's in lower case.
  public static func invalidExpire(_ name: String) -> CommandError {
    .custom("ERR invalid expire time in '\(name)' command")
  }
}
