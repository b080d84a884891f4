// The stream of effects: groups, databases, offsets, and what a replay of it gives.

import Bytes
import Testing

@testable import Keyspace

extension EffectStream {
  fileprivate mutating func put(_ words: [StaticString], database: Int = 0) {
    begin(words.count, database: database)
    for text in words { word(text) }
  }

  fileprivate var parsed: [[String]] { commands(KeyspaceTests.bytes(bytes.span)) }
}

@Suite struct EffectStreamTests {
  /// Who reads the stream: the keys it knows, and the database that was selected last.
  struct Replica {
    var databases: [Set<String>]
    var selected = -1
  }

  @Test func bytesOfAnEffect() {
    var stream = EffectStream()
    stream.begin(3, database: 12)
    stream.word("SET")
    stream.word([0x61, 0x0D].span)
    stream.word(decimal: -120)
    stream.endGroup()
    let text = "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*3\r\n$3\r\nSET\r\n$2\r\na\r\r\n$4\r\n-120\r\n"
    #expect(bytes(stream.bytes.span) == Array(text.utf8))
    #expect(stream.offset == text.utf8.count)
  }

  @Test func aLargeWordGrowsTheBufferOnce() {
    var stream = EffectStream()
    stream.begin(2, database: 0)
    stream.word("APPEND")
    stream.word([UInt8](repeating: 7, count: 1 << 20).span)
    stream.endGroup()
    #expect(stream.bytes.capacity < 3 << 19)
  }

