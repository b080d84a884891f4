// LogWriter: the seam between the log and how its bytes reach a segment's file.
//
//   persistent memory          ImmediateWriter   store, flush, fence in the calling thread
//   file, always               RingWriter        direct writes through io_uring
//                              ThreadWriter      a thread writes, direct or with fdatasync
//   file, everysec and no      ImmediateWriter   into the page cache; the keeper synchronizes
//
// 1. One write is under way at a time; what is appended meanwhile goes with the next one.
// 2. The bytes of a write under way do not change: the log stages a block that is not full yet.

import CSystem
import Glibc
import Platform
import Synchronization

/// Bytes for a segment's file. They stay in place until the write has finished.
@safe struct LogWrite: @unchecked Sendable {
  let segment: LogSegment
  /// Where in the file.
  let offset: Int
  let bytes: UnsafeRawBufferPointer
  /// Keeps the bytes alive.
  let owner: LogBuffer
}

protocol LogWriter: AnyObject {
  /// For INFO: "dax", "io_uring", "thread", "page cache".
  var name: String { get }
  /// Whether a finished write is durable.
  var isDurable: Bool { get }
  /// Starts a write.
  func begin(_ write: LogWrite)
  /// The result of the write under way, once; nil as long as it is not there. `waits` waits for it.
  func finish(waits: Bool) -> Result<Void, IOError>?
  func stop()
}

/// Writes in the calling thread.
final class ImmediateWriter: LogWriter {
  let name: String
  let isDurable: Bool
  private let medium: any Medium
  private var result: Result<Void, IOError>?

  init(_ medium: any Medium, isDurable: Bool) {
    self.medium = medium
    self.isDurable = isDurable
    name = isDurable ? "dax" : "page cache"
  }

  func begin(_ write: LogWrite) {
    do throws(IOError) {
      try perform(
        write, synchronizes: isDurable && !medium.has(.logSynchronizeMissing),
        flushes: !medium.has(.logFlushMissing))
      result = .success(())
    } catch {
      result = .failure(error)
    }
  }

  func finish(waits: Bool) -> Result<Void, IOError>? {
    defer { result = nil }
    return result
  }

  func stop() {}
}

/// One write, by the rule of the seam.
private func perform(
  _ write: LogWrite, synchronizes: Bool, flushes: Bool = true
) throws(IOError) {
  // SAFETY: the write's bytes stay in place until it has finished.
  unsafe try write.segment.file.write(write.bytes, at: write.offset)
  let end = unsafe write.offset + write.bytes.count
  if flushes { write.segment.file.flush(write.offset..<end) }
  if synchronizes && !write.segment.isDirect { try write.segment.file.synchronize() }
}

/// Writes on a thread of its own.
final class ThreadWriter: LogWriter {
  let name = "thread"
  let isDurable = true
  private let exchange = Exchange()
  private let worker: Worker

  private final class Exchange: Sendable {
    struct State: Sendable {
      var write: LogWrite?
      var result: Result<Void, IOError>?
    }
    let state = Mutex(State())
    /// Lets a waiter sleep; written once for each result.
    let done: Int32 = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    deinit { close(done) }
  }

  init(wake: WakeHandle?) throws(IOError) {
    let exchange = exchange
    worker = try Worker(name: "ferrite-log") {
      guard let write = exchange.state.withLock({ $0.write }) else { return false }
      let result: Result<Void, IOError>
      do throws(IOError) {
        try perform(write, synchronizes: true)
        result = .success(())
      } catch {
        result = .failure(error)
      }
      exchange.state.withLock { state in
        state.write = nil
        state.result = result
      }
      eventfd_write(exchange.done, 1)
      wake?.wake()
      return true
    }
  }

  func begin(_ write: LogWrite) {
    exchange.state.withLock { $0.write = write }
    worker.wake()
  }

  func finish(waits: Bool) -> Result<Void, IOError>? {
    while true {
      let (result, isUnderWay) = exchange.state.withLock { state in
        defer { state.result = nil }
        return (state.result, state.write != nil)
      }
      if result != nil || !waits || !isUnderWay { return result }
      var waiting = pollfd(fd: exchange.done, events: Int16(POLLIN), revents: 0)
      var count: eventfd_t = 0
      // SAFETY: both are locals. A count that is left from an earlier result only costs a turn.
      unsafe poll(&waiting, 1, 1000)
      unsafe eventfd_read(exchange.done, &count)
    }
  }

  func stop() { worker.stop() }
}

/// Direct writes through a ring of its own, whose completions wake the event loop.
final class RingWriter: LogWriter {
  let name = "io_uring"
  let isDurable = true
  private let ring: FileRing

  init(wake: WakeHandle?) throws(IOError) { ring = try FileRing(wake: wake) }

  func begin(_ write: LogWrite) {
    // SAFETY: the write's bytes stay in place until it has finished.
    unsafe ring.begin(
      write.segment.file.descriptor, write.segment.file.path, write.bytes, write.offset)
  }

  func finish(waits: Bool) -> Result<Void, IOError>? { ring.finish(waits: waits) }

  func stop() {}
}
