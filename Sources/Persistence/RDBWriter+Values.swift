// Values as RDB has them: always in encodings that Redis 7.0 reads.
//
// 1. Reading goes through an ArenaReader alone: a frozen view will do.

import Bytes
import Keyspace
import Memory
import Structures

extension RDBWriter {
  /// The type's number and the value of an entry.
  public mutating func value(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash
  ) {
    byte(RDBType.string.rawValue)
    string(reader.entry(ref).value)
  }
}
