// Media: which medium a data directory gets.

import Glibc
import Platform

/// What the operator wants the data directory to be.
public enum MediumChoice: String, Sendable, CaseIterable {
  /// Persistent memory where the kernel grants MAP_SYNC, otherwise files.
  case automatic = "auto"
  /// Persistent memory or an error.
  case persistentMemory = "dax"
  /// Files, even on persistent memory.
  case file = "ssd"
  /// Any file system, treated as if it were persistent memory. Keeps data from a killed process,
  /// not from a power cut.
  case emulated
}

/// Opens the directory, which must exist.
public func openMedium(
  directory: String, _ choice: MediumChoice = .automatic
) throws(IOError) -> any Medium {
  switch choice {
  case .automatic:
    do throws(IOError) {
      return try PersistentMedium(directory: directory)
    } catch {
      guard error.errno == ENOTSUP || error.errno == EOPNOTSUPP || error.errno == EINVAL else {
        throw error
      }
      return try FileMedium(directory: directory)
    }
  case .persistentMemory: return try PersistentMedium(directory: directory)
  case .file: return try FileMedium(directory: directory)
  case .emulated: return try PersistentMedium(directory: directory, isEmulated: true)
  }
}
