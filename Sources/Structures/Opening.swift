// What can be checked of a table and a wheel in constant time before they are used in an image that
// another process has written. The rest is vouched for by the image's page checksums.

import Memory

extension HashTable {
  /// Whether the root's words fit each other and the arena; a null root does.
  public func isPlausible(_ arena: borrowing Arena) -> Bool {
    if root.isNull { return true }
    guard arena.holds(root, count: Self.rootBytes) else { return false }
    let directory = directory(arena.reader)
    let count = count(arena.reader)
    if directory.isNull { return count == 0 }
    let depth = depth(arena.reader)
    guard depth >= 0 && depth <= Self.deepestDepth else { return false }
    let words = 1 << depth
    return arena.holds(directory, count: words * 8) && count > 0
      && count <= words * Self.bucketCount * Self.slotCount
      && deepest(arena.reader) >= 0 && deepest(arena.reader) <= words
  }
}

extension ExpiryWheel {
  /// Whether the root's words fit each other and the arena; a null root does.
  public func isPlausible(_ arena: borrowing Arena) -> Bool {
    if root.isNull { return true }
    guard arena.holds(root, count: Self.rootBytes) else { return false }
    let drained = word(arena.reader, 16)
    guard word(arena.reader, 0) >= 0, recordCount(arena.reader) >= 0,
      drained >= 0 && drained <= Self.levels * Self.slots
    else { return false }
    for slot in stride(from: Self.headBytes, to: Self.rootBytes, by: 8) {
      let chunk = Ref<ExpiryWheel>(unit: UInt64(bitPattern: Int64(word(arena.reader, slot))))
      if !chunk.isNull && !arena.holds(chunk, count: 16 + Self.chunkCapacities[0] * 8) {
        return false
      }
    }
    return true
  }
}

extension Arena {
  /// Whether the garbage list ends, and names what can be freed.
  public var hasPlausibleGarbage: Bool {
    var node = root(Self.garbageRoot)
    var count = 0
    while node != 0 {
      let ref = Ref<Words>(unit: node)
      count += 1
      guard count <= 1 << 24, holds(ref, count: Self.garbageBytes),
        let kind = GarbageKind(rawValue: reader.word(ref, 1))
      else { return false }
      let unit = reader.word(ref, 2)
      switch kind {
      case .wheel:
        guard ExpiryWheel(root: Ref(unit: unit)).isPlausible(self) else { return false }
      case .sortedTree:
        let root = CountedTree<ScoredMember>(rootWord: unit, count: 0, weight: 0).root
        guard holds(Ref<Words>(offset: root), count: 8) else { return false }
      case .deadlines:
        let root = DeadlineTree(rootWord: unit, count: 0, weight: 0).root
        guard holds(Ref<Words>(offset: root), count: 8) else { return false }
      default:
        guard holds(Ref<HashTable>(unit: unit), count: 8) else { return false }
      }
      node = reader.word(ref, 0)
    }
    return true
  }
}
