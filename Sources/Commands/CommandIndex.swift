// CommandIndex: from a request's name to the facts that dispatch needs, in two cache lines.
//
//   name ──► 3 words, capitals ──► hash ──► slots[n] = | word 8 | word 8 | word 8 | parent, id |
//                                                         32 bytes, compared as integers
//   id ──► infos[id] = | flags 4 | categories 4 | arity 2 | keys 8 | subcommands 4 |  24 bytes
//
// Open addressing with linear probing. The multiplier is chosen, when the table is built, so that
// nearly every name sits in its first slot.
//
// 1. Names have 1 to 24 bytes, no NUL, and differ under the same parent. A name that the operator
//    gave (rename-command) may be longer: such names stand in a list of their own.
// 2. At most half of the slots are taken, so that a probe ends.
// 3. A container's subcommands follow each other in id order.

import Bytes
import RESP

/// A command or subcommand, by its number in the table.
@frozen public struct CommandID: BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  @inlinable public var index: Int { Int(rawValue) }
}

/// A row's facts for dispatch.
@frozen public struct CommandInfo: BitwiseCopyable, Sendable {
  public let flags: CommandFlags
  public let categories: ACLCategories
  public let arity: Int16
  /// Where the first key stands, if that takes no search; 0 when there is none.
  public let prefetchKey: Int16
  /// First key, last key and step, as COMMAND INFO gives them; zeros when the specs have no such
  /// form. A negative last key counts from the end.
  public let firstKey: Int16
  public let lastKey: Int16
  public let keyStep: Int16
  public let subcommandCount: UInt16
  public let firstSubcommand: CommandID
  /// The container, or the command itself.
  public let parent: CommandID

  @inlinable public var isContainer: Bool { subcommandCount > 0 }

  /// Whether a request of `count` arguments, the name included, has the right number.
  @inlinable public func accepts(count: Int) -> Bool {
    arity >= 0 ? count == Int(arity) : count >= -Int(arity)
  }

  /// The first key of a request, for the prefetcher; nil when it has none in a known place.
  @_lifetime(copy arguments)
  @inlinable public func firstKey(of arguments: borrowing Arguments) -> Span<UInt8>? {
    let position = Int(prefetchKey)
    guard position > 0 && position < arguments.count else { return nil }
    return arguments[position]
  }
}

/// A name of up to 24 bytes as integers, in capitals.
@frozen @usableFromInline struct PackedName: BitwiseCopyable, Equatable, Sendable {
  @usableFromInline var word0: UInt64 = 0
  @usableFromInline var word1: UInt64 = 0
  @usableFromInline var word2: UInt64 = 0

  @inlinable init() {}

  /// Nil when no command has a name of that length.
  @inlinable init?(_ name: borrowing Span<UInt8>) {
    let count = name.count
    guard count > 0 && count <= 24 else { return nil }
    if count < 4 {
      let middle = count >> 1
      let last = count - 1
      word0 = UInt64(name[0])
      word0 |= UInt64(name[middle]) << UInt64(middle * 8)
      word0 |= UInt64(name[last]) << UInt64(last * 8)
    } else if count <= 8 {
      // Both loads hold the same bytes where they overlap.
      word0 = Self.half(name, 0) | Self.half(name, count - 4) &<< UInt64((count - 4) * 8)
    } else {
      // The last load overlaps the one before; the bytes that both hold are shifted out.
      let last = name.word(at: count - 8)
      word0 = name.word(at: 0)
      if count <= 16 {
        word1 = last &>> UInt64((16 - count) * 8)
      } else {
        word1 = name.word(at: 8)
        word2 = Self.capitals(last &>> UInt64((24 - count) * 8))
      }
      word1 = Self.capitals(word1)
    }
    word0 = Self.capitals(word0)
  }

  /// Four bytes, the first one lowest. One bounds check and, after optimization, one load.
  @inline(always) @inlinable static func half(_ name: borrowing Span<UInt8>, _ offset: Int)
    -> UInt64
  {
    precondition(offset >= 0 && offset &+ 3 < name.count)
    let low = UInt64(name[offset]) | UInt64(name[offset &+ 1]) &<< 8
    return low | UInt64(name[offset &+ 2]) &<< 16 | UInt64(name[offset &+ 3]) &<< 24
  }

  /// Turns a...z into A...Z in all eight bytes at once.
  @inline(always) @inlinable static func capitals(_ word: UInt64) -> UInt64 {
    let low = word & 0x7F7F_7F7F_7F7F_7F7F
    let fromA = low &+ 0x1F1F_1F1F_1F1F_1F1F  // bit 7 is set in bytes >= "a"
    let beyondZ = low &+ 0x0505_0505_0505_0505  // bit 7 is set in bytes > "z"
    let lower = (fromA & ~beyondZ) & ~word & 0x8080_8080_8080_8080
    return word ^ (lower >> 2)
  }

