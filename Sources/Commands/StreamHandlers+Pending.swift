// XPENDING, XCLAIM and XAUTOCLAIM: what was delivered and not acknowledged, and giving it to
// another consumer. Rows: Streams.
//
// 1. A pending entry that is no longer in the stream is dropped when somebody wants to claim it.
// 2. Claims are propagated entry by entry, with the exact time and count that they left.

import Bytes
import Keyspace
import RESP

// MARK: XPENDING

extension StreamHandlers {
  /// The arguments of XPENDING's long form.
  private struct PendingRange: BitwiseCopyable {
    var idle = 0
    let first: StreamID
    let last: StreamID
    let limit: Int
    /// The argument with the consumer's name, or 0.
    var consumerIndex = 0

    init(_ args: borrowing Arguments) throws(CommandError) {
      var index = 3
      if args.equals(3, "IDLE") {
        guard let number = args[4].parseInteger() else { throw .notInteger }
        guard args.count >= 8 else { throw .syntax }
        idle = number
        index = 5
      }
      guard let count = args[index + 2].parseInteger() else { throw .notInteger }
      limit = max(count, 0)
      first = try StreamID.start(args[index])
      last = try StreamID.end(args[index + 1])
      if index + 3 < args.count { consumerIndex = index + 3 }
    }
  }

  static func xpending(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count == 3 || 6...9 ~= args.count else { throw .syntax }
    let range = args.count == 3 ? nil : try PendingRange(args)
    guard let stream = try keys.findStream(args[1], .read),
      let group = keys.findGroup(stream, args[2])
    else { throw .noGroup(args[1], args[2]) }
    guard let range else { return summarize(group, keys, &reply) }
    var consumer: StreamConsumer?
    if range.consumerIndex > 0 {
      consumer = keys.findConsumer(group, args[range.consumerIndex])
      if consumer == nil { return reply.array(0) }
    }
    let mark = reply.bytes.count
    var count = 0
    var next: StreamID? = range.first
    while count < range.limit, let from = next,
      let pending = keys.firstPending(of: consumer, in: group, from: from), pending.id <= range.last
    {
      next = pending.id.next
      let idle = keys.now - pending.deliveredAt
      if range.idle != 0 && idle < range.idle { continue }
      count += 1
      reply.array(4)
      reply.bulk(StreamIDText(pending.id).span)
      reply.bulk(keys.name(pending.consumer))
      reply.integer(max(idle, 0))
      reply.integer(pending.deliveries)
    }
    reply.array(count, before: mark)
  }

  /// XPENDING's short form.
  private static func summarize(
    _ group: StreamGroup, _ keys: borrowing Keyspace, _ reply: inout ReplyBuffer
  ) {
    reply.array(4)
    reply.integer(keys.groupFacts(group).pendingCount)
    guard let first = keys.firstPending(of: nil, in: group, from: .zero),
      let last = keys.lastPendingID(of: group)
    else {
      reply.null()
      reply.null()
      return reply.nullArray()
    }
    reply.bulk(StreamIDText(first.id).span)
    reply.bulk(StreamIDText(last).span)
    let mark = reply.bytes.count
    var count = 0
    var place = keys.firstConsumer(of: group)
    while let consumer = keys.nextConsumer(&place, of: group) {
      let pending = keys.consumerFacts(consumer).pendingCount
      guard pending > 0 else { continue }
      count += 1
      reply.array(2)
      reply.bulk(keys.name(consumer))
      reply.bulk(decimal: pending)
    }
    reply.array(count, before: mark)
  }
}

// MARK: XCLAIM

extension StreamHandlers {
  /// The arguments of XCLAIM behind its IDs.
  private struct Claim {
    let idle: Int
    /// Which arguments are IDs.
    let ids: Range<Int>
    var deliveredAt: Int?
    var deliveries: Int?
    var isForced = false
    var wantsIDs = false
    var lastID = StreamID.zero

