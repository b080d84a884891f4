// Random workloads of sorted sets, on both sides of every limit, against a dictionary and its
// sorted array: scores, ranks, ranges by score and by text, both directions, copies, drafts.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct SortedSetModelTests {
  struct World: ~Copyable {
    var keys: Keyspace
    var model: [[UInt8]: Double] = [:]
    var random: Seeded
    let startBytes: Int
    static let name: [UInt8] = Array("zset".utf8)

    init(seed: Int, guarded: Bool) throws {
      let keys = try makeKeyspace(seed: seed, guarded: guarded)
      self.init(keys, seed)
    }

    private init(_ keys: consuming Keyspace, _ seed: Int) {
      startBytes = keys.usedBytes
      self.keys = keys
      random = Seeded(seed &+ 5)
      self.keys.limits.sortedSetListpackEntries = 12
      self.keys.limits.sortedSetListpackValueBytes = 24
    }

    var sorted: [(member: [UInt8], score: Double)] {
      model.map { (member: $0.key, score: $0.value) }.sorted {
        $0.score != $1.score
          ? $0.score < $1.score : $0.member.lexicographicallyPrecedes($1.member)
      }
    }

    mutating func someMember() -> [UInt8] {
      switch random.below(20) {
      case 0: return [UInt8](repeating: 0x61, count: 23 + random.below(3))
      case 1..<6: return Array("\(random.below(60) - 9)".utf8)
      case 6: return []
      default: return Array("member:\(random.below(90))".utf8)
      }
    }

    /// Few different scores, so that many are equal; with fractions, zeros and infinite ones.
    mutating func someScore() -> Double {
      switch random.below(12) {
      case 0:
        let scores: [Double] = [
          -0.0, .infinity, -.infinity, 1e300, .leastNonzeroMagnitude, 0x1p53,
        ]
        return scores[random.below(6)]
      case 1..<4: return Double(random.below(1000)) / 7
      default: return Double(random.below(9) - 3)
      }
    }

    mutating func find() throws -> Key? { try keys.findSortedSet(Self.name.span) }

    mutating func add() throws {
      var set: Key
      if let found = try find() {
        set = found
      } else {
        set = try keys.makeSortedSet(Self.name.span, count: 1, length: 3)
      }
      for _ in 0..<(1 + random.below(random.below(6) == 0 ? 30 : 3)) {
        let member = someMember()
        let score = someScore()
        let old = keys.score(member.span, set)
        #expect(old == model[member])
        try keys.setScore(member.span, score, old: old, in: &set)
        // A zero of the other sign is no change.
        if old != score { model[member] = score }
      }
    }

    mutating func remove() throws {
      guard var set = try find() else { return }
      for _ in 0..<(1 + random.below(6)) {
        let member = random.below(3) == 0 ? someMember() : model.keys.randomElement(using: &random)
        guard let member else { break }
        let isRemoved = keys.removeScored(member.span, of: &set)
        #expect(isRemoved == (model.removeValue(forKey: member) != nil))
      }
      keys.removeIfEmpty(set)
    }

    mutating func removeRange() throws {
      guard var set = try find() else { return }
      let items = sorted
      let start = random.below(items.count + 1)
      let end = min(items.count, start + random.below(random.below(4) == 0 ? 60 : 6))
      keys.removeRanks(start..<end, of: &set)
      for item in items[start..<end] { model[item.member] = nil }
      keys.removeIfEmpty(set)
    }

    mutating func checkRanges() throws {
      guard let set = try find() else { return }
      let items = sorted
      for _ in 0..<4 {
        let range = ScoreRange(
          low: someScore(), high: someScore(), excludesLow: random.below(2) == 0,
          excludesHigh: random.below(2) == 0)
        let isIn = { (score: Double) in
          (range.excludesLow ? score > range.low : score >= range.low)
            && (range.excludesHigh ? score < range.high : score <= range.high)
        }
        let ranks = keys.ranks(range, set)
        let expected = items.indices.filter { isIn(items[$0].score) }
        #expect(Array(ranks) == expected)
      }
      let first = random.below(items.count)
      for isReversed in [false, true] {
        var walk = keys.sortedWalk(set, from: first, isReversed: isReversed)
        let expected = isReversed ? Array(items[...first].reversed()) : Array(items[first...])
        for item in expected {
          let isThere = keys.advance(&walk)
          #expect(isThere)
          guard isThere else { return }
          var text = ByteBuffer()
          text.append(keys.member(walk))
          let member = bytes(text.span)
          #expect(member == item.member && keys.score(walk) == item.score)
        }
        let hasMore = keys.advance(&walk)
        #expect(!hasMore)
      }
    }

    mutating func check(_ note: String) throws {
      keys.checkInvariants()
      let items = sorted
      guard let set = try find() else {
        #expect(items.isEmpty, "\(note)")
        return
      }
      #expect(keys.sortedCount(set) == items.count, "\(note)")
      for (rank, item) in items.enumerated() {
        let found = keys.rank(item.member.span, set)
        #expect(found?.rank == rank && found?.score == item.score, "\(note)")
        // A small set keeps no zero's sign.
        if item.score != 0 { #expect(found?.score.sign == item.score.sign, "\(note)") }
      }
      let missing: [UInt8] = Array("no such member".utf8)
      #expect(keys.rank(missing.span, set) == nil && keys.score(missing.span, set) == nil)
      let isSmall = items.count <= 12 && items.allSatisfy { $0.member.count <= 24 }
      let name = "\(keys.encodingName(set))"
      #expect(name == "skiplist" || isSmall, "\(note)")
    }

    /// The same set, built as a draft and put over another key, and a copy of it.
    mutating func checkCopies() throws {
      guard let set = try find() else { return }
      let other: [UInt8] = Array("draft".utf8)
      let third: [UInt8] = Array("copy".utf8)
      var draft = try keys.makeScoreDraft()
      let inOrder = random.below(2) == 0
      for item in inOrder ? sorted : model.map({ (member: $0.key, score: $0.value) }) {
        if inOrder {
          try keys.append(item.member.span, item.score, to: &draft)
        } else {
          try keys.add(item.member.span, item.score, to: &draft)
        }
      }
      #expect(keys.count(draft) == model.count)
      try keys.store(&draft, other.span)
      try keys.copy(set, to: third.span, database: 0)
      keys.checkInvariants()
      let digest = keys.digest(of: Self.name.span)
      #expect(digest == keys.digest(of: third.span))
      // A small set keeps no zero's sign, a tree does, and a set that has shrunk may be either.
      let hasZero = model.values.contains(0)
      #expect(hasZero || digest == keys.digest(of: other.span))
      let isGone = keys.remove(other.span)
      let isGoneToo = keys.remove(third.span)
      #expect(isGone && isGoneToo)
    }
  }

  @Test(arguments: 1...6, [false, true])
  func randomOperations(seed: Int, guarded: Bool) throws {
    var world = try World(seed: seed, guarded: guarded)
    for step in 0..<250 {
      if guarded && step % 3 == 0 { try world.keys.arena.flip() }
      switch world.random.below(10) {
      case 0..<5: try world.add()
      case 5, 6: try world.remove()
      case 7: try world.removeRange()
      case 8: try world.checkRanges()
      default: try world.checkCopies()
      }
      try world.check("seed \(seed), step \(step)")
      if world.model.count > 60 { while world.model.count > 5 { try world.removeRange() } }
    }
    _ = world.keys.remove(World.name.span)
    while world.keys.freeGarbage(limit: 10) {}
    world.keys.flushAll()
    while world.keys.freeGarbage(limit: 10) {}
    #expect(world.keys.usedBytes == world.startBytes)
  }

  /// Ranges of texts, all scores being equal.
  @Test(arguments: 1...4, [8, 200])
  func textRanges(seed: Int, count: Int) throws {
    var random = Seeded(seed)
    var keys = try makeKeyspace(seed: seed)
    keys.limits.sortedSetListpackEntries = 20
    let name: [UInt8] = [1]
    var set = try keys.makeSortedSet(name.span, count: 1, length: 1)
    var texts: Set<[UInt8]> = []
    while texts.count < count {
      let text = (0..<random.below(4)).map { _ in UInt8(0x61 + random.below(8)) }
      guard texts.insert(text).inserted else { continue }
      try keys.setScore(text.span, 7, old: nil, in: &set)
    }
    let sorted = texts.sorted { $0.lexicographicallyPrecedes($1) }
    let kinds: [TextBound.Kind] = [.first, .last, .including, .excluding]
    for step in 0..<400 {
      let low = (0..<random.below(4)).map { _ in UInt8(0x61 + random.below(8)) }
      let high = (0..<random.below(4)).map { _ in UInt8(0x61 + random.below(8)) }
      let lowKind = kinds[random.below(10) == 0 ? random.below(4) : 2 + random.below(2)]
      let highKind = kinds[random.below(10) == 0 ? random.below(4) : 2 + random.below(2)]
      func isAbove(_ text: [UInt8]) -> Bool {
        switch lowKind {
        case .first: true
        case .last: false
        case .including: !text.lexicographicallyPrecedes(low)
        case .excluding: low.lexicographicallyPrecedes(text)
        }
      }
      func isBelow(_ text: [UInt8]) -> Bool {
        switch highKind {
        case .first: false
        case .last: true
        case .including: !high.lexicographicallyPrecedes(text)
        case .excluding: text.lexicographicallyPrecedes(high)
        }
      }
      let expected = sorted.indices.filter { isAbove(sorted[$0]) && isBelow(sorted[$0]) }
      for fromEnd in [false, true] {
        let ranks = keys.ranks(
          TextRange(low: TextBound(lowKind, low.span), high: TextBound(highKind, high.span)),
          fromEnd: fromEnd, set)
        #expect(Array(ranks) == expected, "seed \(seed), step \(step)")
      }
    }
  }
}
