// Output that waits for a mark: order, merging, half-closed peers, slots with new users; against a
// model that knows what each byte waits for.

import Bytes
import Testing

@testable import Platform

@Suite struct HeldOutputTests {
  @Test(arguments: backends)
  func outputWaitsForItsMark(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.answers = false
    let client = try Client(port: server.port)
    let connection = try server.accept()
    server.send(connection, [1, 2])
    server.send(connection, [3], until: 7)
    server.send(connection, [4])
    #expect(try server.read(client, 2) == [1, 2])
    for _ in 0..<5 { try server.step(timeoutMilliseconds: 1) }
    #expect(client.receive() == [])
    server.network.release(through: 6)
    for _ in 0..<5 { try server.step(timeoutMilliseconds: 1) }
    #expect(client.receive() == [])
    #expect(server.network.connections[connection].hasUnofferedOutput == true)
    server.network.release(through: 7)
    #expect(try server.read(client, 2) == [3, 4])
    #expect(server.network.connections[connection].hasUnofferedOutput == false)
    #expect(server.network.connections[connection].outputCapacity == 0)
    server.send(connection, [5], until: 7)
    #expect(try server.read(client, 1) == [5], "a mark that was released holds nothing")
  }

  @Test(arguments: backends)
  func othersAreServedMeanwhile(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.answers = false
    let writer = try Client(port: server.port)
    let held = try server.accept()
    let reader = try Client(port: server.port)
    let other = try server.accept()
    server.send(held, [1], until: 1)
    server.send(other, [2])
    #expect(try server.read(reader, 1) == [2])
    #expect(writer.receive() == [])
    server.network.release(through: 1)
    #expect(try server.read(writer, 1) == [1])
  }

  @Test(arguments: backends)
  func aPeerThatEndedItsSideGetsHeldReplies(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.answers = false
    server.closes = false
    let client = try Client(port: server.port)
    let connection = try server.accept()
    server.send(connection, [1], until: 3)
    client.endSending()
    try server.step { $0.count(.closed) == 1 }
    server.network.close(connection, afterOutput: true)
    for _ in 0..<3 { try server.step(timeoutMilliseconds: 1) }
    #expect(server.count(.closed) == 1, "closed before its output left")
    server.network.release(through: 3)
    #expect(try server.read(client, 1) == [1])
    try server.step { $0.count(.closed) == 2 }
    server.network.close(connection, afterOutput: false)
    #expect(try server.readEnd(client) == true)
  }

  @Test(arguments: backends)
  func aSlotsNextUserWaitsForNothing(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.answers = false
    do {
      _ = try Client(port: server.port)
      let connection = try server.accept()
      server.send(connection, [1], until: 9)
    }
    try server.step { $0.network.connectionCount == 0 }
    let client = try Client(port: server.port)
    let connection = try server.accept()
    server.send(connection, [2])
    #expect(try server.read(client, 1) == [2])
    server.send(connection, [3], until: 10)
    server.network.release(through: 9)
    for _ in 0..<3 { try server.step(timeoutMilliseconds: 1) }
    #expect(client.receive() == [])
    server.network.release(through: 10)
    #expect(try server.read(client, 1) == [3])
    #expect(server.network.held == [])
  }

  /// A slow reader behind a small socket buffer: blocked and held at once, in every order.
  @Test(arguments: backends, 0..<4)
  func randomMarksKeepOrderAndPromise(backend: Backend, seed: Int) throws {
    var random = Seeded(UInt64(seed) + 77)
    var server = try EchoServer(backend)
    server.answers = false
    let client = try Client(port: server.port)
    client.setBuffers(4096)
    let connection = try server.accept()
    var sent: [UInt8] = []
    var received: [UInt8] = []
    /// By segment: where it ends, and the mark that it waits for, those before it included.
    var segments: [(end: Int, mark: UInt64)] = []
    var released: UInt64 = 0
    var latest: UInt64 = 0
    for _ in 0..<400 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let size = Int.random(in: 0..<8, using: &random) == 0 ? 60_000 : 40
        let count = Int.random(in: 1...size, using: &random)
        let mark = Bool.random(using: &random) ? latest + 1 : 0
        latest = max(latest, mark)
        let bytes = pattern(count, seed: UInt64(sent.count))
        server.send(connection, bytes, until: mark)
        sent += bytes
        segments.append((sent.count, max(mark, segments.last?.mark ?? 0)))
      case 2:
        guard released < latest else { continue }
        released = UInt64.random(in: (released + 1)...latest, using: &random)
        server.network.release(through: released)
      default:
        try server.step(timeoutMilliseconds: 0)
        received += client.receive(limit: Int.random(in: 1...20_000, using: &random)) ?? []
      }
      let allowed = segments.last { $0.mark <= released }?.end ?? 0
      #expect(received.count <= allowed, "bytes left before their mark")
    }
    server.network.release(through: latest + 1)
    received += try server.read(client, sent.count - received.count)
    #expect(received == sent)
    #expect(server.network.connections[connection].pendingOutput == 0)
  }
}
