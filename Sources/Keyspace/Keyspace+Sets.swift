// Sets as commands see them. What they are made of: SetValue.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// As `find`, for a command on sets.
  public mutating func findSet(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup = .write
  ) throws(CommandError) -> Key? {
    try findCollection(key, .set, lookup)
  }

  /// A new, empty set, in the encoding in which Redis begins one of `count` members, the first of
  /// which is `first`.
  public mutating func makeSet(
    _ key: borrowing Span<UInt8>, first: borrowing Span<UInt8>, count: Int
  ) throws(CommandError) -> Key {
    let isInteger = first.parseInteger() != nil
    let startsAsIntset = isInteger && count <= limits.setIntsetEntries
    let entry: Ref<Entry>
    do throws(ArenaFull) {
      entry = try SetValue.make(
        &arena, key: key, startsAsListpack: !startsAsIntset, access: initialAccess)
    } catch {
      throw .outOfMemory
    }
    var key = try enter(entry, key)
    if !startsAsIntset && count > limits.setListpackEntries {
      do throws(CommandError) {
        try prepareSet(&key, adding: count)
      } catch {
        remove(key, changes: 0)
        throw error
      }
    }
    return key
  }

  /// Prepares a set for up to `count` more members, as Redis does before SADD.
  public mutating func prepareSet(_ key: inout Key, adding count: Int) throws(CommandError) {
    var entry = key.entry
    defer { adopt(&key, entry) }
    do throws(ArenaFull) {
      try SetValue.prepare(&arena, &entry, adding: count, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Adds a member.
  /// - Returns: whether it is new.
  public mutating func addMember(
    _ member: borrowing Span<UInt8>, to key: inout Key
  ) throws(CommandError) -> Bool {
    var entry = key.entry
    defer { adopt(&key, entry) }
    do throws(ArenaFull) {
      return try SetValue.add(&arena, &entry, member, limits, hash)
    } catch {
      throw .outOfMemory
    }
  }

  /// Removes a member.
  /// - Returns: whether it was there.
  public mutating func removeMember(
    _ member: borrowing Span<UInt8>, of key: inout Key
  ) -> Bool {
    var entry = key.entry
    let isRemoved = SetValue.remove(&arena, &entry, member, hash)
    adopt(&key, entry)
    return isRemoved
  }

  public func hasMember(_ member: borrowing Span<UInt8>, _ key: Key) -> Bool {
    arena.reader.contains(key.entry, member, hash)
  }

  // MARK: Sets under construction

  /// A set that no key has yet: the result of a union or a difference.
  public struct SetDraft: BitwiseCopyable, Sendable {
    var entry: Ref<Entry>
  }

  /// - Parameter key: the name that it will have, if it gets one.
  public mutating func makeDraft(_ key: borrowing Span<UInt8>) throws(CommandError) -> SetDraft {
    do throws(ArenaFull) {
      return SetDraft(entry: try SetValue.make(&arena, key: key, access: initialAccess))
    } catch {
      throw .outOfMemory
    }
  }

  /// Adds a member; discards the draft when there is no memory.
  /// - Parameter isNew: whether the draft is known not to have it.
  public mutating func addMember(
    _ member: borrowing Span<UInt8>, to draft: inout SetDraft, isNew: Bool = false
  ) throws(CommandError) {
    do throws(ArenaFull) {
      _ = try SetValue.add(&arena, &draft.entry, member, limits, hash, isNew: isNew)
    } catch {
      arena.discardEntry(draft.entry)
      throw .outOfMemory
    }
  }

  public mutating func removeMember(
    _ member: borrowing Span<UInt8>, of draft: inout SetDraft
  ) {
    _ = SetValue.remove(&arena, &draft.entry, member, hash)
  }

  public func count(_ draft: SetDraft) -> Int { arena.reader.elementCount(draft.entry, hash) }
  public func walk(_ draft: SetDraft) -> ElementWalk { arena.reader.walk(draft.entry) }

  public mutating func discard(_ draft: SetDraft) { arena.discardEntry(draft.entry) }

  /// Makes a draft the value of the key that it was made for; an empty one is discarded.
  /// - Parameter hasOnlyIntegers: whether it may become an intset.
  public mutating func store(
    _ draft: SetDraft, _ key: borrowing Span<UInt8>, hasOnlyIntegers: Bool
  ) throws(CommandError) {
    var entry = draft.entry
    if hasOnlyIntegers {
      // Without memory for the intset the set stays as it is.
      try? SetValue.packIntegers(&arena, &entry, limits, hash)
    }
    try store(entry, key)
  }
}
