import Bytes
import Keyspace
import Memory
import Structures
import Testing

@testable import Persistence

/// Values through payloads and back, on both sides of every threshold, and payloads that were
/// damaged on the way.
@Suite struct RoundTripTests {
  @Test(arguments: [ValueType.string, .set, .hash, .sortedSet], [1, 2, 100, 130, 600, 3000])
  func valuesComeBack(type: ValueType, count: Int) throws {
    var keys = try makeKeyspace()
    for isLong in [false, true] {
      try make(&keys, type, count: count, isLong: isLong, seed: count)
      let payload = dump(&keys)
      try restore(&keys, payload, as: "copy", deadline: nil)
      let same = keys.digest(of: name("copy").span) == keys.digest(of: name("key").span)
      #expect(same, "\(type) \(count) \(isLong)")
      try restore(&keys, payload, as: "copy", deadline: 1_800_000_000_000)
      let expiry = keys.find(name("copy").span, .peek).map { keys.facts($0).expiry }
      #expect(expiry == 1_800_000_000_000)
      keys.checkInvariants()
    }
  }

  @Test(arguments: 0..<10)
  func damagedPayloadsLeaveNothingBehind(seed: Int) throws {
    var random = Seeded(seed)
    var keys = try makeKeyspace()
    let types: [ValueType] = [.string, .set, .hash, .sortedSet]
    for round in 0..<120 {
      let type = types[round % types.count]
      try make(&keys, type, count: [3, 20, 200][random.below(3)], isLong: false, seed: round)
      var body = Array(dump(&keys).dropLast(10))
      _ = keys.remove(name("key").span)
      for _ in 0...random.below(3) {
        body[random.below(body.count)] = UInt8(random.below(256))
      }
      if random.below(4) == 0 { body.removeLast(random.below(body.count)) }
      try attempt(&keys, sealed(body))
      _ = keys.remove(name("copy").span)
      while keys.freeGarbage(limit: 1000) {}
      keys.checkInvariants()
      #expect(keys.count(database: 0) == 0)
    }
  }

  /// Restores a payload that may be refused; what was taken can be read as a whole.
  private func attempt(_ keys: inout Keyspace, _ payload: [UInt8]) throws {
    do throws(CommandError) {
      try keys.store(
        try keys.draft(name("copy").span, payload: payload.span), name("copy").span)
      _ = keys.digest(of: name("copy").span)
      _ = dump(&keys, "copy")
    } catch {
      #expect(error.text == "ERR Bad data format")
    }
  }

  // MARK: Pieces

  private func makeKeyspace() throws -> Keyspace {
    let arena = try Arena(provider: VolatilePages(reachBytes: 1 << 35))
    var keys = try Keyspace(arena: arena, databaseCount: 1, hash: KeyedHash(1, 2, 3, 4), seed: 1)
    keys.now = 1_700_000_000_000
    return keys
  }

  private func name(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func dump(_ keys: inout Keyspace, _ key: String = "key") -> [UInt8] {
    guard let found = keys.find(name(key).span, .peek) else { return [] }
    var writer = RDBWriter()
    DumpPayload.write(found.entry, keys.arena.reader, keys.hash, into: &writer)
    return bytes(writer.bytes.span)
  }

  private func restore(
    _ keys: inout Keyspace, _ payload: [UInt8], as key: String, deadline: Int?
  ) throws {
    let draft = try keys.draft(name(key).span, payload: payload.span)
    try keys.store(draft, name(key).span, deadline: deadline)
  }

  private func make(
    _ keys: inout Keyspace, _ type: ValueType, count: Int, isLong: Bool, seed: Int
  ) throws {
    var random = Seeded(seed)
    var elements = ElementList()
    var scores = GrowableArray<Double>()
    for index in 0..<count {
      // All different, some of them integers.
      var text = Array("\(index * 7919)".utf8)
      if random.below(3) == 0 { text += Array("-element".utf8) }
      if isLong { text += [UInt8](repeating: 0x78, count: 70 + random.below(300)) }
      elements.append(text.span)
      if type == .hash { elements.append(text.span) }
      scores.append([1, -0.5, .infinity, 1e300, Double(index)][random.below(5)])
    }
    let key = name("key")
    let draft: ValueDraft?
    switch type {
    case .string: draft = try keys.draftString(key.span, elements.element(0))
    case .set: draft = try keys.draftSet(key.span, elements)
    case .hash: draft = try keys.draftHash(key.span, elements)
    case .sortedSet: draft = try keys.draftSortedSet(key.span, elements, scores)
    case .list, .stream: draft = nil
    }
    try keys.store(try #require(draft), key.span)
  }
}
