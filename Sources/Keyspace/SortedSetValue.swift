// SortedSetValue: sorted sets, in the encodings and at the sizes at which Redis has them.
//
//   listpack     | member | score | member | score | ...      in order, up to
//                                                             zset-max-listpack-entries members
//   sortedTree   root record: | table 8 | tree's root and height 8 | count 8 |
//                table: an entry for each member, its value the score; tree: ScoredMember
//
// 1. Members are in the order of their scores, those of equal score in the order of their bytes.
// 2. A set becomes a tree when it gets too many members or too long a one; it never goes back.
// 3. Table and tree hold the same members, with the same scores.
// 4. These functions work on an entry wherever it is, in a database or not yet: it may move, and
//    its owner has to be told. Members to be stored lie outside the arena.
// 5. When there is no memory nothing has changed.

import Bytes
import Memory
import Structures

/// The structures of a large sorted set.
struct SortedTree {
  let table: HashTable
  var tree: CountedTree<ScoredMember>

  static var recordBytes: Int { 24 }
}

extension ArenaReader {
  func sortedTree(_ set: Ref<Entry>, _ hash: KeyedHash) -> SortedTree {
    let count = Int(rootWord(set, 2))
    return SortedTree(
      table: HashTable(root: Ref(unit: rootWord(set, 0)), hash: hash),
      tree: CountedTree(rootWord: rootWord(set, 1), count: count, weight: count))
  }

  /// How many members a sorted set has.
  public func sortedCount(_ set: Ref<Entry>) -> Int {
    if entry(set).header.encoding == .listpack { return listpack(set).count / 2 }
    return Int(rootWord(set, 2))
  }

  /// A member's score.
  func score(
    _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ hash: KeyedHash
  ) -> Double? {
    guard entry(set).header.encoding == .listpack else {
      let table = HashTable(root: Ref(unit: rootWord(set, 0)), hash: hash)
      guard let slot = table.find(self, hash(member), member) else { return nil }
      return score(slot.entry)
    }
    let list = listpack(set)
    guard let place = list.find(Element(copy member), from: list.start, step: 2) else {
      return nil
    }
    return list.element(list.next(place)).score
  }

  /// How many members come before this one, and its score.
  func rank(
    _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ hash: KeyedHash
  ) -> (rank: Int, score: Double)? {
    guard entry(set).header.encoding == .listpack else {
      guard let score = score(set, member, hash) else { return nil }
      let tree = sortedTree(set, hash).tree
      let place = tree.lowerBound(self, MemberProbe(score, copy member))
      return (tree.weightBefore(self, place), score)
    }
    let list = listpack(set)
    let wanted = Element(copy member)
    var place = list.start
    var rank = 0
    while place < list.end {
      let second = list.next(place)
      if list.element(place).equals(wanted) { return (rank, list.element(second).score) }
      place = list.next(second)
      rank += 1
    }
    return nil
  }
}

extension ListpackElement {
  /// What the element says as a score. Foreign bytes have been checked when they came.
  var score: Double { isInteger ? Double(integer) : string.parseScore() ?? 0 }

  /// Compares the text with another, by bytes.
  func compare(_ other: borrowing Span<UInt8>) -> Int {
    isInteger ? IntegerText(integer).span.compare(other) : string.compare(other)
  }
}

extension Span where Element == UInt8 {
  /// A score as it is stored: infinite ones, and those that only the wider type can take.
  func parseScore() -> Double? { parseDouble() ?? parseExtended().map { Double($0) } }
}

enum SortedSetValue {
  static var listpackForm: Entry.Form { Entry.Form(.sortedSet, .listpack) }
  static var treeForm: Entry.Form { Entry.Form(.sortedSet, .sortedTree) }

  /// An empty sorted set that nothing refers to yet.
  static func make(
    _ arena: inout Arena, key: borrowing Span<UInt8>, startsAsTree: Bool = false,
    access: UInt32 = 0, _ hash: KeyedHash
  ) throws(ArenaFull) -> Ref<Entry> {
    guard startsAsTree else {
      return try arena.makeEntry(
        key: key, value: Listpack.empty.span, form: listpackForm, access: access)
    }
    let table = try HashTable.create(&arena, hash: hash)
    do throws(ArenaFull) {
      let zeros = InlineArray<24, UInt8>(repeating: 0)
      let set = try arena.makeEntry(key: key, value: zeros.span, form: treeForm, access: access)
      arena.setRootWord(set, 0, table.root.unit)
      return set
    } catch {
      arena.free(table.root)
      throw error
    }
  }

