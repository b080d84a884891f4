// Clock: the time of day and the time since boot, behind one seam.
//
// The server passes a Clock to whatever needs time, so that a test can hold time still and advance
// it by hand. Values travel as plain integers, their unit last in the name.

import Glibc

public struct Clock: Sendable {
  /// A clock that is set by hand: wall and monotonic time in microseconds; nil reads the machine.
  private var manual: (wall: Int64, monotonic: Int64)?

  /// The machine's clock.
  public static let system = Clock(manual: nil)

  /// A clock that stands still at `wallMilliseconds` until it is advanced.
  public static func manual(wallMilliseconds: Int64) -> Clock {
    Clock(manual: (wallMilliseconds * 1000, 0))
  }

  /// Microseconds since 1970.
  public func wallMicroseconds() -> Int64 {
    if let manual { return manual.wall }
    return Clock.read(CLOCK_REALTIME)
  }

  /// Milliseconds since 1970.
  public func wallMilliseconds() -> Int64 { wallMicroseconds() / 1000 }

  /// Microseconds that only ever grow, for intervals.
  public func monotonicMicroseconds() -> Int64 {
    if let manual { return manual.monotonic }
    return Clock.read(CLOCK_MONOTONIC)
  }

  public func monotonicMilliseconds() -> Int64 { monotonicMicroseconds() / 1000 }

  /// Moves a manual clock forward; the machine's clock cannot be moved.
  public mutating func advance(milliseconds: Int64) {
    guard let now = manual else { preconditionFailure("the system clock cannot be advanced") }
    manual = (now.wall + milliseconds * 1000, now.monotonic + milliseconds * 1000)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // SAFETY: time is a local; both clocks always exist, so the call cannot fail.
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
