// DirectiveTable: all directives of Redis 7.2 and Ferrite's own, found by name.
//
// 1. CONFIG GET answers, and CONFIG REWRITE appends, in the order of this table.
// 2. Names and aliases are lower case and unique.

struct DirectiveTable: Sendable {
  static let shared = DirectiveTable(
    Directive.network + Directive.process + Directive.memory + Directive.encodings
      + Directive.observation + Directive.persistence + Directive.replication + Directive.cluster
      + Directive.tls)

  /// What a name leads to: a row, and the name in the table's spelling.
  struct Entry: Sendable {
    let row: Int
    let name: String
  }

  let rows: [Directive]
  private let entries: [String: Entry]

  init(_ rows: [Directive]) {
    self.rows = rows
    var entries: [String: Entry] = [:]
    for (row, directive) in rows.enumerated() {
      for name in [directive.name, directive.alias].compactMap({ $0 }) {
        let previous = entries.updateValue(Entry(row: row, name: name), forKey: name)
        precondition(previous == nil, "two directives are called \(name)")
      }
    }
    self.entries = entries
  }

  /// The entry called `name`, in any case of letters.
  func entry(_ name: [UInt8]) -> Entry? {
    entries[ConfigurationText.string(ConfigurationText.lowercased(name))]
  }

  subscript(entry: Entry) -> Directive { rows[entry.row] }

  /// Directives of the past that say nothing any more; Redis takes them in silence.
  static let deprecated: Set<String> = [
    "list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands",
  ]

  /// Words that only a file may hold: they are not settings, so REWRITE leaves their lines alone.
  static let fileOnly: Set<String> = [
    "include", "rename-command", "user", "loadmodule", "sentinel",
  ]
}

/// The largest value of C's int and unsigned int, which bound many of Redis' settings.
let int32Max = Int(Int32.max)
let uint32Max = Int(UInt32.max)
