// Ring: io_uring with one ring of provided buffers. It knows descriptors, tokens and buffers,
// nothing else.
//
//   memory: | ring of descriptions | buffer 0 | buffer 1 | ... |
//   buffer: | delivered ....... | next bytes | untouched |
//                               ^ offset
//
// Where the kernel can (6.12), a buffer is consumed piece by piece: small requests of many
// connections lie side by side, which keeps the memory in use small and in the cache (500
// connections: 8.1 against 8.6 µs of CPU per PING). Otherwise a buffer serves one receive.
//
// 1. A buffer belongs to the kernel from `provide` until the completion that ends its use.
// 2. Nothing but a send's bytes is read from a caller's memory, and that only inside `submit` or
//    `enter`: sends never wait (MSG_DONTWAIT), so they are over when the call returns.
// 3. Linux 6.1 is required: it introduced DEFER_TASKRUN, and since then a partial send that cannot
//    go on reports how far it came.

import CLiburing
import CSystem
import Glibc

@safe struct Ring: ~Copyable {
  struct Completion {
    let token: EventToken
    let result: Int32
    fileprivate let flags: UInt32

    /// The request goes on and will complete again.
    var hasMore: Bool { flags & cliburing_more != 0 }
    var hasBuffer: Bool { flags & cliburing_has_buffer != 0 }
  }

  private static var entries: UInt32 { 1024 }
  private static var completions: UInt32 { 16384 }
  private static var bufferBytes: Int { 1 << 20 }
  private static var descriptionBytes: Int { 4096 }
  private static var memoryBytes: Int { descriptionBytes + bufferBytes }

  private let ring: UnsafeMutablePointer<io_uring>
  private let memory: UnsafeMutableRawPointer
  private let isShared: Bool
  private let bufferCount: Int
  private let bufferSize: Int
  private var offsets: [Int]
  private var isEnabled = false

  /// `sharesBuffers` asks for buffers that are consumed piece by piece, where the kernel can.
  init(sharesBuffers: Bool = true) throws(IOError) {
    let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
    // SAFETY: fresh memory, which cliburing_open initialises or reports.
    let result = unsafe cliburing_open(
      ring, Ring.entries, Ring.completions, UInt32(IORING_SETUP_DEFER_TASKRUN))
    guard result == 0 else {
      unsafe ring.deallocate()
      throw IOError("io_uring_setup", errno: -result)
    }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    let mapping = unsafe mmap(nil, Ring.memoryBytes, PROT_READ | PROT_WRITE, flags, -1, 0)
    var code: Int32 = unsafe mapping == MAP_FAILED ? errno : 0
    var isShared = false
    if code == 0 && sharesBuffers {
      let count = UInt32(Ring.bufferCount(isShared: true))
      isShared = unsafe cliburing_register_buffers(ring, mapping, count, true) == 0
    }
    if code == 0 && !isShared {
      let count = UInt32(Ring.bufferCount(isShared: false))
      code = unsafe -cliburing_register_buffers(ring, mapping, count, false)
    }
    guard code == 0, let memory = unsafe mapping else {
      unsafe io_uring_queue_exit(ring)
      unsafe ring.deallocate()
      if unsafe mapping != MAP_FAILED { unsafe munmap(mapping, Ring.memoryBytes) }
      throw IOError("io_uring_register", errno: code)
    }
    unsafe self.init(ring, memory, isShared)
  }

  @unsafe private init(
    _ ring: UnsafeMutablePointer<io_uring>, _ memory: UnsafeMutableRawPointer, _ isShared: Bool
  ) {
    unsafe self.ring = ring
    unsafe self.memory = memory
    self.isShared = isShared
    bufferCount = Ring.bufferCount(isShared: isShared)
    bufferSize = Ring.bufferBytes / bufferCount
    offsets = [Int](repeating: 0, count: bufferCount)
    for identifier in 0..<bufferCount { provide(identifier) }
  }

  deinit {
    // SAFETY: the kernel lets go of the buffers before their memory is unmapped.
    unsafe io_uring_unregister_buf_ring(ring, 0)
    unsafe io_uring_queue_exit(ring)
    unsafe ring.deallocate()
    unsafe munmap(memory, Ring.memoryBytes)
  }

  /// Few large buffers where they are shared, otherwise many small ones.
  private static func bufferCount(isShared: Bool) -> Int { isShared ? 16 : 128 }

  // MARK: Requests

  mutating func accept(_ descriptor: Int32, _ token: EventToken) throws(IOError) {
    // SAFETY: `entry` gives a free submission entry.
    unsafe cliburing_accept(try entry(), descriptor, token.rawValue)
  }

