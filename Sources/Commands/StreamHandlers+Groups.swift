// XGROUP and XACK: consumer groups, their consumers, and what they have dealt with. Rows: Streams.

import Bytes
import Keyspace
import RESP

extension CommandError {
  static func noSuchGroup(
    _ group: borrowing Span<UInt8>, _ key: borrowing Span<UInt8>
  ) -> CommandError {
    .custom("NOGROUP No such consumer group '\(text(group))' for key name '\(text(key))'")
  }

  fileprivate static var groupNeedsKey: CommandError {
    .fixed(
      """
      ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
      use the MKSTREAM option to create an empty stream automatically.
      """)
  }

  /// The reply to arguments that no subcommand has.
  fileprivate static func subcommandSyntax(_ args: borrowing Arguments) -> CommandError {
    let name = text(args[1].extracting(0..<min(args[1].count, 128)))
    return .custom(
      "ERR unknown subcommand or wrong number of arguments for '\(name)'. Try XGROUP HELP.")
  }
}

// MARK: Groups

extension StreamHandlers {
  /// The options of XGROUP CREATE and SETID.
  private struct GroupOptions: BitwiseCopyable {
    var makesStream = false
    /// -1 when it is not known.
    var entriesRead = -1

    init(_ args: borrowing Arguments, isCreating: Bool) throws(CommandError) {
      var index = 5
      while index < args.count {
        if isCreating && args.equals(index, "MKSTREAM") {
          makesStream = true
          index += 1
        } else if args.equals(index, "ENTRIESREAD") && index + 1 < args.count {
          guard let number = args[index + 1].parseInteger() else { throw .notInteger }
          guard number >= -1 else {
            throw .fixed("ERR value for ENTRIESREAD must be positive or -1")
          }
          entriesRead = number
          index += 2
        } else {
          throw .subcommandSyntax(args)
        }
      }
    }
  }

  static func xgroupCreate(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try GroupOptions(args, isCreating: true)
    let found = try keys.findStream(args[2])
    if found == nil && !options.makesStream { throw .groupNeedsKey }
    guard args.count <= 8 else { throw .subcommandSyntax(args) }
    let isLast = args[4].count == 1 && args[4][0] == 0x24
    let id =
      isLast
      ? found.map { keys.streamFacts($0).lastID } ?? .zero : try StreamID.strict(args[4])
    let stream: Key
    if let found { stream = found } else { stream = try keys.makeStream(args[2]) }
    guard keys.findGroup(stream, args[3]) == nil else {
      throw .fixed("BUSYGROUP Consumer Group name already exists")
    }
    do throws(CommandError) {
      try keys.makeGroup(stream, args[3], lastID: id, entriesRead: options.entriesRead)
    } catch {
      if found == nil { keys.remove(stream) }
      throw error
    }
    keys.didChange(stream)
    if isLast {
      keys.propagateGroup("CREATE", args, id, options.entriesRead, makesStream: found == nil)
    } else {
      keys.propagate(args)
    }
    reply.ok()
  }

  static func xgroupSetid(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try GroupOptions(args, isCreating: false)
    let (stream, group) = try group(args, &keys)
    guard args.count == 5 || args.count == 7 else { throw .subcommandSyntax(args) }
    let isLast = args[4].count == 1 && args[4][0] == 0x24
    let id = isLast ? keys.streamFacts(stream).lastID : try StreamID.loose(args[4])
    keys.setGroup(group, lastID: id, entriesRead: options.entriesRead)
    keys.didChange(stream)
    keys.propagateGroup("SETID", args, id, options.entriesRead)
    reply.ok()
  }

  /// The stream and the group that XGROUP's first two arguments name.
  private static func group(
    _ args: borrowing Arguments, _ keys: inout Keyspace
  ) throws(CommandError) -> (Key, StreamGroup) {
    guard let stream = try keys.findStream(args[2]) else { throw .groupNeedsKey }
    guard let group = keys.findGroup(stream, args[3]) else { throw .noSuchGroup(args[3], args[2]) }
    return (stream, group)
  }

  static func xgroupDestroy(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[2]) else { throw .groupNeedsKey }
    guard keys.removeGroup(stream, args[3]) else { return reply.integer(0) }
    keys.didChange(stream)
    keys.propagate(args)
    reply.integer(1)
  }

  static func xgroupHelp(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.help(
      "xgroup",
      [
        "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
        "    Makes a group that reads what comes after the ID; MKSTREAM makes the stream, too.",
        "CREATECONSUMER <key> <group> <consumer>",
        "    Makes a consumer.",
        "DELCONSUMER <key> <group> <consumer>",
        "    Deletes a consumer and what it has pending.",
        "DESTROY <key> <group>",
        "    Deletes a group.",
        "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
        "    Says up to where a group has read.",
      ])
  }
}

extension Keyspace {
  /// XGROUP CREATE or SETID with the ID that `$` stood for.
  fileprivate mutating func propagateGroup(
    _ subcommand: StaticString, _ args: borrowing Arguments, _ id: StreamID, _ entriesRead: Int,
    makesStream: Bool = false
  ) {
    effects.begin(makesStream ? 8 : 7, database: selected)
    effects.word("XGROUP")
    effects.word(subcommand)
    effects.word(args[2])
    effects.word(args[3])
    effects.word(StreamIDText(id).span)
    if makesStream { effects.word("MKSTREAM") }
    effects.word("ENTRIESREAD")
    effects.word(decimal: entriesRead)
  }
}

// MARK: Consumers

extension StreamHandlers {
  static func xgroupCreateconsumer(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let (stream, group) = try group(args, &keys)
    guard keys.findConsumer(group, args[4]) == nil else { return reply.integer(0) }
    _ = try keys.makeConsumer(group, args[4])
    keys.didChange(stream)
    keys.propagate(args)
    reply.integer(1)
  }

  static func xgroupDelconsumer(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let (stream, group) = try group(args, &keys)
    guard let consumer = keys.findConsumer(group, args[4]) else { return reply.integer(0) }
    let pending = keys.consumerFacts(consumer).pendingCount
    keys.removeConsumer(consumer, from: group)
    keys.didChange(stream)
    keys.propagate(args)
    reply.integer(pending)
  }

  static func xack(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[1], .read),
      let group = keys.findGroup(stream, args[2])
    else { return reply.integer(0) }
    for index in 3..<args.count { _ = try StreamID.strict(args[index]) }
    var acknowledged = 0
    for index in 3..<args.count {
      if keys.removePending(try StreamID.strict(args[index]), from: group) { acknowledged += 1 }
    }
    if acknowledged > 0 {
      keys.didChange(stream, count: acknowledged)
      keys.propagate(args)
    }
    reply.integer(acknowledged)
  }
}
