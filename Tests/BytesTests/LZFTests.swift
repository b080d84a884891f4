import Testing

@testable import Bytes

@Suite struct LZFTests {
  @Test(arguments: [0, 1, 4, 5, 20, 100, 10_000, 300_000])
  func whatIsCompressedComesBack(count: Int) {
    var state: UInt64 = 3
    for letters: UInt64 in [1, 3, 200] {
      var text: [UInt8] = []
      for _ in 0..<count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.append(UInt8(truncatingIfNeeded: state >> 40 % letters))
      }
      var packed = ByteBuffer()
      packed.append(7)
      let length = LZF.compress(text.span, into: &packed)
      #expect(packed.count == length + 1)
      guard length > 0 else { continue }
      #expect(length <= count - 4)
      var plain = ByteBuffer()
      let isWhole = LZF.decompress(packed.span.extracting(1...), count: count, into: &plain)
      #expect(isWhole && plain.span.indices.map { plain.span[$0] } == text)
      let isShort = LZF.decompress(packed.span.extracting(1...), count: count - 1, into: &plain)
      #expect(!isShort && plain.count == count)
    }
  }

  /// A few bytes that promise terabytes are refused before anything is allocated.
  @Test func promisesAreNotBelieved() {
    let packed: [UInt8] = [0xE0, 0xFF, 0x00]
    for count in [0, -1, 1 << 20, 1 << 40, Int.max] {
      var plain = ByteBuffer()
      let isWhole = LZF.decompress(packed.span, count: count, into: &plain)
      #expect(!isWhole && plain.capacity == 0)
    }
  }
}
