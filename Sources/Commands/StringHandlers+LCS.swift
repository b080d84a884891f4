// LCS: the longest common subsequence of two strings, by dynamic programming.
//
//   b ──►     left │ cell          cell(i, j): the length for the first i bytes of a and j of b
//   a   diagonal │ up
//   ▼
//
// Redis keeps every cell, four bytes each, and refuses strings whose table would exceed
// proto-max-bulk-len; the same pairs are refused here. But only one row is kept, that of the
// shorter string, and one bit a cell: which way the walk back from the last cell goes.
//
// 1. Where two ways are equally long, the walk goes back in b, as Redis' does: the ranges agree.

import Bytes
import Keyspace
import RESP

extension StringHandlers {
  static func lcs(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    _ = keys.find(args[1], .read)
    let second = keys.find(args[2], .read)
    // Looking up the second may have removed it, and that the first one's position.
    let first = keys.find(args[1], .peek)
    if let first { try checkLCSType(first, keys) }
    if let second { try checkLCSType(second, keys) }
    let options = try LCSOptions(args)
    let a = keys.valueOrEmpty(first)
    let b = keys.valueOrEmpty(second)
    if max(a.count, b.count) >= UInt32.max - 1 { throw .fixed("ERR String too long for LCS") }
    let cells = (a.count + 1).multipliedReportingOverflow(by: b.count + 1)
    if cells.overflow || cells.partialValue > keys.maximumStringBytes / 4 {
      throw .fixed(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
    }
    let common = CommonSubsequence(a, b, keepsPath: options.getsIndex || !options.getsLength)
    if options.getsIndex {
      replyMatches(common, options, &reply)
    } else if options.getsLength {
      reply.integer(common.length)
    } else {
      var text = ByteBuffer(capacity: common.length)
      for index in stride(from: common.matches.count - 1, through: 0, by: -1) {
        let match = common.matches[index]
        text.append(a.extracting(match.a..<(match.a + match.count)))
      }
      reply.bulk(text.span)
    }
  }

  private static func checkLCSType(
    _ found: Key, _ keys: borrowing Keyspace
  ) throws(CommandError) {
    if keys.entry(found).header.type != .string {
      throw .fixed("ERR The specified keys must contain string values")
    }
  }

  private static func replyMatches(
    _ common: borrowing CommonSubsequence, _ options: LCSOptions, _ reply: inout ReplyBuffer
  ) {
    var count = 0
    for index in 0..<common.matches.count
    where common.matches[index].count >= options.minimumCount { count += 1 }
    reply.map(2)
    reply.bulk("matches")
    reply.array(count)
    for index in 0..<common.matches.count {
      let match = common.matches[index]
      guard match.count >= options.minimumCount else { continue }
      reply.array(options.getsMatchLengths ? 3 : 2)
      reply.array(2)
      reply.integer(match.a)
      reply.integer(match.a + match.count - 1)
      reply.array(2)
      reply.integer(match.b)
      reply.integer(match.b + match.count - 1)
      if options.getsMatchLengths { reply.integer(match.count) }
    }
    reply.bulk("len")
    reply.integer(common.length)
  }
}

extension Keyspace {
  /// The value of a string that may have been found.
  @_lifetime(borrow self)
  borrowing func valueOrEmpty(_ found: Key?) -> Span<UInt8> {
    guard let found else { return Span() }
    return value(found)
  }
}

private struct LCSOptions {
  var getsLength = false
  var getsIndex = false
  var getsMatchLengths = false
  var minimumCount = 0

  init(_ args: borrowing Arguments) throws(CommandError) {
    var index = 3
    while index < args.count {
      if args.equals(index, "IDX") {
        getsIndex = true
      } else if args.equals(index, "LEN") {
        getsLength = true
      } else if args.equals(index, "WITHMATCHLEN") {
        getsMatchLengths = true
      } else if args.equals(index, "MINMATCHLEN"), index + 1 < args.count {
        guard let count = args[index + 1].parseInteger() else { throw .notInteger }
        minimumCount = count
        index += 1
      } else {
        throw .syntax
      }
      index += 1
    }
    if getsIndex && getsLength {
      throw .fixed("ERR If you want both the length and indexes, please just use IDX.")
    }
  }
}

struct CommonSubsequence: ~Copyable {
  /// `count` equal bytes, from byte `a` of the one string and byte `b` of the other.
  struct Match: BitwiseCopyable {
    var a: Int
    var b: Int
    var count: Int
  }

  private(set) var length = 0
  /// From the last to the first; none without a path.
  private(set) var matches = GrowableArray<Match>()

  init(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>, keepsPath: Bool) {
    if a.isEmpty || b.isEmpty { return }
    // The row runs along the shorter string; the path's bit always means "back in a".
    var path = GrowableArray<UInt64>()
    let isSwapped = a.count < b.count
    if isSwapped {
      length = Self.fill(rows: b, row: a, keepsPath, isSwapped: true, &path)
    } else {
      length = Self.fill(rows: a, row: b, keepsPath, isSwapped: false, &path)
    }
    if keepsPath { walk(a, b, isSwapped, path) }
  }

  private static func fill(
    rows: borrowing Span<UInt8>, row: borrowing Span<UInt8>, _ keepsPath: Bool, isSwapped: Bool,
    _ path: inout GrowableArray<UInt64>
  ) -> Int {
    var lengths = GrowableArray<UInt32>()
    lengths.reserve(row.count)
    for _ in 0..<row.count { lengths.append(0) }
    if keepsPath { path.reserve((rows.count * row.count + 63) / 64) }
    var word: UInt64 = 0
    var bit: UInt64 = 1
    for outer in 0..<rows.count {
      let byte = rows[outer]
      var diagonal: UInt32 = 0
      var left: UInt32 = 0
      for inner in 0..<row.count {
        let up = lengths[inner]
        let cell = row[inner] == byte ? diagonal + 1 : max(up, left)
        if isSwapped ? left > up : up > left { word |= bit }
        bit <<= 1
        if bit == 0 {
          if keepsPath { path.append(word) }
          word = 0
          bit = 1
        }
        lengths[inner] = cell
        diagonal = up
        left = cell
      }
    }
    if keepsPath { path.append(word) }
    return Int(lengths[row.count - 1])
  }

  /// Collects the ranges of equal bytes on the way back from the last cell.
  private mutating func walk(
    _ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>, _ isSwapped: Bool,
    _ path: borrowing GrowableArray<UInt64>
  ) {
    var i = a.count - 1
    var j = b.count - 1
    var match = Match(a: 0, b: 0, count: 0)
    while i >= 0 && j >= 0 {
      if a[i] == b[j] {
        match = Match(a: i, b: j, count: match.count + 1)
        i -= 1
        j -= 1
      } else {
        if match.count > 0 { matches.append(match) }
        match.count = 0
        let cell = isSwapped ? j * a.count + i : i * b.count + j
        if path[cell >> 6] >> UInt64(cell & 63) & 1 == 1 { i -= 1 } else { j -= 1 }
      }
    }
    if match.count > 0 { matches.append(match) }
  }
}
