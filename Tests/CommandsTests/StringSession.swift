// StringSession: a client of a volatile keyspace, without a server: request lines in, replies out.
//
// Rows come from the real table. The few commands of other groups that transcripts need to look at
// keys with are played here, so that these tests stand on nothing but strings and bitmaps.

import Bytes
import Memory
import RESP
import Structures
import Testing

@testable import Commands
@testable import Keyspace

struct Transcript: Sendable, CustomTestStringConvertible {
  let name: String
  let lines: [String]

  init(_ name: String, _ text: String) {
    self.name = name
    lines = text.split(separator: "\n").map { String($0) }
  }

  var testDescription: String { name }
}

struct NoHost: ~Copyable {}

struct StringSession: ~Copyable {
  /// How requests arrive: as RESP arrays, or as inline commands, which have no bytes to propagate.
  enum Form { case array, inline }

  var keys: Keyspace
  var effects: [UInt8] = []
  /// An argument of at least this many bytes is read into a place of the keyspace.
  var placesFrom = Int.max
  private var reply = ReplyBuffer()
  private let table = CommandTable<NoHost>(Command.strings + Command.bitmaps)
  private let form: Form

  init(_ form: Form = .array) throws {
    keys = try Keyspace(
      arena: Arena(provider: VolatilePages(reachBytes: 1 << 34)), databaseCount: 2,
      hash: KeyedHash(1, 2, 3, 4), seed: 5)
    keys.now = 1_700_000_000_000
    self.form = form
  }

  /// Runs a request in inline syntax.
  mutating func run(_ line: String) throws -> String {
    var bytes = Array(line.utf8)
    bytes += [13, 10]
    if form == .array { bytes = Self.encode(try Self.words(bytes)) }
    return try run(bytes: bytes)
  }

  mutating func run(words: [[UInt8]]) throws -> String { try run(bytes: Self.encode(words)) }

  /// Runs one request as a client sends it.
  mutating func run(bytes: [UInt8]) throws -> String {
    var parser = RequestParser()
    var ranges = ArgumentList()
    var inlineText = ByteBuffer()
    var offset = 0
    let result = try parser.next(
      bytes.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &inlineText)
    reply.bytes.removeAll()
    switch result {
    case .complete(isInline: true):
      try execute(Arguments(bytes: inlineText.span, ranges: ranges.span, request: Span()))
    case .complete(isInline: false):
      if let large = (0..<ranges.count).first(where: { Int(ranges[$0].count) >= placesFrom }) {
        try placed(bytes, ranges, large)
      } else {
        let request = bytes.span.extracting(0..<offset)
        try execute(Arguments(bytes: bytes.span, ranges: ranges.span, request: request))
      }
    default: Issue.record("no request: \(bytes)")
    }
    collectEffects()
    return Self.render(reply.bytes.span)
  }

  private mutating func placed(
    _ bytes: [UInt8], _ ranges: borrowing ArgumentList, _ index: Int
  ) throws {
    let start = Int(ranges[index].offset)
    let large = bytes.span.extracting(start..<(start + Int(ranges[index].count)))
    let place = try keys.makePlace(large.count).token
    keys.arena.store(large, Ref<Blob>(unit: place), at: 0)
    keys.hasTakenPlace = false
    let argument = PlacedArgument(index: index, token: place, bytes: large)
    try execute(Arguments(bytes: bytes.span, ranges: ranges.span, placed: argument))
    if !keys.hasTakenPlace { keys.discard(place: place) }
  }

  private mutating func execute(_ args: borrowing Arguments) throws {
    if try playOther(args) { return }
    guard let id = table.index.find(args[0]) else {
      Issue.record("unknown command")
      return
    }
    guard table[id].accepts(count: args.count) else {
      reply.wrongArity(table.fullName(id))
      return
    }
    guard case .keyspace(let handler)? = table.handler(id) else {
      Issue.record("no handler")
      return
    }
    do throws(CommandError) {
      try handler(args, &keys, &reply)
    } catch {
      let count = reply.bytes.count
      #expect(count == 0, "a part of a reply stands before the error")
      reply.error(error)
    }
  }

  private mutating func collectEffects() {
    keys.effects.endGroup()
    effects += Self.array(keys.effects.bytes.span)
    keys.effects.consume()
  }

  // MARK: Commands of other groups

  private mutating func playOther(_ args: borrowing Arguments) throws -> Bool {
    let name = String(decoding: Self.array(args[0]), as: UTF8.self).uppercased()
    switch name {
    case "MULTI", "EXEC": reply.ok()
    case "SELECT": keys.select(args[1].parseInteger() ?? 0)
    case "CONFIG": keys.maximumStringBytes = args[3].parseInteger() ?? 0
    case "HELLO": reply.version = args[1].parseInteger() == 3 ? .three : .two
    case "LPUSH": try makeList(args[1])
    case "EXISTS": reply.integer(keys.find(args[1], .peek) == nil ? 0 : 1)
    case "DEL": reply.integer(keys.remove(args[1]) ? 1 : 0)
    case "PERSIST", "PEXPIREAT":
      if let found = keys.find(args[1]) {
        try keys.setExpiry(found, name == "PERSIST" ? nil : args[2].parseInteger())
      }
    case "TTL", "PEXPIRETIME":
      guard let found = keys.find(args[1], .peek) else { return answer(-2) }
      guard let expiry = keys.facts(found).expiry else { return answer(-1) }
      return answer(name == "TTL" ? (expiry - keys.now + 500) / 1000 : expiry)
    case "OBJECT": reply.bulk(encoding(args[2]))
    default: return false
    }
    return true
  }

