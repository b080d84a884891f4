// ConfigurationFiles: the files that the configuration reads and replaces; a seam for tests.
//
// 1. `replace` is atomic and durable: after a crash the path holds the old bytes or the new ones.

/// A file operation that failed.
public struct FileProblem: Error, Equatable, Sendable {
  public let errno: Int32
  /// The system's words for it, such as "No such file or directory".
  public let reason: String

  public init(errno: Int32, reason: String) {
    self.errno = errno
    self.reason = reason
  }

  /// ENOENT.
  public static let notFound = FileProblem(errno: 2, reason: "No such file or directory")
}

public protocol ConfigurationFiles {
  /// The whole file.
  func read(_ path: String) throws(FileProblem) -> [UInt8]
  /// Writes a temporary file beside `path`, syncs it and renames it over `path`.
  func replace(_ path: String, with bytes: [UInt8]) throws(FileProblem)
  /// The existing paths that match a shell pattern, sorted; none is no error.
  func glob(_ pattern: String) -> [String]
  /// Creates the file if need be and opens it for appending, then closes it.
  func checkAppendable(_ path: String) throws(FileProblem)
  func changeDirectory(_ path: String) throws(FileProblem)
  /// The working directory, absolute.
  func currentDirectory() -> String
}
