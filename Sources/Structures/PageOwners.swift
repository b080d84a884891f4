// PageOwners: which keys have something in certain pages, for people whose image is damaged.
//
//   table of a database ──► segments ──► entries ──► blob
//                                           ├──► table of a large hash, set or sorted set ──► ...
//                                           └──► nodes of a large list, sorted set, stream, blobs
//
// 1. Nothing that is read is trusted: a ref that leads out of the arena, or in a circle, is not
//    followed. What a damaged page itself leads to may therefore be missing, or be nonsense.
// 2. A step looks at one segment or one node, so that it can be taken between batches. The tables
//    may change in between; what was there all the time is found.
// 3. Lists are bounded; what does not fit is counted.

import Memory

public struct PageOwners: Sendable {
  /// Somebody who has something in a page.
  public struct Owner: Equatable, Sendable {
    public let page: Int
    public let database: Int
    /// The key's first bytes; nil if the page holds a part of the database's own table.
    public let key: [UInt8]?
  }

  private struct Work: Sendable {
    enum Kind { case table, sortedTree, listTree, streamTree }
    var kind: Kind
    /// The table's root or the tree's node.
    var offset: Int
    /// Where in the table: the first hash of the next segment.
    var prefix: UInt64 = 0
    var database: Int
    var key: [UInt8]?
  }

  public static var listLimit: Int { 200 }
  private static var keyLimit: Int { 256 }
  private static var workLimit: Int { 1 << 20 }

  public private(set) var owners: [Owner] = []
  /// More owners than the list has room for.
  public private(set) var moreCount = 0
  /// Pages that somebody was found for.
  public private(set) var ownedPages: Set<Int> = []
  private let pages: Set<Int>
  private let usedBytes: Int
  private var work: [Work] = []

  /// - Parameters:
  ///   - tables: the units of the databases' tables, 0 for none.
  ///   - usedBytes: what of the arena may be read.
  public init(of pages: [Int], tables: [UInt64], usedBytes: Int) {
    self.pages = Set(pages)
    self.usedBytes = usedBytes
    for (database, unit) in tables.enumerated().reversed() where unit != 0 {
      push(.table, unit, database, nil)
    }
  }

  /// Looks a little further.
  /// - Returns: false when all has been looked at.
  public mutating func step(_ reader: borrowing ArenaReader) -> Bool {
    guard let item = work.popLast() else { return false }
    switch item.kind {
    case .table: visitSegment(reader, item)
    case .sortedTree, .listTree, .streamTree: visitNode(reader, item)
    }
    return true
  }

  // MARK: Reading

