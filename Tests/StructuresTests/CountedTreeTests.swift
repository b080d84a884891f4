// Counted trees against sorted arrays: items of three shapes, so that nodes hold from four items to
// a hundred; both ends, the middle, removal of single items and of ranges, memory that runs out.

import Bytes
import Memory
import Structures
import Testing

/// An item and what the model knows of it.
protocol TestItem: CountedItem where Key: TestKey {
  init(_ number: Int, weight: Int)
  var number: Int { get }
}

protocol TestKey {
  var number: Int { get }
}

extension Int: TestKey {
  var number: Int { self }
}

/// As in a sorted set: 13 bytes, all of it the key.
struct SmallItem: TestItem {
  struct Key: TestKey, BitwiseCopyable, Equatable {
    var high: Int
    var low: UInt32
    var tail: UInt8
    var number: Int { high }
  }
  var key: Key
  init(_ number: Int, weight: Int) {
    key = Key(high: number, low: UInt32(number & 0xFFFF), tail: 7)
  }
  var number: Int { key.high }
  var weight: Int { 1 }
  static var hasUnitWeight: Bool { true }
}

/// Four to a leaf, four to an inner node: deep trees of few items.
struct LargeItem: TestItem {
  struct Key: TestKey, BitwiseCopyable, Equatable {
    var number: Int
    var padding = InlineArray<60, Int>(repeating: 3)
    static func == (a: Key, b: Key) -> Bool { a.number == b.number }
  }
  var number: Int
  var weight: Int
  var padding = InlineArray<28, Int>(repeating: 5)
  init(_ number: Int, weight: Int) {
    self.number = number
    self.weight = weight
  }
  var key: Key { Key(number: number) }
  static var hasUnitWeight: Bool { false }
}

/// Without keys, as in a list: found by position only.
struct ListItem: TestItem {
  struct Key: TestKey, BitwiseCopyable, Equatable {
    var number: Int { 0 }
  }
  var bits: Int
  init(_ number: Int, weight: Int) { bits = number << 8 | weight }
  var key: Key { Key() }
  var number: Int { bits >> 8 }
  var weight: Int { bits & 255 }
  static var hasUnitWeight: Bool { false }
}

struct NumberProbe<Key: TestKey & BitwiseCopyable>: TreeProbe {
  let number: Int
  func follows(_ key: Key, _ reader: borrowing ArenaReader) -> Bool { key.number < number }
}

/// A tree, and the array that it is to be equal to.
struct TreeWorld<Item: TestItem>: ~Copyable {
  var arena: Arena
  var tree = CountedTree<Item>()
  var model: [(number: Int, weight: Int)] = []

  init(guarded: Bool = false) throws {
    arena = try makeArena(guarded: guarded)
  }

  /// The place before item `index`, found by walking or by position.
  func place(_ index: Int, byWalking: Bool) -> TreePlace {
    guard byWalking else {
      let position = model[..<index].reduce(0) { $0 + $1.weight }
      return tree.place(arena.reader, at: position).place
    }
    var place = tree.start(arena.reader)
    for _ in 0..<index {
      let isThere = tree.hasItem(arena.reader, &place)
      #expect(isThere)
      tree.advance(&place)
    }
    return place
  }

  mutating func insert(_ number: Int, weight: Int, at place: TreePlace, index: Int) throws {
    try tree.insert(&arena, Item(number, weight: weight), at: place)
    model.insert((number, weight), at: index)
  }

  mutating func remove(at place: TreePlace, index: Int, count: Int) {
    tree.remove(&arena, at: place, count: count)
    model.removeSubrange(index..<(index + count))
  }

  func check(_ note: String, isSorted: Bool = true) {
    tree.checkInvariants(arena.reader) { !isSorted || $0.number < $1.number }
    let total = model.reduce(0) { $0 + $1.weight }
    #expect(tree.count == model.count && tree.weight == total, "\(note)")
    var place = tree.start(arena.reader)
    var before = 0
    for (number, weight) in model {
      guard tree.hasItem(arena.reader, &place) else {
        Issue.record("the tree ends too soon, \(note)")
        return
      }
      let item = tree.item(arena.reader, place)
      #expect(item.number == number && item.weight == weight, "\(note)")
      #expect(tree.weightBefore(arena.reader, place) == before, "\(note)")
      before += weight
      tree.advance(&place)
    }
    let hasMore = tree.hasItem(arena.reader, &place)
    #expect(!hasMore, "\(note)")
    checkBackwards(note)
  }

  private func checkBackwards(_ note: String) {
    var place = tree.end(arena.reader)
    for (number, _) in model.reversed() {
      let isThere = tree.retreat(arena.reader, &place)
      #expect(isThere && tree.item(arena.reader, place).number == number, "\(note)")
    }
    let hasMore = tree.retreat(arena.reader, &place)
    #expect(!hasMore, "\(note)")
    guard !model.isEmpty else { return }
    var position = 0
    for (number, weight) in model {
      for inside in [0, weight - 1] {
        var (place, rest) = tree.place(arena.reader, at: position + inside)
        let isThere = tree.hasItem(arena.reader, &place)
        #expect(isThere && rest == inside && tree.item(arena.reader, place).number == number)
      }
      position += weight
    }
  }
}

