// MemberPlaces: where the members of packed sets lie, by their hashes, for a command that looks up
// many of them: finding one in a listpack takes a walk through it.
//
//   slots   | 0 | 6 | 0 | 31 | ... |        a set's own power of two, at least twice its members
//
// 1. A slot is the place of a listpack's element, or 0 when it is free. Who is not in its hash's
//    slot is in one of those after it, before the next free one.
// 2. It is good while the sets do not change.

import Bytes
import Memory
import Structures

public struct MemberPlaces: ~Copyable {
  /// Sets of fewer members are walked through.
  static var leastCount: Int { 8 }

  private struct Share: BitwiseCopyable {
    var start = 0
    /// Slots less one; -1 for a set that is not here.
    var mask = -1
  }

  private var shares = GrowableArray<Share>()
  private var slots = GrowableArray<UInt32>()

  public init() {}

  func covers(_ number: Int) -> Bool { number < shares.count && shares[number].mask >= 0 }

  mutating func addNothing() { shares.append(Share()) }

  mutating func add(_ list: borrowing Listpack, _ hash: KeyedHash) {
    let start = slots.count
    var capacity = 2 * Self.leastCount
    while capacity < 2 * list.count { capacity *= 2 }
    slots.reserve(capacity)
    for _ in 0..<capacity { slots.append(0) }
    var place = list.start
    while place < list.end {
      var slot = Self.hash(list.element(place), hash) & (capacity - 1)
      while slots[start + slot] != 0 { slot = (slot + 1) & (capacity - 1) }
      slots[start + slot] = UInt32(place)
      place = list.next(place)
    }
    shares.append(Share(start: start, mask: capacity - 1))
  }

  /// Whether set `number`, which is `list`, has the member.
  func contains(
    _ number: Int, _ list: borrowing Listpack, _ member: borrowing Element, _ hash: KeyedHash
  ) -> Bool {
    let share = shares[number]
    var slot = Self.hash(member, hash) & share.mask
    while slots[share.start + slot] != 0 {
      if list.element(Int(slots[share.start + slot])).equals(member) { return true }
      slot = (slot + 1) & share.mask
    }
    return false
  }

  /// An integer's hash is its text's: a foreign listpack may hold it as either.
  private static func hash(_ element: borrowing Element, _ hash: KeyedHash) -> Int {
    let bits = element.isInteger ? hash(IntegerText(element.integer).span) : hash(element.string)
    return Int(truncatingIfNeeded: bits)
  }
}

extension Keyspace {
  /// Adds a set to those whose members are to be found by hash, if that is worth it.
  public func notePlaces(of key: Key, in places: inout MemberPlaces) {
    guard arena.reader.entry(key.entry).header.encoding == .listpack,
      elementCount(key) >= MemberPlaces.leastCount
    else { return places.addNothing() }
    places.add(arena.reader.listpack(key.entry), hash)
  }

  /// Whether `key`, set `number` of `places`, has the member at which a walk through another set
  /// stands.
  public func hasMember(
    _ walk: ElementWalk, _ key: Key, _ places: borrowing MemberPlaces, _ number: Int
  ) -> Bool {
    guard places.covers(number) else { return hasMember(walk, key) }
    let list = arena.reader.listpack(key.entry)
    return places.contains(number, list, arena.reader.element(walk), hash)
  }
}
