// StringHandlers: reading, setting and changing whole strings and parts of them. Rows: Strings.
// Numbers, several keys and LCS have files of their own.
//
// 1. A handler looks a key up once; what it has found is used before the keyspace changes.
// 2. A large value that was read into its final place is given to the key, not copied.

import Bytes
import Keyspace
import RESP

enum StringHandlers {}

// MARK: Reading and setting

extension StringHandlers {
  static func get(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findString(args[1], .read) else { return reply.null() }
    reply.bulk(keys.value(found))
  }

  static func set(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count > 3 else {
      let found = keys.find(args[1], .write)
      try keys.assign(args, value: 2, found)
      keys.propagate(args)
      return reply.ok()
    }
    try setWithOptions(args, &keys, &reply)
  }

  private static func setWithOptions(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try StringOptions(args, from: 3, .set)
    let time = try options.deadline(args, now: keys.now, "set")
    let mark = reply.bytes.count
    let found: Key?
    if options.returnsOld {
      found = try keys.findString(args[1], .read)
      if let found { reply.bulk(keys.value(found)) } else { reply.null() }
    } else {
      found = keys.find(args[1], .write)
    }
    if found == nil ? options.onlyIfExists : options.onlyIfMissing {
      if !options.returnsOld { reply.null() }
      return
    }
    let deadline = options.expiry == .keep ? Deadline.keep : time.map { .at($0) } ?? .none
    do throws(CommandError) {
      try keys.assign(args, value: 2, found, deadline)
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
    if !options.returnsOld { reply.ok() }
    if case .at = deadline, options.expiry != .millisecondsAt || args.count > 5 {
      keys.propagateSet(args[1], args[2], deadline)
    } else if options.returnsOld {
      propagateWithoutGet(args, &keys)
    } else {
      keys.propagate(args)
    }
  }

  /// A SET is passed on without GET, which means nothing to who has no use for the reply.
  private static func propagateWithoutGet(_ args: borrowing Arguments, _ keys: inout Keyspace) {
    var count = args.count
    for index in 3..<args.count where args.equals(index, "GET") { count -= 1 }
    keys.effects.begin(count, database: keys.selected)
    for index in 0..<args.count where index < 3 || !args.equals(index, "GET") {
      keys.effects.word(args[index])
    }
  }

  static func setnx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if keys.find(args[1], .write) != nil { return reply.integer(0) }
    try keys.assign(args, value: 2, nil)
    keys.propagate(args)
    reply.integer(1)
  }

  static func setex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try set(
      args, &keys, &reply,
      until: StringOptions.deadline(args[2], isSeconds: true, from: keys.now, "setex"))
  }

  static func psetex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try set(
      args, &keys, &reply,
      until: StringOptions.deadline(args[2], isSeconds: false, from: keys.now, "psetex"))
  }

  private static func set(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer, until time: Int
  ) throws(CommandError) {
    let found = keys.find(args[1], .write)
    try keys.assign(args, value: 3, found, .at(time))
    keys.propagateSet(args[1], args[3], .at(time))
    reply.ok()
  }

  static func getset(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findString(args[1], .read)
    let mark = reply.bytes.count
    if let found { reply.bulk(keys.value(found)) } else { reply.null() }
    do throws(CommandError) {
      try keys.assign(args, value: 2, found)
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
    keys.propagateSet(args[1], args[2])
  }

  static func getdel(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findString(args[1], .read) else { return reply.null() }
    reply.bulk(keys.value(found))
    keys.remove(found)
    keys.propagateDeletion(args[1])
  }

  static func getex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try StringOptions(args, from: 2, .getex)
    guard let found = try keys.findString(args[1], .read) else { return reply.null() }
    let time = try options.deadline(args, now: keys.now, "getex")
    let mark = reply.bytes.count
    reply.bulk(keys.value(found))
    do throws(CommandError) {
      if let time {
        try keys.expire(found, args[1], at: time)
      } else if options.expiry == .persist, keys.facts(found).expiry != nil {
        try keys.setExpiry(found, nil)
        keys.effects.begin(2, database: keys.selected)
        keys.effects.word("PERSIST")
        keys.effects.word(args[1])
      }
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
  }
}

