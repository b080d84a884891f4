// Proof that each value is what its form says, for tests. One arm for each encoding.

import Bytes
import Memory
import Structures

extension ArenaReader {
  /// Traps unless the value of an entry of a database is sound. Looks at all of it.
  func checkValue(_ ref: Ref<Entry>, _ hash: KeyedHash) {
    let form = entry(ref).header.form
    switch form.encoding {
    case .plain: precondition(form.type == .string, "a collection is kept as a string")
    case .listpack:
      checkListpack(ref, form.type)
      if form.type == .sortedSet { checkSortedSet(ref, hash) }
    case .intset:
      precondition(form.type == .set, "what is no set is kept as an intset")
      precondition(Intset.isValid(entry(ref).value), "an intset is damaged")
    case .table:
      precondition(form.type == .set || form.type == .hash, "a table is neither set nor hash")
      checkTable(ref, hash)
    case .sortedTree: checkSortedSet(ref, hash)
    case .listTree: checkList(ref, form.type)
    case .stream:
      precondition(form.type == .stream, "what is no stream is kept as one")
      StreamValue.checkInvariants(self, ref)
    }
  }

  private func checkListpack(_ ref: Ref<Entry>, _ type: ValueType) {
    precondition(Listpack.isValid(entry(ref).value), "a listpack is damaged")
    let list = listpack(ref)
    precondition(!list.isEmpty, "a collection is empty")
    let step: Int
    switch type {
    case .set: step = 1
    case .hash, .sortedSet: step = 2
    case .list: return
    case .string, .stream: preconditionFailure("a value of that type is no listpack")
    }
    precondition(list.count % step == 0, "a field has no value")
    var place = list.start
    while place < list.end {
      let next = list.skip(place, step)
      precondition(
        list.find(list.element(place), from: next, step: step) == nil, "an element is there twice")
      place = next
    }
  }

  private func checkTable(_ ref: Ref<Entry>, _ hash: KeyedHash) {
    let table = table(ref, hash)
    table.checkInvariants(self)
    precondition(table.count(self) > 0, "a collection is empty")
    var walk = HashTable.Walk()
    var count = 0
    while let element = table.next(self, &walk) {
      count += 1
      let facts = entry(element).header
      precondition(facts.form == .string, "an element of a collection has a form of its own")
    }
    precondition(count == table.count(self), "a walk misses elements")
  }
}
