// SPOP and SRANDMEMBER.
//
// 1. SPOP's effect names what was removed: SREM in groups of at most 1024 members, or DEL when
//    nothing is left.
// 2. Few members of a table are drawn one by one; otherwise one walk chooses among all.

import Bytes
import Keyspace
import RESP

extension SetHandlers {
  private static var effectMembers: Int { 1024 }

  static func spop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 3 { throw .syntax }
    if args.count == 3 { return try popSeveral(args, &keys, &reply) }
    guard var set = try keys.findSet(args[1]) else { return reply.null() }
    let member = keys.randomElement(set)
    reply.bulk(keys.element(member))
    let database = keys.selected
    keys.effects.begin(3, database: database)
    keys.effects.word("SREM")
    keys.effects.word(args[1])
    keys.appendEffect(member)
    keys.removeElement(member, of: &set)
    keys.didChange(set)
    keys.removeIfEmpty(set)
  }

  private static func popSeveral(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let count = args[2].parseInteger(), count >= 0 else { throw .mustBePositive }
    guard var set = try keys.findSet(args[1]) else { return reply.set(0) }
    let size = keys.elementCount(set)
    if count == 0 { return reply.set(0) }
    if count >= size {
      reply.set(size)
      var walk = keys.walk(set)
      while keys.advance(&walk) { reply.bulk(keys.element(walk)) }
      keys.remove(set, changes: size)
      return keys.propagateDeletion(args[1])
    }
    reply.set(count)
    if keys.isPacked(set) {
      popPacked(args, &keys, &set, count, size, &reply)
    } else {
      var left = count
      while left > 0 {
        let members = min(left, effectMembers)
        beginEffect(args, &keys, members)
        for _ in 0..<members {
          let member = keys.randomElement(set)
          reply.bulk(keys.element(member))
          keys.appendEffect(member)
          keys.removeElement(member, of: &set)
        }
        left -= members
      }
    }
    keys.didChange(set, count: count)
  }

  /// One walk through a packed set chooses who goes, and all of them go at once.
  private static func popPacked(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ set: inout Key, _ count: Int,
    _ size: Int, _ reply: inout ReplyBuffer
  ) {
    var chosen = GrowableArray<Int>()
    var walk = keys.walk(set)
    for index in 0..<size {
      let isThere = keys.advance(&walk)
      precondition(isThere, "a set has fewer members than it says")
      guard keys.chooses(count - chosen.count, of: size - index) else { continue }
      if chosen.count % effectMembers == 0 {
        beginEffect(args, &keys, min(count - chosen.count, effectMembers))
      }
      chosen.append(index)
      reply.bulk(keys.element(walk))
      keys.appendEffect(walk)
    }
    keys.removeElements(chosen.span, of: &set)
  }

  private static func beginEffect(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ members: Int
  ) {
    let database = keys.selected
    keys.effects.begin(members + 2, database: database)
    keys.effects.word("SREM")
    keys.effects.word(args[1])
  }

  static func srandmember(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 3 { throw .syntax }
    guard args.count == 3 else {
      guard let set = try keys.findSet(args[1], .read) else { return reply.null() }
      let member = keys.randomElement(set)
      return reply.bulk(keys.element(member))
    }
    let draw = try DrawCount(args[2])
    guard let set = try keys.findSet(args[1], .read) else { return reply.array(0) }
    try keys.replyDraw(draw, set, .elements, &reply)
  }
}

/// What a draw tells of each element.
enum DrawForm {
  case elements
  /// Field and value, one after the other in RESP2, as pairs in RESP3.
  case pairs
}

extension Keyspace {
  /// Elements drawn at random.
  mutating func replyDraw(
    _ draw: DrawCount, _ found: Key, _ form: DrawForm, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let size = liveElementCount(found)
    let mark = reply.bytes.count
    let count = draw.repeats ? draw.count : min(draw.count, size)
    reply.array(form == .pairs && reply.version == .two ? count * 2 : count)
    if draw.repeats {
      for _ in 0..<count {
        let element = randomElement(found)
        replyDrawn(element, form, &reply)
        guard reply.bytes.count - mark <= longestDraw else {
          reply.bytes.truncate(to: mark)
          throw .drawTooLong
        }
      }
    } else if isPacked(found) || count * 3 > size {
      var walk = walk(found)
      var left = size
      var wanted = count
      while wanted > 0 && advance(&walk) {
        if chooses(wanted, of: left) {
          replyDrawn(walk, form, &reply)
          wanted -= 1
        }
        left -= 1
      }
    } else {
      var drawn = DrawnSet(count: count)
      var wanted = count
      while wanted > 0 {
        let element = randomElement(found)
        guard drawn.insert(element.identity) else { continue }
        replyDrawn(element, form, &reply)
        wanted -= 1
      }
    }
  }

  private func replyDrawn(_ walk: ElementWalk, _ form: DrawForm, _ reply: inout ReplyBuffer) {
    if form == .pairs && reply.version == .three { reply.array(2) }
    reply.bulk(element(walk))
    if form == .pairs { reply.bulk(fieldValue(walk)) }
  }
}
