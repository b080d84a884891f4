// Lists and streams as RDB has them: nodes are copied as they are.
//
//   list     18: nodes, then of each: container 2 (packed), its listpack
//   stream   19: nodes, then of each: ID, its listpack; length, IDs, entries added; groups
//   group    name, last ID, entries read, pending entries, consumers with the IDs they have
//
// 1. Times since a consumer's last success are not in 19, the newest that Redis 7.0 reads.

import Bytes
import Keyspace
import Memory
import Structures

extension RDBWriter {
  mutating func list(_ ref: Ref<Entry>, _ reader: borrowing ArenaReader) {
    type(.listQuicklist2)
    guard reader.entry(ref).header.encoding == .listTree else {
      length(1)
      length(2)
      return string(reader.entry(ref).value)
    }
    let tree = CountedTree<ListLeaf>(reader, ref, word: 0)
    length(tree.count)
    var place = tree.start(reader)
    while tree.hasItem(reader, &place) {
      length(2)
      string(reader.listpack(tree.item(reader, place).blob).bytes)
      tree.advance(&place)
    }
  }

  mutating func stream(_ ref: Ref<Entry>, _ reader: borrowing ArenaReader) {
    type(.stream2)
    let facts = StreamValue.facts(reader, ref)
    let nodes = StreamValue.nodes(reader, ref)
    length(nodes.count)
    var place = nodes.start(reader)
    while nodes.hasItem(reader, &place) {
      let item = nodes.item(reader, place)
      length(16)
      raw(item.id)
      string(reader.listpack(item.blob).bytes)
      nodes.advance(&place)
    }
    length(facts.length)
    parts(facts.lastID)
    parts(facts.firstID)
    parts(facts.deletedID)
    length(UInt64(bitPattern: Int64(facts.added)))
    let groups = StreamValue.groups(reader, ref)
    length(groups.count)
    var groupPlace = groups.start(reader)
    while groups.hasItem(reader, &groupPlace) {
      group(Structures.StreamGroup(groups.item(reader, groupPlace).key), reader)
      groups.advance(&groupPlace)
    }
  }

  private mutating func group(_ group: Structures.StreamGroup, _ reader: borrowing ArenaReader) {
    string(reader.entry(group.entry).key)
    parts(group.lastID(reader))
    length(UInt64(bitPattern: Int64(group.entriesRead(reader))))
    let pending = group.pending(reader)
    length(pending.count)
    var place = pending.start(reader)
    while pending.hasItem(reader, &place) {
      let item = pending.item(reader, place)
      raw(item.id)
      little(UInt64(bitPattern: Int64(item.deliveredAt)), 8)
      length(item.deliveries)
      pending.advance(&place)
    }
    let consumers = group.consumers(reader)
    length(consumers.count)
    var consumerPlace = consumers.start(reader)
    while consumers.hasItem(reader, &consumerPlace) {
      let consumer = Structures.StreamConsumer(consumers.item(reader, consumerPlace).key)
      string(reader.entry(consumer.entry).key)
      little(UInt64(bitPattern: Int64(consumer.seenAt(reader))), 8)
      let ids = consumer.pending(reader)
      length(ids.count)
      var idPlace = ids.start(reader)
      while ids.hasItem(reader, &idPlace) {
        raw(ids.item(reader, idPlace).key)
        ids.advance(&idPlace)
      }
      consumers.advance(&consumerPlace)
    }
  }

  /// An ID as the 16 bytes by which it is ordered.
  private mutating func raw(_ id: Structures.StreamID) {
    big(id.milliseconds, 8)
    big(id.sequence, 8)
  }

  /// An ID as two lengths.
  private mutating func parts(_ id: Structures.StreamID) {
    length(id.milliseconds)
    length(id.sequence)
  }
}
