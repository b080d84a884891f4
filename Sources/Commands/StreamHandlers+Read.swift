// XREAD and XREADGROUP: what streams have after given IDs, what is new to a group, and what a
// consumer has pending. Rows: Streams.
//
//   XREAD      id        entries after the ID; $ stands for the last one there is now
//   XREADGROUP >         entries that the group was not given; they become pending
//   XREADGROUP id        what the consumer has pending after the ID, as often as it asks
//
// 1. All keys, groups and IDs are looked at before anything is read, so an error changes nothing.
// 2. A consumer comes into being when it is first named, whether or not there is anything to read.

import Bytes
import Keyspace
import RESP

/// The arguments of XREAD and XREADGROUP.
struct StreamRead: BitwiseCopyable {
  let isGroup: Bool
  /// Until when to wait; 0 for ever, nil for not at all.
  var deadline: Int?
  var limit = Int.max
  var isAcknowledged = false
  /// The argument with the group's name; the consumer's follows.
  var groupIndex = 0
  /// The first key; the IDs follow the keys.
  var firstKey = 0
  var count = 0

  init(_ args: borrowing Arguments, isGroup: Bool, now: Int) throws(CommandError) {
    self.isGroup = isGroup
    var index = 1
    while index < args.count && firstKey == 0 {
      let more = args.count - index - 1
      if args.equals(index, "BLOCK") && more > 0 {
        deadline = try Wait.deadline(milliseconds: args[index + 1], now: now)
        index += 1
      } else if args.equals(index, "COUNT") && more > 0 {
        guard let number = args[index + 1].parseInteger() else { throw .notInteger }
        limit = number > 0 ? number : .max
        index += 1
      } else if args.equals(index, "STREAMS") && more > 0 {
        firstKey = index + 1
        guard (args.count - firstKey) & 1 == 0 else { throw .unbalanced }
        count = (args.count - firstKey) / 2
      } else if args.equals(index, "GROUP") && more >= 2 {
        guard isGroup else { throw .onlyForGroups("GROUP") }
        groupIndex = index + 1
        index += 2
      } else if args.equals(index, "NOACK") {
        guard isGroup else { throw .onlyForGroups("NOACK") }
        isAcknowledged = true
      } else {
        throw .syntax
      }
      index += 1
    }
    guard firstKey > 0 else { throw .syntax }
    if isGroup && groupIndex == 0 { throw .fixed("ERR Missing GROUP option for XREADGROUP") }
  }

  /// Where the keys stand; the IDs stand `count` arguments further.
  var names: Range<Int> { firstKey..<(firstKey + count) }
}

extension CommandError {
  fileprivate static var unbalanced: CommandError {
    .fixed(
      """
      ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.
      """)
  }

  fileprivate static func onlyForGroups(_ option: String) -> CommandError {
    .custom(
      "ERR The \(option) option is only supported by XREADGROUP. You called XREAD instead.")
  }

  static func noGroup(
    _ key: borrowing Span<UInt8>, _ group: borrowing Span<UInt8>, _ place: String = ""
  ) -> CommandError {
    .custom(
      "NOGROUP No such key '\(text(key))' or consumer group '\(text(group))'\(place)")
  }

  /// Bytes of a request as an error quotes them: up to a NUL.
  static func text(_ bytes: borrowing Span<UInt8>) -> String {
    var end = 0
    while end < bytes.count && bytes[end] != 0 { end += 1 }
    let part = bytes.extracting(0..<end)
    return String(decoding: part.indices.map { part[$0] }, as: UTF8.self)
  }
}

// MARK: Handlers

extension StreamHandlers {
  static func xread(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let read = try StreamRead(args, isGroup: false, now: keys.now)
    try checkStreams(args, read, &keys)
    if try serve(args, read, &keys, &reply) { return }
    guard let deadline = read.deadline else { return reply.nullArray() }
    for index in read.names where args[index + read.count].equalsIgnoringCase("$") {
      // As of now: what comes while the client waits is new.
      let stream = try keys.findStream(args[index], .peek)
      let last = stream.map { keys.streamFacts($0).lastID } ?? .zero
      wait.replace(index + read.count, with: StreamIDText(last).span)
    }
    wait.forKeys(read.names, .stream, until: deadline, &reply)
  }

