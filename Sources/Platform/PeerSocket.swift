// PeerSocket: a connection to another server, which the calling thread sleeps on. It is for the
// rare command that is defined as waiting for somebody else (MIGRATE); clients belong to Network.
//
// 1. No call takes longer than its timeout, however slowly the peer takes or sends bytes. Only
//    looking up a name takes what the system's resolver takes.
// 2. After an error the connection is of no more use.

import Bytes
import CSystem
import Glibc

public final class PeerSocket {
  private let descriptor: Int32
  private let place: String
  private var input = ByteBuffer()

  /// Bytes that `send` gives one timeout.
  private static var chunkBytes: Int { 64 << 10 }
  /// The longest line; what follows in it is dropped.
  private static var maximumLineBytes: Int { 1023 }

  /// Connects. A peer that refuses is noticed by the first `send`, as Redis has it.
  public init(host: String, port: Int, timeoutMilliseconds: Int) throws(IOError) {
    place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    descriptor = try PeerSocket.open(host, port, place)
    csystem_set_option(descriptor, csystem_ipproto_tcp, TCP_NODELAY, 1)
    let deadline = PeerSocket.deadline(timeoutMilliseconds)
    do throws(IOError) {
      try PeerSocket.wait(descriptor, POLLOUT, until: deadline, "connect", place)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  deinit { Glibc.close(descriptor) }

  private static func open(_ host: String, _ port: Int, _ place: String) throws(IOError) -> Int32 {
    // SAFETY: hints without addresses.
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = csystem_stream & 0xF
    var found: UnsafeMutablePointer<addrinfo>?
    // SAFETY: hints and found are locals; the list is freed below, after its last use.
    let result = unsafe getaddrinfo(host, String(port), &hints, &found)
    guard result == 0, let first = unsafe found else {
      throw IOError("resolve", place, errno: result == EAI_SYSTEM ? errno : EADDRNOTAVAIL)
    }
    defer { unsafe freeaddrinfo(first) }
    var code = EADDRNOTAVAIL
    var next = unsafe found
    while let candidate = unsafe next {
      let descriptor = csystem_socket(unsafe candidate.pointee.ai_family, csystem_stream)
      if descriptor >= 0 {
        let address = unsafe candidate.pointee.ai_addr
        let length = unsafe candidate.pointee.ai_addrlen
        if unsafe connect(descriptor, address, length) == 0 || errno == EINPROGRESS {
          return descriptor
        }
        code = errno
        Glibc.close(descriptor)
      } else {
        code = errno
      }
      unsafe next = candidate.pointee.ai_next
    }
    throw IOError("connect", place, errno: code)
  }

  // MARK: Bytes

  /// Sends all the bytes; each 64 KiB have the timeout for themselves.
  public func send(
    _ bytes: borrowing Span<UInt8>, timeoutMilliseconds: Int
  ) throws(IOError) {
    var sent = 0
    while sent < bytes.count {
      let deadline = PeerSocket.deadline(timeoutMilliseconds)
      let end = min(sent + PeerSocket.chunkBytes, bytes.count)
      while sent < end {
        // SAFETY: the kernel reads the part's bytes during the call.
        let count = unsafe bytes.extracting(sent..<end).withUnsafeBufferPointer { part in
          unsafe csystem_send(descriptor, part.baseAddress, part.count)
        }
        if count > 0 {
          sent += count
        } else if errno == EAGAIN {
          try PeerSocket.wait(descriptor, POLLOUT, until: deadline, "send", place)
        } else if errno != EINTR {
          throw IOError("send", place, errno: errno)
        }
      }
    }
  }

  /// The next line that the peer sends, without its end.
  public func line(timeoutMilliseconds: Int) throws(IOError) -> [UInt8] {
    let deadline = PeerSocket.deadline(timeoutMilliseconds)
    var line: [UInt8] = []
    while true {
      for index in 0..<input.count {
        let byte = input[index]
        if byte == 0x0A {
          input.removeFirst(index + 1)
          if line.last == 0x0D { line.removeLast() }
          return line
        }
        if line.count < PeerSocket.maximumLineBytes { line.append(byte) }
      }
      input.removeAll()
      try receive(until: deadline)
    }
  }

  private func receive(until deadline: Int64) throws(IOError) {
    while true {
      try PeerSocket.wait(descriptor, POLLIN, until: deadline, "receive", place)
      input.reserve(16 << 10)
      // SAFETY: the kernel writes at most the free space, and only what it wrote is committed.
      let space = unsafe input.freeSpace()
      let count = unsafe csystem_receive(descriptor, space.baseAddress, space.count)
      if count > 0 { return unsafe input.commit(count) }
      if count == 0 { throw IOError("receive", place, errno: ECONNRESET) }
      if errno != EAGAIN && errno != EINTR { throw IOError("receive", place, errno: errno) }
    }
  }

  // MARK: Waiting

  private static func deadline(_ timeoutMilliseconds: Int) -> Int64 {
    let now = Clock.system.monotonicMilliseconds()
    let (deadline, isTooLate) = now.addingReportingOverflow(Int64(timeoutMilliseconds))
    return isTooLate ? .max : deadline
  }

  private static func wait(
    _ descriptor: Int32, _ event: Int32, until deadline: Int64, _ operation: String,
    _ place: String
  ) throws(IOError) {
    while true {
      let left = deadline - Clock.system.monotonicMilliseconds()
      guard left > 0 else { throw IOError(operation, place, errno: ETIMEDOUT) }
      var question = pollfd(fd: descriptor, events: Int16(event), revents: 0)
      // SAFETY: question is a local, and the only one.
      let count = unsafe poll(&question, 1, Int32(clamping: left))
      if count > 0 { return }
      if count < 0 && errno != EINTR { throw IOError("poll", place, errno: errno) }
    }
  }
}
