// Listener: a bound socket that waits for connections.
//
// Options that every accepted socket needs (TCP_NODELAY, keepalive) are set on the listener: Linux
// hands them down, so that accepting costs no further system call.

import CSystem
import Glibc

struct Listener: ~Copyable {
  private(set) var descriptor: Int32
  /// The path of a Unix socket, removed when the listener closes; nil for TCP.
  let unixPath: String?
  /// The event loop holds an open request for connections (epoll: it is registered).
  var isArmed = false
  var isOpen: Bool { descriptor >= 0 }

  private init(_ descriptor: Int32, unixPath: String? = nil) {
    self.descriptor = descriptor
    self.unixPath = unixPath
  }

  deinit {
    if isOpen { Listener.close(descriptor, unixPath) }
  }

  /// Binds a TCP socket as Redis does: "-" first makes the address optional, "*" is every IPv4
  /// address and "::*" every IPv6 one. Gives nil where an optional address is not available or the
  /// machine lacks the protocol.
  static func tcp(_ text: String, port: UInt16, backlog: Int32) throws(IOError) -> Listener? {
    let isOptional = text.hasPrefix("-")
    let name = isOptional ? String(text.dropFirst()) : text
    do throws(IOError) {
      return Listener(try bind(name, port, backlog))
    } catch {
      if error.errno == EADDRNOTAVAIL && isOptional { return nil }
      let lacksProtocol = [
        ENOPROTOOPT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPFNOSUPPORT, EAFNOSUPPORT,
      ]
      if lacksProtocol.contains(error.errno) { return nil }
      throw error
    }
  }

  /// Binds a Unix socket, in place of a stale one.
  static func unix(
    _ path: String, permissions: UInt16?, backlog: Int32
  ) throws(IOError) -> Listener {
    unsafe unlink(path)
    let address = try SocketAddress(unixPath: path)
    let descriptor = csystem_socket(AF_UNIX, csystem_stream)
    guard descriptor >= 0 else { throw IOError("socket", path, errno: errno) }
    do throws(IOError) {
      // SAFETY: the address outlives the call and the length is its own.
      guard unsafe address.withPointer({ unsafe Glibc.bind(descriptor, $0, $1) }) == 0 else {
        throw IOError("bind", path, errno: errno)
      }
      if let permissions {
        guard unsafe chmod(path, mode_t(permissions)) == 0 else {
          throw IOError("chmod", path, errno: errno)
        }
      }
      guard listen(descriptor, backlog) == 0 else { throw IOError("listen", path, errno: errno) }
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    return Listener(descriptor, unixPath: path)
  }

  mutating func close() {
    guard isOpen else { return }
    Listener.close(descriptor, unixPath)
    descriptor = -1
  }

  private static func close(_ descriptor: Int32, _ unixPath: String?) {
    // io_uring may still hold the socket for its accept request: closing the descriptor alone would
    // leave the port taken until the request has been cancelled.
    shutdown(descriptor, Int32(SHUT_RDWR))
    Glibc.close(descriptor)
    // SAFETY: the path's text outlives the call.
    if let unixPath { unsafe unlink(unixPath) }
  }

  func setKeepAlive(seconds: Int) {
    if unixPath == nil { Listener.setKeepAlive(descriptor, seconds: seconds) }
  }

  /// Probes a silent peer after `seconds`, then thrice at a third of that; 0 turns probing off.
  static func setKeepAlive(_ descriptor: Int32, seconds: Int) {
    csystem_set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, seconds > 0 ? 1 : 0)
    guard seconds > 0 else { return }
    csystem_set_option(descriptor, csystem_ipproto_tcp, TCP_KEEPIDLE, Int32(clamping: seconds))
    let interval = Int32(clamping: max(1, seconds / 3))
    csystem_set_option(descriptor, csystem_ipproto_tcp, TCP_KEEPINTVL, interval)
    csystem_set_option(descriptor, csystem_ipproto_tcp, TCP_KEEPCNT, 3)
  }

  private static func bind(
    _ name: String, _ port: UInt16, _ backlog: Int32
  ) throws(IOError) -> Int32 {
    let place = name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    // SAFETY: hints without addresses.
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = name.contains(":") ? AF_INET6 : AF_INET
    unsafe hints.ai_socktype = csystem_stream & 0xF
    unsafe hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    let host: String? = name == "*" || name == "::*" ? nil : name
    // SAFETY: hints and found are locals; the list is freed below, after its last use.
    let result = unsafe getaddrinfo(host, String(port), &hints, &found)
    guard result == 0, let first = unsafe found else {
      throw IOError("resolve", place, errno: result == EAI_SYSTEM ? errno : EADDRNOTAVAIL)
    }
    defer { unsafe freeaddrinfo(first) }
    let descriptor = csystem_socket(unsafe first.pointee.ai_family, csystem_stream)
    guard descriptor >= 0 else { throw IOError("socket", place, errno: errno) }
    if unsafe first.pointee.ai_family == AF_INET6 {
      csystem_set_option(descriptor, csystem_ipproto_ipv6, IPV6_V6ONLY, 1)
    }
    csystem_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    csystem_set_option(descriptor, csystem_ipproto_tcp, TCP_NODELAY, 1)
    guard unsafe Glibc.bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw IOError("bind", place, errno: code)
    }
    guard listen(descriptor, backlog) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw IOError("listen", place, errno: code)
    }
    return descriptor
  }
}
