// Trees of deadlines against a sorted array: equal deadlines, equal items, counting before a time.

import Memory
import Structures
import Testing

@Suite struct DeadlineTreeTests {
  @Test(arguments: 0..<6)
  func randomItems(seed: Int) throws {
    var arena = try makeArena(guarded: seed % 2 == 0)
    let start = arena.usage.allocatedBytes
    var random = Seeded(seed)
    var tree = DeadlineTree()
    var model: [DeadlineItem] = []
    for step in 0..<3000 {
      let isGrowing = random.below(5) < (step < 2000 ? 4 : 1)
      // Few different ones, so that some are equal; hashes use all 64 bits.
      let item = DeadlineItem(
        deadline: 1000 + random.below(200), hash: UInt64(random.below(40)) << 58)
      if isGrowing {
        try tree.insert(&arena, item)
        let place = model.firstIndex { !precedes($0, item) } ?? model.count
        model.insert(item, at: place)
      } else {
        let isRemoved = tree.remove(&arena, item)
        let place = model.firstIndex(of: item)
        #expect(isRemoved == (place != nil))
        if let place { model.remove(at: place) }
      }
      let first = tree.first(arena.reader)
      #expect(first == model.first)
      guard step % 50 == 0 else { continue }
      tree.checkOrder(arena.reader)
      expectEqual(tree, model, arena)
      let time = 990 + random.below(220)
      let before = tree.count(arena.reader, before: time)
      #expect(before == model.count { $0.deadline < time })
      let copy = try tree.clone(&arena)
      expectEqual(copy, model, arena)
      arena.discard(.deadlines, copy.rootWord)
      drain(&arena)
    }
    arena.discard(.deadlines, tree.rootWord)
    drain(&arena)
    #expect(arena.usage.allocatedBytes == start)
  }

  private func precedes(_ one: DeadlineItem, _ other: DeadlineItem) -> Bool {
    (one.deadline, one.hash) < (other.deadline, other.hash)
  }

  private func expectEqual(
    _ tree: DeadlineTree, _ model: [DeadlineItem], _ arena: borrowing Arena
  ) {
    var items: [DeadlineItem] = []
    var place = tree.start(arena.reader)
    while tree.hasItem(arena.reader, &place) {
      items.append(tree.item(arena.reader, place))
      tree.advance(&place)
    }
    #expect(items == model && tree.count == model.count)
    if let last = model.last {
      let isThere = tree.contains(arena.reader, last)
      #expect(isThere)
    }
  }

  private func drain(_ arena: inout Arena) {
    var freed = 0
    while arena.freeGarbage(limit: 20, freed: &freed) {}
  }
}
