import Bytes
import Glibc
import Testing

@testable import Platform

/// One client of the churn: whatever happens, what it gets back is a prefix of what it has sent.
private struct Actor: ~Copyable {
  var client: Client?
  var sent: [UInt8] = []
  var received = 0
  var hasEnded = false

  init() {}

  mutating func connect(_ port: UInt16) throws {
    self = Actor()
    client = try Client(port: port)
  }

  mutating func send(_ bytes: [UInt8]) {
    let count = client!.send(bytes)
    sent += bytes.prefix(count)
  }

  /// Reads what is there. Gives false if it is not the echo.
  mutating func read(limit: Int) -> Bool {
    guard let bytes = client!.receive(limit: limit) else {
      client = nil
      return true
    }
    let isEcho = stands(bytes, in: sent, at: received)
    received += bytes.count
    return isEcho
  }
}

@Suite struct ChurnTests {
  /// Clients come, send, stop reading, end their side, vanish and are thrown out in any order; the
  /// server pauses, trims and closes at random. Nobody ever gets anything but the echo of its own
  /// bytes, and in the end every slot is free.
  @Test(arguments: backends, 0..<6)
  func everyClientGetsItsOwnEchoAndNothingElse(backend: Backend, seed: Int) throws {
    var random = Seeded(UInt64(seed) &+ 77)
    var server = try EchoServer(backend)
    server.isPolite = true
    var actors = Pool<Actor>()
    for _ in 0..<24 { actors.append(Actor()) }
    for step in 0..<1500 {
      let index = Int.random(in: 0..<actors.count, using: &random)
      if actors[index].client == nil {
        try actors[index].connect(server.port)
      }
      let isRight = try act(&actors[index], &random)
      try #require(isRight, "seed \(seed), step \(step)")
      if step % 3 == 0 { try server.step(timeoutMilliseconds: 0) }
      if server.network.connectionCount > 0 { disturb(&server.network, &random) }
    }
    for slot in 0..<server.network.connections.count { server.network.resumeReading(slot) }
    // Those that are still connected get the rest, if the server has not thrown them out.
    for index in 0..<actors.count where actors[index].client != nil {
      for _ in 0..<2000 where actors[index].client != nil {
        let isRight = actors[index].read(limit: 1 << 20)
        try #require(isRight, "seed \(seed), end")
        if actors[index].received == actors[index].sent.count { break }
        try server.step(timeoutMilliseconds: 1)
      }
      let isComplete =
        actors[index].client == nil || actors[index].received == actors[index].sent.count
      #expect(isComplete, "seed \(seed), client \(index)")
      actors[index].client = nil
    }
    try server.step { $0.network.connectionCount == 0 }
    try server.step { server in
      (0..<server.network.connections.count).allSatisfy {
        server.network.connections[$0].descriptor == -1
      }
    }
  }

  private func act(_ actor: inout Actor, _ random: inout Seeded) throws -> Bool {
    switch Int.random(in: 0..<20, using: &random) {
    case 0:
      actor.client!.setReset()
      actor.client = nil
    case 1: actor.client = nil
    case 2:
      actor.client!.endSending()
      actor.hasEnded = true
    case 3 where !actor.hasEnded:
      actor.send(pattern(Int.random(in: 1...(1 << 20), using: &random), seed: random.next()))
    case 4..<12 where !actor.hasEnded:
      actor.send(pattern(Int.random(in: 1...20_000, using: &random), seed: random.next()))
    default: return actor.read(limit: Int.random(in: 1...(1 << 20), using: &random))
    }
    return true
  }

  private func disturb(_ network: inout Network, _ random: inout Seeded) {
    let slot = Int.random(in: 0..<network.connections.count, using: &random)
    guard network.connections[slot].isOpen else { return }
    switch Int.random(in: 0..<40, using: &random) {
    case 0: network.close(slot, afterOutput: false)
    case 1: network.close(slot, afterOutput: true)
    case 2, 3: network.pauseReading(slot)
    case 4: network.trim(slot)
    case 5..<12: network.resumeReading(slot)
    default: break
    }
  }
}
