// SortedSetDraft: a large sorted set under construction, not yet anybody's value: what conversions
// and ZUNIONSTORE, ZRANGESTORE and their like build.
//
//   append (in order) ──►  table and tree  ──► finish: an entry, packed if it is small
//   add (in any order) ──► table, then sort ──►
//
// 1. A draft is either finished or discarded; until then its entries are its own.
// 2. `add` and `append` are not mixed.

import Bytes
import Memory
import Structures

struct SortedSetDraft: BitwiseCopyable {
  private let table: HashTable
  private var tree = CountedTree<ScoredMember>()
  /// The length of the longest member.
  private var longest = 0
  /// The bytes of all members.
  private var total = 0

  init(_ arena: inout Arena, _ hash: KeyedHash) throws(ArenaFull) {
    table = try HashTable.create(&arena, hash: hash)
  }

  func count(_ reader: borrowing ArenaReader) -> Int { table.count(reader) }

  /// Adds a member that comes behind all others.
  mutating func append(
    _ arena: inout Arena, _ member: borrowing Span<UInt8>, _ score: Double
  ) throws(ArenaFull) {
    let entry = try insert(&arena, member, table.hash(member), score)
    // Without memory for the tree's item the entry is in the table, and goes with the draft.
    try tree.append(&arena, ScoredMember(score, entry))
  }

  /// Adds a member, or changes the score of one that is there by `aggregate`.
  mutating func add(
    _ arena: inout Arena, _ member: borrowing Span<UInt8>, _ score: Double,
    _ aggregate: (_ old: Double, _ new: Double) -> Double = { _, new in new }
  ) throws(ArenaFull) {
    let hash = table.hash(member)
    if let slot = table.find(arena.reader, hash, member) {
      arena.setScore(slot.entry, aggregate(arena.reader.score(slot.entry), score))
    } else {
      _ = try insert(&arena, member, hash, score)
    }
  }

  private mutating func insert(
    _ arena: inout Arena, _ member: borrowing Span<UInt8>, _ hash: UInt64, _ score: Double
  ) throws(ArenaFull) -> Ref<Entry> {
    let entry = try arena.makeMember(member, score: score)
    do throws(ArenaFull) {
      try table.insert(&arena, hash, entry)
    } catch {
      arena.freeEntry(entry)
      throw error
    }
    longest = max(longest, member.count)
    total += member.count
    return entry
  }

  /// All members in order, once they have been added.
  func sorted(_ arena: borrowing Arena) -> [ScoredMember] {
    var items: [ScoredMember] = []
    items.reserveCapacity(table.count(arena.reader))
    var walk = HashTable.Walk()
    while let entry = table.next(arena.reader, &walk) {
      items.append(ScoredMember(arena.reader.score(entry), entry))
    }
    items.sort { a, b in
      if a.score != b.score { return a.score < b.score }
      return arena.reader.entry(a.entry).key.compare(arena.reader.entry(b.entry).key) < 0
    }
    return items
  }

  // MARK: Finishing

  /// The draft as the value of an entry, packed if the limits allow it. On failure it is still a
  /// draft.
  mutating func finish(
    _ arena: inout Arena, key: borrowing Span<UInt8>, access: UInt32, _ limits: CollectionLimits
  ) throws(ArenaFull) -> Ref<Entry> {
    if tree.isEmpty {
      for item in sorted(arena) { try tree.append(&arena, item) }
    }
    if tree.count <= limits.sortedSetListpackEntries
      && longest <= limits.sortedSetListpackValueBytes && total <= Listpack.largestBytes / 2
    {
      let set = try makeListpackEntry(&arena, key: key, access: access)
      discard(&arena)
      return set
    }
    let zeros = InlineArray<24, UInt8>(repeating: 0)
    let set = try arena.makeEntry(
      key: key, value: zeros.span, form: SortedSetValue.treeForm, access: access)
    storeWords(&arena, set)
    return set
  }

  /// The draft as the value of an entry like another one, a tree whatever its size.
  func makeTreeEntry(
    _ arena: inout Arena, like old: Ref<Entry>
  ) throws(ArenaFull) -> Ref<Entry> {
    let zeros = InlineArray<24, UInt8>(repeating: 0)
    let set = try arena.makeEntry(like: old, value: zeros.span, form: SortedSetValue.treeForm)
    storeWords(&arena, set)
    return set
  }

  /// Makes the draft's structures those of `set`'s root record.
  func storeWords(_ arena: inout Arena, _ set: Ref<Entry>) {
    arena.setRootWord(set, 0, table.root.unit)
    arena.setRootWord(set, 1, tree.rootWord)
    arena.setRootWord(set, 2, UInt64(tree.count))
  }

  private func makeListpackEntry(
    _ arena: inout Arena, key: borrowing Span<UInt8>, access: UInt32
  ) throws(ArenaFull) -> Ref<Entry> {
    var writer = ListpackWriter()
    var place = tree.start(arena.reader)
    while tree.hasItem(arena.reader, &place) {
      let item = tree.item(arena.reader, place)
      writer.append(Element(arena.reader.entry(item.entry).key))
      let text = ScoreText(item.score)
      writer.append(text.element)
      tree.advance(&place)
    }
    return try arena.makeEntry(
      key: key, value: writer.bytes, form: SortedSetValue.listpackForm, access: access)
  }

  func discard(_ arena: inout Arena) {
    arena.discard(.sortedTree, tree.rootWord)
    arena.discard(.table, table.root.unit)
  }
}
