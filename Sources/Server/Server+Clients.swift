// Clients come and go: accepting, limits, closing.

import Bytes
import Keyspace
import Platform
import RESP

extension Server {
  mutating func accept(_ slot: Int) {
    while clients.count <= slot { clients.append(Client()) }
    statistics.connectionsReceived += 1
    clients[slot].open(
      id: nextClientID, now: now, isAuthenticated: configuration.requirePass.isEmpty)
    nextClientID += 1
    if configuration.protectedMode && configuration.requirePass.isEmpty && !isLocal(slot) {
      refuseOutsider(slot)
    }
  }

  /// Whether the peer is on this machine.
  func isLocal(_ slot: Int) -> Bool {
    if network.connections[slot].isUnix { return true }
    let address = network.connections[slot].peerAddress
    return address.hasPrefix("127.") || address.hasPrefix("[::1]")
      || address.hasPrefix("[::ffff:127.")
  }

  private mutating func refuseOutsider(_ slot: Int) {
    var text = ByteBuffer()
    text.append(
      """
      -DENIED Redis is running in protected mode because protected mode is enabled and no \
      password is set for the default user. In this mode connections are only accepted from the \
      loopback interface. To connect from elsewhere, set a password with CONFIG SET requirepass \
      or in the configuration file, or switch protected mode off with CONFIG SET protected-mode no \
      from the same host, if the network is trusted.\r\n
      """)
    statistics.protectedModeRefusals += 1
    network.send(slot, &text)
    close(slot, afterOutput: true)
  }

  /// The peer is gone, or everything that was to be delivered before closing has been.
  mutating func ended(_ slot: Int, byPeer: Bool) {
    // A peer that has ended its side may still listen: what waits for the log, or did until this
    // turn, is delivered first, and so is the rest of a long reply.
    let isReplying = clients[slot].flags.contains(.replying)
    if byPeer && isReplying { finishReply(slot) }
    let isOutstanding = isReplying || network.connections[slot].hasUnofferedOutput
    let isAwaited = byPeer && isOutstanding && isLive(slot)
    close(slot, afterOutput: isAwaited)
  }

  /// Closes a client's connection: now, or when its output has been delivered.
  mutating func close(_ slot: Int, afterOutput: Bool = false) {
    guard clients[slot].id != 0 else { return }
    releasePlaces(slot)
    if afterOutput {
      clients[slot].flags.insert(.closing)
      // During the client's own command its reply is not handed over yet: `execute` closes.
      if slot != current { network.close(slot, afterOutput: true) }
      return
    }
    if slot == current {
      clients[slot].flags.insert([.closing, .dropping])
      return
    }
    statistics.inputBytes += network.connections[slot].bytesReceived
    statistics.outputBytes += network.connections[slot].bytesSent
    network.close(slot, afterOutput: false)
    release(slot)
    endReply(slot)
    discardTransaction(slot)
    clients[slot].clear()
  }

  private mutating func releasePlaces(_ slot: Int) {
    if let place = clients[slot].place {
      network.cancelPlacement(slot)
      keys.discard(place: place.token)
      clients[slot].place = nil
    }
    if slot != current, let place = placed.removeValue(forKey: slot) {
      keys.discard(place: place.token)
    }
  }

  /// Closes a client whose output is over its limits.
  /// - Returns: whether the client is still there.
  @inline(__always) mutating func checkOutput(_ slot: Int) -> Bool {
    let pending = network.connections[slot].pendingOutput
    let limit = configuration.normalOutputLimit
    if limit.hardBytes == 0 && limit.softBytes == 0 { return true }
    if limit.hardBytes == 0 || pending < limit.hardBytes {
      if limit.softBytes > 0 && pending >= limit.softBytes { return checkSoftLimit(slot) }
      clients[slot].softLimitSince = 0
      return true
    }
    closeOverLimit(slot)
    return false
  }

  private mutating func checkSoftLimit(_ slot: Int) -> Bool {
    if clients[slot].softLimitSince == 0 { clients[slot].softLimitSince = now }
    let seconds = (now - clients[slot].softLimitSince) / 1000
    if seconds <= configuration.normalOutputLimit.softSeconds { return true }
    closeOverLimit(slot)
    return false
  }

  private mutating func closeOverLimit(_ slot: Int) {
    log.warning(
      """
      Client \(describe(slot)) scheduled to be closed ASAP for overcoming of output buffer limits.
      """)
    statistics.outputLimitDisconnections += 1
    close(slot)
  }
}
