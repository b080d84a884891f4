// Numbers in hashes: HINCRBY and HINCRBYFLOAT.
//
// 1. A field's value is an integer only when it is written as printing it would write it.
// 2. A field's deadline stays.

import Bytes
import Keyspace
import RESP

extension HashHandlers {
  static func hincrby(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let amount = args[3].parseInteger() else { throw .notInteger }
    let found = try keys.findHash(args[1], fields: 2..<3, args, .write)
    var old = 0
    if let found, let value = keys.field(args[2], of: found) {
      guard let integer = value.parseInteger() else {
        throw .fixed("ERR hash value is not an integer")
      }
      old = integer
    }
    let (sum, isTooLarge) = old.addingReportingOverflow(amount)
    if isTooLarge { throw .overflow }
    try store(IntegerText(sum).span, args, &keys, found)
    keys.propagate(args)
    reply.integer(sum)
  }

  static func hincrbyfloat(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let amount = args[3].parseExtended() else { throw .notFloat }
    guard amount.isFinite else { throw .fixed("ERR value is NaN or Infinity") }
    let found = try keys.findHash(args[1], fields: 2..<3, args, .write)
    let deadline = found.flatMap { keys.fieldDeadline(args[2], of: $0) ?? nil }
    var sum: ExtendedFloat = 0
    if let found, let value = keys.field(args[2], of: found) {
      let number = value.isInteger ? ExtendedFloat(value.integer) : value.string.parseExtended()
      guard let number else { throw .fixed("ERR hash value is not a float") }
      sum = number
    }
    sum += amount
    guard sum.isFinite else { throw .notANumber }
    var text = ByteBuffer()
    text.append(human: sum)
    try store(text.span, args, &keys, found)
    // How floating-point numbers are added and printed may differ elsewhere: the result is sent.
    let database = keys.selected
    keys.effects.begin(deadline == nil ? 4 : 7, database: database)
    if deadline == nil { keys.effects.word("HSET") } else { keys.effects.word("HSETEX") }
    keys.effects.word(args[1])
    if deadline != nil {
      keys.effects.word("KEEPTTL")
      keys.effects.word("FIELDS")
      keys.effects.word(decimal: 1)
    }
    keys.effects.word(args[2])
    keys.effects.word(text.span)
    reply.bulk(text.span)
  }

  private static func store(
    _ value: borrowing Span<UInt8>, _ args: borrowing Arguments, _ keys: inout Keyspace,
    _ found: Key?
  ) throws(CommandError) {
    var hash = try keys.openHash(args[1], found: found)
    do throws(CommandError) {
      _ = try keys.setField(args[2], of: &hash, to: value, keepsDeadline: true)
    } catch {
      keys.removeIfEmpty(hash)
      throw error
    }
    keys.didChange(hash)
  }
}
