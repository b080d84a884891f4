// LongReply: the elements of a large collection, replied piece by piece between other commands, so
// that nobody waits while a million of them are written down, and a slow reader costs the memory of
// a piece, not of the whole reply.
//
//   handler ──► says how many ──► the first piece ──► the server keeps what is left
//   server:   each turn, while the client takes them: the next pieces
//             a command is about to change the collection: all that is left, at once
//
// 1. A piece is good while the collection does not change: the reply is that of one moment.
// 2. Where nobody keeps the rest (inside MULTI) the first piece is all.

import Keyspace
import RESP

public struct LongReply: BitwiseCopyable, Sendable {
  /// What is told of a hash's or a set's elements.
  enum Parts: Sendable { case elements, values, pairs }

  enum Rest: BitwiseCopyable, Sendable {
    case nothing
    case elements(ElementWalk, Parts)
    /// The cursor stands at the next element.
    case list(ListCursor, count: Int)
    case sortedSet(SortedSetWalk, count: Int, withScores: Bool)
  }

  let isAllowed: Bool
  var rest = Rest.nothing
  /// When the collection may change without a command: the first deadline of the key or of a field,
  /// in milliseconds since 1970.
  public internal(set) var goodUntil = Int.max

  /// - Parameter isAllowed: whether the caller keeps what is left.
  public init(isAllowed: Bool) {
    self.isAllowed = isAllowed
  }

  public var isUnfinished: Bool {
    if case .nothing = rest { false } else { true }
  }

  /// What a piece is at most; one element may be longer than that.
  static var pieceElements: Int { 2048 }
  static var pieceBytes: Int { 256 << 10 }
}

extension Keyspace {
  /// Replies the elements of a hash or a set; how many was said before.
  func reply(
    _ found: Key, _ parts: LongReply.Parts, _ long: inout LongReply, _ reply: inout ReplyBuffer
  ) {
    long.rest = .elements(walk(found), parts)
    begin(&long, found, &reply)
  }

  /// Replies elements of a list from an index on, of which there are `count`, in an array.
  func reply(
    _ list: Key, from first: Int, count: Int, _ long: inout LongReply,
    _ reply: inout ReplyBuffer
  ) {
    reply.array(count)
    guard count > 0 else { return }
    long.rest = .list(cursor(list, at: first), count: count)
    begin(&long, list, &reply)
  }

  /// Replies the members of those ranks; how many was said before.
  func reply(
    _ ranks: Range<Int>, of set: Key, isReversed: Bool, withScores: Bool,
    _ long: inout LongReply, _ reply: inout ReplyBuffer
  ) {
    guard !ranks.isEmpty else { return }
    let start = isReversed ? ranks.upperBound - 1 : ranks.lowerBound
    let walk = sortedWalk(set, from: start, isReversed: isReversed)
    long.rest = .sortedSet(walk, count: ranks.count, withScores: withScores)
    begin(&long, set, &reply)
  }

  private func begin(_ long: inout LongReply, _ key: Key, _ reply: inout ReplyBuffer) {
    if long.isAllowed { long.goodUntil = firstDeadline(key) }
    if long.isAllowed && long.goodUntil > now {
      appendPiece(of: &long, to: &reply)
    } else {
      appendAll(of: &long, to: &reply)
    }
  }

  /// Appends the next elements of a reply.
  public func appendPiece(of long: inout LongReply, to reply: inout ReplyBuffer) {
    append(&long, LongReply.pieceElements, until: reply.bytes.count + LongReply.pieceBytes, &reply)
  }

  /// Appends all that is left of a reply.
  public func appendAll(of long: inout LongReply, to reply: inout ReplyBuffer) {
    append(&long, .max, until: .max, &reply)
  }

  private func append(
    _ long: inout LongReply, _ limit: Int, until enough: Int, _ reply: inout ReplyBuffer
  ) {
    switch long.rest {
    case .nothing: break
    case .elements(var walk, let parts):
      let isLast = append(&walk, parts, limit, until: enough, &reply)
      long.rest = isLast ? .nothing : .elements(walk, parts)
    case .list(var cursor, let count):
      let done = append(&cursor, min(count, limit), of: count, until: enough, &reply)
      long.rest = done == count ? .nothing : .list(cursor, count: count - done)
    case .sortedSet(var walk, let count, let withScores):
      var done = 0
      while done < min(count, limit) && reply.bytes.count < enough {
        let isThere = advance(&walk)
        precondition(isThere, "a sorted set has fewer members than it says")
        reply.scored(walk, self, withScores: withScores)
        done += 1
      }
      long.rest =
        done == count
        ? .nothing : .sortedSet(walk, count: count - done, withScores: withScores)
    }
  }

  /// - Returns: whether the walk is at its end.
  private func append(
    _ walk: inout ElementWalk, _ parts: LongReply.Parts, _ limit: Int, until enough: Int,
    _ reply: inout ReplyBuffer
  ) -> Bool {
    var left = limit
    while left > 0 && reply.bytes.count < enough {
      guard advance(&walk) else { return true }
      if parts != .values { reply.bulk(element(walk)) }
      if parts != .elements { reply.bulk(fieldValue(walk)) }
      left -= 1
    }
    return false
  }

  /// - Returns: how many elements were appended.
  private func append(
    _ cursor: inout ListCursor, _ limit: Int, of count: Int, until enough: Int,
    _ reply: inout ReplyBuffer
  ) -> Int {
    var done = 0
    while done < limit && reply.bytes.count < enough {
      reply.bulk(element(cursor))
      done += 1
      if done < count { advance(&cursor, 1) }
    }
    return done
  }
}