  @inlinable func hash(_ parent: UInt16, _ multiplier: UInt64) -> UInt64 {
    let mixed = word0 ^ (word1 &* 0x9E37_79B9_7F4A_7C15) ^ (word2 &* 0xC2B2_AE3D_27D4_EB4F)
    return (mixed ^ UInt64(parent) &<< 48) &* multiplier
  }
}

@frozen @usableFromInline struct CommandSlot: BitwiseCopyable, Sendable {
  @usableFromInline var name = PackedName()
  @usableFromInline var parent: UInt16 = 0
  /// `CommandIndex.none` when the slot is free.
  @usableFromInline var id: UInt16 = CommandIndex.none

  @inlinable init() {}
}

public struct CommandIndex: ~Copyable, Sendable {
  /// No command: the parent of a top-level command, the id of a free slot.
  @inlinable static var none: UInt16 { .max }

  @usableFromInline let slots: [CommandSlot]
  @usableFromInline let infos: [CommandInfo]
  /// Longer names, in lower case.
  @usableFromInline let longNames: [(name: [UInt8], id: UInt16)]
  @usableFromInline let multiplier: UInt64
  @usableFromInline let shift: UInt64

  /// - Parameters:
  ///   - names: name and container (`none` for top-level commands) of each id.
  init(names: [(name: [UInt8], parent: UInt16)], infos: [CommandInfo]) {
    var bits: UInt64 = 4
    while (1 << bits) < names.count * 2 { bits += 1 }
    shift = 64 - bits
    self.infos = infos
    var entries: [CommandSlot] = []
    var longNames: [(name: [UInt8], id: UInt16)] = []
    for (id, entry) in names.enumerated() {
      guard let name = PackedName(entry.name.span) else {
        precondition(entry.parent == Self.none, "a subcommand's name has 1 to 24 bytes")
        longNames.append((entry.name.map { $0.asciiLowercased }, UInt16(id)))
        continue
      }
      var slot = CommandSlot()
      slot.name = name
      slot.parent = entry.parent
      slot.id = UInt16(id)
      entries.append(slot)
    }
    self.longNames = longNames
    var best = (probes: Int.max, multiplier: UInt64(0), slots: [CommandSlot]())
    var seed: UInt64 = 0x2545_F491_4F6C_DD1D
    for _ in 0..<64 where best.probes > 0 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let multiplier = seed | 1
      let (placed, probes) = Self.place(entries, multiplier, shift)
      if probes < best.probes { best = (probes, multiplier, placed) }
    }
    multiplier = best.multiplier
    slots = best.slots
  }

  /// Fills a table and counts the steps beyond the first slot.
  private static func place(
    _ entries: [CommandSlot], _ multiplier: UInt64, _ shift: UInt64
  ) -> (slots: [CommandSlot], probes: Int) {
    var slots = [CommandSlot](repeating: CommandSlot(), count: 1 << (64 - shift))
    var probes = 0
    for entry in entries {
      var position = Int(entry.name.hash(entry.parent, multiplier) >> shift)
      while slots[position].id != none {
        precondition(
          slots[position].name != entry.name || slots[position].parent != entry.parent,
          "two commands have one name")
        position = (position + 1) & (slots.count - 1)
        probes += 1
      }
      slots[position] = entry
    }
    return (slots, probes)
  }

  @inlinable public var count: Int { infos.count }

  @inlinable public subscript(_ id: CommandID) -> CommandInfo { infos[id.index] }

  /// The command of that name, in any case.
  @inlinable public func find(_ name: borrowing Span<UInt8>) -> CommandID? {
    find(name, under: Self.none)
  }

  /// The subcommand of that name, in any case.
  @inlinable public func find(
    _ name: borrowing Span<UInt8>, in container: CommandID
  ) -> CommandID? {
    find(name, under: container.rawValue)
  }

  @inlinable func find(_ name: borrowing Span<UInt8>, under parent: UInt16) -> CommandID? {
    guard let packed = PackedName(name) else { return findLong(name, under: parent) }
    var position = Int(truncatingIfNeeded: packed.hash(parent, multiplier) &>> shift)
    while true {
      let slot = slots[position]
      if slot.id == Self.none { return nil }
      if slot.name == packed && slot.parent == parent { return CommandID(rawValue: slot.id) }
      position = (position &+ 1) & (slots.count &- 1)
    }
  }

  @inline(never) @usableFromInline func findLong(
    _ name: borrowing Span<UInt8>, under parent: UInt16
  ) -> CommandID? {
    guard parent == Self.none else { return nil }
    for entry in longNames where name.equalsIgnoringCase(entry.name.span) {
      return CommandID(rawValue: entry.id)
    }
    return nil
  }

  /// The command or subcommand that a request names. A container without a further word is
  /// itself; with an unknown one, nil.
  @inlinable public func find(_ arguments: borrowing Arguments) -> CommandID? {
    guard let id = find(arguments[0]) else { return nil }
    if arguments.count == 1 || !infos[id.index].isContainer { return id }
    return find(arguments[1], in: id)
  }
}
