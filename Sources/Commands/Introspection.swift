// Introspection: COMMAND and its subcommands, and every container's HELP, answered from the rows.
//
// 1. A reply lists commands in row order; Redis lists them in the order of its hash table, and
//    clients rely on neither.

import Bytes
import Keyspace
import RESP

extension Handler where Host: ~Copyable {
  /// COMMAND
  public static var commandAll: Handler {
    .table { _, table, reply in table.replyInfo(&reply) }
  }

  /// COMMAND COUNT
  public static var commandCount: Handler {
    .table { _, table, reply in reply.integer(table.topLevelCount) }
  }

  /// COMMAND INFO [name ...]
  public static var commandInfo: Handler {
    .table { arguments, table, reply in
      guard arguments.count > 2 else { return table.replyInfo(&reply) }
      reply.array(arguments.count - 2)
      for index in 2..<arguments.count {
        if let id = table.find(fullName: arguments[index]) {
          table.replyInfo(id, &reply)
        } else {
          reply.null()
        }
      }
    }
  }

  /// COMMAND DOCS [name ...]
  public static var commandDocs: Handler {
    .table { arguments, table, reply in
      var ids: [CommandID] = []
      if arguments.count > 2 {
        for index in 2..<arguments.count {
          if let id = table.find(fullName: arguments[index]) { ids.append(id) }
        }
      } else {
        ids = table.topLevelIDs
      }
      reply.map(ids.count)
      for id in ids {
        reply.bulk(table.fullName(id))
        table.replyDocs(id, &reply)
      }
    }
  }

  /// COMMAND LIST [FILTERBY MODULE|ACLCAT|PATTERN value]
  public static var commandList: Handler {
    .table { arguments, table, reply throws(CommandError) in
      let filter = try CommandFilter(arguments)
      var names: [String] = []
      for parent in table.topLevelIDs {
        let info = table[parent]
        if filter.accepts(info, table.fullName(parent), arguments) {
          names.append(table.fullName(parent))
        }
        for id in table.subcommandIDs(of: parent)
        where filter.accepts(table[id], table.fullName(id), arguments) {
          names.append(table.fullName(id))
        }
      }
      reply.array(names.count)
      for name in names { reply.bulk(name) }
    }
  }

  /// COMMAND GETKEYS name argument ...
  public static var commandGetKeys: Handler {
    .table { arguments, table, reply throws(CommandError) in
      for key in try table.keysOfInner(arguments, &reply) {
        reply.bulk(arguments[key.position + 2])
      }
    }
  }

  /// COMMAND GETKEYSANDFLAGS name argument ...
  public static var commandGetKeysAndFlags: Handler {
    .table { arguments, table, reply throws(CommandError) in
      for key in try table.keysOfInner(arguments, &reply) {
        reply.array(2)
        reply.bulk(arguments[key.position + 2])
        reply.flags(key.flags)
      }
    }
  }

  /// The HELP subcommand of any container: its subcommands, their usage and summaries.
  public static var help: Handler {
    .table { arguments, table, reply in
      guard let container = table.index.find(arguments[0]) else { return }
      var lines: [String] = []
      if table.handler(container) != nil {
        lines += ["(no subcommand)", "    \(table.rows[container.index].summary)"]
      }
      for id in table.subcommandIDs(of: container) {
        let row = table.rows[id.index]
        if row.name == "HELP" { continue }
        let usage = Argument.usage(of: row.arguments)
        lines.append(usage.isEmpty ? row.name : "\(row.name) \(usage)")
        lines.append("    \(row.summary)")
      }
      reply.help(table.rows[container.index].name, lines)
    }
  }
}

/// What COMMAND LIST is asked for.
private enum CommandFilter {
  case all
  /// There are no modules.
  case nothing
  case category(ACLCategories)
  /// A glob over full names, in any case; argument 4 is the pattern.
  case pattern

