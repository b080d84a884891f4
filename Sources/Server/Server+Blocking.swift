// Blocking: clients that wait in a command for a key to change or for time to pass. What handlers
// see of it: Wait.
//
//   handler asks to wait ──► suspend: the request is kept, the client's keys stand in `blocked`,
//                            its deadline in `deadlines`; nothing more of its input is parsed
//   a change ──► keys.notes ──► takeNotes ──► readyKeys ──► serveBlocked ──► the handler again
//                                                             after the command, or after EXEC
//   answered, timed out, CLIENT UNBLOCK ──► release ──► `released` ──► its input is parsed again
//
// 1. A client waits (`.blocked`) exactly while it has a suspension, and stands in `blocked` with
//    every key of its request exactly once.
// 2. Clients are served key by key, in the order in which the keys became ready; for one key in the
//    order in which they began to wait. Who is tried and finds nothing keeps his place.
// 3. What serving one client does is a group of effects of its own, after that of the command which
//    woke it.
// 4. Serving may make other keys ready; they are served in the same go.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

/// A blocked client's request.
struct Suspension: ~Copyable {
  var request = RequestQueue()
  var subject = Wait.Subject.list
  var onTimeout = Wait.OnTimeout.nullArray
  /// The client's place in `logWaiters`; -1 if it does not wait for the log.
  var logPlace: Int32 = -1

  init() {}

  /// The state of the key whose bytes are `range` of the request's.
  func state(of range: Range<Int>, in keys: borrowing Keyspace, _ database: Int32) -> KeyState {
    keys.state(of: request.bytes.span.extracting(range), database: Int(database))
  }
}

/// A key that may have what clients wait for.
struct ReadyKey: BitwiseCopyable {
  var hash: UInt64
  var database: Int32
}

extension Server {
  // MARK: Changes

  /// Has the keyspace note changes as long as anybody wants to know.
  mutating func followChanges() {
    keys.tracksChanges = !watched.isEmpty || !blocked.isEmpty || durability.holdsReplies
  }

  /// Tells what has changed since the last time to those who want to know.
  mutating func takeNotes() {
    for index in 0..<keys.notes.count {
      let note = keys.notes[index]
      switch note.kind {
      case .key:
        if durability.holdsReplies { durability.didChange(note.hash) }
        if !watched.isEmpty { touch(note) }
        if !blocked.isEmpty { signal(blocked.find(note.hash, note.database)) }
      case .flush:
        durability.didChangeAnything()
        touchFlushed(note.database)
        signalAll(in: note.database)
      case .swap:
        if note.database == note.other { continue }
        durability.didChangeAnything()
        touchSwapped(note.database, note.other)
        touchSwapped(note.other, note.database)
        signalAll(in: note.database)
        signalAll(in: note.other)
      }
    }
    keys.forgetNotes()
  }

  private mutating func signal(_ key: Int32) {
    guard key >= 0, !blocked.keys[Int(key)].isListed else { return }
    blocked.list(key, true)
    let record = blocked.keys[Int(key)]
    readyKeys.append(ReadyKey(hash: record.hash, database: record.database))
  }

  private mutating func signalAll(in database: Int32) {
    for key in 0..<blocked.keys.count {
      guard blocked.isUsed(key), blocked.keys[key].database == database else { continue }
      signal(Int32(key))
    }
  }

  // MARK: Blocking

  /// Calls a handler that may ask to wait.
  mutating func callBlocking(
    _ handler: BlockingHandler, _ id: CommandID, _ arguments: borrowing Arguments,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    noteWrites(current)
    var wait = Wait(isAllowed: mayBlock, localCopy: localCopy(current))
    try handler(arguments, &keys, &wait, &reply)
    if wait.isWanted { suspend(current, id, arguments, wait) }
  }

  private mutating func suspend(
    _ slot: Int, _ id: CommandID, _ arguments: borrowing Arguments, _ wait: borrowing Wait
  ) {
    // What is counted is the whole command, when it is over.
    wasCalled = false
    let suspension = suspensions.take { Suspension() }
    suspensions[suspension].request.append(id, arguments, replacements: wait.replacements)
    suspensions[suspension].subject = wait.subject
    suspensions[suspension].onTimeout = wait.onTimeout
    if wait.isForLocalCopy {
      suspensions[suspension].logPlace = Int32(truncatingIfNeeded: logWaiters.count)
      logWaiters.append(Int32(truncatingIfNeeded: slot))
    }
    clients[slot].wait = suspension
    clients[slot].flags.insert(.blocked)
    let database = Int32(truncatingIfNeeded: keys.selected)
    for index in wait.keys {
      let range = suspensions[suspension].request.range(0, index)
      // A mark says who is to be tried even without the key.
      let mark = InterestTable.Mark(
        offset: range.lowerBound, count: range.count,
        flags: wait.subject == .streamGroup ? 1 : 0)
      blocked.add(slot, keys.hash(of: arguments[index]), database, mark)
    }
    if wait.deadline > 0 { deadlines.insert(slot, deadline: wait.deadline) }
    followChanges()
  }

  // MARK: Serving

