// SlicedTable: the tables by which a reflected CRC takes eight bytes in one step.
//
//   table[256 * k + b]: what byte b adds when k more bytes follow it
//
// 1. Built once from the polynomial alone, so there are no numbers here to get wrong.

struct SlicedTable<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable> {
  private var entries: [Word]

  /// - Parameter polynomial: in reflected form, the highest power lowest.
  init(polynomial: Word) {
    entries = Array(repeating: 0, count: 8 * 256)  // cold: once for each table
    for byte in 0..<256 {
      var crc = Word(byte)
      for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ polynomial : crc >> 1 }
      entries[byte] = crc
    }
    for index in 256..<8 * 256 {
      let previous = entries[index - 256]
      entries[index] = previous >> 8 ^ entries[Int(truncatingIfNeeded: previous & 0xFF)]
    }
  }

  /// Extends `crc` by `bytes`.
  @inline(__always) func update(_ crc: Word, _ bytes: borrowing Span<UInt8>) -> Word {
    let table = entries.span
    var crc = crc
    var offset = 0
    while bytes.count - offset >= 8 {
      let word = bytes.word(at: offset) ^ UInt64(truncatingIfNeeded: crc)
      // A CRC of eight bytes is used up by the word; a shorter one too.
      crc = 0
      for k in 0..<8 {
        let byte = Int(truncatingIfNeeded: word >> UInt64(8 * k) & 0xFF)
        crc ^= table[256 * (7 - k) + byte]
      }
      offset += 8
    }
    while offset < bytes.count {
      let byte = UInt8(truncatingIfNeeded: crc) ^ bytes[offset]
      crc = crc >> 8 ^ table[Int(byte)]
      offset += 1
    }
    return crc
  }
}
