// StreamArguments: what the stream commands' arguments say: IDs, ranges of IDs, trimming.
//
//   1526919030474-55   both parts          1526919030474   the second part by default
//   1526919030474-*    XADD chooses it     - and +         the least and the greatest ID of a range
//   (1526919030474-55  a range without that end
//
// 1. A part is read as loosely as C's strtoull reads it, as Redis does: spaces and signs in front
//    count, and a negative number is its complement. Nothing behind a NUL counts.

import Bytes
import Keyspace
import RESP

extension CommandError {
  static var invalidStreamID: CommandError {
    .fixed("ERR Invalid stream ID specified as stream command argument")
  }
}

extension StreamID {
  /// An ID of XADD. The second part is nil for `ms-*`.
  static func forAdding(
    _ text: borrowing Span<UInt8>
  ) throws(CommandError) -> (milliseconds: UInt64, sequence: UInt64?) {
    let (first, second) = try parts(text)
    guard let milliseconds = looseUnsigned(text, first) else { throw .invalidStreamID }
    guard let second else { return (milliseconds, 0) }
    if second.count == 1 && text[second.lowerBound] == 0x2A { return (milliseconds, nil) }
    guard let sequence = looseUnsigned(text, second) else { throw .invalidStreamID }
    return (milliseconds, sequence)
  }

  /// An ID as it is.
  /// - Parameter missing: the second part, if it is left out.
  static func strict(
    _ text: borrowing Span<UInt8>, missing: UInt64 = 0
  ) throws(CommandError) -> StreamID {
    let (first, second) = try parts(text)
    guard let milliseconds = looseUnsigned(text, first) else { throw .invalidStreamID }
    guard let second else { return StreamID(milliseconds, missing) }
    guard let sequence = looseUnsigned(text, second) else { throw .invalidStreamID }
    return StreamID(milliseconds, sequence)
  }

  /// An ID, or `-` or `+`.
  static func loose(
    _ text: borrowing Span<UInt8>, missing: UInt64 = 0
  ) throws(CommandError) -> StreamID {
    if text.count == 1 {
      if text[0] == 0x2D { return .zero }
      if text[0] == 0x2B { return .greatest }
    }
    return try strict(text, missing: missing)
  }

  /// The start of a range.
  static func start(_ text: borrowing Span<UInt8>) throws(CommandError) -> StreamID {
    guard text.count > 1 && text[0] == 0x28 else { return try loose(text) }
    let id = try strict(text.extracting(1..<text.count))
    guard let next = id.next else { throw .fixed("ERR invalid start ID for the interval") }
    return next
  }

  /// The end of a range.
  static func end(_ text: borrowing Span<UInt8>) throws(CommandError) -> StreamID {
    guard text.count > 1 && text[0] == 0x28 else { return try loose(text, missing: .max) }
    let id = try strict(text.extracting(1..<text.count), missing: .max)
    guard let previous = id.previous else {
      throw .fixed("ERR invalid end ID for the interval")
    }
    return previous
  }

  /// Where the two parts lie.
  private static func parts(
    _ text: borrowing Span<UInt8>
  ) throws(CommandError) -> (first: Range<Int>, second: Range<Int>?) {
    guard text.count <= 127 else { throw .invalidStreamID }
    var end = 0
    while end < text.count && text[end] != 0 { end += 1 }
    var dash = 0
    while dash < end && text[dash] != 0x2D { dash += 1 }
    return (0..<dash, dash < end ? (dash + 1)..<end : nil)
  }

