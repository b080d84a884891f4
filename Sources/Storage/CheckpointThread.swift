// CheckpointThread: the thread that runs the checkpointer, at its pace, and scrubs when it has
// nothing else to do.
//
// 1. What a checkpoint writes is spread: after each piece the thread rests until the budget allows
//    the next one, unless it is to hurry.
// 2. A stage that cannot be abandoned is tried again after a rest, for ever.
// 3. A rest is at most `longestRestMilliseconds`, so that stopping takes no longer.

import Glibc
import Platform
import Synchronization

final class CheckpointThread: Sendable {
  private static let longestRestMilliseconds = 20
  private static let retryMilliseconds = 100

  private struct Settings {
    var budgetBytes: Int
    var scrubBudgetBytes: Int
  }

  private struct Pace {
    /// What was written, and read by the scrub, since when.
    var startMicroseconds: Int64 = 0
    var bytes = 0
  }

  private let checkpointer: Checkpointer
  private let scrubber: Scrubber
  private let settings: Mutex<Settings>
  private let pace = Mutex(Pace())
  private let isHurried = Atomic(false)
  private let retryAt = Atomic<Int64>(0)
  private let worker = Mutex<Worker?>(nil)
  /// Called on this thread when a checkpoint has ended.
  private let notify: @Sendable () -> Void

  init(
    _ checkpointer: Checkpointer, _ scrubber: Scrubber, _ options: ImageOptions
  ) {
    self.checkpointer = checkpointer
    self.scrubber = scrubber
    notify = options.onProgress
    settings = Mutex(
      Settings(budgetBytes: options.budgetBytes, scrubBudgetBytes: options.scrubBudgetBytes))
  }

  func start() throws(IOError) {
    let new = try Worker(name: "ferrite-image") { [unowned self] in self.turn() }
    worker.withLock { $0 = new }
    new.wake()
  }

  func stop() {
    let old = worker.withLock { $0.take() }
    old?.stop()
  }

  func wake() { worker.withLock { $0 }?.wake() }

  /// Called every turn: only a change costs more than a look.
  func hurry(_ isHurried: Bool) {
    guard self.isHurried.exchange(isHurried, ordering: .relaxed) != isHurried else { return }
    if isHurried { retryAt.store(0, ordering: .relaxed) }
    wake()
  }

  func setBudgets(checkpoint: Int, scrub: Int) {
    settings.withLock { $0 = Settings(budgetBytes: checkpoint, scrubBudgetBytes: scrub) }
  }

  /// One piece of work, and a rest. False lets the thread sleep until it is woken.
  private func turn() -> Bool {
    let wait = retryAt.load(ordering: .relaxed) - Clock.system.monotonicMilliseconds()
    if wait > 0 {
      rest(milliseconds: Int(wait))
      return true
    }
    let before = checkpointer.ioBytes.load(ordering: .relaxed)
    let wasWorking = checkpointer.isWorking
    do throws(StorageError) {
      if try checkpointer.step() {
        let bytes = checkpointer.ioBytes.load(ordering: .relaxed) - before
        spend(bytes, budget: settings.withLock { $0.budgetBytes })
        if wasWorking && !checkpointer.isWorking { notify() }
        return true
      }
    } catch {
      checkpointer.fail(error)
      notify()
      retryAt.store(
        Clock.system.monotonicMilliseconds() + Int64(Self.retryMilliseconds), ordering: .relaxed)
      return true
    }
    // No image page changes now, so the scrub may look.
    guard let bytes = scrubber.step() else { return false }
    spend(bytes, budget: settings.withLock { $0.scrubBudgetBytes })
    return true
  }

  private func spend(_ bytes: Int, budget: Int) {
    guard bytes > 0, budget > 0, !isHurried.load(ordering: .relaxed) else { return }
    let now = Clock.system.monotonicMicroseconds()
    let ahead = pace.withLock { pace -> Int64 in
      // Time that nobody used is not saved up, but for a tenth of a second.
      if now - pace.startMicroseconds > 100_000 + Int64(pace.bytes * 1_000_000 / budget) {
        pace = Pace(startMicroseconds: now, bytes: 0)
      }
      pace.bytes += bytes
      return pace.startMicroseconds + Int64(pace.bytes * 1_000_000 / budget) - now
    }
    guard ahead > 1000 else { return }
    retryAt.store(Clock.system.monotonicMilliseconds() + ahead / 1000, ordering: .relaxed)
  }

  private func rest(milliseconds: Int) {
    usleep(UInt32(min(milliseconds, Self.longestRestMilliseconds) * 1000))
  }
}
