// Freeing a whole table piece by piece.

import Memory

extension HashTable {
  /// Prepares a table that nothing refers to any more for `freeSome`.
  public func beginFreeing(_ arena: inout Arena) {
    // The root's "deepest" word now counts the directory words that are dealt with.
    setRoot(&arena, 20, UInt32(0))
  }

  /// Frees entries and segments, then directory and root.
  /// - Parameters:
  ///   - limit: about how many entries to free in this call; whole segments are freed.
  ///   - freed: grows by the number of entries freed.
  /// - Returns: whether the table is gone.
  public func freeSome(_ arena: inout Arena, limit: Int, freed: inout Int) -> Bool {
    let directory = directory(arena.reader)
    if !directory.isNull {
      let words = 1 << depth(arena.reader)
      var left = limit
      // SAFETY: the root is as long as HashTable's picture says.
      var position = unsafe Int(arena.reader.load(root, at: 20, as: UInt32.self))
      while position < words {
        guard left > 0 else { return false }
        let word = word(arena.reader, directory, position)
        let count = freeSegment(&arena, word.segment)
        left -= count + 1
        freed += count
        position += words >> word.depth
        setRoot(&arena, 20, UInt32(position))
      }
      arena.free(directory)
    }
    arena.free(root)
    return true
  }

  func freeSegment(_ arena: inout Arena, _ segment: Ref<HashTable>) -> Int {
    var count = 0
    for pass in 0..<2 {
      for number in 0..<Self.bucketCount {
        let bucket = segment.offset + number * 64
        var occupied = Self.meta(arena.reader, bucket).occupied
        while occupied != 0 {
          let entry = Self.ref(arena.reader, bucket, occupied.trailingZeroBitCount)
          if pass == 0 {
            arena.reader.prefetch(entry)
          } else {
            arena.discardEntry(entry)
            count += 1
          }
          occupied &= occupied - 1
        }
      }
    }
    arena.free(segment)
    return count
  }
}
