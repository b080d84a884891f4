// WAIT and WAITAOF: waiting for replicas and for the disk.
//
// 1. There are no replicas yet, so no acknowledgement ever comes: who wants one waits for the
//    timeout, as a Redis without replicas lets him.
// 2. The local disk has a client's writes when the log is durable beyond them, whatever
//    `appendfsync` lets replies wait for. With `no` nobody hurries it, as in Redis.

import Keyspace
import RESP

extension GenericHandlers {
  static func wait(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let replicas = args[1].parseInteger() else { throw .notInteger }
    let deadline = try Wait.deadline(milliseconds: args[2], now: keys.now)
    if replicas <= 0 { return reply.integer(0) }
    wait.forAcknowledgements(until: deadline, otherwise: .zero, &reply)
  }

  static func waitaof(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ wait: inout Wait,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let local = args[1].parseInteger(), local == 0 || local == 1 else {
      throw args[1].parseInteger() == nil
        ? .notInteger : .fixed("ERR value is out of range, value must between 0 and 1")
    }
    guard let replicas = args[2].parseInteger() else { throw .notInteger }
    if replicas < 0 { throw .mustBePositive }
    let deadline = try Wait.deadline(milliseconds: args[3], now: keys.now)
    if local > 0 && wait.localCopy == .never {
      throw .fixed("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    }
    if replicas == 0 && (local == 0 || wait.localCopy == .durable) {
      return Wait.OnTimeout.copies.append(to: &reply, wait.localCopy)
    }
    wait.forAcknowledgements(
      until: deadline, otherwise: .copies, isForLocalCopy: replicas == 0, &reply)
  }
}
