// GenericSession: a client of a volatile keyspace without a server: requests in, replies and
// effects out. Data commands run through the real table; what belongs to the server is played here.

import Bytes
import Keyspace
import Memory
import RESP
import Testing

@testable import Commands

struct GenericSession: ~Copyable {
  var keys: Keyspace
  /// All effects so far.
  var effects: [UInt8] = []
  /// Whether requests come inline, so that they have no bytes that could be copied.
  var isInline = false
  private var reply = ReplyBuffer()
  private let table = testTable()

  /// - Parameter now: milliseconds since 1970.
  init(now: Int = 1_700_000_000_000, seed: UInt64 = 5) throws {
    keys = try Keyspace(
      arena: Arena(provider: VolatilePages(reachBytes: 1 << 34)),
      hash: KeyedHash(seed, 2, 3, 4), seed: seed)
    keys.now = now
  }

  /// Runs a line of words, in quotes where need be, and returns its reply as transcripts have it.
  mutating func run(_ line: String) throws -> String {
    let line = Array("\(line)\r\n".utf8)
    var parser = RequestParser()
    var ranges = ArgumentList()
    var text = ByteBuffer()
    var offset = 0
    let result = try parser.next(
      line.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &text)
    try #require(result == .complete(isInline: true))
    if isInline { return try run(text.span, ranges.span, Span()) }
    var words: [[UInt8]] = []
    for index in 0..<ranges.count {
      let offset = Int(ranges[index].offset)
      words.append(bytes(text.span.extracting(offset..<(offset + Int(ranges[index].count)))))
    }
    return try run(words)
  }

  mutating func run(_ words: [[UInt8]]) throws -> String {
    var request = Array("*\(words.count)\r\n".utf8)
    for word in words { request += Array("$\(word.count)\r\n".utf8) + word + [13, 10] }
    var offset = 0
    return try run(stream: request, from: &offset)
  }

  /// Runs the next request of a stream of effects.
  mutating func run(stream: [UInt8], from offset: inout Int) throws -> String {
    var parser = RequestParser()
    var ranges = ArgumentList()
    var text = ByteBuffer()
    let start = offset
    let result = try parser.next(
      stream.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &text)
    try #require(result == .complete(isInline: false))
    return try run(stream.span, ranges.span, stream.span.extracting(start..<offset))
  }

  private mutating func run(
    _ text: borrowing Span<UInt8>, _ ranges: borrowing Span<ArgumentRange>,
    _ request: borrowing Span<UInt8>
  ) throws -> String {
    let args = Arguments(bytes: copy text, ranges: copy ranges, request: copy request)
    reply.bytes.removeAll()
    if !plays(args) { execute(args) }
    keys.effects.endGroup()
    effects += bytes(keys.effects.bytes.span)
    keys.effects.consume()
    var reader = ReplyText(bytes: bytes(reply.bytes.span))
    return reader.next()
  }

  private mutating func execute(_ args: borrowing Arguments) {
    guard let id = table.index.find(args) else {
      Issue.record("a command that the table does not know")
      return
    }
    guard table[id].accepts(count: args.count) else {
      return reply.wrongArity(table.fullName(id))
    }
    do throws(CommandError) {
      switch table.handler(id) {
      case .keyspace(let handler): try handler(args, &keys, &reply)
      case .blocking(let handler):
        var wait = Wait(isAllowed: true)
        try handler(args, &keys, &wait, &reply)
        if wait.isWanted { reply.simple("(waits until \(wait.deadline))") }
      case .long(let handler):
        var long = LongReply(isAllowed: true)
        try handler(args, &keys, &long, &reply)
        while long.isUnfinished { keys.appendPiece(of: &long, to: &reply) }
      default: Issue.record("no handler for the keyspace")
      }
    } catch {
      #expect(reply.bytes.count == 0, "part of a reply stands before the error")
      reply.error(error)
    }
  }

  /// The server's commands, as far as tests need them.
  private mutating func plays(_ args: borrowing Arguments) -> Bool {
    if args.equals(0, "SELECT") {
      keys.select(args[1].parseInteger() ?? 0)
    } else if args.equals(0, "HELLO") {
      reply.version = args.equals(1, "3") ? .three : .two
    } else if args.equals(0, "CONFIG") {
      keys.policy = EvictionPolicy(rawValue: text(bytes(args[3]))) ?? .noEviction
    } else if args.equals(0, "DEBUG") {
      digest(args)
      return true
    } else if !args.equals(0, "MULTI") && !args.equals(0, "EXEC") {
      return false
    }
    reply.ok()
    return true
  }

  private mutating func digest(_ args: borrowing Arguments) {
    guard args.equals(1, "DIGEST-VALUE") else { return reply.simple(hexadecimal(keys.digest())) }
    reply.array(args.count - 2)
    for index in 2..<args.count { reply.simple(hexadecimal(keys.digest(of: args[index]))) }
  }

  /// Every key of every database with its deadline, in order.
  mutating func deadlines() -> [String] {
    var lines: [String] = []
    for database in 0..<keys.databaseCount {
      keys.select(database)
      var entries = EntryList()
      _ = keys.scan(cursor: 0, count: .max, into: &entries)
      for index in 0..<entries.count {
        let entry = keys.entry(entries[index])
        let expiry = entry.expiry.map { "\($0)" } ?? "none"
        lines.append("\(database) \(hexadecimal(bytes(entry.key))) \(expiry)")
      }
    }
    return lines.sorted()
  }
}

/// Replies as transcripts write them: OK, -ERR text, :1, "bulk", nil, [array].
struct ReplyText {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func next() -> String {
    let end = bytes[position...].firstIndex(of: 13) ?? bytes.count
    let line = text(Array(bytes[position..<end]))
    position = end + 2
    let count = Int(line.dropFirst()) ?? 0
    switch line.first {
    case "+": return String(line.dropFirst())
    case "_": return "nil"
    case "$" where count < 0, "*" where count < 0: return "nil"
    case "*":
      let elements = (0..<count).map { _ in next() }
      return "[\(elements.joined(separator: ", "))]"
    case "$":
      let start = position
      position += count + 2
      return quoted(Array(bytes[start..<(start + count)]))
    default: return line
    }
  }
}

func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(span.count)
  for index in 0..<span.count { bytes.append(span[index]) }
  return bytes
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func quoted(_ bytes: [UInt8]) -> String {
  let parts = bytes.map { byte in
    switch byte {
    case 10: "\\n"
    case 13: "\\r"
    case 0x22, 0x5C: "\\" + String(UnicodeScalar(byte))
    case 32..<127: String(UnicodeScalar(byte))
    default: "\\x" + hexadecimal([byte])
    }
  }
  return "\"\(parts.joined())\""
}