  /// Receives into provided buffers until it fails, ends, or is cancelled.
  mutating func receive(_ descriptor: Int32, _ token: EventToken) throws(IOError) {
    // SAFETY: `entry` gives a free submission entry.
    unsafe cliburing_receive(try entry(), descriptor, token.rawValue)
  }

  /// The bytes must stay in place until the next `enter` has returned (invariant 2).
  @unsafe mutating func send(
    _ descriptor: Int32, _ bytes: UnsafeRawPointer, count: Int, _ token: EventToken
  ) throws(IOError) {
    unsafe cliburing_send(try entry(), descriptor, bytes, count, token.rawValue)
  }

  mutating func poll(
    _ descriptor: Int32, _ events: Int32, multishot: Bool = false, _ token: EventToken
  ) throws(IOError) {
    // SAFETY: `entry` gives a free submission entry.
    unsafe cliburing_poll(try entry(), descriptor, UInt32(events), multishot, token.rawValue)
  }

  mutating func cancel(_ target: EventToken) throws(IOError) {
    // SAFETY: `entry` gives a free submission entry.
    unsafe cliburing_cancel(try entry(), target.rawValue, EventToken(.ignored).rawValue)
  }

  /// Room for a request, by submitting the earlier ones if need be.
  @unsafe private mutating func entry() throws(IOError) -> UnsafeMutablePointer<io_uring_sqe> {
    for _ in 0..<16 {
      if let entry = unsafe io_uring_get_sqe(ring) { return unsafe entry }
      try enable()
      let result = unsafe io_uring_submit(ring)
      guard result >= 0 || -result == EINTR || -result == EAGAIN || -result == EBUSY else {
        throw IOError("io_uring_enter", errno: -result)
      }
    }
    throw IOError("io_uring_enter", errno: EBUSY)
  }

  /// The thread that turns first is the one that the ring belongs to.
  private mutating func enable() throws(IOError) {
    if isEnabled { return }
    isEnabled = true
    // SAFETY: init has opened the ring.
    let result = unsafe cliburing_enable(ring)
    guard result >= 0 else { throw IOError("io_uring_enable", errno: -result) }
    // Saves looking the descriptor up in every call; nothing is lost where it is refused.
    unsafe io_uring_register_ring_fd(ring)
  }

  // MARK: Completions

  /// Submits all requests, and waits for a completion.
  mutating func enter(milliseconds: Int) throws(IOError) {
    try enable()
    // SAFETY: init has opened the ring.
    var result = unsafe cliburing_enter(ring, milliseconds)
    // A kernel short of memory may leave requests behind: they must not outlive this call.
    var attempts = 0
    while unsafe io_uring_sq_ready(ring) > 0 && attempts < 1000 {
      result = unsafe cliburing_enter(ring, 0)
      attempts += 1
    }
    guard result == 0 && attempts < 1000 else {
      throw IOError("io_uring_enter", errno: result == 0 ? EBUSY : -result)
    }
  }

  /// The next completion, including those that did not fit the queue.
  mutating func next() -> Completion? {
    var completion = cliburing_completion()
    // SAFETY: completion is a local; the ring is open.
    if unsafe !cliburing_next(ring, &completion) {
      guard unsafe io_uring_cq_has_overflow(ring) else { return nil }
      unsafe io_uring_get_events(ring)
      guard unsafe cliburing_next(ring, &completion) else { return nil }
    }
    return Completion(
      token: EventToken(rawValue: completion.token), result: completion.result,
      flags: completion.flags)
  }

  /// The bytes that a receive has delivered; to be used before `recycle`.
  @unsafe func bytes(of completion: Completion) -> UnsafeRawBufferPointer {
    let identifier = Int(completion.flags >> 16)
    let count = max(0, Int(completion.result))
    precondition(completion.hasBuffer && identifier < bufferCount)
    precondition(offsets[identifier] + count <= bufferSize)
    // SAFETY: the range lies inside the buffer, and the kernel has written it.
    return unsafe UnsafeRawBufferPointer(
      start: address(identifier) + offsets[identifier], count: count)
  }

  /// Ends the use of a completion's bytes.
  mutating func recycle(_ completion: Completion) {
    let identifier = Int(completion.flags >> 16)
    if isShared && completion.flags & cliburing_buffer_more != 0 {
      offsets[identifier] += max(0, Int(completion.result))
    } else {
      provide(identifier)
    }
  }

  private mutating func provide(_ identifier: Int) {
    offsets[identifier] = 0
    // SAFETY: the buffer lies inside the memory, and nobody reads it (invariant 1).
    unsafe cliburing_provide(
      memory, UInt32(bufferCount), address(identifier), UInt32(bufferSize),
      UInt16(identifier))
  }

  @unsafe private func address(_ identifier: Int) -> UnsafeMutableRawPointer {
    unsafe memory + Ring.descriptionBytes + identifier * bufferSize
  }
}
