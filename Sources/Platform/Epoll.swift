// Epoll: epoll(7) and the memory its news arrive in. It knows descriptors and tokens, nothing else.

import CSystem
import Glibc

@safe struct Epoll: ~Copyable {
  static var capacity: Int { 1024 }
  static var input: UInt32 { EPOLLIN.rawValue }
  static var output: UInt32 { EPOLLOUT.rawValue }
  static var trouble: UInt32 { EPOLLHUP.rawValue | EPOLLERR.rawValue }

  private let descriptor: Int32
  private let ready: UnsafeMutablePointer<epoll_event>

  init() throws(IOError) {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw IOError("epoll_create1", errno: errno) }
    // SAFETY: fresh memory, the events' room.
    unsafe ready = .allocate(capacity: Epoll.capacity)
  }

  deinit {
    close(descriptor)
    // SAFETY: allocated by init; nothing else holds it.
    unsafe ready.deallocate()
  }

  func add(_ target: Int32, _ interest: UInt32, _ token: EventToken) throws(IOError) {
    try control(EPOLL_CTL_ADD, target, interest, token)
  }

  func modify(_ target: Int32, _ interest: UInt32, _ token: EventToken) throws(IOError) {
    try control(EPOLL_CTL_MOD, target, interest, token)
  }

  func remove(_ target: Int32) throws(IOError) {
    try control(EPOLL_CTL_DEL, target, 0, EventToken(.ignored))
  }

  /// Waits; gives the number of descriptors with news, 0 after a signal.
  func wait(milliseconds: Int) throws(IOError) -> Int {
    // SAFETY: `ready` has room for `capacity` events.
    let count = unsafe epoll_wait(
      descriptor, ready, Int32(Epoll.capacity), Int32(clamping: milliseconds))
    if count >= 0 { return Int(count) }
    if errno == EINTR { return 0 }
    throw IOError("epoll_wait", errno: errno)
  }

  /// The news number `index` of the last wait.
  func news(_ index: Int) -> (token: EventToken, events: UInt32) {
    precondition(index >= 0 && index < Epoll.capacity)
    // SAFETY: the index is in bounds, and the user asks only for what `wait` has counted.
    let event = unsafe ready[index]
    return unsafe (EventToken(rawValue: event.data.u64), event.events)
  }

  private func control(
    _ operation: Int32, _ target: Int32, _ interest: UInt32, _ token: EventToken
  ) throws(IOError) {
    // SAFETY: event is a local that the kernel copies.
    var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: token.rawValue))
    guard unsafe epoll_ctl(descriptor, operation, target, &event) == 0 else {
      throw IOError("epoll_ctl", errno: errno)
    }
  }
}
