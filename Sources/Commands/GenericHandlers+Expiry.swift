// Deadlines: giving them, taking them away, telling them.
//
// 1. Whatever unit and start a deadline was given in, its effect is PEXPIREAT with milliseconds
//    since 1970, or DEL when it has passed already: replay needs no clock.

import Bytes
import Keyspace
import RESP

/// When a new deadline takes the place of the old one; none counts as later than any.
private struct ExpiryConditions: BitwiseCopyable {
  var ifNone = false
  var ifSome = false
  var ifLater = false
  var ifEarlier = false

  /// Reads the arguments after the time.
  init(_ args: borrowing Arguments) throws(CommandError) {
    for index in 3..<max(args.count, 3) {
      if args.equals(index, "NX") {
        ifNone = true
      } else if args.equals(index, "XX") {
        ifSome = true
      } else if args.equals(index, "GT") {
        ifLater = true
      } else if args.equals(index, "LT") {
        ifEarlier = true
      } else {
        throw Self.unsupported(args[index])
      }
    }
    if ifNone && (ifSome || ifLater || ifEarlier) {
      throw .fixed("ERR NX and XX, GT or LT options at the same time are not compatible")
    }
    if ifLater && ifEarlier {
      throw .fixed("ERR GT and LT options at the same time are not compatible")
    }
  }

  func allow(_ new: Int, over old: Int?) -> Bool {
    guard let old else { return !ifSome && !ifLater }
    return !ifNone && (!ifLater || new > old) && (!ifEarlier || new < old)
  }

  private static func unsupported(_ option: borrowing Span<UInt8>) -> CommandError {
    // Redis' error is a C string: what follows a NUL is not in it.
    let text = option.indices.map { option[$0] }.prefix { $0 != 0 }
    return .custom("ERR Unsupported option \(String(decoding: text, as: UTF8.self))")
  }
}

// MARK: Giving and taking

extension GenericHandlers {
  static func expire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let start = keys.now
    try expire(args, &keys, &reply, unit: 1000, from: start, "expire")
  }

  static func expireat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try expire(args, &keys, &reply, unit: 1000, from: 0, "expireat")
  }

  static func pexpire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let start = keys.now
    try expire(args, &keys, &reply, unit: 1, from: start, "pexpire")
  }

  static func pexpireat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try expire(args, &keys, &reply, unit: 1, from: 0, "pexpireat")
  }

  /// - Parameters:
  ///   - unit: the time's, in milliseconds.
  ///   - start: what the time counts from, in milliseconds since 1970.
  private static func expire(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer, unit: Int,
    from start: Int, _ name: StaticString
  ) throws(CommandError) {
    let conditions = try ExpiryConditions(args)
    guard let amount = args[2].parseInteger() else { throw .notInteger }
    let (milliseconds, isTooLong) = amount.multipliedReportingOverflow(by: unit)
    let (deadline, isTooLate) = milliseconds.addingReportingOverflow(start)
    if isTooLong || isTooLate { throw .invalidExpire("\(name)") }
    guard let found = keys.find(args[1], .write),
      conditions.allow(deadline, over: keys.facts(found).expiry)
    else { return reply.integer(0) }
    try keys.expire(found, args[1], at: deadline)
    reply.integer(1)
  }

  static func persist(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.find(args[1], .write), keys.facts(found).expiry != nil else {
      return reply.integer(0)
    }
    try keys.setExpiry(found, nil)
    keys.propagate(args)
    reply.integer(1)
  }
}

// MARK: Telling

extension GenericHandlers {
  static func ttl(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let start = keys.now
    tell(args, &keys, &reply, inSeconds: true, from: start)
  }

  static func pttl(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let start = keys.now
    tell(args, &keys, &reply, inSeconds: false, from: start)
  }

  static func expiretime(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    tell(args, &keys, &reply, inSeconds: true, from: 0)
  }

  static func pexpiretime(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    tell(args, &keys, &reply, inSeconds: false, from: 0)
  }

  /// Replies with the time from `start` to the deadline; -1 without a deadline, -2 without a key.
  private static func tell(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    inSeconds: Bool, from start: Int
  ) {
    guard let found = keys.inspect(args[1]) else { return reply.integer(-2) }
    guard let expiry = keys.facts(found).expiry else { return reply.integer(-1) }
    let milliseconds = max(expiry - start, 0)
    guard inSeconds else { return reply.integer(milliseconds) }
    // To the nearest second; the sum may be more than a signed number holds.
    reply.integer(Int((UInt(milliseconds) + 500) / 1000))
  }
}
