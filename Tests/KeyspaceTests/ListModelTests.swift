// Random workloads on lists, on both sides of every limit, against arrays.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct ListModelTests {
  /// What `list-max-listpack-size` is set to.
  static let settings = [-2, -1, -5, 0, 1, 3, 20, 500]

  struct World: ~Copyable {
    var keys: Keyspace
    var model: [[UInt8]: [[UInt8]]] = [:]
    var random: Seeded
    let isGuarded: Bool
    let startBytes: Int
    let setting: Int

    init(seed: Int, setting: Int, guarded: Bool) throws {
      var keys = try makeKeyspace(seed: seed, guarded: guarded)
      keys.limits.listListpackSize = setting
      self.init(keys, seed, setting, guarded)
    }

    private init(_ keys: consuming Keyspace, _ seed: Int, _ setting: Int, _ guarded: Bool) {
      startBytes = keys.usedBytes
      self.keys = keys
      self.setting = setting
      random = Seeded(seed &+ 77)
      isGuarded = guarded
    }

    mutating func someElement() -> [UInt8] {
      switch random.below(20) {
      case 0..<7: return Array(String(random.below(40)).utf8)
      case 7: return Array(String(Int.random(in: .min ... .max, using: &random)).utf8)
      case 8: return []
      case 9: return [UInt8](repeating: 0x78, count: 4000 + random.below(200))
      case 10 where random.below(6) == 0:
        return [UInt8](repeating: 0x79, count: [8191, 8192, 8193, 70_000][random.below(4)])
      default: return [UInt8](repeating: UInt8(97 + random.below(3)), count: random.below(90))
      }
    }

    mutating func step() throws {
      if isGuarded && random.below(4) == 0 { try keys.arena.flip() }
      let key: [UInt8] = [0x6B, UInt8(0x30 + random.below(3))]
      switch random.below(100) {
      case 0..<38: try push(key)
      case 38..<52: try pop(key)
      case 52..<62: try insert(key)
      case 62..<70: try replace(key)
      case 70..<78: try removeEqual(key)
      case 78..<82: try trim(key)
      case 82..<88: try removeRange(key)
      case 88..<91: try copy(key)
      case 91:
        let isRemoved = keys.remove(key.span)
        let isKnown = model.removeValue(forKey: key) != nil
        #expect(isRemoved == isKnown)
      case 92: keys.freeAllGarbage()
      default: try look(key)
      }
      keys.effects.endGroup()
      keys.effects.consume()
    }

    mutating func push(_ key: [UInt8]) throws {
      let elements = (0...random.below(random.below(10) == 0 ? 200 : 4)).map { _ in someElement() }
      let end: ListEnd = random.below(2) == 0 ? .head : .tail
      let bytes = elements.reduce(0) { $0 + $1.count }
      let found = try keys.findList(key.span)
      var list = try keys.growList(key.span, found, bytes: bytes, count: elements.count)
      for element in elements {
        try keys.push(element.span, to: &list, end)
        if end == .head {
          model[key, default: []].insert(element, at: 0)
        } else {
          model[key, default: []].append(element)
        }
      }
    }

    mutating func pop(_ key: [UInt8]) throws {
      guard let list = try keys.findList(key.span) else { return }
      let count = min(1 + random.below(random.below(8) == 0 ? 300 : 3), keys.count(list))
      let isHead = random.below(2) == 0
      let total = keys.count(list)
      keys.remove(isHead ? 0..<count : (total - count)..<total, from: list)
      if isHead { model[key]?.removeFirst(count) } else { model[key]?.removeLast(count) }
      forgetEmpty(key)
    }

    mutating func insert(_ key: [UInt8]) throws {
      guard let found = try keys.findList(key.span) else { return }
      let element = someElement()
      var list = try keys.growList(key.span, found, bytes: element.count, count: 1)
      let index = random.below(keys.count(list) + 1)
      try keys.insert(element.span, at: index, in: &list)
      model[key]?.insert(element, at: index)
    }

    mutating func replace(_ key: [UInt8]) throws {
      guard let found = try keys.findList(key.span) else { return }
      let element = someElement()
      var list = try keys.growList(key.span, found, bytes: element.count, count: 1)
      let index = random.below(keys.count(list))
      try keys.replace(at: index, in: &list, with: element.span)
      keys.shrinkList(list)
      model[key]?[index] = element
    }

    mutating func removeEqual(_ key: [UInt8]) throws {
      guard let list = try keys.findList(key.span), var elements = model[key] else { return }
      let element = random.below(2) == 0 ? elements[random.below(elements.count)] : someElement()
      let limit = random.below(2) == 0 ? .max : 1 + random.below(3)
      let fromTail = random.below(2) == 0
      let removed = keys.remove(
        equalTo: Element(element.span), from: list, limit: limit, fromTail: fromTail)
      var left = limit
      if fromTail { elements.reverse() }
      elements.removeAll {
        guard $0 == element && left > 0 else { return false }
        left -= 1
        return true
      }
      if fromTail { elements.reverse() }
      #expect(removed == (model[key]?.count ?? 0) - elements.count)
      model[key] = elements
      forgetEmpty(key)
    }

    mutating func trim(_ key: [UInt8]) throws {
      guard let list = try keys.findList(key.span) else { return }
      let count = keys.count(list)
      let first = random.below(4) == 0 ? random.below(count + 1) : min(random.below(3), count)
      let last = random.below(4) == 0 ? first + random.below(count - first + 1) : count
      keys.trim(list, to: first..<last)
      model[key] = model[key].map { Array($0[first..<last]) }
      forgetEmpty(key)
    }

    mutating func removeRange(_ key: [UInt8]) throws {
      guard let list = try keys.findList(key.span) else { return }
      let first = random.below(keys.count(list))
      let count = 1 + random.below(min(keys.count(list) - first, 30))
      keys.remove(first..<(first + count), from: list)
      model[key]?.removeSubrange(first..<(first + count))
      forgetEmpty(key)
    }

    mutating func copy(_ key: [UInt8]) throws {
      let name: [UInt8] = [0x6B, UInt8(0x30 + random.below(3))]
      guard name != key, let list = try keys.findList(key.span) else { return }
      if random.below(2) == 0 {
        try keys.copy(list, to: name.span, database: keys.selected)
        let digests = (keys.digest(of: key.span), keys.digest(of: name.span))
        #expect(digests.0 == digests.1)
        model[name] = model[key]
      } else {
        try keys.rename(list, to: name.span)
        model[name] = model.removeValue(forKey: key)
      }
    }

    /// Every element, forwards, backwards and by index.
    mutating func look(_ key: [UInt8]) throws {
      let list = try keys.findList(key.span, .read)
      #expect((list == nil) == (model[key] == nil))
      guard let list, let elements = model[key] else { return }
      let count = keys.count(list)
      #expect(count == elements.count)
      for (start, step) in [(0, 1), (elements.count - 1, -1)] {
        var cursor = keys.cursor(list, at: start)
        var wrong = 0
        for index in 0..<elements.count {
          if index > 0 { keys.advance(&cursor, step) }
          if text(keys.element(cursor)) != elements[start + step * index] { wrong += 1 }
        }
        #expect(wrong == 0)
      }
      let index = random.below(elements.count)
      let found = text(keys.element(keys.cursor(list, at: index)))
      #expect(found == elements[index])
      let ends = (text(keys.element(list, .head)), text(keys.element(list, .tail)))
      #expect(ends.0 == elements[0] && ends.1 == elements[elements.count - 1])
    }

    private mutating func forgetEmpty(_ key: [UInt8]) {
      if model[key]?.isEmpty ?? false { model[key] = nil }
    }

    mutating func check() throws {
      keys.checkInvariants()
      for number in 0..<3 { try look([0x6B, UInt8(0x30 + number)]) }
    }

    /// With all keys gone nothing is left but what there was.
    mutating func finish() throws {
      for key in Array(model.keys) {
        let isRemoved = keys.remove(key.span)
        #expect(isRemoved)
      }
      keys.freeAllGarbage()
      keys.checkInvariants()
      keys.arena.checkInvariants()
      // The database keeps its table.
      let left = keys.usedBytes - startBytes
      #expect(left < 200)
    }
  }

  static func text(_ element: borrowing Element) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.append(element)
    return bytes(buffer.span)
  }

  @Test(arguments: settings, [false, true])
  func randomWorkload(setting: Int, guarded: Bool) throws {
    for seed in 0..<(guarded ? 1 : 3) {
      var world = try World(seed: seed &* 100 &+ setting &+ 10, setting: setting, guarded: guarded)
      for step in 0..<(guarded ? 250 : 600) {
        try world.step()
        if step % 25 == 0 { try world.check() }
      }
      try world.check()
      try world.finish()
    }
  }

  /// Redis 7.2's own borders: all that a command adds counts before it is added, and only a list of
  /// half the limit goes back.
  @Test func encodingsChangeWhereRedisChangesThem() throws {
    var keys = try makeKeyspace()
    keys.limits.listListpackSize = 4
    let key: [UInt8] = [0x6B]
    func expect(_ wanted: String, _ keys: inout Keyspace) throws {
      let list = try keys.findList(key.span)
      let name = list.map { "\(keys.encodingName($0))" } ?? "none"
      #expect(name == wanted)
    }
    func push(_ count: Int, _ keys: inout Keyspace) throws {
      let found = try keys.findList(key.span)
      var list = try keys.growList(key.span, found, bytes: count, count: count)
      for _ in 0..<count { try keys.push([0x61].span, to: &list, .tail) }
    }
    func pop(_ count: Int, _ keys: inout Keyspace) throws {
      guard let list = try keys.findList(key.span) else { return }
      keys.remove(0..<count, from: list)
    }
    try push(4, &keys)
    try expect("listpack", &keys)
    try push(1, &keys)
    try expect("quicklist", &keys)
    // Two leaves, then one of three.
    try pop(2, &keys)
    try expect("quicklist", &keys)
    try pop(1, &keys)
    try expect("quicklist", &keys)
    try pop(1, &keys)
    try expect("listpack", &keys)
    try pop(1, &keys)
    try expect("none", &keys)
    try push(5, &keys)
    try expect("quicklist", &keys)
  }

  /// A long list goes in slices.
  @Test func removingALongListTakesItApartLater() throws {
    var keys = try makeKeyspace()
    keys.limits.listListpackSize = 4
    let key: [UInt8] = [0x6B]
    let found = try keys.findList(key.span)
    var list = try keys.growList(key.span, found, bytes: 1 << 20, count: 1 << 16)
    for number in 0..<30_000 {
      try keys.push(Array("element \(number)".utf8).span, to: &list, .tail)
    }
    let before = keys.usedBytes
    keys.remove(list)
    let after = keys.usedBytes
    // The entry has gone, and the database's table with it.
    #expect(after > before - 6000)
    var slices = 0
    while keys.freeGarbage(limit: 500) { slices += 1 }
    #expect(slices > 20)
    let left = keys.usedBytes
    #expect(left < before / 100)
    keys.checkInvariants()
  }
}

private func text(_ element: borrowing Element) -> [UInt8] { ListModelTests.text(element) }
