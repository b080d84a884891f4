// CRC16: the XMODEM checksum (polynomial 0x1021, no reflection, starting from 0), by which Redis
// Cluster divides keys into 16384 slots.

public enum CRC16 {
  /// What each value of the top byte adds.
  private static let table: InlineArray<256, UInt16> = {
    var table = InlineArray<256, UInt16>(repeating: 0)
    for byte in 0..<256 {
      var crc = UInt16(byte) << 8
      for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
      table[byte] = crc
    }
    return table
  }()

  public static func checksum(_ bytes: borrowing Span<UInt8>) -> UInt16 {
    checksum(bytes, 0..<bytes.count)
  }

  private static func checksum(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt16 {
    var crc: UInt16 = 0
    for index in range {
      crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ bytes[index])]
    }
    return crc
  }

  /// The cluster slot of a key. Only what stands between the first '{' and the next '}' counts,
  /// unless that is nothing, so that keys can be made to share a slot.
  public static func keySlot(_ key: borrowing Span<UInt8>) -> Int {
    Int(checksum(key, tag(key)) & 0x3FFF)
  }

  private static func tag(_ key: borrowing Span<UInt8>) -> Range<Int> {
    var open = 0
    while open < key.count && key[open] != 0x7B { open += 1 }
    var close = open + 1
    while close < key.count && key[close] != 0x7D { close += 1 }
    return close < key.count && close > open + 1 ? open + 1..<close : 0..<key.count
  }
}
