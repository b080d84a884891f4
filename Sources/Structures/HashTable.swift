// HashTable: an extendible hash table of entries. It grows by splitting one segment at a time.
//
//   root      | directory ref 8 | count 8 | global depth 4 | deepest segments 4 |
//   directory | word 8 | ... 2^depth words: segment ref 40 bits, local depth 6, entry count 10
//   segment   | bucket 64 | ... 64 buckets
//   bucket    | ref 5 | ... ten refs | tag 1 | ... ten tags | meta 4 |
//   meta      | occupied 10 bits | displaced 10 bits | passed 10 bits |
//
//   hash      | top bits: directory index | ... | bits 8-13: home bucket | bits 0-7: tag |
//
// 1. An entry lies in its home bucket or, when that was full, in one of the next ones of its
//    segment (then it is "displaced"); every bucket it passed over counts it in `passed`.
//    A search may stop at the first bucket that nothing has passed.
// 2. A segment of local depth d holds the hashes of one d-bit prefix; its 2^(global - d) directory
//    words agree but for the count, which only the first of them keeps.
// 3. `deepest` counts the segments whose local depth is the global depth; at zero, with depth
//    above zero, the directory halves.
// 4. An empty table has no directory.
// 5. The directory is no longer than 512 words an entry, whatever the hashes: a segment that is
//    deeper than chance explains is filled to the last slot before it splits, and at that length
//    of the directory the insertion is refused. So 640 equal hashes are the most there can be.

import Bytes
import CSystem
import Memory

@frozen public struct HashTable: BitwiseCopyable, Sendable {
  public let root: Ref<HashTable>
  public let hash: KeyedHash

  @inlinable public init(root: Ref<HashTable>, hash: KeyedHash) {
    self.root = root
    self.hash = hash
  }

  @inlinable public static var rootBytes: Int { 24 }
  @inlinable static var bucketCount: Int { 64 }
  @inlinable static var slotCount: Int { 10 }
  @inlinable static var segmentBytes: Int { 4096 }
  /// How far from home an insertion goes before it rather splits the segment.
  static let longestProbe = 8
  static let deepestDepth = 40
  /// How many levels deeper than one entry a segment asks for a segment may get.
  static let excessLimit = 8
  /// Two sibling segments merge when they hold no more entries than this together.
  static let mergeLimit = 256

  /// Where an entry lies.
  @frozen public struct Slot: BitwiseCopyable, Sendable {
    public let entry: Ref<Entry>
    @usableFromInline let bucket: Int
    @usableFromInline let directoryIndex: Int
    @usableFromInline let index: UInt8
    @usableFromInline let distance: UInt8

    /// Where the bucket lies in the arena.
    @inlinable public var bucketOffset: Int { bucket }

    /// The same place, after another entry was put there.
    public func with(_ entry: Ref<Entry>) -> Slot {
      Slot(
        entry: entry, bucket: bucket, directoryIndex: directoryIndex, index: Int(index),
        distance: Int(distance))
    }

    @inlinable init(entry: Ref<Entry>, bucket: Int, directoryIndex: Int, index: Int, distance: Int)
    {
      self.entry = entry
      self.bucket = bucket
      self.directoryIndex = directoryIndex
      self.index = UInt8(truncatingIfNeeded: index)
      self.distance = UInt8(truncatingIfNeeded: distance)
    }
  }

  /// A directory word.
  @frozen @usableFromInline struct Word: BitwiseCopyable {
    @usableFromInline var bits: UInt64
    @inlinable init(bits: UInt64) { self.bits = bits }
    @inlinable init(segment: Ref<HashTable>, depth: Int, count: Int) {
      bits = segment.unit | UInt64(depth) << 40 | UInt64(count) << 46
    }
    @inlinable var segment: Ref<HashTable> { Ref(unit: bits & 0xFF_FFFF_FFFF) }
    @inlinable var depth: Int { Int(truncatingIfNeeded: bits &>> 40) & 63 }
    @inlinable var count: Int {
      get { Int(truncatingIfNeeded: bits &>> 46) & 1023 }
      set { bits = bits & ~(1023 << 46) | UInt64(newValue) << 46 }
    }
  }

