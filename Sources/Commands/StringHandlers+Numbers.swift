// Numbers in strings: INCR and its sisters.
//
// 1. A string is an integer only when it is written as printing it would write it.
// 2. The result is set anew as text, so that its encoding is that of an integer; the deadline
//    stays.

import Bytes
import Keyspace
import RESP

extension StringHandlers {
  static func incr(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try increment(args, &keys, &reply, by: 1)
  }

  static func decr(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try increment(args, &keys, &reply, by: -1)
  }

  static func incrby(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let amount = args[2].parseInteger() else { throw .notInteger }
    try increment(args, &keys, &reply, by: amount)
  }

  static func decrby(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let amount = args[2].parseInteger() else { throw .notInteger }
    // The one integer whose negative is none.
    if amount == .min { throw .fixed("ERR decrement would overflow") }
    try increment(args, &keys, &reply, by: -amount)
  }

  @inline(__always) private static func increment(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer, by amount: Int
  ) throws(CommandError) {
    let found = try keys.findString(args[1])
    var old = 0
    if let found {
      guard let integer = keys.value(found).parseInteger() else { throw .notInteger }
      old = integer
    }
    let (sum, isTooLarge) = old.addingReportingOverflow(amount)
    if isTooLarge { throw .overflow }
    let text = IntegerText(sum)
    try keys.set(args[1], found: found, value: text.span, deadline: .keep)
    keys.propagate(args)
    reply.integer(sum)
  }

  static func incrbyfloat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findString(args[1])
    var sum: ExtendedFloat = 0
    if let found {
      guard let number = keys.value(found).parseExtended() else { throw .notFloat }
      sum = number
    }
    guard let amount = args[2].parseExtended() else { throw .notFloat }
    sum += amount
    guard sum.isFinite else { throw .notANumber }
    var text = ByteBuffer()
    text.append(human: sum)
    try keys.set(args[1], found: found, value: text.span, deadline: .keep)
    keys.markText(args[1])
    // How floating-point numbers are added and printed may differ elsewhere: the result is sent.
    keys.propagateSet(args[1], text.span, .keep)
    reply.bulk(text.span)
  }
}