  /// Prepares a set for up to `count` more members, as Redis does before ZADD.
  static func prepare(
    _ arena: inout Arena, _ set: inout Ref<Entry>, adding count: Int, _ limits: CollectionLimits,
    _ hash: KeyedHash
  ) throws(ArenaFull) {
    if arena.reader.entry(set).header.encoding == .listpack,
      count > limits.sortedSetListpackEntries
    {
      try makeTree(&arena, &set, hash)
    }
  }

  /// Gives a member a score, `old` being what `score` says of it now. An equal one, be it a zero of
  /// the other sign, changes nothing.
  static func set(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ score: Double, old: Double?, _ limits: CollectionLimits, _ hash: KeyedHash
  ) throws(ArenaFull) {
    if old == score { return }
    if arena.reader.entry(set).header.encoding == .listpack {
      let hasRoom = hasRoom(arena.reader, set, member, limits)
      if old != nil { return try moveInListpack(&arena, &set, member, score) }
      if hasRoom { return try insertInListpack(&arena, &set, member, score) }
      try makeTree(&arena, &set, hash)
    }
    if let old {
      try move(&arena, set, member, from: old, to: score, hash)
    } else {
      try insert(&arena, set, member, score, hash)
    }
  }

  /// Removes a member.
  /// - Returns: whether it was there.
  static func remove(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ hash: KeyedHash
  ) -> Bool {
    guard arena.reader.entry(set).header.encoding == .listpack else {
      return removeFromTree(&arena, set, member, hash)
    }
    guard let offset = offset(arena.reader, set, member) else { return false }
    var place = ListpackPlace.value(set)
    arena.removeElements(2, at: offset, from: &place)
    set = place.entry
    return true
  }

  /// Removes the members of those ranks.
  static func removeRanks(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ range: Range<Int>, _ hash: KeyedHash
  ) {
    guard !range.isEmpty else { return }
    guard arena.reader.entry(set).header.encoding == .listpack else {
      let left = arena.reader.sortedCount(set) - range.count
      let isAnew = left < range.count / 2 && keep(outside: range, &arena, &set, hash)
      if !isAnew { removeRanksFromTree(&arena, set, range, hash) }
      return
    }
    guard let offset = arena.reader.listpack(set).place(of: range.lowerBound * 2) else {
      preconditionFailure("a sorted set has fewer members than it says")
    }
    var place = ListpackPlace.value(set)
    arena.removeElements(range.count * 2, at: offset, from: &place)
    set = place.entry
  }

  // MARK: Listpacks

  /// Whether a listpack takes one more member.
  private static func hasRoom(
    _ reader: borrowing ArenaReader, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ limits: CollectionLimits
  ) -> Bool {
    let list = reader.listpack(set)
    return list.count / 2 < limits.sortedSetListpackEntries
      && member.count <= limits.sortedSetListpackValueBytes
      && list.bytes.count + member.count <= Listpack.largestBytes - 64
  }

  private static func offset(
    _ reader: borrowing ArenaReader, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>
  ) -> Int? {
    let list = reader.listpack(set)
    return list.find(Element(copy member), from: list.start, step: 2)
  }

  /// The place before the first member that comes behind `member` with that score.
  private static func insertionPlace(
    _ reader: borrowing ArenaReader, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ score: Double
  ) -> Int {
    let list = reader.listpack(set)
    var place = list.start
    while place < list.end {
      let second = list.next(place)
      let other = list.element(second).score
      if other > score || (other == score && list.element(place).compare(member) > 0) { break }
      place = list.next(second)
    }
    return place
  }

  private static func insertInListpack(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ score: Double
  ) throws(ArenaFull) {
    let offset = insertionPlace(arena.reader, set, member, score)
    let text = ScoreText(score)
    var place = ListpackPlace.value(set)
    try arena.insert(Element(copy member), text.element, into: &place, at: offset)
    set = place.entry
  }

  /// Writes the member anew, then takes the old one away: removing needs no memory.
  private static func moveInListpack(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ member: borrowing Span<UInt8>,
    _ score: Double
  ) throws(ArenaFull) {
    let offset = insertionPlace(arena.reader, set, member, score)
    guard var old = self.offset(arena.reader, set, member) else {
      preconditionFailure("a member that has a score is not there")
    }
    let before = arena.reader.listpack(set).bytes.count
    try insertInListpack(&arena, &set, member, score)
    if offset <= old { old += arena.reader.listpack(set).bytes.count - before }
    var place = ListpackPlace.value(set)
    arena.removeElements(2, at: old, from: &place)
    set = place.entry
  }

  // MARK: Trees

