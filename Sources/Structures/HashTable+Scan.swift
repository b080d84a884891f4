// SCAN's order: by hash prefix, and within a segment by home bucket.
//
//   cursor | prefix of the segment's hashes, `depth` bits | depth 6 bits | home bucket 6 bits |
//
// 1. Neither prefix nor home bucket of an entry ever changes, so an entry that is present from the
//    first call to the last is met at least once, whatever splits or merges in between: behind the
//    cursor lies only what was visited.
// 2. When the segment under the cursor has been merged meanwhile, it is visited from its first
//    bucket: its other half may not have been visited. That repeats entries; it loses none.
// 3. A cursor comes from the client and is not trusted: any number is a valid position.

import Bytes
import Memory

extension HashTable {
  /// Appends the entries of one home bucket.
  /// - Parameter cursor: 0 to begin, then what the last call returned.
  /// - Returns: the next cursor; 0 at the end.
  public func scan(
    _ reader: borrowing ArenaReader, cursor: UInt64, into entries: inout GrowableArray<Ref<Entry>>
  ) -> UInt64 {
    let directory = directory(reader)
    if directory.isNull { return 0 }
    let globalDepth = depth(reader)
    let claimed = min(Int(cursor >> 6 & 63), Self.deepestDepth)
    let prefix = (cursor >> 12) & ((1 << UInt64(claimed)) - 1)
    let start = claimed == 0 ? 0 : prefix << UInt64(64 - claimed)
    let word = word(reader, directory, Self.directoryIndex(start, depth: globalDepth))
    let home = word.depth < claimed ? 0 : Int(cursor & 63)
    collect(reader, word.segment.offset, home, into: &entries)
    let segmentPrefix = Self.prefix(start, word.depth)
    if home < Self.bucketCount - 1 {
      return Self.cursor(segmentPrefix, word.depth, home + 1)
    }
    guard segmentPrefix + 1 < 1 << UInt64(word.depth) else { return 0 }
    let next = (segmentPrefix + 1) << UInt64(64 - word.depth)
    let nextWord = self.word(reader, directory, Self.directoryIndex(next, depth: globalDepth))
    return Self.cursor(Self.prefix(next, nextWord.depth), nextWord.depth, 0)
  }

  static func prefix(_ hash: UInt64, _ depth: Int) -> UInt64 {
    UInt64(directoryIndex(hash, depth: depth))
  }

  static func cursor(_ prefix: UInt64, _ depth: Int, _ home: Int) -> UInt64 {
    prefix << 12 | UInt64(depth) << 6 | UInt64(home)
  }

  /// Appends the entries whose home is bucket `home`, wherever they lie.
  private func collect(
    _ reader: borrowing ArenaReader, _ segment: Int, _ home: Int,
    into entries: inout GrowableArray<Ref<Entry>>
  ) {
    var number = home
    var meta = Self.meta(reader, segment + number * 64)
    var atHome = meta.occupied & ~meta.displaced
    while atHome != 0 {
      entries.append(Self.ref(reader, segment + number * 64, atHome.trailingZeroBitCount))
      atHome &= atHome - 1
    }
    for _ in 1..<Self.bucketCount where meta.passed != 0 {
      number = (number + 1) % Self.bucketCount
      meta = Self.meta(reader, segment + number * 64)
      var displaced = meta.occupied & meta.displaced
      while displaced != 0 {
        let entry = Self.ref(reader, segment + number * 64, displaced.trailingZeroBitCount)
        if Self.home(hash(reader.entry(entry).key)) == home { entries.append(entry) }
        displaced &= displaced - 1
      }
    }
  }
}
