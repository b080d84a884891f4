// StreamHandlers: adding to streams, reading ranges of them, and cutting them. Rows: Streams.
// Reading what is new (StreamHandlers+Read), consumer groups (+Groups), what they have pending
// (+Pending) and descriptions (+Info) have files of their own.
//
// 1. An effect says which ID an entry got and to which length a stream was trimmed: replaying it
//    needs no clock, and no guess at where nodes begin.
// 2. All IDs of a request are read before anything is changed.

import Bytes
import Keyspace
import RESP

enum StreamHandlers {}

// MARK: Adding

extension StreamHandlers {
  static func xadd(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try StreamOptions(
      args, isAdding: true, nodeEntries: keys.limits.streamNodeEntries)
    let first = options.idIndex + 1
    let words = args.count - first
    guard words >= 2 && words & 1 == 0 else { throw .wrongArity("xadd") }
    let isGiven = !(args[first - 1].count == 1 && args[first - 1][0] == 0x2A)
    var given: (milliseconds: UInt64, sequence: UInt64?) = (0, nil)
    if isGiven { given = try StreamID.forAdding(args[first - 1]) }
    if isGiven && given.milliseconds == 0 && given.sequence == 0 {
      throw .fixed("ERR The ID specified in XADD must be greater than 0-0")
    }
    let found = try keys.findStream(args[1])
    if found == nil && !options.makesStream { return reply.null() }
    let last = found.map { keys.streamFacts($0).lastID } ?? .zero
    let id = isGiven ? try newID(given, after: last) : try newID(now: keys.now, after: last)
    var bytes = 0
    for index in first..<args.count { bytes &+= args[index].count }
    guard bytes <= StreamID.largestEntryBytes else {
      throw .fixed("ERR Elements are too large to be stored")
    }
    let stream: Key
    if let found { stream = found } else { stream = try keys.makeStream(args[1]) }
    do throws(CommandError) {
      try append(args, from: first, bytes, id, to: stream, &keys)
    } catch {
      // A stream that was made for the entry goes with it.
      if found == nil { keys.remove(stream) }
      throw error
    }
    reply.bulk(StreamIDText(id).span)
    keys.didChange(stream)
    if options.trim != .none { _ = keys.trim(stream, options) }
    keys.propagateAdding(args, options, id, isGiven && given.sequence != nil, stream)
  }

  /// The ID that a request gives, wholly or but for the second part.
  private static func newID(
    _ given: (milliseconds: UInt64, sequence: UInt64?), after last: StreamID
  ) throws(CommandError) -> StreamID {
    if last == .greatest { throw .streamExhausted }
    var id = StreamID(given.milliseconds, given.sequence ?? 0)
    if given.sequence == nil && last.milliseconds == given.milliseconds, last.sequence < .max {
      id.sequence = last.sequence + 1
    }
    guard id > last else {
      throw .fixed(
        "ERR The ID specified in XADD is equal or smaller than the target stream top item")
    }
    return id
  }

  private static func newID(now: Int, after last: StreamID) throws(CommandError) -> StreamID {
    let id = StreamID(UInt64(max(now, 0)), 0)
    if id.milliseconds > last.milliseconds { return id }
    guard let next = last.next else { throw .streamExhausted }
    return next
  }

  private static func append(
    _ args: borrowing Arguments, from first: Int, _ bytes: Int, _ id: StreamID, to stream: Key,
    _ keys: inout Keyspace
  ) throws(CommandError) {
    var draft = keys.draft(stream, fieldCount: (args.count - first) / 2, bytes: bytes)
    for index in stride(from: first, to: args.count, by: 2) where draft.sharesFields {
      keys.compareField(&draft, args[index])
    }
    keys.begin(draft)
    if draft.needsMaster {
      for index in stride(from: first, to: args.count, by: 2) { keys.add(args[index]) }
      keys.endMaster()
    }
    keys.beginEntry(draft, id)
    for index in stride(from: first, to: args.count, by: 2) {
      if !draft.sharesFields { keys.add(args[index]) }
      keys.add(args[index + 1])
    }
    try keys.commit(draft, id, to: stream)
  }
}

