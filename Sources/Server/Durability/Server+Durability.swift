// What the server does about durability: effects become records, replies wait for them, and writes
// wait or are refused while there is no log to write them to.
//
//   run of requests ─► observe ─► mark ─► network.send(until: mark)
//   end of a turn   ─► commitEffects ─► log
//   news of the log ─► hearFromLog ─► network.release, the gate

import Bytes
import Commands
import Keyspace
import Platform
import RESP
import Storage

extension Server {
  // MARK: While requests are executed

  /// Notes what the reply to the request that was just executed waits for. Which keys have changed
  /// is told by the keyspace's notes.
  @inline(__always) mutating func observe(
    _ request: Request, _ batch: borrowing Batch, _ input: borrowing ByteBuffer
  ) {
    if keys.effects.hasGroup { return durability.didWrite() }
    guard wasCalled else { return }
    let info = table[CommandID(rawValue: request.command)]
    if request.hasKey && info.firstKey == info.lastKey && !info.flags.contains(.movableKeys) {
      durability.didRead(request.hash)
    } else {
      observeSeveral(request, info, batch, input)
    }
  }

  @inline(never) private mutating func observeSeveral(
    _ request: Request, _ info: CommandInfo, _ batch: borrowing Batch,
    _ input: borrowing ByteBuffer
  ) {
    let first = Int(info.firstKey)
    guard first > 0 && request.placed < 0 && !info.flags.contains(.movableKeys) else {
      let reads: CommandFlags = [.readOnly, .movableKeys, .mayReplicate, .touchesArbitraryKeys]
      if first > 0 || !info.flags.isDisjoint(with: reads)
        || CommandID(rawValue: request.command) == execCommand
      {
        durability.didReadAnything()
      }
      return
    }
    let arguments = Self.arguments(request, batch, input)
    let last = info.lastKey >= 0 ? Int(info.lastKey) : arguments.count + Int(info.lastKey)
    var position = first
    while position <= last && position < arguments.count {
      durability.didRead(keys.hash(of: arguments[position]))
      position += max(Int(info.keyStep), 1)
    }
  }

  /// Whether the command may run while writes may not. Like Redis, a server that cannot write lets
  /// those who watch it know by its answer to PING.
  func isAdmitted(_ id: CommandID) -> Bool {
    let flags = effectiveFlags(id)
    if flags.contains(.write) { return false }
    return durability.gate == .waiting ? !flags.contains(.mayReplicate) : id != pingCommand
  }

  /// A request that is worth asking whether the log has room for it: smaller ones share the log's
  /// reserve.
  @inline(__always) func isLarge(_ request: Request) -> Bool {
    request.end &- request.start >= Self.largeRequestBytes || request.placed >= 0
      || CommandID(rawValue: request.command) == execCommand
  }

  /// A batch of 128 smaller ones, beside what has gathered before it, fits into the reserve.
  private static var largeRequestBytes: Int { 32 << 10 }

  /// Holds a write back while the log has no room for it, and refuses one that the log could never
  /// take: before it changes anything. Its effects are about as long as it is.
  /// - Returns: whether it is not to be executed now.
  @inline(never) mutating func holdsBack(
    _ id: CommandID, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer,
    after length: Int
  ) -> Bool {
    let isExec = id == execCommand
    let isQueued = clients[current].flags.contains(.inTransaction) && !isExec
    guard !isQueued, effectiveFlags(id).contains(.write) else { return false }
    let bytes = isExec ? queuedBytes(current) : Self.requestBytes(arguments)
    let largest = storage!.largestRecordBytes
    if bytes > largest {
      refuseTooLarge(id, bytes, largest, &reply, after: length)
      return true
    }
    let gathered = keys.effects.bytes.count
    if gathered > 0 && gathered + bytes > Self.largeRecordBytes { appendRecord() }
    if storage!.hasRoom(for: keys.effects.bytes.count + bytes) { return false }
    beginWaiting(for: bytes)
    clients[current].flags.insert(.postponed)
    return true
  }

  // cold: a write that log-max-size does not allow
  @inline(never) private mutating func refuseTooLarge(
    _ id: CommandID, _ bytes: Int, _ largest: Int, _ reply: inout ReplyBuffer, after length: Int
  ) {
    fail(
      .custom(
        """
        ERR a write of \(bytes) bytes does not fit into the effects log: with this log-max-size \
        it takes no more than \(largest) at once
        """), id, &reply, after: length, isRejection: true)
  }

  /// About what the request takes as an effect.
  private static func requestBytes(_ arguments: borrowing Arguments) -> Int {
    var bytes = 64
    for index in 0..<arguments.count { bytes += arguments[index].count + 16 }
    return bytes
  }

