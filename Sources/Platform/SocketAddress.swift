// SocketAddress: where a socket is bound or connected, and its text as Redis writes it.
//
//   IPv4 "127.0.0.1:6379"    IPv6 "[::1]:6379"    Unix "/run/ferrite.sock:0"

import Bytes
import CSystem
import Glibc

struct SocketAddress {
  private var storage = sockaddr_storage()
  private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// The address of a Unix socket; "@name" is in Linux's abstract namespace.
  init(unixPath path: String) throws(IOError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard !bytes.isEmpty && bytes.count < room else {
      throw IOError("bind", path, errno: ENAMETOOLONG)
    }
    // SAFETY: the path was just checked to fit, and the rest of sun_path is zero.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      unsafe field.copyBytes(from: bytes)
      if bytes[0] == 0x40 { unsafe field[0] = 0 }
    }
    // SAFETY: sockaddr_storage is at least as large and as aligned as any address.
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe withUnsafeBytes(of: &address) { unsafe target.copyMemory(from: $0) }
    }
    let header = MemoryLayout<sockaddr_un>.size - room
    length = socklen_t(header + bytes.count + (bytes[0] == 0x40 ? 0 : 1))
  }

  /// The address that getsockname or getpeername gives for `descriptor`, or nil.
  init?(of descriptor: Int32, peer: Bool) {
    // SAFETY: storage is large enough for any address, and length says how large.
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe peer
          ? getpeername(descriptor, address, &length)
          : getsockname(descriptor, address, &length)
      }
    }
    if result != 0 { return nil }
  }

  var isUnix: Bool { storage.ss_family == sa_family_t(AF_UNIX) }

  /// The port, or 0 for a Unix socket.
  var port: UInt16 {
    switch Int32(storage.ss_family) {
    case AF_INET: UInt16(bigEndian: unsafe read(sockaddr_in.self).sin_port)
    // SAFETY: the family says that the storage holds such an address.
    case AF_INET6: UInt16(bigEndian: unsafe read(sockaddr_in6.self).sin6_port)
    default: 0
    }
  }

  /// The text without its port.
  var host: String {
    switch Int32(storage.ss_family) {
    case AF_INET:
      // SAFETY: address is a local of the family's type.
      var address = unsafe read(sockaddr_in.self).sin_addr
      return unsafe SocketAddress.text(AF_INET, &address)
    case AF_INET6:
      // SAFETY: as above.
      var address = unsafe read(sockaddr_in6.self).sin6_addr
      return unsafe SocketAddress.text(AF_INET6, &address)
    case AF_UNIX:
      // SAFETY: sun_path is initialised to its end; only bytes before the first NUL are taken.
      let path = unsafe read(sockaddr_un.self).sun_path
      return unsafe withUnsafeBytes(of: path) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    default:
      return "?"
    }
  }

  /// The text with its port.
  var description: String {
    storage.ss_family == sa_family_t(AF_INET6) ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// The address in the form that system calls take.
  @unsafe func withPointer<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  /// The storage as T, which must be one of the address types: plain data.
  @unsafe private func read<T>(_ type: T.Type) -> T {
    precondition(MemoryLayout<T>.size <= MemoryLayout<sockaddr_storage>.size)
    // SAFETY: the caller's choice of T, which fits.
    return unsafe withUnsafeBytes(of: storage) { unsafe $0.loadUnaligned(as: T.self) }
  }

  @unsafe private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
    // SAFETY: INET6_ADDRSTRLEN is the longest text, and inet_ntop ends it with NUL.
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { room in
      let text = unsafe inet_ntop(family, address, room.baseAddress!, socklen_t(room.count))
      return unsafe text.map { unsafe String(cString: $0) } ?? "?"
    }
  }
}

extension ByteBuffer {
  /// The content as text; bytes that are not UTF-8 become replacement characters.
  var text: String {
    // SAFETY: the span lives for the whole call.
    unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
