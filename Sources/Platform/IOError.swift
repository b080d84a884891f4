// IOError: the machine's failure, as an operation, the place it touched and the kernel's reason.
//
// Its text is what an operator reads: "bind 127.0.0.1:6379: Address already in use".

import Glibc

public struct IOError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system call or step that failed.
  public let operation: String
  /// A file path or a socket address; empty where there is none.
  public let path: String
  public let errno: Int32

  public init(_ operation: String, _ path: String = "", errno code: Int32) {
    self.operation = operation
    self.path = path
    self.errno = code
  }

  /// The kernel's reason alone.
  public var reason: String { IOError.reason(errno) }

  public var description: String {
    path.isEmpty ? "\(operation): \(reason)" : "\(operation) \(path): \(reason)"
  }

  /// The text of an errno value, such as "Connection reset by peer".
  public static func reason(_ code: Int32) -> String {
    // SAFETY: strerror gives a static or thread-local string that ends in NUL.
    unsafe String(cString: strerror(code))
  }
}
