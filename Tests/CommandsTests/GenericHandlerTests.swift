import Bytes
import Keyspace
import RESP
import Testing

@testable import Commands

@Suite struct GenericHandlerTests {
  // MARK: Transcripts

  @Test(arguments: GenericTranscripts.all, [false, true])
  func replies(transcript: GenericTranscript, isInline: Bool) throws {
    var session = try GenericSession()
    session.isInline = isInline
    let listsEffects = transcript.name == "effects"
    var seen = 0
    var index = 0
    while index < transcript.lines.count {
      let line = transcript.lines[index]
      let arrow = try #require(line.firstRange(of: " => "), "\(line)")
      let request = String(line[..<arrow.lowerBound])
      let reply = try session.run(request)
      if !request.hasPrefix("HELLO") { #expect(reply == line[arrow.upperBound...], "\(request)") }
      var expected: [String] = []
      index += 1
      while index < transcript.lines.count && transcript.lines[index].hasPrefix("| ") {
        expected.append(withTime(String(transcript.lines[index].dropFirst(2)), session.keys.now))
        index += 1
      }
      if listsEffects {
        let new = try effectTexts(Array(session.effects[seen...]))
        #expect(new == expected, "\(request)")
      }
      seen = session.effects.count
    }
    try expectReplayEquals(&session)
  }

  /// As redis-server 7.0.15, but too long for a transcript.
  @Test(arguments: ["MOVE a 2147483648", "MOVE a -2147483649", "COPY a b DB 2147483648"])
  func databaseBeyondInteger(request: String) throws {
    var session = try GenericSession()
    let reply = try session.run(request)
    #expect(
      reply == "-ERR value is out of range, value must between -2147483648 and 2147483647")
  }

