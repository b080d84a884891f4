import Bytes
import Keyspace
import Memory
import Structures
import Testing

@testable import Persistence

/// Values through payloads and back, on both sides of every threshold, and payloads that were
/// damaged on the way.
@Suite struct RoundTripTests {
  @Test(
    arguments: [ValueType.string, .list, .set, .hash, .sortedSet], [1, 2, 100, 130, 600, 3000])
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

  @Test(arguments: 0..<6)
  func streamsComeBack(seed: Int) throws {
    var keys = try makeKeyspace()
    var random = Seeded(seed)
    let key = name("key")
    let body = streamBody(entries: 1 + random.below(300), &random)
    let draft = try #require(try keys.draft(key.span, payload: sealed(body).span) as ValueDraft?)
    try keys.store(draft, key.span)
    let payload = dump(&keys)
    try restore(&keys, payload, as: "copy", deadline: nil)
    #expect(keys.digest(of: name("copy").span) == keys.digest(of: key.span))
    #expect(bytes(payload.span) == payload && payload == dump(&keys, "copy"))
    keys.checkInvariants()
  }

  @Test(arguments: 0..<4)
  func damagedPayloadsLeaveNothingBehind(seed: Int) throws {
    var random = Seeded(seed)
    var keys = try makeKeyspace()
    let types: [ValueType] = [.string, .list, .set, .hash, .sortedSet, .stream]
    for round in 0..<90 {
      let type = types[round % types.count]
      var body: [UInt8]
      if type == .stream {
        body = streamBody(entries: 1 + random.below(20), &random)
      } else {
        try make(&keys, type, count: [3, 20, 200][random.below(3)], isLong: false, seed: round)
        if type == .hash { try giveDeadlines(&keys, &random) }
        body = dump(&keys).dropLast(10)
        _ = keys.remove(name("key").span)
      }
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

  @Test(arguments: [1, 2, 100, 600, 3000])
  func deadlinesOfFieldsComeBack(count: Int) throws {
    var keys = try makeKeyspace()
    var random = Seeded(count)
    for isTimed in [true, false] {
      try make(&keys, .hash, count: count, isLong: false, seed: count)
      var hash = try #require(try keys.findHash(name("key").span))
      var fields: [[UInt8]] = []
      var walk = keys.walk(hash)
      while keys.advance(&walk) {
        var text = ByteBuffer()
        text.append(keys.element(walk))
        fields.append(bytes(text.span))
      }
      for field in fields where random.below(2) == 0 || count == 1 {
        try keys.setFieldDeadline(field.span, of: &hash, keys.now + 1 + random.below(1_000_000_000))
        // Without deadlines again, but in the encoding that has them.
        if !isTimed { try keys.setFieldDeadline(field.span, of: &hash, nil) }
      }
      let payload = dump(&keys)
      let type: UInt8 = !isTimed ? 4 : keys.isPacked(hash) ? 25 : 24
      #expect(payload[0] == type && payload[payload.count - 10] == (isTimed ? 12 : 10))
      try restore(&keys, payload, as: "copy", deadline: nil)
      let copy = try #require(try keys.findHash(name("copy").span))
      for field in fields {
        let deadlines = (
          keys.fieldDeadline(field.span, of: hash), keys.fieldDeadline(field.span, of: copy)
        )
        #expect(deadlines.0 == deadlines.1 && deadlines.0 != .none)
      }
      #expect(keys.digest(of: name("copy").span) == keys.digest(of: name("key").span))
      #expect(keys.timedCount(database: 0) == (isTimed ? 2 : 0))
      keys.checkInvariants()
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

  private func giveDeadlines(_ keys: inout Keyspace, _ random: inout Seeded) throws {
    var hash = try #require(try keys.findHash(name("key").span))
    for index in 0..<random.below(4) {
      let field = Array("\(index * 7919)".utf8)
      guard keys.field(field.span, of: hash) != nil else { continue }
      try keys.setFieldDeadline(field.span, of: &hash, keys.now + random.below(100_000))
    }
  }

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
    case .list: draft = try keys.draftList(key.span, elements)
    case .set: draft = try keys.draftSet(key.span, elements)
    case .hash: draft = try keys.draftHash(key.span, elements)
    case .sortedSet: draft = try keys.draftSortedSet(key.span, elements, scores)
    case .stream: draft = nil
    }
    try keys.store(try #require(draft), key.span)
  }

  /// A stream of one node for every ten entries, with a group, by hand.
  private func streamBody(entries: Int, _ random: inout Seeded) -> [UInt8] {
    var body: [UInt8] = [19, UInt8((entries + 9) / 10)]
    for first in stride(from: 1, through: entries, by: 10) {
      let count = min(10, entries - first + 1)
      var node = ["\(count)", "0", "1", "f", "0"]
      for offset in 0..<count {
        node +=
          random.below(2) == 0
          ? ["2", "\(offset)", "0", "v\(random.below(100))", "4"]
          : ["0", "\(offset)", "0", "1", "g", "w", "6"]
      }
      body += string(big(first) + big(1)) + string(listpack(node))
    }
    body += length(entries) + length(entries) + [1] + [1, 1] + [0, 0] + length(entries)
    body += [1] + string("group") + length(entries) + [1] + length(entries)
    body += [2] + big(1) + big(1) + little(1000, 8) + [1] + big(1) + big(2) + little(2000, 8) + [3]
    body += [2] + string("alice") + little(5, 8) + [1] + big(1) + big(1)
    return body + string("bob") + little(6, 8) + [1] + big(1) + big(2)
  }

  private func length(_ value: Int) -> [UInt8] {
    value < 64 ? [UInt8(value)] : [0x40 | UInt8(value >> 8), UInt8(value & 255)]
  }

  private func big(_ value: Int) -> [UInt8] { little(value, 8).reversed() }
}