  private mutating func answer(_ value: Int) -> Bool {
    reply.integer(value)
    return true
  }

  /// A key that is no string; what it holds does not matter.
  private mutating func makeList(_ key: borrowing Span<UInt8>) throws {
    if let found = keys.find(key, .peek), keys.facts(found).header.type != .string {
      return reply.integer(2)
    }
    let blob = try keys.arena.allocate(16, as: Blob.self)
    let entry = try keys.arena.makeEntry(
      key: key, blob: blob, valueCount: 16, form: Entry.Form(.list, .listpack))
    try keys.link(entry, keys.hash(of: key), expiry: nil, database: keys.selected)
    keys.effects.begin(3, database: keys.selected)
    keys.effects.word("LPUSH")
    keys.effects.word(key)
    keys.effects.word("a")
    reply.integer(1)
  }

  private mutating func encoding(_ key: borrowing Span<UInt8>) -> StaticString {
    guard let found = keys.find(key, .peek), !keys.isModified(found) else { return "raw" }
    let value = keys.value(found)
    return value.parseInteger() != nil ? "int" : value.count <= 44 ? "embstr" : "raw"
  }

  // MARK: What the keyspace holds

  /// Every entry of both databases as text, in order.
  mutating func contents() -> [String] {
    var lines: [String] = []
    for database in 0..<2 {
      keys.select(database)
      var cursor: UInt64 = 0
      var entries = GrowableArray<Ref<Entry>>()
      repeat {
        cursor = keys.scan(cursor: cursor, count: 100, into: &entries)
      } while cursor != 0
      for index in 0..<entries.count {
        let entry = keys.entry(entries[index])
        let value = entry.header.type == .string ? Self.quote(Self.array(entry.value)) : "list"
        let deadline = entry.expiry.map { "\($0)" } ?? "none"
        lines.append("\(database) \(Self.quote(Self.array(entry.key))) \(value) \(deadline)")
      }
    }
    return lines.sorted()
  }

  /// The requests that a stream of effects is made of.
  static func requests(_ bytes: [UInt8]) throws -> [[[UInt8]]] {
    var parser = RequestParser()
    var requests: [[[UInt8]]] = []
    var offset = 0
    while offset < bytes.count {
      var ranges = ArgumentList()
      var inlineText = ByteBuffer()
      let result = try parser.next(
        bytes.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &inlineText)
      try #require(result == .complete(isInline: false))
      requests.append(
        (0..<ranges.count).map { index in
          let start = Int(ranges[index].offset)
          return Array(bytes[start..<(start + Int(ranges[index].count))])
        })
    }
    return requests
  }

  // MARK: Text

  static func encode(_ words: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + [13, 10] }
    return bytes
  }

  private static func words(_ line: [UInt8]) throws -> [[UInt8]] {
    var parser = RequestParser()
    var ranges = ArgumentList()
    var text = ByteBuffer()
    var offset = 0
    _ = try parser.next(
      line.span, from: &offset, limits: RequestLimits(), into: &ranges, inlineText: &text)
    let bytes = array(text.span)
    return (0..<ranges.count).map { index in
      let start = Int(ranges[index].offset)
      return Array(bytes[start..<(start + Int(ranges[index].count))])
    }
  }

  static func array(_ span: borrowing Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(span.count)
    for index in 0..<span.count { bytes.append(span[index]) }
    return bytes
  }

  static func quote(_ bytes: [UInt8]) -> String {
    var text = "\""
    for byte in bytes {
      switch byte {
      case 9: text += "\\t"
      case 10: text += "\\n"
      case 13: text += "\\r"
      case 0x22, 0x5C: text += "\\" + String(UnicodeScalar(byte))
      case 32..<127: text += String(UnicodeScalar(byte))
      default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return text + "\""
  }

  /// A reply in the transcripts' form.
  private static func render(_ span: borrowing Span<UInt8>) -> String {
    let bytes = array(span)
    var position = 0
    return bytes.isEmpty ? "" : render(bytes, &position)
  }

  private static func render(_ bytes: [UInt8], _ position: inout Int) -> String {
    let end = bytes[position...].firstIndex(of: 13) ?? bytes.count
    let line = String(decoding: bytes[position..<end], as: UTF8.self)
    let count = Int(line.dropFirst()) ?? 0
    position = end + 2
    switch line.first {
    case "+": return String(line.dropFirst())
    case "$", "*":
      if count < 0 { return "nil" }
      if line.first == "*" { return "[\(elements(count, ", ", bytes, &position))]" }
      position += count + 2
      return quote(Array(bytes[(end + 2)..<(end + 2 + count)]))
    case "%":
      let pairs = (0..<count).map { _ in elements(2, ": ", bytes, &position) }
      return "{\(pairs.joined(separator: ", "))}"
    case "_": return "nil"
    default: return line
    }
  }

  private static func elements(
    _ count: Int, _ separator: String, _ bytes: [UInt8], _ position: inout Int
  ) -> String {
    (0..<count).map { _ in render(bytes, &position) }.joined(separator: separator)
  }
}
