// Drafts of lists: leaves are filled one after the other, as pushing at the tail would fill them.
// Drafts of other types: Keyspace+Drafts.

import Bytes
import Memory
import Structures

extension Keyspace {
  /// A list; there is an element at least.
  public mutating func draftList(
    _ key: borrowing Span<UInt8>, _ elements: borrowing ElementList
  ) throws(CommandError) -> ValueDraft {
    do throws(ArenaFull) {
      return ValueDraft(entry: try makeList(key, elements))
    } catch {
      throw .outOfMemory
    }
  }

  private mutating func makeList(
    _ key: borrowing Span<UInt8>, _ elements: borrowing ElementList
  ) throws(ArenaFull) -> Ref<Entry> {
    var writer = ListpackWriter()
    let limit = listLimit
    var next = 0
    Self.fill(&writer, elements, from: &next, limit)
    if next == elements.count, limit.allows(bytes: writer.byteCount, elements: writer.count) {
      return try arena.makeEntry(
        key: key, value: writer.bytes, form: Entry.Form(.list, .listpack), access: initialAccess)
    }
    var list = ListTree(CountedTree(), limit)
    do throws(ArenaFull) {
      while true {
        let count = writer.count
        let leaf = try arena.makeListpack(writer.bytes)
        do throws(ArenaFull) {
          try list.append(&arena, leaf: leaf, count: count)
        } catch {
          arena.free(leaf)
          throw error
        }
        if next == elements.count { break }
        Self.fill(&writer, elements, from: &next, limit)
      }
      let zeros = InlineArray<24, UInt8>(repeating: 0)
      let entry = try arena.makeEntry(
        key: key, value: zeros.span, form: Entry.Form(.list, .listTree), access: initialAccess)
      list.tree.store(&arena, entry, word: 0)
      return entry
    } catch {
      list.free(&arena)
      throw error
    }
  }

  /// Writes as many elements as one leaf takes, at least one.
  private static func fill(
    _ writer: inout ListpackWriter, _ elements: borrowing ElementList, from next: inout Int,
    _ limit: ListLimit
  ) {
    writer.removeAll()
    while next < elements.count {
      let element = Element(elements.element(next))
      let bytes = writer.byteCount + element.encodedCount
      if writer.count > 0 && !limit.allows(bytes: bytes, elements: writer.count + 1) { return }
      writer.append(element)
      next += 1
    }
  }
}