  static func xreadgroup(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let read = try StreamRead(args, isGroup: true, now: keys.now)
    try checkStreams(args, read, &keys)
    if try serve(args, read, &keys, &reply) { return }
    guard let deadline = read.deadline else { return reply.nullArray() }
    wait.forKeys(read.names, .streamGroup, until: deadline, &reply)
  }

  /// Invariant 1.
  static func checkStreams(
    _ args: borrowing Arguments, _ read: StreamRead, _ keys: inout Keyspace
  ) throws(CommandError) {
    for index in read.names {
      let stream = try keys.findStream(args[index], .read)
      if read.isGroup {
        guard let stream, keys.findGroup(stream, args[read.groupIndex]) != nil else {
          throw .noGroup(
            args[index], args[read.groupIndex], " in XREADGROUP with GROUP option")
        }
      }
      let id = args[index + read.count]
      if id.count == 1 && id[0] == 0x24 {
        if read.isGroup { throw .dollarInGroup }
      } else if id.count == 1 && id[0] == 0x3E {
        if !read.isGroup { throw .greaterOutsideGroup }
      } else {
        _ = try StreamID.strict(id)
      }
    }
  }

  /// Replies with what there is.
  /// - Returns: false, with nothing appended, when there is nothing.
  static func serve(
    _ args: borrowing Arguments, _ read: StreamRead, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    let mark = reply.bytes.count
    var served = 0
    do throws(CommandError) {
      for index in read.names {
        guard let stream = try keys.findStream(args[index], .peek) else { continue }
        let isServed =
          read.isGroup
          ? try serveGroup(args, read, index, stream, &keys, &reply)
          : serveAfter(args, read, index, stream, keys, &reply)
        if isServed { served += 1 }
      }
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
    guard served > 0 else { return false }
    var header = ReplyBuffer(version: reply.version)
    if reply.version == .three { header.map(served) } else { header.array(served) }
    reply.bytes.insert(header.bytes.span, at: mark)
    return true
  }

  private static func serveAfter(
    _ args: borrowing Arguments, _ read: StreamRead, _ index: Int, _ stream: Key,
    _ keys: borrowing Keyspace, _ reply: inout ReplyBuffer
  ) -> Bool {
    let text = args[index + read.count]
    let isLast = text.count == 1 && text[0] == 0x24
    // The ID was read once before: it cannot fail.
    guard !isLast, let after = try? StreamID.strict(text), let first = after.next,
      keys.streamFacts(stream).length > 0, keys.topID(stream) > after
    else { return false }
    if reply.version == .two { reply.array(2) }
    reply.bulk(args[index])
    keys.reply(stream, first, .greatest, isForward: true, limit: read.limit, &reply)
    return true
  }
}

extension CommandError {
  fileprivate static var dollarInGroup: CommandError {
    .fixed(
      """
      ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
      this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID \
      would just return an empty result set.
      """)
  }

  fileprivate static var greaterOutsideGroup: CommandError {
    .fixed(
      """
      ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
      <consumer> option.
      """)
  }
}

// MARK: Groups

extension StreamHandlers {
  private static func serveGroup(
    _ args: borrowing Arguments, _ read: StreamRead, _ index: Int, _ stream: Key,
    _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    guard let group = keys.findGroup(stream, args[read.groupIndex]) else { return false }
    let reader = StreamReader(
      stream: stream, group: group,
      consumer: try keys.consumer(
        args[read.groupIndex + 1], of: group, stream, args[index], args[read.groupIndex]),
      keyIndex: index, groupIndex: read.groupIndex)
    let text = args[index + read.count]
    if text.count == 1 && text[0] == 0x3E {
      guard keys.streamFacts(stream).length > 0,
        keys.topID(stream) > keys.groupFacts(group).lastID
      else { return false }
      if reply.version == .two { reply.array(2) }
      reply.bulk(args[index])
      try deliver(args, read, reader, &keys, &reply)
    } else {
      if reply.version == .two { reply.array(2) }
      reply.bulk(args[index])
      try repeatPending(args, read, reader, after: try StreamID.strict(text), &keys, &reply)
    }
    keys.didChange(stream)
    return true
  }

