// LatencyHistogram: how long a command's calls took, for INFO latencystats and LATENCY HISTOGRAM.
//
//   steps   | 4-5 | 5-6 | 6-7 | 7-8 | 8-10 | 10-12 | 12-14 | 14-16 | 16-20 | ...   ticks
//
// Four steps a doubling: a percentile is off by at most an eighth, which is what telling a fast
// command from a slow one takes.
//
// 1. A value inside a step is taken to lie where its rank within the step puts it.

import Bytes
import Commands

struct LatencyHistogram: Equatable {
  /// By step, as in `ServerStatistics.histogramIndex`.
  let counts: [Int]
  let total: Int

  init(counts: [Int]) {
    self.counts = counts
    total = counts.reduce(0, +)
  }

  /// The ticks that `percentile` of 100 calls do not exceed; 0 without calls.
  func value(atPercentile percentile: Double) -> Double {
    guard total > 0 else { return 0 }
    let rank = min(max((percentile / 100 * Double(total)).rounded(.up), 1), Double(total))
    var below = 0
    for (step, count) in counts.enumerated() where count > 0 {
      if Double(below + count) >= rank {
        let start = Double(ServerStatistics.histogramStart(step))
        let end = Double(ServerStatistics.histogramEnd(step))
        return start + (end - start) * (rank - Double(below) - 0.5) / Double(count)
      }
      below += count
    }
    return 0
  }

  /// Calls that took no longer than each bound, as LATENCY HISTOGRAM prints them: bounds double
  /// from about a microsecond to about a second, those that add no call are left out, and whatever
  /// took longer belongs to the last one.
  func cumulative(ticksPerMicrosecond: Double) -> [(microseconds: Int, calls: Int)] {
    var result: [(microseconds: Int, calls: Int)] = []
    var buckets = [Int](repeating: 0, count: Self.boundCount)
    for (step, count) in counts.enumerated() where count > 0 {
      let start = Double(ServerStatistics.histogramStart(step))
      let middle = (start + Double(ServerStatistics.histogramEnd(step))) / 2
      let microseconds = middle / ticksPerMicrosecond
      let bucket = (0..<Self.boundCount).first { microseconds <= Self.bound($0) }
      buckets[bucket ?? Self.boundCount - 1] += count
    }
    var calls = 0
    for (index, count) in buckets.enumerated() where count > 0 {
      calls += count
      result.append((Int(Self.bound(index)), calls))
    }
    return result
  }

  private static let boundCount = 21

  /// Redis' bounds: 1024 ns and its doublings, each widened by the precision of its histogram.
  private static func bound(_ index: Int) -> Double {
    Double(1032 << index - 1) / 1000
  }
}

extension ServerStatistics {
  /// The shortest duration, in ticks, beyond a step.
  static func histogramEnd(_ index: Int) -> UInt64 {
    // The last step reaches to the end of the numbers.
    let next = index + 1
    return next < histogramSize ? max(histogramStart(next), 1) : .max
  }

  /// A command's histogram.
  func histogram(_ command: CommandID) -> LatencyHistogram {
    let first = command.index * Self.histogramSize
    return LatencyHistogram(counts: (0..<Self.histogramSize).map { Int(histograms[first + $0]) })
  }

  /// Halves the histograms of commands whose counters come near their limit, which keeps their
  /// shape. Called far more often than a counter can fill.
  mutating func ageHistograms() {
    for command in 0..<commands.count {
      let steps = command * Self.histogramSize..<(command + 1) * Self.histogramSize
      guard steps.contains(where: { histograms[$0] > UInt32.max / 2 }) else { continue }
      for step in steps { histograms[step] /= 2 }
    }
  }
}
