// SHA1: FIPS 180-4's SHA-1, for EVALSHA's names and DEBUG DIGEST. Not for anything secret.
//
//   state 5 × 4 bytes | block 64 bytes, `length` % 64 of them filled
//
// 1. `length` is the number of bytes taken in; every full block has been compressed.

public struct SHA1: Sendable {
  public typealias Digest = InlineArray<20, UInt8>

  private var state: InlineArray<5, UInt32> = [
    0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0,
  ]
  private var block = InlineArray<64, UInt8>(repeating: 0)
  private var length = 0

  public init() {}

  /// The digest of `bytes`.
  public static func digest(_ bytes: borrowing Span<UInt8>) -> Digest {
    var hash = SHA1()
    hash.update(bytes)
    return hash.finish()
  }

  /// Takes in `bytes` after what came before.
  public mutating func update(_ bytes: borrowing Span<UInt8>) {
    for index in 0..<bytes.count { append(bytes[index]) }
  }

  /// Takes in a text's UTF-8 bytes.
  public mutating func update(_ text: String) {
    for byte in text.utf8 { append(byte) }
  }

  /// The digest of all that was taken in; the value must not be used afterwards.
  public mutating func finish() -> Digest {
    let bits = UInt64(length) * 8
    append(0x80)
    while length & 63 != 56 { append(0) }
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: bits >> shift))
    }
    var digest = Digest(repeating: 0)
    for index in 0..<20 {
      digest[index] = UInt8(truncatingIfNeeded: state[index / 4] >> UInt32(24 - index % 4 * 8))
    }
    return digest
  }

  @inline(__always) private mutating func append(_ byte: UInt8) {
    block[length & 63] = byte
    length += 1
    if length & 63 == 0 { compress() }
  }

  private mutating func compress() {
    var words = InlineArray<80, UInt32>(repeating: 0)
    for index in 0..<16 {
      words[index] =
        UInt32(block[index * 4]) << 24 | UInt32(block[index * 4 + 1]) << 16
        | UInt32(block[index * 4 + 2]) << 8 | UInt32(block[index * 4 + 3])
    }
    for index in 16..<80 {
      let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
      words[index] = rotate(mixed, 1)
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for index in 0..<80 {
      let choice: UInt32
      switch index {
      case 0..<20: choice = ((b & c) | (~b & d)) &+ 0x5A82_7999
      case 20..<40: choice = (b ^ c ^ d) &+ 0x6ED9_EBA1
      case 40..<60: choice = ((b & c) | (b & d) | (c & d)) &+ 0x8F1B_BCDC
      default: choice = (b ^ c ^ d) &+ 0xCA62_C1D6
      }
      let next = rotate(a, 5) &+ choice &+ e &+ words[index]
      (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  @inline(__always) private func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
    word << bits | word >> (32 &- bits)
  }
}
