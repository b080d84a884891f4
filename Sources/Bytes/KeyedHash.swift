// KeyedHash: the 64-bit hash of keys, under secrets drawn at random for each image.
//
// The mixing is the folded 64x64→128-bit multiplication known from wyhash (Wang Yi, 2019), but
// every constant that wyhash publishes is a secret here: an attacker who does not know them can
// neither zero a product nor aim two keys at one bucket (docs/DECISIONS.md, D3).

@frozen public struct KeyedHash: BitwiseCopyable, Sendable {
  public var secret0: UInt64
  public var secret1: UInt64
  public var secret2: UInt64
  public var secret3: UInt64

  /// Four words of randomness.
  public init(_ secret0: UInt64, _ secret1: UInt64, _ secret2: UInt64, _ secret3: UInt64) {
    self.secret0 = secret0
    self.secret1 = secret1
    self.secret2 = secret2
    self.secret3 = secret3
  }

  /// Secrets from the system's random source.
  public static func random() -> KeyedHash {
    var source = SystemRandomNumberGenerator()
    return KeyedHash(source.next(), source.next(), source.next(), source.next())
  }

  @inlinable public func callAsFunction(_ bytes: borrowing Span<UInt8>) -> UInt64 {
    let count = bytes.count
    // SAFETY: every load below lies in 0..<count, as the branch that performs it has checked.
    return unsafe bytes.withUnsafeBytes { buffer -> UInt64 in
      // An empty span may have an address or none; both are the same key.
      guard count > 0, let base = buffer.baseAddress else { return mix(secret0, secret3) }
      var a: UInt64
      var b: UInt64
      var seed = secret3
      if count <= 16 {
        if count >= 8 {
          unsafe a = word(base, 0)
          unsafe b = word(base, count - 8)
        } else if count >= 4 {
          unsafe a = half(base, 0)
          unsafe b = half(base, count - 4)
        } else {
          unsafe a =
            UInt64(buffer[0]) << 16 | UInt64(buffer[count >> 1]) << 8 | UInt64(buffer[count - 1])
          b = 0
        }
      } else {
        var offset = 0
        while count - offset > 16 {
          unsafe seed = mix(word(base, offset) ^ secret1, word(base, offset + 8) ^ seed)
          offset += 16
        }
        unsafe a = word(base, count - 16)
        unsafe b = word(base, count - 8)
      }
      let folded = mix(a ^ secret0, b ^ seed)
      return mix(folded ^ secret1, secret2 ^ UInt64(truncatingIfNeeded: count))
    }
  }

  @unsafe @inlinable func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  @unsafe @inlinable func half(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    unsafe UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  @inlinable func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
