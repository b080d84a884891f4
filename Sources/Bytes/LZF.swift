// LZF: the compression of strings in RDB payloads, by liblzf.
//
// 1. What is decompressed is never trusted: it takes exactly the promised bytes or is refused, and
//    nothing is allocated that so few compressed bytes could not fill.

import CLZF

public enum LZF {
  /// The most bytes that one compressed byte stands for; three can stand for 264.
  private static var greatestRatio: Int { 264 }

  /// Appends `bytes` compressed, if that saves four bytes at least.
  /// - Returns: how many bytes that took; 0, with nothing appended, if it was not worth while.
  public static func compress(
    _ bytes: borrowing Span<UInt8>, into target: inout ByteBuffer
  ) -> Int {
    let count = bytes.count
    guard count > 4, let length = UInt32(exactly: count) else { return 0 }
    target.reserve(count)
    let room = unsafe target.freeSpace()
    // SAFETY: liblzf reads `length` bytes and writes at most four less, for which there is room.
    let written = unsafe bytes.withUnsafeBytes { source in
      unsafe lzf_compress(source.baseAddress, length, room.baseAddress, length - 4)
    }
    unsafe target.commit(Int(written))
    return Int(written)
  }

  /// Appends the `count` bytes that `bytes` are the compressed form of.
  /// - Returns: false, with nothing appended, if they are not.
  public static func decompress(
    _ bytes: borrowing Span<UInt8>, count: Int, into target: inout ByteBuffer
  ) -> Bool {
    guard count > 0, let length = UInt32(exactly: bytes.count),
      let expected = UInt32(exactly: count),
      count / greatestRatio <= bytes.count
    else { return false }
    target.reserve(count)
    let room = unsafe target.freeSpace()
    // SAFETY: liblzf stays inside both buffers, whatever the bytes say.
    let written = unsafe bytes.withUnsafeBytes { source in
      unsafe lzf_decompress(source.baseAddress, length, room.baseAddress, expected)
    }
    guard written == expected else { return false }
    unsafe target.commit(count)
    return true
  }
}
