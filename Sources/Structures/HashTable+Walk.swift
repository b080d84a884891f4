// Walking through a whole table, in the order of its segments, and copying one.
//
// 1. A walk is good while the table does not change; it needs no memory. For walks across changes
//    there is `scan`.

import Bytes
import Memory

extension HashTable {
  /// How far a walk has come.
  @frozen public struct Walk: BitwiseCopyable, Sendable {
    /// The directory word after the present segment's.
    @usableFromInline var position = 0
    @usableFromInline var segment = 0
    /// The bucket after the present one; all are done at the beginning.
    @usableFromInline var number = 64
    @usableFromInline var bucket = 0
    /// The present bucket's slots that are still to come.
    @usableFromInline var left: UInt32 = 0

    @inlinable public init() {}
  }

  /// The walk's next entry; nil at the end.
  @inlinable public func next(
    _ reader: borrowing ArenaReader, _ walk: inout Walk
  ) -> Ref<Entry>? {
    while walk.left == 0 {
      guard advance(reader, &walk) else { return nil }
    }
    let slot = walk.left.trailingZeroBitCount
    walk.left &= walk.left &- 1
    return Self.ref(reader, walk.bucket, slot)
  }

  /// Goes to the next bucket, and asks for the entries of the one after it.
  /// - Returns: false at the end.
  @usableFromInline func advance(_ reader: borrowing ArenaReader, _ walk: inout Walk) -> Bool {
    if walk.number == Self.bucketCount {
      let directory = directory(reader)
      if directory.isNull { return false }
      let words = 1 << depth(reader)
      guard walk.position < words else { return false }
      let word = word(reader, directory, walk.position)
      walk.position += words >> word.depth
      walk.segment = word.segment.offset
      walk.number = 0
    }
    walk.bucket = walk.segment + walk.number * 64
    walk.left = Self.meta(reader, walk.bucket).occupied
    walk.number += 1
    if walk.number < Self.bucketCount {
      let ahead = walk.bucket + 64
      var occupied = Self.meta(reader, ahead).occupied
      while occupied != 0 {
        reader.prefetch(Self.ref(reader, ahead, occupied.trailingZeroBitCount))
        occupied &= occupied - 1
      }
    }
    return true
  }

  /// The bytes that directory and segments take.
  public func structureBytes(_ reader: borrowing ArenaReader) -> Int {
    let directory = directory(reader)
    if directory.isNull { return Self.rootBytes }
    let words = 1 << depth(reader)
    var bytes = Self.rootBytes + words * 8
    var position = 0
    while position < words {
      position += words >> word(reader, directory, position).depth
      bytes += Self.segmentBytes
    }
    return bytes
  }

  // MARK: Copying

  /// A table with copies of all entries, none of which has structures of its own. Segments are
  /// copied as they are, so that nothing is hashed anew.
  public func clone(_ arena: inout Arena) throws(ArenaFull) -> HashTable {
    let copy = try Self.create(&arena, hash: hash)
    let old = directory(arena.reader)
    if old.isNull { return copy }
    let depth = depth(arena.reader)
    let words = 1 << depth
    let new: Ref<HashTable>
    do throws(ArenaFull) {
      new = try arena.allocate(8 * words, as: HashTable.self)
    } catch {
      arena.free(copy.root)
      throw error
    }
    var position = 0
    while position < words {
      let word = word(arena.reader, old, position)
      let span = words >> word.depth
      do throws(ArenaFull) {
        let segment = try Self.clone(&arena, word.segment)
        for index in position..<(position + span) {
          let count = self.word(arena.reader, old, index).count
          copy.setWord(&arena, new, index, Word(segment: segment, depth: word.depth, count: count))
        }
      } catch {
        copy.abandon(&arena, new, words: position, depth: depth)
        throw error
      }
      position += span
    }
    copy.setRoot(&arena, 0, new.unit)
    copy.setRoot(&arena, 8, count(arena.reader))
    copy.setRoot(&arena, 16, UInt32(depth))
    copy.setRoot(&arena, 20, UInt32(deepest(arena.reader)))
    return copy
  }

  /// Frees the first words' segments, the directory and the root of a copy that failed.
  private func abandon(
    _ arena: inout Arena, _ directory: Ref<HashTable>, words: Int, depth: Int
  ) {
    var position = 0
    while position < words {
      let word = word(arena.reader, directory, position)
      _ = freeSegment(&arena, word.segment)
      position += 1 << (depth - word.depth)
    }
    arena.free(directory)
    arena.free(root)
  }

  private static func clone(
    _ arena: inout Arena, _ old: Ref<HashTable>
  ) throws(ArenaFull) -> Ref<HashTable> {
    let segment = try arena.allocate(segmentBytes, as: HashTable.self)
    // SAFETY: both are segments, and different ones.
    unsafe arena.write(segment, count: segmentBytes)
      .copyMemory(from: arena.reader.pointer(old), byteCount: segmentBytes)
    for number in 0..<bucketCount {
      var left = meta(arena.reader, old.offset + number * 64).occupied
      while left != 0 {
        let slot = left.trailingZeroBitCount
        do throws(ArenaFull) {
          let entry = try arena.cloneEntry(ref(arena.reader, old.offset + number * 64, slot))
          setRef(&arena, segment.offset + number * 64, slot, entry)
        } catch {
          freeCopies(&arena, segment, old, before: number, slot)
          throw error
        }
        left &= left - 1
      }
    }
    return segment
  }

  /// Frees a copied segment and those of its entries that are copies already.
  private static func freeCopies(
    _ arena: inout Arena, _ segment: Ref<HashTable>, _ old: Ref<HashTable>, before last: Int,
    _ lastSlot: Int
  ) {
    for number in 0...last {
      var left = meta(arena.reader, old.offset + number * 64).occupied
      if number == last { left &= (1 << UInt32(lastSlot)) - 1 }
      while left != 0 {
        arena.freeEntry(
          ref(arena.reader, segment.offset + number * 64, left.trailingZeroBitCount))
        left &= left - 1
      }
    }
    arena.free(segment)
  }
}
