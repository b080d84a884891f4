// Entry+Form: what a value is, and how it is kept.
//
//   encoding      value
//   0 plain       a string's bytes
//   1 listpack    the listpack's bytes
//   2 intset      the intset's bytes
//   3 table       root record: | table 8 | deadlines: root 8 | count 8 |   (a set: the first word)
//   4 sortedTree  root record
//   5 listTree    root record
//   6 stream      root record
//   7 timed listpack   a hash's listpack with a deadline behind each value
//
// 1. A value of encoding 0, 1, 2 or 7 is bytes and nothing else: copying the bytes copies the
//    value. 3 to 6 are root records: a few words that name structures of their own.
// 2. A root record lies in the entry, never in a blob; nothing refers to it: it moves along.

import Memory

/// What a key holds, numbered as Redis numbers its object types.
@frozen public enum ValueType: UInt8, Sendable {
  case string = 0
  case list = 1
  case set = 2
  case sortedSet = 3
  case hash = 4
  case stream = 6
}

/// How a value is kept.
@frozen public enum ValueEncoding: UInt8, Sendable {
  case plain = 0
  case listpack = 1
  case intset = 2
  case table = 3
  case sortedTree = 4
  case listTree = 5
  case stream = 6
  case timedListpack = 7

  @inlinable public var isListpack: Bool { self == .listpack || self == .timedListpack }
}

extension Entry {
  /// Type and encoding, as in a header's lowest byte.
  @frozen public struct Form: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline let bits: UInt8

    @inlinable init(bits: UInt8) { self.bits = bits }

    @inlinable public init(_ type: ValueType, _ encoding: ValueEncoding) {
      bits = type.rawValue | encoding.rawValue &<< 4
    }

    @inlinable public static var string: Form { Form(.string, .plain) }

    @inlinable public var type: ValueType {
      // Only the other initialiser makes forms; another number would be a damaged image.
      guard let type = ValueType(rawValue: bits & 15) else {
        preconditionFailure("an entry's type is damaged")
      }
      return type
    }

    @inlinable public var encoding: ValueEncoding {
      guard let encoding = ValueEncoding(rawValue: bits &>> 4) else {
        preconditionFailure("an entry's encoding is damaged")
      }
      return encoding
    }

    /// Whether the value is a root record (invariant 1).
    @inlinable public var hasRoot: Bool {
      bits &>> 4 &- ValueEncoding.table.rawValue
        <= ValueEncoding.stream.rawValue &- ValueEncoding.table.rawValue
    }

    /// How many elements of its listpack a member or field takes.
    @inlinable public var stride: Int {
      switch type {
      case .hash: encoding == .timedListpack ? 3 : 2
      case .sortedSet: 2
      case .string, .list, .set, .stream: 1
      }
    }
  }
}

extension ArenaReader {
  /// Word `index` of the root record that is the entry's value.
  @inlinable public func rootWord(_ ref: Ref<Entry>, _ index: Int) -> UInt64 {
    let entry = entry(ref)
    precondition(entry.header.form.hasRoot && index &* 8 &+ 8 <= entry.header.inlineCount)
    // SAFETY: the word lies inside the inline value, by the line above and invariant 2.
    return unsafe load(ref, at: entry.valueOffset &+ index &* 8, as: UInt64.self)
  }
}

extension Arena {
  /// Stores word `index` of the root record that is the entry's value.
  @inlinable public mutating func setRootWord(_ ref: Ref<Entry>, _ index: Int, _ word: UInt64) {
    let header = reader.entry(ref).header
    let offset = reader.entry(ref).valueOffset &+ index &* 8
    precondition(header.form.hasRoot && index &* 8 &+ 8 <= header.inlineCount)
    // SAFETY: the word lies inside the inline value, by the line above and invariant 2.
    unsafe write(ref, at: offset, count: 8).storeBytes(of: word, as: UInt64.self)
  }
}
