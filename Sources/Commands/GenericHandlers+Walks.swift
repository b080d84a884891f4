// Walking through the keys: KEYS, SCAN, RANDOMKEY.
//
// 1. A walk collects entries, drops those that the client did not ask for, and then writes the
//    reply: the count goes before the elements, and nothing is copied on the way.
// 2. Removing an expired entry moves no other, so what was collected stays good.

import Bytes
import Keyspace
import RESP

/// What a walk is to find. Positions are arguments'; 0 means that there is no such condition.
private struct WalkFilter: BitwiseCopyable {
  var patternIndex = 0
  var typeIndex = 0

  init(pattern: Int = 0) {
    patternIndex = pattern
  }

  /// Whether an entry is wanted; `ref` came from a scan of `keys`.
  func accepts(
    _ entry: borrowing EntryView, _ args: borrowing Arguments
  ) -> Bool {
    if typeIndex > 0 && !args[typeIndex].equalsIgnoringCase(entry.header.type.name) { return false }
    if patternIndex == 0 { return true }
    // A lone star takes the empty key too, which as a pattern it does not match.
    let pattern = args[patternIndex]
    if pattern.count == 1 && pattern[0] == 0x2A { return true }
    return Glob.matches(entry.key, pattern: pattern)
  }
}

extension GenericHandlers {
  static func keys(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let filter = WalkFilter(pattern: 1)
    var entries = EntryList()
    var cursor: UInt64 = 0
    var kept = 0
    repeat {
      cursor = keys.scan(cursor: cursor, count: 1000, into: &entries)
      for index in kept..<entries.count {
        let entry = entries[index]
        if filter.accepts(keys.entry(entry), args) && keys.isLive(entry) {
          entries[kept] = entry
          kept += 1
        }
      }
      entries.truncate(to: kept)
    } while cursor != 0
    reply.array(kept)
    for index in 0..<kept { reply.bulk(keys.entry(entries[index]).key) }
  }

  static func scan(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let start = cursor(args[1]) else { throw .invalidCursor }
    var filter = WalkFilter()
    var count = 10
    var index = 2
    while index < args.count {
      guard index + 1 < args.count else { throw .syntax }
      if args.equals(index, "COUNT") {
        guard let number = args[index + 1].parseInteger() else { throw .notInteger }
        if number < 1 { throw .syntax }
        count = number
      } else if args.equals(index, "MATCH") {
        filter.patternIndex = index + 1
      } else if args.equals(index, "TYPE") {
        filter.typeIndex = index + 1
      } else {
        throw .syntax
      }
      index += 2
    }
    var entries = EntryList()
    let next = keys.scan(cursor: start, count: count, into: &entries)
    var kept = 0
    for index in 0..<entries.count {
      let entry = entries[index]
      // An expired key goes when it is met, but only where it would have been returned.
      if filter.accepts(keys.entry(entry), args) && !keys.removeIfExpired(entry) {
        entries[kept] = entry
        kept += 1
      }
    }
    reply.array(2)
    reply.bulk(String(next))
    reply.array(kept)
    for index in 0..<kept { reply.bulk(keys.entry(entries[index]).key) }
  }

  /// A cursor as strtoul(3) reads it, which is how Redis does: a sign and leading zeros are well,
  /// nothing at all is 0, and the text ends at a NUL.
  private static func cursor(_ text: borrowing Span<UInt8>) -> UInt64? {
    var index = 0
    let isNegative = !text.isEmpty && text[0] == 0x2D
    let isSigned = isNegative || (!text.isEmpty && text[0] == 0x2B)
    if isSigned { index = 1 }
    let first = index
    var value: UInt64 = 0
    while index < text.count && text[index] != 0 {
      let digit = text[index] &- 0x30
      guard digit <= 9 else { return nil }
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(UInt64(digit))
      if isTooLarge || carries { return nil }
      value = sum
      index += 1
    }
    if isSigned && index == first { return nil }
    return isNegative ? 0 &- value : value
  }

  static func randomkey(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let entry = keys.randomEntry() ?? keys.firstLiveEntry() else { return reply.null() }
    reply.bulk(keys.entry(entry).key)
  }
}

extension Keyspace {
  /// Removes the entry if its deadline has passed.
  fileprivate mutating func removeIfExpired(_ entry: ScannedEntry) -> Bool {
    if isLive(entry) { return false }
    var key = ByteBuffer()
    key.append(self.entry(entry).key)
    return find(key.span, .peek) == nil
  }

  /// A key that has not expired, for when nearly all have: those on the way to it are removed, so
  /// that no walk meets them again.
  fileprivate mutating func firstLiveEntry() -> ScannedEntry? {
    var entries = EntryList()
    var cursor: UInt64 = 0
    repeat {
      cursor = scan(cursor: cursor, count: 100, into: &entries)
      for index in 0..<entries.count where !removeIfExpired(entries[index]) {
        return entries[index]
      }
      entries.removeAll(keepingCapacity: true)
    } while cursor != 0
    return nil
  }
}
