// What the server does beside commands: expiry, freeing, limits, statistics.
//
// 1. No piece of it takes longer than about a millisecond between two batches.

import Bytes
import Keyspace
import Memory
import Platform

extension Server {
  private static var sliceMicroseconds: Double { 1000 }

  /// Runs after each batch.
  mutating func maintain() {
    if now >= nextCronMilliseconds {
      if !isCronPaused { cron() }
      nextCronMilliseconds = now + 1000 / max(configuration.hz, 1)
    } else if !isBehind {
      return
    }
    isBehind = workBacklog()
    if !keys.notes.isEmpty { takeNotes() }
    if !readyKeys.isEmpty { serveBlocked() }
  }

  /// Removes due keys, frees flushed data and evicts, all for at most a slice.
  /// - Returns: whether there is more to do.
  private mutating func workBacklog() -> Bool {
    let start = Ticks.now()
    // During a pause the data stays as they are.
    // Nor are they changed while the change could not be kept.
    var isExpiring = pausedUntil == 0 && durability.gate == .open
    var isFreeing = true
    let memoryLimit = configuration.maximumMemoryBytes
    var isEvicting = isExpiring && memoryLimit > 0
    if isEvicting && !unfinished.isEmpty && keys.usedBytes > memoryLimit { finishAllReplies() }
    while isExpiring || isFreeing || isEvicting {
      if isExpiring { isExpiring = keys.expireSome(limit: 64) }
      if isFreeing { isFreeing = keys.freeGarbage(limit: 256) }
      if isEvicting {
        let eviction = keys.evictSome(downTo: memoryLimit, steps: Self.evictionSteps)
        isEvicting = eviction == .unfinished
      }
      if !durability.isOn { keys.effects.consume() }
      if ticks.microseconds(Ticks.now() &- start) > Self.sliceMicroseconds {
        statistics.expirySlicesCut += isExpiring ? 1 : 0
        break
      }
    }
    statistics.activeExpireTicks &+= Ticks.now() &- start
    return isExpiring || isFreeing || isEvicting || trimMemory()
  }

  /// Gives free pages back while they are more than a sixteenth of what is used.
  private mutating func trimMemory() -> Bool {
    let usage = keys.arena.usage
    let keeping = max(4 << 20, usage.allocatedBytes / 16)
    guard usage.residentFreeBytes > keeping else { return false }
    return keys.arena.trim(keeping: keeping, limit: 4) > 0
      && keys.arena.usage.residentFreeBytes > keeping
  }

  private mutating func cron() {
    cronCount &+= 1
    statistics.peakMemoryBytes = max(statistics.peakMemoryBytes, usedMemoryBytes)
    if cronCount % max(configuration.hz / 10, 1) == 0 { sampleRates() }
    if cronCount % 100 == 1 {
      ticks.refine()
      statistics.ageHistograms()
    }
    closeIdlePeers()
    checkClients()
    if durability.isOn { reportDamage() }
  }

  /// Ten times a second: what happened since the last time.
  private mutating func sampleRates() {
    let totals = clientTotals()
    statistics.clientBytes = totals.memoryBytes
    statistics.rates.sample(
      [
        statistics.commandsProcessed, statistics.inputBytes + totals.inputBytes,
        statistics.outputBytes + totals.outputBytes, statistics.loopTurns,
        Int(ticks.microseconds(statistics.loopTicks)),
      ], now: now)
  }

  /// Looks at a tenth of the clients each time: silence, soft limits, memory of idle inputs.
  private mutating func checkClients() {
    let count = clients.count
    guard count > 0 else { return }
    let share = min(max(count / max(configuration.hz, 1), 50), count)
    for _ in 0..<share {
      nextIdleCheck = (nextIdleCheck + 1) % count
      let slot = nextIdleCheck
      guard clients[slot].id != 0 else { continue }
      network.trim(slot)
      noteTransfer(slot)
      let idle = now - clients[slot].lastInteractionMilliseconds
      let mayTimeOut =
        configuration.timeoutSeconds > 0
        && clients[slot].flags.isDisjoint(with: [.postponed, .blocked])
      if mayTimeOut && idle > configuration.timeoutSeconds * 1000 {
        log.info("Closing idle client id=\(clients[slot].id)")
        close(slot)
      } else {
        _ = checkOutput(slot)
      }
    }
  }

  /// A client is not silent while a large argument or a large reply is under way.
  private mutating func noteTransfer(_ slot: Int) {
    let pending = network.connections[slot].pendingOutput
    guard clients[slot].place != nil || pending > 0 else { return }
    let bytes = network.connections[slot].bytesReceived &+ network.connections[slot].bytesSent
    if bytes != clients[slot].transferredBytes {
      clients[slot].transferredBytes = bytes
      clients[slot].lastInteractionMilliseconds = now
    }
  }

  /// All memory that data and connections take, in bytes. Connections are added up ten times a
  /// second.
  var usedMemoryBytes: Int { keys.usedBytes + statistics.clientBytes + Self.fixedBytes }

  /// What a server without data takes beyond its arena: command table, buffers, log.
  private static var fixedBytes: Int { 512 << 10 }
}
