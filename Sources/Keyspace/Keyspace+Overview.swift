// What INFO and MEMORY STATS tell of a database beyond its counts. For reports, not for the hot
// path.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// Entries that `averageTimeToLive` looks at, at most.
  private static var sampleLimit: Int { 4096 }

  /// About how long, in milliseconds, the keys with a deadline of `database` still live; 0 without
  /// any. Keys lie in the order of their hashes, so that the first ones met are a fair sample.
  public mutating func averageTimeToLive(database: Int) -> Int {
    guard expiringCount(database: database) > 0 else { return 0 }
    let before = selected
    select(database)
    defer { select(before) }
    var entries = GrowableArray<Ref<Entry>>()
    var sum = 0
    var count = 0
    var cursor: UInt64 = 0
    repeat {
      let start = entries.count
      cursor = scan(cursor: cursor, count: 64, into: &entries)
      for index in start..<entries.count {
        guard let expiry = arena.facts(entries[index]).expiry else { continue }
        sum += max(expiry - now, 0)
        count += 1
      }
    } while cursor != 0 && count < 64 && entries.count < Self.sampleLimit
    return count == 0 ? 0 : sum / count
  }

  /// About how many bytes `database` takes beside its keys and values: the table with the entries'
  /// headers, and the deadlines with the wheel's records.
  public func overheadBytes(database: Int) -> (table: Int, deadlines: Int) {
    let perKey = HashTable.typicalBytesPerEntry + MemoryLayout<Entry.Header>.size
    let perDeadline = MemoryLayout<Int>.size + MemoryLayout<ExpiryWheel.Record>.size
    return (count(database: database) * perKey, expiringCount(database: database) * perDeadline)
  }
}
