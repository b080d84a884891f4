// StorageError: why a data directory cannot be used. Its text is what the operator reads.

import Platform

public enum StorageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The machine failed.
  case io(IOError)
  /// A file is not ours, or belongs to another image; the text says why.
  case foreign(path: String, String)
  /// A file was written by a newer version.
  case newer(path: String, version: UInt32)
  /// What is there contradicts itself; the text says what would be lost, and how to go on.
  case corrupt(path: String, String)
  /// Another server has the directory.
  case locked(path: String)

  public var description: String {
    switch self {
    case .io(let error): error.description
    case .foreign(let path, let reason): "\(path): \(reason)"
    case .newer(let path, let version):
      "\(path): format version \(version) was written by a newer Ferrite; use that version"
    case .corrupt(let path, let reason): "\(path): \(reason)"
    case .locked(let path): "\(path): another server is using this data directory"
    }
  }
}
