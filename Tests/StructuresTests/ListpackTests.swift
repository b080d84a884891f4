// Listpacks: Redis' own bytes, random edits at every kind of place against an array, and foreign
// bytes with every byte mutated.

import Bytes
import Memory
import Structures
import Testing

@Suite struct ListpackTests {
  /// Texts around the borders of every encoding; those of `redisBytes`, in its order, come first.
  static let texts: [String] = [
    "0", "127", "128", "-1", "4095", "-4096", "4096", "-4097", "32767", "-32768", "32768",
    "8388607", "-8388608", "8388608", "2147483647", "-2147483648", "2147483648",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01", "", "abc",
    "-", "+1", " 1", "1 ", "9223372036854775809", "-9223372036854775809", "00",
  ]

  /// What Redis 7.0.15 makes of the first 24 texts (RPUSH, then DUMP without compression).
  static let redisBytes = """
    8a000000180000017f01c08002dfff02cfff02d00002f1001003f1ffef03f1ff7f03f1008003f200800004f2ff\
    ff7f04f200008004f30000800005f3ffffff7f05f30000008005f4000000800000000009f4ffffffffffffff7f\
    09f400000000000000800993393232333337323033363835343737353830\
    3814822d30038230310380018361626304ff
    """

  /// Length of a string of x, and the first and last bytes of Redis' list of it alone.
  static let redisBorders: [(Int, String, String)] = [
    (63, "480000000100bf78", "787840ff"), (64, "4a0000000100e040", "787842ff"),
    (125, "870000000100e07d", "78787fff"), (126, "890000000100e07e", "780180ff"),
    (4095, "0a1000000100efff", "782081ff"), (4096, "0e1000000100f0001000", "782085ff"),
  ]

  /// The same with the element "f" before it: around the borders of backward lengths.
  static let redisPairs: [(Int, String, String)] = [
    (16_376, "094000000200816602f0f83f0000", "78787ffdff"),
    (16_377, "0a4000000200816602f0f93f0000", "78787ffeff"),
    (16_378, "0c4000000200816602f0fa3f0000", "787800ffffff"),
    (2_097_145, "0b0020000200816602f0f9ff1f00", "78787ffffeff"),
    (2_097_147, "0e0020000200816602f0fbff1f00", "787801808080ff"),
  ]

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private func isSound(_ bytes: [UInt8]) -> Bool { Listpack.isValid(bytes.span) }

  static func written(_ elements: [[UInt8]]) -> [UInt8] {
    var writer = ListpackWriter()
    for element in elements { writer.append(ListpackElement(element.span)) }
    return bytes(writer.bytes)
  }

  static func text(_ element: borrowing ListpackElement) -> [UInt8] {
    element.isInteger ? Array(String(element.integer).utf8) : bytes(element.string)
  }

