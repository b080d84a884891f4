// HashHandlers: fields of a hash. Rows: Hashes. Numbers, random fields and fields' deadlines have
// files of their own.
//
// 1. A hash that a command has emptied is removed by it, and the effect is the command itself.
// 2. As in Redis, commands that name fields remove those that are past their deadline; the others
//    pass over them. HLEN, HSET and HDEL take them as they are.

import Bytes
import Keyspace
import RESP

enum HashHandlers {}

// MARK: Setting and deleting

extension HashHandlers {
  static func hset(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.integer(try setFields(args, &keys, "hset"))
  }

  static func hmset(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    _ = try setFields(args, &keys, "hmset")
    reply.ok()
  }

  /// - Returns: how many fields are new.
  private static func setFields(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ name: StaticString
  ) throws(CommandError) -> Int {
    if args.count % 2 == 1 { throw .wrongArity("\(name)") }
    var hash = try keys.openHash(args[1], found: keys.findHash(args[1]))
    var created = 0
    var index = 2
    do throws(CommandError) {
      try keys.prepareHash(&hash, for: batch(args, 2..<args.count))
      while index < args.count {
        if try keys.setField(args[index], of: &hash, to: args[index + 1]) { created += 1 }
        index += 2
      }
    } catch {
      // What was set before memory ran out stays.
      if index > 2 { keys.noteChanges((index - 2) / 2, hash, args) }
      keys.removeIfEmpty(hash)
      throw error
    }
    keys.noteChanges((args.count - 2) / 2, hash, args)
    return created
  }

  /// What the pairs of fields and values in `range` will take.
  static func batch(_ args: borrowing Arguments, _ range: Range<Int>) -> FieldBatch {
    var batch = FieldBatch()
    for index in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
      batch.add(field: args[index].count, value: args[index + 1].count)
    }
    return batch
  }

  static func hsetnx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findHash(args[1], fields: 2..<3, args, .write)
    if let found, keys.field(args[2], of: found) != nil { return reply.integer(0) }
    var hash = try keys.openHash(args[1], found: found)
    do throws(CommandError) {
      try keys.prepareHash(&hash, for: batch(args, 2..<4))
      _ = try keys.setField(args[2], of: &hash, to: args[3])
    } catch {
      keys.removeIfEmpty(hash)
      throw error
    }
    keys.noteChanges(1, hash, args)
    reply.integer(1)
  }

  static func hdel(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard var hash = try keys.findHash(args[1]) else { return reply.integer(0) }
    var removed = 0
    for index in 2..<args.count where keys.removeField(args[index], of: &hash) { removed += 1 }
    if removed > 0 {
      keys.noteChanges(removed, hash, args)
      keys.removeIfEmpty(hash)
    }
    reply.integer(removed)
  }
}

// MARK: Reading

extension HashHandlers {
  static func hget(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], fields: 2..<3, args, .read) else {
      return reply.null()
    }
    reply.bulk(keys.field(args[2], of: hash))
  }

  static func hmget(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let hash = try keys.findHash(args[1], fields: 2..<args.count, args, .read)
    reply.array(args.count - 2)
    for index in 2..<args.count {
      if let hash { reply.bulk(keys.field(args[index], of: hash)) } else { reply.null() }
    }
  }

  static func hexists(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], fields: 2..<3, args, .read) else {
      return reply.integer(0)
    }
    reply.integer(keys.field(args[2], of: hash) == nil ? 0 : 1)
  }

  static func hlen(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let hash = try keys.findHash(args[1], .read)
    reply.integer(hash.map { keys.elementCount($0) } ?? 0)
  }

  static func hstrlen(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], fields: 2..<3, args, .read),
      let value = keys.field(args[2], of: hash)
    else { return reply.integer(0) }
    reply.integer(value.textCount)
  }

  static func hgetall(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], .read) else { return reply.map(0) }
    reply.map(keys.liveElementCount(hash))
    keys.reply(hash, .pairs, &long, &reply)
  }

  static func hkeys(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], .read) else { return reply.array(0) }
    reply.array(keys.liveElementCount(hash))
    keys.reply(hash, .elements, &long, &reply)
  }

  static func hvals(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let hash = try keys.findHash(args[1], .read) else { return reply.array(0) }
    reply.array(keys.liveElementCount(hash))
    keys.reply(hash, .values, &long, &reply)
  }

  static func hscan(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let cursor = try ScanOptions.cursor(args[2])
    guard let hash = try keys.findHash(args[1], .read) else { return reply.emptyScan() }
    try keys.replyScan(args, hash, cursor: cursor, withValues: true, &reply)
  }

  static func hrandfield(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count > 2 else {
      guard var hash = try keys.findHash(args[1], .read), !keys.expireAllFields(&hash) else {
        return reply.null()
      }
      let field = keys.randomElement(hash)
      return reply.bulk(keys.element(field))
    }
    let draw = try DrawCount(args[2])
    if args.count > 4 || args.count == 4 && !args.equals(3, "WITHVALUES") { throw .syntax }
    let withValues = args.count == 4
    if withValues && draw.count > Int.max / 2 { throw .outOfRange }
    guard var hash = try keys.findHash(args[1], .read), !keys.expireAllFields(&hash) else {
      return reply.array(0)
    }
    try keys.replyDraw(draw, hash, withValues ? .pairs : .elements, &reply)
  }
}

extension Keyspace {
  /// As `findHash`, for a command that names fields: those that are past their deadline go.
  @inline(__always) mutating func findHash(
    _ key: borrowing Span<UInt8>, fields: Range<Int>, _ args: borrowing Arguments,
    _ lookup: Lookup
  ) throws(CommandError) -> Key? {
    guard let found = try findHash(key, lookup) else { return nil }
    // During a pause a field that is only read stays all the same, unseen.
    let drops = hasDueFields(found) && !(keepsDueKeys && lookup == .read)
    return drops ? dropDue(found, fields, args) : found
  }

  private mutating func dropDue(
    _ found: Key, _ fields: Range<Int>, _ args: borrowing Arguments
  ) -> Key? {
    var hash = found
    for index in fields { expireField(args[index], of: &hash) }
    return removeIfEmpty(hash) ? nil : hash
  }
}