  /// Invariant 1.
  private static func looseUnsigned(
    _ text: borrowing Span<UInt8>, _ range: Range<Int>
  ) -> UInt64? {
    if let value = text.parseUnsigned(range) { return value }
    if let value = text.parseInteger(range) { return value < 0 ? nil : UInt64(value) }
    var index = range.lowerBound
    while index < range.upperBound && (text[index] == 32 || text[index] &- 9 < 5) { index += 1 }
    var isNegative = false
    if index < range.upperBound && (text[index] == 0x2D || text[index] == 0x2B) {
      isNegative = text[index] == 0x2D
      index += 1
    }
    guard index < range.upperBound else { return nil }
    var value: UInt64 = 0
    while index < range.upperBound {
      let digit = text[index] &- 48
      let (tens, isTooLong) = value.multipliedReportingOverflow(by: 10)
      let (sum, isTooGreat) = tens.addingReportingOverflow(UInt64(digit))
      guard digit <= 9 && !isTooLong && !isTooGreat else { return nil }
      value = sum
      index += 1
    }
    return isNegative ? 0 &- value : value
  }
}

/// What XADD and XTRIM say about trimming, and XADD about the rest.
struct StreamOptions: BitwiseCopyable {
  var trim = StreamTrim.none
  var isApproximate = false
  /// How many entries to delete at most; 0 for no limit.
  var limit = 0
  /// The argument that gives the length or the ID to trim to.
  var trimIndex = 0
  var makesStream = true
  /// The argument that gives the new entry's ID.
  var idIndex = 0

  /// - Parameter isAdding: for XADD, whose options end with an ID.
  init(
    _ args: borrowing Arguments, isAdding: Bool, nodeEntries: Int
  ) throws(CommandError) {
    var index = 2
    var hasLimit = false
    while index < args.count {
      let hasMore = index + 1 < args.count
      if isAdding && args[index].count == 1 && args[index][0] == 0x2A { break }
      if args.equals(index, "MAXLEN") && hasMore {
        try takeStrategy(args, &index, isLength: true)
      } else if args.equals(index, "MINID") && hasMore {
        try takeStrategy(args, &index, isLength: false)
      } else if args.equals(index, "LIMIT") && hasMore {
        guard let number = args[index + 1].parseInteger() else { throw .notInteger }
        guard number >= 0 else { throw .fixed("ERR The LIMIT argument must be >= 0.") }
        limit = number
        hasLimit = true
        index += 1
      } else if isAdding && args.equals(index, "NOMKSTREAM") {
        makesStream = false
      } else if isAdding {
        // What is no option is the ID; whether it is one is told later, but an error comes first.
        _ = try StreamID.forAdding(args[index])
        break
      } else {
        throw .syntax
      }
      index += 1
    }
    idIndex = index
    try check(isAdding: isAdding, hasLimit: hasLimit, nodeEntries: nodeEntries)
  }

  private mutating func takeStrategy(
    _ args: borrowing Arguments, _ index: inout Int, isLength: Bool
  ) throws(CommandError) {
    guard trim == .none else {
      throw .fixed(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
    }
    isApproximate = false
    if index + 2 < args.count && args[index + 1].count == 1 {
      let sign = args[index + 1][0]
      if sign == 0x7E || sign == 0x3D {
        isApproximate = sign == 0x7E
        index += 1
      }
    }
    index += 1
    trimIndex = index
    if isLength {
      guard let length = args[index].parseInteger() else { throw .notInteger }
      guard length >= 0 else { throw .fixed("ERR The MAXLEN argument must be >= 0.") }
      trim = .length(length)
    } else {
      trim = .minimum(try StreamID.strict(args[index]))
    }
  }

  private mutating func check(
    isAdding: Bool, hasLimit: Bool, nodeEntries: Int
  ) throws(CommandError) {
    if limit > 0 && trim == .none {
      throw .fixed(
        "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
    }
    if !isAdding && trim == .none {
      throw .fixed("ERR syntax error, XTRIM must be called with a trimming strategy")
    }
    if hasLimit {
      guard isApproximate else {
        throw .fixed("ERR syntax error, LIMIT cannot be used without the special ~ option")
      }
    } else if isApproximate {
      limit = 100 * nodeEntries
      if limit <= 0 { limit = 10_000 }
      limit = min(limit, 1_000_000)
    }
  }
}
