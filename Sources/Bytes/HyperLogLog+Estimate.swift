// What the counters say: the estimate of how many different elements there were.
//
// Otmar Ertl, New cardinality estimation algorithms for HyperLogLog sketches (arXiv:1702.01284):
// only how many counters have each rank matters.
//
// 1. The same counters give the same number as in Redis, sparse or dense.

extension HyperLogLog {
  /// How many counters have each rank.
  public struct Histogram: Sendable {
    private var counts = InlineArray<64, Int>(repeating: 0)

    init() {}

    mutating func add(_ rank: UInt8, _ count: Int = 1) { counts[Int(rank & 63)] += count }

    /// The number of different elements.
    public var estimate: Int {
      let total = Double(counterCount)
      var sum = total * tau((total - Double(counts[highestRank])) / total)
      for rank in stride(from: highestRank - 1, through: 1, by: -1) {
        sum = (sum + Double(counts[rank])) * 0.5
      }
      sum += total * sigma(Double(counts[0]) / total)
      // 1 / (2 ln 2). No sum, from counters that no elements give, has no number: as in Redis.
      let estimate = 0.721_347_520_444_481_703_680 * total * total / sum
      return Int(exactly: estimate.rounded()) ?? .min
    }

    private func sigma(_ value: Double) -> Double {
      if value == 1 { return .infinity }
      var power = value
      var factor = 1.0
      var sum = value
      var before: Double
      repeat {
        power *= power
        before = sum
        sum += power * factor
        factor += factor
      } while sum != before
      return sum
    }

    private func tau(_ value: Double) -> Double {
      if value == 0 || value == 1 { return 0 }
      var root = value
      var factor = 1.0
      var sum = 1 - value
      var before: Double
      repeat {
        root = root.squareRoot()
        before = sum
        factor *= 0.5
        sum -= (1 - root) * (1 - root) * factor
      } while sum != before
      return sum / 3
    }
  }

  /// The histogram of a value; nil if it is corrupt.
  public static func histogram(_ value: borrowing Span<UInt8>) -> Histogram? {
    var histogram = Histogram()
    if value[4] == Form.sparse.rawValue {
      guard forEachRun(value, { _, count, rank in histogram.add(rank, count) }) else { return nil }
      return histogram
    }
    // Three bytes are four counters.
    for offset in stride(from: headerBytes, to: denseBytes, by: 3) {
      let low = value[offset]
      let middle = value[offset + 1]
      let high = value[offset + 2]
      histogram.add(low)
      histogram.add(low >> 6 | middle << 2)
      histogram.add(middle >> 4 | high << 4)
      histogram.add(high >> 2)
    }
    return histogram
  }
}

/// The counters of a union: a byte each, the highest of all values.
public struct HyperLogLogUnion: ~Copyable {
  private var ranks = ByteBuffer(capacity: HyperLogLog.counterCount)

  public init() {
    for _ in 0..<HyperLogLog.counterCount { ranks.append(0) }
  }

  public func rank(_ index: Int) -> UInt8 { ranks[index] }

  /// Takes a value in.
  /// - Returns: false if it is corrupt.
  public mutating func add(_ value: borrowing Span<UInt8>) -> Bool {
    if value[4] == HyperLogLog.Form.dense.rawValue {
      for index in 0..<HyperLogLog.counterCount {
        let rank = HyperLogLog.denseRank(value, index)
        if rank > ranks[index] { ranks[index] = rank }
      }
      return true
    }
    return HyperLogLog.forEachRun(value) { first, count, rank in
      guard rank > 0 else { return }
      for index in first..<(first + count) where rank > ranks[index] { ranks[index] = rank }
    }
  }

  public var histogram: HyperLogLog.Histogram {
    var histogram = HyperLogLog.Histogram()
    for index in 0..<HyperLogLog.counterCount { histogram.add(ranks[index]) }
    return histogram
  }
}
