// Deadlines of fields: the effects of a random workload replayed without a clock, and commands as
// Redis 7.4 and 8.0 answer them while time passes.

import Bytes
import Keyspace
import RESP
import Testing

@testable import Commands

@Suite struct FieldDeadlineTests {
  @Test(arguments: UInt64(0)..<12)
  func effectsReplayToTheSameData(seed: UInt64) throws {
    var session = try GenericSession(seed: seed)
    var workload = Workload(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    session.keys.limits.hashListpackEntries = [4, 12, 512][Int(seed) % 3]
    session.keys.expiresActively = seed % 2 == 0
    for step in 0..<1500 {
      if step % 40 == 0 { _ = session.keys.expireSome(limit: 1 + workload.below(20)) }
      let reply = try session.run(workload.hashCommand(now: session.keys.now))
      #expect(!reply.hasPrefix("-ERR wrong"), "\(reply)")
      session.keys.now += workload.below(10) == 0 ? workload.below(400) : workload.below(3)
      if step % 50 == 0 { session.keys.checkInvariants() }
    }
    // Effects of expiry are taken up with the next command.
    _ = try session.run("EXISTS a")
    #expect(session.keys.statistics.expiredFields > 0)
    let fields = try fieldDeadlines(&session)
    #expect(fields.count > 1)
    try expectReplayEquals(&session)
    var replica = try GenericSession(now: 0, seed: 99)
    var offset = 0
    while offset < session.effects.count {
      _ = try replica.run(stream: session.effects, from: &offset)
    }
    #expect(try fieldDeadlines(&replica) == fields)
    replica.keys.checkInvariants()
    session.keys.checkInvariants()
  }

  /// Every field that is there, due or not, with its deadline.
  private func fieldDeadlines(_ session: inout GenericSession) throws -> [String] {
    let now = session.keys.now
    session.keys.now = 0
    defer { session.keys.now = now }
    var lines: [String] = []
    for database in 0..<3 {
      session.keys.select(database)
      for key in Workload.hashKeys {
        guard let hash = session.keys.find(Array(key.utf8).span, .peek) else { continue }
        guard session.keys.facts(hash).header.type == .hash else { continue }
        var walk = session.keys.walk(hash)
        while session.keys.advance(&walk) {
          var text = ByteBuffer()
          text.append(session.keys.element(walk))
          let deadline = session.keys.fieldDeadline(walk)
          lines.append("\(database) \(key) \(bytes(text.span)) \(deadline ?? -1)")
        }
      }
    }
    session.keys.select(0)
    return lines.sorted()
  }

  /// A hash of each encoding, of three fields two of which expire.
  @Test(arguments: [512, 2])
  func whatIsDueIsPassedOverUntilSomebodyNamesIt(limit: Int) throws {
    var session = try GenericSession()
    session.keys.limits.hashListpackEntries = limit
    let encoding = limit == 2 ? "hashtable" : "listpackex"
    func expect(_ line: String, _ reply: String) throws {
      let got = try session.run(line)
      #expect(got == reply, "\(line)")
    }
    try expect("HSET h a 1 b 2 c 3", ":3")
    try expect("HPEXPIRE h 100 FIELDS 2 a b", "[:1, :1]")
    try expect("OBJECT ENCODING h", "\"\(encoding)\"")
    try expect("HPTTL h FIELDS 3 a c d", "[:100, :-1, :-2]")
    session.keys.now += 100
    try expect("HGET h a", "\"1\"")
    session.keys.now += 1
    try expect("HLEN h", ":3")
    try expect("HGETALL h", "[\"c\", \"3\"]")
    try expect("HKEYS h", "[\"c\"]")
    try expect("HVALS h", "[\"3\"]")
    try expect("HSCAN h 0", "[\"0\", [\"c\", \"3\"]]")
    try expect("HTTL h FIELDS 1 a", "[:-2]")
    try expect("HPERSIST h FIELDS 1 a", "[:-2]")
    try expect("SORT_RO nosuch BY w GET h->a", "[]")
    session.effects = []
    try expect("HGET h a", "nil")
    try expect("HLEN h", ":2")
    #expect(text(session.effects).contains("HDEL"))
    try expect("HINCRBY h b 5", ":5")
    try expect("HPTTL h FIELDS 1 b", "[:-1]")
    try expect("HPEXPIRE h 10 FIELDS 2 b c", "[:1, :1]")
    session.keys.now += 11
    try expect("HPEXPIRE h 10 FIELDS 1 b", "[:-2]")
    try expect("EXISTS h", ":1")
    try expect("HRANDFIELD h", "nil")
    try expect("EXISTS h", ":0")
    #expect(session.keys.statistics.expiredFields == 4)
    try expectReplayEquals(&session)
  }

  /// While CLIENT PAUSE lasts, nothing is removed that is only read.
  @Test(arguments: [512, 2])
  func duringAPauseDueFieldsStayUnseen(limit: Int) throws {
    var session = try GenericSession()
    session.keys.limits.hashListpackEntries = limit
    _ = try session.run("HSET h a 1 b 2 c 3 d 4")
    _ = try session.run("HPEXPIRE h 100 FIELDS 2 a b")
    session.keys.now += 200
    session.keys.keepsDueKeys = true
    session.effects = []
    for line in ["HGET h a", "HMGET h a b", "HEXISTS h b", "HGETALL h", "HRANDFIELD h -20"] {
      let reply = try session.run(line)
      #expect(!reply.contains("a") && !reply.contains("b"), "\(line)")
    }
    for _ in 0..<20 {
      let reply = try session.run("HRANDFIELD h 3")
      #expect(["[\"c\", \"d\"]", "[\"d\", \"c\"]"].contains(reply))
    }
    let count = try session.run("HLEN h")
    #expect(count == ":4" && session.effects.isEmpty)
    _ = try session.run("HPEXPIREAT h \(session.keys.now + 5) FIELDS 2 c d")
    session.keys.now += 10
    session.effects = []
    for line in ["HRANDFIELD h", "HGET h c"] {
      let reply = try session.run(line)
      #expect(reply == "nil")
    }
    #expect(session.effects.isEmpty)
    session.keys.keepsDueKeys = false
    let one = try session.run("HRANDFIELD h")
    let isThere = try session.run("EXISTS h")
    #expect(one == "nil" && isThere == ":0")
  }

  /// The tree of a hash that is gone, is copied, or is overwritten goes with it.
  @Test func hashesWithDeadlinesAreCopiedMovedAndDropped() throws {
    var session = try GenericSession()
    session.keys.limits.hashListpackEntries = 4
    let start = session.keys.usedBytes
    for count in [3, 300] {
      for index in 0..<count {
        _ = try session.run("HSETEX h PX \(1000 + index) FIELDS 1 f\(index) v")
      }
      _ = try session.run("COPY h i")
      _ = try session.run("RENAME h j")
      _ = try session.run("MOVE i 1")
      _ = try session.run("COPY j k")
      _ = try session.run("SET k over")
      session.keys.checkInvariants()
      let last = try session.run("HPEXPIRETIME j FIELDS 1 f\(count - 1)")
      #expect(last == "[:\(session.keys.now + 999 + count)]")
      _ = try session.run("SELECT 1")
      let moved = try session.run("HPEXPIRETIME i FIELDS 1 f\(count - 1)")
      #expect(moved == last)
      #expect(session.keys.timedCount(database: 0) == 1)
      #expect(session.keys.timedCount(database: 1) == 1)
      session.keys.now += 10_000
      while session.keys.expireSome(limit: 10) {}
      #expect(session.keys.timedCount(database: 1) == 0 && session.keys.count(database: 1) == 0)
      #expect(session.keys.timedCount(database: 0) == 0 && session.keys.count(database: 0) == 1)
      _ = try session.run("SELECT 0")
      _ = try session.run("DEL k")
      while session.keys.freeGarbage(limit: 10) {}
      session.keys.checkInvariants()
      session.keys.flushAll()
      while session.keys.freeGarbage(limit: 10) {}
      #expect(session.keys.usedBytes - start == 0)
    }
  }

  /// A slice removes few fields, and the next ones go on without waiting for the wheel.
  @Test func manyDueFieldsGoInSlices() throws {
    var session = try GenericSession()
    for index in 0..<5000 { _ = try session.run("HSETEX h PX 100 FIELDS 1 f\(index) v") }
    _ = try session.run("HSET h stays 1")
    session.keys.now += 1000
    var slices = 0
    var before = 5001
    var isBehind = true
    while isBehind {
      isBehind = session.keys.expireSome(limit: 64)
      let count = Int(try session.run("HLEN h").dropFirst()) ?? 0
      #expect(before - count <= 64)
      before = count
      slices += 1
      if slices % 20 == 0 { session.keys.checkInvariants() }
    }
    #expect(before == 1 && slices >= 78)
    session.keys.checkInvariants()
    try expectReplayEquals(&session)
  }
}

extension Workload {
  static let hashKeys = ["a", "b", "c", "d"]

