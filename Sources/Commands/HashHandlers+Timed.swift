// Reading, setting and deleting fields together with their deadlines, as in Redis 8: HGETEX,
// HSETEX, HGETDEL.
//
// 1. HSETEX sets all of its fields or none. Its effect is HSETEX with PXAT or KEEPTTL, HSET without
//    either, or HDEL when the deadline has passed.

import Bytes
import Keyspace
import RESP

// MARK: Getting

extension HashHandlers {
  static func hgetex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findHash(args[1])
    var deadline: Int?
    let persists = args.equals(2, "PERSIST")
    if let clock = FieldClock(args, at: 2, now: keys.now) {
      deadline = try Self.deadline(args[3], unit: clock.unit, from: clock.start, "hgetex")
    }
    let fields = try FieldRange(args, at: deadline != nil ? 4 : persists ? 3 : 2)
    let mark = reply.bytes.count
    reply.array(fields.count)
    guard var hash = found else {
      for _ in 0..<fields.count { reply.null() }
      return
    }
    var changes = FieldChanges()
    do throws(CommandError) {
      for index in fields.range {
        keys.expireField(args[index], of: &hash)
        reply.bulk(keys.field(args[index], of: hash))
        guard let old = keys.fieldDeadline(args[index], of: hash) else { continue }
        if let deadline {
          try time(args, index, &hash, deadline, &keys, &changes)
        } else if persists && old != nil {
          try keys.setFieldDeadline(args[index], of: &hash, nil)
          changes.timed.append(index)
        }
      }
    } catch {
      keys.noteTimed(args, hash, deadline, changes)
      reply.bytes.truncate(to: mark)
      throw error
    }
    keys.noteTimed(args, hash, deadline, changes)
  }

  static func hgetdel(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findHash(args[1])
    let fields = try FieldRange(args, at: 2)
    reply.array(fields.count)
    guard var hash = found else {
      for _ in 0..<fields.count { reply.null() }
      return
    }
    var changes = FieldChanges()
    for index in fields.range {
      keys.expireField(args[index], of: &hash)
      reply.bulk(keys.field(args[index], of: hash))
      if keys.removeField(args[index], of: &hash) { changes.deleted.append(index) }
    }
    keys.noteTimed(args, hash, nil, changes)
  }
}

/// How a time is meant that follows EX, PX, EXAT or PXAT.
private struct FieldClock: BitwiseCopyable {
  var unit = 1000
  var start = 0

  /// - Returns: nil when the argument is no such word.
  init?(_ args: borrowing Arguments, at index: Int, now: Int) {
    if args.equals(index, "EX") {
      start = now
    } else if args.equals(index, "PX") {
      unit = 1
      start = now
    } else if args.equals(index, "PXAT") {
      unit = 1
    } else if !args.equals(index, "EXAT") {
      return nil
    }
  }
}

// MARK: Setting

/// What HSETEX says before its fields.
private struct SettingOptions: BitwiseCopyable {
  var deadline: Int?
  var keepsDeadline = false
  var onlyIfMissing = false
  var onlyIfExists = false
  /// The first field, and how many there are.
  var first = 0
  var count = 0

  init(_ args: borrowing Arguments, now: Int) throws(CommandError) {
    var index = 2
    while index < args.count {
      if args.equals(index, "FIELDS") {
        try takeFields(args, index)
        return
      }
      if try takeCondition(args, index) {
        index += 1
      } else {
        index += try takeExpiration(args, index, now: now)
      }
    }
    throw .wrongArity("hsetex")
  }

  private mutating func takeFields(_ args: borrowing Arguments, _ index: Int) throws(CommandError) {
    if index >= args.count - 3 { throw .wrongArity("hsetex") }
    guard let number = args[index + 1].parseInteger(), 1...Int(Int32.max) ~= number else {
      throw .fixed("ERR invalid number of fields")
    }
    let words = args.count - index - 2
    guard words % 2 == 0, number == words / 2 else { throw .wrongArity("hsetex") }
    first = index + 2
    count = number
  }

  private mutating func takeCondition(
    _ args: borrowing Arguments, _ index: Int
  ) throws(CommandError) -> Bool {
    let isMissing = args.equals(index, "FNX")
    guard isMissing || args.equals(index, "FXX") else { return false }
    if onlyIfExists || onlyIfMissing {
      throw .fixed("ERR Only one of FXX or FNX arguments can be specified")
    }
    onlyIfMissing = isMissing
    onlyIfExists = !isMissing
    return true
  }

