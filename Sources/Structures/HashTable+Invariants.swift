// Proof of HashTable's invariants, for tests. The numbers are those of HashTable.swift.

import Bytes
import CSystem
import Memory

extension HashTable {
  /// Traps unless every invariant holds. Looks at the whole table.
  public func checkInvariants(_ reader: borrowing ArenaReader) {
    let directory = directory(reader)
    if directory.isNull {
      precondition(count(reader) == 0, "4: a table without directory has entries")
      return
    }
    precondition(count(reader) > 0, "4: an empty table has a directory")
    let depth = depth(reader)
    let words = 1 << depth
    var total = 0
    var deepest = 0
    var index = 0
    while index < words {
      let word = word(reader, directory, index)
      precondition(word.depth <= depth, "2: a segment is deeper than the directory")
      let span = words >> word.depth
      precondition(index & (span - 1) == 0, "2: a segment's words start at a wrong place")
      for other in index..<(index + span) {
        let twin = self.word(reader, directory, other)
        precondition(
          twin.segment == word.segment && twin.depth == word.depth,
          "2: a segment's words disagree")
      }
      let held = checkSegment(
        reader, word.segment, prefix: index >> (depth - word.depth), word.depth)
      precondition(held == word.count, "2: a segment's count is wrong")
      if word.depth == depth { deepest += 1 }
      total += held
      index += span
    }
    precondition(total == count(reader), "the table's count is wrong")
    precondition(deepest == self.deepest(reader), "3: the deepest segments are miscounted")
    precondition(deepest > 0 || depth == 0, "3: the directory is longer than it needs to be")
  }

  /// - Returns: how many entries the segment holds.
  private func checkSegment(
    _ reader: borrowing ArenaReader, _ segment: Ref<HashTable>, prefix: Int, _ depth: Int
  ) -> Int {
    precondition(segment.offset & (Self.segmentBytes - 1) == 0, "a segment is no whole page")
    var held = 0
    var passed = InlineArray<64, UInt32>(repeating: 0)
    for number in 0..<Self.bucketCount {
      let bucket = segment.offset + number * 64
      let meta = Self.meta(reader, bucket)
      precondition(meta.displaced & ~meta.occupied == 0, "1: a free slot is displaced")
      var occupied = meta.occupied
      while occupied != 0 {
        let slot = occupied.trailingZeroBitCount
        let entry = Self.ref(reader, bucket, slot)
        let hash = hash(reader.entry(entry).key)
        precondition(
          Self.matches(reader, bucket, hash) >> UInt32(slot) & 1 == 1, "a tag is not its entry's")
        precondition(
          Self.directoryIndex(hash, depth: depth) == prefix, "2: a hash has another prefix")
        let home = Self.home(hash)
        let distance = (number - home) & 63
        precondition(
          (meta.displaced >> UInt32(slot) & 1 == 1) == (distance > 0), "1: displaced is wrong")
        for step in 0..<distance { passed[(home + step) & 63] += 1 }
        let found = find(reader, hash, reader.entry(entry).key)
        precondition(found?.entry == entry, "1: an entry is not found by its key")
        held += 1
        occupied &= occupied - 1
      }
    }
    for number in 0..<Self.bucketCount {
      let counted = Self.meta(reader, segment.offset + number * 64).passed
      precondition(counted == passed[number], "1: passed is wrong")
    }
    return held
  }
}