    init(_ args: borrowing Arguments, now: Int) throws(CommandError) {
      guard let idle = args[4].parseInteger() else {
        throw .fixed("ERR Invalid min-idle-time argument for XCLAIM")
      }
      self.idle = max(idle, 0)
      var index = 5
      while index < args.count, (try? StreamID.strict(args[index])) != nil { index += 1 }
      ids = 5..<index
      while index < args.count {
        let more = index + 1 < args.count
        if args.equals(index, "FORCE") {
          isForced = true
        } else if args.equals(index, "JUSTID") {
          wantsIDs = true
        } else if more {
          try takeValue(args, index, now)
          index += 1
        } else {
          throw Self.unknown(args[index])
        }
        index += 1
      }
      if let time = deliveredAt, time < 0 || time > now { deliveredAt = now }
    }

    private mutating func takeValue(
      _ args: borrowing Arguments, _ index: Int, _ now: Int
    ) throws(CommandError) {
      let number = args[index + 1].parseInteger()
      if args.equals(index, "IDLE") {
        guard let number else {
          throw .fixed("ERR Invalid IDLE option argument for XCLAIM")
        }
        setTime(now &- number, now)
      } else if args.equals(index, "TIME") {
        guard let number else {
          throw .fixed("ERR Invalid TIME option argument for XCLAIM")
        }
        setTime(number, now)
      } else if args.equals(index, "RETRYCOUNT") {
        guard let number else {
          throw .fixed("ERR Invalid RETRYCOUNT option argument for XCLAIM")
        }
        deliveries = number >= 0 ? number : nil
      } else if args.equals(index, "LASTID") {
        lastID = try StreamID.strict(args[index + 1])
      } else {
        throw Self.unknown(args[index])
      }
    }

    /// A time that makes no sense is now; -1 says that none was given.
    private mutating func setTime(_ time: Int, _ now: Int) {
      deliveredAt = time == -1 ? nil : time
    }

    private static func unknown(_ option: borrowing Span<UInt8>) -> CommandError {
      .custom("ERR Unrecognized XCLAIM option '\(CommandError.text(option))'")
    }
  }

