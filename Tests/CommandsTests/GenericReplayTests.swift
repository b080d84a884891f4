// Random commands, time, expiry and eviction; then the effects alone, replayed under another clock.

import Bytes
import Keyspace
import RESP
import Testing

@testable import Commands

@Suite struct GenericReplayTests {
  @Test(arguments: UInt64(0)..<16)
  func effectsReplayToTheSameData(seed: UInt64) throws {
    var session = try GenericSession(seed: seed)
    var workload = Workload(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    session.keys.expiresActively = workload.below(2) == 0
    for _ in 0..<1500 {
      session.isInline = workload.below(4) == 0
      switch workload.below(40) {
      case 0: _ = session.keys.expireSome(limit: 100)
      case 1: evict(&session, &workload)
      default: _ = try session.run(workload.command(now: session.keys.now))
      }
      session.keys.now += workload.below(10) == 0 ? workload.below(400) : workload.below(3)
    }
    // Effects of expiry and eviction are taken up with the next command.
    _ = try session.run("EXISTS a")
    #expect(session.keys.statistics.expiredKeys > 0)
    #expect(session.keys.statistics.evictedKeys > 0)
    #expect(session.deadlines().count > 5)
    try expectReplayEquals(&session)
  }

  private func evict(_ session: inout GenericSession, _ workload: inout Workload) {
    let policies = EvictionPolicy.allCases
    session.keys.policy = policies[workload.below(policies.count)]
    _ = session.keys.evict(downTo: session.keys.usedBytes - 1)
  }
}

/// Where commands come from: xorshift, few keys, values of every kind.
struct Workload {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }

  mutating func pick(_ choices: [String]) -> String { choices[below(choices.count)] }

  private mutating func key() -> String {
    pick([
      "a", "b", "c", "d", "e", "\"\"", "\"\\x00\\r\\n\"", "key:6", "key:7", "key:8", "key:9",
      String(repeating: "long", count: 70),
    ])
  }

  private mutating func value() -> String {
    switch below(8) {
    case 0: "\(below(1000))"
    case 1: "-\(below(1000)).5"
    case 2: "\"\""
    case 3: String(repeating: "medium", count: below(60) + 1)
    case 4: String(repeating: "large", count: below(300) + 300)
    default: pick(["x", "9223372036854775807", "\"\\x00\\xff\\r\\n\"", "value", "17", "3.25"])
    }
  }

  private mutating func condition() -> String { pick(["", " NX", " XX", " GT", " LT"]) }

  private mutating func options(now: Int) -> String {
    pick(["", " NX", " XX", " GET", " XX GET"])
      + pick([
        "", "", " KEEPTTL", " EX \(below(3) + 1)", " PX \(below(500) + 1)",
        " PXAT \(now + below(600) - 100)", " EXAT \(now / 1000 + below(3))",
      ])
  }

  mutating func command(now: Int) -> String {
    switch below(3) {
    case 0: generic(now: now)
    case 1: strings(now: now)
    default: below(3) == 0 ? numbersAndBits() : "SET \(key()) \(value())" + options(now: now)
    }
  }

  private mutating func generic(now: Int) -> String {
    switch below(22) {
    case 0: "DEL \(key())"
    case 1: "UNLINK \(key()) \(key())"
    case 2: "EXPIRE \(key()) \(below(4))" + condition()
    case 3: "PEXPIRE \(key()) \(below(900) - 50)" + condition()
    case 4: "EXPIREAT \(key()) \(now / 1000 + below(4))" + condition()
    case 5: "PEXPIREAT \(key()) \(now + below(900) - 50)" + condition()
    case 6: "PEXPIRE \(key()) \(below(100_000))"
    case 7: "PERSIST \(key())"
    case 8, 9: "RENAME \(key()) \(key())"
    case 10: "RENAMENX \(key()) \(key())"
    case 11, 12: "MOVE \(key()) \(below(3))"
    case 13: "COPY \(key()) \(key())" + pick(["", " REPLACE"])
    case 14: "COPY \(key()) \(key()) DB \(below(3))" + pick(["", " REPLACE"])
    case 15: "SCAN \(below(1 << 20)) COUNT \(below(20) + 1)" + pick(["", " MATCH k*"])
    case 16: pick(["RANDOMKEY", "KEYS *", "SCAN 0"])
    case 17: "TOUCH \(key()) \(key())"
    case 18: pick(["EXISTS", "TYPE", "TTL", "OBJECT ENCODING"]) + " \(key())"
    default: "SELECT \(below(3))"
    }
  }

  private mutating func strings(now: Int) -> String {
    switch below(14) {
    case 0: "GETSET \(key()) \(value())"
    case 1: "GETDEL \(key())"
    case 2: "GETEX \(key())" + pick(["", " PERSIST", " PX \(below(400) + 1)", " PXAT \(now + 5)"])
    case 3: "SETEX \(key()) \(below(3) + 1) \(value())"
    case 4: "PSETEX \(key()) \(below(500) + 1) \(value())"
    case 5: "SETNX \(key()) \(value())"
    case 6: "MSET \(key()) \(value()) \(key()) \(value())"
    case 7: "MSETNX \(key()) \(value()) \(key()) \(value())"
    case 8: "APPEND \(key()) \(value())"
    case 9: "SETRANGE \(key()) \(below(3000)) \(value())"
    case 10: "GETRANGE \(key()) 0 5"
    case 11: "MGET \(key()) \(key())"
    case 12: "STRLEN \(key())"
    default: "GET \(key())"
    }
  }

  private mutating func numbersAndBits() -> String {
    switch below(10) {
    case 0: "INCR \(key())"
    case 1: "DECRBY \(key()) \(below(100))"
    case 2: "INCRBY \(key()) \(value())"
    case 3: "INCRBYFLOAT \(key()) \(pick(["0.1", "-3", "1e3", "2.5"]))"
    case 4: "SETBIT \(key()) \(below(30_000)) \(below(2))"
    case 5: "BITOP \(pick(["AND", "OR", "XOR"])) \(key()) \(key()) \(key())"
    case 6: "BITOP NOT \(key()) \(key())"
    case 7: "BITFIELD \(key()) SET u8 \(below(200)) \(below(256)) INCRBY i5 \(below(99)) 7"
    case 8: "BITCOUNT \(key())"
    default: "GETBIT \(key()) \(below(100))"
    }
  }
}
