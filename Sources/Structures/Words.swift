// Words: small records of 64-bit words, for owners that keep a few refs and counts in the arena.

import Memory

public enum Words {}

extension ArenaReader {
  /// Word `index` of the record; the caller made it at least that long.
  public func word(_ ref: Ref<Words>, _ index: Int) -> UInt64 {
    // SAFETY: records are made by `allocate`, and their owner knows their length.
    unsafe load(ref, at: index * 8, as: UInt64.self)
  }
}

extension Arena {
  /// Stores word `index` of a record that is at least that long.
  public mutating func storeWord(_ ref: Ref<Words>, _ index: Int, _ value: UInt64) {
    // SAFETY: as in `ArenaReader.word`.
    unsafe write(ref, at: index * 8, count: 8).storeBytes(of: value, as: UInt64.self)
  }
}
