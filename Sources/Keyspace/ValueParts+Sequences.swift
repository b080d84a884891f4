// What lists and streams have to tell or to do as values: memory, copies, digests, proof. The
// switches that call these are in ValueParts.

import Bytes
import Memory
import Structures

// MARK: Memory

extension Keyspace {
  /// The bytes of a list's tree and, by samples, of its leaves.
  func listBytes(_ list: Key, samples: Int) -> Int {
    ListTree(CountedTree(arena.reader, list.entry, word: 0), listLimit)
      .bytes(arena, samples: samples == 0 ? .max : samples)
  }

  /// The bytes of a stream's nodes, by samples, and of its groups.
  func streamBytes(_ stream: Key, samples: Int) -> Int {
    StreamValue.bytes(arena, stream.entry, samples: samples == 0 ? .max : samples)
  }
}

// MARK: Copies

extension Arena {
  mutating func cloneList(of old: Ref<Entry>, into new: Ref<Entry>) throws(ArenaFull) {
    let copy = try ListTree(CountedTree(reader, old, word: 0), ListLimit(-2)).clone(&self)
    copy.tree.store(&self, new, word: 0)
  }

  mutating func cloneStream(of old: Ref<Entry>, into new: Ref<Entry>) throws(ArenaFull) {
    // The copy names what is the old one's: it begins anew.
    for word in 0..<(StreamValue.rootBytes / 8) { setRootWord(new, word, 0) }
    do throws(ArenaFull) {
      try StreamValue.clone(&self, old, into: new)
    } catch {
      var freed = 0
      _ = StreamValue.freeSome(&self, new, limit: .max, freed: &freed)
      throw error
    }
  }
}

// MARK: Digests

extension RunningDigest {
  mutating func mix(list: Ref<Entry>, _ reader: borrowing ArenaReader) {
    guard reader.entry(list).header.encoding == .listTree else {
      return mix(pack: reader.listpack(list))
    }
    let tree = CountedTree<ListLeaf>(reader, list, word: 0)
    var place = tree.start(reader)
    while tree.hasItem(reader, &place) {
      mix(pack: reader.listpack(tree.item(reader, place).blob))
      tree.advance(&place)
    }
  }

  private mutating func mix(pack: borrowing Listpack) {
    var offset = pack.start
    while offset < pack.end {
      mix(pack.element(offset))
      offset = pack.next(offset)
    }
  }

  mutating func mix(stream: Ref<Entry>, _ reader: borrowing ArenaReader) {
    var cursor = StreamCursor(reader, stream, from: .zero, isForward: true)
    var text = ByteBuffer()
    while let entry = cursor.next(reader) {
      text.removeAll()
      text.append(unsigned: entry.id.milliseconds)
      text.append(0x2E)
      text.append(unsigned: entry.id.sequence)
      mix(text.span)
      guard entry.fieldCount > 0 else { continue }
      var fields = StreamFields(reader.listpack(cursor.node), entry)
      for index in 0..<entry.fieldCount {
        if index > 0 { fields.advance() }
        mix(fields.field)
        mix(fields.value)
      }
    }
  }
}

extension ByteBuffer {
  fileprivate mutating func append(unsigned value: UInt64) {
    let (front, last) = value.quotientAndRemainder(dividingBy: 10)
    if front > 0 { append(decimal: Int(front)) }
    append(decimal: Int(last))
  }
}

// MARK: Proof

extension ArenaReader {
  func checkList(_ list: Ref<Entry>, _ type: ValueType) {
    precondition(type == .list, "what is no list is kept as one")
    let tree = ListTree(CountedTree(self, list, word: 0), ListLimit(-2))
    precondition(tree.count > 0, "a list is empty")
    tree.checkInvariants(self)
  }
}
