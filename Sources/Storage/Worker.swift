// Worker: a background thread that sleeps until it is woken, and then works until nothing is left.

import CSystem
import Glibc
import Platform
import Synchronization

public final class Worker: @unchecked Sendable {
  private let name: String
  private let step: @Sendable () -> Bool
  private let descriptor: Int32
  private let isStopping = Atomic(false)
  private var thread = pthread_t()

  /// Starts the thread. It calls `step` until that answers false, then waits for `wake`.
  public init(name: String, _ step: @escaping @Sendable () -> Bool) throws(IOError) {
    self.step = step
    self.name = name
    descriptor = eventfd(0, Int32(EFD_CLOEXEC))
    guard descriptor >= 0 else { throw IOError("eventfd", errno: errno) }
    // Signals are for the thread that has a descriptor for them.
    var all = sigset_t()
    var old = sigset_t()
    // SAFETY: both sets are locals; the thread holds a reference to self until it ends.
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, &old)
    let argument = unsafe Unmanaged.passRetained(self).toOpaque()
    let result = unsafe pthread_create(&thread, nil, { unsafe runWorker($0) }, argument)
    unsafe pthread_sigmask(SIG_SETMASK, &old, nil)
    guard result == 0 else {
      unsafe Unmanaged<Worker>.fromOpaque(argument).release()
      throw IOError("pthread_create", errno: result)
    }
  }

  deinit { close(descriptor) }

  /// Makes the thread look for work, from any thread.
  public func wake() { eventfd_write(descriptor, 1) }

  /// Ends the thread after the step it is in, and waits for that. Once only.
  public func stop() {
    isStopping.store(true, ordering: .releasing)
    wake()
    pthread_join(thread, nil)
  }

  fileprivate func run() {
    // SAFETY: the name's text outlives the call.
    unsafe csystem_name_thread(name)
    var count: eventfd_t = 0
    while !isStopping.load(ordering: .acquiring) {
      // SAFETY: count is a local.
      unsafe eventfd_read(descriptor, &count)
      while !isStopping.load(ordering: .acquiring) && step() {}
    }
  }
}

// SAFETY: the argument is the reference that init has passed on, taken over once.
private func runWorker(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  csystem_crash_prepare_thread()
  unsafe Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