@Suite struct CountedTreeTests {
  /// Random insertions and removals by key; the tree grows and shrinks by turns.
  private func randomByKey<Item: TestItem>(
    _: Item.Type, _ seed: Int, steps: Int, guarded: Bool
  ) throws {
    var random = Seeded(seed)
    var world = try TreeWorld<Item>(guarded: guarded)
    let range = 8 * steps / 10
    for step in 0..<steps {
      if guarded && step % 7 == 0 { try world.arena.flip() }
      let number = random.below(range)
      let probe = NumberProbe<Item.Key>(number: number)
      var place = world.tree.lowerBound(world.arena.reader, probe)
      let index = world.model.count { $0.number < number }
      let rank = world.tree.weightBefore(world.arena.reader, place)
      let expected = world.model[..<index].reduce(0) { $0 + $1.weight }
      #expect(rank == expected, "seed \(seed), step \(step)")
      let isThere = index < world.model.count && world.model[index].number == number
      let isGrowing = step / (steps / 4) % 2 == 0
      if isThere || (!isGrowing && index < world.model.count) {
        let hasItem = world.tree.hasItem(world.arena.reader, &place)
        #expect(hasItem)
        let here = world.tree.itemsInLeaf(world.arena.reader, place)
        let count = random.below(3) == 0 ? 1 + random.below(here) : 1
        if Item.hasUnitWeight || random.below(3) > 0 {
          world.remove(at: place, index: index, count: count)
        } else {
          let weight = 1 + random.below(9)
          let item = Item(world.model[index].number, weight: weight)
          world.tree.replace(&world.arena, item, at: place)
          world.model[index].weight = weight
        }
      } else {
        let weight = Item.hasUnitWeight ? 1 : 1 + random.below(9)
        try world.insert(number, weight: weight, at: place, index: index)
      }
      if step % 10 == 0 || world.model.count < 40 { world.check("seed \(seed), step \(step)") }
    }
    world.tree.free(&world.arena)
    #expect(world.tree.isEmpty && world.arena.usage.allocatedBytes == 0)
  }

  @Test(arguments: 1...4, [false, true])
  func randomSmall(seed: Int, guarded: Bool) throws {
    try randomByKey(SmallItem.self, seed, steps: 1600, guarded: guarded)
  }

  @Test(arguments: 1...6, [false, true])
  func randomLarge(seed: Int, guarded: Bool) throws {
    try randomByKey(LargeItem.self, seed, steps: 500, guarded: guarded)
  }

  /// Insertions and removals by position, as lists make them.
  @Test(arguments: 1...4, [false, true])
  func randomByPosition(seed: Int, guarded: Bool) throws {
    var random = Seeded(seed)
    var world = try TreeWorld<ListItem>(guarded: guarded)
    for step in 0..<900 {
      if guarded && step % 7 == 0 { try world.arena.flip() }
      let count = world.model.count
      let index = random.below(3) == 0 ? random.below(count + 1) : random.below(2) * count
      let place = world.place(index, byWalking: step % 50 == 0)
      if count > 0 && index < count && random.below(step < 600 ? 4 : 2) == 0 {
        var place = place
        _ = world.tree.hasItem(world.arena.reader, &place)
        let weight = 1 + random.below(200)
        world.tree.replace(&world.arena, ListItem(step, weight: weight), at: place)
        world.model[index] = (step, weight)
      } else if count > 0 && index < count && step > 600 {
        var place = place
        _ = world.tree.hasItem(world.arena.reader, &place)
        world.remove(at: place, index: index, count: 1)
      } else {
        try world.insert(step, weight: 1 + random.below(100), at: place, index: index)
      }
      if step % 9 == 0 { world.check("seed \(seed), step \(step)", isSorted: false) }
    }
    world.tree.free(&world.arena)
    #expect(world.arena.usage.allocatedBytes == 0)
  }

  /// Every order in which seven items can come, and every second of them going again.
  @Test func smallShapes() throws {
    var world = try TreeWorld<LargeItem>()
    var order = Array(0..<7)
    var shapes = 0
    func visit(_ depth: Int, _ world: inout TreeWorld<LargeItem>) throws {
      guard depth < order.count else {
        shapes += 1
        for number in order { try insert(number, &world) }
        world.check("\(order)")
        for number in order.reversed() where (number + shapes) % 2 == 0 { remove(number, &world) }
        world.check("\(order), half gone")
        for number in order where (number + shapes) % 2 == 1 { remove(number, &world) }
        #expect(world.tree.isEmpty && world.arena.usage.allocatedBytes == 0)
        return
      }
      for other in depth..<order.count {
        order.swapAt(depth, other)
        try visit(depth + 1, &world)
        order.swapAt(depth, other)
      }
    }
    try visit(0, &world)
    #expect(shapes == 5040)
  }

  private func insert(_ number: Int, _ world: inout TreeWorld<LargeItem>) throws {
    let place = world.tree.lowerBound(
      world.arena.reader, NumberProbe<LargeItem.Key>(number: number))
    let index = world.model.count { $0.number < number }
    try world.insert(number, weight: 1 + number, at: place, index: index)
  }

