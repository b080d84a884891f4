import Keyspace
import RESP
import Testing

@testable import Commands

@Suite struct IntrospectionTests {
  @Test func infoHasTheShapeOfRESP2() throws {
    #expect(
      Value(reply(to: ["COMMAND", "INFO", "get", "nosuch"]))
        == .array([
          .array([
            .bulk("get"), .integer(2), .array([.simple("readonly"), .simple("fast")]),
            .integer(1), .integer(1), .integer(1),
            .array([.simple("@read"), .simple("@string"), .simple("@fast")]), .array([]),
            .array([
              .array([
                .bulk("flags"), .array([.simple("RO"), .simple("access")]),
                .bulk("begin_search"),
                .array([
                  .bulk("type"), .bulk("index"), .bulk("spec"),
                  .array([.bulk("index"), .integer(1)]),
                ]),
                .bulk("find_keys"),
                .array([
                  .bulk("type"), .bulk("range"), .bulk("spec"),
                  .array([
                    .bulk("lastkey"), .integer(0), .bulk("keystep"), .integer(1), .bulk("limit"),
                    .integer(0),
                  ]),
                ]),
              ])
            ]),
            .array([]),
          ]), .null,
        ]))
  }

  @Test func infoHasTheTypesOfRESP3() throws {
    let info = try #require(Value(reply(to: ["COMMAND", "INFO", "migrate"], .three))).elements[0]
    #expect(
      info.elements[2] == .set([.simple("write"), .simple("movablekeys")]))
    #expect(Array(info.elements[3...5]) == [.integer(3), .integer(3), .integer(1)])
    guard case .set(let specs) = info.elements[8], case .map = specs[1] else {
      Issue.record("\(info)")
      return
    }
    #expect(
      specs[1]["begin_search"]
        == .map([
          .bulk("type"), .bulk("keyword"), .bulk("spec"),
          .map([.bulk("keyword"), .bulk("KEYS"), .bulk("startfrom"), .integer(-2)]),
        ]))
    #expect(info.elements[9] == .set([]))
  }

  @Test(arguments: [RESPVersion.two, .three])
  func everyCommandIsListedOnce(version: RESPVersion) throws {
    let table = testTable()
    let names = table.fullNames.prefix(table.topLevelCount).map { Value.bulk($0) }
    for words in [["COMMAND"], ["COMMAND", "INFO"]] {
      let all = try #require(Value(reply(to: words, version)))
      #expect(all.elements.map { $0.elements[0] } == names)
      #expect(all.elements.allSatisfy { $0.elements.count == 10 })
    }
    let container = try #require(Value(reply(to: ["COMMAND", "INFO", "object"], version)))
    let subcommands = container.elements[0].elements[9].elements.map { $0.elements[0] }
    #expect(subcommands.contains(.bulk("object|freq")))
  }

  @Test(arguments: [RESPVersion.two, .three])
  func docsAreWellFormed(version: RESPVersion) throws {
    let table = testTable()
    let all = try #require(Value(run(.commandDocs, ["COMMAND", "DOCS"], version)))
    #expect(all.elements.count == table.topLevelCount * 2)
    for (id, row) in table.rows.prefix(table.topLevelCount).enumerated() {
      let docs = try #require(all[table.fullNames[id]])
      #expect(docs["summary"] == .bulk(row.summary))
      #expect(docs["group"] == .bulk(row.group.rawValue))
      #expect(
        docs["arguments"]?.elements.count == (row.arguments.isEmpty ? nil : row.arguments.count))
      let subcommands = docs["subcommands"].map { $0.elements.count / 2 }
      #expect(subcommands == (row.subcommands.isEmpty ? nil : row.subcommands.count))
    }
  }

  @Test func docsOfNamedCommands() throws {
    let docs = try #require(
      Value(run(.commandDocs, ["COMMAND", "DOCS", "getset", "nosuch", "object|freq"], .three)))
    #expect(docs.elements.count == 4)
    #expect(docs["object|freq"]?["since"] == .bulk("4.0.0"))
    let getset = try #require(docs["getset"])
    #expect(getset["doc_flags"] == .set([.simple("deprecated")]))
    #expect(getset["deprecated_since"] == .bulk("6.2.0"))
    #expect(
      getset["arguments"]
        == .array([
          .map([
            .bulk("name"), .bulk("key"), .bulk("type"), .bulk("key"), .bulk("display_text"),
            .bulk("key"), .bulk("key_spec_index"), .integer(0),
          ]),
          .map([
            .bulk("name"), .bulk("value"), .bulk("type"), .bulk("string"), .bulk("display_text"),
            .bulk("value"),
          ]),
        ]))
    let history = try #require(Value(run(.commandDocs, ["COMMAND", "DOCS", "persist"], .three)))
    #expect(history["persist"]?["history"] == nil)
  }

  @Test func listFilters() throws {
    func list(_ words: String...) throws -> [String] {
      let value = try #require(Value(run(.commandList, ["COMMAND", "LIST"] + words)))
      if case .error(let text) = value { return ["-" + text] }
      return value.elements.map { "\($0)" }
    }
    let table = testTable()
    #expect(Set(try list()) == Set(table.fullNames))
    #expect(try list("filterby", "aclcat", "BITMAP").count == 7)
    #expect(try list("FILTERBY", "ACLCAT", "nosuch") == [])
    #expect(try list("FILTERBY", "MODULE", "x") == [])
    #expect(try list("FILTERBY", "PATTERN", "object|*q") == ["object|freq"])
    #expect(try list("FILTERBY", "PATTERN", "GET?IT") == ["getbit"])
    for words in [["FILTERBY"], ["FILTERBY", "ACLCAT"], ["FILTERBY", "x", "y"], ["x", "y", "z"]] {
      #expect(Value(run(.commandList, ["COMMAND", "LIST"] + words)) == .error("ERR syntax error"))
    }
  }

  @Test func countIsOfCommands() {
    let table = testTable()
    #expect(run(.commandCount, ["COMMAND", "COUNT"]) == ":\(table.topLevelCount)\r\n")
  }

  @Test func helpComesFromTheRows() {
    #expect(
      reply(to: ["command", "help"])
        == """
        *7\r
        +COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r
        +(no subcommand)\r
        +    Describes every command.\r
        +INFO [command-name [command-name ...]]\r
        +    Facts.\r
        +HELP\r
        +    Print this help.\r

        """)
  }

  @Test(arguments: [
    (
      "SET",
      "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds"
        + " | PXAT unix-time-milliseconds | KEEPTTL]"
    ),
    ("MSET", "key value [key value ...]"),
    ("BITOP", "<AND | OR | XOR | NOT> destkey key [key ...]"),
    ("BITFIELD_RO", "key [GET encoding offset [GET encoding offset ...]]"),
    ("BITPOS", "key bit [start [end [BYTE | BIT]]]"),
    ("SCAN", "cursor [MATCH pattern] [COUNT count] [TYPE type]"),
  ])
  func usage(name: String, expected: String) {
    let table = testTable()
    let row = table.rows.first { $0.name == name }
    #expect(row.map { Argument.usage(of: $0.arguments) } == expected)
  }
}

/// The reply of a handler that answers from the table alone.
func run(
  _ handler: Handler<TestHost>, _ words: [String], _ version: RESPVersion = .two
) -> String {
  let table = testTable()
  var reply = ReplyBuffer(version: version)
  guard case .table(let run) = handler else { return "" }
  withRequest(words) { arguments in
    do throws(CommandError) {
      try run(arguments, table, &reply)
    } catch {
      reply.error(error)
    }
  }
  let span = reply.bytes.span
  return String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
}
