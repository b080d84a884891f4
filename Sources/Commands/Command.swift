// Command: one row of the command table.
//
//   Command(
//     "GET", arity: 2, [.readOnly, .fast], .string, .keyspace(StringHandlers.get),
//     keys: [.key(1, [.readOnly, .access])],
//     summary: "Returns a key's string.", since: "1.0.0", complexity: "O(1)", arguments: [.key()])
//
// A row is all there is to know about a command: dispatch, arity checks, access control, cluster
// routing, COMMAND and the HELP texts read it, and nothing else lists commands.
//
// 1. A container's subcommands name only their own word; they belong to the container's group.
// 2. A row without a handler is a container.

import Keyspace
import RESP

/// What carries a command out. What it may touch is its parameter list.
public enum Handler<Host: ~Copyable>: Sendable {
  /// Works on data alone.
  case keyspace(KeyspaceHandler)
  /// Works on data alone, and may ask to be tried again when there is some (Wait).
  case blocking(BlockingHandler)
  /// Replies what may be long, and may leave the rest of it to be replied later (LongReply).
  case long(LongHandler)
  /// Works on the server: clients, configuration, statistics.
  case host(
    @Sendable (borrowing Arguments, inout Host, inout ReplyBuffer) throws(CommandError) -> Void)
  /// Answers from the command table alone.
  case table(
    @Sendable (borrowing Arguments, borrowing CommandTable<Host>, inout ReplyBuffer)
      throws(CommandError) -> Void)
}

public typealias KeyspaceHandler =
  @Sendable (borrowing Arguments, inout Keyspace, inout ReplyBuffer) throws(CommandError) -> Void

public typealias BlockingHandler =
  @Sendable (borrowing Arguments, inout Keyspace, inout Wait, inout ReplyBuffer)
  throws(CommandError) -> Void

public typealias LongHandler =
  @Sendable (borrowing Arguments, inout Keyspace, inout LongReply, inout ReplyBuffer)
  throws(CommandError) -> Void

public enum CommandGroup: String, Sendable {
  case generic, string, list, set
  case sortedSet = "sorted-set"
  case hash, pubsub, transactions, connection, server, scripting, hyperloglog, cluster, sentinel
  case geo, stream, bitmap
}

/// When a command went out of favour, and for what.
public struct Deprecation: Sendable {
  public let since: String
  public let replacedBy: String?

  @inline(never) public init(since: String, replacedBy: String? = nil) {
    self.since = since
    self.replacedBy = replacedBy
  }
}

public struct Command<Host: ~Copyable>: Sendable {
  /// As documented, in capitals.
  public let name: String
  /// How many arguments, the name included; negative means at least that many.
  public let arity: Int
  public let flags: CommandFlags
  /// Those of the row and those that its flags imply.
  public let categories: ACLCategories
  public let keys: [KeySpec]
  /// Finds the keys where the specs cannot tell, or cannot tell their flags.
  public let keyFunction: KeyFunction?
  public let handler: Handler<Host>?

  public internal(set) var group = CommandGroup.generic
  public let summary: String
  public let since: String
  public let complexity: String?
  public let deprecated: Deprecation?
  /// For the server's own use, not for clients.
  public let isInternal: Bool
  public let tips: [String]
  /// Version and what it changed.
  public let history: KeyValuePairs<String, String>
  public let arguments: [Argument]
  public internal(set) var subcommands: [Command]

  @inline(never) public init(
    _ name: String, arity: Int, _ flags: CommandFlags = [], _ categories: ACLCategories = [],
    _ handler: Handler<Host>? = nil, keys: [KeySpec] = [], keyFunction: KeyFunction? = nil,
    summary: String, since: String, complexity: String? = nil, deprecated: Deprecation? = nil,
    isInternal: Bool = false, tips: [String] = [], history: KeyValuePairs<String, String> = [:],
    arguments: [Argument] = [], @CommandList<Host> subcommands: () -> [Command] = { [] }
  ) {
    self.name = name
    self.arity = arity
    self.flags = keys.haveMovableKeys ? flags.union(.movableKeys) : flags
    self.categories = .derived(from: categories, flags)
    self.handler = handler
    self.keys = keys
    self.keyFunction = keyFunction
    self.summary = summary
    self.since = since
    self.complexity = complexity
    self.deprecated = deprecated
    self.isInternal = isInternal
    self.tips = tips
    self.history = history
    self.arguments = arguments
    self.subcommands = subcommands()
  }

  fileprivate func placed(in group: CommandGroup) -> Command {
    var row = self
    row.group = group
    row.subcommands = subcommands.map { $0.placed(in: group) }
    return row
  }
}

/// Builds a list of rows, headed by the group that they belong to (subcommands: by nothing). Each
/// row is type-checked by itself; one large array literal takes the compiler minutes.
///
/// A list is marked `@_optimize(none)`: it runs once, and optimizing it took most of the build.
@resultBuilder
public enum CommandList<Host: ~Copyable> {
  public struct Rows {
    var group: CommandGroup?
    var rows: [Command<Host>]
  }

  public static func buildExpression(_ row: Command<Host>) -> Command<Host> { row }
  public static func buildExpression(_ group: CommandGroup) -> CommandGroup { group }

  public static func buildPartialBlock(first: CommandGroup) -> Rows {
    Rows(group: first, rows: [])
  }

  public static func buildPartialBlock(first: Command<Host>) -> Rows {
    Rows(group: nil, rows: [first])
  }

  public static func buildPartialBlock(accumulated: Rows, next: Command<Host>) -> Rows {
    Rows(group: accumulated.group, rows: accumulated.rows + [next])
  }

  public static func buildFinalResult(_ list: Rows) -> [Command<Host>] {
    guard let group = list.group else { return list.rows }
    return list.rows.map { $0.placed(in: group) }
  }
}
