// RequestQueue: requests that are kept to be executed later: a transaction's, a blocked client's.
//
//   bytes   | *3 $3 SET $1 k $1 v | *2 $3 GET $1 k | ...
//   items     ▲ start          end: command, ranges relative to start, the first key's hash
//
// 1. Whatever form a request came in, it is kept as a RESP array: its bytes can be its effect.

import Bytes
import Commands
import RESP

struct RequestQueue: ~Copyable {
  struct Item: BitwiseCopyable {
    var command: CommandID
    var hasKey: Bool
    var firstRange: Int
    var rangeCount: Int
    var start: Int
    var end: Int
    /// The first key's.
    var hash: UInt64
  }

  private(set) var bytes = ByteBuffer()
  private var ranges = ArgumentList()
  private(set) var items = GrowableArray<Item>()

  init() {}

  var count: Int { items.count }

  /// What the requests take, without what is reserved for more.
  var contentBytes: Int { bytes.count + ranges.count * MemoryLayout<ArgumentRange>.stride }

  var memoryBytes: Int {
    bytes.capacity + ranges.capacity * MemoryLayout<ArgumentRange>.stride
      + items.capacity * MemoryLayout<Item>.stride
  }

  /// - Parameter replacements: what stands in place of some arguments.
  mutating func append(
    _ command: CommandID, _ arguments: borrowing Arguments, hash: UInt64? = nil,
    replacements: [Wait.Replacement] = []
  ) {
    let start = bytes.count
    let firstRange = ranges.count
    bytes.append(0x2A)
    bytes.append(decimal: arguments.count)
    bytes.append("\r\n")
    for index in 0..<arguments.count {
      if let other = replacements.last(where: { $0.index == index }) {
        append(other.bytes.span, from: start)
      } else {
        append(arguments[index], from: start)
      }
    }
    items.append(
      Item(
        command: command, hasKey: hash != nil, firstRange: firstRange,
        rangeCount: ranges.count - firstRange, start: start, end: bytes.count, hash: hash ?? 0))
  }

  private mutating func append(_ word: borrowing Span<UInt8>, from start: Int) {
    bytes.append(0x24)
    bytes.append(decimal: word.count)
    bytes.append("\r\n")
    ranges.append(ArgumentRange(offset: bytes.count - start, count: word.count))
    bytes.append(word)
    bytes.append("\r\n")
  }

  /// The arguments of request `index`.
  @_lifetime(borrow self)
  func arguments(_ index: Int) -> Arguments {
    let item = items[index]
    let request = bytes.span.extracting(item.start..<item.end)
    let first = item.firstRange
    return Arguments(
      bytes: request, ranges: ranges.span.extracting(first..<(first + item.rangeCount)),
      request: request)
  }

  /// Where argument `index` of request `request` lies in `bytes`.
  func range(_ request: Int, _ index: Int) -> Range<Int> {
    let item = items[request]
    let range = ranges[item.firstRange + index]
    let start = item.start + Int(range.offset)
    return start..<(start + Int(range.count))
  }
}
