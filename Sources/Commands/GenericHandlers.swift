// GenericHandlers: removing, looking at, renaming, moving and copying keys of any type. Rows:
// Generic. Deadlines, walks and OBJECT have files of their own.
//
// 1. What was found is good until the keyspace changes, and looking at a name may remove it: a
//    target is looked at before the source is found.
// 2. A command that has changed nothing appends no effect.

import Bytes
import Keyspace
import RESP

enum GenericHandlers {}

// MARK: Removing and looking

extension GenericHandlers {
  static func del(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    remove(args, .userDelete, &keys, &reply)
  }

  static func unlink(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    remove(args, .unlink, &keys, &reply)
  }

  private static func remove(
    _ args: borrowing Arguments, _ reason: LazyFree, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    var removed = 0
    for index in 1..<args.count where keys.remove(args[index], reason) { removed += 1 }
    if removed > 0 { keys.propagate(args) }
    reply.integer(removed)
  }

  static func exists(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var count = 0
    for index in 1..<args.count where keys.inspect(args[index]) != nil { count += 1 }
    reply.integer(count)
  }

  static func touch(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    // The one read that leaves its trace whatever CLIENT NO-TOUCH says.
    let leavesNoTrace = keys.leavesNoTrace
    keys.leavesNoTrace = false
    var count = 0
    for index in 1..<args.count where keys.find(args[index], .read) != nil { count += 1 }
    keys.leavesNoTrace = leavesNoTrace
    reply.integer(count)
  }

  static func type(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = keys.inspect(args[1]) else { return reply.simple("none") }
    reply.simple(keys.facts(found).header.type.name)
  }
}

// MARK: Renaming, moving, copying

extension GenericHandlers {
  static func rename(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    _ = keys.exists(args[2], database: keys.selected)
    guard let found = keys.find(args[1], .write) else { throw .noSuchKey }
    if !equal(args[1], args[2]) {
      try keys.rename(found, to: args[2])
      keys.propagate(args)
    }
    reply.ok()
  }

  static func renamenx(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isTaken = keys.exists(args[2], database: keys.selected)
    guard let found = keys.find(args[1], .write) else { throw .noSuchKey }
    if isTaken { return reply.integer(0) }
    try keys.rename(found, to: args[2])
    keys.propagate(args)
    reply.integer(1)
  }

  static func move(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let database = try database(args[2], keys)
    if database == keys.selected { throw .sameObject }
    let isTaken = keys.exists(args[1], database: database)
    guard let found = keys.find(args[1], .write), !isTaken else { return reply.integer(0) }
    try keys.move(found, to: database)
    keys.propagate(args)
    reply.integer(1)
  }

  static func copy(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var replaces = false
    var target = keys.selected
    var index = 3
    while index < args.count {
      if args.equals(index, "REPLACE") {
        replaces = true
      } else if args.equals(index, "DB") && index + 1 < args.count {
        index += 1
        target = try database(args[index], keys)
      } else {
        throw .syntax
      }
      index += 1
    }
    if target == keys.selected && equal(args[1], args[2]) { throw .sameObject }
    let isTaken = keys.exists(args[2], database: target)
    guard let found = keys.find(args[1], .read), !isTaken || replaces else {
      return reply.integer(0)
    }
    try keys.copy(found, to: args[2], database: target)
    keys.propagate(args)
    reply.integer(1)
  }

  /// The number of a database that there is.
  private static func database(
    _ text: borrowing Span<UInt8>, _ keys: borrowing Keyspace
  ) throws(CommandError) -> Int {
    guard let number = text.parseInteger() else { throw .notInteger }
    guard Int32(exactly: number) != nil else {
      throw .fixed("ERR value is out of range, value must between -2147483648 and 2147483647")
    }
    guard number >= 0 && number < keys.databaseCount else { throw .databaseOutOfRange }
    return number
  }

  private static func equal(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count where a[index] != b[index] { return false }
    return true
  }
}

extension Keyspace {
  /// Looks a key up for a command that asks about it without using it: a hit or a miss, but no
  /// access.
  @inline(__always) mutating func inspect(_ key: borrowing Span<UInt8>) -> Key? {
    let found = find(key, .peek)
    if found == nil { statistics.misses &+= 1 } else { statistics.hits &+= 1 }
    return found
  }
}
