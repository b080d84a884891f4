// Whether foreign bytes are a listpack: every length and every backward length is checked against
// the bytes that are there. O(n), and nothing is trusted.

import Bytes

extension Listpack {
  /// Whether `bytes` are a whole and sound listpack. An empty one is.
  public static func isValid(_ bytes: borrowing Span<UInt8>) -> Bool {
    guard bytes.count > headerBytes, bytes.littleEndian(at: 0, count: 4) == bytes.count,
      bytes[bytes.count - 1] == 0xFF
    else { return false }
    let end = bytes.count - 1
    var place = headerBytes
    var count = 0
    while place < end {
      guard let next = checkedNext(bytes, place, end) else { return false }
      place = next
      count += 1
    }
    let stored = bytes.littleEndian(at: 4, count: 2)
    return place == end && (stored == unknownCount || stored == count)
  }

  /// The place after a sound element, or nil for an unsound one.
  private static func checkedNext(
    _ bytes: borrowing Span<UInt8>, _ place: Int, _ end: Int
  ) -> Int? {
    let head = bytes[place]
    // The bytes that tell the length have to be there before they are read.
    guard head <= 0xF4, place + (head == 0xF0 ? 5 : head >= 0xE0 ? 2 : 1) <= end else {
      return nil
    }
    let body: Int
    switch head {
    case 0..<0x80: body = 1
    case 0x80..<0xC0: body = 1 + Int(head & 63)
    case 0xC0..<0xE0: body = 2
    case 0xE0..<0xF0: body = 2 + (Int(head & 15) << 8 | Int(bytes[place + 1]))
    case 0xF0: body = 5 + bytes.littleEndian(at: place + 1, count: 4)
    case 0xF4: body = 9
    default: body = Int(head) - 0xEE
    }
    let back = ListpackElement.backwardCount(body)
    guard body + back <= end - place else { return nil }
    var rest = body
    for index in 0..<back {
      let byte = bytes[place + body + back - 1 - index]
      let mark: UInt8 = index == back - 1 ? 0 : 128
      guard byte == UInt8(truncatingIfNeeded: rest & 127) | mark else { return nil }
      rest >>= 7
    }
    return place + body + back
  }
}
