// CRC64: the Jones polynomial in reflected form, starting from 0 and not inverted: the checksum of
// RDB files and of DUMP.

public enum CRC64 {
  private static let table = SlicedTable<UInt64>(polynomial: 0x95AC_9329_AC4B_C9B5)

  /// The checksum of what `crc` covers followed by `bytes`; begin with 0.
  public static func checksum(_ bytes: borrowing Span<UInt8>, after crc: UInt64 = 0) -> UInt64 {
    table.update(crc, bytes)
  }
}