  private static func store(
    _ tree: CountedTree<ScoredMember>, _ arena: inout Arena, _ set: Ref<Entry>
  ) {
    arena.setRootWord(set, 1, tree.rootWord)
    arena.setRootWord(set, 2, UInt64(tree.count))
  }

  private static func insert(
    _ arena: inout Arena, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ score: Double,
    _ hash: KeyedHash
  ) throws(ArenaFull) {
    var parts = arena.reader.sortedTree(set, hash)
    let entry = try arena.makeMember(member, score: score)
    do throws(ArenaFull) {
      let place = parts.tree.lowerBound(arena.reader, MemberProbe(score, copy member))
      try parts.tree.insert(&arena, ScoredMember(score, entry), at: place)
    } catch {
      // The tree may have become higher before memory ran out.
      store(parts.tree, &arena, set)
      arena.freeEntry(entry)
      throw error
    }
    do throws(ArenaFull) {
      try parts.table.insert(&arena, hash(member), entry)
    } catch {
      take(ScoredMember(score, entry), outOf: &parts.tree, &arena)
      store(parts.tree, &arena, set)
      arena.freeEntry(entry)
      throw error
    }
    store(parts.tree, &arena, set)
  }

  private static func move(
    _ arena: inout Arena, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>,
    from old: Double, to score: Double, _ hash: KeyedHash
  ) throws(ArenaFull) {
    var parts = arena.reader.sortedTree(set, hash)
    guard let slot = parts.table.find(arena.reader, hash(member), member) else {
      preconditionFailure("a member that has a score is not there")
    }
    let item = ScoredMember(score, slot.entry)
    var place = parts.tree.lowerBound(arena.reader, MemberProbe(old, copy member))
    _ = parts.tree.hasItem(arena.reader, &place)
    if fits(arena.reader, parts.tree, item, at: place) {
      parts.tree.replace(&arena, item, at: place)
    } else {
      // Entered anew first: taking the old one out needs no memory.
      let target = parts.tree.lowerBound(arena.reader, MemberProbe(score, copy member))
      do throws(ArenaFull) {
        try parts.tree.insert(&arena, item, at: target)
      } catch {
        store(parts.tree, &arena, set)
        throw error
      }
      take(ScoredMember(old, slot.entry), outOf: &parts.tree, &arena)
      store(parts.tree, &arena, set)
    }
    arena.setScore(slot.entry, score)
  }

  /// Whether `item` may stand where the item behind the place stands now.
  private static func fits(
    _ reader: borrowing ArenaReader, _ tree: CountedTree<ScoredMember>, _ item: ScoredMember,
    at place: TreePlace
  ) -> Bool {
    var before = place
    if tree.retreat(reader, &before), tree.item(reader, before).score >= item.score {
      return false
    }
    var after = place
    tree.advance(&after)
    return !tree.hasItem(reader, &after) || tree.item(reader, after).score > item.score
  }

  private static func removeFromTree(
    _ arena: inout Arena, _ set: Ref<Entry>, _ member: borrowing Span<UInt8>, _ hash: KeyedHash
  ) -> Bool {
    var parts = arena.reader.sortedTree(set, hash)
    guard let slot = parts.table.find(arena.reader, hash(member), member) else { return false }
    take(
      ScoredMember(arena.reader.score(slot.entry), slot.entry), outOf: &parts.tree, &arena)
    store(parts.tree, &arena, set)
    parts.table.remove(&arena, slot)
    arena.freeEntry(slot.entry)
    return true
  }

  /// Takes an item out of the tree; its entry is still there.
  private static func take(
    _ item: ScoredMember, outOf tree: inout CountedTree<ScoredMember>, _ arena: inout Arena
  ) {
    var place = find(item, tree, arena.reader)
    guard tree.hasItem(arena.reader, &place), tree.item(arena.reader, place).entry == item.entry
    else { preconditionFailure("a member is not in its tree") }
    tree.remove(&arena, at: place)
  }

  private static func find(
    _ item: ScoredMember, _ tree: CountedTree<ScoredMember>, _ reader: borrowing ArenaReader
  ) -> TreePlace {
    tree.lowerBound(reader, MemberProbe(item.score, reader.entry(item.entry).key))
  }

  // MARK: Ranges

  /// Takes members out one by one, those of a leaf together, so that the waits for their entries
  /// and buckets overlap.
  private static func removeRanksFromTree(
    _ arena: inout Arena, _ set: Ref<Entry>, _ range: Range<Int>, _ hash: KeyedHash
  ) {
    var parts = arena.reader.sortedTree(set, hash)
    let table = parts.table
    parts.tree.remove(&arena, positions: range) { arena, tree, place, count in
      take(count, tree, from: place, outOf: table, &arena)
    }
    store(parts.tree, &arena, set)
  }

