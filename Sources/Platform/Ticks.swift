// Ticks: the processor's steady counter, for timing every command at the cost of one instruction.

import CSystem

public struct Ticks: Sendable {
  private let startTicks: UInt64
  private let startMicroseconds: Int64
  /// Ticks in a microsecond; refined by `refine` while the process runs.
  public private(set) var perMicrosecond: Double

  /// Calibrates for about a millisecond.
  public init(_ clock: Clock = .system) {
    startMicroseconds = Clock.system.monotonicMicroseconds()
    startTicks = csystem_ticks()
    perMicrosecond = 1
    while Clock.system.monotonicMicroseconds() - startMicroseconds < 1000 {}
    refine()
  }

  /// The counter now.
  @inlinable public static func now() -> UInt64 { csystem_ticks() }

  /// Measures the counter against the clock since the start.
  public mutating func refine() {
    let elapsed = Clock.system.monotonicMicroseconds() - startMicroseconds
    guard elapsed > 0 else { return }
    perMicrosecond = max(Double(csystem_ticks() &- startTicks) / Double(elapsed), 1e-3)
  }

  public func microseconds(_ ticks: UInt64) -> Double { Double(ticks) / perMicrosecond }
}
