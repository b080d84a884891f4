// MemberPlaces: where the members of packed sets lie, by their hashes, for a command that looks up
// many of them: finding one in a listpack takes a walk through it. Where all sets are packed, whole
// sets are compared at once (`select`).
//
//   slots   | 0 | tag, 6 | 0 | tag, 31 | ... |  a set's own power of two, twice its members or more
//
// 1. A slot is 32 bits of a member's hash and its place in the listpack, or 0 when it is free. What
//    is not in its hash's slot is in one of those after it, before the next free one.
// 2. It is good while the sets do not change.

import Bytes
import Memory
import Structures

/// A member of a packed set: its hash, and its place in the listpack.
public struct PackedMember: BitwiseCopyable {
  let bits: UInt64
  let place: Int
}

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

  /// The next set is one that is not looked into.
  public mutating func addNothing() { shares.append(Share()) }

  mutating func add(_ list: borrowing Listpack, _ hash: KeyedHash) {
    let start = slots.count
    var capacity = 2 * Self.leastCount
    while capacity < 2 * list.count { capacity *= 2 }
    slots.append(0, count: capacity)
    var place = list.start
    while place < list.end {
      let member = Self.member(list, &place, hash)
      var slot = Int(truncatingIfNeeded: member.bits) & (capacity - 1)
      while slots[start + slot] != 0 { slot = (slot + 1) & (capacity - 1) }
      slots[start + slot] = Self.tag(member.bits) | UInt64(member.place)
    }
    shares.append(Share(start: start, mask: capacity - 1))
  }

  /// The member at `place`, which moves behind it.
  @inline(__always) static func member(
    _ list: borrowing Listpack, _ place: inout Int, _ hash: KeyedHash
  ) -> PackedMember {
    let start = place
    if let text = list.shortText(start) {
      place = start + text.count + 2
      return PackedMember(bits: hash(text), place: start)
    }
    place = list.next(start)
    return PackedMember(bits: bits(list.element(start), hash), place: start)
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
  /// - Parameter places: notes of the sets, or of none.
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
      if places.covers(index) {
        if bits == 0 { bits = MemberPlaces.bits(member, hash) }
        isThere = places.contains(index, arena.reader.listpack(entry), member, bits)
      } else {
        isThere = arena.reader.contains(entry, member, hash)
      }
      if isThere != ofAll { return isThere }
    }
    return ofAll
  }
}

// MARK: Whole sets

extension Keyspace {
  /// Whether a set is a listpack.
  public func isListpack(_ set: Key) -> Bool {
    arena.reader.entry(set.entry).header.encoding == .listpack
  }

  /// Finds the members of set `number` that all, or none, of the sets `others` have. All of them
  /// are listpacks.
  /// - Parameter places: notes of `others`.
  public func select(
    from number: Int, ofAll: Bool, others: Range<Int>, _ sets: borrowing GrowableArray<Key>,
    _ places: borrowing MemberPlaces, into chosen: inout GrowableArray<PackedMember>
  ) {
    chosen.removeAll(keepingCapacity: true)
    let list = arena.reader.listpack(sets[number].entry)
    chosen.reserve(list.count)
    var place = list.start
    while place < list.end { chosen.append(MemberPlaces.member(list, &place, hash)) }
    for other in others {
      let isSame = sets[other].entry == sets[number].entry
      if isSame && ofAll { continue }
      let otherList = arena.reader.listpack(sets[other].entry)
      let isCovered = places.covers(other)
      var kept = 0
      for index in 0..<(isSame ? 0 : chosen.count) {
        let candidate = chosen[index]
        let member = list.element(candidate.place)
        let isThere =
          isCovered
          ? places.contains(other, otherList, member, candidate.bits)
          : otherList.find(member, from: otherList.start) != nil
        if isThere == ofAll {
          chosen[kept] = candidate
          kept += 1
        }
      }
      chosen.truncate(to: kept)
      if kept == 0 { return }
    }
  }

  @_lifetime(borrow self)
  public borrowing func element(_ member: PackedMember, of set: Key) -> Element {
    arena.reader.listpack(set.entry).element(member.place)
  }
}
