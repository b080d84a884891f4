// HyperLogLogSelfTest: PFSELFTEST. Counters keep what they were given and disturb no other;
// estimates of known numbers of elements are as exact as they should be, the same in both forms.

import Bytes

enum HyperLogLogSelfTest {
  /// - Returns: what failed, or nil.
  static func run(sparseLimit: Int) -> String? {
    testCounters() ?? testEstimates(sparseLimit: sparseLimit)
  }

  private static func testCounters() -> String? {
    var state: UInt64 = 1
    for _ in 0..<50 {
      var value = HyperLogLog()
      guard value.makeDense() else { return "the empty value is corrupt" }
      let seed = state
      for index in 0..<HyperLogLog.counterCount {
        let place = HyperLogLog.Place(index: index, rank: rank(&state))
        _ = value.raise(place, sparseLimit: 0)
      }
      state = seed
      for index in 0..<HyperLogLog.counterCount {
        let expected = rank(&state)
        let actual = HyperLogLog.rank(value.bytes.span, index)
        if actual != expected { return "Register \(index) should be \(expected)" }
      }
    }
    return nil
  }

  private static func rank(_ state: inout UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: next(&state) >> 58)
  }

  private static func testEstimates(sparseLimit: Int) -> String? {
    var dense = HyperLogLog()
    guard dense.makeDense() else { return "the empty value is corrupt" }
    var either = HyperLogLog()
    var state: UInt64 = 7
    let standardError = 1.04 / Double(HyperLogLog.counterCount).squareRoot()
    var checkpoint = 1
    for count in 1...1_000_000 {
      let place = HyperLogLog.Place(word: next(&state))
      _ = dense.raise(place, sparseLimit: 0)
      _ = either.raise(place, sparseLimit: sparseLimit)
      guard count == checkpoint else { continue }
      checkpoint *= 10
      if count < sparseLimit / 2 && !either.isSparse { return "sparse encoding not used" }
      guard let estimate = HyperLogLog.histogram(dense.bytes.span)?.estimate,
        estimate == HyperLogLog.histogram(either.bytes.span)?.estimate
      else { return "dense/sparse disagree" }
      let most = count == 10 ? 1 : Int((standardError * 6 * Double(count)).rounded(.up))
      if abs(estimate - count) > most {
        return "Too big error. card:\(count) abserr:\(abs(estimate - count))"
      }
    }
    return nil
  }

  private static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

extension HyperLogLog.Place {
  /// The place of the element that the word's eight bytes are.
  fileprivate init(word: UInt64) {
    var bytes = InlineArray<8, UInt8>(repeating: 0)
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
    self.init(bytes.span)
  }
}
