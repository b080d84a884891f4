// What sorted sets have to tell or to do as values: memory, copies, digests, proof. The switches
// that call these are in ValueParts.

import Bytes
import Memory
import Structures

// MARK: Memory

extension Keyspace {
  /// The bytes of a large set's table and tree and, by samples, of its members.
  func sortedTreeBytes(_ set: Key, samples: Int) -> Int {
    let parts = arena.reader.sortedTree(set.entry, hash)
    return tableBytes(parts.table, samples: samples) + parts.tree.structureBytes(arena.reader)
  }
}

// MARK: Copies

extension Arena {
  /// Gives `new`, which names the same structures as `old`, copies of its own.
  mutating func cloneSortedTree(
    of old: Ref<Entry>, into new: Ref<Entry>, _ hash: KeyedHash
  ) throws(ArenaFull) {
    let parts = reader.sortedTree(old, hash)
    let table = try parts.table.clone(&self)
    var tree = CountedTree<ScoredMember>()
    do throws(ArenaFull) {
      var place = parts.tree.start(reader)
      while parts.tree.hasItem(reader, &place) {
        let item = parts.tree.item(reader, place)
        let copy = twin(of: item.entry, table)
        try tree.append(&self, ScoredMember(item.score, copy))
        parts.tree.advance(&place)
      }
    } catch {
      discardLater(.sortedTree, tree.rootWord)
      discardLater(.table, table.root.unit)
      throw error
    }
    setRootWord(new, 0, table.root.unit)
    setRootWord(new, 1, tree.rootWord)
    setRootWord(new, 2, UInt64(tree.count))
  }
}

extension Arena {
  /// The entry that has the same key in a copied table.
  private func twin(of entry: Ref<Entry>, _ table: HashTable) -> Ref<Entry> {
    let key = reader.entry(entry).key
    guard let slot = table.find(reader, table.hash(key), key) else {
      preconditionFailure("a copied table lacks an entry")
    }
    return slot.entry
  }
}

// MARK: Digests

extension RunningDigest {
  /// For each member: mixes member and score, from zero, and xors that.
  mutating func mix(sortedSet set: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash) {
    var walk = reader.sortedWalk(set, from: 0, isReversed: false, hash)
    var text = ByteBuffer()
    while reader.advance(&walk) {
      var own = RunningDigest()
      own.mix(reader.member(walk))
      text.removeAll()
      text.append(seventeenDigits: reader.score(walk))
      own.mix(text.span)
      xor(own)
    }
  }
}

// MARK: Proof

extension ArenaReader {
  /// SortedSetValue's invariants 1 and 3, for either encoding.
  func checkSortedSet(_ set: Ref<Entry>, _ hash: KeyedHash) {
    let form = entry(set).header.form
    precondition(form.type == .sortedSet, "what is no sorted set is kept as one")
    let count = sortedCount(set)
    precondition(count > 0, "a collection is empty")
    if form.encoding == .sortedTree {
      let parts = sortedTree(set, hash)
      parts.table.checkInvariants(self)
      parts.tree.checkInvariants(self)
      precondition(parts.table.count(self) == count, "table and tree differ in number")
    }
    var walk = sortedWalk(set, from: 0, isReversed: false, hash)
    var last = ByteBuffer()
    var lastScore = -Double.infinity
    var seen = 0
    while advance(&walk) {
      let score = score(walk)
      var text = ByteBuffer()
      text.append(member(walk))
      precondition(!score.isNaN, "a score is no number")
      precondition(
        seen == 0 || lastScore < score
          || (lastScore == score && last.span.compare(text.span) < 0), "1: members out of order")
      if form.encoding == .sortedTree {
        precondition(self.score(walk.item.entry) == score, "3: a score differs")
        let table = sortedTree(set, hash).table
        let found = table.find(self, hash(text.span), text.span)
        precondition(found?.entry == walk.item.entry, "3: a member is not in the table")
      }
      lastScore = score
      swap(&last, &text)
      seen += 1
    }
    precondition(seen == count, "a walk misses members")
  }
}
