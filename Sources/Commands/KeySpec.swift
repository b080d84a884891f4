// KeySpec: where in its arguments a command's keys stand, and what it does to them.
//
//   begin_search   where the first key of the group is: at an index, or after a keyword
//   find_keys      which arguments from there on are keys: a range, or as many as a number says
//
//   MSET k v k v   index 1, range through the last argument, step 2
//   LCS  k k       index 1, range through the next argument, step 1
//   EVAL s 2 k k   index 2, count at +0, first key at +1
//
// 1. Positions count from the command's name, which is 0; `lastKey` counts from the first key, or
//    from the end of the request when negative (-1 is the last argument).

import Bytes
import RESP

/// What a command does with a key.
@frozen public struct KeyFlags: NamedFlags, BitwiseCopyable, Hashable {
  public let rawValue: UInt16

  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable public static var readOnly: Self { Self(rawValue: 1 << 0) }
  @inlinable public static var readWrite: Self { Self(rawValue: 1 << 1) }
  @inlinable public static var overwrite: Self { Self(rawValue: 1 << 2) }
  @inlinable public static var remove: Self { Self(rawValue: 1 << 3) }
  /// Returns, copies or uses the value's data.
  @inlinable public static var access: Self { Self(rawValue: 1 << 4) }
  /// Changes the value's data in a way that may depend on what it was.
  @inlinable public static var update: Self { Self(rawValue: 1 << 5) }
  /// Adds data and changes none.
  @inlinable public static var insert: Self { Self(rawValue: 1 << 6) }
  @inlinable public static var delete: Self { Self(rawValue: 1 << 7) }
  /// Not a key, but routed as one.
  @inlinable public static var notKey: Self { Self(rawValue: 1 << 8) }
  /// The spec does not find all the keys.
  @inlinable public static var incomplete: Self { Self(rawValue: 1 << 9) }
  /// The other flags depend on the arguments.
  @inlinable public static var variableFlags: Self { Self(rawValue: 1 << 10) }

  public static let names: [(flag: KeyFlags, name: String)] = [
    (.readOnly, "RO"),
    (.readWrite, "RW"),
    (.overwrite, "OW"),
    (.remove, "RM"),
    (.access, "access"),
    (.update, "update"),
    (.insert, "insert"),
    (.delete, "delete"),
    (.notKey, "not_key"),
    (.incomplete, "incomplete"),
    (.variableFlags, "variable_flags"),
  ]
}

/// A key among a request's arguments.
@frozen public struct KeyReference: BitwiseCopyable, Equatable, Sendable {
  /// Counted from the command's name.
  public var position: Int
  public var flags: KeyFlags

  public init(position: Int, flags: KeyFlags) {
    self.position = position
    self.flags = flags
  }
}

/// Finds the keys of a command whose specs cannot say it all; `offset` is where the command's name
/// stands in `arguments`. False when the arguments make no sense.
public typealias KeyFunction =
  @Sendable (
    _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
  ) -> Bool

public struct KeySpec: Sendable {
  public enum BeginSearch: Sendable {
    case index(Int)
    /// Behind the keyword, searched forwards from `startFrom`, or backwards from there when it is
    /// negative and counts from the end.
    case keyword(StaticString, startFrom: Int)
    case unknown
  }

  public enum FindKeys: Sendable {
    /// `limit` n > 1 means that only the first 1/n of the remaining arguments are keys.
    case range(lastKey: Int, step: Int, limit: Int)
    /// The positions count from where the search began.
    case count(at: Int, firstKey: Int, step: Int)
    case unknown
  }

  public let beginSearch: BeginSearch
  public let findKeys: FindKeys
  public let flags: KeyFlags
  public let notes: String?

  public init(_ begin: BeginSearch, _ find: FindKeys, _ flags: KeyFlags, notes: String? = nil) {
    beginSearch = begin
    findKeys = find
    self.flags = flags
    self.notes = notes
  }

  /// One key at `index`.
  @inline(never) public static func key(_ index: Int, _ flags: KeyFlags, notes: String? = nil)
    -> KeySpec
  {
    KeySpec(.index(index), .range(lastKey: 0, step: 1, limit: 0), flags, notes: notes)
  }

  /// Keys from `index` to the last argument, `step` apart.
  @inline(never) public static func keys(from index: Int, step: Int = 1, _ flags: KeyFlags)
    -> KeySpec
  {
    KeySpec(.index(index), .range(lastKey: -1, step: step, limit: 0), flags)
  }

  /// `count` keys, one after the other.
  @inline(never) public static func keys(
    from index: Int, count: Int, _ flags: KeyFlags
  ) -> KeySpec {
    KeySpec(.index(index), .range(lastKey: count - 1, step: 1, limit: 0), flags)
  }

  /// Where the first key can be had at once, for the prefetcher; 0 when it takes a search.
  var firstKeyPosition: Int {
    guard !flags.contains(.notKey), case .index(let index) = beginSearch else { return 0 }
    switch findKeys {
    case .range: return index
    case .count(_, let firstKey, _): return index + firstKey
    case .unknown: return 0
    }
  }

  /// Appends the keys that this spec finds; false when the arguments contradict it.
  func find(
    in arguments: borrowing Arguments, from offset: Int, into keys: inout [KeyReference]
  ) -> Bool {
    let count = arguments.count - offset
    guard let begin = begin(in: arguments, from: offset) else {
      if case .keyword = beginSearch { return true }
      return false
    }
    var first = begin
    var last: Int
    let step: Int
    switch findKeys {
    case .range(let lastKey, let keyStep, let limit):
      step = keyStep
      if lastKey >= 0 {
        last = first + lastKey
      } else if limit <= 1 {
        last = count + lastKey
      } else {
        last = first + (count - first) / limit + lastKey
      }
    case .count(let at, let firstKey, let keyStep):
      step = keyStep
      guard first + at < count, let number = arguments[offset + first + at].parseInteger(),
        number >= 0, number <= count
      else { return false }
      first += firstKey
      last = first + number * step - 1
    case .unknown:
      return false
    }
    guard first <= last, last < count else { return false }
    for position in stride(from: first, through: last, by: step) {
      keys.append(KeyReference(position: position, flags: flags))
    }
    return !flags.contains(.incomplete)
  }

  private func begin(in arguments: borrowing Arguments, from offset: Int) -> Int? {
    let count = arguments.count - offset
    switch beginSearch {
    case .index(let index): return index
    case .unknown: return nil
    case .keyword(let keyword, let startFrom):
      let forwards = startFrom > 0
      var position = forwards ? startFrom : count + startFrom
      while position >= 1 && position < count {
        if arguments.equals(offset + position, keyword) { return position + 1 }
        position += forwards ? 1 : -1
      }
      return nil
    }
  }
}
