// Support: requests from words, a table with a host of its own, and replies taken apart.

import Bytes
import Keyspace
import RESP

@testable import Commands

/// Stands in for the server: the table's host rows are not run here.
struct TestHost: ~Copyable {}

/// The data commands, and two containers as the server has them.
func testTable() -> CommandTable<TestHost> {
  let containers: [Command<TestHost>] = [
    Command(
      "COMMAND", arity: -1, [.loading, .stale], [], .commandAll,
      summary: "Describes every command.", since: "2.8.13"
    ) {
      Command(
        "INFO", arity: -2, [.loading, .stale], .connection, .commandInfo, summary: "Facts.",
        since: "2.8.13", history: ["7.0.0": "No name."],
        arguments: [.string("command-name", [.optional, .multiple])])
      Command("HELP", arity: 2, [], [], .help, summary: "This list.", since: "5.0.0")
    },
    Command(
      "EVAL", arity: -3, [.noScript, .mayReplicate], .scripting,
      keys: [
        KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), [.readWrite, .access, .update])
      ],
      summary: "Runs a script.", since: "2.6.0"),
    Command(
      "MIGRATE", arity: -6, .write, [.keyspace, .dangerous],
      keys: [
        KeySpec(.index(3), .range(lastKey: 0, step: 1, limit: 0), [.readWrite, .incomplete]),
        KeySpec(
          .keyword("KEYS", startFrom: -2), .range(lastKey: -1, step: 1, limit: 0),
          [.readWrite, .incomplete]),
      ],
      summary: "Moves keys to another server.", since: "2.6.0"),
  ]
  return CommandTable(
    containers + Command.generic + Command.strings + Command.bitmaps + Command.hashes
      + Command.sets + Command.hyperLogLogs + Command.keyMoves + Command.sorting)
}

/// Calls `body` with the request made of `words`.
func withRequest<Result, Failure: Error>(
  _ words: [String], _ body: (borrowing Arguments) throws(Failure) -> Result
) throws(Failure) -> Result {
  var bytes: [UInt8] = []
  var ranges: [ArgumentRange] = []
  for word in words {
    ranges.append(ArgumentRange(offset: bytes.count, count: word.utf8.count))
    bytes += Array(word.utf8)
  }
  return try body(Arguments(bytes: bytes.span, ranges: ranges.span, request: Span()))
}

/// The bytes of the reply that a request to the table alone gets, errors included.
func reply(
  to words: [String], _ version: RESPVersion = .two
) -> String {
  let table = testTable()
  var reply = ReplyBuffer(version: version)
  withRequest(words) { arguments in
    guard let id = table.index.find(arguments) else {
      return reply.unknownCommand(arguments, in: table)
    }
    guard table[id].accepts(count: arguments.count) else {
      return reply.wrongArity(table.fullName(id))
    }
    guard case .table(let run) = table.handler(id) else { return }
    do throws(CommandError) {
      try run(arguments, table, &reply)
    } catch {
      reply.error(error)
    }
  }
  let span = reply.bytes.span
  return String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
}

/// A reply, parsed.
indirect enum Value: Equatable, CustomStringConvertible {
  case simple(String)
  case error(String)
  case integer(Int)
  case bulk(String)
  case null
  case array([Value])
  case set([Value])
  case map([Value])

  var description: String {
    switch self {
    case .simple(let text), .bulk(let text): text
    case .error(let text): "-\(text)"
    case .integer(let value): "\(value)"
    case .null: "null"
    case .array(let values): "\(values)"
    case .set(let values): "~\(values)"
    case .map(let values): "%\(values)"
    }
  }

  /// The value under `key` of a map, or of the flat array that RESP2 has for it.
  subscript(key: String) -> Value? {
    let values = elements
    for index in stride(from: 0, to: values.count - 1, by: 2)
    where values[index] == .bulk(key) {
      return values[index + 1]
    }
    return nil
  }

  var elements: [Value] {
    switch self {
    case .array(let values), .set(let values), .map(let values): values
    default: []
    }
  }

  /// The whole of `text`, which is exactly one reply; nil when it is not.
  init?(_ text: String) {
    var rest = text[...]
    guard let value = Value.parse(&rest), rest.isEmpty else { return nil }
    self = value
  }

  private static func parse(_ rest: inout Substring) -> Value? {
    guard let type = rest.first, let end = rest.firstRange(of: "\r\n") else { return nil }
    let line = rest[rest.index(after: rest.startIndex)..<end.lowerBound]
    rest = rest[end.upperBound...]
    switch type {
    case "+": return .simple(String(line))
    case "-": return .error(String(line))
    case "_": return .null
    case ":": return Int(line).map { .integer($0) }
    case "$":
      guard let count = Int(line) else { return nil }
      if count < 0 { return .null }
      let bytes = rest.utf8
      guard bytes.count >= count + 2 else { return nil }
      let text = String(bytes.prefix(count)) ?? ""
      rest = Substring(bytes.dropFirst(count + 2))
      return .bulk(text)
    case "*", "~", "%":
      guard let count = Int(line) else { return nil }
      var values: [Value] = []
      for _ in 0..<(type == "%" ? count * 2 : count) {
        guard let value = parse(&rest) else { return nil }
        values.append(value)
      }
      return type == "*" ? .array(values) : type == "~" ? .set(values) : .map(values)
    default: return nil
    }
  }
}
