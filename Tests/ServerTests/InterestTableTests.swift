// Who cares about which key: the table against dictionaries, and the queue of deadlines.

import Bytes
import Testing

@testable import Server

@Suite struct InterestTableTests {
  private struct Named: Hashable {
    var hash: UInt64
    var database: Int32
  }

  /// Few hashes and databases, so that clients meet; some differ in the database alone.
  @Test(arguments: 0..<24)
  func sameAsDictionaries(seed: Int) {
    var random = Seeded(seed)
    var table = InterestTable()
    var waiting: [Named: [Int]] = [:]
    for _ in 0..<600 {
      let client = random.below(30)
      if random.below(4) == 0 {
        table.removeAll(of: client)
        for key in waiting.keys { waiting[key]?.removeAll { $0 == client } }
        waiting = waiting.filter { !$0.value.isEmpty }
      } else {
        let key = Named(
          hash: UInt64(random.below(20)) &* 0x1_0000_0001, database: Int32(random.below(3)))
        if !table.contains(client, key.hash, key.database) {
          let mark = InterestTable.Mark(
            offset: client, count: 1, flags: UInt8(random.below(2)))
          table.add(client, key.hash, key.database, mark)
          waiting[key, default: []].append(client)
        }
      }
      table.checkInvariants()
      #expect(table.keyCount == waiting.count)
      for (key, clients) in waiting {
        let found = order(table, key)
        #expect(found == clients, "seed \(seed)")
      }
    }
    for client in 0..<30 { table.removeAll(of: client) }
    table.checkInvariants()
    #expect(table.count == 0)
    #expect(table.keyCount == 0)
  }

  private func order(_ table: borrowing InterestTable, _ key: Named) -> [Int] {
    let number = table.find(key.hash, key.database)
    guard number >= 0 else { return [] }
    var clients: [Int] = []
    var index = table.keys[Int(number)].first
    while index >= 0 {
      clients.append(Int(table[index].client))
      index = table[index].nextOfKey
    }
    return clients
  }

  /// A client's keys are given together, and the same one may be among them twice.
  @Test func aClientStandsOnceWithAKey() {
    var table = InterestTable()
    let mark = InterestTable.Mark(offset: 0, count: 1)
    for _ in 0..<3 { table.add(7, 1, 0, mark) }
    table.add(8, 1, 0, mark)
    #expect(table.count == 2)
    table.checkInvariants()
    table.removeAll(of: 7)
    #expect(table.count == 1)
    table.checkInvariants()
  }

  @Test func manyClientsOnManyKeys() {
    var table = InterestTable()
    let count = 20_000
    let mark = InterestTable.Mark(offset: 0, count: 1)
    for client in 0..<count {
      table.add(client, UInt64(client) &* 0x9E37_79B9_7F4A_7C15, 0, mark)
      table.add(client, 5, 1, mark)
    }
    #expect(table.count == 2 * count)
    #expect(table.keyCount == count + 1)
    #expect(table.find(12345, 0) == -1)
    for client in stride(from: count - 1, through: 0, by: -1) { table.removeAll(of: client) }
    table.checkInvariants()
    #expect(table.count == 0)
  }

  @Test(arguments: 0..<16)
  func deadlinesComeInOrder(seed: Int) {
    var random = Seeded(seed)
    var queue = DeadlineQueue()
    var deadlines: [Int: Int] = [:]
    for _ in 0..<800 {
      let client = random.below(60)
      switch random.below(3) {
      case 0:
        queue.remove(client)
        deadlines[client] = nil
      case 1 where queue.first != nil:
        guard let first = queue.first else { break }
        #expect(first.deadline == deadlines.values.min(), "seed \(seed)")
        #expect(deadlines[Int(first.client)] == first.deadline)
        queue.remove(Int(first.client))
        deadlines[Int(first.client)] = nil
      default:
        if deadlines[client] == nil {
          let deadline = random.below(40)
          queue.insert(client, deadline: deadline)
          deadlines[client] = deadline
        }
      }
      queue.checkInvariants()
      #expect(queue.count == deadlines.count)
    }
  }
}

private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) &* 0x2545_F491_4F6C_DD1D &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
}
