// From requests to replies: executes the batch in order and hands the replies to the network.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

extension Server {
  /// Executes the batch, then deals with what its clients left: unread input, errors, limits.
  mutating func finishBatch() {
    var batch = Batch()
    swap(&batch, &self.batch)
    prefetchEntries(batch)
    if durability.samplesReads { sampleReads(batch) }
    var index = 0
    let count = batch.requests.count
    while index < count {
      let slot = Int(batch.requests[index].slot)
      var end = index + 1
      while end < count && Int(batch.requests[end].slot) == slot { end += 1 }
      if mayExecute(slot) { execute(batch, index..<end, slot) }
      index = end
    }
    batch.removeAll()
    swap(&batch, &self.batch)
    if durability.isOn && keys.effects.bytes.count >= Self.largeRecordBytes { appendRecord() }
    var slots = GrowableArray<Int32>()
    swap(&slots, &ready)
    for index in 0..<slots.count { settle(Int(slots[index])) }
    slots.removeAll(keepingCapacity: true)
    swap(&slots, &ready)
  }

  private func prefetchEntries(_ batch: borrowing Batch) {
    for index in 0..<batch.requests.count {
      let request = batch.requests[index]
      guard request.hasKey else { continue }
      keys.prefetchEntries(request.hash, database: clients[Int(request.slot)].database)
    }
  }

  /// Executes one client's run of requests.
  private mutating func execute(_ batch: borrowing Batch, _ run: Range<Int>, _ slot: Int) {
    var input = ByteBuffer()
    var reply = ReplyBuffer()
    swap(&input, &network.connections[slot].input)
    swap(&reply, &self.reply)
    reply.version = clients[slot].version
    currentInputBytes = input.count
    currentInputCapacity = input.capacity
    enter(slot)
    var (held, resumeAt) = (-1, -1)
    var start = Ticks.now()
    for index in run {
      let request = batch.requests[index]
      let (replied, mark) = (reply.bytes.count, durability.mark)
      if request.placed >= 0 {
        executePlaced(request, batch, input, &reply, slot)
      } else {
        dispatch(request, Self.arguments(request, batch, input), &reply)
      }
      if clients[slot].flags.contains(.postponed) {
        held = index
        break
      }
      if durability.holdsReplies {
        observe(request, batch, input)
        if durability.mark > mark && replied > 0 { sendEarlier(replied, &reply, slot, until: mark) }
      }
      keys.effects.endGroup()
      let end = Ticks.now()
      if wasCalled { finish(request, end &- start, batch, input) }
      start = end
      if !keys.notes.isEmpty { takeNotes() }
      if !readyKeys.isEmpty {
        serveBlocked()
        start = Ticks.now()
      }
      if !clients[slot].flags.isDisjoint(with: [.blocked, .replying]) {
        resumeAt = request.end
        break
      }
      if !isLive(slot) || exitStatus != nil { break }
      if reply.bytes.count > 1 << 20 {
        network.send(slot, &reply.bytes, until: durability.mark)
        if !checkOutput(slot) { break }
      }
    }
    noteWrites(slot)
    current = -1
    swap(&input, &network.connections[slot].input)
    if held >= 0 { postpone(batch.requests[held], batch) }
    if resumeAt >= 0 { clients[slot].rewind(to: resumeAt) }
    statistics.writesProcessed &+= 1
    network.send(slot, &reply.bytes, until: durability.mark)
    if clients[slot].flags.contains(.replying) { keepReply(slot) }
    if reply.bytes.capacity > Self.keptReplyBytes { reply.bytes.release() }
    swap(&reply, &self.reply)
    closeIfAsked(slot)
  }

  /// What follows is done for this client.
  @inline(__always) private mutating func enter(_ slot: Int) {
    current = slot
    durability.mark = 0
    runOffset = keys.effects.offset
    keys.select(clients[slot].database)
    keys.leavesNoTrace = clients[slot].flags.contains(.noTouch)
  }

  @inline(__always) private mutating func closeIfAsked(_ slot: Int) {
    if clients[slot].flags.contains(.dropping) {
      close(slot)
    } else if clients[slot].flags.contains(.closing) {
      network.close(slot, afterOutput: true)
    }
  }

  /// Sends the first `count` bytes of the reply: they need not wait for what follows them.
  @inline(never) private mutating func sendEarlier(
    _ count: Int, _ reply: inout ReplyBuffer, _ slot: Int, until mark: UInt64
  ) {
    var rest = ByteBuffer()
    swap(&rest, &laterReply)
    rest.append(reply.bytes.span.extracting(count...))
    reply.bytes.truncate(to: count)
    network.send(slot, &reply.bytes, until: mark)
    swap(&rest, &reply.bytes)
    rest.removeAll()
    swap(&rest, &laterReply)
  }

  /// Memory for replies that stays between batches.
  private static var keptReplyBytes: Int { 4 << 20 }

