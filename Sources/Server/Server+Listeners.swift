// Where the server listens, from the start and after CONFIG SET bind or port.
//
//   wanted addresses ─► keep those that are open ─► open the new ones ─► close the others
//                                                         │ the port is ours already ("*")
//                                                         └► close the others, then try again
//
// 1. Whoever is connected stays connected, whatever happens to the listeners.
// 2. When a new address cannot be had, the old ones are there again.

import Platform

/// An open TCP listener.
struct BoundListener: Equatable {
  var address: String
  var port: Int
  /// Its number in the network.
  var number: Int
}

extension Server {
  /// Opens the listeners of the configuration, at the start.
  mutating func listen() throws(IOError) {
    network.keepAliveSeconds = configuration.tcpKeepAliveSeconds
    let wanted = wantedAddresses
    for address in wanted { try open(address) }
    if listeners.isEmpty && !wanted.isEmpty {
      throw IOError("bind", configuration.bindAddresses.joined(separator: " "), errno: 99)
    }
    guard !configuration.unixSocket.isEmpty else { return }
    let permissions = configuration.unixSocketPermissions
    try network.listen(
      unix: configuration.unixSocket, permissions: permissions > 0 ? UInt16(permissions) : nil,
      backlog: Int32(clamping: configuration.tcpBacklog))
  }

  private var wantedAddresses: [String] {
    configuration.port > 0 ? configuration.bindAddresses : []
  }

  /// Listens on one address, if the machine has it (Network.listen).
  private mutating func open(_ address: String) throws(IOError) {
    let port = configuration.port
    let number = try network.listen(
      tcp: address, port: UInt16(port), backlog: Int32(clamping: configuration.tcpBacklog))
    guard let number else { return }
    listeners.append(BoundListener(address: address, port: port, number: number))
  }

  /// Brings the listeners in line with a changed configuration (invariants 1 and 2).
  mutating func rebind() throws(EffectFailure) {
    let old = listeners
    let wanted = wantedAddresses
    let kept = old.filter { $0.port == configuration.port && wanted.contains($0.address) }
    let added = wanted.filter { address in !kept.contains { $0.address == address } }
    let dropped = old.filter { !kept.contains($0) }
    listeners = kept
    do throws(IOError) {
      try open(all: added, beside: kept)
      close(dropped)
    } catch {
      // Perhaps an old listener holds what a new one wants: "*" and "127.0.0.1" exclude each other.
      close(dropped)
      do throws(IOError) {
        try open(all: added, beside: kept)
      } catch {
        log.warning("Could not listen on the new addresses: \(error)")
        reopen(dropped)
        let portChanged = old.contains { $0.port != configuration.port }
        throw EffectFailure(
          portChanged
            ? "Unable to listen on this port. Check server logs."
            : "Failed to bind to specified addresses.")
      }
    }
  }

  /// Opens all of them, or none.
  private mutating func open(
    all addresses: [String], beside kept: [BoundListener]
  ) throws(IOError) {
    do throws(IOError) {
      for address in addresses { try open(address) }
      if listeners.isEmpty && !addresses.isEmpty {
        throw IOError("bind", addresses.joined(separator: " "), errno: 99)
      }
    } catch {
      close(listeners.filter { !kept.contains($0) })
      listeners = kept
      throw error
    }
  }

  private mutating func close(_ bound: [BoundListener]) {
    for listener in bound { network.stopListening(listener.number) }
  }

  /// Goes back to listeners that were closed for others that could not be had.
  private mutating func reopen(_ dropped: [BoundListener]) {
    for listener in dropped {
      do throws(IOError) {
        let number = try network.listen(
          tcp: listener.address, port: UInt16(listener.port),
          backlog: Int32(clamping: configuration.tcpBacklog))
        guard let number else { continue }
        listeners.append(
          BoundListener(address: listener.address, port: listener.port, number: number))
      } catch {
        log.error("Could not listen on \(listener.address) again: \(error)")
      }
    }
  }
}
