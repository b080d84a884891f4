// Whose data a page holds: every page of a keyspace, by what the keys are known to have there.

import Bytes
import Memory
import Structures
import Testing

@testable import Keyspace

@Suite struct DamageTests {
  /// Keys with values of many sizes, so that pages hold entries, blobs and tables.
  private func filled() throws -> Keyspace {
    var keyspace = try makeKeyspace(seed: 3)
    for index in 0..<2000 {
      keyspace.select(index % 3)
      let count = index % 50 == 0 ? 30_000 : index % 300
      try keyspace.set(
        Array("key:\(index)".utf8).span, value: Array(repeating: UInt8(7), count: count).span,
        deadline: .none)
    }
    keyspace.effects.endGroup()
    return keyspace
  }

  private func owners(_ keyspace: borrowing Keyspace, _ pages: [Int]) -> Structures.PageOwners {
    var owners = keyspace.owners(of: pages)
    while owners.step(keyspace.arena.reader) {}
    return owners
  }

  @Test func entriesAndBlobsAreFound() throws {
    var keyspace = try filled()
    for index in stride(from: 0, to: 2000, by: 37) {
      keyspace.select(index % 3)
      let name = Array("key:\(index)".utf8)
      guard let key = keyspace.find(name.span) else {
        Issue.record("key \(index) is missing")
        continue
      }
      let facts = keyspace.facts(key)
      var offsets = [key.entry.offset]
      if !facts.blob.isNull { offsets += [facts.blob.offset, facts.blob.offset + 29_000] }
      for offset in offsets {
        let page = offset >> 12
        let found = owners(keyspace, [page])
        let isFound = found.owners.contains {
          $0.page == page && $0.database == index % 3 && $0.key == name
        }
        #expect(isFound, "key \(index), page \(page)")
        let text = "\"key:\(index)\" (database \(index % 3))"
        #expect(found.description(ofPage: page).contains(text))
      }
    }
  }

  @Test func aTableIsNamedAndAFreePageIsNobodys() throws {
    let keyspace = try filled()
    let table = keyspace.databases[1].table
    let found = owners(keyspace, [table.root.offset >> 12])
    #expect(found.owners.contains { $0.database == 1 && $0.key == nil })
    let beyond = owners(keyspace, [keyspace.arena.usedBytes >> 12])
    #expect(beyond.owners.isEmpty && !beyond.description(ofPage: 0).isEmpty)
  }

  /// Whatever a damaged page says, the search ends and stays inside.
  @Test(arguments: 0..<40)
  func damageIsSurvived(seed: Int) throws {
    var keyspace = try filled()
    var random = Seeded(seed)
    let pages = keyspace.arena.usedBytes >> 12
    var damaged: [Int] = []
    for _ in 0..<20 {
      // Behind the allocator's own pages.
      let page = 1025 + random.below(pages - 1025)
      damaged.append(page)
      for _ in 0..<200 {
        let unit = UInt64(page * 512 + random.below(512))
        let word = random.below(2) == 0 ? UInt64.max : UInt64(random.below(1 << 40))
        keyspace.arena.storeWord(Ref<Words>(unit: unit), 0, word)
      }
    }
    let found = owners(keyspace, damaged)
    #expect(found.ownedPages.isSubset(of: Set(damaged)))
  }
}
