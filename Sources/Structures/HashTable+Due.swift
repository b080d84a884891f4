// What expiry asks of the table: the entries that a wheel's record may mean.

import Bytes
import Memory

extension HashTable {
  /// Asks for the bucket that `record` leads to.
  public func prefetchBucket(_ reader: borrowing ArenaReader, _ record: ExpiryWheel.Record) {
    prefetchBucket(reader, record.partialHash)
  }

  /// Appends the slots of the entries with a deadline that `record` may mean: those in its buckets
  /// whose tag is the record's. There is rarely more than one.
  public func candidates(
    _ reader: borrowing ArenaReader, _ record: ExpiryWheel.Record,
    into slots: inout GrowableArray<Slot>
  ) {
    let directory = directory(reader)
    if directory.isNull { return }
    let hash = record.partialHash
    let index = Self.directoryIndex(hash, depth: depth(reader))
    let segment = word(reader, directory, index).segment.offset
    let home = Self.home(hash)
    for distance in 0..<Self.bucketCount {
      let bucket = segment + (home + distance) % Self.bucketCount * 64
      var matches = Self.matches(reader, bucket, hash)
      while matches != 0 {
        let slot = matches.trailingZeroBitCount
        let entry = Self.ref(reader, bucket, slot)
        if reader.entry(entry).header.flags.contains(.expiry) {
          slots.append(
            Slot(
              entry: entry, bucket: bucket, directoryIndex: index, index: slot, distance: distance))
        }
        matches &= matches - 1
      }
      if Self.meta(reader, bucket).passed == 0 { return }
    }
  }
}
