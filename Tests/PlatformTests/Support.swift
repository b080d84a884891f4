// Support: a plain client socket, and an echo server that a test drives turn by turn in its own
// thread. Nothing here waits for time to pass: loops end when the awaited thing has happened, and
// give up after a generous number of turns.

import Bytes
import CSystem
import Glibc
import Testing

@testable import Platform

/// A backend under test.
enum Backend: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case epoll
  case ring = "io_uring"
  /// As on kernels before 6.12.
  case oldRing = "io_uring with a buffer for each receive"

  var testDescription: String { rawValue }

  func network(maximumConnections: Int) throws(IOError) -> Network {
    try Network(
      kind: self == .epoll ? .epoll : .ioUring, maximumConnections: maximumConnections,
      sharesBuffers: self == .ring)
  }
}

/// All backends, or epoll alone where the kernel forbids io_uring (`ioUringIsTested` is skipped).
let backends: [Backend] = Network.ioUringIsPermitted ? Backend.allCases : [.epoll]

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Bytes without order, drawn once: drawing them is slow in debug builds.
private let noise: [UInt8] = {
  var random = Seeded(1)
  return (0..<9973).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}()

/// `count` bytes that repeat at a distance which no buffer size divides; the seed says where they
/// begin.
func pattern(_ count: Int, seed: UInt64) -> [UInt8] {
  var bytes = Array(noise[Int(seed % 9973)...].prefix(count))
  bytes.reserveCapacity(count)
  while bytes.count < count { bytes += noise.prefix(count - bytes.count) }
  return bytes
}

extension ByteBuffer {
  /// The content as an array.
  var content: [UInt8] {
    // SAFETY: the span lives for the whole call.
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
  }
}

/// Whether `part` stands in `whole` at `offset`; quick in debug builds too.
func stands(_ part: [UInt8], in whole: [UInt8], at offset: Int) -> Bool {
  guard offset + part.count <= whole.count else { return false }
  // SAFETY: both ranges were just checked.
  return unsafe part.withUnsafeBytes { part in
    unsafe whole.withUnsafeBytes { whole in
      unsafe part.count == 0
        || memcmp(part.baseAddress!, whole.baseAddress! + offset, part.count) == 0
    }
  }
}

/// A client's socket; never blocks.
struct Client: ~Copyable {
  let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = csystem_socket(AF_INET, csystem_stream & ~Int32(O_NONBLOCK))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // SAFETY: address is a local of the size given.
    let result = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "connect: \(IOError.reason(errno))")
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  init(unixPath: String) throws {
    descriptor = csystem_socket(AF_UNIX, csystem_stream & ~Int32(O_NONBLOCK))
    let address = try SocketAddress(unixPath: unixPath)
    // SAFETY: the address outlives the call.
    let result = unsafe address.withPointer { unsafe connect(descriptor, $0, $1) }
    try #require(result == 0, "connect: \(IOError.reason(errno))")
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { Glibc.close(descriptor) }

  /// Sends what the socket takes of bytes[offset...]; gives how many.
  func send(_ bytes: [UInt8], from offset: Int = 0) -> Int {
    // SAFETY: the pointer stays inside the array.
    unsafe bytes.withUnsafeBytes { buffer in
      max(0, unsafe csystem_send(descriptor, buffer.baseAddress! + offset, buffer.count - offset))
    }
  }

  /// What has arrived, up to `limit`; empty for nothing yet, nil for the end of the stream.
  func receive(limit: Int = 1 << 16) -> [UInt8]? {
    var count = 0
    // SAFETY: the kernel writes at most `limit` bytes, and says how many.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
      count = unsafe csystem_receive(descriptor, buffer.baseAddress, limit)
      initialized = max(0, count)
    }
    return count > 0 ? bytes : count < 0 && errno == EAGAIN ? [] : nil
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Makes close send RST instead of FIN.
  func setReset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    // SAFETY: linger is a local of the size given.
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
  }

  func setBuffers(_ size: Int32) {
    csystem_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, size)
    csystem_set_option(descriptor, SOL_SOCKET, SO_SNDBUF, size)
  }
}

