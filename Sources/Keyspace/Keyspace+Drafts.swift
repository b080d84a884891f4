// Drafts: values that no key has yet, made of elements that were collected outside the arena: the
// result of SORT, a payload of RESTORE.
//
//   elements ──► draft ──► store   (over whatever has the key)
//                  └─────► discard
//
// 1. A draft is in no database: making one changes nothing that a command could see.
// 2. Whatever fails gives the draft's memory back before it is reported.

import Bytes
import Memory
import Structures

/// A value under construction, with the name that it was made for.
public struct ValueDraft: BitwiseCopyable, Sendable {
  var entry: Ref<Entry>
}

extension Keyspace {
  /// Makes a draft the value of its key, over whatever that held. Counts one change.
  /// - Parameter deadline: milliseconds since 1970.
  public mutating func store(
    _ draft: ValueDraft, _ key: borrowing Span<UInt8>, deadline: Int? = nil
  ) throws(CommandError) {
    var entry = draft.entry
    if let deadline {
      do throws(ArenaFull) {
        entry = try arena.reshape(
          entry, expiry: deadline, valueCount: arena.facts(entry).valueCount, slack: false)
      } catch {
        arena.discardEntry(entry)
        throw .outOfMemory
      }
    }
    try store(entry, key)
  }

  public mutating func discard(_ draft: ValueDraft) { arena.discardEntry(draft.entry) }

  // MARK: Strings

  public mutating func draftString(
    _ key: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>
  ) throws(CommandError) -> ValueDraft {
    do throws(ArenaFull) {
      return ValueDraft(
        entry: try arena.makeEntry(key: key, value: value, access: initialAccess))
    } catch {
      throw .outOfMemory
    }
  }

  // MARK: Hashes and sets

  /// A hash of fields and values in turn; nil when a field is there twice.
  /// - Parameter deadlines: by field, 0 for none; empty when no field has one.
  public mutating func draftHash(
    _ key: borrowing Span<UInt8>, _ pairs: borrowing ElementList,
    deadlines: borrowing GrowableArray<Int> = GrowableArray<Int>()
  ) throws(CommandError) -> ValueDraft? {
    var batch = FieldBatch()
    for index in stride(from: 0, to: pairs.count, by: 2) {
      batch.add(field: pairs.element(index).count, value: pairs.element(index + 1).count)
    }
    var entry = Ref<Entry>.null
    do throws(ArenaFull) {
      entry = try HashValue.make(&arena, key: key, access: initialAccess)
      try HashValue.prepare(&arena, &entry, for: batch, limits, hash)
      for index in stride(from: 0, to: pairs.count, by: 2) {
        let isNew = try HashValue.set(
          &arena, &entry, pairs.element(index), pairs.element(index + 1), keepsDeadline: false,
          limits, hash)
        if !isNew {
          arena.discardEntry(entry)
          return nil
        }
        guard !deadlines.isEmpty, deadlines[index / 2] != 0 else { continue }
        try HashValue.setDeadline(
          &arena, &entry, pairs.element(index), deadlines[index / 2], hash)
      }
    } catch {
      if !entry.isNull { arena.discardEntry(entry) }
      throw .outOfMemory
    }
    return ValueDraft(entry: entry)
  }

  /// A set; nil when a member is there twice.
  public mutating func draftSet(
    _ key: borrowing Span<UInt8>, _ members: borrowing ElementList
  ) throws(CommandError) -> ValueDraft? {
    var entry = Ref<Entry>.null
    do throws(ArenaFull) {
      entry = try SetValue.make(&arena, key: key, access: initialAccess)
      if members.count > max(limits.setIntsetEntries, limits.setListpackEntries) {
        try SetValue.prepare(&arena, &entry, adding: members.count, limits, hash)
      }
      for index in 0..<members.count
      where try !SetValue.add(&arena, &entry, members.element(index), limits, hash) {
        arena.discardEntry(entry)
        return nil
      }
    } catch {
      if !entry.isNull { arena.discardEntry(entry) }
      throw .outOfMemory
    }
    return ValueDraft(entry: entry)
  }
}
