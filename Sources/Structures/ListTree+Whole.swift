// Whole lists: copying, freeing in slices, proving. Invariants: ListTree.swift.

import Bytes
import Memory

extension ListTree {
  /// Takes the elements of a listpack that is an entry's value into a new tree. The entry keeps it.
  public static func make(
    _ arena: inout Arena, from entry: Ref<Entry>, _ limit: ListLimit
  ) throws(ArenaFull) -> ListTree {
    var list = ListTree(CountedTree(), limit)
    let count = arena.reader.listpack(entry).count
    guard count > 0 else { return list }
    let bytes = arena.reader.listpack(entry).bytes.count
    let blob = try arena.allocate(bytes, as: Blob.self)
    let place = unsafe arena.write(blob, count: bytes)
    // SAFETY: the blob is that long, and no part of the entry.
    unsafe arena.reader.listpack(entry).bytes.withUnsafeBytes { source in
      guard let address = source.baseAddress else { return }
      unsafe place.copyMemory(from: address, byteCount: bytes)
    }
    do throws(ArenaFull) {
      try list.append(&arena, leaf: blob, count: count)
    } catch {
      arena.free(blob)
      throw error
    }
    return list
  }

  /// A copy with leaves of its own.
  public func clone(_ arena: inout Arena) throws(ArenaFull) -> ListTree {
    var copy = ListTree(CountedTree(), limit)
    do throws(ArenaFull) {
      var place = tree.start(arena.reader)
      while tree.hasItem(arena.reader, &place) {
        let leaf = tree.item(arena.reader, place)
        let blob = try arena.cloneListpack(leaf.blob)
        do throws(ArenaFull) {
          try copy.append(&arena, leaf: blob, count: leaf.weight)
        } catch {
          arena.free(blob)
          throw error
        }
        tree.advance(&place)
      }
    } catch {
      copy.free(&arena)
      throw error
    }
    return copy
  }

  /// Frees all leaves.
  public mutating func free(_ arena: inout Arena) {
    var freed = 0
    _ = freeSome(&arena, limit: .max, freed: &freed)
  }

  /// Frees leaves from the end.
  /// - Parameters:
  ///   - limit: about how many elements to free in this call.
  ///   - freed: grows by the number of elements freed.
  /// - Returns: whether the tree is gone.
  public mutating func freeSome(_ arena: inout Arena, limit: Int, freed: inout Int) -> Bool {
    let end = limit == .max ? .max : freed + limit
    while !tree.isEmpty {
      guard freed < end else { return false }
      var count = 0
      _ = tree.dropLastLeaf(&arena) { arena, leaf in
        count += leaf.weight
        arena.free(leaf.blob)
      }
      freed += count
    }
    return true
  }

  /// The bytes that the first `samples` leaves take, extrapolated to all.
  public func bytes(_ arena: borrowing Arena, samples: Int) -> Int {
    var sum = 0
    var seen = 0
    var place = tree.start(arena.reader)
    while seen < samples, tree.hasItem(arena.reader, &place) {
      sum += arena.allocatedBytes(tree.item(arena.reader, place).blob)
      seen += 1
      tree.advance(&place)
    }
    let leaves = seen == 0 ? 0 : Int(Double(sum) / Double(seen) * Double(tree.count))
    return leaves + tree.typicalBytes
  }

  /// Traps unless every invariant holds. Looks at the whole list.
  public func checkInvariants(_ reader: borrowing ArenaReader) {
    tree.checkInvariants(reader)
    var place = tree.start(reader)
    while tree.hasItem(reader, &place) {
      let leaf = tree.item(reader, place)
      let list = reader.listpack(leaf.blob)
      var offset = list.start
      var count = 0
      while offset < list.end {
        offset = list.next(offset)
        count += 1
      }
      precondition(offset == list.end && list.bytes[list.end] == 0xFF, "a leaf's end is damaged")
      precondition(count == leaf.weight && count > 0, "1: a leaf is miscounted")
      tree.advance(&place)
    }
  }
}