  private mutating func beginWaiting(for bytes: Int) {
    durability.gate = .waiting
    durability.neededBytes = bytes
    statistics.logFullStalls += 1
  }

  // MARK: Sampling

  /// Tells the storage where one in some 64 requests of the batch is going to read.
  @inline(never) mutating func sampleReads(_ batch: borrowing Batch) {
    while durability.untilSample < batch.requests.count {
      let request = batch.requests[durability.untilSample]
      if request.hasKey { sampleRead(request, batch) }
      // Between 1 and 127, so that no pattern of requests escapes.
      durability.untilSample += 1 + Int(truncatingIfNeeded: request.hash &>> 20 ^ UInt64(now)) & 126
    }
    durability.untilSample -= batch.requests.count
  }

  private func sampleRead(_ request: Request, _ batch: borrowing Batch) {
    let slot = Int(request.slot)
    guard clients[slot].id != 0,
      let places = Self.places(
        request, batch, network.connections[slot].input, table, keys,
        database: clients[slot].database)
    else { return }
    storage!.noteRead(at: places.bucket)
    storage!.noteRead(at: places.entry)
    // Of a long value some pages, other ones each time.
    var offset = places.value.lowerBound
    if places.value.count > 64 << 10 { offset += now % places.value.count & ~(64 << 10 - 1) }
    let end = min(offset + 64 << 10, places.value.upperBound)
    while offset < end {
      storage!.noteRead(at: offset)
      offset = (offset / 4096 + 1) * 4096
    }
  }

  private static func places(
    _ request: Request, _ batch: borrowing Batch, _ input: borrowing ByteBuffer,
    _ table: borrowing CommandTable<Server>, _ keys: borrowing Keyspace, database: Int
  ) -> Keyspace.Places? {
    let arguments = arguments(request, batch, input)
    guard let key = table[CommandID(rawValue: request.command)].firstKey(of: arguments) else {
      return nil
    }
    return keys.places(of: key, request.hash, database: database)
  }

  // MARK: Between batches

  /// Makes the effects so far a record of the log; without a log they are forgotten.
  @inline(__always) mutating func commitEffects() {
    guard durability.isOn else { return keys.effects.consume() }
    if !keys.effects.bytes.isEmpty {
      appendRecord()
    } else if durability.isCurrentAwaited && !durability.hasGap {
      // Keys have changed without an effect, such as when a consumer was last seen.
      durability.didAppend(endingAt: storage!.endLSN, now: now)
    }
    maintainStorage()
  }

  /// Effects that are not left to gather until the turn's end.
  static var largeRecordBytes: Int { 4 << 20 }

  @inline(never) mutating func appendRecord() {
    if durability.hasGap { return }
    guard storage!.fits(keys.effects.bytes.count) else { return leaveOut() }
    do throws(IOError) {
      let lsn = try Self.append(keys.effects, storage!)
      durability.didAppend(endingAt: lsn, now: now)
      keys.effects.endRecord()
      if durability.gate == .open && !storage!.hasRoom(for: 0) { beginWaiting(for: 0) }
    } catch {
      // The effects stay, and so do the replies that wait for them; the next turn tries again.
      noteLogFailure("\(error)")
    }
  }

  /// Leaves the effects to a checkpoint: few commands have effects that are much longer than they
  /// are (SPOP, XREADGROUP, XAUTOCLAIM, transactions of these), and nobody knows before.
  // cold: more effects than the log's reserve, on a log that is almost full
  private mutating func leaveOut() {
    storage!.leaveOut()
    keys.effects.endRecord()
    durability.beginGap()
    followChanges()
    // Where replies do not wait for the log, those of this turn have not left yet.
    network.holdTouched(until: durability.current)
    beginWaiting(for: 0)
    statistics.logGaps += 1
  }

  /// What was left out of the log is durable.
  // cold: once for each gap
  private mutating func endGap() {
    durability.endGap()
    // Without effects, too: the replies that wait belong to a record.
    appendRecord()
    followChanges()
    hearFromLog()
  }

  private static func append(
    _ effects: borrowing EffectStream, _ storage: Engine
  ) throws(IOError) -> UInt64 {
    try storage.append(effects.bytes.span)
  }

  /// Lets go of the replies whose records are durable, and looks at the log's state.
  @inline(never) mutating func hearFromLog() {
    let committed = storage!.hear()
    network.release(through: durability.advance(durable: committed, now: now))
    if !logWaiters.isEmpty { serveLogWaiters() }
    if storage!.isFailing || !keys.effects.bytes.isEmpty && durability.gate == .refusing {
      if let failure = storage!.failure { noteLogFailure("\(failure)") }
      return
    }
    if durability.gate == .refusing { noteLogRecovery() }
    let heldReplies = durability.holdsReplies
    durability.setPressure(storage!.pressure)
    if durability.holdsReplies != heldReplies { followChanges() }
    if storage!.hasAmpleRoom(for: durability.neededBytes) {
      durability.gate = .open
      durability.neededBytes = 0
    } else if durability.gate != .waiting {
      beginWaiting(for: 0)
    }
  }

