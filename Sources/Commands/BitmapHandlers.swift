// BitmapHandlers: the bits of strings, most significant bit of byte 0 first. Rows: Bitmaps.
// BITFIELD has a file of its own.
//
// 1. A missing key is a string of zeros without length; lookups come before the arguments of a
//    range, as in Redis 7, so that a missing key hides mistakes in them.
// 2. A bit that is written has its byte: strings grow before their bits change.

import Bytes
import Keyspace
import RESP

enum BitmapHandlers {}

// MARK: Single bits

extension BitmapHandlers {
  static func getbit(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let offset = try bitOffset(args[2], keys.maximumStringBytes)
    guard let found = try keys.findString(args[1], .read) else { return reply.integer(0) }
    let value = keys.value(found)
    let byte = offset >> 3 < value.count ? value[offset >> 3] : 0
    reply.integer(Int(byte >> UInt8(7 - offset & 7) & 1))
  }

  static func setbit(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let offset = try bitOffset(args[2], keys.maximumStringBytes)
    guard let bit = args[3].parseInteger(), bit == 0 || bit == 1 else {
      throw .fixed("ERR bit is not an integer or out of range")
    }
    let (found, hasGrown) = try keys.makeRoom(args[1], bytes: offset >> 3 + 1)
    let position = offset >> 3
    let byte = keys.value(found)[position]
    let mask: UInt8 = 0x80 >> UInt8(offset & 7)
    let old = byte & mask != 0
    if old != (bit == 1) {
      var target = keys.mutableString(found, position..<(position + 1))
      target[0] = byte ^ mask
    }
    // Setting a bit to what it is already changes nothing, unless the string had to grow for it.
    if hasGrown || old != (bit == 1) {
      keys.didChange(found)
      keys.propagate(args)
    }
    reply.integer(old ? 1 : 0)
  }

  /// A bit's number, which must lie inside the longest string that there may be.
  static func bitOffset(
    _ text: borrowing Span<UInt8>, _ maximumBytes: Int
  ) throws(CommandError) -> Int {
    guard let offset = text.parseInteger(), offset >= 0, offset >> 3 < maximumBytes else {
      throw .bitOffset
    }
    return offset
  }
}

// MARK: Ranges of bits

extension BitmapHandlers {
  static func bitcount(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findString(args[1], .read) else { return reply.integer(0) }
    let value = keys.value(found)
    if args.count == 2 { return reply.integer(value.nonzeroBitCount) }
    guard args.count == 4 || args.count == 5 else { throw .syntax }
    guard let start = args[2].parseInteger(), let end = args[3].parseInteger() else {
      throw .notInteger
    }
    if start < 0 && end < 0 && start > end { return reply.integer(0) }
    let countsBits = args.count == 5 ? try unitIsBit(args, 4) : false
    guard let range = clampedRange(start, end, count: countsBits ? value.count * 8 : value.count)
    else { return reply.integer(0) }
    reply.integer(
      countsBits ? onesCount(value, range) : value.extracting(range).nonzeroBitCount)
  }

  static func bitpos(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let bit = args[2].parseInteger() else { throw .notInteger }
    guard bit == 0 || bit == 1 else { throw .fixed("ERR The bit argument must be 1 or 0.") }
    guard let found = try keys.findString(args[1], .read) else {
      return reply.integer(bit == 1 ? -1 : 0)
    }
    let value = keys.value(found)
    guard args.count <= 6 else { throw .syntax }
    let range = try searchedBits(args, valueCount: value.count)
    if range.isEmpty { return reply.integer(-1) }
    if let position = firstBit(bit == 1, in: value, range) { return reply.integer(position) }
    // Without an end, the string is taken to go on with zeros.
    reply.integer(bit == 0 && args.count < 5 ? value.count * 8 : -1)
  }

  /// The range of BITPOS, in bits.
  private static func searchedBits(
    _ args: borrowing Arguments, valueCount: Int
  ) throws(CommandError) -> Range<Int> {
    if args.count == 3 { return 0..<(valueCount * 8) }
    guard let start = args[3].parseInteger() else { throw .notInteger }
    let countsBits = args.count == 6 ? try unitIsBit(args, 5) : false
    var end = -1
    if args.count >= 5 {
      guard let given = args[4].parseInteger() else { throw .notInteger }
      end = given
    }
    if countsBits { return clampedRange(start, end, count: valueCount * 8) ?? 0..<0 }
    guard let bytes = clampedRange(start, end, count: valueCount) else { return 0..<0 }
    return (bytes.lowerBound * 8)..<(bytes.upperBound * 8)
  }

  private static func unitIsBit(
    _ args: borrowing Arguments, _ index: Int
  ) throws(CommandError) -> Bool {
    if args.equals(index, "BIT") { return true }
    if args.equals(index, "BYTE") { return false }
    throw .syntax
  }

