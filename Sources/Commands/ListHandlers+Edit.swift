// Changing lists in the middle, and searching them. Rows: Lists.

import Bytes
import Keyspace
import RESP

// MARK: Replacing, inserting

extension ListHandlers {
  static func lset(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findList(args[1]) else { throw .noSuchKey }
    guard let index = args[2].parseInteger() else { throw .notInteger }
    // The list may change its form even when the index turns out to be no element's.
    var list = try keys.growList(args[1], found, bytes: args[3].count, count: 1)
    guard let position = listPosition(index, keys.count(list)) else { throw .indexOutOfRange }
    try keys.replace(at: position, in: &list, with: args[3])
    keys.shrinkList(list)
    keys.didChange(list)
    keys.propagate(args)
    reply.ok()
  }

  static func linsert(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isAfter = args.equals(2, "AFTER")
    guard isAfter || args.equals(2, "BEFORE") else { throw .syntax }
    guard let found = try keys.findList(args[1]) else { return reply.integer(0) }
    var list = try keys.growList(args[1], found, bytes: args[4].count, count: 1)
    guard let position = position(of: Element(args[3]), in: list, keys) else {
      return reply.integer(-1)
    }
    try keys.insert(args[4], at: isAfter ? position + 1 : position, in: &list)
    keys.didChange(list)
    keys.propagate(args)
    reply.integer(keys.count(list))
  }

  /// Where the first element equal to `value` is.
  private static func position(
    of wanted: borrowing Element, in list: Key, _ keys: borrowing Keyspace
  ) -> Int? {
    var cursor = keys.cursor(list, at: 0)
    for position in 0..<keys.count(list) {
      if position > 0 { keys.advance(&cursor, 1) }
      if keys.element(cursor).equals(wanted) { return position }
    }
    return nil
  }
}

// MARK: Removing

extension ListHandlers {
  static func lrem(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let count = args[2].parseInteger() else { throw .notInteger }
    guard count > Int.min else { throw .outOfSymmetricRange }
    guard let list = try keys.findList(args[1]) else { return reply.integer(0) }
    let removed = keys.remove(
      equalTo: Element(args[3]), from: list, limit: count == 0 ? .max : abs(count),
      fromTail: count < 0)
    if removed > 0 {
      keys.didChange(list, count: removed)
      keys.propagate(args)
    }
    reply.integer(removed)
  }

  static func ltrim(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let start = args[2].parseInteger(), let end = args[3].parseInteger() else {
      throw .notInteger
    }
    guard let list = try keys.findList(args[1]) else { return reply.ok() }
    let count = keys.count(list)
    let kept = listRange(start, end, count) ?? 0..<0
    if kept.count < count {
      keys.trim(list, to: kept)
      keys.didChange(list, count: count - kept.count)
      keys.propagate(args)
    }
    reply.ok()
  }
}

// MARK: Searching

extension ListHandlers {
  /// RANK, COUNT and MAXLEN of LPOS.
  private struct Search: BitwiseCopyable {
    var rank = 1
    var count: Int?
    var longest = 0

    init(_ args: borrowing Arguments) throws(CommandError) {
      var index = 3
      while index < args.count {
        guard index + 1 < args.count else { throw .syntax }
        if args.equals(index, "RANK") {
          guard let number = args[index + 1].parseInteger() else { throw .notInteger }
          guard number > Int.min else { throw .outOfSymmetricRange }
          guard number != 0 else {
            throw .fixed(
              """
              ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
              or use negative to start from the end of the list
              """)
          }
          rank = number
        } else if args.equals(index, "COUNT") {
          count = try Self.natural(args[index + 1], "ERR COUNT can't be negative")
        } else if args.equals(index, "MAXLEN") {
          longest = try Self.natural(args[index + 1], "ERR MAXLEN can't be negative")
        } else {
          throw .syntax
        }
        index += 2
      }
    }

    private static func natural(
      _ text: borrowing Span<UInt8>, _ complaint: StaticString
    ) throws(CommandError) -> Int {
      guard let number = text.parseInteger(), number >= 0 else { throw .fixed(complaint) }
      return number
    }
  }

  static func lpos(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let search = try Search(args)
    guard let list = try keys.findList(args[1], .read) else {
      return search.count == nil ? reply.null() : reply.array(0)
    }
    let wanted = Element(args[2])
    let mark = reply.bytes.count
    let total = keys.count(list)
    let isForward = search.rank > 0
    let limit = search.longest == 0 ? total : min(search.longest, total)
    var cursor = keys.cursor(list, at: isForward ? 0 : total - 1)
    var skipped = abs(search.rank) - 1
    var matches = 0
    for index in 0..<limit {
      if index > 0 { keys.advance(&cursor, isForward ? 1 : -1) }
      guard keys.element(cursor).equals(wanted) else { continue }
      if skipped > 0 {
        skipped -= 1
        continue
      }
      reply.integer(isForward ? index : total - 1 - index)
      matches += 1
      guard let count = search.count else { return }
      if matches == count { break }
    }
    if search.count == nil { reply.null() } else { reply.array(matches, before: mark) }
  }
}

extension CommandError {
  /// Numbers whose negative cannot be are refused.
  static var outOfSymmetricRange: CommandError {
    .fixed(
      """
      ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
      """)
  }
}
