// XINFO: a stream, its groups and their consumers, described. Rows: Streams.
//
// 1. What Redis' radix tree would count is counted for the nodes as they are (streamShape).

import Bytes
import Keyspace
import RESP

extension StreamHandlers {
  static func xinfoHelp(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.help(
      "xinfo",
      [
        "CONSUMERS <key> <group>",
        "    Lists a group's consumers.",
        "GROUPS <key>",
        "    Lists a stream's groups.",
        "STREAM <key> [FULL [COUNT <count>]]",
        "    Describes a stream; FULL adds entries, groups and what is pending.",
      ])
  }

  // MARK: STREAM

  static func xinfoStream(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[2], .read) else { throw .noSuchKey }
    guard args.count > 3 else {
      reply.map(10)
      keys.replyFacts(stream, &reply)
      reply.bulk("groups")
      reply.integer(keys.streamFacts(stream).groupCount)
      for isForward in [true, false] {
        if isForward { reply.bulk("first-entry") } else { reply.bulk("last-entry") }
        var cursor = keys.streamCursor(
          stream, from: isForward ? .zero : .greatest, isForward: isForward)
        if let entry = keys.nextEntry(&cursor) {
          keys.reply(entry, cursor, &reply)
        } else {
          reply.null()
        }
      }
      return
    }
    var limit = 10
    guard args.count == 4 || args.count == 6, args.equals(3, "FULL") else {
      throw unknownForm(args)
    }
    if args.count == 6 {
      guard args.equals(4, "COUNT") else { throw unknownForm(args) }
      guard let count = args[5].parseInteger() else { throw .notInteger }
      limit = count < 0 ? 10 : count == 0 ? .max : count
    }
    reply.map(9)
    keys.replyFacts(stream, &reply)
    reply.bulk("entries")
    keys.reply(stream, .zero, .greatest, isForward: true, limit: limit, &reply)
    reply.bulk("groups")
    keys.replyGroupsInFull(stream, limit: limit, &reply)
  }

  private static func unknownForm(_ args: borrowing Arguments) -> CommandError {
    let name = CommandError.text(args[1].extracting(0..<min(args[1].count, 128)))
    return .custom(
      "ERR unknown subcommand or wrong number of arguments for '\(name)'. Try XINFO HELP.")
  }

  // MARK: GROUPS, CONSUMERS

  static func xinfoGroups(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[2], .read) else { throw .noSuchKey }
    reply.array(keys.streamFacts(stream).groupCount)
    var place = keys.firstGroup(of: stream)
    while let group = keys.nextGroup(&place, of: stream) {
      let facts = keys.groupFacts(group)
      reply.map(6)
      reply.bulk("name")
      reply.bulk(keys.name(group))
      reply.bulk("consumers")
      reply.integer(facts.consumerCount)
      reply.bulk("pending")
      reply.integer(facts.pendingCount)
      keys.replyProgress(stream, facts, &reply)
    }
  }

  static func xinfoConsumers(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[2], .read) else { throw .noSuchKey }
    guard let group = keys.findGroup(stream, args[3]) else {
      throw .noSuchGroup(args[3], args[2])
    }
    reply.array(keys.groupFacts(group).consumerCount)
    var place = keys.firstConsumer(of: group)
    while let consumer = keys.nextConsumer(&place, of: group) {
      let facts = keys.consumerFacts(consumer)
      reply.map(4)
      reply.bulk("name")
      reply.bulk(keys.name(consumer))
      reply.bulk("pending")
      reply.integer(facts.pendingCount)
      reply.bulk("idle")
      reply.integer(max(keys.now - facts.seenAt, 0))
      reply.bulk("inactive")
      reply.integer(facts.activeAt < 0 ? -1 : max(keys.now - facts.activeAt, 0))
    }
  }
}

extension Keyspace {
  /// The seven pairs with which both forms of XINFO STREAM begin.
  fileprivate func replyFacts(_ stream: Key, _ reply: inout ReplyBuffer) {
    let facts = streamFacts(stream)
    let shape = streamShape(stream)
    reply.bulk("length")
    reply.integer(facts.length)
    reply.bulk("radix-tree-keys")
    reply.integer(shape.keys)
    reply.bulk("radix-tree-nodes")
    reply.integer(shape.nodes)
    reply.bulk("last-generated-id")
    reply.bulk(StreamIDText(facts.lastID).span)
    reply.bulk("max-deleted-entry-id")
    reply.bulk(StreamIDText(facts.deletedID).span)
    reply.bulk("entries-added")
    reply.integer(facts.added)
    reply.bulk("recorded-first-entry-id")
    reply.bulk(StreamIDText(facts.firstID).span)
  }

  /// How far a group has read: three pairs.
  fileprivate func replyProgress(
    _ stream: Key, _ facts: StreamGroupFacts, _ reply: inout ReplyBuffer
  ) {
    reply.bulk("last-delivered-id")
    reply.bulk(StreamIDText(facts.lastID).span)
    reply.bulk("entries-read")
    if facts.entriesRead >= 0 { reply.integer(facts.entriesRead) } else { reply.null() }
    reply.bulk("lag")
    if let lag = streamFacts(stream).lag(facts) { reply.integer(lag) } else { reply.null() }
  }

  fileprivate func replyGroupsInFull(_ stream: Key, limit: Int, _ reply: inout ReplyBuffer) {
    reply.array(streamFacts(stream).groupCount)
    var place = firstGroup(of: stream)
    while let group = nextGroup(&place, of: stream) {
      let facts = groupFacts(group)
      reply.map(7)
      reply.bulk("name")
      reply.bulk(name(group))
      replyProgress(stream, facts, &reply)
      reply.bulk("pel-count")
      reply.integer(facts.pendingCount)
      reply.bulk("pending")
      replyPending(of: nil, in: group, limit: limit, &reply)
      reply.bulk("consumers")
      reply.array(facts.consumerCount)
      var consumerPlace = firstConsumer(of: group)
      while let consumer = nextConsumer(&consumerPlace, of: group) {
        let facts = consumerFacts(consumer)
        reply.map(5)
        reply.bulk("name")
        reply.bulk(name(consumer))
        reply.bulk("seen-time")
        reply.integer(facts.seenAt)
        reply.bulk("active-time")
        reply.integer(facts.activeAt)
        reply.bulk("pel-count")
        reply.integer(facts.pendingCount)
        reply.bulk("pending")
        replyPending(of: consumer, in: group, limit: limit, &reply)
      }
    }
  }

  private func replyPending(
    of consumer: StreamConsumer?, in group: StreamGroup, limit: Int, _ reply: inout ReplyBuffer
  ) {
    let mark = reply.bytes.count
    var count = 0
    var next: StreamID? = .zero
    while count < limit, let from = next,
      let pending = firstPending(of: consumer, in: group, from: from)
    {
      reply.array(consumer == nil ? 4 : 3)
      reply.bulk(StreamIDText(pending.id).span)
      if consumer == nil { reply.bulk(name(pending.consumer)) }
      reply.integer(pending.deliveredAt)
      reply.integer(pending.deliveries)
      count += 1
      next = pending.id.next
    }
    reply.array(count, before: mark)
  }
}
