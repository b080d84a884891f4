// Members found by hash are those that a walk finds.

import Bytes
import Structures
import Testing

@testable import Keyspace

@Suite struct MemberPlacesTests {
  @Test(arguments: 0..<40)
  func findsWhatAWalkFinds(seed: Int) throws {
    var keys = try makeKeyspace(seed: seed)
    keys.limits.setListpackEntries = 300
    var random = Seeded(seed)
    let count = [3, 7, 8, 9, 17, 128, 300][seed % 7]
    for (number, name) in ["a", "b", "c"].enumerated() {
      var set = try keys.makeSet(
        Array(name.utf8).span, first: Array("text".utf8).span, count: 1)
      for _ in 0..<(number == 0 ? 300 : count) {
        let member = random.below(count * 2)
        let text = random.below(3) == 0 ? "\(member - 5)" : "member \(member)"
        _ = try keys.addMember(Array(text.utf8).span, to: &set)
      }
    }
    guard let first = keys.find(Array("a".utf8).span), let second = keys.find(Array("b".utf8).span),
      let third = keys.find(Array("c".utf8).span)
    else {
      Issue.record("a set is missing")
      return
    }
    var places = MemberPlaces()
    places.addNothing()
    keys.notePlaces(of: second, in: &places)
    keys.notePlaces(of: third, in: &places)
    #expect(places.covers(1) == (keys.elementCount(second) >= 8))
    var sets = GrowableArray<Key>()
    for set in [first, second, third] { sets.append(set) }
    var walk = keys.walk(first)
    var found = 0
    while keys.advance(&walk) {
      let member = keys.arena.reader.element(walk)
      let isThere = [
        keys.arena.reader.contains(second.entry, member, keys.hash),
        keys.arena.reader.contains(third.entry, member, keys.hash),
      ]
      let any = keys.isMember(walk, ofAll: false, sets, places)
      let all = keys.isMember(walk, ofAll: true, sets, places)
      #expect(any == (isThere[0] || isThere[1]) && all == (isThere[0] && isThere[1]))
      #expect(keys.isMember(walk, ofAll: true, sets, MemberPlaces()) == all)
      found += any ? 1 : 0
    }
    #expect(found >= 1)
    // Whole sets at once: the same members.
    var chosen = GrowableArray<PackedMember>()
    for ofAll in [false, true] {
      var expected: [[UInt8]] = []
      var walk = keys.walk(first)
      while keys.advance(&walk) {
        let isThere = keys.isMember(walk, ofAll: ofAll, sets, places)
        if isThere == ofAll { expected.append(text(keys.arena.reader.element(walk))) }
      }
      keys.select(from: 0, ofAll: ofAll, others: 1..<3, sets, places, into: &chosen)
      var selected: [[UInt8]] = []
      for index in 0..<chosen.count {
        selected.append(text(keys.element(chosen[index], of: first)))
      }
      #expect(selected == expected)
    }
  }

  private func text(_ element: borrowing Element) -> [UInt8] {
    var bytes = ByteBuffer()
    bytes.append(element)
    return (0..<bytes.count).map { bytes[$0] }
  }
}
