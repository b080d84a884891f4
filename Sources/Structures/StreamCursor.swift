// StreamCursor: a place between a stream's entries, and the way to the next one, either way.
//
// 1. A cursor is good while the stream does not change.
// 2. Deleted entries are passed over.

import Bytes
import Memory

public struct StreamCursor: BitwiseCopyable, Sendable {
  let nodes: CountedTree<StreamItem>
  var place: TreePlace
  /// The present node, if `hasNode`.
  var item = StreamItem.none
  var master = StreamNode.Master(
    live: 0, deleted: 0, fieldCount: 0, fieldsPlace: 0, entriesPlace: 0)
  /// The entry that comes next or, backwards, the one that came last.
  var offset = 0
  var hasNode = false
  let border: StreamID
  let isForward: Bool

  /// A cursor before the first entry that is at `id` or behind it; backwards, after the last that
  /// is at `id` or before it.
  public init(
    _ reader: borrowing ArenaReader, _ stream: Ref<Entry>, from id: StreamID, isForward: Bool
  ) {
    nodes = StreamValue.nodes(reader, stream)
    border = id
    self.isForward = isForward
    place = nodes.lowerBound(reader, After(id))
    // The node before may hold the ID; before the first node there is nothing.
    let isInside = nodes.retreat(reader, &place)
    if isInside || isForward { hasNode = enter(reader) }
  }

  /// The node of the entry that was returned last.
  public var node: Ref<Blob> { item.blob }

  /// The next entry that is not deleted.
  public mutating func next(_ reader: borrowing ArenaReader) -> StreamEntry? {
    while hasNode {
      let node = StreamNode(reader.listpack(item.blob), id: item.id)
      guard let place = step(node) else {
        hasNode = leave(reader)
        continue
      }
      let entry = node.entry(at: place, master)
      offset = isForward ? node.next(entry) : place
      if entry.isDeleted || (isForward ? entry.id < border : entry.id > border) { continue }
      return entry
    }
    return nil
  }

  /// The next entry's place in the present node.
  private func step(_ node: borrowing StreamNode) -> Int? {
    if isForward { return offset < node.pack.end ? offset : nil }
    return node.previous(offset)
  }

  /// Begins with the node behind the place.
  private mutating func enter(_ reader: borrowing ArenaReader) -> Bool {
    guard nodes.hasItem(reader, &place) else { return false }
    item = nodes.item(reader, place)
    let node = StreamNode(reader.listpack(item.blob), id: item.id)
    master = node.master
    offset = isForward ? master.entriesPlace : node.pack.end
    return true
  }

  /// Goes to the node after the present one, or before it.
  private mutating func leave(_ reader: borrowing ArenaReader) -> Bool {
    if isForward {
      nodes.advance(&place)
      return enter(reader)
    }
    return nodes.retreat(reader, &place) && enter(reader)
  }
}

extension StreamNode {
  /// The ID of the last entry, be it deleted or not.
  func lastID(_ master: Master) -> StreamID {
    guard let place = previous(pack.end) else { return id }
    return entry(at: place, master).id
  }
}
