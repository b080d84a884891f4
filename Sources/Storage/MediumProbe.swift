// MediumProbe: measures what a directory's medium can do: the figures that a capacity plan needs.
//
//   ferrite.assess   | thread 0's area | thread 1's area | ...      removed again at the end
//
// 1. A write counts when it is durable: every operation is write, flush, synchronize.
// 2. Reads and writes go past the page cache where the file system allows it; `isDirect` says so.
//    Where it does not, reads are those of the cache.
// 3. Latencies are kept in steps of a sixteenth: a quantile is at most 6 % too high.

import CSystem
import Glibc
import Platform
import Synchronization

public enum ProbeKind: String, Sendable, CaseIterable {
  /// Pieces of 1 MiB, one after the other: checkpoints of much, snapshots.
  case sequentialWrite = "sequential write"
  case sequentialRead = "sequential read"
  /// Pages of 4 KiB, anywhere: checkpoints of little, reads of what is not in DRAM.
  case randomWrite = "random write"
  case randomRead = "random read"
  /// What the log does for one batch: 256 bytes on persistent memory, a block of 4 KiB elsewhere.
  case persist

  var operationBytes: Int? {
    switch self {
    case .sequentialWrite, .sequentialRead: 1 << 20
    case .randomWrite, .randomRead: 4096
    case .persist: nil
    }
  }
}

public struct ProbeResult: Sendable {
  public let kind: ProbeKind
  public let threads: Int
  public let operations: Int
  public let operationBytes: Int
  public let seconds: Double
  /// Of one operation, in microseconds.
  public let median: Double
  public let ninetyNinth: Double
  public let longest: Double

  public var operationsPerSecond: Double { seconds > 0 ? Double(operations) / seconds : 0 }
  public var bytesPerSecond: Double { operationsPerSecond * Double(operationBytes) }
}

public final class MediumProbe {
  public static let fileName = "ferrite.assess"

  public let isDirect: Bool
  public let fileBytes: Int
  private let medium: any Medium
  private let file: any MediumFile

  /// Makes and fills the file. A directory that is full is met here.
  /// - Parameter onProgress: called with the share that is done, 0 to 1.
  public init(
    _ medium: any Medium, fileBytes: Int, onProgress: (Double) -> Void
  ) throws(IOError) {
    self.medium = medium
    self.fileBytes = max(16 << 20, fileBytes & ~((1 << 20) - 1))
    let name = MediumProbe.fileName
    if try medium.list().contains(name) { try medium.remove(name) }
    let buffered = try medium.create(name)
    do throws(IOError) {
      try buffered.resize(to: self.fileBytes)
      try buffered.allocate(0..<self.fileBytes)
      var block = Block(1 << 20)
      MediumProbe.fill(&block)
      for offset in stride(from: 0, to: self.fileBytes, by: block.count) {
        try buffered.write(block, 0..<block.count, at: offset)
        buffered.flush(offset..<offset + block.count)
        onProgress(Double(offset + block.count) / Double(self.fileBytes))
      }
      try buffered.synchronize()
    } catch {
      _ = try? medium.remove(name)
      throw error
    }
    let direct = medium.facts.kind == .file ? try? medium.open(name, .direct) : nil
    file = direct ?? buffered
    isDirect = direct != nil || medium.facts.kind == .persistentMemory
  }

  /// Removes the file.
  public func finish() throws(IOError) { try medium.remove(MediumProbe.fileName) }

  /// What varies: a device may compress, or drop what is all zeros.
  private static func fill(_ block: inout Block) {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for offset in stride(from: 0, to: block.count, by: 8) {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      block.store(offset, state)
    }
  }

