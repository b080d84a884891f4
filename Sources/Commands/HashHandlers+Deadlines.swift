// Deadlines of fields, as in Redis 7.4: HEXPIRE and its sisters, HTTL and its, HPERSIST.
//
//   HEXPIRE key time [NX | XX | GT | LT] FIELDS n field ...
//
//   per field   -2 no such field   -1 no deadline   0 condition not met   1 done   2 deleted: past
//
// 1. Whatever unit and start a deadline was given in, its effect is HPEXPIREAT with milliseconds
//    since 1970, or HDEL when it has passed already. Conditions are not part: the effect names
//    the fields that got the deadline.
// 2. A named field that is past its deadline is removed first: no command gives it a new one.

import Bytes
import Keyspace
import RESP

/// Which arguments are fields.
struct FieldRange {
  let first: Int
  let count: Int

  /// Reads `FIELDS n field ...`, which takes up all arguments from `index` on.
  /// - Parameter message: what a bad number is answered with.
  init(
    _ args: borrowing Arguments, at index: Int,
    message: StaticString = "ERR Number of fields must be a positive integer"
  ) throws(CommandError) {
    guard index < args.count, args.equals(index, "FIELDS") else {
      throw .fixed("ERR Mandatory argument FIELDS is missing or not at the right position")
    }
    guard index + 1 < args.count, let number = args[index + 1].parseInteger(), number > 0 else {
      throw .fixed(message)
    }
    guard number == args.count - index - 2 else {
      throw .fixed("ERR The `numfields` parameter must match the number of arguments")
    }
    count = number
    first = index + 2
  }

  var range: Range<Int> { first..<(first + count) }
}

/// When a new deadline takes the place of the old one.
private enum FieldCondition: BitwiseCopyable {
  case always, ifNone, ifSome, ifLater, ifEarlier

  init(_ args: borrowing Arguments, at index: Int) {
    if args.equals(index, "NX") {
      self = .ifNone
    } else if args.equals(index, "XX") {
      self = .ifSome
    } else if args.equals(index, "GT") {
      self = .ifLater
    } else if args.equals(index, "LT") {
      self = .ifEarlier
    } else {
      self = .always
    }
  }

  /// None counts as later than any.
  func allows(_ new: Int, over old: Int?) -> Bool {
    switch self {
    case .always: true
    case .ifNone: old == nil
    case .ifSome: old != nil
    case .ifLater: old.map { new > $0 } ?? false
    case .ifEarlier: old.map { new < $0 } ?? true
    }
  }
}

/// What became of the fields of a command, for its effects.
struct FieldChanges: ~Copyable {
  /// Arguments whose fields got a deadline, or lost it.
  var timed = GrowableArray<Int>()
  /// Arguments whose fields are gone.
  var deleted = GrowableArray<Int>()

  var count: Int { timed.count + deleted.count }
}

// MARK: Giving

extension HashHandlers {
  /// The latest deadline that a field can be given, in milliseconds since 1970.
  private static var latestDeadline: Int { 0xFFFF_FFFF_FFFF >> 2 }

  static func hexpire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let now = keys.now
    try expire(args, &keys, &reply, unit: 1000, from: now, "hexpire")
  }

  static func hexpireat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try expire(args, &keys, &reply, unit: 1000, from: 0, "hexpireat")
  }

  static func hpexpire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let now = keys.now
    try expire(args, &keys, &reply, unit: 1, from: now, "hpexpire")
  }

  static func hpexpireat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try expire(args, &keys, &reply, unit: 1, from: 0, "hpexpireat")
  }

  private static func expire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer, unit: Int,
    from start: Int, _ name: StaticString
  ) throws(CommandError) {
    let found = try keys.findHash(args[1])
    let deadline = try deadline(args[2], unit: unit, from: start, name)
    let condition = FieldCondition(args, at: 3)
    let fields = try FieldRange(
      args, at: condition == .always ? 3 : 4,
      message: "ERR Parameter `numFields` should be greater than 0")
    guard var hash = found else { return replyMissing(fields, &reply) }
    let mark = reply.bytes.count
    reply.array(fields.count)
    var changes = FieldChanges()
    do throws(CommandError) {
      for index in fields.range {
        keys.expireField(args[index], of: &hash)
        guard let old = keys.fieldDeadline(args[index], of: hash) else {
          reply.integer(-2)
          continue
        }
        guard condition.allows(deadline, over: old) else {
          reply.integer(0)
          continue
        }
        try time(args, index, &hash, deadline, &keys, &changes)
        reply.integer(deadline <= keys.now ? 2 : 1)
      }
    } catch {
      keys.noteTimed(args, hash, deadline, changes)
      reply.bytes.truncate(to: mark)
      throw error
    }
    keys.noteTimed(args, hash, deadline, changes)
  }

  /// Gives the field that is argument `index` a deadline; one that has passed deletes it.
  static func time(
    _ args: borrowing Arguments, _ index: Int, _ hash: inout Key, _ deadline: Int,
    _ keys: inout Keyspace, _ changes: inout FieldChanges
  ) throws(CommandError) {
    if deadline <= keys.now {
      _ = keys.removeField(args[index], of: &hash)
      keys.statistics.expiredFields &+= 1
      changes.deleted.append(index)
    } else {
      try keys.setFieldDeadline(args[index], of: &hash, deadline)
      changes.timed.append(index)
    }
  }

  /// Milliseconds since 1970 of a time given as `text`.
  static func deadline(
    _ text: borrowing Span<UInt8>, unit: Int, from start: Int, _ name: StaticString
  ) throws(CommandError) -> Int {
    guard let amount = text.parseInteger() else { throw .notInteger }
    guard amount >= 0 else { throw .fixed("ERR invalid expire time, must be >= 0") }
    guard amount <= latestDeadline / unit, amount * unit <= latestDeadline - start else {
      throw .invalidExpire("\(name)")
    }
    return amount * unit + start
  }

  static func replyMissing(_ fields: FieldRange, _ reply: inout ReplyBuffer) {
    reply.array(fields.count)
    for _ in 0..<fields.count { reply.integer(-2) }
  }
}

