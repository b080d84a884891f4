// WAITAOF's view of the log: how far it has to be durable for what a client has written.
//
//   record:   ... | begins at LSN 4096 ............. | next
//                        └ a client's effects: its `writtenLSN` is 4097 until more is known
//
// 1. The log is durable up to the end of a record, so whatever is beyond a record's beginning is
//    beyond its end. Hence the LSN after the last record's end stands for effects that are not
//    part of a record yet.
// 2. Inside EXEC a client's writes are those before EXEC, as in Redis: the transaction's own ones
//    leave with its end.

import Commands
import RESP

extension Server {
  /// Notes what the client's run of requests has written so far.
  @inline(__always) mutating func noteWrites(_ slot: Int) {
    if keys.effects.offset == runOffset { return }
    runOffset = keys.effects.offset
    markWritten(slot)
  }

  @inline(__always) mutating func markWritten(_ slot: Int) {
    clients[slot].writtenLSN = durability.endLSN + (keys.effects.bytes.isEmpty ? 0 : 1)
  }

  /// What became of the client's writes.
  func localCopy(_ slot: Int) -> Wait.LocalCopy {
    guard durability.isOn else { return .never }
    return storage!.durableLSN >= clients[slot].writtenLSN ? .durable : .pending
  }

  /// Answers the clients whose writes have become durable.
  // cold: only while somebody waits
  @inline(never) mutating func serveLogWaiters() {
    let durable = storage!.durableLSN
    // The last one takes the place of who leaves, and has been looked at.
    var place = logWaiters.count - 1
    while place >= 0 {
      let slot = Int(logWaiters[place])
      if clients[slot].writtenLSN <= durable { endWait(slot) }
      place -= 1
    }
  }

  /// Takes a client out of the list of those who wait for the log.
  mutating func forgetLogWaiter(_ place: Int32) {
    guard place >= 0 else { return }
    let last = logWaiters[logWaiters.count - 1]
    logWaiters[Int(place)] = last
    suspensions[clients[Int(last)].wait].logPlace = place
    logWaiters.truncate(to: logWaiters.count - 1)
  }
}
