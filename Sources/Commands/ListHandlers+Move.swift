// Moving elements from list to list, taking them from the first of several lists, and waiting for
// them. Rows: Lists.
//
// 1. What waits has the effect of the command that does not: BLPOP of LPOP, BLMOVE of LMOVE.
// 2. An element is added to the one list before it is taken from the other: without memory nothing
//    happens.

import Bytes
import Keyspace
import RESP

// MARK: Moving

extension ListHandlers {
  /// What is moved: from which end of which list to which end of which other.
  private struct Move: BitwiseCopyable {
    let from: ListEnd
    let to: ListEnd
    /// Whether the effect is RPOPLPUSH, which names no ends.
    var isOld = false
  }

  static func lmove(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let ends = Move(from: try end(args[3]), to: try end(args[4]))
    if try !move(args, ends, &keys, &reply) { reply.null() }
  }

  static func rpoplpush(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let ends = Move(from: .tail, to: .head, isOld: true)
    if try !move(args, ends, &keys, &reply) { reply.null() }
  }

  static func blmove(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let ends = Move(from: try end(args[3]), to: try end(args[4]))
    let deadline = try Wait.deadline(seconds: args[5], now: keys.now)
    if try !move(args, ends, &keys, &reply) {
      wait.forKeys(1..<2, .list, until: deadline, denied: .null, &reply)
    }
  }

  static func brpoplpush(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let deadline = try Wait.deadline(seconds: args[3], now: keys.now)
    if try !move(args, Move(from: .tail, to: .head, isOld: true), &keys, &reply) {
      wait.forKeys(1..<2, .list, until: deadline, denied: .null, &reply)
    }
  }

  static func end(_ text: borrowing Span<UInt8>) throws(CommandError) -> ListEnd {
    if text.equalsIgnoringCase("LEFT") { return .head }
    if text.equalsIgnoringCase("RIGHT") { return .tail }
    throw .syntax
  }

  /// Moves an element from the list at the first argument to that at the second.
  /// - Returns: false when there is none; then nothing was appended to the reply.
  private static func move(
    _ args: borrowing Arguments, _ ends: Move, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    // Looked at first, since looking at a name may remove it.
    let target = keys.find(args[2], .write)
    guard let source = try keys.findList(args[1]) else { return false }
    if let target { try keys.checkList(target) }
    var text = ByteBuffer()
    let isInteger = keys.element(source, ends.from).isInteger
    text.append(keys.element(source, ends.from))
    if let target, target.entry == source.entry {
      try rotate(source, text, ends, &keys)
    } else {
      let bytes = isInteger ? 0 : text.count
      var grown = try keys.growList(args[2], target, bytes: bytes, count: 1)
      do throws(CommandError) {
        try keys.push(text.span, to: &grown, ends.to)
      } catch {
        keys.removeIfEmpty(grown)
        throw error
      }
      keys.didChange(grown, count: 0)
      // A new key may have moved the old one's place.
      guard let again = keys.find(args[1], .peek) else {
        preconditionFailure("a list is gone while another was added to")
      }
      keys.pop(again, 1, ends.from)
    }
    reply.bulk(text.span)
    keys.propagateMove(args, ends.isOld)
    return true
  }

  /// Moves an element from an end of a list to an end of the same one.
  private static func rotate(
    _ list: Key, _ text: borrowing ByteBuffer, _ ends: Move, _ keys: inout Keyspace
  ) throws(CommandError) {
    let count = keys.count(list)
    if count > 1 && ends.from != ends.to {
      var list = list
      try keys.push(text.span, to: &list, ends.to)
      keys.remove(ends.from == .head ? 0..<1 : count..<(count + 1), from: list)
    }
    keys.didChange(list)
  }
}

extension Keyspace {
  fileprivate mutating func propagateMove(_ args: borrowing Arguments, _ isOld: Bool) {
    effects.begin(isOld ? 3 : 5, database: selected)
    if isOld { effects.word("RPOPLPUSH") } else { effects.word("LMOVE") }
    for index in 1..<(isOld ? 3 : 5) { effects.word(args[index]) }
  }

  /// The effect of taking elements; without `count` of taking one.
  fileprivate mutating func propagatePop(
    _ key: borrowing Span<UInt8>, _ end: ListEnd, _ count: Int? = nil
  ) {
    effects.begin(count == nil ? 2 : 3, database: selected)
    if end == .head { effects.word("LPOP") } else { effects.word("RPOP") }
    effects.word(key)
    if let count { effects.word(decimal: count) }
  }
}

// MARK: The first of several

extension ListHandlers {
  /// The arguments of LMPOP, from the number of keys on.
  private struct Several {
    let keys: Range<Int>
    let end: ListEnd
    var limit = 1

    init(_ args: borrowing Arguments, at first: Int) throws(CommandError) {
      guard let number = args[first].parseInteger(), number > 0 else {
        throw .fixed("ERR numkeys should be greater than 0")
      }
      guard number < args.count - first - 1 else { throw .syntax }
      let whereIndex = first + 1 + number
      keys = (first + 1)..<whereIndex
      end = try ListHandlers.end(args[whereIndex])
      var index = whereIndex + 1
      var hasCount = false
      while index < args.count {
        guard !hasCount && args.equals(index, "COUNT") && index + 1 < args.count else {
          throw .syntax
        }
        guard let count = args[index + 1].parseInteger(), count > 0 else {
          throw .fixed("ERR count should be greater than 0")
        }
        limit = count
        hasCount = true
        index += 2
      }
    }
  }

  static func lmpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if try !pop(args, try Several(args, at: 1), &keys, &reply) { reply.nullArray() }
  }

  static func blmpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let several = try Several(args, at: 2)
    let deadline = try Wait.deadline(seconds: args[1], now: keys.now)
    if try !pop(args, several, &keys, &reply) {
      wait.forKeys(several.keys, .list, until: deadline, &reply)
    }
  }

  /// Takes elements of the first list that there is.
  /// - Returns: false when there is none; then nothing was appended to the reply.
  private static func pop(
    _ args: borrowing Arguments, _ several: Several, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    for index in several.keys {
      guard let list = try keys.findList(args[index]) else { continue }
      reply.array(2)
      reply.bulk(args[index])
      let count = keys.reply(list, taking: several.limit, several.end, &reply)
      keys.propagatePop(args[index], several.end, count)
      return true
    }
    return false
  }

  static func blpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try popOrWait(args, .head, &keys, &wait, &reply)
  }

  static func brpop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try popOrWait(args, .tail, &keys, &wait, &reply)
  }

  private static func popOrWait(
    _ args: borrowing Arguments, _ end: ListEnd, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let names = 1..<(args.count - 1)
    let deadline = try Wait.deadline(seconds: args[args.count - 1], now: keys.now)
    for index in names {
      guard let list = try keys.findList(args[index]) else { continue }
      reply.array(2)
      reply.bulk(args[index])
      reply.bulk(keys.element(list, end))
      keys.pop(list, 1, end)
      keys.propagatePop(args[index], end)
      return
    }
    wait.forKeys(names, .list, until: deadline, &reply)
  }
}
