// Garbage: structures that nothing refers to any more, freed piece by piece between commands.
//
//   arena root 2 ──► | next 8 | kind 8 | root unit 8 | ──► | next ...
//
// 1. Whatever its size, a structure is discarded in O(1): small ones are freed at once, large ones
//    wait on the list. Without memory for the list's node a structure is freed at once, too.
// 2. What waits is touched by nobody else; freeing may stop and be taken up again anywhere.
// 3. Freeing a table discards its entries, so that collections inside it join the list.

import Bytes
import Memory

/// What a node of the garbage list names. The numbers are stored.
public enum GarbageKind: UInt64, Sendable {
  /// A hash table with its entries.
  case table = 1
  /// An expiry wheel.
  case wheel = 2
  /// The nodes of a sorted set's tree, by root and height; its members go with their table.
  case sortedTree = 3
  /// The tree of deadlines of a hash's fields, by root and height.
  case deadlines = 4
  /// A list's tree, in a carrier's root record.
  case list = 5
  /// All that a stream has, in a carrier's root record.
  case stream = 6
  /// A stream's consumer group.
  case group = 7
}

extension Arena {
  static var garbageRoot: Int { 2 }
  static var garbageBytes: Int { 24 }
  /// Collections of so many elements are freed at once.
  private static var smallCount: Int { 64 }

  // MARK: Discarding

  /// Frees an entry, its blob, and whatever structures its value names.
  @inlinable public mutating func discardEntry(_ ref: Ref<Entry>) {
    if reader.entry(ref).header.form.hasRoot { discardStructures(of: ref) }
    freeEntry(ref)
  }

  /// Discards what the root record of an entry names; the entry itself remains.
  @usableFromInline mutating func discardStructures(of ref: Ref<Entry>) {
    switch reader.entry(ref).header.encoding {
    case .plain, .listpack, .timedListpack, .intset: return
    case .table:
      // A set has no deadlines.
      if reader.entry(ref).header.type == .hash { discard(.deadlines, reader.rootWord(ref, 1)) }
      discard(.table, reader.rootWord(ref, 0))
    case .sortedTree:
      discard(.sortedTree, reader.rootWord(ref, 1))
      discard(.table, reader.rootWord(ref, 0))
    case .listTree: discardValue(.list, of: ref, words: 3)
    case .stream: discardValue(.stream, of: ref, words: StreamValue.rootBytes / 8)
    }
  }

  /// Frees a structure at once if it is small, and otherwise puts it on the list.
  public mutating func discard(_ kind: GarbageKind, _ unit: UInt64) {
    guard unit != 0 else { return }
    if elementCount(kind, unit) <= Self.smallCount {
      free(kind, unit)
    } else {
      discardLater(kind, unit)
    }
  }

  /// Puts a structure on the list, whatever its size.
  public mutating func discardLater(_ kind: GarbageKind, _ unit: UInt64) {
    guard unit != 0 else { return }
    guard let node = try? allocate(Self.garbageBytes, as: Words.self) else {
      return free(kind, unit)
    }
    beginFreeing(kind, unit)
    storeWord(node, 0, root(Self.garbageRoot))
    storeWord(node, 1, kind.rawValue)
    storeWord(node, 2, unit)
    setRoot(Self.garbageRoot, node.unit)
  }

  private mutating func free(_ kind: GarbageKind, _ unit: UInt64) {
    beginFreeing(kind, unit)
    var freed = 0
    let isGone = freeSome(kind, unit, limit: .max, freed: &freed)
    precondition(isGone, "a structure is still there after it was freed")
  }

  // MARK: The list

  /// Whether something waits to be freed.
  public var hasGarbage: Bool { root(Self.garbageRoot) != 0 }

  /// Frees some of what waits.
  /// - Parameters:
  ///   - limit: about how many elements to free in this call.
  ///   - freed: grows by the number of elements freed.
  /// - Returns: whether there is more.
  public mutating func freeGarbage(limit: Int, freed: inout Int) -> Bool {
    let node = Ref<Words>(unit: root(Self.garbageRoot))
    if node.isNull { return false }
    guard let kind = GarbageKind(rawValue: reader.word(node, 1)) else {
      preconditionFailure("the garbage list is damaged")
    }
    let unit = reader.word(node, 2)
    // While the node is out of the list, what the structure holds can be put on it.
    setRoot(Self.garbageRoot, reader.word(node, 0))
    if freeSome(kind, unit, limit: limit, freed: &freed) {
      free(node)
      return hasGarbage
    }
    storeWord(node, 0, root(Self.garbageRoot))
    setRoot(Self.garbageRoot, node.unit)
    return true
  }

