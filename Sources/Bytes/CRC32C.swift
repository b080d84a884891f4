// CRC32C: the Castagnoli checksum of log records and pages, by the processor's instruction where
// there is one.

import CSystem

public enum CRC32C {
  private static let table = SlicedTable<UInt32>(polynomial: 0x82F6_3B78)
  private static let hasInstruction = csystem_has_crc32c() != 0

  /// The checksum of what `crc` covers followed by `bytes`; begin with 0.
  public static func checksum(_ bytes: borrowing Span<UInt8>, after crc: UInt32 = 0) -> UInt32 {
    guard hasInstruction else { return tableChecksum(bytes, after: crc) }
    // SAFETY: the C function reads exactly the bytes of the buffer.
    return unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return crc }
      return unsafe ~csystem_crc32c(~crc, base, buffer.count)
    }
  }

  /// The same without the instruction.
  static func tableChecksum(_ bytes: borrowing Span<UInt8>, after crc: UInt32 = 0) -> UInt32 {
    ~table.update(~crc, bytes)
  }
}
