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
      checkListpack(ref, form)
      if form.type == .sortedSet { checkSortedSet(ref, hash) }
    case .timedListpack:
      precondition(form.type == .hash, "what is no hash has fields with deadlines")
      checkListpack(ref, form)
      checkOrderOfDeadlines(ref)
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

  private func checkListpack(_ ref: Ref<Entry>, _ form: Entry.Form) {
    precondition(Listpack.isValid(entry(ref).value), "a listpack is damaged")
    let list = listpack(ref)
    precondition(!list.isEmpty, "a collection is empty")
    precondition(
      form.type != .string && form.type != .stream, "a value of that type is no listpack")
    if form.type == .list { return }
    let step = form.stride
    precondition(list.count % step == 0, "a field has no value")
    var place = list.start
    while place < list.end {
      let next = list.skip(place, step)
      precondition(
        list.find(list.element(place), from: next, step: step) == nil, "an element is there twice")
      place = next
    }
  }

  private func checkOrderOfDeadlines(_ ref: Ref<Entry>) {
    let list = listpack(ref)
    var place = list.start
    var last = 0
    while place < list.end {
      let third = list.element(list.skip(place, 2))
      precondition(third.isInteger && third.integer >= 0, "a deadline is no time")
      let deadline = third.integer == 0 ? Int.max : third.integer
      precondition(deadline >= last, "fields are not in the order of their deadlines")
      last = deadline
      place = list.skip(place, 3)
    }
  }

  private func checkTable(_ ref: Ref<Entry>, _ hash: KeyedHash) {
    let table = table(ref, hash)
    table.checkInvariants(self)
    precondition(table.count(self) > 0, "a collection is empty")
    let deadlines = entry(ref).header.type == .hash ? deadlines(ref) : DeadlineTree()
    deadlines.checkOrder(self)
    var walk = HashTable.Walk()
    var count = 0
    var timed = 0
    while let element = table.next(self, &walk) {
      count += 1
      if let deadline = entry(element).expiry {
        timed += 1
        let item = DeadlineItem(deadline: deadline, hash: hash(entry(element).key))
        precondition(deadlines.contains(self, item), "a field's deadline is not in the tree")
      }
      let facts = entry(element).header
      precondition(facts.form == .string, "an element of a collection has a form of its own")
    }
    precondition(count == table.count(self), "a walk misses elements")
    precondition(timed == deadlines.count, "deadlines of fields are miscounted")
  }
}
