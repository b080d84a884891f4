// HyperLogLog: how many different elements were seen, estimated from 16384 small counters.
//
//   | "HYLL" 4 | form 1 | zeros 3 | cached estimate 8 | counters ... |
//
//   dense, 0:   16384 counters of 6 bits, from the lowest bit of each byte on: 12288 bytes
//   sparse, 1:  runs of counters (HyperLogLog+Sparse)
//
//   element ──► hash │ rank: zeros before the first one, + 1 │ index: lowest 14 bits │
//               counter[index] = max(counter[index], rank)
//
// 1. The bytes are those that Redis has after the same commands.
// 2. Bit 63 of the cached estimate says that it is stale.
// 3. Bytes that a client wrote are never trusted: what is corrupt is found and reported.

/// A value under construction; its bytes become a string.
public struct HyperLogLog: ~Copyable {
  public static var counterCount: Int { 16384 }
  public static var headerBytes: Int { 16 }
  public static var denseBytes: Int { headerBytes + counterCount * 6 / 8 }
  /// What the hash of an element can give: its 50 upper bits may all be zero.
  static var highestRank: Int { 51 }

  public internal(set) var bytes: ByteBuffer

  @frozen public enum Form: UInt8, Sendable {
    case dense = 0
    case sparse = 1
  }

  /// What became of a counter.
  @frozen public enum Outcome: Sendable { case unchanged, raised, corrupt }

  /// Where an element counts, and how high.
  @frozen public struct Place: BitwiseCopyable, Sendable {
    public let index: Int
    public let rank: UInt8

    public init(_ element: borrowing Span<UInt8>) {
      let hash = murmurHash(element, seed: 0xADC8_3B19)
      index = Int(truncatingIfNeeded: hash) & (HyperLogLog.counterCount - 1)
      // A one above the highest bit ends the zeros.
      rank = UInt8(truncatingIfNeeded: (hash >> 14 | 1 << 50).trailingZeroBitCount + 1)
    }

    public init(index: Int, rank: UInt8) {
      self.index = index
      self.rank = rank
    }
  }

  /// The empty value: one sparse run of zeros.
  public init() {
    bytes = ByteBuffer(capacity: 64)
    bytes.append("HYLL")
    bytes.append(Form.sparse.rawValue)
    for _ in 5..<Self.headerBytes { bytes.append(0) }
    bytes.append(0x7F)
    bytes.append(0xFF)
  }

  /// - Parameter value: what `form(of:)` has accepted.
  public init(copying value: borrowing Span<UInt8>) {
    bytes = ByteBuffer(capacity: value.count + 8)
    bytes.append(value)
  }

  public var isSparse: Bool { bytes[4] == Form.sparse.rawValue }

  /// Raises a counter if its rank is higher.
  /// - Parameter sparseLimit: a sparse value that would have to grow beyond it becomes dense.
  public mutating func raise(_ place: Place, sparseLimit: Int) -> Outcome {
    if isSparse { return raiseSparse(place, limit: sparseLimit) }
    guard place.rank > Self.denseRank(bytes.span, place.index) else { return .unchanged }
    storeDense(place)
    return .raised
  }

  mutating func storeDense(_ place: Place) {
    let range = Self.denseRange(place.index)
    let low = bytes[range.lowerBound]
    let high = range.count > 1 ? bytes[range.lowerBound + 1] : 0
    let (newLow, newHigh) = Self.dense(low, high, place)
    bytes[range.lowerBound] = newLow
    if range.count > 1 { bytes[range.lowerBound + 1] = newHigh }
  }

  /// Says that the cached estimate does not hold any more.
  public mutating func markStale() { bytes[15] |= 0x80 }
}

// MARK: Reading

extension HyperLogLog {
  /// The form of a string that can be a HyperLogLog, or nil. Sparse runs are not looked at.
  public static func form(of value: borrowing Span<UInt8>) -> Form? {
    guard value.count >= headerBytes,
      value[0] == 0x48, value[1] == 0x59, value[2] == 0x4C, value[3] == 0x4C,
      let form = Form(rawValue: value[4]), form == .sparse || value.count == denseBytes
    else { return nil }
    return form
  }

  /// The estimate that the value remembers, if it still holds.
  public static func cachedEstimate(_ value: borrowing Span<UInt8>) -> Int? {
    let word = value.word(at: 8)
    return word >> 63 == 0 ? Int(truncatingIfNeeded: word) : nil
  }

  /// A counter's rank; nil if the value is corrupt before it.
  public static func rank(_ value: borrowing Span<UInt8>, _ index: Int) -> UInt8? {
    value[4] == Form.sparse.rawValue ? sparseRank(value, index) : denseRank(value, index)
  }

  static func denseRank(_ value: borrowing Span<UInt8>, _ index: Int) -> UInt8 {
    let range = denseRange(index)
    let low = UInt16(value[range.lowerBound])
    let high = range.count > 1 ? UInt16(value[range.lowerBound + 1]) : 0
    return UInt8(truncatingIfNeeded: (low | high << 8) >> UInt16(index * 6 & 7)) & 63
  }

  /// The one or two bytes of the dense value that hold a counter.
  public static func denseRange(_ index: Int) -> Range<Int> {
    let first = headerBytes + index * 6 / 8
    return first..<(index * 6 & 7 > 2 ? first + 2 : first + 1)
  }

  /// The two bytes that hold a counter, with its new rank.
  static func dense(_ low: UInt8, _ high: UInt8, _ place: Place) -> (UInt8, UInt8) {
    let shift = UInt16(place.index * 6 & 7)
    let word = (UInt16(low) | UInt16(high) << 8) & ~(63 << shift) | UInt16(place.rank) << shift
    return (UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 8))
  }

  /// Stores a counter in the bytes `denseRange` of a dense value.
  public static func store(_ place: Place, in bytes: inout MutableSpan<UInt8>) {
    let (low, high) = dense(bytes[0], bytes.count > 1 ? bytes[1] : 0, place)
    bytes[0] = low
    if bytes.count > 1 { bytes[1] = high }
  }
}

/// The 64-bit MurmurHash2, as Redis has it.
func murmurHash(_ bytes: borrowing Span<UInt8>, seed: UInt64) -> UInt64 {
  let multiplier: UInt64 = 0xC6A4_A793_5BD1_E995
  var hash = seed ^ UInt64(bytes.count) &* multiplier
  var offset = 0
  while bytes.count - offset >= 8 {
    var word = bytes.word(at: offset) &* multiplier
    word ^= word >> 47
    hash = (hash ^ word &* multiplier) &* multiplier
    offset += 8
  }
  if offset < bytes.count {
    var tail: UInt64 = 0
    for index in offset..<bytes.count {
      tail |= UInt64(bytes[index]) << UInt64(8 * (index - offset))
    }
    hash = (hash ^ tail) &* multiplier
  }
  hash ^= hash >> 47
  hash = hash &* multiplier
  return hash ^ hash >> 47
}