  /// At the end of a turn, when all effects are records: releases, and checkpoints.
  @inline(never) private mutating func maintainStorage() {
    hearFromLog()
    guard keys.effects.bytes.isEmpty || durability.hasGap else { return }
    let news = storage!.maintain(&keys.arena)
    if news.hasFlipped {
      renewPlaces()
      // What has gathered since the gap began is part of that checkpoint.
      if durability.hasGap { keys.effects.endRecord() }
    }
    if durability.hasGap && !storage!.hasGap { endGap() }
    if let outcome = news.outcome {
      noteCheckpoint(outcome)
      // The log may have room now.
      if durability.gate == .waiting { hearFromLog() }
    }
  }

  /// The network reads large arguments into pages that a checkpoint has just taken: they become
  /// pages of the epoch that begins.
  private mutating func renewPlaces() {
    for slot in 0..<clients.count {
      guard clients[slot].id != 0, let place = clients[slot].place else { continue }
      keys.renew(place: place.token, count: place.destination.count)
    }
    for place in placed.values { keys.renew(place: place.token, count: place.destination.count) }
  }

  // cold: some times an hour
  private mutating func noteCheckpoint(_ outcome: CheckpointOutcome) {
    switch outcome {
    case .finished(let epoch, let lsn):
      log.debug("Checkpoint \(epoch) is durable: the image has everything below LSN \(lsn)")
      lastCheckpointFailure = ""
    case .abandoned(let error):
      let reason = error.map { "\($0)" } ?? "unknown"
      if reason != lastCheckpointFailure {
        log.error("A checkpoint failed and will be tried again; the log keeps it all: \(reason)")
      }
      lastCheckpointFailure = reason
    }
  }

  // cold: the log's device has failed
  private mutating func noteLogFailure(_ reason: String) {
    guard durability.gate != .refusing || logFailure != reason else { return }
    durability.gate = .refusing
    logFailure = reason
    log.error("The effects log cannot be written, writes are refused: \(reason)")
  }

  // cold: the log's device works again
  private mutating func noteLogRecovery() {
    logFailure = ""
    durability.gate = .open
    log.notice("The effects log can be written again, writes are taken")
  }

  /// Hands changed settings on.
  // cold: CONFIG SET
  mutating func applyDurability() throws(EffectFailure) {
    guard durability.isOn else { return }
    do throws(IOError) {
      try storage!.adopt(engineOptions)
    } catch {
      throw EffectFailure("\(error)")
    }
    durability.setWaiting(configuration.appendFsync == .always)
    durability.samplesReads = storage!.samplesReads
    followChanges()
  }

  /// The answer to a command that would write.
  // cold: the log's device has failed
  var misconfiguration: CommandError {
    .custom(
      """
      MISCONF Errors writing to the effects log: \(logFailure). Commands that may modify the data \
      set are refused until it can be written again.
      """)
  }

  // MARK: The end

  /// Waits until what has been executed is durable, for as long as a shutdown may take, and hands
  /// the replies that waited for it to the network.
  // cold: the process is about to end
  mutating func settleStorage() {
    guard durability.isOn else { return }
    durability.setPressure(0)
    commitEffects()
    do throws(IOError) {
      try storage!.drain(timeoutMilliseconds: configuration.shutdownTimeoutSeconds * 1000)
    } catch {
      log.error("The last writes are not durable, and nobody was told that they were: \(error)")
    }
    network.release(through: durability.advance(durable: storage!.hear(), now: .max))
  }

  /// Leaves the data directory as a start likes it best: with a checkpoint and an empty log.
  // cold: the process is about to end
  mutating func closeStorage() {
    guard durability.isOn else { return }
    if wantsFinalCheckpoint && keys.effects.bytes.isEmpty {
      let start = clock.monotonicMilliseconds()
      do throws(StorageError) {
        try storage!.finalCheckpoint(&keys.arena, timeoutMilliseconds: 600_000)
        log.notice("Checkpoint at shutdown: \(clock.monotonicMilliseconds() - start) ms")
      } catch {
        log.error("No checkpoint at shutdown: \(error). The next start replays the log")
      }
    }
    do throws(IOError) {
      try storage!.close()
    } catch {
      log.error("The log was not ended in good order: \(error)")
    }
  }
}
