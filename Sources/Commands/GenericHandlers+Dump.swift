// DUMP and RESTORE: values as bytes that another server understands.
//
// 1. A payload is read whole before anything changes: a bad one leaves the old value as it was.
// 2. The effect of RESTORE names an absolute deadline.

import Bytes
import Keyspace
import Persistence
import RESP

private struct RestoreOptions: BitwiseCopyable {
  var replaces = false
  var isAbsolute = false
  /// Seconds since the last access; -1 when not given.
  var idleSeconds = -1
  /// The access counter; -1 when not given.
  var frequency = -1

  init(_ args: borrowing Arguments) throws(CommandError) {
    var index = 4
    while index < args.count {
      let hasValue = index + 1 < args.count
      if args.equals(index, "REPLACE") {
        replaces = true
      } else if args.equals(index, "ABSTTL") {
        isAbsolute = true
      } else if args.equals(index, "IDLETIME") && hasValue && frequency < 0 {
        index += 1
        guard let seconds = args[index].parseInteger() else { throw .notInteger }
        if seconds < 0 { throw .fixed("ERR Invalid IDLETIME value, must be >= 0") }
        idleSeconds = seconds
      } else if args.equals(index, "FREQ") && hasValue && idleSeconds < 0 {
        index += 1
        guard let counter = args[index].parseInteger() else { throw .notInteger }
        guard 0...255 ~= counter else {
          throw .fixed("ERR Invalid FREQ value, must be >= 0 and <= 255")
        }
        frequency = counter
      } else {
        throw .syntax
      }
      index += 1
    }
  }
}

extension GenericHandlers {
  static func dump(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.find(args[1], .read) else { return reply.null() }
    var writer = RDBWriter()
    DumpPayload.write(found.entry, keys.arena.reader, keys.hash, into: &writer)
    reply.bulk(writer.bytes.span)
  }

  static func restore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try RestoreOptions(args)
    if !options.replaces && keys.find(args[1], .write) != nil { throw .busyKey }
    guard let amount = args[2].parseInteger() else { throw .notInteger }
    if amount < 0 { throw .fixed("ERR Invalid TTL value, must be >= 0") }
    let draft = try keys.draft(args[1], payload: args[3])
    let deadline = amount > 0 && !options.isAbsolute ? amount &+ keys.now : amount
    if amount > 0 && keys.isDue(deadline) {
      keys.discard(draft)
      if keys.remove(args[1]) { keys.propagateDeletion(args[1]) }
      return reply.ok()
    }
    try keys.store(draft, args[1], deadline: amount > 0 ? deadline : nil)
    if let made = keys.find(args[1], .peek) {
      keys.setAccess(made, idleSeconds: options.idleSeconds, frequency: options.frequency)
    }
    propagateRestore(args, &keys, amount > 0 && !options.isAbsolute ? deadline : nil)
    reply.ok()
  }

  /// - Parameter deadline: what takes the place of a relative one.
  private static func propagateRestore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ deadline: Int?
  ) {
    guard let deadline else { return keys.propagate(args) }
    keys.effects.begin(args.count + 1, database: keys.selected)
    for index in 0..<args.count {
      if index == 2 {
        keys.effects.word(decimal: deadline)
      } else {
        keys.effects.word(args[index])
      }
    }
    keys.effects.word("ABSTTL")
  }
}
