// What CONFIG SET changes in the running server.

import Bytes
import Keyspace
import Platform

extension Server: ConfigurationOwner {
  public mutating func apply(_ effect: ConfigurationEffect) throws(EffectFailure) {
    switch effect {
    case .listeners: try rebind()
    case .clients: try applyClients()
    case .memory: applyMemory()
    case .keyspace: adoptKeyspaceSettings()
    case .password: applyPassword()
    case .frequency: nextCronMilliseconds = now
    case .log: logSettings.threshold = configuration.logLevel
    case .directory: try applyDirectory()
    // Nobody can subscribe to keyspace events yet.
    case .events: break
    case .durability: try applyDurability()
    case .observation: adoptObservationSettings()
    }
  }

  /// Takes over the settings whose rows name no effect, because nobody has to be told but the
  /// part that keeps a copy.
  mutating func adoptPlainSettings() {
    adoptKeyspaceSettings()
    if network.keepAliveSeconds != configuration.tcpKeepAliveSeconds {
      network.keepAliveSeconds = configuration.tcpKeepAliveSeconds
    }
  }

  private mutating func applyClients() throws(EffectFailure) {
    let wanted = configuration.maximumClients
    let possible = Process.raiseDescriptorLimit(forClients: wanted).clients
    guard possible >= wanted else {
      throw EffectFailure(
        """
        The operating system is not able to handle the specified number of clients, try with \
        \(possible)
        """)
    }
    network.maximumConnections = wanted
  }

  private mutating func applyMemory() {
    adoptKeyspaceSettings()
    let limit = configuration.maximumMemoryBytes
    guard limit > 0, keys.usedBytes > limit else { return }
    log.warning(
      """
      The new maxmemory (\(limit) bytes) is smaller than the memory in use (\(keys.usedBytes)): \
      keys are evicted, or writes refused, as maxmemory-policy says
      """)
    isBehind = true
  }

  /// Without a password everybody is let in, those too who came while there was one. With a new
  /// one, whoever is in stays in, as in Redis.
  private mutating func applyPassword() {
    guard configuration.requirePass.isEmpty else { return }
    for slot in 0..<clients.count where clients[slot].id != 0 {
      clients[slot].flags.insert(.authenticated)
    }
  }

  private mutating func applyDirectory() throws(EffectFailure) {
    do throws(IOError) {
      try WorkingDirectory.change(to: configuration.directory)
    } catch {
      throw EffectFailure(error.reason)
    }
    configuration.directory = WorkingDirectory.path()
  }
}
