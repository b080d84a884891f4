// WakeHandle: lets any thread end the event loop's wait. Several wakes may become one event.

import CSystem
import Glibc

public final class WakeHandle: Sendable {
  let descriptor: Int32

  init() throws(IOError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard descriptor >= 0 else { throw IOError("eventfd", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Makes the loop report `.wake` in this or its next turn. A full counter means that it will
  /// anyway, so a refused write needs no attention.
  public func wake() {
    eventfd_write(descriptor, 1)
  }

  /// Forgets the wakes so far; false if there were none.
  func drain() -> Bool {
    var count: eventfd_t = 0
    // SAFETY: count is a local.
    return unsafe eventfd_read(descriptor, &count) == 0
  }
}
