// Several strings at once: MGET, MSET, MSETNX.

import Keyspace
import RESP

extension StringHandlers {
  static func mget(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.array(args.count - 1)
    for index in 1..<args.count {
      // A key of another type answers as if it were missing.
      if let found = keys.find(args[index], .read), keys.entry(found).header.type == .string {
        reply.bulk(keys.value(found))
      } else {
        reply.null()
      }
    }
  }

  static func mset(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count & 1 == 0 { throw .wrongArity("mset") }
    try setAll(args, &keys)
    reply.ok()
  }

  static func msetnx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count & 1 == 0 { throw .wrongArity("msetnx") }
    for index in stride(from: 1, to: args.count, by: 2) {
      if keys.find(args[index], .write) != nil { return reply.integer(0) }
    }
    try setAll(args, &keys)
    reply.integer(1)
  }

  private static func setAll(
    _ args: borrowing Arguments, _ keys: inout Keyspace
  ) throws(CommandError) {
    var index = 1
    do throws(CommandError) {
      while index < args.count {
        let found = keys.find(args[index], .write)
        if index + 2 == args.count {
          try keys.assign(args, key: index, value: index + 1, found)
        } else {
          // A place is given away only at the end: a later pair may set the same key, and the
          // place would be freed while the effect is still to be made of it.
          try keys.set(args[index], found: found, value: args[index + 1])
        }
        index += 2
      }
    } catch {
      // What was set before memory ran out stays set.
      if index > 1 { keys.propagate(args, words: index) }
      throw error
    }
    keys.propagate(args)
  }
}