  /// How many of the bits `range`, which is not empty, are set.
  private static func onesCount(_ value: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
    let first = range.lowerBound >> 3
    let last = (range.upperBound - 1) >> 3
    let before = value[first] & ~(0xFF >> UInt8(range.lowerBound & 7))
    let after = value[last] & (0x7F >> UInt8((range.upperBound - 1) & 7))
    return value.extracting(first..<(last + 1)).nonzeroBitCount - before.nonzeroBitCount
      - after.nonzeroBitCount
  }

  /// The first of the bits `range` that is `bit`.
  private static func firstBit(
    _ bit: Bool, in value: borrowing Span<UInt8>, _ range: Range<Int>
  ) -> Int? {
    var position = range.lowerBound
    func isFound(_ value: borrowing Span<UInt8>) -> Bool {
      (value[position >> 3] >> UInt8(7 - position & 7) & 1 == 1) == bit
    }
    while position < range.upperBound && position & 7 != 0 {
      if isFound(value) { return position }
      position += 1
    }
    let bytes = (position >> 3)..<max(range.upperBound >> 3, position >> 3)
    if let offset = value.extracting(bytes).firstBit(bit) { return position + offset }
    position += bytes.count * 8
    while position < range.upperBound {
      if isFound(value) { return position }
      position += 1
    }
    return nil
  }
}

// MARK: Combining

extension BitmapHandlers {
  private enum Operation { case and, or, xor, not }

  /// So much of the operands is combined at a time: it stays in the processor's first cache.
  private static var chunkBytes: Int { 4096 }

  static func bitop(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let operation = try operation(args)
    var count = 0
    for index in 3..<args.count {
      guard let found = try keys.findString(args[index], .read) else { continue }
      count = max(count, keys.facts(found).valueCount)
    }
    if count == 0 {
      if let found = keys.find(args[2], .write) {
        keys.remove(found)
        keys.propagate(args)
      }
      return reply.integer(0)
    }
    let result = combine(operation, args, &keys, count)
    try keys.set(args[2], value: result.span)
    // Bits are no number: the encoding is "raw" even where they spell one.
    if let made = keys.find(args[2], .peek) { keys.markModified(made) }
    keys.propagate(args)
    reply.integer(count)
  }

  private static func operation(_ args: borrowing Arguments) throws(CommandError) -> Operation {
    if args.equals(1, "AND") { return .and }
    if args.equals(1, "OR") { return .or }
    if args.equals(1, "XOR") { return .xor }
    guard args.equals(1, "NOT") else { throw .syntax }
    if args.count != 4 {
      throw .fixed("ERR BITOP NOT must be called with a single source key.")
    }
    return .not
  }

  private static func combine(
    _ operation: Operation, _ args: borrowing Arguments, _ keys: inout Keyspace, _ count: Int
  ) -> ByteBuffer {
    // The first pass has removed what was expired; these look-ups change nothing.
    var sources = GrowableArray<Key?>()
    for index in 3..<args.count { sources.append(keys.find(args[index], .peek)) }
    var result = ByteBuffer(capacity: count)
    var chunk = InlineArray<4096, UInt8>(repeating: 0)
    for offset in stride(from: 0, to: count, by: chunkBytes) {
      var bits = chunk.mutableSpan
      bits.update(repeating: 0)
      bits.copy(keys.valueOrEmpty(sources[0]).chunk(offset, chunkBytes))
      for index in 1..<sources.count {
        let other = keys.valueOrEmpty(sources[index]).chunk(offset, chunkBytes)
        switch operation {
        case .and: bits.formAnd(other)
        case .or: bits.formOr(other)
        case .xor: bits.formXor(other)
        case .not: break
        }
      }
      if operation == .not { bits.invert() }
      result.append(chunk.span.extracting(0..<min(chunkBytes, count - offset)))
    }
    return result
  }
}

extension Span where Element == UInt8 {
  /// At most `length` bytes from `offset` on.
  @_lifetime(copy self)
  fileprivate func chunk(_ offset: Int, _ length: Int) -> Span<UInt8> {
    let start = Swift.min(offset, count)
    return extracting(start..<Swift.min(start + length, count))
  }
}

extension Keyspace {
  /// The string at `key`, made or grown so that it has at least `count` bytes.
  /// - Returns: the key, and whether the string was changed.
  mutating func makeRoom(
    _ key: borrowing Span<UInt8>, bytes count: Int
  ) throws(CommandError) -> (Key, hasGrown: Bool) {
    let found = try findString(key)
    if let found, facts(found).valueCount >= count {
      markModified(found)
      return (found, false)
    }
    return (try resizeString(key, found: found, count: count), true)
  }
}
