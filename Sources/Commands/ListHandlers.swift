// ListHandlers: adding, taking and looking at elements of lists. Rows: Lists. Searching and cutting
// (ListHandlers+Edit), moving between lists and waiting for them (ListHandlers+Move) have files of
// their own.
//
// 1. A list that has become empty is removed with its key, in the same command.
// 2. What a list is kept as is settled before elements are added, by all that will be added, and
//    after elements are gone (Keyspace+Lists).

import Bytes
import Keyspace
import RESP

enum ListHandlers {}

// MARK: Adding

extension ListHandlers {
  static func lpush(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try push(args, &keys, &reply, .head, onlyIfExists: false)
  }

  static func rpush(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try push(args, &keys, &reply, .tail, onlyIfExists: false)
  }

  static func lpushx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try push(args, &keys, &reply, .head, onlyIfExists: true)
  }

  static func rpushx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try push(args, &keys, &reply, .tail, onlyIfExists: true)
  }

  @inline(__always) private static func push(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ end: ListEnd, onlyIfExists: Bool
  ) throws(CommandError) {
    let found = try keys.findList(args[1])
    if found == nil && onlyIfExists { return reply.integer(0) }
    var bytes = 0
    for index in 2..<args.count { bytes &+= args[index].count }
    var list = try keys.growList(args[1], found, bytes: bytes, count: args.count - 2)
    var index = 2
    do throws(CommandError) {
      while index < args.count {
        try keys.push(args[index], to: &list, end)
        index += 1
      }
    } catch {
      // What was added before memory ran out stays.
      keys.removeIfEmpty(list)
      if index > 2 { keys.didPush(args, list, count: index - 2) }
      throw error
    }
    keys.didPush(args, list, count: args.count - 2)
    reply.integer(keys.count(list))
  }
}

extension Keyspace {
  /// Counts elements that were added, and appends the effect: the request, or what of it was done.
  fileprivate mutating func didPush(_ args: borrowing Arguments, _ list: Key, count: Int) {
    didChange(list, count: count)
    if count == args.count - 2 { propagate(args) } else { propagate(args, words: count + 2) }
  }
}

// MARK: Taking

extension ListHandlers {
  static func lpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try pop(args, &keys, &reply, .head, "lpop")
  }

  static func rpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try pop(args, &keys, &reply, .tail, "rpop")
  }

  @inline(__always) private static func pop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ end: ListEnd, _ name: StaticString
  ) throws(CommandError) {
    guard args.count == 2 else {
      return try popSeveral(args, &keys, &reply, end, name)
    }
    guard let list = try keys.findList(args[1]) else { return reply.null() }
    reply.bulk(keys.element(list, end))
    keys.pop(list, 1, end)
    keys.propagate(args)
  }

  private static func popSeveral(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ end: ListEnd, _ name: StaticString
  ) throws(CommandError) {
    guard args.count == 3 else { throw .wrongArity("\(name)") }
    guard let count = args[2].parseInteger(), count >= 0 else { throw .mustBePositive }
    guard let list = try keys.findList(args[1]) else { return reply.nullArray() }
    guard count > 0 else { return reply.array(0) }
    keys.reply(list, taking: count, end, &reply)
    keys.propagate(args)
  }
}

extension Keyspace {
  /// Replies with up to `count` elements from an end, the outermost first, and removes them.
  /// - Returns: how many there were.
  @discardableResult
  mutating func reply(
    _ list: Key, taking count: Int, _ end: ListEnd, _ reply: inout ReplyBuffer
  ) -> Int {
    let total = self.count(list)
    let taken = min(count, total)
    let first = end == .head ? 0 : total - 1
    self.reply(list, first: first, taken, step: end == .head ? 1 : -1, &reply)
    pop(list, taken, end)
    return taken
  }

  /// Removes `count` elements, no more than there are, from an end of a list.
  mutating func pop(_ list: Key, _ count: Int, _ end: ListEnd) {
    let total = self.count(list)
    remove(end == .head ? 0..<count : (total - count)..<total, from: list)
    didChange(list, count: count)
  }

  /// An array of `count` elements from index `first` on, forwards or backwards.
  func reply(
    _ list: Key, first: Int, _ count: Int, step: Int, _ reply: inout ReplyBuffer
  ) {
    reply.array(count)
    guard count > 0 else { return }
    var cursor = cursor(list, at: first)
    for index in 0..<count {
      if index > 0 { advance(&cursor, step) }
      reply.bulk(element(cursor))
    }
  }
}

// MARK: Looking

extension ListHandlers {
  static func llen(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let list = try keys.findList(args[1], .read) else { return reply.integer(0) }
    reply.integer(keys.count(list))
  }

  static func lrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let start = args[2].parseInteger(), let end = args[3].parseInteger() else {
      throw .notInteger
    }
    guard let list = try keys.findList(args[1], .read),
      let range = listRange(start, end, keys.count(list))
    else { return reply.array(0) }
    keys.reply(list, from: range.lowerBound, count: range.count, &long, &reply)
  }

  static func lindex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let list = try keys.findList(args[1], .read) else { return reply.null() }
    guard let index = args[2].parseInteger() else { throw .notInteger }
    guard let position = listPosition(index, keys.count(list)) else { return reply.null() }
    reply.bulk(keys.element(keys.cursor(list, at: position)))
  }

  /// The positions from `start` to `end`, both included; negative ones count from the end. Nil when
  /// there are none.
  static func listRange(_ start: Int, _ end: Int, _ count: Int) -> Range<Int>? {
    let first = max(start < 0 ? start + count : start, 0)
    let last = min(end < 0 ? end + count : end, count - 1)
    return first <= last ? first..<(last + 1) : nil
  }

  /// The position that an index means, counted from the end when it is negative.
  static func listPosition(_ index: Int, _ count: Int) -> Int? {
    let position = index < 0 ? index + count : index
    return position >= 0 && position < count ? position : nil
  }
}