extension Keyspace {
  /// Notes what became of fields that got a deadline, or nil for none, and removes the hash if no
  /// field is left.
  mutating func noteTimed(
    _ args: borrowing Arguments, _ hash: Key, _ deadline: Int?, _ changes: borrowing FieldChanges
  ) {
    if !changes.timed.isEmpty {
      effects.begin(changes.timed.count + (deadline == nil ? 4 : 5), database: selected)
      if deadline == nil { effects.word("HPERSIST") } else { effects.word("HPEXPIREAT") }
      effects.word(args[1])
      if let deadline { effects.word(decimal: deadline) }
      effects.word("FIELDS")
      effects.word(decimal: changes.timed.count)
      for index in 0..<changes.timed.count { effects.word(args[changes.timed[index]]) }
    }
    if !changes.deleted.isEmpty {
      effects.begin(2 + changes.deleted.count, database: selected)
      effects.word("HDEL")
      effects.word(args[1])
      for index in 0..<changes.deleted.count { effects.word(args[changes.deleted[index]]) }
    }
    if changes.count > 0 { didChange(hash, count: changes.count) }
    removeIfEmpty(hash)
  }
}

// MARK: Taking away and telling

extension HashHandlers {
  static func hpersist(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findHash(args[1])
    let fields = try FieldRange(args, at: 2)
    guard var hash = found else { return replyMissing(fields, &reply) }
    let mark = reply.bytes.count
    reply.array(fields.count)
    var changes = FieldChanges()
    do throws(CommandError) {
      for index in fields.range {
        guard let old = keys.fieldDeadline(args[index], of: hash) else {
          reply.integer(-2)
          continue
        }
        if old != nil {
          try keys.setFieldDeadline(args[index], of: &hash, nil)
          changes.timed.append(index)
        }
        reply.integer(old == nil ? -1 : 1)
      }
    } catch {
      keys.noteTimed(args, hash, nil, changes)
      reply.bytes.truncate(to: mark)
      throw error
    }
    keys.noteTimed(args, hash, nil, changes)
  }

  static func httl(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let now = keys.now
    try tell(args, &keys, &reply, inSeconds: true, from: now)
  }

  static func hpttl(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let now = keys.now
    try tell(args, &keys, &reply, inSeconds: false, from: now)
  }

  static func hexpiretime(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try tell(args, &keys, &reply, inSeconds: true, from: 0)
  }

  static func hpexpiretime(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try tell(args, &keys, &reply, inSeconds: false, from: 0)
  }

  /// Replies with the time from `start` to each field's deadline; seconds are rounded up.
  private static func tell(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    inSeconds: Bool, from start: Int
  ) throws(CommandError) {
    let found = try keys.findHash(args[1], .read)
    let fields = try FieldRange(args, at: 2)
    guard let hash = found else { return replyMissing(fields, &reply) }
    reply.array(fields.count)
    for index in fields.range {
      guard let deadline = keys.fieldDeadline(args[index], of: hash) else {
        reply.integer(-2)
        continue
      }
      guard let deadline else {
        reply.integer(-1)
        continue
      }
      reply.integer(inSeconds ? (deadline - start + 999) / 1000 : deadline - start)
    }
  }
}
