import Testing

@testable import Bytes

@Suite struct HyperLogLogTests {
  /// Elements, the limit of the sparse form, and the value that redis-server 7.0.15 has after PFADD
  /// of them, as PFDEBUG DECODE tells it.
  @Test(arguments: [
    ([], "Z:16384"),
    (["a"], "Z:12711 v:2,1 Z:3672"),
    (
      ["a", "b", "c", "d", "e", "f", "g", "h"],
      "Z:1646 v:1,1 Z:5645 v:1,1 Z:1085 v:2,1 z:57 v:1,1 Z:3523 v:1,1 Z:750 v:2,1 Z:2445 v:1,1 "
        + "Z:622 v:1,1 Z:603"
    ),
  ])
  func sparseRunsAreThoseOfRedis(elements: [String], runs: String) {
    var value = HyperLogLog()
    for element in elements { _ = value.raise(place(element), sparseLimit: 3000) }
    var text = ByteBuffer()
    HyperLogLog.describe(value.bytes.span, into: &text)
    #expect(String(decoding: array(text.span), as: UTF8.self) == runs)
  }

  /// Random raises against plain counters, through both forms.
  @Test(arguments: [0, 20, 60, 500, 3000, 100_000])
  func countersAreThoseOfTheModel(sparseLimit: Int) {
    let seed = UInt64(sparseLimit) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    var state = seed
    func draw(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    var model = [UInt8](repeating: 0, count: HyperLogLog.counterCount)
    var value = HyperLogLog()
    for step in 0..<3000 {
      // Neighbours, so that runs split and join.
      let index = step % 3 == 0 ? draw(HyperLogLog.counterCount) : draw(40)
      let rank = UInt8(draw(step > 2900 ? 51 : 5) + 1)
      let outcome = value.raise(.init(index: index, rank: rank), sparseLimit: sparseLimit)
      #expect((outcome == .raised) == (model[index] < rank), "seed \(seed) step \(step)")
      #expect(outcome != .corrupt)
      model[index] = max(model[index], rank)
      if value.isSparse && sparseLimit > 18 { #expect(value.bytes.count <= sparseLimit) }
      if step % 100 == 0 { check(value, model, seed) }
    }
    check(value, model, seed)
    let before = HyperLogLog.histogram(value.bytes.span)?.estimate
    let isDense = value.makeDense()
    #expect(isDense)
    check(value, model, seed)
    #expect(HyperLogLog.histogram(value.bytes.span)?.estimate == before)
  }

  private func check(_ value: borrowing HyperLogLog, _ model: [UInt8], _ seed: UInt64) {
    var union = HyperLogLogUnion()
    let isWhole = union.add(value.bytes.span)
    #expect(isWhole, "seed \(seed)")
    for index in stride(from: 0, to: model.count, by: 1) where union.rank(index) != model[index] {
      Issue.record("seed \(seed): counter \(index) is \(union.rank(index)), not \(model[index])")
      return
    }
    let estimate = HyperLogLog.histogram(value.bytes.span)?.estimate
    #expect(union.histogram.estimate == estimate)
    #expect(HyperLogLog.rank(value.bytes.span, 17) == model[17])
  }

  @Test func estimatesAreNearTheTruth() {
    var value = HyperLogLog()
    for count in 1...100_000 {
      _ = value.raise(place("element-\(count)"), sparseLimit: 3000)
      guard [1, 10, 100, 1000, 10_000, 100_000].contains(count) else { continue }
      let estimate = HyperLogLog.histogram(value.bytes.span)?.estimate ?? -1
      #expect(abs(estimate - count) <= max(1, count / 25), "\(count): \(estimate)")
    }
    let isSparse = value.isSparse
    #expect(!isSparse)
  }

  /// Whatever follows the header: an answer or `corrupt`, never a trap, and no run too many.
  @Test func corruptRunsAreFound() {
    let header: [UInt8] = Array("HYLL".utf8) + [1] + [UInt8](repeating: 0, count: 11)
    let corrupt: [[UInt8]] = [
      [], [0x00], [0x7F], [0x7F, 0xFE], [0x7F, 0xFF, 0x00], [0xFF], [0x40], [0x80, 0x7F, 0xFF],
    ]
    for runs in corrupt {
      let bytes = header + runs
      var value = HyperLogLog(copying: bytes.span)
      #expect(HyperLogLog.histogram(bytes.span) == nil as HyperLogLog.Histogram?, "\(runs)")
      let isDense = value.makeDense()
      #expect(!isDense, "\(runs)")
      let high = value.raise(.init(index: 3, rank: 40), sparseLimit: 3000)
      #expect(high == .corrupt, "\(runs)")
    }
    var state: UInt64 = 11
    for _ in 0..<2000 {
      var bytes = header
      for _ in 0..<(state >> 60 + 1) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(UInt8(truncatingIfNeeded: state >> 40))
      }
      var value = HyperLogLog(copying: bytes.span)
      _ = value.raise(.init(index: Int(state >> 50), rank: 9), sparseLimit: 3000)
      _ = HyperLogLog.histogram(value.bytes.span)
      var union = HyperLogLogUnion()
      _ = union.add(value.bytes.span)
      _ = value.makeDense()
    }
  }

  @Test func onlyWholeHeadersAreAccepted() {
    let empty = HyperLogLog()
    let bytes = array(empty.bytes.span)
    #expect(HyperLogLog.form(of: bytes.span) == .sparse)
    #expect(HyperLogLog.form(of: bytes.span.extracting(0..<15)) == nil)
    for (index, byte) in [(0, UInt8(0x68)), (3, 0), (4, 0), (4, 2), (4, 255)] {
      var other = bytes
      other[index] = byte
      #expect(HyperLogLog.form(of: other.span) == nil)
    }
  }

  private func place(_ element: String) -> HyperLogLog.Place {
    let bytes = Array(element.utf8)
    return HyperLogLog.Place(bytes.span)
  }

  private func array(_ span: borrowing Span<UInt8>) -> [UInt8] {
    span.indices.map { span[$0] }
  }
}

extension HyperLogLog.Histogram: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.estimate == b.estimate }
}
