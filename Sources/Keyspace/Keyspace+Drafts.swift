// Drafts: values that no key has yet, made of what was collected outside the arena.
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
        arena.freeEntry(entry)
        throw .outOfMemory
      }
    }
    try put(entry, hash(key), expiry: deadline, database: selected)
  }

  public mutating func discard(_ draft: ValueDraft) { arena.freeEntry(draft.entry) }

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
}
