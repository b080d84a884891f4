// CommandTable: all rows, numbered; built once when the server starts.
//
//   ids   0 ..................... topLevelCount ............... count
//         commands in row order   subcommands, container by container
//
// A command that the operator renamed keeps its row and its full name; only its look-up changes.
//
// 1. Rows and the index have the same numbers.

import RESP

public struct CommandTable<Host: ~Copyable>: ~Copyable, Sendable {
  /// Look-up by name and the compact facts, for dispatch.
  public let index: CommandIndex
  /// By id. Subcommands have rows of their own.
  public let rows: [Command<Host>]
  /// In lower case, a subcommand as "config|get". By id.
  public let fullNames: [String]
  /// How many ids are commands rather than subcommands.
  public let topLevelCount: Int
  @usableFromInline let handlers: [Handler<Host>?]

  /// - Parameter renamed: other names under which commands are called, one after the other: a
  ///   command whose new name is empty is left out. A name that no command has is passed over.
  public init(_ commands: [Command<Host>], renamed: [(from: String, to: String)] = []) {
    var called = commands.map { $0.name }
    for (old, new) in renamed {
      guard let id = called.firstIndex(of: old.uppercased()) else { continue }
      called[id] = new.uppercased()
    }
    let commands = zip(commands, called).filter { !$0.1.isEmpty }.map { $0.0 }
    called.removeAll { $0.isEmpty }
    var rows = commands
    var names: [(name: [UInt8], parent: UInt16)] = []
    var fullNames: [String] = []
    var infos: [CommandInfo] = []
    for (row, name) in zip(commands, called) {
      names.append((Array(name.utf8), CommandIndex.none))
      fullNames.append(row.name.lowercased())
    }
    for (id, row) in commands.enumerated() {
      infos.append(CommandInfo(row, parent: id, firstSubcommand: rows.count))
      for subcommand in row.subcommands {
        rows.append(subcommand)
        names.append((Array(subcommand.name.utf8), UInt16(id)))
        fullNames.append("\(fullNames[id])|\(subcommand.name.lowercased())")
      }
    }
    for id in commands.count..<rows.count {
      infos.append(CommandInfo(rows[id], parent: Int(names[id].parent), firstSubcommand: 0))
    }
    index = CommandIndex(names: names, infos: infos)
    handlers = rows.map { $0.handler }
    topLevelCount = commands.count
    self.rows = rows
    self.fullNames = fullNames
  }

  @inlinable public var count: Int { index.count }
  @inlinable public subscript(_ id: CommandID) -> CommandInfo { index[id] }

  /// What carries the command out; nil for a container.
  @inlinable public func handler(_ id: CommandID) -> Handler<Host>? { handlers[id.index] }

  public func fullName(_ id: CommandID) -> String { fullNames[id.index] }

  /// The command that "get" or "config|get" names, as in COMMAND INFO.
  public func find(fullName: borrowing Span<UInt8>) -> CommandID? {
    var bar = 0
    while bar < fullName.count && fullName[bar] != 0x7C { bar += 1 }
    guard let id = index.find(fullName.extracting(0..<bar)) else { return nil }
    if bar == fullName.count { return id }
    return index.find(fullName.extracting((bar + 1)..<fullName.count), in: id)
  }

  /// Whether the command can have keys at all.
  public func hasKeys(_ id: CommandID) -> Bool {
    let row = rows[id.index]
    return row.keyFunction != nil || row.keys.contains { !$0.flags.contains(.notKey) }
  }

  /// Appends the keys of a request whose command's name stands at `offset` of the arguments;
  /// positions count from there. False, and nothing appended, when the arguments make no sense or
  /// there is no key.
  public func keys(
    of id: CommandID, in arguments: borrowing Arguments, from offset: Int = 0,
    into keys: inout [KeyReference]
  ) -> Bool {
    let row = rows[id.index]
    let before = keys.count
    let specs = row.keys.filter { !$0.flags.contains(.notKey) }
    let reliable = !row.keys.contains { $0.flags.contains(.variableFlags) }
    if !specs.isEmpty && reliable {
      var valid = true
      for spec in specs where valid {
        valid = spec.find(in: arguments, from: offset, into: &keys)
      }
      if valid { return keys.count > before }
      keys.removeSubrange(before...)
    }
    guard let keyFunction = row.keyFunction else { return false }
    if keyFunction(arguments, offset, &keys) && keys.count > before { return true }
    keys.removeSubrange(before...)
    return false
  }
}

extension CommandInfo {
  init<Host: ~Copyable>(_ row: Command<Host>, parent: Int, firstSubcommand: Int) {
    let range = row.keys.legacyRange
    flags = row.flags
    categories = row.categories
    arity = Int16(row.arity)
    prefetchKey = Int16(row.keys.map { $0.firstKeyPosition }.first { $0 > 0 } ?? 0)
    firstKey = Int16(range.first)
    lastKey = Int16(range.last)
    keyStep = Int16(range.step)
    subcommandCount = UInt16(row.subcommands.count)
    self.firstSubcommand = CommandID(rawValue: UInt16(firstSubcommand))
    self.parent = CommandID(rawValue: UInt16(parent))
  }
}

extension [KeySpec] {
  /// The one range of keys that clients from before key specs understand: all plain ranges, as
  /// long as each begins where the one before ended. `complete` says whether it finds every key.
  var legacyRange: (first: Int, last: Int, step: Int, complete: Bool) {
    if count == 1, case .index(let first) = self[0].beginSearch,
      case .range(let last, let step, _) = self[0].findKeys
    {
      let complete = !self[0].flags.contains(.incomplete)
      return (first, last >= 0 ? first + last : last, step, complete)
    }
    var result = (first: 0, last: 0, step: 0, complete: true)
    for spec in self {
      guard case .index(let first) = spec.beginSearch,
        case .range(let lastKey, let step, _) = spec.findKeys, step == 1,
        result.last == 0 || result.last == first - 1
      else {
        result.complete = false
        continue
      }
      if spec.flags.contains(.incomplete) { result.complete = false }
      let last = lastKey >= 0 ? first + lastKey : lastKey
      if result.first == 0 || first < result.first { result.first = first }
      // A last key that counts from the end lies behind every other.
      if result.last >= 0 { result.last = last < 0 ? last : Swift.max(result.last, last) }
      result.step = 1
    }
    return result
  }

  var haveMovableKeys: Bool { !legacyRange.complete }
}
