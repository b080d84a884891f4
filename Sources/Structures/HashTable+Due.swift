// What expiry asks of the table: the entries that a wheel's record may mean, and the field that an
// item of a tree of deadlines means.

import Bytes
import Memory

extension HashTable {
  /// Asks for the bucket that `record` leads to.
  public func prefetchBucket(_ reader: borrowing ArenaReader, _ record: ExpiryWheel.Record) {
    prefetchBucket(reader, record.partialHash)
  }

  /// Appends the slots of the entries, filed or with a deadline, that `record` may mean: those in
  /// its buckets whose tag is the record's. There is rarely more than one.
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
        if !reader.entry(entry).header.flags.isDisjoint(with: [.expiry, .filed]) {
          slots.append(
            Slot(
              entry: entry, bucket: bucket, directoryIndex: index, index: slot, distance: distance))
        }
        matches &= matches - 1
      }
      if Self.meta(reader, bucket).passed == 0 { return }
    }
  }

  /// The entry with that deadline whose key has that hash.
  public func find(_ reader: borrowing ArenaReader, _ item: DeadlineItem) -> Slot? {
    let directory = directory(reader)
    if directory.isNull { return nil }
    let index = Self.directoryIndex(item.hash, depth: depth(reader))
    let segment = word(reader, directory, index).segment.offset
    let home = Self.home(item.hash)
    for distance in 0..<Self.bucketCount {
      let bucket = segment + (home + distance) % Self.bucketCount * 64
      var matches = Self.matches(reader, bucket, item.hash)
      while matches != 0 {
        let slot = matches.trailingZeroBitCount
        let entry = Self.ref(reader, bucket, slot)
        if reader.entry(entry).expiry == item.deadline
          && hash(reader.entry(entry).key) == item.hash
        {
          return Slot(
            entry: entry, bucket: bucket, directoryIndex: index, index: slot, distance: distance)
        }
        matches &= matches - 1
      }
      if Self.meta(reader, bucket).passed == 0 { return nil }
    }
    return nil
  }
}
