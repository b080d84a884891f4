// SetHandlers: members of one set. Rows: Sets. Random members and operations on several sets have
// files of their own.
//
// 1. A set that a command has emptied is removed by it, and the effect is the command itself.

import Bytes
import Keyspace
import RESP

enum SetHandlers {}

extension SetHandlers {
  static func sadd(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var set: Key
    if let found = try keys.findSet(args[1]) {
      set = found
      try keys.prepareSet(&set, adding: args.count - 2)
    } else {
      set = try keys.makeSet(args[1], first: args[2], count: args.count - 2)
    }
    var added = 0
    do throws(CommandError) {
      for index in 2..<args.count where try keys.addMember(args[index], to: &set) { added += 1 }
    } catch {
      // What was added before memory ran out stays.
      keys.removeIfEmpty(set)
      if added > 0 { keys.noteChanges(added, set, args) }
      throw error
    }
    if added > 0 { keys.noteChanges(added, set, args) }
    reply.integer(added)
  }

  static func srem(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard var set = try keys.findSet(args[1]) else { return reply.integer(0) }
    var removed = 0
    for index in 2..<args.count where keys.removeMember(args[index], of: &set) { removed += 1 }
    if removed > 0 {
      keys.noteChanges(removed, set, args)
      keys.removeIfEmpty(set)
    }
    reply.integer(removed)
  }

  static func smove(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    // Looking a key up may remove it, and with that move the other.
    _ = keys.find(args[2], .write)
    guard let source = keys.find(args[1], .write) else { return reply.integer(0) }
    let target = keys.find(args[2], .peek)
    guard keys.facts(source).header.type == .set,
      target.map({ keys.facts($0).header.type == .set }) ?? true
    else { throw .wrongType }
    guard keys.hasMember(args[3], source) else { return reply.integer(0) }
    if let target, target.entry == source.entry { return reply.integer(1) }
    var isAdded = false
    if var target {
      isAdded = try keys.addMember(args[3], to: &target)
      if isAdded { keys.didChange(target) }
    } else {
      var made = try keys.makeSet(args[2], first: args[3], count: 1)
      do throws(CommandError) {
        isAdded = try keys.addMember(args[3], to: &made)
      } catch {
        keys.removeIfEmpty(made)
        throw error
      }
      keys.didChange(made)
    }
    guard var source = keys.find(args[1], .peek) else {
      preconditionFailure("a key that was found is gone")
    }
    _ = keys.removeMember(args[3], of: &source)
    keys.noteChanges(1, source, args)
    keys.removeIfEmpty(source)
    reply.integer(1)
  }

  static func scard(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSet(args[1], .read)
    reply.integer(found.map { keys.elementCount($0) } ?? 0)
  }

  static func sismember(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findSet(args[1], .read) else { return reply.integer(0) }
    reply.integer(keys.hasMember(args[2], found) ? 1 : 0)
  }

  static func smismember(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSet(args[1], .read)
    reply.array(args.count - 2)
    for index in 2..<args.count {
      reply.integer(found.map { keys.hasMember(args[index], $0) } ?? false ? 1 : 0)
    }
  }

  static func smembers(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findSet(args[1], .read) else { return reply.set(0) }
    reply.set(keys.elementCount(found))
    keys.reply(found, .elements, &long, &reply)
  }

  static func sscan(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let cursor = try ScanOptions.cursor(args[2])
    guard let found = try keys.findSet(args[1], .read) else { return reply.emptyScan() }
    try keys.replyScan(args, found, cursor: cursor, withValues: false, &reply)
  }
}

extension Keyspace {
  /// Notes `count` changes of a key, whose effect is the request itself.
  @inline(__always) mutating func noteChanges(
    _ count: Int, _ key: Key, _ args: borrowing Arguments
  ) {
    didChange(key, count: count)
    propagate(args)
  }
}

extension ReplyBuffer {
  /// What a scan of nothing replies.
  mutating func emptyScan() {
    array(2)
    bulk("0")
    array(0)
  }
}
