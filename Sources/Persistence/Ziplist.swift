// Ziplist: the packed list of Redis before 7, read to be turned into something newer.
//
//   | total bytes 4 | last element's offset 4 | count 2 | element | element | ... | 0xFF |
//
//   element  | previous element's length 1, or 0xFE and 4 | kind | data |
//   kind     00nnnnnn | 01nnnnnn n | 10...... n4   string of that length, highest byte first
//            0xC0 16 bits | 0xD0 32 | 0xE0 64 | 0xF0 24 | 0xFE 8   integer, lowest byte first
//            0xF1 ... 0xFD                         0 ... 12
//
// 1. Every length is checked against the bytes that are there, forwards and backwards, before it is
//    believed. A count of 65535 means that nobody counted.

import Bytes

enum Ziplist {
  private static var headerBytes: Int { 10 }

  static func read(
    _ bytes: borrowing Span<UInt8>, into list: inout ElementList
  ) throws(PayloadError) {
    guard bytes.count > headerBytes, number(bytes, 0, 4) == bytes.count,
      bytes[bytes.count - 1] == 0xFF
    else { throw .corrupt }
    let end = bytes.count - 1
    var position = headerBytes
    var previous = 0
    var last = headerBytes
    var count = 0
    while position < end {
      let start = position
      guard try backward(bytes, &position, end) == previous else { throw .corrupt }
      try element(bytes, &position, end, into: &list)
      previous = position - start
      last = start
      count += 1
    }
    let stored = number(bytes, 8, 2)
    guard position == end, count == 0 || number(bytes, 4, 4) == last,
      stored == 65535 || stored == count
    else { throw .corrupt }
  }

  private static func backward(
    _ bytes: borrowing Span<UInt8>, _ position: inout Int, _ end: Int
  ) throws(PayloadError) -> Int {
    if bytes[position] < 0xFE {
      position += 1
      return Int(bytes[position - 1])
    }
    guard bytes[position] == 0xFE, position + 5 <= end else { throw .corrupt }
    position += 5
    return number(bytes, position - 4, 4)
  }

  private static func element(
    _ bytes: borrowing Span<UInt8>, _ position: inout Int, _ end: Int, into list: inout ElementList
  ) throws(PayloadError) {
    guard position < end else { throw .corrupt }
    let kind = bytes[position]
    position += 1
    if kind >= 0xC0 {
      list.append(decimal: try integer(kind, bytes, &position, end))
      return
    }
    let extra = kind < 0x40 ? 0 : kind < 0x80 ? 1 : 4
    guard position + extra <= end else { throw .corrupt }
    var count = kind < 0x80 ? Int(kind & 0x3F) : 0
    for offset in 0..<extra { count = count << 8 | Int(bytes[position + offset]) }
    position += extra
    guard count <= end - position else { throw .corrupt }
    list.append(bytes.extracting(position..<(position + count)))
    position += count
  }

  private static func integer(
    _ kind: UInt8, _ bytes: borrowing Span<UInt8>, _ position: inout Int, _ end: Int
  ) throws(PayloadError) -> Int {
    let width: Int
    switch kind {
    case 0xC0: width = 2
    case 0xD0: width = 4
    case 0xE0: width = 8
    case 0xF0: width = 3
    case 0xFE: width = 1
    case 0xF1...0xFD: return Int(kind) - 0xF1
    default: throw .corrupt
    }
    guard width <= end - position else { throw .corrupt }
    let value = number(bytes, position, width)
    position += width
    let unused = 64 - 8 * width
    return (value << unused) >> unused
  }

  private static func number(
    _ bytes: borrowing Span<UInt8>, _ offset: Int, _ count: Int
  ) -> Int {
    var value = 0
    for index in 0..<count { value |= Int(bytes[offset + index]) << (8 * index) }
    return value
  }
}

/// Zipmap: the packed hash of Redis before 2.6.
///
///     | count 1 | field length, field | value length, free 1, value, free bytes | ... | 0xFF |
///     length: one byte below 254, or 254 and 4 bytes from the lowest on; count 254: not counted
enum Zipmap {
  static func read(
    _ bytes: borrowing Span<UInt8>, into list: inout ElementList
  ) throws(PayloadError) {
    guard bytes.count >= 2, bytes[bytes.count - 1] == 0xFF else { throw .corrupt }
    let end = bytes.count - 1
    var position = 1
    var count = 0
    while position < end {
      let field = try length(bytes, &position, end)
      list.append(bytes.extracting(position..<(position + field)))
      position += field
      let value = try length(bytes, &position, end, hasFree: true)
      let free = Int(bytes[position])
      position += 1
      guard value + free <= end - position else { throw .corrupt }
      list.append(bytes.extracting(position..<(position + value)))
      position += value + free
      count += 1
    }
    guard position == end, count > 0, bytes[0] == 254 || Int(bytes[0]) == count else {
      throw .corrupt
    }
  }

  /// A length for which there is room, with one more byte if `hasFree`.
  private static func length(
    _ bytes: borrowing Span<UInt8>, _ position: inout Int, _ end: Int, hasFree: Bool = false
  ) throws(PayloadError) -> Int {
    guard position < end, bytes[position] < 255 else { throw .corrupt }
    var length = Int(bytes[position])
    position += 1
    if length == 254 {
      guard position + 4 <= end else { throw .corrupt }
      length = 0
      for index in 0..<4 { length |= Int(bytes[position + index]) << (8 * index) }
      position += 4
      guard length >= 254 else { throw .corrupt }
    }
    guard length + (hasFree ? 1 : 0) <= end - position else { throw .corrupt }
    return length
  }
}
