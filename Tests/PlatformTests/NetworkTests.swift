import Bytes
import CSystem
import Glibc
import Testing

@testable import Platform

@Suite struct NetworkTests {
  @Test(
    .enabled(if: Network.ioUringIsPermitted, "the kernel forbids io_uring: epoll alone is tested"))
  func ioUringIsTested() throws {
    #expect(
      try Network(kind: .ioUring, maximumConnections: 1).backendName.description == "io_uring")
    #expect(try Network(kind: .auto, maximumConnections: 1).backendName.description == "io_uring")
  }

  @Test func epollIsGivenOnRequest() throws {
    #expect(try Network(kind: .epoll, maximumConnections: 1).backendName.description == "epoll")
  }

  @Test(arguments: backends)
  func requestsSplitAtAnyByteAreEchoed(backend: Backend) throws {
    var server = try EchoServer(backend)
    let client = try Client(port: server.port)
    let message = pattern(48, seed: 1)
    for split in 1..<message.count {
      #expect(client.send(Array(message[..<split])) == split)
      let first = try server.read(client, split)
      #expect(client.send(message, from: split) == message.count - split)
      let second = try server.read(client, message.count - split)
      #expect(first + second == message)
    }
    #expect(server.network.connections[0].bytesReceived == 48 * 47)
    #expect(server.network.connections[0].bytesSent == 48 * 47)
  }

  @Test(arguments: backends)
  func thousandsOfConnectionsAreServedAndTheirSlotsReused(backend: Backend) throws {
    var server = try EchoServer(backend)
    for round in 0..<2 {
      var clients = Pool<Client>()
      let before = server.count(.accepted)
      for index in 0..<2000 {
        clients.append(try Client(port: server.port))
        if index % 100 == 99 { try server.step { $0.count(.accepted) - before > index } }
      }
      #expect(server.network.connectionCount == 2000)
      for index in 0..<2000 {
        #expect(clients[index].send(pattern(32, seed: UInt64(index))) == 32)
      }
      for index in 0..<2000 {
        #expect(try server.read(clients[index], 32) == pattern(32, seed: UInt64(index)))
      }
      try server.step(timeoutMilliseconds: 0)
      for index in 0..<2000 {
        #expect(server.network.connections[index].input.capacity == 0, "idle memory, \(round)")
        #expect(server.network.connections[index].outputCapacity == 0, "idle memory, \(round)")
      }
      clients = Pool<Client>()
      try server.step { $0.network.connectionCount == 0 }
    }
    #expect(server.network.connections.count <= 2100)
    #expect(server.network.acceptedConnections == 4000)
  }

  @Test(arguments: backends)
  func aClientThatDoesNotReadGetsItAllLater(backend: Backend) throws {
    var server = try EchoServer(backend)
    let slow = try Client(port: server.port)
    let connection = try server.accept()
    let other = try Client(port: server.port)
    _ = try server.accept()
    let big = pattern(24 << 20, seed: 2)
    server.send(connection, big)
    server.network.flush()
    try server.step()
    #expect(server.network.connections[connection].pendingOutput > 0)
    // More is queued behind it, and others are served meanwhile.
    server.send(connection, [1, 2, 3])
    _ = other.send([9])
    #expect(try server.read(other, 1) == [9])
    #expect(try server.read(slow, big.count + 3) == big + [1, 2, 3])
    try server.step { $0.count(.drained) == 1 }
    #expect(server.network.connections[connection].pendingOutput == 0)
    #expect(server.network.connections[connection].outputCapacity == 0)
    server.send(connection, [4])
    #expect(try server.read(slow, 1) == [4])
  }

  @Test(arguments: backends, 0..<6)
  func valuesArePlacedBetweenOtherBytes(backend: Backend, seed: Int) throws {
    var random = Seeded(UInt64(seed))
    let count = [8 << 20, 1, 70_000, 1 << 20, 300_000, 3 << 20][seed]
    let before = pattern(Int.random(in: 1...40, using: &random), seed: 3)
    let value = pattern(count, seed: 4)
    let after = pattern(Int.random(in: 1...40, using: &random), seed: 5)
    let stream = before + value + after
    var server = try EchoServer(backend)
    server.answers = false
    let client = try Client(port: server.port)
    let connection = try server.accept()
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
    defer { unsafe target.deallocate() }
    var sent = 0
    var isPlaced = false
    for _ in 0..<100_000 {
      if sent < stream.count {
        let piece = min(stream.count - sent, Int.random(in: 1...(200 << 10), using: &random))
        sent += client.send(Array(stream[sent..<sent + piece]))
      }
      try server.step(timeoutMilliseconds: 1)
      if !isPlaced && server.network.connections[connection].input.count >= before.count {
        isPlaced = true
        server.network.connections[connection].input.removeFirst(before.count)
        // SAFETY: target has count bytes and outlives the network's use of them.
        unsafe server.network.place(connection, into: target.baseAddress!, count: count)
      }
      let isDone =
        server.count(.placed) == 1
        && server.network.connections[connection].input.count == after.count
      if isDone { break }
    }
    #expect(server.count(.placed) == 1, "seed \(seed)")
    #expect(unsafe target.elementsEqual(value), "seed \(seed)")
    #expect(server.network.connections[connection].input.content == after)
    server.network.connections[connection].input.removeFirst(after.count)
    server.answers = true
    _ = client.send([7, 8])
    #expect(try server.read(client, 2) == [7, 8], "seed \(seed)")
  }

  @Test(arguments: backends)
  func aPlacementCanBeCancelled(backend: Backend) throws {
    var server = try EchoServer(backend)
    let client = try Client(port: server.port)
    let connection = try server.accept()
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { unsafe target.deallocate() }
    // SAFETY: target outlives the placement.
    unsafe server.network.place(connection, into: target.baseAddress!, count: 1 << 20)
    _ = client.send([1, 2, 3])
    try server.step { $0.network.connections[connection].bytesReceived == 3 }
    #expect(unsafe Array(target[..<3]) == [1, 2, 3])
    server.network.cancelPlacement(connection)
    _ = client.send([4, 5])
    #expect(try server.read(client, 2) == [4, 5])
    // SAFETY: as above; this one is ended by close.
    unsafe server.network.place(connection, into: target.baseAddress!, count: 1 << 20)
    try server.step(timeoutMilliseconds: 0)
    server.network.close(connection, afterOutput: false)
    #expect(try server.readEnd(client) == true)
  }

  @Test(arguments: backends)
  func aHalfClosedPeerGetsItsAnswer(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.closes = false
    let client = try Client(port: server.port)
    let connection = try server.accept()
    _ = client.send([1, 2, 3])
    client.endSending()
    try server.step { $0.count(.closed) == 1 }
    #expect(server.seen.map(\.kind) == [.accepted, .received, .closed])
    #expect(server.seen.last?.value == 0)
    server.send(connection, [4])
    server.network.close(connection, afterOutput: true)
    try server.step { $0.count(.closed) == 2 }
    server.network.close(connection, afterOutput: false)
    #expect(try server.read(client, 4) == [1, 2, 3, 4])
    #expect(try server.readEnd(client) == true)
    #expect(server.network.connectionCount == 0)
  }

  @Test(arguments: backends)
  func closeAfterOutputDeliversAllOfIt(backend: Backend) throws {
    var server = try EchoServer(backend)
    let client = try Client(port: server.port)
    let connection = try server.accept()
    let big = pattern(12 << 20, seed: 6)
    server.send(connection, big)
    server.network.close(connection, afterOutput: true)
    server.send(connection, [1, 2, 3])
    // Unread input does not turn the end of the stream into a reset.
    _ = client.send([5])
    #expect(try server.read(client, big.count + 3) == big)
    #expect(try server.readEnd(client) == true)
    #expect(server.count(.closed) == 1)
    #expect(server.count(.received) == 0)
    #expect(server.network.connectionCount == 0)
  }

  @Test(arguments: backends)
  func closeDuringASendFreesTheSlot(backend: Backend) throws {
    var server = try EchoServer(backend)
    for _ in 0..<3 {
      let client = try Client(port: server.port)
      let connection = try server.accept()
      #expect(connection == 0)
      let generation = server.network.connections[0].generation
      server.send(0, pattern(24 << 20, seed: 7))
      try server.step()
      #expect(server.network.connections[0].pendingOutput > 0)
      server.network.close(0, afterOutput: false)
      #expect(server.network.connectionCount == 0)
      let received = try server.read(client, 24 << 20)
      #expect(received.count < 24 << 20)
      try server.step { $0.network.connections[0].generation != generation }
    }
  }

  @Test(arguments: backends)
  func eventsOfAClosedConnectionAreVoid(backend: Backend) throws {
    var server = try EchoServer(backend)
    let client = try Client(port: server.port)
    let connection = try server.accept()
    _ = client.send([1])
    var count = 0
    for _ in 0..<2000 where count == 0 {
      count = try server.network.turn(timeoutMilliseconds: 5)
    }
    try #require(count == 1)
    #expect(server.network.event(0).kind == .received)
    server.network.close(connection, afterOutput: false)
    #expect(server.network.event(0).kind == .none)
    server.send(connection, [1])
    server.network.close(connection, afterOutput: true)
    #expect(try server.readEnd(client) == true)
  }

  @Test(arguments: backends)
  func aPausedConnectionIsNotRead(backend: Backend) throws {
    var server = try EchoServer(backend)
    let client = try Client(port: server.port)
    let connection = try server.accept()
    server.network.pauseReading(connection)
    for _ in 0..<3 { try server.step(timeoutMilliseconds: 0) }
    _ = client.send([1, 2])
    for _ in 0..<3 { try server.step(timeoutMilliseconds: 1) }
    #expect(server.count(.received) == 0)
    server.network.resumeReading(connection)
    #expect(try server.read(client, 2) == [1, 2])
    // Pausing and resuming within one turn changes nothing.
    server.network.pauseReading(connection)
    server.network.resumeReading(connection)
    _ = client.send([3])
    #expect(try server.read(client, 1) == [3])
  }

  @Test(arguments: backends)
  func aResetIsReportedWithItsReason(backend: Backend) throws {
    var server = try EchoServer(backend)
    do {
      let client = try Client(port: server.port)
      _ = try server.accept()
      client.setReset()
    }
    try server.step { $0.count(.closed) == 1 }
    #expect(server.seen.last?.value == ECONNRESET)
    #expect(server.network.connectionCount == 0)
  }

  @Test(arguments: backends)
  func connectionsBeyondTheLimitAreRefused(backend: Backend) throws {
    var server = try EchoServer(backend, limit: 2)
    server.network.refusal = "-ERR max number of clients reached\r\n"
    var clients = Pool<Client>()
    for _ in 0..<2 {
      clients.append(try Client(port: server.port))
      _ = try server.accept()
    }
    let third = try Client(port: server.port)
    let text = try server.read(third, 36)
    #expect(String(decoding: text, as: UTF8.self) == "-ERR max number of clients reached\r\n")
    #expect(try server.readEnd(third) == true)
    #expect(server.network.refusedConnections == 1)
    #expect(server.network.connectionCount == 2)
    server.network.close(0, afterOutput: false)
    let fourth = try Client(port: server.port)
    _ = try server.accept()
    _ = fourth.send([1])
    #expect(try server.read(fourth, 1) == [1])
  }

  @Test(arguments: backends)
  func aFloodingClientDoesNotStarveOthers(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.answers = false
    let flood = try Client(port: server.port)
    let loud = try server.accept()
    let quiet = try Client(port: server.port)
    let other = try server.accept()
    let bytes = pattern(4 << 20, seed: 8)
    for round in 0..<8 {
      while flood.send(bytes) > 0 {}
      _ = quiet.send([UInt8(round)])
      var turns = 0
      while server.network.connections[other].input.isEmpty && turns < 100 {
        let before = server.network.connections[loud].bytesReceived
        try server.step(timeoutMilliseconds: 0)
        turns += 1
        #expect(server.network.connections[loud].bytesReceived - before <= 1 << 20)
        server.network.connections[loud].input.removeAll()
      }
      #expect(turns <= 5)
      server.network.connections[other].input.removeAll()
    }
  }

  @Test(arguments: backends)
  func aUnixSocketServes(backend: Backend) throws {
    let path = "/tmp/ferrite-test-\(getpid())-\(backend).sock"
    var mode: UInt32 = 0
    do {
      var server = try EchoServer(backend)
      // The second listener takes a stale file's place.
      try server.network.listen(unix: path, permissions: nil, backlog: 16)
      try server.network.listen(unix: path, permissions: 0o700, backlog: 16)
      mode = try #require(fileMode(path))
      let client = try Client(unixPath: path)
      let connection = try server.accept()
      #expect(server.network.connections[connection].isUnix == true)
      #expect(server.network.connections[connection].peerAddress == "\(path):0")
      #expect(server.network.connections[connection].localAddress == "\(path):0")
      let message = pattern(100_000, seed: 9)
      var sent = 0
      var echoed: [UInt8] = []
      while echoed.count < message.count {
        if sent < message.count { sent += client.send(message, from: sent) }
        echoed += try server.read(client, min(sent, message.count) - echoed.count)
      }
      #expect(echoed == message)
    }
    #expect(mode & 0o777 == 0o700)
    #expect(fileMode(path) == nil)
  }

  private func fileMode(_ path: String) -> UInt32? {
    var status = stat()
    // SAFETY: status is a local.
    return unsafe stat(path, &status) == 0 ? status.st_mode : nil
  }

  @Test(arguments: backends)
  func anotherThreadWakesTheLoop(backend: Backend) throws {
    var server = try EchoServer(backend)
    for round in 1...3 {
      let handle = server.network.wakeHandle
      let thread = Thread { handle.wake() }
      while server.count(.wake) < round { try server.step(timeoutMilliseconds: -1) }
      thread.join()
    }
    server.network.wakeHandle.wake()
    server.network.wakeHandle.wake()
    try server.step { $0.count(.wake) == 4 }
    try server.step(timeoutMilliseconds: 0)
    #expect(server.count(.wake) == 4)
  }

  @Test(arguments: backends)
  func signalsAreEvents(backend: Backend) throws {
    var server = try EchoServer(backend)
    try server.network.watchSignals()
    pthread_kill(pthread_self(), SIGTERM)
    try server.step { $0.count(.signal) == 1 }
    #expect(server.seen.last?.value == SIGTERM)
  }

  @Test(arguments: backends)
  func acceptedSocketsInheritTheirOptions(backend: Backend) throws {
    var server = try EchoServer(backend)
    server.network.keepAliveSeconds = 300
    let client = try Client(port: server.port)
    let connection = try server.accept()
    let descriptor = server.network.connections[connection].descriptor
    #expect(csystem_option(descriptor, csystem_ipproto_tcp, TCP_NODELAY) == 1)
    #expect(csystem_option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(csystem_option(descriptor, csystem_ipproto_tcp, TCP_KEEPIDLE) == 300)
    #expect(csystem_option(descriptor, csystem_ipproto_tcp, TCP_KEEPINTVL) == 100)
    #expect(csystem_option(descriptor, csystem_ipproto_tcp, TCP_KEEPCNT) == 3)
    #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    let peer = try #require(SocketAddress(of: client.descriptor, peer: false))
    #expect(server.network.connections[connection].peerAddress == "127.0.0.1:\(peer.port)")
    #expect(server.network.connections[connection].localAddress == "127.0.0.1:\(server.port)")
  }

  @Test(arguments: backends)
  func addressesBindAsRedisBindsThem(backend: Backend) throws {
    var server = try EchoServer(backend)
    let error = #expect(throws: IOError.self) {
      try server.network.listen(tcp: "127.0.0.1", port: server.port, backlog: 1)
    }
    #expect(error?.description == "bind 127.0.0.1:\(server.port): Address already in use")
    #expect(try server.network.listen(tcp: "-192.0.2.1", port: 0, backlog: 1) == nil)
    #expect(throws: IOError.self) {
      try server.network.listen(tcp: "192.0.2.1", port: 0, backlog: 1)
    }
    let all = try #require(try server.network.listen(tcp: "*", port: 0, backlog: 1))
    let client = try Client(port: server.network.boundPort(of: all))
    let connection = try server.accept()
    #expect(server.network.connections[connection].listener == all)
    _ = client.send([1])
    #expect(try server.read(client, 1) == [1])
    server.network.stopListening(all)
    try server.step(timeoutMilliseconds: 0)
    _ = client.send([2])
    #expect(try server.read(client, 1) == [2])
    // IPv6 may be missing on the machine; then there is no listener.
    _ = try server.network.listen(tcp: "-::*", port: server.network.boundPort(of: 0), backlog: 1)
  }

  @Test(arguments: backends)
  func adoptedSocketsBelongToTheLoop(backend: Backend) throws {
    var server = try EchoServer(backend)
    var pair: [Int32] = [0, 0]
    // SAFETY: pair has room for both descriptors.
    try #require(unsafe socketpair(AF_UNIX, csystem_stream & 0xF, 0, &pair) == 0)
    let connection = try #require(try server.network.adopt(pair[0]))
    let bytes: [UInt8] = [1, 2, 3]
    #expect(unsafe csystem_send(pair[1], bytes, 3) == 3)
    try server.step { $0.network.connections[connection].bytesSent == 3 }
    Glibc.close(pair[1])
    try server.step { $0.network.connectionCount == 0 }
  }

  @Test(arguments: backends)
  func acceptingRestsWhenDescriptorsRunOut(backend: Backend) async {
    await #expect(processExitsWith: .success) { [name = backend.rawValue as String] in
      let backend = try #require(Backend(rawValue: name))
      var server = try EchoServer(backend)
      let client = try Client(port: server.port)
      // The process has no descriptor left but those it has opened.
      let next = dup(0)
      close(next)
      csystem_set_descriptor_limit(UInt64(next), 1024)
      try server.step { $0.network.acceptErrors > 0 }
      try #require(server.network.lastAcceptError?.errno == EMFILE)
      // It does not try again at once.
      for _ in 0..<10 { try server.step(timeoutMilliseconds: 0) }
      try #require(server.network.acceptErrors <= 2)
      // More than one, because other threads of the process want some, too.
      csystem_set_descriptor_limit(UInt64(next) + 32, 1024)
      try server.step { $0.count(.accepted) == 1 }
      _ = client.send([1])
      let answer = try server.read(client, 1)
      try #require(answer == [1])
    }
  }
}
