import RESP
import Testing

@testable import Commands

/// What redis-server 7.0.15 answers to COMMAND GETKEYSANDFLAGS, where 7.2 is the same.
@Suite struct KeySpecTests {
  @Test(arguments: [
    ("GET a", "a: RO access"),
    ("SET a b", "a: OW update"),
    ("SET a b EX 10 NX", "a: OW update"),
    ("SET a b get", "a: RW access update"),
    ("SET a get", "a: OW update"),
    ("GETEX k EX 5", "k: RW access update"),
    ("MSET a 1 b 2 c 3", "a: OW update, b: OW update, c: OW update"),
    ("MSET a 1 b", "a: OW update, b: OW update"),
    ("MGET a b", "a: RO access, b: RO access"),
    ("RENAME a b", "a: RW access delete, b: OW update"),
    ("COPY a b DB 3", "a: RO access, b: OW update"),
    ("LCS a b LEN", "a: RO access, b: RO access"),
    ("BITOP AND d a b", "d: OW update, a: RO access, b: RO access"),
    ("BITFIELD k", "k: RO access"),
    ("BITFIELD k GET u8 0", "k: RO access"),
    ("BITFIELD k OVERFLOW WRAP GET u8 0", "k: RO access"),
    ("BITFIELD k GET u8", "k: RW access update"),
    ("BITFIELD k GET u8 0 SET u8 0 1", "k: RW access update"),
    ("DEL a b", "a: RM delete, b: RM delete"),
    ("OBJECT ENCODING k", "k: RO"),
    ("EVAL s 2 a b c", "a: RW access update, b: RW access update"),
    ("EVAL s 0", "-ERR Invalid arguments specified for command"),
    ("EVAL s 3 a b", "-ERR Invalid arguments specified for command"),
    ("EVAL s x a b", "-ERR Invalid arguments specified for command"),
    ("EVAL s -1 a b", "-ERR Invalid arguments specified for command"),
    ("EVAL s 9999999999999999999 a", "-ERR Invalid arguments specified for command"),
    ("nosuch a", "-ERR Invalid command specified"),
    ("OBJECT nosuch a", "-ERR Invalid command specified"),
    ("OBJECT HELP", "-ERR The command has no key arguments"),
    ("OBJECT", "-ERR The command has no key arguments"),
    ("SCAN 0", "-ERR The command has no key arguments"),
    ("GET", "-ERR Invalid number of arguments specified for command"),
    ("GET a b", "-ERR Invalid number of arguments specified for command"),
  ])
  func keysAndFlags(request: String, expected: String) {
    let words = request.split(separator: " ").map { String($0) }
    let flagged = Value(
      run(.commandGetKeysAndFlags, ["COMMAND", "GETKEYSANDFLAGS"] + words, .three))
    let plain = Value(run(.commandGetKeys, ["COMMAND", "GETKEYS"] + words))
    if case .error(let text) = flagged {
      #expect("-\(text)" == expected)
      #expect(plain == flagged)
      return
    }
    let texts = flagged?.elements.map { pair in
      "\(pair.elements[0]): \(pair.elements[1].elements.map { "\($0)" }.joined(separator: " "))"
    }
    #expect(texts?.joined(separator: ", ") == expected)
    #expect(plain?.elements == flagged?.elements.map { $0.elements[0] })
  }

  @Test func incompleteSpecsYieldNothing() {
    let table = testTable()
    var keys: [KeyReference] = []
    let found = withRequest(["MIGRATE", "h", "1", "", "0", "9", "KEYS", "a"]) { arguments in
      table.keys(of: table.index.find(arguments)!, in: arguments, into: &keys)
    }
    #expect(!found && keys.isEmpty)
  }

  @Test func keywordsAreSearchedFromEitherEnd() {
    func positions(_ startFrom: Int, _ words: [String]) -> [Int] {
      let spec = KeySpec(
        .keyword("STREAMS", startFrom: startFrom), .range(lastKey: -1, step: 1, limit: 2), .readOnly
      )
      var keys: [KeyReference] = []
      let valid = withRequest(words) { arguments in
        spec.find(in: arguments, from: 0, into: &keys)
      }
      return valid ? keys.map { $0.position } : [-1]
    }
    #expect(positions(1, ["XREAD", "streams", "a", "b", "0", "0"]) == [2, 3])
    #expect(positions(1, ["XREAD", "COUNT", "1", "STREAMS", "a", "0"]) == [4])
    #expect(positions(1, ["XREAD", "COUNT", "1"]) == [])
    #expect(positions(1, ["XREAD", "STREAMS"]) == [-1])
    #expect(positions(-9, ["XREAD", "STREAMS", "a", "0"]) == [])
  }

  @Test func legacyRanges() {
    func range(_ specs: KeySpec...) -> [Int] {
      let range = specs.legacyRange
      return [range.first, range.last, range.step, range.complete ? 1 : 0]
    }
    #expect(range() == [0, 0, 0, 1])
    #expect(range(.key(1, .readOnly)) == [1, 1, 1, 1])
    #expect(range(.keys(from: 1, step: 2, .overwrite)) == [1, -1, 2, 1])
    #expect(range(.key(1, .readOnly), .key(2, .overwrite)) == [1, 2, 1, 1])
    #expect(range(.key(2, .overwrite), .keys(from: 3, .readOnly)) == [2, -1, 1, 1])
    #expect(range(.key(1, .readOnly), .key(3, .readOnly)) == [1, 1, 1, 0])
    #expect(range(.key(1, [.readOnly, .incomplete])) == [1, 1, 1, 0])
    #expect(
      range(KeySpec(.index(2), .count(at: 0, firstKey: 1, step: 1), .readOnly)) == [0, 0, 0, 0])
  }
}