  init(_ arguments: borrowing Arguments) throws(CommandError) {
    if arguments.count == 2 {
      self = .all
      return
    }
    guard arguments.count == 5, arguments.equals(2, "FILTERBY") else { throw .syntax }
    if arguments.equals(3, "MODULE") {
      self = .nothing
    } else if arguments.equals(3, "ACLCAT") {
      let name = arguments[4]
      let category = ACLCategories.names.first { name.equalsIgnoringCase($0.name.utf8.span) }
      self = category.map { .category($0.flag) } ?? .nothing
    } else if arguments.equals(3, "PATTERN") {
      self = .pattern
    } else {
      throw .syntax
    }
  }

  func accepts(_ info: CommandInfo, _ fullName: String, _ arguments: borrowing Arguments) -> Bool {
    switch self {
    case .all: true
    case .nothing: false
    case .category(let category): info.categories.contains(category)
    case .pattern:
      Glob.matches(fullName.utf8.span, pattern: arguments[4], ignoringCase: true)
    }
  }
}

extension CommandTable where Host: ~Copyable {
  var topLevelIDs: [CommandID] { (0..<topLevelCount).map { CommandID(rawValue: UInt16($0)) } }

  func subcommandIDs(of parent: CommandID) -> [CommandID] {
    let info = self[parent]
    let first = info.firstSubcommand.rawValue
    return (0..<info.subcommandCount).map { CommandID(rawValue: first + $0) }
  }

  /// The keys of the request that is itself the argument of COMMAND GETKEYS; writes the header.
  fileprivate func keysOfInner(
    _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer
  ) throws(CommandError) -> [KeyReference] {
    guard var id = index.find(arguments[2]) else {
      throw .fixed("ERR Invalid command specified")
    }
    if self[id].isContainer && arguments.count > 3 {
      guard let subcommand = index.find(arguments[3], in: id) else {
        throw .fixed("ERR Invalid command specified")
      }
      id = subcommand
    }
    guard hasKeys(id) else { throw .fixed("ERR The command has no key arguments") }
    guard self[id].accepts(count: arguments.count - 2) else {
      throw .fixed("ERR Invalid number of arguments specified for command")
    }
    var found: [KeyReference] = []
    if !keys(of: id, in: arguments, from: 2, into: &found) {
      guard self[id].flags.contains(.noMandatoryKeys) else {
        throw .fixed("ERR Invalid arguments specified for command")
      }
    }
    reply.array(found.count)
    return found
  }

  fileprivate func replyInfo(_ reply: inout ReplyBuffer) {
    reply.array(topLevelCount)
    for id in topLevelIDs { replyInfo(id, &reply) }
  }

  /// One command's facts, as an array of ten.
  public func replyInfo(_ id: CommandID, _ reply: inout ReplyBuffer) {
    let info = self[id]
    let row = rows[id.index]
    reply.array(10)
    reply.bulk(fullName(id))
    reply.integer(Int(info.arity))
    reply.flags(info.flags)
    reply.integer(Int(info.firstKey))
    reply.integer(Int(info.lastKey))
    reply.integer(Int(info.keyStep))
    let categories = info.categories.printedNames
    reply.set(categories.count)
    for category in categories { reply.simple("@\(category)") }
    reply.set(row.tips.count)
    for tip in row.tips { reply.bulk(tip) }
    reply.set(row.keys.count)
    for spec in row.keys { reply.keySpec(spec) }
    let subcommands = subcommandIDs(of: id)
    // Redis types the empty list as a set and any other as an array.
    if subcommands.isEmpty { reply.set(0) } else { reply.array(subcommands.count) }
    for subcommand in subcommands { replyInfo(subcommand, &reply) }
  }