  /// - Returns: how many arguments it takes.
  private mutating func takeExpiration(
    _ args: borrowing Arguments, _ index: Int, now: Int
  ) throws(CommandError) -> Int {
    let keeps = args.equals(index, "KEEPTTL")
    let clock = FieldClock(args, at: index, now: now)
    guard keeps || clock != nil else { throw Self.unknown(args[index]) }
    if deadline != nil || keepsDeadline {
      throw .fixed("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
    }
    keepsDeadline = keeps
    guard let clock else { return 1 }
    guard index + 1 < args.count else { throw .fixed("ERR missing expire time") }
    deadline = try HashHandlers.deadline(
      args[index + 1], unit: clock.unit, from: clock.start, "hsetex")
    return 2
  }

  private static func unknown(_ option: borrowing Span<UInt8>) -> CommandError {
    // Redis' error is a C string: what follows a NUL is not in it.
    let text = option.indices.map { option[$0] }.prefix { $0 != 0 }
    return .custom("ERR unknown argument: \(String(decoding: text, as: UTF8.self))")
  }
}

extension HashHandlers {
  static func hsetex(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try SettingOptions(args, now: keys.now)
    var found = try keys.findHash(args[1])
    if options.onlyIfMissing || options.onlyIfExists {
      guard isAllowed(args, options, &found, &keys) else { return reply.integer(0) }
    }
    if let deadline = options.deadline, deadline <= keys.now {
      removeAll(args, options, found, &keys)
      return reply.integer(1)
    }
    var hash = try keys.openHash(args[1], found: found)
    var count = 0
    do throws(CommandError) {
      try keys.prepareHash(&hash, for: batch(args, options.first..<args.count))
      while count < options.count {
        let index = options.first + 2 * count
        _ = try keys.setField(
          args[index], of: &hash, to: args[index + 1], keepsDeadline: options.keepsDeadline)
        count += 1
        if options.deadline != nil {
          try keys.setFieldDeadline(args[index], of: &hash, options.deadline)
        }
      }
    } catch {
      noteSetting(args, options, count, hash, &keys)
      keys.removeIfEmpty(hash)
      throw error
    }
    noteSetting(args, options, count, hash, &keys)
    reply.integer(1)
  }

  /// Whether all fields exist, or none. What is past its deadline goes on the way.
  private static func isAllowed(
    _ args: borrowing Arguments, _ options: SettingOptions, _ found: inout Key?,
    _ keys: inout Keyspace
  ) -> Bool {
    guard var hash = found else { return options.onlyIfMissing }
    var isAllowed = true
    for step in 0..<options.count where isAllowed {
      let index = options.first + 2 * step
      keys.expireField(args[index], of: &hash)
      isAllowed = (keys.field(args[index], of: hash) == nil) == options.onlyIfMissing
    }
    found = keys.removeIfEmpty(hash) ? nil : hash
    return isAllowed
  }

  /// Fields that are set to expire in the past are gone.
  private static func removeAll(
    _ args: borrowing Arguments, _ options: SettingOptions, _ found: Key?, _ keys: inout Keyspace
  ) {
    guard var hash = found else { return }
    var changes = FieldChanges()
    for step in 0..<options.count {
      let index = options.first + 2 * step
      if keys.removeField(args[index], of: &hash) { changes.deleted.append(index) }
    }
    keys.noteTimed(args, hash, nil, changes)
  }

  /// Notes that the first `count` fields were set.
  private static func noteSetting(
    _ args: borrowing Arguments, _ options: SettingOptions, _ count: Int, _ hash: Key,
    _ keys: inout Keyspace
  ) {
    if count == 0 { return }
    keys.didChange(hash, count: count)
    let database = keys.selected
    let isTimed = options.deadline != nil
    let isPlain = !isTimed && !options.keepsDeadline
    keys.effects.begin(2 * count + (isPlain ? 2 : isTimed ? 6 : 5), database: database)
    if isPlain { keys.effects.word("HSET") } else { keys.effects.word("HSETEX") }
    keys.effects.word(args[1])
    if let deadline = options.deadline {
      keys.effects.word("PXAT")
      keys.effects.word(decimal: deadline)
    } else if options.keepsDeadline {
      keys.effects.word("KEEPTTL")
    }
    if !isPlain {
      keys.effects.word("FIELDS")
      keys.effects.word(decimal: count)
    }
    for index in options.first..<(options.first + 2 * count) { keys.effects.word(args[index]) }
  }
}