extension CommandError {
  fileprivate static var streamExhausted: CommandError {
    .fixed("ERR The stream has exhausted the last possible ID, unable to add more items")
  }
}

extension StreamID {
  /// The most that an entry's fields and values may take together.
  fileprivate static var largestEntryBytes: Int { 1 << 30 }
}

extension Keyspace {
  /// Trims as XADD's or XTRIM's options want it.
  /// - Returns: how many entries were deleted.
  fileprivate mutating func trim(_ stream: Key, _ options: StreamOptions) -> Int {
    trim(
      stream, options.trim, wholeNodes: options.isApproximate,
      limit: options.limit == 0 ? .max : options.limit)
  }

  /// XADD with the entry's ID and the exact trimming (StreamHandlers' invariant 1).
  fileprivate mutating func propagateAdding(
    _ args: borrowing Arguments, _ options: StreamOptions, _ id: StreamID, _ isExact: Bool,
    _ stream: Key
  ) {
    if isExact && !options.isApproximate { return propagate(args) }
    let trims = options.trim != .none
    effects.begin(args.count - options.idIndex + 2 + (trims ? 3 : 0), database: selected)
    effects.word("XADD")
    effects.word(args[1])
    if trims { wordTrim(args, options, stream) }
    effects.word(StreamIDText(id).span)
    for index in (options.idIndex + 1)..<args.count { effects.word(args[index]) }
  }

  /// The trimming that was done, as three words.
  fileprivate mutating func wordTrim(
    _ args: borrowing Arguments, _ options: StreamOptions, _ stream: Key
  ) {
    let facts = streamFacts(stream)
    switch options.trim {
    case .none, .length: effects.word("MAXLEN")
    case .minimum: effects.word("MINID")
    }
    effects.word("=")
    guard options.isApproximate else { return effects.word(args[options.trimIndex]) }
    switch options.trim {
    case .none, .length: effects.word(decimal: facts.length)
    case .minimum:
      effects.word(StreamIDText(facts.length > 0 ? facts.firstID : .greatest).span)
    }
  }
}

// MARK: Lengths and ranges

extension StreamHandlers {
  static func xlen(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let stream = try keys.findStream(args[1], .read)
    reply.integer(stream.map { keys.streamFacts($0).length } ?? 0)
  }

  static func xrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, start: 2, end: 3, isForward: true, &keys, &reply)
  }

  static func xrevrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try range(args, start: 3, end: 2, isForward: false, &keys, &reply)
  }

  private static func range(
    _ args: borrowing Arguments, start: Int, end: Int, isForward: Bool, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let first = try StreamID.start(args[start])
    let last = try StreamID.end(args[end])
    var limit = Int.max
    var index = 4
    while index < args.count {
      guard args.equals(index, "COUNT") && index + 1 < args.count else { throw .syntax }
      guard let number = args[index + 1].parseInteger() else { throw .notInteger }
      limit = max(number, 0)
      index += 2
    }
    guard let stream = try keys.findStream(args[1], .read) else { return reply.array(0) }
    if limit == 0 { return reply.nullArray() }
    keys.reply(stream, first, last, isForward: isForward, limit: limit, &reply)
  }
}

extension Keyspace {
  /// An array of the entries from `first` to `last`, both included.
  func reply(
    _ stream: Key, _ first: StreamID, _ last: StreamID, isForward: Bool, limit: Int,
    _ reply: inout ReplyBuffer
  ) {
    let mark = reply.bytes.count
    var count = 0
    if first <= last {
      var cursor = streamCursor(stream, from: isForward ? first : last, isForward: isForward)
      while count < limit, let entry = nextEntry(&cursor) {
        if isForward ? entry.id > last : entry.id < first { break }
        self.reply(entry, cursor, &reply)
        count += 1
      }
    }
    reply.array(count, before: mark)
  }

