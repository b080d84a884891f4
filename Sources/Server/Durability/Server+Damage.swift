// Server+Damage: what the scrub of the image has found, told with the keys that it concerns.
//
//   scrub ──► damaged pages ──► search through the tables, a millisecond a turn of cron ──► the log

import Keyspace
import Memory
import Platform
import Storage

struct DamageReport {
  /// The pages that were told.
  var pages: [Int] = []
  var search: PageOwners?
  /// Keys that have something in them.
  var keyCount = 0
}

extension Server {
  private static var searchMicroseconds: Double { 1000 }

  // cold: by cron
  mutating func reportDamage() {
    if damage.search != nil { return searchOn() }
    let scrub = storage!.scrub
    guard !scrub.isUnderWay, !scrub.progress.damagedPages.isEmpty,
      scrub.progress.damagedPages != damage.pages
    else { return }
    damage.pages = scrub.progress.damagedPages
    damage.search = keys.owners(of: damage.pages)
  }

  // cold: an image is damaged
  private mutating func searchOn() {
    guard var search = damage.search.take() else { return }
    let start = Ticks.now()
    while ticks.microseconds(Ticks.now() &- start) < Self.searchMicroseconds {
      guard search.step(keys.arena.reader) else { return tell(search) }
    }
    damage.search = search
  }

  // cold: an image is damaged
  private mutating func tell(_ search: PageOwners) {
    damage.keyCount = Set(search.owners.compactMap(\.key)).count + search.moreCount
    for page in damage.pages.prefix(100) {
      log.error(
        """
        Page \(page) of the image does not have its checksum: it holds \
        \(search.description(ofPage: page))
        """)
    }
    if damage.pages.count > 100 {
      log.error("\(damage.pages.count - 100) more pages of the image do not have their checksum")
    }
  }
}
