// Long replies: what is left of the replies to HGETALL, SMEMBERS, LRANGE, ZRANGE and their like,
// when the collection is large (LongReply, in Commands).
//
//   the handler leaves a rest ──► the client is `.replying`, nothing more of its input is executed
//   each turn ──► continueReplies: pieces for those who have taken most of what was sent
//   the last piece ──► `released`, its input is parsed again
//
// 1. A collection of which a reply is unfinished does not change: before a command that may change
//    it, before evictions, and when its first deadline has come, the reply is finished at once.
//    Which commands those are is decided broadly: those that write to its key alone, and all that
//    write to several keys or to none that they name.
// 2. A client has at most one unfinished reply, and exactly while it is `.replying`. It stands in
//    `unfinished` once the first piece has been sent.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

struct UnfinishedReply: BitwiseCopyable {
  let slot: Int
  let database: Int
  let hash: UInt64
  /// What the reply's bytes wait for (`Network.send`).
  let mark: UInt64
  var rest: LongReply
}

extension Server {
  /// Calls a handler that may leave a rest.
  mutating func callLong(
    _ handler: LongHandler, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let mutes: ClientFlags = [.replyOff, .replySkip, .replySkipNext]
    var rest = LongReply(isAllowed: mayBlock && clients[current].flags.isDisjoint(with: mutes))
    try handler(arguments, &keys, &rest, &reply)
    guard rest.isUnfinished else { return }
    clients[current].flags.insert(.replying)
    begun = UnfinishedReply(
      slot: current, database: keys.selected, hash: keys.hash(of: arguments[1]),
      mark: 0, rest: rest)
  }

  /// Keeps what the client's command has left, now that its first piece is on its way.
  @inline(never) mutating func keepReply(_ slot: Int) {
    guard let reply = begun, clients[slot].flags.contains(.replying) else { return }
    begun = nil
    unfinished.append(
      UnfinishedReply(
        slot: slot, database: reply.database, hash: reply.hash, mark: durability.mark,
        rest: reply.rest))
  }

  // MARK: Going on

  /// Sends pieces in turn, for at most a slice of time, to those who take them.
  mutating func continueReplies() {
    let start = Ticks.now()
    var position = 0
    var resting = 0
    while resting < unfinished.count && ticks.microseconds(Ticks.now() &- start) < Self.slice {
      if position >= unfinished.count { position = 0 }
      if network.connections[unfinished[position].slot].pendingOutput >= Self.enoughOutput {
        resting += 1
        position += 1
      } else {
        resting = 0
        if sendPiece(position) { position += 1 }
      }
    }
    isReplying = resting < unfinished.count
  }

  /// - Returns: whether the reply is still unfinished.
  private mutating func sendPiece(_ position: Int) -> Bool {
    let slot = unfinished[position].slot
    let id = clients[slot].id
    var reply = ReplyBuffer(version: clients[slot].version)
    keys.appendPiece(of: &unfinished[position].rest, to: &reply)
    let (isUnfinished, mark) = (unfinished[position].rest.isUnfinished, unfinished[position].mark)
    if !isUnfinished { endReply(slot) }
    network.send(slot, &reply.bytes, until: mark)
    return checkOutput(slot) && isUnfinished && clients[slot].id == id
  }

  /// What a client may have before it that it has not taken, when it is sent more.
  private static var enoughOutput: Int { 1 << 20 }
  /// Microseconds.
  private static var slice: Double { 500 }

  // MARK: Finishing

  /// Before a command: finishes the replies whose collections it might change.
  @inline(never) mutating func finishReplies(before id: CommandID, _ request: Request) {
    let info = table[id]
    let flags = effectiveFlags(id)
    // What is protected is DEBUG, which may do anything.
    let changing: CommandFlags = [.write, .mayReplicate, .protected]
    guard !flags.isDisjoint(with: changing) || id == execCommand else { return }
    let isOnOneKey =
      info.flags.contains(.write) && request.hasKey && info.firstKey == info.lastKey
      && !info.flags.contains(.movableKeys)
    let database = clients[current].database
    finishReplies { reply in
      !isOnOneKey || reply.hash == request.hash && reply.database == database
    }
  }

  /// Finishes the replies whose collections may change by themselves from now on.
  @inline(never) mutating func finishDueReplies() {
    let now = now
    finishReplies { $0.rest.goodUntil <= now }
  }

  @inline(never) mutating func finishAllReplies() {
    finishReplies { _ in true }
  }

  /// Finishes what the client's peer still waits for, though it will not say anything more.
  mutating func finishReply(_ slot: Int) {
    finishReplies { $0.slot == slot }
  }

  private mutating func finishReplies(where isChosen: (UnfinishedReply) -> Bool) {
    var position = 0
    while position < unfinished.count {
      guard isChosen(unfinished[position]) else {
        position += 1
        continue
      }
      var last = unfinished[position]
      var reply = ReplyBuffer(version: clients[last.slot].version)
      keys.appendAll(of: &last.rest, to: &reply)
      endReply(last.slot)
      network.send(last.slot, &reply.bytes, until: last.mark)
      _ = checkOutput(last.slot)
    }
  }

  /// The client's reply is complete, or the client is gone.
  mutating func endReply(_ slot: Int) {
    guard clients[slot].flags.contains(.replying) else { return }
    clients[slot].flags.remove(.replying)
    released.append(Int32(truncatingIfNeeded: slot))
    if let reply = begun, reply.slot == slot { begun = nil }
    for position in 0..<unfinished.count where unfinished[position].slot == slot {
      unfinished[position] = unfinished[unfinished.count - 1]
      unfinished.truncate(to: unfinished.count - 1)
      return
    }
  }
}