  /// One entry: its ID, and an array of its fields and values.
  func reply(_ entry: StreamEntry, _ cursor: StreamCursor, _ reply: inout ReplyBuffer) {
    reply.array(2)
    reply.bulk(StreamIDText(entry.id).span)
    reply.array(entry.fieldCount * 2)
    guard entry.fieldCount > 0 else { return }
    var fields = fields(of: entry, cursor)
    for index in 0..<entry.fieldCount {
      if index > 0 { fields.advance() }
      reply.bulk(fields.field)
      reply.bulk(fields.value)
    }
  }

  /// The entry with `id` as `reply` gives it.
  /// - Returns: whether there is one; if not, nothing was appended.
  func replyEntry(_ stream: Key, _ id: StreamID, _ reply: inout ReplyBuffer) -> Bool {
    var cursor = streamCursor(stream, from: id, isForward: true)
    guard let entry = nextEntry(&cursor), entry.id == id else { return false }
    self.reply(entry, cursor, &reply)
    return true
  }
}

// MARK: Cutting

extension StreamHandlers {
  static func xdel(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[1]) else { return reply.integer(0) }
    for index in 2..<args.count { _ = try StreamID.strict(args[index]) }
    var deleted = 0
    for index in 2..<args.count {
      if keys.deleteEntry(try StreamID.strict(args[index]), from: stream) { deleted += 1 }
    }
    if deleted > 0 {
      keys.didChange(stream, count: deleted)
      keys.propagate(args)
    }
    reply.integer(deleted)
  }

  static func xtrim(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try StreamOptions(
      args, isAdding: false, nodeEntries: keys.limits.streamNodeEntries)
    guard let stream = try keys.findStream(args[1]) else { return reply.integer(0) }
    let deleted = keys.trim(stream, options)
    if deleted > 0 {
      keys.didChange(stream, count: deleted)
      if options.isApproximate {
        keys.effects.begin(5, database: keys.selected)
        keys.effects.word("XTRIM")
        keys.effects.word(args[1])
        keys.wordTrim(args, options, stream)
      } else {
        keys.propagate(args)
      }
    }
    reply.integer(deleted)
  }

  static func xsetid(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let id = try StreamID.strict(args[2])
    var added: Int?
    var deletedID = StreamID.zero
    var index = 3
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      if args.equals(index, "ENTRIESADDED") {
        guard let number = args[index + 1].parseInteger() else { throw .notInteger }
        guard number >= 0 else { throw .fixed("ERR entries_added must be positive") }
        added = number
      } else if args.equals(index, "MAXDELETEDID") {
        deletedID = try StreamID.strict(args[index + 1])
        guard id >= deletedID else {
          throw .fixed(
            """
            ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id
            """)
        }
      } else {
        throw .syntax
      }
      index += 2
    }
    guard let stream = try keys.findStream(args[1]) else { throw .noSuchKey }
    try setID(stream, id, added, deletedID, &keys)
    keys.didChange(stream)
    keys.propagate(args)
    reply.ok()
  }

  private static func setID(
    _ stream: Key, _ id: StreamID, _ added: Int?, _ deletedID: StreamID, _ keys: inout Keyspace
  ) throws(CommandError) {
    var facts = keys.streamFacts(stream)
    guard id >= facts.deletedID else {
      throw .fixed(
        "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    }
    if facts.length > 0 {
      guard id >= keys.topID(stream) else {
        throw .fixed(
          "ERR The ID specified in XSETID is smaller than the target stream top item")
      }
      if let added, added < facts.length {
        throw .fixed(
          """
          ERR The entries_added specified in XSETID is smaller than the target stream length
          """)
      }
    }
    facts.lastID = id
    if let added { facts.added = added }
    if !deletedID.isZero { facts.deletedID = deletedID }
    keys.setStreamFacts(stream, facts)
  }
}
