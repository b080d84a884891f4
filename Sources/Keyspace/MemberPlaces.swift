// MemberPlaces: where the members of packed sets lie, by their hashes, for a command that looks up
// many of them: finding one in a listpack takes a walk through it.
//
//   slots   | 0 | tag, 6 | 0 | tag, 31 | ... |  a set's own power of two, twice its members or more
//
// 1. A slot is 32 bits of a member's hash and its place in the listpack, or 0 when it is free. What
//    is not in its hash's slot is in one of those after it, before the next free one.
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
  private var slots = GrowableArray<UInt64>()

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
      let bits: UInt64
      let next: Int
      if let text = list.shortText(place) {
        bits = hash(text)
        next = place + text.count + 2
      } else {
        bits = Self.bits(list.element(place), hash)
        next = list.next(place)
      }
      var slot = Int(truncatingIfNeeded: bits) & (capacity - 1)
      while slots[start + slot] != 0 { slot = (slot + 1) & (capacity - 1) }
      slots[start + slot] = Self.tag(bits) | UInt64(place)
      place = next
    }
    shares.append(Share(start: start, mask: capacity - 1))
  }

  /// Whether set `number`, which is `list`, has the member whose hash is `bits`.
  func contains(
    _ number: Int, _ list: borrowing Listpack, _ member: borrowing Element, _ bits: UInt64
  ) -> Bool {
    let share = shares[number]
    let tag = Self.tag(bits)
    var slot = Int(truncatingIfNeeded: bits) & share.mask
    while true {
      let found = slots[share.start + slot]
      if found == 0 { return false }
      if found & ~0xFFFF_FFFF == tag {
        let place = Int(truncatingIfNeeded: found & 0xFFFF_FFFF)
        if !member.isInteger, let text = list.shortText(place) {
          if text.equals(member.string) { return true }
        } else if list.element(place).equals(member) {
          return true
        }
      }
      slot = (slot + 1) & share.mask
    }
  }

  /// An integer's hash is its text's: a foreign listpack may hold it as either.
  static func bits(_ element: borrowing Element, _ hash: KeyedHash) -> UInt64 {
    element.isInteger ? hash(IntegerText(element.integer).span) : hash(element.string)
  }

  private static func tag(_ bits: UInt64) -> UInt64 { bits & ~0xFFFF_FFFF }
}

extension Listpack {
  /// The string at `place` if it has the form that is the most common and the quickest to read.
  @_lifetime(copy self)
  @inline(__always) fileprivate func shortText(_ place: Int) -> Span<UInt8>? {
    let head = bytes[place]
    guard head & 0xC0 == 0x80 else { return nil }
    return bytes.extracting((place + 1)..<(place + 1 + Int(head & 63)))
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

  /// Whether one of the sets, or each of them, from the second on has the member at which a walk
  /// through the first stands.
  /// - Parameter places: notes of the sets from the second on, or of none.
  public func isMember(
    _ walk: ElementWalk, ofAll: Bool, _ sets: borrowing GrowableArray<Key>,
    _ places: borrowing MemberPlaces
  ) -> Bool {
    let member = arena.reader.element(walk)
    var bits: UInt64 = 0
    for index in 1..<max(sets.count, 1) {
      let entry = sets[index].entry
      // An intersection of a set with itself needs no looking.
      if ofAll && entry == sets[0].entry { continue }
      let isThere: Bool
      if places.covers(index - 1) {
        if bits == 0 { bits = MemberPlaces.bits(member, hash) }
        isThere = places.contains(index - 1, arena.reader.listpack(entry), member, bits)
      } else {
        isThere = arena.reader.contains(entry, member, hash)
      }
      if isThere != ofAll { return isThere }
    }
    return ofAll
  }
}
