// Replies and effects made of the elements of collections.

import Bytes
import Keyspace
import RESP

extension ReplyBuffer {
  /// An element as a bulk string.
  @inline(__always) mutating func bulk(_ element: borrowing Element) {
    if element.isInteger { bulk(decimal: element.integer) } else { bulk(element.string) }
  }

  /// An element as a bulk string; null without one.
  @inline(__always) mutating func bulk(_ element: Element?) {
    if let element { bulk(element) } else { null() }
  }
}

/// How many elements a command is to draw at random.
struct DrawCount: BitwiseCopyable {
  /// At most so many, each at most once; or exactly so many.
  let count: Int
  let repeats: Bool

  /// A count argument: negative ones ask for elements that may repeat.
  init(_ text: borrowing Span<UInt8>) throws(CommandError) {
    guard let number = text.parseInteger() else { throw .notInteger }
    if number == .min {
      throw .fixed(
        """
        ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
        """)
    }
    count = abs(number)
    repeats = number < 0
  }
}

/// Numbers, each at most once: which entries were drawn already.
struct DrawnSet: ~Copyable {
  private var slots = GrowableArray<UInt64>()
  private let mask: Int

  /// Room for `count` numbers, none of which is 0.
  init(count: Int) {
    var size = 16
    while size < count * 2 { size *= 2 }
    mask = size - 1
    slots.reserve(size)
    for _ in 0..<size { slots.append(0) }
  }

  /// - Returns: whether the number is new.
  mutating func insert(_ number: UInt64) -> Bool {
    var index = Int(truncatingIfNeeded: number &* 0x9E37_79B9_7F4A_7C15 &>> 20) & mask
    while slots[index] != 0 {
      if slots[index] == number { return false }
      index = (index + 1) & mask
    }
    slots[index] = number
    return true
  }
}

/// The most bytes that elements drawn with repetitions may take in one reply.
let longestDraw = 1 << 30

extension CommandError {
  static var drawTooLong: CommandError {
    .fixed("ERR the reply would be longer than 1 GiB; ask for fewer elements")
  }
}

// MARK: HSCAN, SSCAN

extension Keyspace {
  /// The reply to HSCAN or SSCAN, once the cursor is known to be well.
  /// - Parameter withValues: whether values follow their fields.
  func replyScan(
    _ args: borrowing Arguments, _ found: Key, cursor: UInt64, withValues: Bool,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try ScanOptions(args, from: 3, allowsType: false)
    var entries = EntryList()
    guard
      let next = scanElements(found, cursor: cursor, count: options.count, into: &entries)
    else { return replyAll(args, options, found, withValues: withValues, &reply) }
    var kept = 0
    for index in 0..<entries.count
    where !isDue(entries[index]) && options.matches(entry(entries[index]).key, args) {
      entries[kept] = entries[index]
      kept += 1
    }
    reply.array(2)
    reply.bulk(unsigned: next)
    reply.array(withValues ? kept * 2 : kept)
    for index in 0..<kept {
      reply.bulk(entry(entries[index]).key)
      if withValues { reply.bulk(entry(entries[index]).value) }
    }
  }

  /// A packed collection is scanned in one step.
  private func replyAll(
    _ args: borrowing Arguments, _ options: ScanOptions, _ found: Key, withValues: Bool,
    _ reply: inout ReplyBuffer
  ) {
    reply.array(2)
    reply.bulk("0")
    let mark = reply.bytes.count
    var kept = 0
    var walk = walk(found)
    var text = ByteBuffer()
    while advance(&walk) {
      text.removeAll()
      text.append(element(walk))
      guard options.matches(text.span, args) else { continue }
      kept += 1
      reply.bulk(text.span)
      if withValues { reply.bulk(fieldValue(walk)) }
    }
    reply.array(withValues ? kept * 2 : kept, before: mark)
  }
}

extension ReplyBuffer {
  /// The number's decimal text as a bulk string.
  mutating func bulk(unsigned value: UInt64) {
    var text = InlineArray<20, UInt8>(repeating: 0x30)
    var first = 20
    var rest = value
    repeat {
      first -= 1
      text[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    bulk(text.span.extracting(first..<20))
  }
}
