// FileRing: one write to a file at a time through io_uring, without waiting for it.
//
//   begin ─► submitted ─► completion (wakes the event loop) ─► finish
//                 ▲                │ short
//                 └────────────────┘
//
// 1. The bytes belong to the kernel from `begin` until `finish` has answered.
// 2. A short write goes on where it ended; one that writes nothing is a full disk.

import CLiburing
import CSystem
import Glibc

@safe public final class FileRing {
  private let ring: UnsafeMutablePointer<io_uring>
  private var descriptor: Int32 = -1
  private var path = ""
  private var bytes: UnsafeRawBufferPointer
  private var offset = 0
  private var isUnderWay = false
  private var refusal: IOError?

  /// Completions make `wake`'s event loop turn.
  public init(wake: WakeHandle?) throws(IOError) {
    let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
    // SAFETY: fresh memory, which the call initialises or reports.
    var result = unsafe io_uring_queue_init(4, ring, 0)
    guard result == 0 else {
      unsafe ring.deallocate()
      throw IOError("io_uring_setup", errno: -result)
    }
    if let wake { result = unsafe io_uring_register_eventfd(ring, wake.descriptor) }
    guard result == 0 else {
      unsafe io_uring_queue_exit(ring)
      unsafe ring.deallocate()
      throw IOError("io_uring_register", errno: -result)
    }
    unsafe self.ring = ring
    unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  deinit {
    precondition(!isUnderWay, "the kernel still has the bytes")
    // SAFETY: init has opened the ring, and nothing is under way.
    unsafe io_uring_queue_exit(ring)
    unsafe ring.deallocate()
  }

  /// Starts writing all of `bytes` at `offset`. Nothing else may be under way.
  @unsafe public func begin(
    _ descriptor: Int32, _ path: String, _ bytes: UnsafeRawBufferPointer, _ offset: Int
  ) {
    precondition(!isUnderWay)
    self.descriptor = descriptor
    self.path = path
    unsafe self.bytes = bytes
    self.offset = offset
    isUnderWay = true
    submit()
  }

  /// The result of the write under way, once; nil as long as there is none.
  public func finish(waits: Bool) -> Result<Void, IOError>? {
    while isUnderWay {
      if let error = refusal {
        refusal = nil
        isUnderWay = false
        return .failure(error)
      }
      var completion = cliburing_completion()
      // SAFETY: the ring is open and the completion a local.
      guard unsafe cliburing_next(ring, &completion) else {
        guard waits else { return nil }
        var entry: UnsafeMutablePointer<io_uring_cqe>?
        unsafe io_uring_wait_cqe(ring, &entry)
        continue
      }
      if completion.result < 0 && -completion.result != EINTR && -completion.result != EAGAIN {
        isUnderWay = false
        return .failure(IOError("write", path, errno: -completion.result))
      }
      if completion.result == 0 {
        isUnderWay = false
        return .failure(IOError("write", path, errno: ENOSPC))
      }
      let written = max(0, Int(completion.result))
      if unsafe written >= bytes.count {
        isUnderWay = false
        return .success(())
      }
      unsafe bytes = UnsafeRawBufferPointer(rebasing: bytes[written...])
      offset += written
      submit()
    }
    return nil
  }

  private func submit() {
    // SAFETY: an entry of the ring is free, since nothing else is under way (invariant 1).
    guard let entry = unsafe io_uring_get_sqe(ring) else {
      refusal = IOError("io_uring_enter", path, errno: EBUSY)
      return
    }
    unsafe io_uring_prep_write(
      entry, descriptor, bytes.baseAddress, UInt32(bytes.count), UInt64(offset))
    var result = unsafe io_uring_submit(ring)
    while result == -EINTR || result == -EAGAIN { result = unsafe io_uring_submit(ring) }
    if result < 0 { refusal = IOError("io_uring_enter", path, errno: -result) }
  }
}
