// StorageIdentity: sixteen random bytes that every file of one data directory carries, so that
// files of different directories are never mixed.

import Platform

public struct StorageIdentity: Sendable, Equatable {
  public let low: UInt64
  public let high: UInt64

  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// A new directory's.
  public static func random() -> StorageIdentity {
    let bytes = randomBytes(16)
    func word(_ start: Int) -> UInt64 {
      bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    return StorageIdentity(low: word(0), high: word(8))
  }
}