  private func remove(_ number: Int, _ world: inout TreeWorld<LargeItem>) {
    var place = world.tree.lowerBound(
      world.arena.reader, NumberProbe<LargeItem.Key>(number: number))
    let isThere = world.tree.hasItem(world.arena.reader, &place)
    let index = world.model.firstIndex { $0.number == number }
    #expect(isThere && index != nil)
    world.remove(at: place, index: index ?? 0, count: 1)
  }

  /// Loading in order fills the leaves, from either end; in random order four fifths of them.
  @Test(arguments: 0...2)
  func fill(order: Int) throws {
    var random = Seeded(1)
    var world = try TreeWorld<SmallItem>()
    let count = 50_000
    var numbers = Array(0..<count)
    if order == 1 { numbers.reverse() }
    if order == 2 { numbers.shuffle(using: &random) }
    for number in numbers {
      let probe = NumberProbe<SmallItem.Key>(number: number)
      let place = world.tree.lowerBound(world.arena.reader, probe)
      try world.tree.insert(&world.arena, SmallItem(number, weight: 1), at: place)
    }
    world.tree.checkInvariants(world.arena.reader) { $0.number < $1.number }
    let perItem = Double(world.arena.usage.allocatedBytes) / Double(count)
    #expect(perItem < (order == 2 ? 17.5 : 14), "\(perItem) bytes an item")
    #expect(world.tree.height == 3 || order == 2)
    world.tree.remove(&world.arena, positions: 100..<(count - 50)) { _, _, _, _ in }
    world.tree.checkInvariants(world.arena.reader) { $0.number < $1.number }
    #expect(world.tree.count == 150 && world.arena.usage.allocatedBytes < 8192)
    world.tree.free(&world.arena)
    #expect(world.arena.usage.allocatedBytes == 0)
  }

  /// Ranges by position; what is taken out is seen once each, in order.
  @Test(arguments: 1...5)
  func ranges(seed: Int) throws {
    var random = Seeded(seed)
    var world = try TreeWorld<SmallItem>()
    for number in 0..<3000 {
      try world.tree.append(&world.arena, SmallItem(number, weight: 1))
      world.model.append((number, 1))
    }
    while !world.model.isEmpty {
      let start = random.below(world.model.count)
      let end = min(world.model.count, start + 1 + random.below(400))
      var taken: [Int] = []
      world.tree.remove(&world.arena, positions: start..<end) { arena, tree, place, count in
        var place = place
        for _ in 0..<count {
          taken.append(tree.item(arena.reader, place).number)
          tree.advance(&place)
        }
      }
      #expect(taken == world.model[start..<end].map { $0.number })
      world.model.removeSubrange(start..<end)
      world.check("seed \(seed)")
    }
    #expect(world.arena.usage.allocatedBytes == 0)
  }

  /// A tree taken down leaf by leaf shows every item once and leaves nothing behind.
  @Test func takingDown() throws {
    var world = try TreeWorld<LargeItem>()
    for number in 0..<500 { try world.tree.append(&world.arena, LargeItem(number, weight: 1)) }
    var doomed = CountedTree<LargeItem>(rootWord: world.tree.rootWord, count: 0, weight: 0)
    var seen: Set<Int> = []
    while true {
      let before = seen.count
      let dropped = doomed.dropLastLeaf(&world.arena) { _, item in seen.insert(item.number) }
      #expect(seen.count == before + dropped)
      if dropped == 0 { break }
      #expect(doomed.isEmpty || doomed.rootWord == world.tree.rootWord)
    }
    #expect(seen.count == 500 && world.arena.usage.allocatedBytes == 0)
  }

  /// When memory runs out the tree is whole, and goes on once there is some.
  @Test func memoryRunsOut() throws {
    let pages = try VolatilePages(reachBytes: 8 << 20)
    var arena = try Arena(provider: pages)
    var ballast: [Ref<Untyped>] = []
    while let ref: Ref<Untyped> = try? arena.allocate(1 << 18) { ballast.append(ref) }
    while let ref: Ref<Untyped> = try? arena.allocate(4096) { ballast.append(ref) }
    var tree = CountedTree<LargeItem>()
    var random = Seeded(3)
    var refusals = 0
    for _ in 0..<4000 where refusals < 200 {
      let number = random.below(1 << 40)
      let place = tree.lowerBound(arena.reader, NumberProbe<LargeItem.Key>(number: number))
      do {
        try tree.insert(&arena, LargeItem(number, weight: 1), at: place)
      } catch {
        refusals += 1
        tree.checkInvariants(arena.reader) { $0.number < $1.number }
        if refusals % 10 == 0, let last = ballast.popLast() { arena.free(last) }
      }
    }
    #expect(refusals > 0 && tree.count > 20)
    tree.checkInvariants(arena.reader) { $0.number < $1.number }
    tree.free(&arena)
    for ref in ballast { arena.free(ref) }
    #expect(arena.usage.allocatedBytes == 0)
  }
}