  @Test func accessOfTheOtherPolicy() throws {
    var session = try GenericSession()
    _ = try session.run("SET a x")
    let frequency = try session.run("OBJECT FREQ a")
    #expect(
      frequency == """
        -ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
        that when switching between policies at runtime LRU and LFU data will take some time to \
        adjust.
        """)
    session.keys.policy = .volatileLFU
    let idleness = try session.run("OBJECT IDLETIME a")
    #expect(
      idleness == """
        -ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
        switching between policies at runtime LRU and LFU data will take some time to adjust.
        """)
  }

  // MARK: Time

  /// An expired key is none to any command, and its DEL precedes what the command does.
  @Test(arguments: [
    ("DEL a", ":0", ["DEL a"]), ("UNLINK a b", ":1", ["DEL a", "UNLINK a b"]),
    ("EXISTS a", ":0", ["DEL a"]), ("TOUCH a", ":0", ["DEL a"]), ("TYPE a", "none", ["DEL a"]),
    ("TTL a", ":-2", ["DEL a"]), ("PEXPIRETIME a", ":-2", ["DEL a"]),
    ("EXPIRE a 100", ":0", ["DEL a"]), ("PERSIST a", ":0", ["DEL a"]),
    ("RENAME a c", "-ERR no such key", ["DEL a"]), ("RENAME b a", "OK", ["DEL a", "RENAME b a"]),
    ("RENAMENX a c", "-ERR no such key", ["DEL a"]),
    ("RENAMENX b a", ":1", ["DEL a", "RENAMENX b a"]), ("MOVE a 1", ":0", ["DEL a"]),
    ("MOVE b 1", ":1", ["DEL b", "MOVE b 1"]), ("COPY a c", ":0", ["DEL a"]),
    ("COPY b a", ":1", ["DEL a", "COPY b a"]), ("COPY b b DB 1", ":1", ["DEL b", "COPY b b DB 1"]),
    ("OBJECT ENCODING a", "nil", ["DEL a"]), ("KEYS *", "[\"b\"]", []),
    ("SCAN 0", "[\"0\", [\"b\"]]", ["DEL a"]), ("SCAN 0 MATCH b*", "[\"0\", [\"b\"]]", []),
    ("SCAN 0 TYPE list", "[\"0\", []]", ["DEL a"]),
    ("SCAN 0 TYPE string MATCH a", "[\"0\", []]", ["DEL a"]),
  ])
  func expiredKeys(request: String, reply expected: String, effects: [String]) throws {
    var session = try GenericSession()
    session.keys.expiresActively = false
    for line in ["SET a 1 PX 10", "SET b 2", "SELECT 1", "SET b 3 PX 10", "SELECT 0"] {
      _ = try session.run(line)
    }
    let seen = session.effects.count
    session.keys.now += 11
    var reply = try session.run(request)
    if request == "SCAN 0" || request.hasPrefix("SCAN 0 ") {
      reply = try finishScan(request, reply, &session)
    }
    #expect(reply == expected)
    let new = try effectTexts(Array(session.effects[seen...]))
    #expect(new == effects)
    try expectReplayEquals(&session)
  }

  /// Goes on until the cursor is 0, since how far one call comes is the table's own.
  private func finishScan(
    _ request: String, _ first: String, _ session: inout GenericSession
  ) throws -> String {
    var (cursor, keys) = try cursorAndKeys(first)
    while cursor != "0" {
      let more = try session.run(request.replacing("SCAN 0", with: "SCAN \(cursor)"))
      let (next, found) = try cursorAndKeys(more)
      cursor = next
      keys += found
    }
    return "[\"0\", [\(keys.joined(separator: ", "))]]"
  }

  @Test func timeLeft() throws {
    var session = try GenericSession()
    _ = try session.run("SET a 1 PX 1500")
    for (passed, milliseconds, seconds) in [
      (0, 1500, 2), (1, 1499, 1), (999, 500, 1), (1, 499, 0), (499, 0, 0),
    ] {
      session.keys.now += passed
      let left = (try session.run("PTTL a"), try session.run("TTL a"))
      #expect(left == (":\(milliseconds)", ":\(seconds)"))
    }
    session.keys.now += 1
    let gone = try session.run("PTTL a")
    #expect(gone == ":-2")
  }

  /// A deadline that is now has passed for EXPIRE, though the key would live to the end of it.
  @Test func deadlineThatIsNow() throws {
    var session = try GenericSession()
    _ = try session.run("SET a 1")
    let reply = try session.run("PEXPIREAT a \(session.keys.now)")
    #expect(reply == ":1")
    let exists = try session.run("EXISTS a")
    #expect(exists == ":0")
  }

  @Test func idleTimeAndTouch() throws {
    var session = try GenericSession()
    _ = try session.run("SET a x")
    session.keys.now += 5000
    for request in ["TTL a", "EXISTS a", "TYPE a", "OBJECT ENCODING a", "PEXPIRETIME a"] {
      _ = try session.run(request)
    }
    let before = try session.run("OBJECT IDLETIME a")
    #expect(before == ":5")
    session.keys.leavesNoTrace = true
    _ = try session.run("GET a")
    let untouched = try session.run("OBJECT IDLETIME a")
    #expect(untouched == ":5")
    _ = try session.run("TOUCH a")
    let after = try session.run("OBJECT IDLETIME a")
    #expect(after == ":0")
    let leavesNoTrace = session.keys.leavesNoTrace
    #expect(leavesNoTrace)
  }

  // MARK: Statistics

  /// As redis-server 7.0.15 counts them.
  @Test(arguments: [
    ("DEL a", 0, 0), ("UNLINK no", 0, 0), ("EXISTS a no a", 2, 1), ("TOUCH a no", 1, 1),
    ("TYPE a", 1, 0), ("TYPE no", 0, 1), ("TTL a", 1, 0), ("TTL no", 0, 1), ("PTTL a", 1, 0),
    ("EXPIRETIME no", 0, 1), ("PEXPIRETIME a", 1, 0), ("EXPIRE a 10", 0, 0), ("EXPIRE no 1", 0, 0),
    ("PERSIST a", 0, 0), ("RENAME a b", 0, 0), ("RENAMENX a b", 0, 0), ("MOVE a 1", 0, 0),
    ("COPY a b", 1, 0), ("COPY no b", 0, 1), ("OBJECT ENCODING a", 1, 0),
    ("OBJECT REFCOUNT no", 0, 1), ("OBJECT IDLETIME a", 1, 0), ("KEYS *", 0, 0), ("SCAN 0", 0, 0),
    ("SCAN 0 TYPE list", 1, 0),
    ("RANDOMKEY", 0, 0),
  ])
  func hitsAndMisses(request: String, hits: Int, misses: Int) throws {
    var session = try GenericSession()
    _ = try session.run("SET a 1")
    _ = try session.run(request)
    let counted = (session.keys.statistics.hits, session.keys.statistics.misses)
    #expect(counted == (hits, misses))
  }

  // MARK: Walks

  @Test(arguments: [1, 10, 100, 5000])
  func scanMeetsEveryKey(count: Int) throws {
    var session = try GenericSession()
    for index in 0..<3000 { _ = try session.run("SET key:\(index) \(index)") }
    for index in 3000..<4000 { _ = try session.run("SET key:\(index) x PX 10") }
    session.keys.now += 11
    let all = Set((0..<3000).map { "\"key:\($0)\"" })
    let listed = try ReplyList(session.run("KEYS *")).elements
    #expect(Set(listed) == all)
    #expect(listed.count == all.count)
    #expect(session.keys.count(database: 0) == 4000, "KEYS removes nothing")
    var met: [String] = []
    var cursor = "0"
    repeat {
      let (next, keys) = try cursorAndKeys(try session.run("SCAN \(cursor) COUNT \(count)"))
      cursor = next
      met += keys
    } while cursor != "0"
    #expect(Set(met) == all)
    #expect(met.count == all.count)
    #expect(session.keys.count(database: 0) == 3000, "SCAN removes what has expired")
  }

  @Test func randomKeyAmongTheExpired() throws {
    var session = try GenericSession()
    for index in 0..<2000 { _ = try session.run("SET key:\(index) x PX 10") }
    _ = try session.run("SET live 1")
    session.keys.now += 11
    for _ in 0..<3 {
      let key = try session.run("RANDOMKEY")
      #expect(key == "\"live\"")
    }
    _ = try session.run("DEL live")
    let none = try session.run("RANDOMKEY")
    #expect(none == "nil")
    #expect(session.keys.count(database: 0) == 0)
    try expectReplayEquals(&session)
  }
}

