// StorageError: why a data directory cannot be used. Its text is what the operator reads.

import Platform

public enum StorageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The machine failed.
  case io(IOError)
  /// A file is not ours, or belongs to another image; the text says why.
  case foreign(path: String, String)
  /// A file was written by a newer version, or with features that this one does not know.
  case newer(path: String, version: UInt32, features: UInt32 = 0)
  /// What is there contradicts itself; the text says what would be lost, and how to go on.
  case corrupt(path: String, String)
  /// Another server has the directory.
  case locked(path: String)

  public var description: String {
    switch self {
    case .io(let error): error.description
    case .foreign(let path, let reason): "\(path): \(reason)"
    case .newer(let path, let version, 0):
      "\(path): format version \(version) was written by a newer Ferrite; use that version"
    case .newer(let path, _, let features):
      "\(path): it needs features (0x\(String(features, radix: 16))) of a newer Ferrite; use that"
        + " version"
    case .corrupt(let path, let reason): "\(path): \(reason)"
    case .locked(let path): "\(path): another server is using this data directory"
    }
  }
}