  static func xclaim(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let stream = try keys.findStream(args[1], .read),
      let group = keys.findGroup(stream, args[2])
    else { throw .noGroup(args[1], args[2]) }
    let claim = try Claim(args, now: keys.now)
    let facts = keys.groupFacts(group)
    var owesLastID = claim.lastID > facts.lastID
    if owesLastID { keys.setGroup(group, lastID: claim.lastID, entriesRead: facts.entriesRead) }
    let mark = reply.bytes.count
    var count = 0
    do throws(CommandError) {
      let consumer = try keys.consumer(args[3], of: group, stream, args[1], args[2])
      for index in claim.ids {
        let id = try StreamID.strict(args[index])
        switch try take(id, args, claim, stream, group, consumer, &keys, &reply) {
        case .kept: break
        case .dropped: owesLastID = false
        case .claimed:
          owesLastID = false
          count += 1
        }
      }
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
    if owesLastID {
      keys.propagateGroupID(args[1], args[2], group)
      keys.didChange(stream)
    }
    reply.array(count, before: mark)
  }

  private enum Outcome { case kept, dropped, claimed }

  /// Deals with one ID of XCLAIM, and appends the entry to the reply if it was claimed.
  private static func take(
    _ id: StreamID, _ args: borrowing Arguments, _ claim: Claim, _ stream: Key,
    _ group: StreamGroup, _ consumer: StreamConsumer, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Outcome {
    let old = keys.pending(id, in: group)
    guard keys.hasEntry(id, in: stream) else {
      guard let old else { return .kept }
      keys.drop(old, args[1], args[2], stream, group)
      return .dropped
    }
    guard old != nil || claim.isForced else { return .kept }
    if let old, claim.idle > 0, keys.now - old.deliveredAt < claim.idle { return .kept }
    // A new one begins with one delivery, which this may be.
    var deliveries = old?.deliveries ?? 1
    if let given = claim.deliveries {
      deliveries = given
    } else if !claim.wantsIDs {
      deliveries += 1
    }
    let pending = Pending(
      id: id, consumer: consumer, deliveredAt: claim.deliveredAt ?? keys.now,
      deliveries: deliveries)
    try keys.claim(pending, args[1], args[2], stream, group)
    if claim.wantsIDs {
      reply.bulk(StreamIDText(id).span)
    } else {
      _ = keys.replyEntry(stream, id, &reply)
    }
    return .claimed
  }
}

extension Keyspace {
  /// Removes a pending entry that is no longer in the stream. The claim that is propagated makes
  /// others find that out, too.
  fileprivate mutating func drop(
    _ pending: Pending, _ key: borrowing Span<UInt8>, _ name: borrowing Span<UInt8>, _ stream: Key,
    _ group: StreamGroup
  ) {
    propagateClaim(key, name, group, pending)
    _ = removePending(pending.id, from: group)
    didChange(stream)
  }

  /// Gives a pending entry to its new consumer.
  fileprivate mutating func claim(
    _ pending: Pending, _ key: borrowing Span<UInt8>, _ name: borrowing Span<UInt8>, _ stream: Key,
    _ group: StreamGroup
  ) throws(CommandError) {
    try setPending(pending, in: group)
    setActive(pending.consumer)
    propagateClaim(key, name, group, pending)
    didChange(stream)
  }
}

// MARK: XAUTOCLAIM

extension StreamHandlers {
  /// The arguments of XAUTOCLAIM behind the consumer.
  private struct AutoClaim: BitwiseCopyable {
    let idle: Int
    let start: StreamID
    var limit = 100
    var wantsIDs = false

    init(_ args: borrowing Arguments) throws(CommandError) {
      guard let idle = args[4].parseInteger() else {
        throw .fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM")
      }
      self.idle = max(idle, 0)
      start = try StreamID.start(args[5])
      var index = 6
      while index < args.count {
        if args.equals(index, "COUNT") && index + 1 < args.count {
          guard let count = args[index + 1].parseInteger(), 1...(Int.max / 16) ~= count else {
            throw .fixed("ERR COUNT must be > 0")
          }
          limit = count
          index += 1
        } else if args.equals(index, "JUSTID") {
          wantsIDs = true
        } else {
          throw .syntax
        }
        index += 1
      }
    }

    /// How many entries are looked at to find those; the greatest limit leaves room for this.
    var attempts: Int { limit * 10 }
  }

  static func xautoclaim(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let auto = try AutoClaim(args)
    guard let stream = try keys.findStream(args[1], .read),
      let group = keys.findGroup(stream, args[2])
    else { throw .noGroup(args[1], args[2]) }
    let mark = reply.bytes.count
    do throws(CommandError) {
      let consumer = try keys.consumer(args[3], of: group, stream, args[1], args[2])
      try claimAll(args, auto, stream, group, consumer, &keys, &reply)
    } catch {
      reply.bytes.truncate(to: mark)
      throw error
    }
  }

  private static func claimAll(
    _ args: borrowing Arguments, _ auto: AutoClaim, _ stream: Key, _ group: StreamGroup,
    _ consumer: StreamConsumer, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let mark = reply.bytes.count
    var gone = ReplyBuffer(version: reply.version)
    var (claimed, dropped, attempts) = (0, 0, auto.attempts)
    var next: StreamID? = auto.start
    while attempts > 0 && claimed + dropped < auto.limit, let from = next,
      let old = keys.firstPending(of: nil, in: group, from: from)
    {
      attempts -= 1
      next = old.id.next
      guard keys.hasEntry(old.id, in: stream) else {
        keys.drop(old, args[1], args[2], stream, group)
        gone.bulk(StreamIDText(old.id).span)
        dropped += 1
        continue
      }
      if auto.idle > 0 && keys.now - old.deliveredAt < auto.idle { continue }
      let pending = Pending(
        id: old.id, consumer: consumer, deliveredAt: keys.now,
        deliveries: auto.wantsIDs ? old.deliveries : old.deliveries + 1)
      try keys.claim(pending, args[1], args[2], stream, group)
      if auto.wantsIDs {
        reply.bulk(StreamIDText(old.id).span)
      } else {
        _ = keys.replyEntry(stream, old.id, &reply)
      }
      claimed += 1
    }
    let following = next.flatMap { keys.firstPending(of: nil, in: group, from: $0)?.id }
    var front = ReplyBuffer(version: reply.version)
    front.array(3)
    front.bulk(StreamIDText(following ?? .zero).span)
    front.array(claimed)
    reply.bytes.insert(front.bytes.span, at: mark)
    reply.array(dropped)
    reply.bytes.append(gone.bytes.span)
  }
}