  /// Does one kind of operation for `seconds`, on `threads` threads at once.
  public func run(
    _ kind: ProbeKind, threads: Int, seconds: Double, onProgress: (Double) -> Void
  ) throws(IOError) -> ProbeResult {
    let bytes = kind.operationBytes ?? (medium.facts.kind == .persistentMemory ? 256 : 4096)
    let areaBytes = fileBytes / threads & ~((1 << 20) - 1)
    precondition(areaBytes >= bytes, "the file is too small for so many threads")
    let start = monotonicNanoseconds()
    let deadline = start + Int64(seconds * 1e9)
    let tasks = (0..<threads).map { index in
      ProbeTask(
        file, kind, bytes, area: index * areaBytes..<(index + 1) * areaBytes,
        synchronizes: !(isDirect && medium.facts.kind == .file), deadline: deadline)
    }
    var workers: [Worker] = []
    for task in tasks {
      let worker = try Worker(name: "ferrite-assess") {
        task.runOnce()
        return false
      }
      worker.wake()
      workers.append(worker)
    }
    while !tasks.allSatisfy(\.isDone) {
      usleep(20_000)
      onProgress(min(1, Double(monotonicNanoseconds() - start) / (seconds * 1e9)))
    }
    for worker in workers { worker.stop() }
    var latencies = LatencySteps()
    for task in tasks { latencies.add(try task.latencies()) }
    let elapsed = Double(monotonicNanoseconds() - start) / 1e9
    return ProbeResult(
      kind: kind, threads: threads, operations: latencies.count, operationBytes: bytes,
      seconds: min(elapsed, max(seconds, tasks.map(\.seconds).max() ?? seconds)),
      median: latencies.quantile(0.5), ninetyNinth: latencies.quantile(0.99),
      longest: latencies.quantile(1))
  }
}

func monotonicNanoseconds() -> Int64 {
  var time = timespec()
  // SAFETY: time is a local, and the clock always exists.
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// What one thread does.
private final class ProbeTask: Sendable {
  private let file: any MediumFile
  private let kind: ProbeKind
  private let bytes: Int
  private let area: Range<Int>
  private let synchronizes: Bool
  private let start = monotonicNanoseconds()
  private let deadline: Int64
  private let outcome = Mutex<Result<LatencySteps, IOError>?>(nil)
  private let end = Atomic<Int64>(0)

  init(
    _ file: any MediumFile, _ kind: ProbeKind, _ bytes: Int, area: Range<Int>, synchronizes: Bool,
    deadline: Int64
  ) {
    self.file = file
    self.kind = kind
    self.bytes = bytes
    self.area = area
    self.synchronizes = synchronizes
    self.deadline = deadline
  }

  var isDone: Bool { outcome.withLock { $0 != nil } }
  var seconds: Double { Double(end.load(ordering: .acquiring) - start) / 1e9 }

  func latencies() throws(IOError) -> LatencySteps {
    guard let outcome = outcome.withLock({ $0 }) else { return LatencySteps() }
    return try outcome.get()
  }

  func runOnce() {
    guard !isDone else { return }
    let result: Result<LatencySteps, IOError>
    do throws(IOError) { result = .success(try measure()) } catch { result = .failure(error) }
    end.store(monotonicNanoseconds(), ordering: .releasing)
    outcome.withLock { $0 = result }
  }

  private func measure() throws(IOError) -> LatencySteps {
    var block = Block(bytes)
    block.store(0, UInt64(area.lowerBound) | 1)
    var latencies = LatencySteps()
    var random = SystemRandomNumberGenerator()
    let places = area.count / bytes
    var place = 0
    var before = monotonicNanoseconds()
    // On a busy machine the time may be over before the thread runs: two operations always are.
    while before < deadline || latencies.count < 2 {
      let offset = area.lowerBound + place * bytes
      switch kind {
      case .sequentialRead, .randomRead: try file.read(0..<bytes, of: &block, at: offset)
      case .sequentialWrite, .randomWrite, .persist:
        try file.write(block, 0..<bytes, at: offset)
        file.flush(offset..<offset + bytes)
        if synchronizes { try file.synchronize() }
      }
      let after = monotonicNanoseconds()
      latencies.add(nanoseconds: after - before)
      before = after
      let isRandom = kind == .randomRead || kind == .randomWrite
      place = isRandom ? Int.random(in: 0..<places, using: &random) : (place + 1) % places
    }
    return latencies
  }
}

/// Counts by latency; a step is a sixteenth of a power of two.
struct LatencySteps: Sendable {
  private var counts = [Int](repeating: 0, count: 64 * 16)
  private(set) var count = 0

  mutating func add(nanoseconds: Int64) {
    let value = UInt64(max(16, nanoseconds))
    let exponent = 63 - value.leadingZeroBitCount
    counts[exponent * 16 + Int(value >> UInt64(exponent - 4) & 15)] += 1
    count += 1
  }

  mutating func add(_ other: LatencySteps) {
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
  }

  /// In microseconds: the end of the step that the share of all operations reaches.
  func quantile(_ share: Double) -> Double {
    guard count > 0 else { return 0 }
    let wanted = max(1, Int((Double(count) * share).rounded(.up)))
    var seen = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= wanted {
        let unit = Double(UInt64(1) << UInt64(max(4, index / 16) - 4))
        return Double(16 + index % 16 + 1) * unit / 1000
      }
    }
    return 0
  }
}
