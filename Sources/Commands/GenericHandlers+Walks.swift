// Walking through the keys: KEYS, SCAN, RANDOMKEY.
//
// 1. A walk collects entries, drops those that the client did not ask for, and then writes the
//    reply: the count goes before the elements, and nothing is copied on the way.
// 2. Removing an expired entry moves no other, so what was collected stays good.

import Bytes
import Keyspace
import RESP

/// What SCAN, HSCAN, SSCAN and ZSCAN ask for beside their cursor.
struct ScanOptions: BitwiseCopyable {
  var count = 10
  /// Positions of arguments; 0 when there is none.
  var patternIndex = 0
  var typeIndex = 0

  /// Reads the arguments from `first` on.
  init(
    _ args: borrowing Arguments, from first: Int, allowsType: Bool
  ) throws(CommandError) {
    for index in stride(from: first, to: args.count, by: 2) {
      guard index + 1 < args.count else { throw .syntax }
      if args.equals(index, "COUNT") {
        guard let number = args[index + 1].parseInteger() else { throw .notInteger }
        if number < 1 { throw .syntax }
        count = number
      } else if args.equals(index, "MATCH") {
        patternIndex = index + 1
      } else if allowsType && args.equals(index, "TYPE") {
        typeIndex = index + 1
      } else {
        throw .syntax
      }
    }
  }

  /// Whether an element of that name is asked for.
  func matches(_ name: borrowing Span<UInt8>, _ args: borrowing Arguments) -> Bool {
    patternIndex == 0 || GenericHandlers.matches(name, pattern: args[patternIndex])
  }

  /// Whether an entry that was met is asked for. An expired one that has the right name is removed,
  /// and asking for a type counts as hit or miss: Redis looks the key up for it.
  func accept(
    _ entry: ScannedEntry, _ args: borrowing Arguments, _ keys: inout Keyspace
  ) -> Bool {
    guard matches(keys.entry(entry).key, args) else { return false }
    let isExpired = keys.removeIfExpired(entry)
    if typeIndex == 0 { return !isExpired }
    if isExpired {
      keys.statistics.misses &+= 1
      return false
    }
    keys.statistics.hits &+= 1
    return args[typeIndex].equalsIgnoringCase(keys.entry(entry).header.type.name)
  }

  /// A cursor as strtoul(3) reads it, which is how Redis does: a sign and leading zeros are well,
  /// nothing at all is 0, and the text ends at a NUL.
  static func cursor(_ text: borrowing Span<UInt8>) throws(CommandError) -> UInt64 {
    guard let cursor = readCursor(text) else { throw .invalidCursor }
    return cursor
  }

  private static func readCursor(_ text: borrowing Span<UInt8>) -> UInt64? {
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
}

extension GenericHandlers {
  static func keys(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var entries = EntryList()
    var cursor: UInt64 = 0
    var kept = 0
    repeat {
      cursor = keys.scan(cursor: cursor, count: 1000, into: &entries)
      for index in kept..<entries.count {
        let entry = entries[index]
        if matches(keys.entry(entry).key, pattern: args[1]) && keys.isLive(entry) {
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
    let cursor = try ScanOptions.cursor(args[1])
    let options = try ScanOptions(args, from: 2, allowsType: true)
    var entries = EntryList()
    let next = keys.scan(cursor: cursor, count: options.count, into: &entries)
    var kept = 0
    for index in 0..<entries.count {
      let entry = entries[index]
      if options.accept(entry, args, &keys) {
        entries[kept] = entry
        kept += 1
      }
    }
    reply.array(2)
    reply.bulk(unsigned: next)
    reply.array(kept)
    for index in 0..<kept { reply.bulk(keys.entry(entries[index]).key) }
  }

  static func randomkey(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let entry = keys.randomEntry() ?? keys.firstLiveEntry() else { return reply.null() }
    reply.bulk(keys.entry(entry).key)
  }
}

extension GenericHandlers {
  fileprivate static func matches(
    _ key: borrowing Span<UInt8>, pattern: borrowing Span<UInt8>
  ) -> Bool {
    // A lone star takes the empty key too, which as a pattern it does not match.
    if pattern.count == 1 && pattern[0] == 0x2A { return true }
    return Glob.matches(key, pattern: pattern)
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
