// EngineTests: log and image as one, step by step on a simulated medium.

import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

struct EngineTests {
  private static let workload = CrashWorkload(seed: 1, kind: .file, policy: .everySecond)

  private func open(_ medium: SimulatedMedium) throws -> Engine {
    let engine = try Engine.open(Self.workload.engineOptions, medium, wake: nil)
    engine.clock = .manual(wallMilliseconds: 0)
    return engine
  }

  /// Does a batch, and begins a checkpoint.
  private func begin(_ engine: Engine, _ store: inout CrashStore) throws -> LSN {
    try store.apply(Self.workload.batch(1))
    let end = try engine.append(CrashStore.encode(1, Self.workload.batch(1)).span)
    #expect(engine.requestCheckpoint())
    let committed = engine.hear()
    #expect(committed == end)
    let news = engine.maintain(&store.arena)
    #expect(news.hasFlipped)
    return end
  }

  /// Goes on for a while.
  /// - Returns: whether the checkpoint was finished.
  private func finishes(_ engine: Engine, _ store: inout CrashStore) throws -> Bool {
    for _ in 0..<100 {
      _ = engine.hear()
      _ = try engine.image.step()
      if case .finished = engine.maintain(&store.arena).outcome { return true }
    }
    return false
  }

  /// Under `everysec` replies do not wait for the disk. The image does: were it ahead of the log, a
  /// start could look for its LSN in vain.
  @Test func aCheckpointWaitsForTheLog() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    let engine = try open(medium)
    var store = try CrashStore(try engine.openArena(), isNew: true)
    try engine.start()
    medium.setFault {
      $0.kind == .synchronize && $0.name.hasPrefix("ferrite.log") ? .fail(EIO) : nil
    }
    let end = try begin(engine, &store)
    let isEarly = try finishes(engine, &store)
    #expect(!isEarly && engine.image.lsn == 0)
    medium.setFault(nil)
    engine.clock.advance(milliseconds: 10_000)
    let isFinished = try finishes(engine, &store)
    #expect(isFinished && engine.image.lsn == end)
  }

  /// The log is made durable for a checkpoint's sake: the clock stands still here.
  @Test func aCheckpointDoesNotWaitForTheSecond() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    let engine = try open(medium)
    var store = try CrashStore(try engine.openArena(), isNew: true)
    try engine.start()
    let end = try begin(engine, &store)
    let isFinished = try finishes(engine, &store)
    #expect(isFinished && engine.image.lsn == end)
  }
}
