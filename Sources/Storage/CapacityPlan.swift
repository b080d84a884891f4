// CapacityPlan: whether a medium carries a workload, by the rule: requests per second times bytes
// per request, against measured bandwidth.
//
//   one write     log: its effect, or its share of a block that it does not fill
//                 checkpoint: changed lines to the journal, then to the image: lines on persistent
//                 memory, whole pages on a file system; and the pages' sums
//   one read      the pages that hold it, if they are not in DRAM
//
// 1. It is a bound from above: every write is taken to change pages that no other write of the same
//    epoch changes, and every read to miss DRAM. What is in DRAM costs the medium nothing.
// 2. A medium counts as carrying what keeps it busy for 70 % of the time at most.

import Platform

public struct Workload: Sendable {
  public var requestsPerSecond: Double
  public var valueBytes: Int
  /// The share of writes, 0 to 1.
  public var writeRatio: Double

  public init(requestsPerSecond: Double, valueBytes: Int, writeRatio: Double) {
    self.requestsPerSecond = requestsPerSecond
    self.valueBytes = valueBytes
    self.writeRatio = writeRatio
  }
}

public struct CapacityPlan: Sendable {
  /// Bytes that one write costs the medium.
  public let logBytes: Double
  public let journalBytes: Double
  public let imageBytes: Double
  /// Bytes that one read costs, when it misses DRAM.
  public let readBytes: Double
  /// The share of its time that one device is busy with the writes, and with the reads.
  public let writeShare: Double
  public let readShare: Double
  /// Writes that share one log write, at this rate.
  public let batch: Double
  /// The least that a reply to a write waits, in microseconds: the median of `persist`.
  public let latency: Double

  public static let limit = 0.7
  /// What comes with a value in an entry, and in an effect: key, header, RESP.
  static let overheadBytes = 88

  public var share: Double { writeShare + readShare }
  public var isCarried: Bool { share <= CapacityPlan.limit }
  /// Devices, or shards on devices of their own, that carry it.
  public var devices: Int { max(1, Int((share / CapacityPlan.limit).rounded(.up))) }

  /// - Parameter results: at least one of each kind; the best of a kind counts.
  public init?(_ workload: Workload, kind: MediumFacts.Kind, _ results: [ProbeResult]) {
    func best(_ kind: ProbeKind) -> Double? {
      results.filter { $0.kind == kind }.map(\.bytesPerSecond).max()
    }
    let single = results.first { $0.kind == .persist && $0.threads == 1 }
    guard let sequential = best(.sequentialWrite), let random = best(.randomWrite),
      let reading = best(.randomRead), let persist = single, sequential > 0, random > 0, reading > 0
    else { return nil }
    let isLines = kind == .persistentMemory
    let writes = workload.requestsPerSecond * workload.writeRatio
    let effect = Double(workload.valueBytes + CapacityPlan.overheadBytes)
    latency = persist.median
    batch = max(1, writes * persist.median / 1e6)
    logBytes = max(effect, Double(isLines ? 256 : 4096) / batch)
    let lines = (effect / 64).rounded(.up) + 1
    journalBytes = lines * 64 + 24
    let pages = (effect / 4096).rounded(.up)
    imageBytes = (isLines ? lines * 64 : pages * 4096) + 4
    readBytes = pages * 4096
    writeShare = writes * ((logBytes + journalBytes) / sequential + imageBytes / random)
    readShare = workload.requestsPerSecond * (1 - workload.writeRatio) * readBytes / reading
  }
}
