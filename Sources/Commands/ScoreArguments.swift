// ScoreArguments: ranges as ZRANGE and its relatives are given them.
//
//   ranks    0 -1        scores   (1.5 +inf        texts   [a (c   - +

import Bytes
import Keyspace
import RESP

enum RangeKind: Sendable {
  case rank, score, text
}

extension ScoreRange {
  /// The scores between two arguments.
  init(_ low: borrowing Span<UInt8>, _ high: borrowing Span<UInt8>) throws(CommandError) {
    let (low, excludesLow) = try Self.bound(low)
    let (high, excludesHigh) = try Self.bound(high)
    self.init(low: low, high: high, excludesLow: excludesLow, excludesHigh: excludesHigh)
  }

  private static func bound(
    _ text: borrowing Span<UInt8>
  ) throws(CommandError) -> (Double, Bool) {
    let excludes = !text.isEmpty && text[0] == 0x28
    var first = excludes ? 1 : 0
    // Redis reads bounds with strtod alone: no digits are 0, and leading space is well.
    while first < text.count && (text[first] == 0x20 || (text[first] >= 9 && text[first] <= 13)) {
      first += 1
    }
    let number = text.extracting(first..<text.count)
    if number.isEmpty && first == (excludes ? 1 : 0) { return (0, excludes) }
    if let value = number.parseDouble() { return (value, excludes) }
    // What a double cannot hold is infinite, or nothing.
    guard let value = number.parseExtended() else {
      throw .fixed("ERR min or max is not a float")
    }
    return (Double(value), excludes)
  }
}

extension TextBound {
  @_lifetime(copy text)
  init(_ text: Span<UInt8>) throws(CommandError) {
    let isLone = text.count == 1
    switch text.isEmpty ? 0 : text[0] {
    case 0x2D where isLone: self.init(.first, text)
    case 0x2B where isLone: self.init(.last, text)
    case 0x28: self.init(.excluding, text.extracting(1..<text.count))
    case 0x5B: self.init(.including, text.extracting(1..<text.count))
    default: throw .fixed("ERR min or max not valid string range item")
    }
  }
}

/// What ZRANGE asks for, in all its forms.
struct RangeRequest: BitwiseCopyable {
  var kind: RangeKind?
  var isReversed: Bool?
  var withScores = false
  var offset = 0
  /// Negative for no limit.
  var limit = -1
  private var first = 0
  private var last = 0
  private var scores = ScoreRange(low: 0, high: 0)
  /// Where the lower and the higher bound stand.
  private var lowIndex = 0
  private var highIndex = 0

  /// Reads the two bounds behind the key, which is argument `key`, and the options behind them.
  init(
    _ args: borrowing Arguments, key: Int, stores: Bool, kind: RangeKind?, isReversed: Bool?
  ) throws(CommandError) {
    self.kind = kind
    self.isReversed = isReversed
    try readOptions(args, from: key + 3, stores: stores)
    let kind = self.kind ?? .rank
    if limit != -1 && kind == .rank {
      throw .fixed(
        """
        ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
        """)
    }
    if withScores && kind == .text {
      throw .fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
    }
    let isSwapped = self.isReversed == true && kind != .rank
    lowIndex = isSwapped ? key + 2 : key + 1
    highIndex = isSwapped ? key + 1 : key + 2
    switch kind {
    case .rank:
      guard let first = args[lowIndex].parseInteger(), let last = args[highIndex].parseInteger()
      else { throw .notInteger }
      self.first = first
      self.last = last
    case .score: scores = try ScoreRange(args[lowIndex], args[highIndex])
    case .text:
      _ = try TextBound(args[lowIndex])
      _ = try TextBound(args[highIndex])
    }
  }

  private mutating func readOptions(
    _ args: borrowing Arguments, from start: Int, stores: Bool
  ) throws(CommandError) {
    let isKindOpen = kind == nil
    let isDirectionOpen = isReversed == nil
    var index = start
    while index < args.count {
      if !stores && args.equals(index, "WITHSCORES") {
        withScores = true
      } else if args.equals(index, "LIMIT") && index + 2 < args.count {
        guard let offset = args[index + 1].parseInteger(),
          let limit = args[index + 2].parseInteger()
        else { throw .notInteger }
        self.offset = offset
        self.limit = limit
        index += 2
      } else if isDirectionOpen && isReversed == nil && args.equals(index, "REV") {
        isReversed = true
      } else if isKindOpen && kind == nil && args.equals(index, "BYLEX") {
        kind = .text
      } else if isKindOpen && kind == nil && args.equals(index, "BYSCORE") {
        kind = .score
      } else {
        throw .syntax
      }
      index += 1
    }
  }

  /// The ranks that are asked for; they are replied from the last one on when `isReversed`.
  func ranks(
    _ args: borrowing Arguments, _ keys: borrowing Keyspace, _ found: Key
  ) throws(CommandError) -> Range<Int> {
    let count = keys.sortedCount(found)
    let isReversed = isReversed ?? false
    let range: Range<Int>
    switch kind ?? .rank {
    case .rank:
      guard let ranks = RangeRequest.ranks(first, last, of: count) else { return 0..<0 }
      return isReversed ? (count - ranks.upperBound)..<(count - ranks.lowerBound) : ranks
    case .score: range = keys.ranks(scores, found)
    case .text:
      range = keys.ranks(
        TextRange(low: try TextBound(args[lowIndex]), high: try TextBound(args[highIndex])),
        fromEnd: isReversed, found)
    }
    guard offset >= 0 && offset < range.count else { return 0..<0 }
    let wanted = limit < 0 ? range.count - offset : min(limit, range.count - offset)
    if isReversed {
      let end = range.upperBound - offset
      return (end - wanted)..<end
    }
    let start = range.lowerBound + offset
    return start..<(start + wanted)
  }

  /// The ranks from `first` to `last`, both included, negative ones counted from the end.
  static func ranks(_ first: Int, _ last: Int, of count: Int) -> Range<Int>? {
    let start = max(first < 0 ? first + count : first, 0)
    let end = last < 0 ? last + count : last
    guard start <= end, start < count else { return nil }
    return start..<(min(end, count - 1) + 1)
  }
}