  /// Checks that precede every command, and the command.
  @inline(__always) private mutating func dispatch(
    _ request: Request, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer
  ) {
    let length = reply.bytes.count
    let flags = clients[current].flags
    wasCalled = false
    clients[current].lastCommand = request.command
    if request.command == Request.unknown {
      reject(arguments, &reply, after: length)
    } else {
      let id = CommandID(rawValue: request.command)
      let info = table[id]
      if !info.accepts(count: arguments.count) {
        refuse(id, arguments, &reply, after: length)
      } else if !flags.contains(.authenticated) && !info.flags.contains(.noAuth) {
        fail(.noAuthentication, id, &reply, after: length, isRejection: true)
      } else if pausedUntil > now && isPaused(id) {
        clients[current].flags.insert(.postponed)
        return
      } else if durability.gate != .open && !isAdmitted(id) {
        if durability.gate == .waiting {
          clients[current].flags.insert(.postponed)
          return
        }
        refuseWrite(id, &reply, after: length)
      } else if durability.isOn && isLarge(request)
        && holdsBack(id, arguments, &reply, after: length)
      {
        if clients[current].flags.contains(.postponed) { return }
      } else if configuration.maximumMemoryBytes > 0 && !hasMemory(id) {
        fail(.outOfMemory, id, &reply, after: length, isRejection: true)
      } else if flags.contains(.inTransaction) && !info.flags.contains(.unqueued) {
        queue(id, arguments, &reply, after: length)
      } else {
        if !unfinished.isEmpty { finishReplies(before: id, request) }
        call(id, arguments, &reply, after: length)
      }
    }
    if !clients[current].flags.isDisjoint(with: [.replyOff, .replySkip, .replySkipNext]) {
      muffle(&reply, after: length)
    }
  }

  /// Keeps a command for EXEC.
  private mutating func queue(
    _ id: CommandID, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer, after length: Int
  ) {
    do throws(CommandError) {
      try enqueue(id, arguments, &reply)
    } catch {
      fail(error, id, &reply, after: length, isRejection: true)
    }
  }

  /// Executes a command that was kept for EXEC.
  mutating func executeQueued(
    _ id: CommandID, _ arguments: borrowing Arguments, _ slot: Int, _ reply: inout ReplyBuffer
  ) {
    let start = Ticks.now()
    call(id, arguments, &reply, after: reply.bytes.count)
    if !keys.notes.isEmpty { takeNotes() }
    finish(id, arguments, Ticks.now() &- start)
  }

  @inline(__always) private mutating func call(
    _ id: CommandID, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer, after length: Int
  ) {
    CrashReport.setActivity(UInt32(id.rawValue) &+ 1)
    wasCalled = true
    do throws(CommandError) {
      switch table.handler(id) {
      case .keyspace(let handler): try handler(arguments, &keys, &reply)
      case .blocking(let handler): try callBlocking(handler, id, arguments, &reply)
      case .long(let handler): try callLong(handler, arguments, &reply)
      case .host(let handler): try handler(arguments, &self, &reply)
      case .table(let handler): try handler(arguments, table, &reply)
      case nil: preconditionFailure("a container was dispatched")
      }
    } catch {
      fail(error, id, &reply, after: length, isRejection: false)
    }
  }

  /// Executes a request one of whose arguments lies in its final place.
  private mutating func executePlaced(
    _ request: Request, _ batch: borrowing Batch, _ input: borrowing ByteBuffer,
    _ reply: inout ReplyBuffer, _ slot: Int
  ) {
    guard let place = placed.removeValue(forKey: slot) else {
      preconditionFailure("a placed argument has no place")
    }
    let first = Int(request.firstRange)
    keys.hasTakenPlace = false
    dispatch(
      request,
      Arguments(
        bytes: input.span,
        ranges: batch.ranges.span.extracting(first..<(first + Int(request.rangeCount))),
        placed: PlacedArgument(
          index: Int(request.placed), token: place.token, bytes: place.destination.bytes)),
      &reply)
    if clients[slot].flags.contains(.postponed) {
      placed[slot] = place
    } else if !keys.hasTakenPlace {
      keys.discard(place: place.token)
    }
  }

  // MARK: Refusals

  mutating func fail(
    _ error: CommandError, _ id: CommandID, _ reply: inout ReplyBuffer, after length: Int,
    isRejection: Bool
  ) {
    reply.bytes.truncate(to: length)
    if isRejection {
      statistics.commands[id.index].rejected += 1
      reply.error(breakTransaction(id) ? .aborted(by: error) : error)
    } else {
      reply.error(error)
      statistics.commands[id.index].failed += 1
    }
    countError(reply, after: length)
  }

  /// Answers a write that the log could not keep.
  @inline(never) private mutating func refuseWrite(
    _ id: CommandID, _ reply: inout ReplyBuffer, after length: Int
  ) {
    fail(misconfiguration, id, &reply, after: length, isRejection: true)
  }

  mutating func countError(_ reply: borrowing ReplyBuffer, after length: Int) {
    let bytes = reply.bytes.span
    guard bytes.count > length + 1 else { return }
    statistics.count(errorLine: bytes.extracting((length + 1)..<bytes.count))
  }