  /// Tries the clients whose keys have changed.
  mutating func serveBlocked() {
    if !unfinished.isEmpty { finishAllReplies() }
    var index = 0
    while index < readyKeys.count {
      serve(readyKeys[index])
      index += 1
    }
    readyKeys.removeAll(keepingCapacity: readyKeys.capacity <= 1 << 12)
  }

  private mutating func serve(_ ready: ReadyKey) {
    let key = blocked.find(ready.hash, ready.database)
    guard key >= 0 else { return }
    blocked.list(key, false)
    var index = blocked.keys[Int(key)].first
    var state = KeyState.missing
    var isStale = true
    while index >= 0 {
      let interest = blocked[index]
      let slot = Int(interest.client)
      let suspension = clients[slot].wait
      if isStale {
        state = suspensions[suspension].state(of: interest.mark.range, in: keys, ready.database)
        isStale = false
      }
      if suspensions[suspension].subject.isPossible(state) && isLive(slot) {
        serve(slot)
        isStale = true
      }
      // The client stands here once: its leaving does not disturb the next one.
      index = interest.nextOfKey
      // Nothing is left, and nobody wants to know that.
      if !isStale, case .missing = state, blocked.keys[Int(interest.key)].flagged == 0 { return }
    }
  }

  /// Tries a blocked client's request again.
  private mutating func serve(_ slot: Int) {
    let number = clients[slot].wait
    var suspension = Suspension()
    swap(&suspension, &suspensions[number])
    let id = suspension.request.items[0].command
    guard case .blocking(let handler) = table.handler(id) else {
      preconditionFailure("a command blocks that cannot")
    }
    let (caller, selected, leavesNoTrace) = (current, keys.selected, keys.leavesNoTrace)
    current = slot
    keys.select(clients[slot].database)
    keys.leavesNoTrace = clients[slot].flags.contains(.noTouch)
    var reply = ReplyBuffer(version: clients[slot].version)
    var wait = Wait(isAllowed: true)
    let start = Ticks.now()
    let offset = keys.effects.offset
    do throws(CommandError) {
      try handler(suspension.request.arguments(0), &keys, &wait, &reply)
    } catch {
      fail(error, id, &reply, after: 0, isRejection: false)
    }
    keys.effects.endGroup()
    if keys.effects.offset != offset { markWritten(slot) }
    if !keys.notes.isEmpty { takeNotes() }
    if !wait.isWanted {
      finish(id, suspension.request.arguments(0), Ticks.now() &- start)
      muffle(&reply, after: 0)
    }
    swap(&suspension, &suspensions[number])
    current = caller
    keys.select(selected)
    keys.leavesNoTrace = leavesNoTrace
    // What serving has changed is not durable yet.
    if !wait.isWanted { answer(slot, &reply, until: waitOfEffects) }
  }

  /// What a reply waits for that tells of anything that was executed so far.
  private var waitOfEffects: UInt64 {
    guard durability.holdsReplies else { return 0 }
    return keys.effects.bytes.isEmpty ? durability.lastWrite : durability.current
  }

  /// Ends a client's wait with a reply.
  private mutating func answer(
    _ slot: Int, _ reply: inout ReplyBuffer, until mark: UInt64 = 0
  ) {
    release(slot)
    network.send(slot, &reply.bytes, until: mark)
    _ = checkOutput(slot)
  }

  /// The client waits no longer: for an answer, or because it is gone.
  mutating func release(_ slot: Int) {
    let number = clients[slot].wait
    guard number >= 0 else { return }
    blocked.removeAll(of: slot)
    deadlines.remove(slot)
    forgetLogWaiter(suspensions[number].logPlace)
    suspensions[number] = Suspension()
    suspensions.giveBack(number)
    clients[slot].wait = -1
    clients[slot].flags.remove(.blocked)
    released.append(Int32(truncatingIfNeeded: slot))
    followChanges()
  }

  /// Goes on with the input of clients that wait no longer.
  mutating func resumeReleased() {
    while !released.isEmpty {
      var slots = GrowableArray<Int32>()
      swap(&slots, &released)
      for index in 0..<slots.count {
        let slot = Int(slots[index])
        if !network.connections[slot].input.isEmpty { parse(slot) }
      }
      if !batch.requests.isEmpty || !ready.isEmpty { finishBatch() }
    }
  }

  // MARK: Time

  /// Answers the clients whose time is up.
  mutating func endWaits() {
    while let first = deadlines.first, first.deadline <= now {
      endWait(Int(first.client))
    }
  }

  /// Ends a wait without what was waited for: as if time were up, or with an error.
  mutating func endWait(_ slot: Int, error: CommandError? = nil) {
    let number = clients[slot].wait
    let id = suspensions[number].request.items[0].command
    var reply = ReplyBuffer(version: clients[slot].version)
    if let error {
      reply.error(error)
      statistics.commands[id.index].failed += 1
      countError(reply, after: 0)
    } else {
      suspensions[number].onTimeout.append(to: &reply, localCopy(slot))
    }
    statistics.count(id, 0)
    clients[slot].commandCount &+= 1
    let caller = current
    current = slot
    muffle(&reply, after: 0)
    current = caller
    answer(slot, &reply)
  }
}