  /// Takes members out of the table, those behind the place in its leaf, and frees them.
  private static func take(
    _ count: Int, _ tree: CountedTree<ScoredMember>, from start: TreePlace,
    outOf table: HashTable, _ arena: inout Arena
  ) {
    var hashes = InlineArray<128, UInt64>(repeating: 0)
    precondition(count <= hashes.count)
    var place = start
    for _ in 0..<count {
      arena.reader.prefetch(tree.item(arena.reader, place).entry)
      tree.advance(&place)
    }
    place = start
    for index in 0..<count {
      hashes[index] = table.hash(arena.reader.entry(tree.item(arena.reader, place).entry).key)
      table.prefetchBucket(arena.reader, hashes[index])
      tree.advance(&place)
    }
    place = start
    for index in 0..<count {
      let member = tree.item(arena.reader, place).entry
      guard let slot = table.slot(arena.reader, hashes[index], of: member) else {
        preconditionFailure("a member is not in its table")
      }
      table.remove(&arena, slot)
      arena.freeEntry(member)
      tree.advance(&place)
    }
  }

  /// Makes the set anew of the members outside `range`, and leaves what it was to be freed later:
  /// where little stays, the time goes by what stays.
  /// - Returns: false, with nothing changed, without memory for that.
  private static func keep(
    outside range: Range<Int>, _ arena: inout Arena, _ set: inout Ref<Entry>, _ hash: KeyedHash
  ) -> Bool {
    guard var draft = try? SortedSetDraft(&arena, hash) else { return false }
    let count = arena.reader.sortedCount(set)
    do throws(ArenaFull) {
      try append(0..<range.lowerBound, of: set, to: &draft, &arena, hash)
      try append(range.upperBound..<count, of: set, to: &draft, &arena, hash)
      let new = try draft.makeTreeEntry(&arena, like: set)
      arena.discardEntry(set)
      set = new
      return true
    } catch {
      draft.discard(&arena)
      return false
    }
  }

  private static func append(
    _ ranks: Range<Int>, of set: Ref<Entry>, to draft: inout SortedSetDraft,
    _ arena: inout Arena, _ hash: KeyedHash
  ) throws(ArenaFull) {
    let tree = arena.reader.sortedTree(set, hash).tree
    var place = tree.place(arena.reader, at: ranks.lowerBound).place
    var text = ByteBuffer()
    for _ in ranks {
      let isThere = tree.hasItem(arena.reader, &place)
      precondition(isThere, "a sorted set has fewer members than it says")
      let item = tree.item(arena.reader, place)
      text.removeAll()
      text.append(arena.reader.entry(item.entry).key)
      try draft.append(&arena, text.span, item.score)
      tree.advance(&place)
    }
  }

  // MARK: Conversion

  /// Turns a listpack into a tree.
  static func makeTree(
    _ arena: inout Arena, _ set: inout Ref<Entry>, _ hash: KeyedHash
  ) throws(ArenaFull) {
    var bytes = ByteBuffer()
    bytes.append(arena.reader.entry(set).value)
    var draft = try SortedSetDraft(&arena, hash)
    do throws(ArenaFull) {
      let list = Listpack(bytes.span)
      var place = list.start
      var text = ByteBuffer()
      while place < list.end {
        text.removeAll()
        text.append(list.element(place))
        let second = list.next(place)
        try draft.append(&arena, text.span, list.element(second).score)
        place = list.next(second)
      }
      let new = try draft.makeTreeEntry(&arena, like: set)
      arena.freeEntry(set)
      set = new
    } catch {
      draft.discard(&arena)
      throw error
    }
  }
}

/// A score as the text that it is stored and printed as, on the stack.
struct ScoreText {
  private var bytes = InlineArray<32, UInt8>(repeating: 0)
  private var count = 0
  private let integer: Int?

  init(_ score: Double) {
    // -0 loses its sign in a small set, as in Redis.
    if let exact = Int(exactly: score), exact.magnitude <= 1 << 62 {
      integer = exact
      return
    }
    integer = nil
    var text = ByteBuffer(capacity: 32)
    text.append(double: score)
    let span = text.span
    for index in span.indices { bytes[index] = span[index] }
    count = span.count
  }

  var element: Element {
    @_lifetime(borrow self) borrowing get {
      if let integer { return Element(integer: integer) }
      return Element(text: bytes.span.extracting(0..<count))
    }
  }
}
