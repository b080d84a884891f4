// Drafts of sorted sets. Drafts of other types: Keyspace+Drafts.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// A sorted set of members and their scores, none of which is NaN; nil when a member is there
  /// twice.
  public mutating func draftSortedSet(
    _ key: borrowing Span<UInt8>, _ members: borrowing ElementList,
    _ scores: borrowing GrowableArray<Double>
  ) throws(CommandError) -> ValueDraft? {
    precondition(members.count == scores.count, "every member has a score")
    do throws(ArenaFull) {
      var draft = try SortedSetDraft(&arena, hash)
      do throws(ArenaFull) {
        for index in 0..<members.count {
          try draft.add(&arena, members.element(index), scores[index])
        }
        guard draft.count(arena.reader) == members.count else {
          draft.discard(&arena)
          return nil
        }
        return ValueDraft(
          entry: try draft.finish(&arena, key: key, access: initialAccess, limits))
      } catch {
        draft.discard(&arena)
        throw error
      }
    } catch {
      throw .outOfMemory
    }
  }
}