  /// One command's documentation, as a map.
  public func replyDocs(_ id: CommandID, _ reply: inout ReplyBuffer) {
    let row = rows[id.index]
    let subcommands = subcommandIDs(of: id)
    let isFlagged = row.deprecated != nil || row.isInternal
    var count = 3
    if row.complexity != nil { count += 1 }
    if isFlagged { count += 1 }
    if let deprecated = row.deprecated { count += deprecated.replacedBy == nil ? 1 : 2 }
    if !row.history.isEmpty { count += 1 }
    if !row.arguments.isEmpty { count += 1 }
    if !subcommands.isEmpty { count += 1 }
    reply.map(count)
    reply.pair("summary", row.summary)
    reply.pair("since", row.since)
    reply.pair("group", row.group.rawValue)
    if let complexity = row.complexity { reply.pair("complexity", complexity) }
    if isFlagged {
      reply.bulk("doc_flags")
      reply.set((row.deprecated == nil ? 0 : 1) + (row.isInternal ? 1 : 0))
      if row.deprecated != nil { reply.simple("deprecated") }
      if row.isInternal { reply.simple("syscmd") }
    }
    if let deprecated = row.deprecated {
      reply.pair("deprecated_since", deprecated.since)
      if let replacement = deprecated.replacedBy { reply.pair("replaced_by", replacement) }
    }
    if !row.history.isEmpty {
      reply.bulk("history")
      reply.set(row.history.count)
      for (version, change) in row.history {
        reply.array(2)
        reply.bulk(version)
        reply.bulk(change)
      }
    }
    if !row.arguments.isEmpty {
      reply.bulk("arguments")
      reply.arguments(row.arguments)
    }
    if subcommands.isEmpty { return }
    reply.bulk("subcommands")
    reply.map(subcommands.count)
    for subcommand in subcommands {
      reply.bulk(fullName(subcommand))
      replyDocs(subcommand, &reply)
    }
  }
}

extension ReplyBuffer {
  fileprivate mutating func pair(_ key: StaticString, _ value: String) {
    bulk(key)
    bulk(value)
  }

  fileprivate mutating func pair(_ key: StaticString, _ value: Int) {
    bulk(key)
    integer(value)
  }

  /// A set of the names of the flags that are set.
  public mutating func flags<Flags: NamedFlags>(_ flags: Flags) where Flags.Element == Flags {
    let names = flags.printedNames
    set(names.count)
    for name in names { simple(name) }
  }

  fileprivate mutating func keySpec(_ spec: KeySpec) {
    map(spec.notes == nil ? 3 : 4)
    if let notes = spec.notes { pair("notes", notes) }
    bulk("flags")
    flags(spec.flags)
    bulk("begin_search")
    map(2)
    switch spec.beginSearch {
    case .index(let index):
      typed("index", 1)
      pair("index", index)
    case .keyword(let keyword, let startFrom):
      typed("keyword", 2)
      bulk("keyword")
      bulk(keyword)
      pair("startfrom", startFrom)
    case .unknown:
      typed("unknown", 0)
    }
    bulk("find_keys")
    map(2)
    switch spec.findKeys {
    case .range(let lastKey, let step, let limit):
      typed("range", 3)
      pair("lastkey", lastKey)
      pair("keystep", step)
      pair("limit", limit)
    case .count(let at, let firstKey, let step):
      typed("keynum", 3)
      pair("keynumidx", at)
      pair("firstkey", firstKey)
      pair("keystep", step)
    case .unknown:
      typed("unknown", 0)
    }
  }

  /// The type of a key search, and the header of its `count` parameters.
  private mutating func typed(_ type: StaticString, _ count: Int) {
    bulk("type")
    bulk(type)
    bulk("spec")
    map(count)
  }

  fileprivate mutating func arguments(_ arguments: [Argument]) {
    array(arguments.count)
    for argument in arguments {
      let isNested = argument.kind == .oneOf || argument.kind == .block
      var count = 3
      if argument.keySpec != nil { count += 1 }
      if argument.token != nil { count += 1 }
      if argument.since != nil { count += 1 }
      if argument.deprecatedSince != nil { count += 1 }
      if !argument.flags.isEmpty { count += 1 }
      map(count)
      pair("name", argument.name)
      pair("type", argument.kind.rawValue)
      if !isNested { pair("display_text", argument.display ?? argument.name) }
      if let spec = argument.keySpec { pair("key_spec_index", spec) }
      if let token = argument.token { pair("token", token) }
      if let since = argument.since { pair("since", since) }
      if let version = argument.deprecatedSince { pair("deprecated_since", version) }
      if !argument.flags.isEmpty {
        bulk("flags")
        flags(argument.flags)
      }
      if isNested {
        bulk("arguments")
        self.arguments(argument.arguments)
      }
    }
  }
}
