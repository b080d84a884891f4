// ValueParts: what every type has to tell or to do, one switch for each concern. A new type is an
// arm in each of them; what it takes to discard one is in Structures' Garbage.

import Bytes
import Memory
import Structures

// MARK: Emptiness

extension ArenaReader {
  /// Whether a collection has no elements; a string is none.
  func isEmptyCollection(_ ref: Ref<Entry>, _ hash: KeyedHash) -> Bool {
    let form = entry(ref).header.form
    switch form.type {
    case .string: return false
    case .hash, .set: return elementCount(ref, hash) == 0
    case .sortedSet: return sortedCount(ref) == 0
    case .list: return listCount(ref) == 0
    // A stream stays when it has become empty.
    case .stream: return false
    }
  }
}

// MARK: Names

extension Keyspace {
  /// How a value is kept, in Redis' words (OBJECT ENCODING).
  public func encodingName(_ key: Key) -> StaticString {
    switch arena.reader.entry(key.entry).header.encoding {
    case .plain: return stringEncodingName(key)
    case .listpack: return "listpack"
    case .timedListpack: return "listpackex"
    case .intset: return "intset"
    case .table: return "hashtable"
    case .sortedTree: return "skiplist"
    case .listTree: return "quicklist"
    case .stream: return "stream"
    }
  }

  private func stringEncodingName(_ key: Key) -> StaticString {
    if isModified(key) { return "raw" }
    if integer(key) != nil { return "int" }
    return facts(key).valueCount <= 44 ? "embstr" : "raw"
  }

  /// The integer that a string is kept as in Redis; one that was changed in place, or that is the
  /// result of adding fractions, is kept as text whatever it says.
  public func integer(_ key: Key) -> Int? {
    let facts = facts(key)
    guard facts.header.type == .string, facts.valueCount <= 20 else { return nil }
    guard !isModified(key) && !isText(key) else { return nil }
    return value(key).parseInteger()
  }
}

// MARK: Memory

extension Keyspace {
  /// The bytes of a key with everything that belongs to it, and its share of the database's table.
  /// - Parameter samples: how many elements of a large collection to measure; 0 for all.
  public func memoryUsage(_ key: Key, samples: Int = 5) -> Int {
    let own = arena.entryBytes(key.entry) + HashTable.typicalBytesPerEntry
    switch arena.reader.entry(key.entry).header.encoding {
    case .plain, .listpack, .timedListpack, .intset: return own
    case .table:
      let bytes = own + tableBytes(arena.reader.table(key.entry, hash), samples: samples)
      guard arena.reader.entry(key.entry).header.type == .hash else { return bytes }
      return bytes + arena.reader.deadlines(key.entry).structureBytes(arena.reader)
    case .sortedTree: return own + sortedTreeBytes(key, samples: samples)
    case .listTree: return own + listBytes(key, samples: samples)
    case .stream: return own + streamBytes(key, samples: samples)
    }
  }

  /// The bytes of a table and, by samples, of its entries.
  func tableBytes(_ table: HashTable, samples: Int) -> Int {
    let count = table.count(arena.reader)
    guard count > 0 else { return HashTable.rootBytes }
    let limit = samples == 0 ? count : min(samples, count)
    var walk = HashTable.Walk()
    var sampled = 0
    var bytes = 0
    while sampled < limit, let entry = table.next(arena.reader, &walk) {
      bytes += arena.entryBytes(entry)
      sampled += 1
    }
    let entries = Int(Double(bytes) / Double(sampled) * Double(count))
    return table.structureBytes(arena.reader) + entries
  }
}

// MARK: Copying

extension Arena {
  /// Gives `new`, a copy of `old` that names the same structures, copies of its own. On failure
  /// `new` names nothing that is its own.
  mutating func cloneStructures(
    of old: Ref<Entry>, into new: Ref<Entry>, _ hash: KeyedHash
  ) throws(ArenaFull) {
    switch reader.entry(old).header.encoding {
    case .plain, .listpack, .timedListpack, .intset: return
    case .table:
      let copy = try reader.table(old, hash).clone(&self)
      if reader.entry(old).header.type == .hash {
        do throws(ArenaFull) {
          let deadlines = try reader.deadlines(old).clone(&self)
          HashValue.store(&self, new, deadlines)
        } catch {
          discardLater(.table, copy.root.unit)
          throw error
        }
      }
      setRootWord(new, 0, copy.root.unit)
    case .sortedTree: try cloneSortedTree(of: old, into: new, hash)
    case .listTree: try cloneList(of: old, into: new)
    case .stream: try cloneStream(of: old, into: new)
    }
  }
}

// MARK: Digests

extension RunningDigest {
  /// Mixes a value in, as Redis' DEBUG DIGEST does for its type; `entry` is `ref`'s.
  mutating func mix(value ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash) {
    switch reader.entry(ref).header.type {
    case .string: mix(reader.entry(ref).value)
    case .set:
      var walk = reader.walk(ref)
      var text = ByteBuffer()
      while reader.advance(&walk, hash) {
        text.removeAll()
        text.append(reader.element(walk))
        xor(text.span)
      }
    case .hash:
      var walk = reader.walk(ref)
      while reader.advance(&walk, hash) {
        var own = RunningDigest()
        own.mix(reader.element(walk))
        own.mix(reader.fieldValue(walk))
        if reader.deadline(walk) != nil { own.markTimedField() }
        xor(own)
      }
    case .sortedSet: mix(sortedSet: ref, reader, hash)
    case .list: mix(list: ref, reader)
    case .stream: mix(stream: ref, reader)
    }
  }

  /// That a field has a deadline counts, but not which.
  private mutating func markTimedField() {
    var mark = ByteBuffer()
    mark.append("!!hexpire!!")
    xor(mark.span)
  }

  mutating func mix(_ element: borrowing Element) {
    var text = ByteBuffer()
    text.append(element)
    mix(text.span)
  }
}