  /// Calls `body` with every node's kind and root.
  public func forEachGarbage(_ body: (_ kind: GarbageKind, _ unit: UInt64) -> Void) {
    var node = Ref<Words>(unit: root(Self.garbageRoot))
    var count = 0
    while !node.isNull {
      count += 1
      precondition(count < 1 << 24, "the garbage list goes round")
      guard let kind = GarbageKind(rawValue: reader.word(node, 1)) else {
        preconditionFailure("the garbage list is damaged")
      }
      body(kind, reader.word(node, 2))
      node = Ref(unit: reader.word(node, 0))
    }
  }

  // MARK: Each kind

  /// How many elements the structure has, as far as that matters.
  private func elementCount(_ kind: GarbageKind, _ unit: UInt64) -> Int {
    switch kind {
    case .table: table(unit).count(reader)
    case .wheel: ExpiryWheel(root: Ref(unit: unit)).recordCount(reader)
    case .sortedTree: sortedTree(unit).height > 1 ? .max : 0
    case .deadlines: deadlines(unit).height > 1 ? .max : 0
    case .list, .stream, .group: valueCount(kind, Ref(unit: unit))
    }
  }

  /// How many allocations Redis would have of a value, by its own estimate; 1 for what is packed.
  public func pieces(_ ref: Ref<Entry>) -> Int {
    switch reader.entry(ref).header.encoding {
    case .plain, .listpack, .timedListpack, .intset: return 1
    case .table: return table(reader.rootWord(ref, 0)).count(reader)
    case .sortedTree: return Int(truncatingIfNeeded: reader.rootWord(ref, 2))
    case .listTree: return CountedTree<ListLeaf>(reader, ref, word: 0).count
    case .stream: return StreamValue.pieces(reader, ref)
    }
  }

  /// Prepares a structure for `freeSome`.
  private mutating func beginFreeing(_ kind: GarbageKind, _ unit: UInt64) {
    switch kind {
    case .table: table(unit).beginFreeing(&self)
    case .wheel, .sortedTree, .deadlines, .list, .stream, .group: break
    }
  }

  /// Frees about `limit` elements.
  /// - Returns: whether the structure is gone.
  private mutating func freeSome(
    _ kind: GarbageKind, _ unit: UInt64, limit: Int, freed: inout Int
  ) -> Bool {
    switch kind {
    case .table: return table(unit).freeSome(&self, limit: limit, freed: &freed)
    case .wheel:
      return ExpiryWheel(root: Ref(unit: unit)).free(&self, limit: max(limit / 16, 1))
    case .sortedTree:
      var tree = sortedTree(unit)
      var left = limit
      while left > 0 && !tree.isEmpty { left -= tree.dropLastLeaf(&self) }
      return tree.isEmpty
    case .deadlines:
      var tree = deadlines(unit)
      var left = limit
      while left > 0 && !tree.isEmpty { left -= tree.dropLastLeaf(&self) }
      return tree.isEmpty
    case .list, .stream, .group:
      return freeCarried(kind, Ref(unit: unit), limit: limit, freed: &freed)
    }
  }

  /// A tree that is being taken down.
  private func sortedTree(_ unit: UInt64) -> CountedTree<ScoredMember> {
    CountedTree(rootWord: unit, count: 0, weight: 0)
  }

  private func deadlines(_ unit: UInt64) -> DeadlineTree {
    DeadlineTree(rootWord: unit, count: 0, weight: 0)
  }

  private func table(_ unit: UInt64) -> HashTable {
    HashTable(root: Ref(unit: unit), hash: keyedHash)
  }

  /// The hash of this image's tables.
  public var keyedHash: KeyedHash {
    let secrets = hashSecrets
    return KeyedHash(secrets[0], secrets[1], secrets[2], secrets[3])
  }
}
