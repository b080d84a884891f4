// The bit loops, against bit-by-bit models at every length around the word's.

import Testing

@testable import Bytes

@Test(arguments: 0..<100)
func bitLoopsAgreeWithBitByBit(count: Int) {
  var generator = SeededGenerator(seed: count)
  let left = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  #expect(left.span.nonzeroBitCount == left.reduce(0) { $0 + $1.nonzeroBitCount })
  for other in [0, count / 2, count, count + 9] {
    let right = (0..<other).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let padded = Array((right + Array(repeating: 0, count: count)).prefix(count))
    var result = left
    var span = result.mutableSpan
    span.formAnd(right.span)
    #expect(result == zip(left, padded).map { $0 & $1 })
    result = left
    span = result.mutableSpan
    span.formOr(right.span)
    #expect(result == zip(left, padded).map { $0 | $1 })
    result = left
    span = result.mutableSpan
    span.formXor(right.span)
    #expect(result == zip(left, padded).map { $0 ^ $1 })
  }
  var result = left
  var span = result.mutableSpan
  span.invert()
  #expect(result == left.map { ~$0 })
}

@Test func firstBitAtEveryPlace() {
  for count in 0...20 {
    let zeros = Array(repeating: UInt8(0), count: count)
    let ones = Array(repeating: UInt8(255), count: count)
    #expect(zeros.span.firstBit(true) == nil && ones.span.firstBit(false) == nil)
    #expect(zeros.span.firstBit(false) == (count == 0 ? nil : 0))
    for bit in 0..<count * 8 {
      var one = zeros
      one[bit / 8] = 0x80 >> UInt8(bit % 8)
      if let last = one.indices.last, bit < last * 8 { one[last] |= 1 }
      #expect(one.span.firstBit(true) == bit)
      var zero = ones
      zero[bit / 8] &= ~(0x80 >> UInt8(bit % 8))
      #expect(zero.span.firstBit(false) == bit)
    }
  }
}