  /// All elements, read forwards, once it is certain that backwards gives the same.
  static func contents(_ list: borrowing Listpack) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var places: [Int] = []
    var place = list.start
    while place < list.end {
      result.append(text(list.element(place)))
      places.append(place)
      place = list.next(place)
    }
    #expect(place == list.end)
    while place > list.start {
      place = list.previous(place)
      #expect(place == places.popLast())
    }
    #expect(places.isEmpty)
    return result
  }

  @Test func bytesAreRedisBytes() {
    let all = Self.written(Self.texts.prefix(24).map { Array($0.utf8) })
    #expect(Self.hex(all) == Self.redisBytes)
    for (count, first, last) in Self.redisBorders {
      let text = Self.hex(Self.written([[UInt8](repeating: 0x78, count: count)]))
      #expect(text.hasPrefix(first) && text.hasSuffix(last), "\(count)")
    }
    for (count, first, last) in Self.redisPairs {
      let text = Self.hex(Self.written([[0x66], [UInt8](repeating: 0x78, count: count)]))
      #expect(text.hasPrefix(first) && text.hasSuffix(last), "\(count)")
    }
  }

  @Test func everyEncodingIsReadBack() {
    let elements =
      Self.texts.map { Array($0.utf8) }
      + [1, 63, 64, 127, 4095, 4096, 16_377, 16_378, 2_097_145, 2_097_146].map {
        [UInt8](repeating: 0x79, count: $0)
      }
    let all = Self.written(elements)
    #expect(isSound(all))
    let list = Listpack(all.span)
    #expect(Self.contents(list) == elements)
    #expect(list.count == elements.count)
    for (index, element) in elements.enumerated() {
      let place = list.place(of: index)
      #expect(place == list.place(of: index - elements.count))
      #expect(place.map { Self.text(list.element($0)) } == element)
      #expect(list.find(ListpackElement(element.span), from: list.start) == place)
      let isEven = index % 2 == 0
      let found = list.find(ListpackElement(element.span), from: list.start, step: 2)
      #expect(found == (isEven ? place : nil))
    }
    #expect(list.place(of: elements.count) == nil)
    #expect(list.place(of: -elements.count - 1) == nil)
  }

  /// A foreign list may hold integers as strings: they are equal to integers.
  @Test func integersAsStringsAreEqual() {
    let digits: [UInt8] = [0x31, 0x32]
    let text = ListpackElement(text: digits.span)
    let isEqual = text.equals(ListpackElement(integer: 12))
    let isEqualBack = ListpackElement(integer: 12).equals(text)
    let isEqualToAnother = ListpackElement(integer: 13).equals(text)
    #expect(isEqual && isEqualBack && !isEqualToAnother)
    let isInteger = ListpackElement(digits.span).isInteger
    #expect(isInteger)
  }

  // MARK: Edits

  enum Kind: CaseIterable { case value, blob }

  private func element(_ random: inout Seeded) -> [UInt8] {
    switch random.below(6) {
    case 0: return Array(Self.texts[random.below(Self.texts.count)].utf8)
    case 1: return Array(String(random.below(1 << (1 + random.below(62)))).utf8)
    case 2: return [UInt8](repeating: 0x61, count: random.below(140))
    case 3 where random.below(20) == 0:
      return [UInt8](repeating: 0x62, count: 4090 + random.below(10))
    default: return Array("element:\(random.below(50))".utf8)
    }
  }

  private static func offset(_ list: borrowing Listpack, _ index: Int) -> Int {
    let end = list.end
    return list.place(of: index) ?? end
  }

  private func makePlace(_ arena: inout Arena, _ kind: Kind) throws -> ListpackPlace {
    if kind == .blob { return .blob(try arena.makeListpack()) }
    let key: [UInt8] = [1, 2, 3]
    return .value(
      try arena.makeEntry(key: key.span, value: Listpack.empty.span, expiry: 77, access: 5))
  }

  @Test(arguments: 1...6, [false, true])
  func randomEdits(seed: Int, guarded: Bool) throws {
    for kind in Kind.allCases { try randomEdits(seed, kind, guarded) }
  }

  private func randomEdits(_ seed: Int, _ kind: Kind, _ guarded: Bool) throws {
    var random = Seeded(seed)
    var arena = try makeArena(guarded: guarded)
    var place = try makePlace(&arena, kind)
    var model: [[UInt8]] = []
    let longest = [3, 10, 40, 150, 150, 400][seed - 1]
    for step in 0..<400 {
      if guarded && step % 5 == 0 { try arena.flip() }
      let index = random.below(model.count + 1)
      let offset = Self.offset(arena.reader.listpack(place), index)
      let new = element(&random)
      switch random.below(model.count > longest ? 3 : 8) {
      case 0, 1:
        let count = random.below(random.below(4) == 0 ? longest : 4)
        let removed = arena.removeElements(count, at: offset, from: &place)
        #expect(removed == min(count, model.count - index))
        model.removeSubrange(index..<(index + removed))
      case 2 where index < model.count:
        try arena.replace(in: &place, at: offset, with: ListpackElement(new.span))
        model[index] = new
      case 3:
        let second = element(&random)
        try arena.insert(
          ListpackElement(new.span), ListpackElement(second.span), into: &place, at: offset)
        model.insert(contentsOf: [new, second], at: index)
      case 4:
        let tail = try arena.splitListpack(&place, at: offset, elements: model.count - index)
        let head = Self.contents(arena.reader.listpack(place))
        #expect(head == Array(model.prefix(index)))
        let isSoundTail = Listpack.isValid(arena.reader.listpack(tail).bytes)
        #expect(isSoundTail)
        try arena.appendListpack(tail, to: &place)
        arena.free(tail)
      default:
        try arena.insert(ListpackElement(new.span), into: &place, at: offset)
        model.insert(new, at: index)
      }
      check(arena, place, model, step)
    }
    free(&arena, place)
    #expect(arena.usage.allocatedBytes == 0)
  }

  private func check(
    _ arena: borrowing Arena, _ place: ListpackPlace, _ model: [[UInt8]], _ step: Int
  ) {
    let list = arena.reader.listpack(place)
    let isSound = Listpack.isValid(list.bytes)
    #expect(isSound, "step \(step)")
    #expect(list.count == model.count, "step \(step)")
    #expect(Self.contents(list) == model, "step \(step)")
    guard case .value(let ref) = place else { return }
    let facts = arena.facts(ref)
    #expect(facts.expiry == 77 && facts.header.access == 5 && facts.keyCount == 3)
    #expect(facts.blob.isNull == (facts.valueCount <= Entry.inlineLimit), "step \(step)")
    let hasKey = arena.hasKey(ref, [1, 2, 3].span)
    #expect(hasKey)
    #expect(arena.roundedBytes(facts.ownBytes) == arena.allocatedBytes(ref), "step \(step)")
  }

  private func free(_ arena: inout Arena, _ place: ListpackPlace) {
    switch place {
    case .value(let ref): arena.freeEntry(ref)
    case .blob(let blob): arena.free(blob)
    }
  }

  /// More elements than the header can count, and back.
  @Test func unknownCounts() throws {
    var arena = try makeArena()
    var place = try makePlace(&arena, .blob)
    for _ in 0..<65_540 { try arena.append(ListpackElement(integer: 1), to: &place) }
    #expect(arena.reader.listpack(place).count == 65_540)
    #expect(arena.reader.listpack(place).place(of: 65_539) == 6 + 2 * 65_539)
    #expect(arena.reader.listpack(place).place(of: -65_540) == 6)
    #expect(arena.reader.listpack(place).place(of: -65_541) == nil)
    let removed = arena.removeElements(65_000, at: 6, from: &place)
    #expect(removed == 65_000 && arena.reader.listpack(place).count == 540)
    let isSound = Listpack.isValid(arena.reader.listpack(place).bytes)
    #expect(isSound)
    arena.free(place.blob)
    #expect(arena.usage.allocatedBytes == 0)
  }

  // MARK: Hostile bytes

  /// No mutation of a byte, cut or extension makes the check trap; what it accepts can be walked.
  @Test(arguments: 1...3)
  func hostileBytesAreRefused(seed: Int) {
    var random = Seeded(seed)
    let elements = Self.texts.map { Array($0.utf8) } + [[UInt8](repeating: 0x7A, count: 200)]
    let sound = Self.written(elements)
    for cut in 0..<sound.count { #expect(!isSound(Array(sound[..<cut]))) }
    #expect(!isSound(sound + [0xFF]))
    var accepted = 0
    for index in sound.indices {
      for _ in 0..<40 {
        var bad = sound
        bad[index] = UInt8(random.below(256))
        if random.below(4) == 0 { bad[random.below(bad.count)] ^= UInt8(1 << random.below(8)) }
        guard Listpack.isValid(bad.span) else { continue }
        accepted += 1
        _ = Self.contents(Listpack(bad.span))
      }
    }
    #expect(accepted > 0)
    var huge: [UInt8] = [14, 0, 0, 0, 1, 0, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF]
    #expect(!isSound(huge))
    huge[4] = 0xFF
    huge[5] = 0xFF
    #expect(!isSound(huge))
    #expect(isSound([7, 0, 0, 0, 0, 0, 0xFF]))
  }
}