// MARK: - Helpers

/// Invariant 1 of EffectStream: whatever its clock says, who replays the effects gets the same
/// keys, values and deadlines.
func expectReplayEquals(_ session: inout GenericSession) throws {
  var replica = try GenericSession(now: 0, seed: 77)
  var offset = 0
  while offset < session.effects.count {
    let start = offset
    let reply = try replica.run(stream: session.effects, from: &offset)
    #expect(!reply.hasPrefix("-"), "\(quoted(Array(session.effects[start..<offset]))) \(reply)")
  }
  let digests = (hexadecimal(replica.keys.digest()), hexadecimal(session.keys.digest()))
  #expect(digests.0 == digests.1)
  let deadlines = (replica.deadlines(), session.deadlines())
  #expect(deadlines.0 == deadlines.1)
}

/// The effects that a stream is made of, without those that only frame others.
private func effectTexts(_ stream: [UInt8]) throws -> [String] {
  var texts: [String] = []
  var offset = 0
  while offset < stream.count {
    var parser = RequestParser()
    var ranges = ArgumentList()
    var inlineText = ByteBuffer()
    let result = try parser.next(
      stream.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &inlineText)
    try #require(result == .complete(isInline: false))
    let words = (0..<ranges.count).map { index in
      let start = Int(ranges[index].offset)
      return text(Array(stream[start..<(start + Int(ranges[index].count))]))
    }
    if !["SELECT", "MULTI", "EXEC"].contains(words[0]) {
      texts.append(words.joined(separator: " "))
    }
  }
  return texts
}

private func withTime(_ text: String, _ now: Int) -> String {
  guard let range = text.firstRange(of: "now+") else { return text }
  return text[..<range.lowerBound] + "\(now + (Int(text[range.upperBound...]) ?? 0))"
}

/// The elements of a flat array as transcripts write it.
private struct ReplyList {
  let elements: [String]

  init(_ reply: some StringProtocol) {
    let inner = reply.dropFirst().dropLast()
    elements = inner.isEmpty ? [] : inner.split(separator: ", ").map { String($0) }
  }
}

/// The two parts of SCAN's reply.
private func cursorAndKeys(_ reply: String) throws -> (cursor: String, keys: [String]) {
  let comma = try #require(reply.firstRange(of: ", "))
  let cursor = reply[..<comma.lowerBound].dropFirst(2).dropLast()
  return (String(cursor), ReplyList(reply[comma.upperBound...].dropLast()).elements)
}