  /// A bucket's last four bytes.
  @frozen @usableFromInline struct Meta: BitwiseCopyable {
    @usableFromInline var bits: UInt32
    @inlinable init(bits: UInt32) { self.bits = bits }
    @inlinable var occupied: UInt32 { bits & 1023 }
    @inlinable var displaced: UInt32 { bits &>> 10 & 1023 }
    @inlinable var passed: UInt32 {
      get { bits &>> 20 & 1023 }
      set { bits = bits & 0xFFFFF | newValue &<< 20 }
    }
    @inlinable mutating func occupy(_ index: Int, displaced: Bool) {
      bits |= 1 &<< UInt32(index)
      if displaced { bits |= 1 &<< UInt32(index &+ 10) }
    }
    @inlinable mutating func vacate(_ index: Int) {
      bits &= ~(0x401 &<< UInt32(index))
    }
  }

  @inlinable static func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 8) & 63 }

  @inlinable static func directoryIndex(_ hash: UInt64, depth: Int) -> Int {
    // A shift by 64 would keep the hash as it is; depth 0 has to give 0.
    Int(truncatingIfNeeded: (hash &>> 1) &>> UInt64(truncatingIfNeeded: 63 &- depth))
  }

  // MARK: Reading

  @inlinable public func count(_ reader: borrowing ArenaReader) -> Int {
    // SAFETY: the root is as long as the picture says.
    unsafe reader.load(root, at: 8, as: Int.self)
  }

  @inlinable func directory(_ reader: borrowing ArenaReader) -> Ref<HashTable> {
    // SAFETY: the root is as long as the picture says.
    Ref(unit: unsafe reader.load(root, as: UInt64.self))
  }

  @inlinable func depth(_ reader: borrowing ArenaReader) -> Int {
    // SAFETY: the root is as long as the picture says.
    unsafe Int(truncatingIfNeeded: reader.load(root, at: 16, as: UInt32.self))
  }

  @inlinable func word(
    _ reader: borrowing ArenaReader, _ directory: Ref<HashTable>, _ index: Int
  ) -> Word {
    // SAFETY: index < 2^depth, which is the directory's length.
    Word(bits: unsafe reader.load(directory, at: index &* 8, as: UInt64.self))
  }

  /// The byte offset of the home bucket of `hash`; the table must not be empty.
  @inlinable func homeBucket(_ reader: borrowing ArenaReader, _ hash: UInt64) -> Int {
    let index = Self.directoryIndex(hash, depth: depth(reader))
    return word(reader, directory(reader), index).segment.offset &+ Self.home(hash) &* 64
  }

  /// Asks for the bucket where a search for `hash` starts.
  @inlinable public func prefetchBucket(_ reader: borrowing ArenaReader, _ hash: UInt64) {
    if directory(reader).isNull { return }
    reader.prefetch(Ref<HashTable>(offset: homeBucket(reader, hash)))
  }

  /// Asks for the entries that a search for `hash` would compare.
  @inlinable public func prefetchEntries(_ reader: borrowing ArenaReader, _ hash: UInt64) {
    if directory(reader).isNull { return }
    let bucket = homeBucket(reader, hash)
    var matches = Self.matches(reader, bucket, hash)
    while matches != 0 {
      let entry = Self.ref(reader, bucket, matches.trailingZeroBitCount)
      reader.prefetch(entry)
      reader.prefetch(entry, at: 64)
      matches &= matches &- 1
    }
  }

  @inlinable static func meta(_ reader: borrowing ArenaReader, _ bucket: Int) -> Meta {
    // SAFETY: a bucket's last four bytes.
    unsafe Meta(bits: reader.base.load(fromByteOffset: bucket &+ 60, as: UInt32.self))
  }

  @inlinable static func matches(
    _ reader: borrowing ArenaReader, _ bucket: Int, _ hash: UInt64
  ) -> UInt32 {
    // SAFETY: buckets are 64 bytes long and 64-byte aligned, since segments are whole pages.
    let equal = unsafe csystem_match_tags(reader.base + bucket, UInt8(truncatingIfNeeded: hash))
    return equal & meta(reader, bucket).occupied
  }

  @inlinable static func ref(
    _ reader: borrowing ArenaReader, _ bucket: Int, _ index: Int
  ) -> Ref<Entry> {
    // SAFETY: 5 * 9 + 8 bytes lie inside the bucket.
    let word = unsafe reader.base.loadUnaligned(
      fromByteOffset: bucket &+ index &* 5, as: UInt64.self)
    return Ref(unit: word & 0xFF_FFFF_FFFF)
  }

  /// Looks `key` up.
  /// - Parameter hash: `self.hash(key)`.
  @inlinable public func find(
    _ reader: borrowing ArenaReader, _ hash: UInt64, _ key: borrowing Span<UInt8>
  ) -> Slot? {
    let directory = directory(reader)
    if directory.isNull { return nil }
    let index = Self.directoryIndex(hash, depth: depth(reader))
    let segment = word(reader, directory, index).segment.offset
    var number = Self.home(hash)
    var distance = 0
    while distance < Self.bucketCount {
      let bucket = segment &+ number &* 64
      var matches = Self.matches(reader, bucket, hash)
      while matches != 0 {
        let slot = matches.trailingZeroBitCount
        let entry = Self.ref(reader, bucket, slot)
        if EntryView(reader, entry).hasKey(key) {
          return Slot(
            entry: entry, bucket: bucket, directoryIndex: index, index: slot, distance: distance)
        }
        matches &= matches &- 1
      }
      if Self.meta(reader, bucket).passed == 0 { return nil }
      number = (number &+ 1) & 63
      distance &+= 1
    }
    return nil
  }

  /// Where `entry` lies, whose key's hash is `hash`.
  public func slot(
    _ reader: borrowing ArenaReader, _ hash: UInt64, of entry: Ref<Entry>
  ) -> Slot? {
    find(reader, hash, reader.entry(entry).key)
  }

  /// An entry's share of segments and directory at the usual fill of about 70 %.
  public static var typicalBytesPerEntry: Int { 9 }

  /// An entry at random, every one with about the same chance; nil for an empty table.
  public func random(
    _ reader: borrowing ArenaReader, using generator: inout some RandomNumberGenerator
  ) -> Ref<Entry>? {
    let directory = directory(reader)
    guard !directory.isNull, count(reader) > 0 else { return nil }
    let depth = depth(reader)
    while true {
      let index = Int.random(in: 0..<(1 << depth), using: &generator)
      let word = word(reader, directory, index)
      let segment = word.segment.offset
      // Ten blind throws are fair; a nearly empty segment is then counted through.
      for _ in 0..<10 {
        let bucket = segment + Int.random(in: 0..<64, using: &generator) * 64
        let slot = Int.random(in: 0..<10, using: &generator)
        if Self.meta(reader, bucket).occupied >> UInt32(slot) & 1 != 0 {
          return Self.ref(reader, bucket, slot)
        }
      }
      // Invariant 2: the first of the segment's words has its count.
      let first = index & ~((1 << (depth - word.depth)) - 1)
      let held = self.word(reader, directory, first).count
      if held == 0 { continue }
      var rank = Int.random(in: 0..<held, using: &generator)
      for number in 0..<64 {
        let occupied = Self.meta(reader, segment + number * 64).occupied
        if rank < occupied.nonzeroBitCount {
          return Self.ref(reader, segment + number * 64, nthSetBit(occupied, rank))
        }
        rank -= occupied.nonzeroBitCount
      }
    }
  }
}

/// The position of set bit number `n`, counted from 0, of `bits`.
func nthSetBit(_ bits: UInt32, _ n: Int) -> Int {
  var bits = bits
  for _ in 0..<n { bits &= bits - 1 }
  return bits.trailingZeroBitCount
}
