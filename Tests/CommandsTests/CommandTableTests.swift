import Bytes
import RESP
import Testing

@testable import Commands

@Suite struct CommandTableTests {
  @Test func everyNameIsFoundInAnyCase() {
    let table = testTable()
    for (id, row) in table.rows.enumerated() {
      let parent = table[CommandID(rawValue: UInt16(id))].parent
      for name in [row.name, row.name.lowercased(), mixed(row.name)] {
        let bytes = Array(name.utf8)
        let found =
          id < table.topLevelCount
          ? table.index.find(bytes.span) : table.index.find(bytes.span, in: parent)
        #expect(found?.index == id, "\(name)")
      }
    }
  }

  @Test func everyFullNameIsFound() {
    let table = testTable()
    for (id, name) in table.fullNames.enumerated() {
      let bytes = Array(name.utf8)
      let found = table.find(fullName: bytes.span)
      #expect(found?.index == id, "\(name)")
    }
    for name in ["", "|", "get|", "get|get", "object|", "object|nosuch", "object|freq|x", "freq"] {
      let bytes = Array(name.utf8)
      let found = table.find(fullName: bytes.span)
      #expect(found == nil, "\(name)")
    }
  }

  /// Names one byte away from a real one, and of every length.
  @Test func otherNamesAreNotFound() {
    let table = testTable()
    let known = Set(table.rows.prefix(table.topLevelCount).map { $0.name })
    for name in known {
      for index in name.utf8.indices {
        var bytes = Array(name.utf8)
        let position = name.utf8.distance(from: name.utf8.startIndex, to: index)
        for change in [UInt8(1), 0x40, 0x80, 0xFF] {
          bytes[position] ^= change
          let text = String(decoding: bytes, as: UTF8.self).uppercased()
          let found = table.index.find(bytes.span)
          #expect((found != nil) == known.contains(text), "\(bytes)")
          bytes[position] ^= change
        }
      }
    }
    for count in 0...64 {
      let bytes = [UInt8](repeating: 0x51, count: count)
      let found = table.index.find(bytes.span)
      #expect(found == nil)
    }
  }

  /// Only letters change case: "@" and "`", "[" and "{" differ in the same bit.
  @Test func capitalsChangeOnlyLetters() {
    for byte in UInt8.min...UInt8.max {
      let expected = (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
      for position in 0..<8 {
        let shift = UInt64(position * 8)
        let others = UInt64(0x7A61_FF80_7A61_5A41) & ~(0xFF << shift)
        let word = PackedName.capitals(others | UInt64(byte) << shift)
        #expect(UInt8(truncatingIfNeeded: word >> shift) == expected, "\(byte) at \(position)")
      }
    }
  }

  @Test func namesPackByLength() {
    for count in 1...24 {
      let bytes = (0..<count).map { UInt8(0x41 + $0) }
      let packed = PackedName(bytes.span)
      var words: [UInt64] = [0, 0, 0]
      for (index, byte) in bytes.enumerated() {
        words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
      }
      #expect(packed?.word0 == words[0] && packed?.word1 == words[1] && packed?.word2 == words[2])
    }
  }

  @Test func requestsNameCommandsAndSubcommands() {
    let table = testTable()
    func name(_ words: String...) -> String? {
      withRequest(words) { arguments in table.index.find(arguments).map { table.fullName($0) } }
    }
    #expect(name("get", "a") == "get")
    #expect(name("OBJECT", "Encoding", "a") == "object|encoding")
    #expect(name("object") == "object")
    #expect(name("object", "nosuch") == nil)
    #expect(name("command") == "command")
  }

  @Test func dispatchFactsFitACacheLine() {
    #expect(MemoryLayout<CommandInfo>.stride <= 32)
    #expect(MemoryLayout<CommandSlot>.stride == 32)
  }

  @Test func arityCountsTheName() throws {
    let table = testTable()
    let get = try info("get", table)
    #expect(get.accepts(count: 2) && !get.accepts(count: 1) && !get.accepts(count: 3))
    let set = try info("set", table)
    #expect(!set.accepts(count: 2) && set.accepts(count: 3) && set.accepts(count: 9))
  }

  @Test func categoriesFollowFromFlags() throws {
    let table = testTable()
    let get = try info("get", table).categories
    #expect(get == [.read, .string, .fast])
    let keys = try info("keys", table).categories
    #expect(keys == [.keyspace, .read, .slow, .dangerous])
    let eval = try info("eval", table).categories
    #expect(eval == [.scripting, .slow])
    let del = try info("del", table).categories
    #expect(del == [.keyspace, .write, .slow])
  }

  @Test func firstKeyIsKnownWithoutASearch() throws {
    let table = testTable()
    func first(_ words: String...) throws -> String? {
      let info = try info(words[0], table)
      return withRequest(words) { arguments in
        guard let key = info.firstKey(of: arguments) else { return nil }
        return String(decoding: key.indices.map { key[$0] }, as: UTF8.self)
      }
    }
    #expect(try first("get", "a") == "a")
    #expect(try first("bitop", "and", "d", "s") == "d")
    #expect(try first("eval", "return 1", "1", "k") == "k")
    #expect(try first("eval", "return 1", "0") == nil)
    #expect(try first("randomkey") == nil)
  }

  private func mixed(_ name: String) -> String {
    String(
      name.enumerated().map { $0.offset % 2 == 0 ? Character($0.element.lowercased()) : $0.element }
    )
  }
}

/// The facts of a command by its full name.
func info(
  _ name: String, _ table: borrowing CommandTable<TestHost>
) throws -> CommandInfo {
  let bytes = Array(name.utf8)
  let found = table.find(fullName: bytes.span)
  let id = try #require(found)
  return table[id]
}
