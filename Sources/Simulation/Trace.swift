// Trace: everything that was done to a simulated medium, so that a power cut at any point can be
// looked at without running again what came before it.
//
//   disk at the start, operation 0, operation 1, note, operation 2, ...
//                    ^            ^           ^     states after a power cut here
//
// 1. A note is written by the test, among the operations: "this was acknowledged".
// 2. A power cut during a direct write may tear it: such a write counts as two points.

import Storage

public enum Operation: Sendable {
  case create(Int, String)
  case remove(String)
  case rename(String, String)
  case synchronizeDirectory
  case write(Int, Int, [UInt8])
  /// The same, of a file in direct mode.
  case writeDirect(Int, Int, [UInt8])
  case flush(Int, Range<Int>)
  case synchronize(Int)
  case failSynchronize(Int, seed: UInt64)
  case resize(Int, Int)
  case allocate(Int, Range<Int>)
  case punch(Int, Range<Int>)
  case note(Int)
}

public struct Trace: Sendable {
  public let start: Disk
  public internal(set) var operations: [Operation] = []

  init(start: Disk) { self.start = start }
}

/// One state that the medium may be in after a power cut.
public struct CrashState: Sendable {
  /// How many operations had begun, and what drew the rest: enough to make the state again.
  public let point: Int
  public let seed: UInt64
  public let fate: Disk.Fate
  /// The notes so far.
  public let notes: [Int]
  public let disk: Disk
}

extension Trace {
  /// Calls `body` with states after a power cut at every point from `first` on, or only at those
  /// operations that `isWanted` names: everything lost, everything kept, and `draws` mixtures by
  /// seed. Stops when `body` answers false.
  public func forEachCrash(
    draws: Int, seed: UInt64, from first: Int = 0, every step: Int = 1,
    at isWanted: (Operation) -> Bool = { _ in true }, _ body: (CrashState) throws -> Bool
  ) rethrows {
    var disk = start
    var notes: [Int] = []
    for (index, operation) in operations.enumerated() {
      if case .note(let note) = operation { notes.append(note) }
      disk.begin(operation)
      var isOver = true
      if case .writeDirect = operation { isOver = false }
      repeat {
        if index >= first && (index - first) % step == 0 && isWanted(operation) {
          for state in disk.crashes(index + 1, draws, seed, notes) {
            guard try body(state) else { return }
          }
        }
        if isOver { break }
        disk.finish(operation)
        isOver = true
      } while true
    }
  }
}

extension Trace {
  /// Calls `body` with what a process that was killed leaves at every `step`th point, or only at
  /// those operations that `isWanted` names: all that it wrote is there for the next process, and
  /// no more of it is durable than was. Stops when `body` answers false.
  public func forEachKill(
    every step: Int = 1, at isWanted: (Operation) -> Bool = { _ in true },
    _ body: (_ point: Int, _ disk: Disk, _ notes: [Int]) throws -> Bool
  ) rethrows {
    var disk = start
    var notes: [Int] = []
    for (index, operation) in operations.enumerated() {
      if case .note(let note) = operation { notes.append(note) }
      disk.begin(operation)
      disk.finish(operation)
      guard index % step == 0, isWanted(operation) else { continue }
      guard try body(index + 1, disk, notes) else { return }
    }
  }
}

extension Disk {
  /// Applies an operation, up to where a direct write may still be torn.
  mutating func begin(_ operation: Operation) {
    switch operation {
    case .create(let file, let name):
      files[file] = File()
      nextFile = max(nextFile, file + 1)
      change(.create(name, file))
    case .remove(let name): change(.remove(name))
    case .rename(let old, let new): change(.rename(old, new))
    case .synchronizeDirectory: synchronizeNames()
    case .write(let file, let offset, let bytes), .writeDirect(let file, let offset, let bytes):
      write(file, offset, bytes)
    case .flush(let file, let range): flush(file, range)
    case .synchronize(let file): synchronize(file)
    case .failSynchronize(let file, let seed): failSynchronize(file, seed: seed)
    case .resize(let file, let count): resize(file, count)
    case .allocate(let file, let range):
      for page in range.lowerBound / 4096..<(range.upperBound + 4095) / 4096 {
        files[file]!.allocated.insert(page)
      }
    case .punch(let file, let range): punch(file, range)
    case .note: break
    }
  }

  /// Ends a direct write.
  mutating func finish(_ operation: Operation) {
    guard case .writeDirect(let file, let offset, let bytes) = operation else { return }
    settle(file, offset..<offset + bytes.count)
  }

  fileprivate func crashes(
    _ point: Int, _ draws: Int, _ seed: UInt64, _ notes: [Int]
  ) -> [CrashState] {
    let mixtures: [Fate] = [.mixed, .mostlyLost, .mostlyKept]
    return (0..<2 + draws).map { draw in
      let fate = draw == 0 ? .lost : draw == 1 ? .kept : mixtures[draw % mixtures.count]
      let own = seed &+ UInt64(point) &* 1_000_003 &+ UInt64(draw)
      var random = SeededRandom(seed: own)
      return CrashState(
        point: point, seed: own, fate: fate, notes: notes,
        disk: powerCut(fate, using: &random))
    }
  }
}
