// A tree's own words in the root record of an entry.

import Memory

extension CountedTree {
  /// The tree whose words begin at word `index` of the entry's root record.
  @inlinable public init(_ reader: borrowing ArenaReader, _ owner: Ref<Entry>, word index: Int) {
    self.init(
      rootWord: reader.rootWord(owner, index),
      count: Int(truncatingIfNeeded: reader.rootWord(owner, index &+ 1)),
      weight: Int(truncatingIfNeeded: reader.rootWord(owner, index &+ 2)))
  }

  /// Writes the tree's words.
  @inlinable public func store(_ arena: inout Arena, _ owner: Ref<Entry>, word index: Int) {
    arena.setRootWord(owner, index, rootWord)
    arena.setRootWord(owner, index &+ 1, UInt64(truncatingIfNeeded: count))
    arena.setRootWord(owner, index &+ 2, UInt64(truncatingIfNeeded: weight))
  }
}
