// Insertion, removal, splitting and merging of segments. Invariants: HashTable.swift.

import Bytes
import CSystem
import Memory

extension HashTable {
  /// An empty table.
  public static func create(
    _ arena: inout Arena, hash: KeyedHash
  ) throws(ArenaFull) -> HashTable {
    let root = try arena.allocate(rootBytes, as: HashTable.self)
    // SAFETY: a fresh allocation of that size.
    let bytes = unsafe arena.write(root, count: rootBytes)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: rootBytes)
    return HashTable(root: root, hash: hash)
  }

  /// Adds an entry whose key the table does not hold.
  /// - Parameter hash: the hash of its key.
  public func insert(
    _ arena: inout Arena, _ hash: UInt64, _ entry: Ref<Entry>
  ) throws(ArenaFull) {
    if directory(arena.reader).isNull { try makeDirectory(&arena) }
    while true {
      let directory = directory(arena.reader)
      let depth = depth(arena.reader)
      let index = Self.directoryIndex(hash, depth: depth)
      var word = word(arena.reader, directory, index)
      let excess = excessDepth(arena.reader, word)
      let longest = excess < 0 ? Self.longestProbe : Self.bucketCount
      if Self.place(&arena, word.segment.offset, hash, entry, longest: longest) {
        // Invariant 2: the first of the segment's words keeps the count.
        let first = index & ~((1 << (depth - word.depth)) - 1)
        if first != index { word = self.word(arena.reader, directory, first) }
        word.count += 1
        setWord(&arena, directory, first, word)
        setRoot(&arena, 8, count(arena.reader) + 1)
        return
      }
      guard excess < Self.excessLimit else { throw ArenaFull() }
      try split(&arena, index)
    }
  }

  /// How many levels deeper the segment is than a table of one entry a segment would be
  /// (invariant 5).
  private func excessDepth(_ reader: borrowing ArenaReader, _ word: Word) -> Int {
    word.depth - (Int.bitWidth - count(reader).leadingZeroBitCount)
  }

  /// Gives `key` a value and a deadline, or none; the spans lie outside the arena.
  /// - Parameter hash: the key's.
  /// - Returns: whether the key is new.
  public func set(
    _ arena: inout Arena, _ hash: UInt64, _ key: borrowing Span<UInt8>,
    value: borrowing Span<UInt8>, expiry: Int? = nil
  ) throws(ArenaFull) -> Bool {
    if let slot = find(arena.reader, hash, key) {
      let entry = try arena.rewrite(slot.entry, key: key, value: value, expiry: expiry)
      if entry != slot.entry { replace(&arena, slot, entry) }
      return false
    }
    let entry = try arena.makeEntry(key: key, value: value, expiry: expiry)
    do throws(ArenaFull) {
      try insert(&arena, hash, entry)
    } catch {
      arena.freeEntry(entry)
      throw error
    }
    return true
  }

  /// Puts another entry with the same key into the slot.
  @inlinable public func replace(_ arena: inout Arena, _ slot: Slot, _ entry: Ref<Entry>) {
    Self.setRef(&arena, slot.bucket, Int(slot.index), entry)
  }

  /// Removes the slot's entry from the table; the entry itself remains the caller's.
  public func remove(_ arena: inout Arena, _ slot: Slot) {
    var meta = Self.meta(arena.reader, slot.bucket)
    meta.vacate(Int(slot.index))
    Self.setMeta(&arena, slot.bucket, meta)
    let segment = slot.bucket & ~(Self.segmentBytes - 1)
    var bucket = slot.bucket
    for _ in 0..<slot.distance {
      bucket = segment + (bucket - segment + 63 * 64) % (64 * 64)
      var meta = Self.meta(arena.reader, bucket)
      meta.passed -= 1
      Self.setMeta(&arena, bucket, meta)
    }
    let directory = directory(arena.reader)
    let depth = depth(arena.reader)
    var word = word(arena.reader, directory, slot.directoryIndex)
    let first = slot.directoryIndex & ~((1 << (depth - word.depth)) - 1)
    word = self.word(arena.reader, directory, first)
    word.count -= 1
    setWord(&arena, directory, first, word)
    let left = count(arena.reader) - 1
    setRoot(&arena, 8, left)
    if left == 0 {
      releaseStructure(&arena)
    } else if word.depth > 0 && word.count <= Self.mergeLimit / 2 {
      merge(&arena, first, word)
    }
  }

  // MARK: Stores

  @inlinable static func setMeta(_ arena: inout Arena, _ bucket: Int, _ meta: Meta) {
    // SAFETY: the bucket's last four bytes.
    let place = unsafe arena.write(Ref<HashTable>(offset: bucket), count: 64)
    unsafe place.storeBytes(of: meta.bits, toByteOffset: 60, as: UInt32.self)
  }

  @inlinable static func setRef(
    _ arena: inout Arena, _ bucket: Int, _ index: Int, _ entry: Ref<Entry>
  ) {
    // SAFETY: bytes 5 * index ..< 5 * index + 5 of the bucket.
    let place = unsafe arena.write(Ref<HashTable>(offset: bucket), count: 64) + index &* 5
    unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: entry.unit), as: UInt32.self)
    unsafe place.storeBytes(
      of: UInt8(truncatingIfNeeded: entry.unit &>> 32), toByteOffset: 4, as: UInt8.self)
  }

  func setWord(_ arena: inout Arena, _ directory: Ref<HashTable>, _ index: Int, _ word: Word) {
    // SAFETY: index < 2^depth, which is the directory's length.
    let place = unsafe arena.write(directory, at: index * 8, count: 8)
    unsafe place.storeBytes(of: word.bits, as: UInt64.self)
  }

  func setRoot<Value: BitwiseCopyable>(_ arena: inout Arena, _ offset: Int, _ value: Value) {
    // SAFETY: the root is as long as the picture says.
    let place = unsafe arena.write(root, at: offset, count: MemoryLayout<Value>.size)
    unsafe place.storeBytes(of: value, as: Value.self)
  }

  /// Puts an entry into a segment, at most `longest` buckets from its home.
  /// - Returns: false, with nothing changed, when there is no room.
  static func place(
    _ arena: inout Arena, _ segment: Int, _ hash: UInt64, _ entry: Ref<Entry>, longest: Int
  ) -> Bool {
    let home = Self.home(hash)
    var distance = 0
    var bucket = segment + home * 64
    var meta = Self.meta(arena.reader, bucket)
    while meta.occupied == 1023 {
      distance += 1
      guard distance < longest else { return false }
      bucket = segment + (home + distance) % bucketCount * 64
      meta = Self.meta(arena.reader, bucket)
    }
    let slot = (~meta.occupied).trailingZeroBitCount
    setRef(&arena, bucket, slot, entry)
    meta.occupy(slot, displaced: distance > 0)
    // SAFETY: the tag's byte of the bucket, which setRef has just marked.
    let tag = unsafe arena.write(Ref<HashTable>(offset: bucket), count: 64)
    unsafe tag.storeBytes(
      of: UInt8(truncatingIfNeeded: hash), toByteOffset: 50 + slot, as: UInt8.self)
    setMeta(&arena, bucket, meta)
    for step in 0..<distance {
      let passed = segment + (home + step) % bucketCount * 64
      var meta = Self.meta(arena.reader, passed)
      meta.passed += 1
      setMeta(&arena, passed, meta)
    }
    return true
  }

  static func makeSegment(_ arena: inout Arena) throws(ArenaFull) -> Ref<HashTable> {
    let segment = try arena.allocate(segmentBytes, as: HashTable.self)
    clear(&arena, segment)
    return segment
  }

  static func clear(_ arena: inout Arena, _ segment: Ref<HashTable>) {
    // SAFETY: a segment is that long.
    let bytes = unsafe arena.write(segment, count: segmentBytes)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: segmentBytes)
  }

  private func makeDirectory(_ arena: inout Arena) throws(ArenaFull) {
    let segment = try Self.makeSegment(&arena)
    let directory: Ref<HashTable>
    do throws(ArenaFull) {
      directory = try arena.allocate(8, as: HashTable.self)
    } catch {
      arena.free(segment)
      throw error
    }
    setWord(&arena, directory, 0, Word(segment: segment, depth: 0, count: 0))
    setRoot(&arena, 16, UInt32(0))
    setRoot(&arena, 20, UInt32(1))
    setRoot(&arena, 0, directory.unit)
  }

  /// Frees directory and segments of a table without entries.
  private func releaseStructure(_ arena: inout Arena) {
    let directory = directory(arena.reader)
    let words = 1 << depth(arena.reader)
    var index = 0
    while index < words {
      let word = word(arena.reader, directory, index)
      arena.free(word.segment)
      index += words >> word.depth
    }
    arena.free(directory)
    setRoot(&arena, 0, UInt64(0))
  }

  // MARK: Splitting

  private var deepestOffset: Int { 20 }

  func deepest(_ reader: borrowing ArenaReader) -> Int {
    // SAFETY: the root is as long as the picture says.
    unsafe Int(reader.load(root, at: deepestOffset, as: UInt32.self))
  }

  /// Splits the segment that directory word `index` names in two, by the next bit of the hash.
  private func split(_ arena: inout Arena, _ index: Int) throws(ArenaFull) {
    var index = index
    let sibling = try Self.makeSegment(&arena)
    if word(arena.reader, directory(arena.reader), index).depth == depth(arena.reader) {
      do throws(ArenaFull) {
        try doubleDirectory(&arena)
      } catch {
        arena.free(sibling)
        throw error
      }
      index *= 2
    }
    let directory = directory(arena.reader)
    let depth = depth(arena.reader)
    let old = word(arena.reader, directory, index)
    let span = 1 << (depth - old.depth)
    let first = index & ~(span - 1)
    let moved = Self.rebuild(
      &arena, hash, from: [old.segment], into: old.segment, sibling, bit: 63 - old.depth)
    let count = word(arena.reader, directory, first).count
    let low = Word(segment: old.segment, depth: old.depth + 1, count: count - moved)
    let high = Word(segment: sibling, depth: old.depth + 1, count: moved)
    for position in 0..<(span / 2) {
      setWord(&arena, directory, first + position, low)
      setWord(&arena, directory, first + span / 2 + position, high)
    }
    if old.depth + 1 == depth {
      setRoot(&arena, deepestOffset, UInt32(deepest(arena.reader) + 2))
    }
  }

  private func doubleDirectory(_ arena: inout Arena) throws(ArenaFull) {
    let old = directory(arena.reader)
    let depth = depth(arena.reader)
    let new = try arena.allocate(16 << depth, as: HashTable.self)
    // SAFETY: both directories are as long as their depth says; the barrier runs once for all.
    let words = unsafe arena.write(new, count: 16 << depth)
    for index in 0..<(1 << depth) {
      var word = word(arena.reader, old, index)
      unsafe words.storeBytes(of: word.bits, toByteOffset: index * 16, as: UInt64.self)
      word.count = 0
      unsafe words.storeBytes(of: word.bits, toByteOffset: index * 16 + 8, as: UInt64.self)
    }
    setRoot(&arena, 0, new.unit)
    setRoot(&arena, 16, UInt32(depth + 1))
    setRoot(&arena, deepestOffset, UInt32(0))
    arena.free(old)
  }

  /// Takes all entries out of `sources` and places them anew: those whose hash has `bit` set into
  /// `high`, the others into `low`. Both are cleared first.
  /// - Returns: how many went into `high`.
  private static func rebuild(
    _ arena: inout Arena, _ hash: KeyedHash, from sources: [Ref<HashTable>],
    into low: Ref<HashTable>, _ high: Ref<HashTable>, bit: Int
  ) -> Int {
    let limit = bucketCount * slotCount
    return unsafe withUnsafeTemporaryAllocation(of: Ref<Entry>.self, capacity: limit) { entries in
      var count = 0
      for source in sources {
        for number in 0..<bucketCount {
          let bucket = source.offset + number * 64
          var occupied = meta(arena.reader, bucket).occupied
          while occupied != 0 {
            let entry = ref(arena.reader, bucket, occupied.trailingZeroBitCount)
            // All entries are fetched side by side before the first key is hashed.
            arena.reader.prefetch(entry)
            // SAFETY: sources together hold at most `limit` entries (the callers see to it).
            unsafe entries.initializeElement(at: count, to: entry)
            count += 1
            occupied &= occupied - 1
          }
        }
      }
      clear(&arena, low)
      if high != low { clear(&arena, high) }
      var moved = 0
      for index in 0..<count {
        let entry = unsafe entries[index]
        let hash = hash(arena.reader.entry(entry).key)
        let goesHigh = hash >> UInt64(bit) & 1 != 0
        let target = goesHigh ? high : low
        let isPlaced = place(&arena, target.offset, hash, entry, longest: bucketCount)
        precondition(isPlaced, "a segment lost room while it was rebuilt")
        if goesHigh { moved += 1 }
      }
      return moved
    }
  }

  // MARK: Merging

  /// Merges the segment of directory word `first` with its sibling when both are nearly empty.
  private func merge(_ arena: inout Arena, _ first: Int, _ word: Word) {
    let directory = directory(arena.reader)
    let depth = depth(arena.reader)
    let span = 1 << (depth - word.depth)
    let siblingFirst = first ^ span
    let sibling = self.word(arena.reader, directory, siblingFirst)
    guard sibling.depth == word.depth, sibling.count + word.count <= Self.mergeLimit else {
      return
    }
    _ = Self.rebuild(
      &arena, hash, from: [word.segment, sibling.segment], into: word.segment, word.segment, bit: 0)
    arena.free(sibling.segment)
    let start = min(first, siblingFirst)
    let merged = Word(
      segment: word.segment, depth: word.depth - 1, count: word.count + sibling.count)
    for position in 0..<(span * 2) { setWord(&arena, directory, start + position, merged) }
    if word.depth == depth {
      setRoot(&arena, deepestOffset, UInt32(deepest(arena.reader) - 2))
      if deepest(arena.reader) == 0 { halveDirectory(&arena) }
    }
  }

  /// Halves the directory while no segment needs its full depth. A shortage of memory only
  /// postpones it.
  private func halveDirectory(_ arena: inout Arena) {
    let old = directory(arena.reader)
    let depth = depth(arena.reader) - 1
    guard let new = try? arena.allocate(8 << depth, as: HashTable.self) else { return }
    var deepest = 0
    for index in 0..<(1 << depth) {
      // Invariant 2: of the two words that become one, the first has the count if either has.
      let word = word(arena.reader, old, index * 2)
      setWord(&arena, new, index, word)
      if word.depth == depth { deepest += 1 }
    }
    setRoot(&arena, 0, new.unit)
    setRoot(&arena, 16, UInt32(depth))
    setRoot(&arena, deepestOffset, UInt32(deepest))
    arena.free(old)
    if deepest == 0 && depth > 0 { halveDirectory(&arena) }
  }
}