  /// Replies with what the group was not given yet, and notes it as pending unless NOACK.
  private static func deliver(
    _ args: borrowing Arguments, _ read: StreamRead, _ reader: StreamReader,
    _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let mark = reply.bytes.count
    let before = keys.groupFacts(reader.group)
    var count = 0
    if let first = before.lastID.next {
      var cursor = keys.streamCursor(reader.stream, from: first, isForward: true)
      while count < read.limit, let entry = keys.nextEntry(&cursor) {
        keys.noteDelivery(of: entry.id, to: reader.group, reader.stream)
        keys.reply(entry, cursor, &reply)
        count += 1
        if read.isAcknowledged { continue }
        let pending = Pending(
          id: entry.id, consumer: reader.consumer, deliveredAt: keys.now, deliveries: 1)
        try keys.setPending(pending, in: reader.group)
        keys.setActive(reader.consumer)
        keys.propagateClaim(args[reader.keyIndex], args[reader.groupIndex], reader.group, pending)
      }
    }
    if count > 0 {
      keys.propagateGroupID(args[reader.keyIndex], args[reader.groupIndex], reader.group)
    }
    reply.array(count, before: mark)
  }

  /// Replies with what the consumer has pending: once more delivered.
  private static func repeatPending(
    _ args: borrowing Arguments, _ read: StreamRead, _ reader: StreamReader,
    after: StreamID, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let mark = reply.bytes.count
    var count = 0
    var next = after.next
    while count < read.limit, let from = next,
      var pending = keys.firstPending(of: reader.consumer, in: reader.group, from: from)
    {
      if keys.replyEntry(reader.stream, pending.id, &reply) {
        pending.deliveredAt = keys.now
        pending.deliveries += 1
        try keys.setPending(pending, in: reader.group)
        keys.propagateClaim(args[reader.keyIndex], args[reader.groupIndex], reader.group, pending)
      } else {
        // The entry was deleted from the stream since.
        reply.array(2)
        reply.bulk(StreamIDText(pending.id).span)
        reply.nullArray()
      }
      count += 1
      next = pending.id.next
    }
    reply.array(count, before: mark)
  }
}

/// Who reads what: a group's consumer, and where the request names them.
struct StreamReader: BitwiseCopyable {
  let stream: Key
  let group: StreamGroup
  let consumer: StreamConsumer
  let keyIndex: Int
  let groupIndex: Int
}

extension Keyspace {
  /// Appends the claim that reproduces a pending entry as it is now.
  mutating func propagateClaim(
    _ key: borrowing Span<UInt8>, _ name: borrowing Span<UInt8>, _ group: StreamGroup,
    _ pending: Pending
  ) {
    propagateClaim(
      key, name, pending, id: StreamIDText(pending.id).span,
      lastID: StreamIDText(groupFacts(group).lastID).span)
  }

  /// The consumer, which is made when the group has none of that name. It is being seen.
  mutating func consumer(
    _ name: borrowing Span<UInt8>, of group: StreamGroup, _ stream: Key,
    _ key: borrowing Span<UInt8>, _ groupName: borrowing Span<UInt8>
  ) throws(CommandError) -> StreamConsumer {
    if let consumer = findConsumer(group, name) {
      setSeen(consumer)
      return consumer
    }
    let consumer = try makeConsumer(group, name)
    didChange(stream)
    effects.begin(5, database: selected)
    effects.word("XGROUP")
    effects.word("CREATECONSUMER")
    effects.word(key)
    effects.word(groupName)
    effects.word(name)
    return consumer
  }

  /// Up to where the group has read, and how many entries that were.
  mutating func propagateGroupID(
    _ key: borrowing Span<UInt8>, _ name: borrowing Span<UInt8>, _ group: StreamGroup
  ) {
    let facts = groupFacts(group)
    effects.begin(7, database: selected)
    effects.word("XGROUP")
    effects.word("SETID")
    effects.word(key)
    effects.word(name)
    effects.word(StreamIDText(facts.lastID).span)
    effects.word("ENTRIESREAD")
    effects.word(decimal: facts.entriesRead)
  }
}