  @Test func groupsAreWrapped() {
    var stream = EffectStream()
    stream.put(["SET", "a", "1"])
    #expect(stream.hasGroup == true)
    stream.endGroup()
    #expect(stream.hasGroup == false)
    stream.put(["DEL", "a"])
    stream.put(["DEL", "b"])
    stream.put(["DEL", "c"])
    stream.endGroup()
    stream.endGroup()
    stream.put(["SET", "d", "1"])
    stream.endGroup()
    #expect(
      stream.parsed == [
        ["SELECT", "0"], ["SET", "a", "1"], ["MULTI"], ["DEL", "a"], ["DEL", "b"], ["DEL", "c"],
        ["EXEC"], ["SET", "d", "1"],
      ])
  }

  @Test func databasesAreSelected() {
    var stream = EffectStream()
    stream.put(["DEL", "a"], database: 3)
    stream.endGroup()
    stream.put(["DEL", "b"], database: 3)
    stream.put(["DEL", "c"], database: 5)
    stream.endGroup()
    stream.consume()
    stream.put(["DEL", "d"], database: 5)
    stream.endGroup()
    stream.put(["DEL", "e"], database: 3)
    stream.endGroup()
    #expect(stream.parsed == [["DEL", "d"], ["SELECT", "3"], ["DEL", "e"]])
  }

  @Test func recordsStandAlone() {
    var stream = EffectStream()
    stream.put(["DEL", "a"], database: 3)
    stream.endGroup()
    stream.endRecord()
    #expect(bytes(stream.bytes.span) == [])
    stream.put(["DEL", "b"], database: 3)
    stream.put(["DEL", "c"], database: 3)
    stream.endGroup()
    stream.put(["DEL", "d"], database: 3)
    stream.endGroup()
    #expect(
      stream.parsed == [
        ["SELECT", "3"], ["MULTI"], ["DEL", "b"], ["DEL", "c"], ["EXEC"], ["DEL", "d"],
      ])
  }

  @Test func selectInsideAGroup() {
    var stream = EffectStream()
    stream.put(["DEL", "b"], database: 3)
    stream.put(["DEL", "c"], database: 5)
    stream.put(["DEL", "d"], database: 3)
    stream.endGroup()
    #expect(
      stream.parsed == [
        ["SELECT", "3"], ["MULTI"], ["DEL", "b"], ["SELECT", "5"], ["DEL", "c"], ["SELECT", "3"],
        ["DEL", "d"], ["EXEC"],
      ])
  }

  /// Random groups: the offset counts every byte, whenever the bytes are consumed, and each group
  /// of several effects stands between MULTI and EXEC.
  @Test(arguments: 1...20)
  func randomGroups(seed: Int) {
    var random = Seeded(seed)
    var stream = EffectStream()
    var all: [UInt8] = []
    var expected: [[Int]] = []
    for number in 0..<300 {
      let count = random.below(4)
      var group: [Int] = []
      for _ in 0..<count {
        let database = random.below(3)
        if random.below(2) == 0 {
          stream.begin(2, database: database)
          stream.word("DEL")
          stream.word(decimal: number)
        } else {
          let text = "*2\r\n$3\r\nDEL\r\n$\("\(number)".utf8.count)\r\n\(number)\r\n"
          stream.append(request: Array(text.utf8).span, database: database)
        }
        group.append(database)
      }
      stream.endGroup()
      if count > 0 { expected.append(group) }
      if random.below(3) == 0 {
        all += bytes(stream.bytes.span)
        #expect(stream.offset == all.count)
        stream.consume()
        #expect(stream.bytes.count == 0)
      }
    }
    all += bytes(stream.bytes.span)
    #expect(stream.offset == all.count)
    #expect(replayed(commands(all)) == expected)
  }

  /// The databases of each group's effects, as a consumer would see them.
  private func replayed(_ commands: [[String]]) -> [[Int]] {
    var groups: [[Int]] = []
    var selected = -1
    var open: [Int]?
    for command in commands {
      switch command[0] {
      case "SELECT": selected = Int(command[1]) ?? -1
      case "MULTI":
        #expect(open == nil)
        open = []
      case "EXEC":
        #expect((open?.count ?? 0) >= 2)
        groups.append(open ?? [])
        open = nil
      default:
        if open != nil { open?.append(selected) } else { groups.append([selected]) }
      }
    }
    #expect(open == nil)
    return groups
  }

  /// Expiry and eviction delete keys on their own; their effects say so, so that a replay without
  /// any clock arrives at the same keys.
  @Test(arguments: 1...4)
  func removalsAreReplayed(seed: Int) throws {
    var random = Seeded(seed)
    var keys = try makeKeyspace(seed: seed)
    var replica = Replica(databases: .init(repeating: [], count: keys.databaseCount))
    keys.policy = .allKeysRandom
    for step in 0..<3000 {
      let name = "k\(random.below(400))"
      let database = random.below(keys.databaseCount)
      keys.select(database)
      let key = Array(name.utf8)
      switch random.below(4) {
      case 0, 1:
        // What the command SET would append.
        let deadline: Deadline =
          random.below(2) == 0 ? .none : .at(keys.now + random.below(20_000))
        try keys.set(key.span, value: [1].span, deadline: deadline)
        keys.effects.begin(3, database: database)
        keys.effects.word("SET")
        keys.effects.word(key.span)
        keys.effects.word("1")
      case 2: _ = keys.find(key.span)
      default:
        keys.now += random.below(500)
        _ = keys.expireSome(limit: 20)
      }
      keys.effects.endGroup()
      if step % 500 == 499 { _ = keys.evict(downTo: keys.usedBytes - 1000) }
      if step % 100 == 99 { replay(&keys, &replica) }
    }
    keys.now += 20_129
    keys.expireAll()
    replay(&keys, &replica)
    for (database, names) in replica.databases.enumerated() {
      #expect(names.count == keys.count(database: database))
      for name in names {
        let isThere = keys.exists(Array(name.utf8).span, database: database)
        #expect(isThere, "\(name) should be in database \(database)")
      }
    }
  }

  private func replay(_ keys: inout Keyspace, _ replica: inout Replica) {
    for command in commands(bytes(keys.effects.bytes.span)) {
      switch command[0] {
      case "SELECT": replica.selected = Int(command[1]) ?? 0
      case "SET": replica.databases[replica.selected].insert(command[1])
      case "DEL":
        let removed = replica.databases[replica.selected].remove(command[1])
        #expect(removed != nil, "a key was deleted that was not there")
      default: break
      }
    }
    keys.effects.consume()
  }
}
