// Random workloads on streams and their consumer groups, on both sides of the nodes' limits,
// against arrays and dictionaries.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct StreamModelTests {
  struct Item: Equatable {
    var id: StreamID
    var words: [[UInt8]]
  }

  struct Group: Equatable {
    var lastID = StreamID.zero
    var consumers: [[UInt8]: Set<StreamID>] = [:]
    var pending: [StreamID: (consumer: [UInt8], time: Int, count: Int)] = [:]

    static func == (a: Group, b: Group) -> Bool {
      a.lastID == b.lastID && a.consumers == b.consumers
    }
  }

  struct World: ~Copyable {
    var keys: Keyspace
    var items: [Item] = []
    var groups: [[UInt8]: Group] = [:]
    var added = 0
    var lastID = StreamID.zero
    var deletedID = StreamID.zero
    var random: Seeded
    let isGuarded: Bool
    let startBytes: Int
    let key: [UInt8] = [0x73]

    init(seed: Int, nodeBytes: Int, nodeEntries: Int, guarded: Bool) throws {
      var keys = try makeKeyspace(seed: seed, guarded: guarded)
      keys.limits.streamNodeBytes = nodeBytes
      keys.limits.streamNodeEntries = nodeEntries
      self.init(keys, seed, guarded)
    }

    private init(_ keys: consuming Keyspace, _ seed: Int, _ guarded: Bool) {
      startBytes = keys.usedBytes
      self.keys = keys
      random = Seeded(seed &+ 99)
      isGuarded = guarded
    }

    mutating func someWord() -> [UInt8] {
      switch random.below(12) {
      case 0..<4: return Array("field\(random.below(3))".utf8)
      case 4..<7: return Array(String(random.below(1000) - 500).utf8)
      case 7: return Array(String(Int.random(in: .min ... .max, using: &random)).utf8)
      case 8: return []
      case 9 where random.below(10) == 0:
        return [UInt8](repeating: 7, count: 3000 + random.below(3000))
      default: return [UInt8](repeating: UInt8(97 + random.below(3)), count: random.below(70))
      }
    }

    /// An ID that may be one of an entry.
    mutating func someID() -> StreamID {
      if !items.isEmpty && random.below(3) > 0 { return items[random.below(items.count)].id }
      return StreamID(UInt64(random.below(3000)), UInt64(random.below(4)))
    }

    mutating func stream() throws -> Key {
      let key = self.key
      if let found = try keys.findStream(key.span) { return found }
      return try keys.makeStream(key.span)
    }

    mutating func step() throws {
      if isGuarded && random.below(4) == 0 { try keys.arena.flip() }
      let stream = try stream()
      switch random.below(100) {
      case 0..<50: try add(stream)
      case 50..<62: delete(stream)
      case 62..<66: trim(stream)
      case 66..<76: try change(stream)
      case 76..<88: try pend(stream)
      case 88..<91: try copy(stream)
      case 91: keys.freeAllGarbage()
      default: look(stream)
      }
      keys.effects.endGroup()
      keys.effects.consume()
    }

    mutating func add(_ stream: Key) throws {
      var id = lastID
      switch random.below(8) {
      case 0: id.milliseconds += UInt64(1 + random.below(1000))
      case 1: id = StreamID(id.milliseconds + 1, UInt64(random.below(5)))
      case 2: id.sequence += UInt64(1 + random.below(100_000))
      default: id.sequence += 1
      }
      let isUsual = random.below(3) > 0
      let count = isUsual ? 2 : 1 + random.below(3)
      var words: [[UInt8]] = []
      for index in 0..<count {
        words.append(isUsual ? [0x66, UInt8(0x30 + index)] : someWord())
        words.append(someWord())
      }
      var draft = keys.draft(
        stream, fieldCount: count, bytes: words.reduce(0) { $0 + $1.count })
      for index in 0..<count where draft.sharesFields {
        let field = words[index * 2]
        keys.compareField(&draft, field.span)
      }
      keys.begin(draft)
      if draft.needsMaster {
        for index in 0..<count { add(word: words[index * 2]) }
        keys.endMaster()
      }
      keys.beginEntry(draft, id)
      for index in 0..<count {
        if !draft.sharesFields { add(word: words[index * 2]) }
        add(word: words[index * 2 + 1])
      }
      try keys.commit(draft, id, to: stream)
      items.append(Item(id: id, words: words))
      lastID = id
      added += 1
    }

    mutating func add(word: [UInt8]) { keys.add(word.span) }

    mutating func delete(_ stream: Key) {
      let id = someID()
      let isThere = items.contains { $0.id == id }
      let wasThere = keys.hasEntry(id, in: stream)
      let isDeleted = keys.deleteEntry(id, from: stream)
      #expect(wasThere == isThere && isDeleted == isThere)
      items.removeAll { $0.id == id }
      if isThere { deletedID = max(deletedID, id) }
    }

    mutating func trim(_ stream: Key) {
      let wholeNodes = random.below(2) == 0
      let limit = wholeNodes && random.below(2) == 0 ? 1 + random.below(40) : .max
      let wanted = random.below(items.count + 2)
      let border = someID()
      let byLength = random.below(2) == 0
      let deleted = keys.trim(
        stream, byLength ? .length(wanted) : .minimum(border), wholeNodes: wholeNodes, limit: limit)
      let exact =
        byLength ? max(items.count - wanted, 0) : items.prefix { $0.id < border }.count
      if wholeNodes {
        #expect(deleted <= exact && deleted <= limit)
      } else {
        #expect(deleted == exact)
      }
      items.removeFirst(deleted)
    }

    // MARK: Groups

    mutating func someName() -> [UInt8] {
      [[], [0x61], [0x61, 0x62], [0x62], [UInt8](repeating: 0x63, count: 300)][random.below(5)]
    }

    /// Makes or removes groups and consumers.
    mutating func change(_ stream: Key) throws {
      let name = someName()
      let found = keys.findGroup(stream, name.span)
      #expect((found == nil) == (groups[name] == nil))
      guard let group = found else {
        let id = someID()
        try keys.makeGroup(stream, name.span, lastID: id, entriesRead: -1)
        groups[name] = Group(lastID: id)
        return
      }
      let consumerName = someName()
      if random.below(12) == 0 {
        let isRemoved = keys.removeGroup(stream, name.span)
        #expect(isRemoved)
        groups[name] = nil
      } else if let consumer = keys.findConsumer(group, consumerName.span) {
        #expect(groups[name]?.consumers[consumerName] != nil)
        guard random.below(4) == 0 else { return }
        keys.removeConsumer(consumer, from: group)
        for id in groups[name]?.consumers.removeValue(forKey: consumerName) ?? [] {
          groups[name]?.pending[id] = nil
        }
      } else {
        #expect(groups[name]?.consumers[consumerName] == nil)
        _ = try keys.makeConsumer(group, consumerName.span)
        groups[name]?.consumers[consumerName] = []
      }
    }

    /// Notes or forgets pending entries.
    mutating func pend(_ stream: Key) throws {
      let name = someName()
      guard let group = keys.findGroup(stream, name.span) else { return }
      for _ in 0..<(1 + random.below(20)) {
        let id = someID()
        let old = groups[name]?.pending[id]
        let isPending = keys.pending(id, in: group) != nil
        #expect(isPending == (old != nil))
        if random.below(3) == 0 {
          let isRemoved = keys.removePending(id, from: group)
          #expect(isRemoved == (old != nil))
          groups[name]?.pending[id] = nil
          if let old { groups[name]?.consumers[old.consumer]?.remove(id) }
          continue
        }
        let consumerName = someName()
        guard let consumer = keys.findConsumer(group, consumerName.span) else { continue }
        let (time, count) = (random.below(1 << 40), random.below(9))
        try keys.setPending(
          Pending(id: id, consumer: consumer, deliveredAt: time, deliveries: count), in: group)
        if let old { groups[name]?.consumers[old.consumer]?.remove(id) }
        groups[name]?.consumers[consumerName]?.insert(id)
        groups[name]?.pending[id] = (consumerName, time, count)
      }
    }

    mutating func copy(_ stream: Key) throws {
      let key = self.key
      let other: [UInt8] = [0x74]
      try keys.copy(stream, to: other.span, database: keys.selected)
      let digests = (keys.digest(of: key.span), keys.digest(of: other.span))
      #expect(digests.0 == digests.1)
      guard let first = try keys.findStream(key.span), let twin = try keys.findStream(other.span)
      else { return }
      if random.below(2) == 0 {
        // The copy takes the original's place.
        keys.checkInvariants()
        look(twin)
        keys.remove(first)
        guard let again = try keys.findStream(other.span) else { return }
        try keys.rename(again, to: key.span)
      } else {
        keys.remove(twin)
      }
    }

    // MARK: Looking

    /// Entries of a range both ways, facts, and all groups.
    mutating func look(_ stream: Key) {
      let facts = keys.streamFacts(stream)
      #expect(facts.length == items.count)
      #expect(facts.lastID == lastID && facts.deletedID == deletedID && facts.added == added)
      #expect(facts.firstID == items.first?.id ?? .zero)
      let top = keys.topID(stream)
      #expect(top == items.last?.id ?? .zero)
      let isWhole = random.below(2) == 0
      let first = isWhole ? StreamID.zero : someID()
      let last = isWhole ? StreamID.greatest : someID()
      let wanted = items.filter { $0.id >= first && $0.id <= last }
      let forwards = read(stream, from: first, to: last, isForward: true)
      let backwards = read(stream, from: last, to: first, isForward: false)
      #expect(forwards == wanted)
      #expect(backwards == wanted.reversed())
      let shape = keys.streamShape(stream)
      #expect(shape.keys == facts.nodeCount)
      lookAtGroups(stream)
    }

    private func read(
      _ stream: Key, from first: StreamID, to last: StreamID, isForward: Bool
    ) -> [Item] {
      var result: [Item] = []
      var cursor = keys.streamCursor(stream, from: first, isForward: isForward)
      while let entry = keys.nextEntry(&cursor) {
        if isForward ? entry.id > last : entry.id < last { break }
        var words: [[UInt8]] = []
        var fields = keys.fields(of: entry, cursor)
        for index in 0..<entry.fieldCount {
          if index > 0 { fields.advance() }
          words.append(ListModelTests.text(fields.field))
          words.append(ListModelTests.text(fields.value))
        }
        result.append(Item(id: entry.id, words: words))
      }
      return result
    }

    private func lookAtGroups(_ stream: Key) {
      var names: [[UInt8]] = []
      var place = keys.firstGroup(of: stream)
      while let group = keys.nextGroup(&place, of: stream) {
        let name = bytes(keys.name(group))
        names.append(name)
        guard let model = groups[name] else {
          Issue.record("a group that should not be")
          continue
        }
        let facts = keys.groupFacts(group)
        #expect(facts.lastID == model.lastID && facts.pendingCount == model.pending.count)
        var consumers: [[UInt8]] = []
        var consumerPlace = keys.firstConsumer(of: group)
        while let consumer = keys.nextConsumer(&consumerPlace, of: group) {
          consumers.append(bytes(keys.name(consumer)))
          var ids: Set<StreamID> = []
          var next: StreamID? = .zero
          while let from = next, let found = keys.firstPending(of: consumer, in: group, from: from)
          {
            ids.insert(found.id)
            let known = model.pending[found.id]
            #expect(known?.time == found.deliveredAt && known?.count == found.deliveries)
            next = found.id.next
          }
          let own = model.consumers[bytes(keys.name(consumer))]
          #expect(ids == own)
        }
        #expect(consumers == model.consumers.keys.sorted { $0.lexicographicallyPrecedes($1) })
        let lastID = keys.lastPendingID(of: group)
        #expect(lastID == model.pending.keys.max())
      }
      #expect(names == groups.keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    mutating func finish() throws {
      let key = self.key
      look(try stream())
      let isRemoved = keys.remove(key.span)
      #expect(isRemoved)
      keys.freeAllGarbage()
      keys.checkInvariants()
      keys.arena.checkInvariants()
      let left = keys.usedBytes - startBytes
      #expect(left < 200)
    }
  }

  @Test(arguments: [(4096, 100), (4096, 3), (200, 100), (100, 1), (0, 0)], [false, true])
  func randomWorkload(limits: (bytes: Int, entries: Int), guarded: Bool) throws {
    for seed in 0..<(guarded ? 1 : 2) {
      var world = try World(
        seed: seed &* 31 &+ limits.bytes, nodeBytes: limits.bytes, nodeEntries: limits.entries,
        guarded: guarded)
      for step in 0..<(guarded ? 250 : 800) {
        try world.step()
        if step % 20 == 0 {
          world.keys.checkInvariants()
          world.look(try world.stream())
        }
      }
      try world.finish()
    }
  }

  @Test func idsCountOverTheirParts() {
    #expect(StreamID(5, .max).next == StreamID(6, 0))
    #expect(StreamID(5, 0).previous == StreamID(4, .max))
    #expect(StreamID.greatest.next == nil && StreamID.zero.previous == nil)
    #expect(StreamID(1, 9) < StreamID(2, 0) && StreamID(1, 1) < StreamID(1, 2))
  }

  /// A long stream with many pending entries goes in slices.
  @Test func removingALongStreamTakesItApartLater() throws {
    var world = try World(seed: 5, nodeBytes: 4096, nodeEntries: 100, guarded: false)
    let stream = try world.stream()
    for _ in 0..<5_000 { try world.add(stream) }
    try world.keys.makeGroup(stream, [0x67].span, lastID: .zero, entriesRead: -1)
    let found = world.keys.findGroup(stream, [0x67].span)
    let group = try #require(found)
    let consumer = try world.keys.makeConsumer(group, [0x63].span)
    for item in world.items {
      try world.keys.setPending(
        Pending(id: item.id, consumer: consumer, deliveredAt: 1, deliveries: 1), in: group)
    }
    let before = world.keys.usedBytes
    world.keys.remove(stream)
    let after = world.keys.usedBytes
    #expect(after > before - 10_000)
    var slices = 0
    while world.keys.freeGarbage(limit: 1000) { slices += 1 }
    #expect(slices > 5)
    let left = world.keys.usedBytes - world.startBytes
    #expect(left < 200)
    world.keys.checkInvariants()
  }

  /// A consumer with a long list goes, whoever else has entries pending, alone or among others'.
  @Test(arguments: [1, 2, 3, 40], [1, 7, 100])
  func removingAConsumer(share: Int, run: Int) throws {
    var world = try World(seed: 6, nodeBytes: 4096, nodeEntries: 100, guarded: false)
    let stream = try world.stream()
    for _ in 0..<4_000 { try world.add(stream) }
    try world.keys.makeGroup(stream, [0x67].span, lastID: .zero, entriesRead: -1)
    let found = world.keys.findGroup(stream, [0x67].span)
    let group = try #require(found)
    let leaving = try world.keys.makeConsumer(group, [0x61].span)
    let staying = try world.keys.makeConsumer(group, [0x62].span)
    var kept: [StreamID] = []
    for (index, item) in world.items.enumerated() {
      let stays = index / run % share != 0
      if stays { kept.append(item.id) }
      try world.keys.setPending(
        Pending(
          id: item.id, consumer: stays ? staying : leaving, deliveredAt: 1, deliveries: 1),
        in: group)
    }
    world.keys.removeConsumer(leaving, from: group)
    world.keys.checkInvariants()
    for step in 0..<20 {
      var left: [StreamID] = []
      var next = StreamID.zero
      while let pending = world.keys.firstPending(of: nil, in: group, from: next) {
        #expect(pending.consumer == staying)
        left.append(pending.id)
        next = pending.id.next ?? .greatest
      }
      #expect(left == kept)
      #expect(world.keys.consumerFacts(staying).pendingCount == kept.count)
      #expect(world.keys.groupFacts(group).consumerCount == 1)
      let isMore = world.keys.freeGarbage(limit: 500)
      if !isMore || step == 19 { break }
    }
    world.keys.remove(stream)
    while world.keys.freeGarbage(limit: 1000) {}
    #expect(world.keys.usedBytes - world.startBytes < 200)
    world.keys.checkInvariants()
  }
}
