// Keyspace+Damage: whose data a damaged page of an image holds. Structures' PageOwners does the
// search; this file knows where the databases' tables are.

import Memory
import Structures

public typealias PageOwners = Structures.PageOwners

extension Keyspace {
  /// Begins a search for the keys that have something in `pages`, in this keyspace.
  public func owners(of pages: [Int]) -> PageOwners {
    PageOwners(
      of: pages, tables: (0..<databases.count).map { databases[$0].table.root.unit },
      usedBytes: arena.usedBytes)
  }

  /// The same in an image as it lies on the medium, which may be damaged anywhere.
  public static func owners(of pages: [Int], in view: FrozenView) -> PageOwners {
    let stored = view.root(countRoot)
    let unit = view.root(recordsRoot)
    var tables: [UInt64] = []
    let place = Int(truncatingIfNeeded: unit << 3)
    if unit >> 40 == 0, unit > 0, stored <= 1 << 20,
      place + Int(stored) * Database.recordBytes <= view.usedBytes
    {
      tables = (0..<Int(stored)).map {
        view.reader.word(record(Ref(unit: unit), $0), 0)
      }
    }
    return PageOwners(of: pages, tables: tables, usedBytes: view.usedBytes)
  }
}

extension PageOwners {
  /// A text for people: what is known of one page. Bounded.
  // cold: an image is damaged
  public func description(ofPage page: Int) -> String {
    let own = owners.filter { $0.page == page }
    var parts: [String] = []
    for owner in own {
      guard let key = owner.key else {
        parts.append("a part of the table of database \(owner.database)")
        continue
      }
      parts.append("\"\(PageOwners.text(key))\" (database \(owner.database))")
    }
    guard !parts.isEmpty else {
      return ownedPages.contains(page)
        ? "more keys than can be listed"
        : "no key's data: deadlines, the allocator's own, or free"
    }
    return parts.joined(separator: ", ")
  }

  /// Printable bytes as they are, others in hexadecimal.
  // cold: an image is damaged
  private static func text(_ key: [UInt8]) -> String {
    var text = ""
    for byte in key {
      if byte >= 32 && byte < 127 && byte != 34 && byte != 92 {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return text
  }
}