  /// The word at `offset`, if there is one.
  private func word(_ reader: borrowing ArenaReader, _ offset: Int) -> UInt64? {
    guard offset >= 0, offset <= usedBytes - 8 else { return nil }
    // SAFETY: the eight bytes lie inside what is used.
    return unsafe reader.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  private mutating func push(_ kind: Work.Kind, _ unit: UInt64, _ database: Int, _ key: [UInt8]?) {
    let offset = Int(truncatingIfNeeded: (unit & 0xFF_FFFF_FFFF) << 3)
    guard offset > 0, offset < usedBytes, work.count < Self.workLimit else { return }
    work.append(Work(kind: kind, offset: offset, database: database, key: key))
  }

  /// Notes the owner of `count` bytes if they lie in one of the pages.
  private mutating func note(_ offset: Int, _ count: Int, _ database: Int, _ key: [UInt8]?) {
    guard count > 0, count <= usedBytes, offset >= 0 else { return }
    let range = offset >> Arena.pageShift...(offset + count - 1) >> Arena.pageShift
    if range.count > pages.count {
      for page in pages where range.contains(page) { note(page, database, key) }
    } else {
      for page in range where pages.contains(page) { note(page, database, key) }
    }
  }

  private mutating func note(_ page: Int, _ database: Int, _ key: [UInt8]?) {
    let owner = Owner(page: page, database: database, key: key)
    if ownedPages.contains(page), owners.contains(owner) { return }
    ownedPages.insert(page)
    if owners.count < Self.listLimit { owners.append(owner) } else { moreCount += 1 }
  }

  // MARK: Tables

  private mutating func visitSegment(_ reader: borrowing ArenaReader, _ item: Work) {
    guard let directory = word(reader, item.offset), let depths = word(reader, item.offset + 16)
    else { return }
    note(item.offset, HashTable.rootBytes, item.database, item.key)
    let depth = Int(depths & 0xFFFF_FFFF)
    let start = Int(truncatingIfNeeded: (directory & 0xFF_FFFF_FFFF) << 3)
    guard depth <= HashTable.deepestDepth, start > 0, start + 8 << depth <= usedBytes else {
      return
    }
    let index = HashTable.directoryIndex(item.prefix, depth: depth)
    let bits = word(reader, start + index * 8) ?? 0
    note(start + index * 8, 8, item.database, item.key)
    let found = HashTable.Word(bits: bits)
    let level = min(found.depth, depth)
    let next = (HashTable.prefix(item.prefix, level) + 1) << UInt64(64 - max(level, 1))
    if level > 0 && next != 0 {
      var rest = item
      rest.prefix = next
      work.append(rest)
    }
    let segment = found.segment.offset
    guard segment > 0, segment <= usedBytes - HashTable.segmentBytes else { return }
    note(segment, HashTable.segmentBytes, item.database, item.key)
    for bucket in stride(from: segment, to: segment + HashTable.segmentBytes, by: 64) {
      var left = HashTable.meta(reader, bucket).occupied
      while left != 0 {
        let entry = HashTable.ref(reader, bucket, left.trailingZeroBitCount)
        left &= left - 1
        visitEntry(reader, entry.offset, item.database, item.key)
      }
    }
  }

  private mutating func visitEntry(
    _ reader: borrowing ArenaReader, _ offset: Int, _ database: Int, _ owner: [UInt8]?
  ) {
    guard let bits = word(reader, offset) else { return }
    let header = Entry.Header(bits: bits)
    var keyCount = header.shortKeyCount
    if header.flags.contains(.longKey) {
      keyCount = Int(truncatingIfNeeded: word(reader, offset + header.keyOffset - 8) ?? 0)
    }
    guard keyCount >= 0, keyCount <= usedBytes else { return }
    let value = offset + header.keyOffset + keyCount
    let isExternal = header.flags.contains(.external)
    let own = header.keyOffset + keyCount + (isExternal ? 16 : header.inlineCount)
    let blob = isExternal ? Int(truncatingIfNeeded: (word(reader, value) ?? 0) << 3) : 0
    let blobCount = isExternal ? Int(truncatingIfNeeded: word(reader, value + 8) ?? 0) : 0
    let encoding = UInt8(truncatingIfNeeded: bits) >> 4
    let isRoot = owner == nil && encoding >= ValueEncoding.table.rawValue
    guard isRoot || overlaps(offset, own) || overlaps(blob, blobCount) else { return }
    let key = owner ?? bytes(reader, offset + header.keyOffset, keyCount)
    note(offset, own, database, key)
    note(blob, blobCount, database, key)
    guard isRoot, let first = word(reader, value) else { return }
    switch ValueEncoding(rawValue: encoding) {
    case .table: push(.table, first, database, key)
    case .sortedTree:
      push(.table, first, database, key)
      push(.sortedTree, word(reader, value + 8) ?? 0, database, key)
    case .listTree: push(.listTree, first, database, key)
    case .stream:
      push(.streamTree, word(reader, value + 64) ?? 0, database, key)
    default: break
    }
  }

  private func overlaps(_ offset: Int, _ count: Int) -> Bool {
    guard count > 0, count <= usedBytes, offset > 0, offset < usedBytes else { return false }
    let range = offset >> Arena.pageShift...(offset + count - 1) >> Arena.pageShift
    return range.count > pages.count
      ? pages.contains { range.contains($0) } : range.contains { pages.contains($0) }
  }

  // cold: an image is damaged
  private func bytes(_ reader: borrowing ArenaReader, _ offset: Int, _ count: Int) -> [UInt8] {
    let count = min(count, Self.keyLimit, usedBytes - offset)
    guard count > 0 else { return [] }
    // SAFETY: the bytes lie inside what is used.
    let start = unsafe UnsafeRawBufferPointer(start: reader.base + offset, count: count)
    return unsafe [UInt8](start)
  }

  // MARK: Trees

  private mutating func visitNode(_ reader: borrowing ArenaReader, _ item: Work) {
    guard let front = word(reader, item.offset) else { return }
    let count = Int(front & 0xFFFF)
    let level = Int(front >> 32 & 0xFF)
    let capacity = Int(front >> 16 & 0xFFFF)
    let first = item.offset + 8
    guard count <= capacity, level < 12 else {
      return note(item.offset, 8, item.database, item.key)
    }
    if level > 0 {
      // As many bytes as every kind of inner node has.
      note(item.offset, CountedTree<ListLeaf>.innerBytes, item.database, item.key)
      for index in 0..<min(count, 256) {
        let child = word(reader, first + index * 8) ?? 0
        // Only downwards, so that no circle is followed for ever.
        let place = Int(truncatingIfNeeded: (child & 0xFF_FFFF_FFFF) << 3)
        guard let below = word(reader, place), Int(below >> 32 & 0xFF) < level else { continue }
        push(item.kind, child, item.database, item.key)
      }
      return
    }
    let itemBytes: Int
    switch item.kind {
    case .listTree: itemBytes = CountedTree<ListLeaf>.itemBytes
    case .streamTree: itemBytes = CountedTree<StreamItem>.itemBytes
    case .sortedTree, .table: itemBytes = CountedTree<ScoredMember>.itemBytes
    }
    note(item.offset, 8 + min(count * itemBytes, 1016), item.database, item.key)
    guard item.kind != .sortedTree else { return }
    for index in 0..<min(count, 127) {
      // The blob's unit is the item's last word, or all of it.
      let unit = word(reader, first + (index + 1) * itemBytes - 8) ?? 0
      let blob = Int(truncatingIfNeeded: (unit & 0xFF_FFFF_FFFF) << 3)
      // A listpack begins with its length.
      guard let length = word(reader, blob), blob > 0 else { continue }
      note(blob, max(Int(length & 0xFFFF_FFFF), 8), item.database, item.key)
    }
  }
}
