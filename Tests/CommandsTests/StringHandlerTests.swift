import Bytes
import Testing

@testable import Commands
@testable import Keyspace

@Suite struct StringHandlerTests {
  static let transcripts = StringTranscripts.all + BitmapTranscripts.all

  @Test(arguments: transcripts, [StringSession.Form.array, .inline])
  func repliesAndEffects(transcript: Transcript, form: StringSession.Form) throws {
    var session = try StringSession(form)
    var seen = 0
    let listsEffects = transcript.lines.contains { $0.hasPrefix("|") }
    var expectedEffects: [String] = []
    var lastRequest = ""
    func checkEffects(_ session: borrowing StringSession) throws {
      guard listsEffects else { return }
      let new = try StringSession.requests(Array(session.effects[seen...]))
      #expect(new.compactMap { Self.effectText($0) } == expectedEffects, "\(lastRequest)")
      seen = session.effects.count
      expectedEffects = []
    }
    for line in transcript.lines {
      if line.hasPrefix("|") {
        expectedEffects.append(Self.withTime(String(line.dropFirst(2)), session.keys.now))
        continue
      }
      try checkEffects(session)
      let separator = try #require(line.firstRange(of: " => "), "\(line)")
      lastRequest = String(line[..<separator.lowerBound])
      let reply = try session.run(lastRequest)
      if !lastRequest.hasPrefix("CONFIG") && !lastRequest.hasPrefix("HELLO") {
        #expect(reply == line[separator.upperBound...], "\(lastRequest)")
      }
    }
    try checkEffects(session)
    try Self.expectReplayEquals(&session)
  }

  /// Invariant 1 of EffectStream.
  static func expectReplayEquals(_ session: inout StringSession) throws {
    var replica = try StringSession()
    replica.keys.maximumStringBytes = .max
    for request in try StringSession.requests(session.effects) {
      let reply = try replica.run(words: request)
      #expect(!reply.hasPrefix("-"), "\(effectText(request) ?? "") \(reply)")
    }
    let (copy, original) = (replica.contents(), session.contents())
    #expect(copy == original)
  }

  /// An effect in a transcript's form; nil for those that only frame others.
  static func effectText(_ words: [[UInt8]]) -> String? {
    let texts = words.map { word in
      let isPlain = word.allSatisfy { $0 > 32 && $0 < 127 && $0 != 0x22 } && !word.isEmpty
      return isPlain ? String(decoding: word, as: UTF8.self) : StringSession.quote(word)
    }
    return ["SELECT", "MULTI", "EXEC"].contains(texts[0]) ? nil : texts.joined(separator: " ")
  }

  private static func withTime(_ text: String, _ now: Int) -> String {
    guard let range = text.firstRange(of: "now+") else { return text }
    return text[..<range.lowerBound] + "\(now + (Int(text[range.upperBound...]) ?? 0))"
  }

  // MARK: Statistics

  /// As redis-server 7.0.15 counts them: only reads, and SET only with GET.
  @Test(arguments: [
    ("GET k", 1, 0), ("GET no", 0, 1), ("SET k v", 0, 0), ("SET no v", 0, 0),
    ("SET k v GET", 1, 0), ("SET no v GET", 0, 1), ("SET no v XX", 0, 0), ("GETSET k v", 1, 0),
    ("GETSET no v", 0, 1), ("GETDEL k", 1, 0), ("GETDEL no", 0, 1), ("GETEX k", 1, 0),
    ("GETEX no EX 10", 0, 1), ("SETNX k v", 0, 0), ("SETEX k 10 v", 0, 0), ("INCR no", 0, 0),
    ("APPEND k v", 0, 0), ("STRLEN k", 1, 0), ("GETRANGE k 0 1", 1, 0), ("SETRANGE k 0 a", 0, 0),
    ("MGET k no k", 2, 1), ("MSET k 1 no 2", 0, 0), ("MSETNX k 1 no 2", 0, 0),
    ("LCS k no", 1, 1), ("GETBIT k 1", 1, 0), ("SETBIT k 1 1", 0, 0), ("BITCOUNT no", 0, 1),
    ("BITPOS k 1", 1, 0), ("BITOP AND d k no k", 2, 1), ("BITFIELD k GET u8 0", 1, 0),
    ("BITFIELD no", 0, 1), ("BITFIELD k SET u8 0 0", 0, 0), ("BITFIELD_RO no GET u8 0", 0, 1),
  ])
  func hitsAndMisses(request: String, hits: Int, misses: Int) throws {
    var session = try StringSession()
    _ = try session.run("SET k v")
    _ = try session.run(request)
    let statistics = session.keys.statistics
    #expect(statistics.hits == hits)
    #expect(statistics.misses == misses)
  }

  // MARK: Large arguments

  /// Commands with an argument that was read into its place behave as without, and the place is
  /// either the key's or free again.
  @Test(arguments: [
    ["SET", "k", ""], ["SET", "k", "", "KEEPTTL"], ["SET", "k", "", "EX", "10", "GET"],
    ["SET", "k", "", "NX"], ["SET", "k", "", "EX", "0"], ["SET", "n", "", "NX"],
    ["SETNX", "n", ""], ["SETNX", "k", ""], ["GETSET", "k", ""], ["SETEX", "k", "10", ""],
    ["APPEND", "k", ""], ["APPEND", "n", ""], ["SETRANGE", "k", "2", ""], ["MSET", "k", ""],
    ["MSET", "k", "", "k", "w"], ["MSET", "k", "v", "k", ""], ["MSETNX", "n", "", "m", "v"],
    ["MSETNX", "m", "v", "n", ""], ["MSETNX", "k", ""], ["GET", ""], ["SET", "", "v"],
    ["INCRBY", "k", ""], ["SETNX", "l", ""], ["SET", "l", ""], ["SET", "l", "", "GET"],
  ])
  func placedArguments(request: [String]) throws {
    let large = [UInt8](repeating: 0x61, count: 20_000)
    let words = request.map { $0.isEmpty ? large : Array($0.utf8) }
    var plain = try StringSession()
    var placing = try StringSession()
    placing.placesFrom = 10_000
    for line in ["SET k v EX 100", "LPUSH l a"] {
      _ = try plain.run(line)
      _ = try placing.run(line)
    }
    let replies = (try plain.run(words: words), try placing.run(words: words))
    #expect(replies.0 == replies.1)
    let effects = (plain.effects, placing.effects)
    #expect(effects.0 == effects.1)
    let contents = (plain.contents(), placing.contents())
    #expect(contents.0 == contents.1)
    let used = (plain.keys.usedBytes, placing.keys.usedBytes)
    #expect(used.0 == used.1)
    try Self.expectReplayEquals(&placing)
  }

  // MARK: Growth

  /// Appending must not copy the whole value each time: places change only when room runs out.
  @Test func appendIsNotQuadratic() throws {
    var session = try StringSession()
    _ = try session.run("SET k v")
    let part = [UInt8](repeating: 0x62, count: 1000)
    var moves = 0
    var last = session.blob("k")
    for _ in 0..<1500 {
      _ = try session.run(words: [Array("APPEND".utf8), [0x6B], part])
      let blob = session.blob("k")
      if blob != last { moves += 1 }
      last = blob
    }
    let reply = try session.run("STRLEN k")
    #expect(reply == ":1500001")
    #expect(moves < 100)
  }
}

extension StringSession {
  fileprivate mutating func blob(_ key: String) -> UInt64 {
    let bytes = Array(key.utf8)
    guard let found = keys.find(bytes.span, .peek) else { return 0 }
    return keys.facts(found).blob.unit
  }
}