// MARK: Parts of strings

extension StringHandlers {
  static func strlen(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findString(args[1], .read)
    reply.integer(found.map { keys.facts($0).valueCount } ?? 0)
  }

  static func append(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findString(args[1]) else {
      try keys.assign(args, value: 2, nil)
      keys.propagate(args)
      return reply.integer(args[2].count)
    }
    let tail = args[2]
    let start = keys.facts(found).valueCount
    try keys.checkLength(start, adding: tail.count)
    let end = start + tail.count
    let grown = try keys.resizeString(args[1], found: found, count: end)
    keys.write(tail, to: grown, at: start)
    keys.didChange(grown)
    keys.propagate(args)
    reply.integer(end)
  }

  static func setrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let offset = args[2].parseInteger() else { throw .notInteger }
    if offset < 0 { throw .offsetOutOfRange }
    let part = args[3]
    let found = try keys.findString(args[1])
    let count = found.map { keys.facts($0).valueCount } ?? 0
    if part.isEmpty { return reply.integer(count) }
    try keys.checkLength(offset, adding: part.count)
    let end = max(count, offset + part.count)
    let grown = try keys.resizeString(args[1], found: found, count: end)
    keys.write(part, to: grown, at: offset)
    keys.didChange(grown)
    keys.propagate(args)
    reply.integer(end)
  }

  static func getrange(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let start = args[2].parseInteger(), let end = args[3].parseInteger() else {
      throw .notInteger
    }
    guard let found = try keys.findString(args[1], .read) else { return reply.bulk("") }
    let value = keys.value(found)
    // Two negative ends in the wrong order are no range even where both move to the first byte.
    guard !(start < 0 && end < 0 && start > end),
      let range = clampedRange(start, end, count: value.count)
    else { return reply.bulk("") }
    reply.bulk(value.extracting(range))
  }

  static func substr(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try getrange(args, &keys, &reply)
  }
}

/// The positions from `start` to `end`, both included, of `count`; negative ones count from the
/// end, and those outside move to the nearest inside. Nil when there are none.
func clampedRange(_ start: Int, _ end: Int, count: Int) -> Range<Int>? {
  let first = max(start < 0 ? start + count : start, 0)
  let last = min(max(end < 0 ? end + count : end, 0), count - 1)
  return first <= last ? first..<(last + 1) : nil
}

// MARK: What handlers of strings do to the keyspace

extension Keyspace {
  /// Sets `args[key]` to `args[value]`. The place of a large argument is given to the key.
  @inline(__always) mutating func assign(
    _ args: borrowing Arguments, key: Int = 1, value: Int, _ found: Key?,
    _ deadline: Deadline = .none
  ) throws(CommandError) {
    guard let place = args.place(value) else {
      return try set(args[key], found: found, value: args[value], deadline: deadline)
    }
    try set(args[key], found: found, place: place, count: args[value].count, deadline: deadline)
  }

  /// Gives a key a deadline; one in the past removes it.
  mutating func expire(
    _ found: Key, _ key: borrowing Span<UInt8>, at time: Int
  ) throws(CommandError) {
    if time <= now {
      remove(found)
      return propagateDeletion(key)
    }
    try setExpiry(found, time)
    effects.begin(3, database: selected)
    effects.word("PEXPIREAT")
    effects.word(key)
    effects.word(decimal: time)
  }

  /// Whether a string of `count` bytes may get `extra` more.
  func checkLength(_ count: Int, adding extra: Int) throws(CommandError) {
    let (total, isTooLong) = count.addingReportingOverflow(extra)
    if isTooLong || total > maximumStringBytes { throw .stringTooLong }
  }

  /// Overwrites the bytes from `offset` on of a string that is long enough. `didChange` follows.
  mutating func write(_ bytes: borrowing Span<UInt8>, to found: Key, at offset: Int) {
    guard !bytes.isEmpty else { return }
    var target = mutableString(found, offset..<(offset + bytes.count))
    target.copy(bytes)
  }
}