/// Answers every byte with itself; keeps the events it has seen.
struct EchoServer: ~Copyable {
  var network: Network
  let port: UInt16
  var seen: [NetworkEvent] = []
  /// Whether received bytes are answered, or stay in the input.
  var answers = true
  /// Whether `.closed` is answered at once.
  var closes = true
  /// Whether a peer that has ended its side still gets the output that waits for it.
  var isPolite = false

  init(_ backend: Backend, limit: Int = 10_000) throws {
    var network = try backend.network(maximumConnections: limit)
    let listener = try #require(try network.listen(tcp: "127.0.0.1", port: 0, backlog: 511))
    self.init(network: network, port: network.boundPort(of: listener))
  }

  private init(network: consuming Network, port: UInt16) {
    self.network = network
    self.port = port
  }

  /// One turn and its answers.
  mutating func step(timeoutMilliseconds: Int = 5) throws {
    let count = try network.turn(timeoutMilliseconds: timeoutMilliseconds)
    for index in 0..<count {
      let event = network.event(index)
      seen.append(event)
      switch event.kind {
      case .received where answers:
        var bytes = ByteBuffer()
        bytes.append(network.connections[event.connection].input.span)
        network.connections[event.connection].input.removeFirst(bytes.count)
        network.send(event.connection, &bytes)
      case .closed where closes:
        let waits = network.connections[event.connection].pendingOutput > 0
        network.close(event.connection, afterOutput: isPolite && event.value == 0 && waits)
      default: break
      }
    }
    network.flush()
  }

  mutating func step(atMost limit: Int = 2000, until done: (borrowing EchoServer) -> Bool) throws {
    for _ in 0..<limit {
      if done(self) { return }
      try step()
    }
    let isDone = done(self)
    try #require(isDone, "the event loop did not get there in \(limit) turns")
  }

  func count(_ kind: NetworkEvent.Kind) -> Int {
    seen.reduce(0) { $0 + ($1.kind == kind ? 1 : 0) }
  }

  /// The next connection: steps until it has been accepted.
  mutating func accept() throws -> Int {
    let before = count(.accepted)
    try step { $0.count(.accepted) > before }
    return try #require(seen.last { $0.kind == .accepted }).connection
  }

  /// Steps until `client` has received `count` bytes or the end of the stream.
  mutating func read(_ client: borrowing Client, _ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<5000 where bytes.count < count {
      guard let some = client.receive(limit: max(1, min(1 << 20, count - bytes.count))) else {
        break
      }
      bytes += some
      try step(timeoutMilliseconds: some.isEmpty ? 5 : 0)
    }
    return bytes
  }

  /// Steps until `client` sees the end of the stream; false if more bytes come.
  mutating func readEnd(_ client: borrowing Client) throws -> Bool {
    for _ in 0..<2000 {
      guard let bytes = client.receive() else { return true }
      if !bytes.isEmpty { return false }
      try step()
    }
    return false
  }

  /// Hands `bytes` to `network.send`.
  mutating func send(_ connection: Int, _ bytes: [UInt8], until mark: UInt64 = 0) {
    var buffer = ByteBuffer(capacity: bytes.count)
    buffer.append(bytes.span)
    network.send(connection, &buffer, until: mark)
  }
}

/// A thread of its own, joined by hand: the cooperative pool must not be blocked.
final class Thread {
  private let identifier: pthread_t

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  init(_ run: @escaping @Sendable () -> Void) {
    var created = pthread_t()
    // SAFETY: the new thread takes over the body's only reference.
    let body = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
    unsafe pthread_create(
      &created, nil,
      { argument in
        unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, body)
    identifier = created
  }

  func join() { _ = pthread_join(identifier, nil) }
}
