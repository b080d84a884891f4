// LogBuffer: the records that are not durable yet, in memory, found by LSN.
//
//   memory file        | capacity |
//   mapped twice       | capacity | capacity |     what wraps around is contiguous all the same
//                              ^ lsn modulo capacity
//
// 1. The capacity is a power of two and at least a page, so a block of the log is a page here.
// 2. The user keeps what it uses within `capacity` bytes.

import Bytes
import CSystem
import Glibc
import Platform

@safe final class LogBuffer: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  let capacity: Int

  /// - Parameter capacity: rounded up to a power of two.
  init(capacity wanted: Int) throws(IOError) {
    var capacity = 4096
    while capacity < wanted { capacity *= 2 }
    let descriptor = unsafe csystem_memfd_create("ferrite-log")
    guard descriptor >= 0 else { throw IOError("memfd_create", errno: errno) }
    defer { Glibc.close(descriptor) }
    guard ftruncate(descriptor, off_t(capacity)) == 0 else {
      throw IOError("ftruncate", errno: errno)
    }
    // SAFETY: a reservation of the kernel's choice, over which the file is mapped twice.
    let reservation = unsafe mmap(
      nil, capacity * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address = unsafe reservation, unsafe address != MAP_FAILED else {
      throw IOError("mmap", errno: errno)
    }
    for half in 0...1 {
      let mapping = unsafe mmap(
        address + half * capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
        descriptor, 0)
      guard unsafe mapping != MAP_FAILED else {
        let code = errno
        unsafe munmap(address, capacity * 2)
        throw IOError("mmap", errno: code)
      }
    }
    unsafe base = address
    self.capacity = capacity
  }

  deinit {
    // SAFETY: both mappings are ours.
    unsafe munmap(base, capacity * 2)
  }

  /// The bytes from `lsn` on.
  @unsafe func bytes(_ lsn: LSN, _ count: Int) -> UnsafeMutableRawBufferPointer {
    precondition(count >= 0 && count <= capacity)
    return unsafe UnsafeMutableRawBufferPointer(
      start: base + Int(lsn & UInt64(capacity - 1)), count: count)
  }

  /// Takes over what another buffer holds of a range.
  func copy(_ range: Range<LSN>, from other: LogBuffer) {
    let count = Int(range.upperBound - range.lowerBound)
    // SAFETY: two buffers do not overlap, and both hold `count` bytes in one piece.
    unsafe bytes(range.lowerBound, count).copyMemory(
      from: UnsafeRawBufferPointer(other.bytes(range.lowerBound, count)))
  }

  /// Puts a record at `lsn`, without what `stamp` adds; `padded` bytes in all, zeros at the end.
  func put(_ payload: borrowing Span<UInt8>, at lsn: LSN, padded: Int) {
    let size = LogFormat.recordHeaderBytes + payload.count
    // SAFETY: the user has made room for `padded` bytes (invariant 2).
    let target = unsafe bytes(lsn, padded)
    unsafe memset(target.baseAddress!, 0, LogFormat.recordHeaderBytes)
    unsafe target.storeBytes(of: UInt64(size).littleEndian, toByteOffset: 8, as: UInt64.self)
    unsafe target.storeBytes(of: lsn.littleEndian, toByteOffset: 16, as: UInt64.self)
    unsafe payload.withUnsafeBytes { source in
      guard let address = source.baseAddress else { return }
      unsafe memcpy(target.baseAddress! + LogFormat.recordHeaderBytes, address, source.count)
    }
    unsafe memset(target.baseAddress! + size, 0, padded - size)
  }

  /// The size that the record at `lsn` states.
  func size(at lsn: LSN) -> UInt64 {
    // SAFETY: a record that was put here.
    UInt64(littleEndian: unsafe bytes(lsn, 16).load(fromByteOffset: 8, as: UInt64.self))
  }

  /// Completes a record for the segment that it will begin in: what is durable, and the checksum.
  func stamp(_ lsn: LSN, durable: LSN, seed: UInt32, checksumLimit: Int = .max) {
    let size = min(Int(size(at: lsn)), checksumLimit)
    // SAFETY: a record that was put here; the span dies with the call.
    let target = unsafe bytes(lsn, LogFormat.recordHeaderBytes)
    unsafe target.storeBytes(of: durable.littleEndian, toByteOffset: 24, as: UInt64.self)
    let covered = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(bytes(lsn, size)))
    let crc = CRC32C.checksum(covered.extracting(4..<size), after: seed)
    unsafe target.storeBytes(of: crc.littleEndian, toByteOffset: 0, as: UInt32.self)
  }
}