  private mutating func hashKey() -> String { pick(Self.hashKeys) }
  private mutating func field() -> String { "f\(below(20))" }

  private mutating func fields() -> String {
    let count = 1 + below(4)
    return "FIELDS \(count) " + (0..<count).map { _ in field() }.joined(separator: " ")
  }

  private mutating func time(now: Int) -> String {
    pick([
      "PX \(below(900) + 1)", "EX \(below(2))", "PXAT \(now + below(600) - 100)",
      "EXAT \(now / 1000 + below(3))",
    ])
  }

  mutating func hashCommand(now: Int) -> String {
    let key = hashKey()
    switch below(30) {
    case 0..<4: return "HSET \(key) \(field()) \(below(100)) \(field()) text"
    case 4: return "HSETNX \(key) \(field()) 7"
    case 5: return "HDEL \(key) \(field()) \(field())"
    case 6..<9:
      let condition = pick(["", "NX ", "XX ", "GT ", "LT "])
      return "HPEXPIRE \(key) \(below(900)) \(condition)" + fields()
    case 9: return "HEXPIRE \(key) \(below(3)) " + fields()
    case 10: return "HPEXPIREAT \(key) \(now + below(900) - 50) " + fields()
    case 11: return "HEXPIREAT \(key) \(now / 1000 + below(4)) " + fields()
    case 12: return "HPERSIST \(key) " + fields()
    case 13: return "HGETEX \(key) \(below(4) == 0 ? "PERSIST" : time(now: now)) " + fields()
    case 14: return "HGETDEL \(key) " + fields()
    case 15..<18:
      let options = pick(["", "FNX ", "FXX "]) + pick(["", "KEEPTTL ", time(now: now) + " "])
      return "HSETEX \(key) \(options)FIELDS 2 \(field()) \(below(50)) \(field()) y"
    case 18: return "HINCRBY \(key) \(field()) 3"
    case 19: return "HINCRBYFLOAT \(key) \(field()) 0.5"
    case 20: return "HGET \(key) \(field())"
    case 21: return "HMGET \(key) \(field()) \(field())"
    case 22: return pick(["HRANDFIELD \(key) 3", "HGETALL \(key)", "HSCAN \(key) 0"])
    case 23: return "RENAME \(key) \(hashKey())"
    case 24: return "COPY \(key) \(hashKey()) REPLACE"
    case 25: return "MOVE \(key) \(below(3))"
    case 26: return "PEXPIRE \(key) \(below(3000) + 500)"
    case 27: return pick(["PERSIST \(key)", "HTTL \(key) FIELDS 1 f1", "HSTRLEN \(key) f2"])
    case 28: return below(6) == 0 ? "SET \(key) string" : "DEL \(key)"
    default: return "SELECT \(below(3))"
    }
  }
}