  /// Answers a name that no command has.
  private mutating func reject(
    _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer, after length: Int
  ) {
    if arguments[0].equalsIgnoringCase("POST") || arguments[0].equalsIgnoringCase("HOST:") {
      return expelBrowser()
    }
    _ = breakTransaction(nil)
    reply.unknownCommand(arguments, in: table)
    countError(reply, after: length)
  }

  /// Closes a connection that speaks HTTP: a web page may have made a browser send it, with
  /// commands in its body.
  // cold: the connection is about to be closed
  private mutating func expelBrowser() {
    if now - lastAttackMilliseconds > 60_000 {
      lastAttackMilliseconds = now
      log.warning(
        """
        Possible SECURITY ATTACK detected: \(network.connections[current].peerAddress) sends POST \
        or Host: commands, as a browser does for a malicious page. Connection aborted.
        """)
    }
    close(current)
  }

  /// Answers the wrong number of arguments.
  private mutating func refuse(
    _ id: CommandID, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer,
    after length: Int
  ) {
    if breakTransaction(id) {
      reply.error(.aborted(by: .wrongArity(table.fullName(id))))
    } else {
      reply.wrongArity(table.fullName(id))
    }
    statistics.commands[id.index].rejected += 1
    countError(reply, after: length)
  }

  /// Whether CLIENT PAUSE, which is on, holds the command back.
  private func isPaused(_ id: CommandID) -> Bool {
    !pausesOnlyWrites || !effectiveFlags(id).isDisjoint(with: [.write, .mayReplicate])
  }

  /// Makes room for a command under `maxmemory`; during a pause nothing is evicted. What takes
  /// longer goes on between batches, and the command does not wait for it.
  /// - Returns: false when the command needs memory and there is none.
  private mutating func hasMemory(_ id: CommandID) -> Bool {
    if pausedUntil > now || durability.gate != .open { return true }
    if !unfinished.isEmpty && keys.usedBytes > configuration.maximumMemoryBytes {
      finishAllReplies()
    }
    switch keys.evictSome(downTo: configuration.maximumMemoryBytes, steps: Self.evictionSteps) {
    case .done: return true
    case .unfinished:
      isBehind = true
      return true
    case .impossible: return !needsMemory(id)
    }
  }

  /// Keys that one command evicts at most: less than a millisecond's work.
  static var evictionSteps: Int { 64 }

  /// Drops what a client does not want to hear (CLIENT REPLY). The flags are as the command has
  /// left them: CLIENT REPLY ON is answered, whatever was off before. A command that waits is not
  /// over yet.
  mutating func muffle(_ reply: inout ReplyBuffer, after length: Int) {
    let flags = clients[current].flags
    if flags.contains(.blocked) && clients[current].wait >= 0 && reply.bytes.count == length {
      return
    }
    if !flags.isDisjoint(with: [.replyOff, .replySkip]) { reply.bytes.truncate(to: length) }
    clients[current].flags.remove([.replySkip, .replySkipNext])
    if flags.contains(.replySkipNext) { clients[current].flags.insert(.replySkip) }
  }

  // MARK: Afterwards

  /// Counts a command that was executed, and keeps it in the slow log if it was slow.
  @inline(__always) private mutating func finish(
    _ request: Request, _ elapsed: UInt64, _ batch: borrowing Batch, _ input: borrowing ByteBuffer
  ) {
    statistics.count(CommandID(rawValue: request.command), elapsed)
    clients[Int(request.slot)].commandCount &+= 1
    if elapsed > slowTicks { noteSlow(request, elapsed, batch, input) }
  }

  /// The same for a command that was not part of the batch.
  mutating func finish(_ id: CommandID, _ arguments: borrowing Arguments, _ elapsed: UInt64) {
    statistics.count(id, elapsed)
    clients[current].commandCount &+= 1
    if elapsed > slowTicks { noteSlow(id, arguments, elapsed, current, placed: -1) }
  }

  /// After a batch: drops what was executed of the client's input and looks at its limits.
  private mutating func settle(_ slot: Int) {
    clients[slot].flags.remove(.queued)
    guard clients[slot].id != 0 else { return }
    let consumed = clients[slot].parsedBytes
    clients[slot].parsedBytes = 0
    guard isLive(slot) else { return network.connections[slot].input.removeAll() }
    network.connections[slot].input.removeFirst(consumed)
    guard checkOutput(slot) else { return }
    if let error = clients[slot].error { answer(error, slot) }
  }

  /// Answers malformed input and closes the connection.
  // cold: the connection is about to be closed
  private mutating func answer(_ error: ProtocolError, _ slot: Int) {
    var line = ByteBuffer()
    line.append("-ERR ")
    error.append(to: &line)
    line.append("\r\n")
    statistics.count(errorLine: line.span.extracting(1..<line.count))
    log.info(
      "Protocol error (\(error.text)) from client id=\(clients[slot].id)")
    if clients[slot].flags.isDisjoint(with: [.replyOff, .replySkip]) { network.send(slot, &line) }
    close(slot, afterOutput: true)
  }
}
