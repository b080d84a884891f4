// Entry: one key and its value, in one allocation.
//
//   | header 8 | expiry 8, if any | long key length 8, if > 255 | key | value, or its place |
//
//   header, bits from the lowest:
//   | 0 type 4 | 4 encoding 4 | 8 flags 8 | 16 access 24 | 40 key length 8 | 48 value length 16 |
//   place: | ref unit 8 | length 8 |, unaligned
//
// 1. A value longer than `inlineLimit` bytes is a blob of its own, whose capacity is what the
//    allocator gave it; shorter ones lie in the entry, but for blobs that have become shorter.
// 2. The key never changes while the entry lives; the header tells where everything is.
// 3. The access bits are a hint, written without the barrier (Arena.hint).
// 4. Type and encoding are the value's form (Entry+Form); moving an entry keeps it.

import Bytes
import Memory

public enum Entry {
  /// The longest value that lies inside its entry, in bytes.
  @inlinable public static var inlineLimit: Int { 2048 }

  @frozen public struct Flags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A deadline follows the header.
    @inlinable public static var expiry: Flags { Flags(rawValue: 1) }
    /// The key's length follows in 8 bytes.
    @inlinable public static var longKey: Flags { Flags(rawValue: 2) }
    /// The value is a blob of its own.
    @inlinable public static var external: Flags { Flags(rawValue: 4) }
    /// A string that was changed in place: its encoding is "raw" whatever its length.
    @inlinable public static var modified: Flags { Flags(rawValue: 8) }
    /// A number that was set as text: its encoding is never "int".
    @inlinable public static var text: Flags { Flags(rawValue: 64) }
    /// The expiry wheel has a record of this key, due no later than its deadline.
    @inlinable public static var filed: Flags { Flags(rawValue: 16) }
    /// That record lies in a wheel of an odd generation.
    @inlinable public static var odd: Flags { Flags(rawValue: 32) }
  }

  /// The entry's first word.
  @frozen public struct Header: BitwiseCopyable, Sendable {
    @usableFromInline var bits: UInt64
    @inlinable init(bits: UInt64) { self.bits = bits }

    @inlinable init(form: Form, flags: Flags, access: UInt32, keyCount: Int, valueCount: Int) {
      bits =
        UInt64(form.bits) | UInt64(flags.rawValue) << 8 | UInt64(access & 0xFF_FFFF) << 16
        | UInt64(truncatingIfNeeded: keyCount > 255 ? 0 : keyCount) << 40
        | UInt64(truncatingIfNeeded: valueCount) << 48
    }

    @inlinable public var form: Form { Form(bits: UInt8(truncatingIfNeeded: bits)) }
    @inlinable public var type: ValueType { form.type }
    @inlinable public var encoding: ValueEncoding { form.encoding }
    @inlinable public var flags: Flags {
      get { Flags(rawValue: UInt8(truncatingIfNeeded: bits &>> 8)) }
      set { bits = bits & ~0xFF00 | UInt64(newValue.rawValue) << 8 }
    }
    /// 24 bits whose meaning is the eviction policy's: a clock, or a time and a counter.
    @inlinable public var access: UInt32 { UInt32(truncatingIfNeeded: bits &>> 16) & 0xFF_FFFF }
    @inlinable var shortKeyCount: Int { Int(truncatingIfNeeded: bits &>> 40 & 0xFF) }
    @inlinable var inlineCount: Int { Int(truncatingIfNeeded: bits &>> 48) }

    /// Where the key starts, in bytes from the entry.
    @inlinable var keyOffset: Int {
      let raw = flags.rawValue
      return 8 &+ Int(raw & 1) &* 8 &+ Int(raw & 2) &* 4
    }
  }

  /// An entry's parts and the bytes it takes.
  @frozen public struct Layout: BitwiseCopyable, Sendable {
    public let flags: Flags
    public let keyOffset: Int
    public let valueOffset: Int
    public let totalBytes: Int

    /// - Parameter valueCount: the value's length; nil for a blob's place.
    @inlinable public init(keyCount: Int, hasExpiry: Bool, valueCount: Int?) {
      var flags: Flags = []
      if hasExpiry { flags.insert(.expiry) }
      if keyCount > 255 { flags.insert(.longKey) }
      if valueCount == nil { flags.insert(.external) }
      self.flags = flags
      keyOffset = 8 + (hasExpiry ? 8 : 0) + (keyCount > 255 ? 8 : 0)
      valueOffset = keyOffset + keyCount
      totalBytes = valueOffset + (valueCount ?? 16)
    }
  }
}

/// An entry, read. It dies before the arena changes.
@frozen @safe public struct EntryView: ~Escapable {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let arena: UnsafeRawPointer
  public let header: Entry.Header

  @inlinable @_lifetime(copy reader)
  public init(_ reader: borrowing ArenaReader, _ ref: Ref<Entry>) {
    // SAFETY: refs to entries come from makeEntry only.
    unsafe base = reader.pointer(ref)
    unsafe arena = reader.base
    unsafe header = Entry.Header(bits: base.load(as: UInt64.self))
  }

  @inlinable public var keyCount: Int {
    if header.flags.contains(.longKey) {
      // SAFETY: the flag says that the length is there.
      return unsafe base.load(fromByteOffset: header.keyOffset - 8, as: Int.self)
    }
    return header.shortKeyCount
  }

  @inlinable public var key: Span<UInt8> {
    // SAFETY: the header tells where the key lies (invariant 2).
    @_lifetime(copy self) get { unsafe bytes(base, header.keyOffset, keyCount) }
  }

  /// Whether the key is `other`.
  @inlinable public func hasKey(_ other: borrowing Span<UInt8>) -> Bool {
    let count = keyCount
    guard count == other.count else { return false }
    // SAFETY: both sides are `count` bytes long.
    return unsafe other.withUnsafeBytes { theirs in
      guard let address = theirs.baseAddress else { return true }
      return unsafe equalBytes(base + header.keyOffset, address, count)
    }
  }

  /// The deadline in milliseconds since 1970, if there is one.
  @inlinable public var expiry: Int? {
    guard header.flags.contains(.expiry) else { return nil }
    // SAFETY: the flag says that the deadline is there.
    return unsafe base.load(fromByteOffset: 8, as: Int.self)
  }

  @inlinable var valueOffset: Int { header.keyOffset &+ keyCount }

  @inlinable public var valueCount: Int {
    guard header.flags.contains(.external) else { return header.inlineCount }
    // SAFETY: the flag says that a place is there.
    return unsafe base.loadUnaligned(fromByteOffset: valueOffset + 8, as: Int.self)
  }

  /// Where a long value lies, or null.
  @inlinable public var blob: Ref<Blob> {
    guard header.flags.contains(.external) else { return .null }
    // SAFETY: the flag says that a place is there.
    return Ref(unit: unsafe base.loadUnaligned(fromByteOffset: valueOffset, as: UInt64.self))
  }

  /// The value's bytes.
  @inlinable public var value: Span<UInt8> {
    @_lifetime(copy self) get {
      if header.flags.contains(.external) {
        // SAFETY: the place names a blob of that length; inline, the header tells offset and
        // length.
        return unsafe bytes(arena, blob.offset, valueCount)
      }
      return unsafe bytes(base, valueOffset, header.inlineCount)
    }
  }

  /// The entry's own parts.
  @inlinable public var layout: Entry.Layout {
    Entry.Layout(
      keyCount: keyCount, hasExpiry: header.flags.contains(.expiry),
      valueCount: header.flags.contains(.external) ? nil : header.inlineCount)
  }

  @unsafe @inlinable @_lifetime(copy self)
  func bytes(_ base: UnsafeRawPointer, _ offset: Int, _ count: Int) -> Span<UInt8> {
    let start = unsafe (base + offset).assumingMemoryBound(to: UInt8.self)
    let span = unsafe Span(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(span, copying: self)
  }
}

/// The bytes of a long value.
public enum Blob {}

/// What an entry says of itself, as plain values that outlive the view.
@frozen public struct EntryFacts: BitwiseCopyable, Sendable {
  public let header: Entry.Header
  public let keyCount: Int
  public let valueCount: Int
  public let expiry: Int?
  public let blob: Ref<Blob>

  @inlinable init(
    header: Entry.Header, keyCount: Int, valueCount: Int, expiry: Int?, blob: Ref<Blob>
  ) {
    self.header = header
    self.keyCount = keyCount
    self.valueCount = valueCount
    self.expiry = expiry
    self.blob = blob
  }

  /// The bytes of the entry itself, without its blob.
  @inlinable public var ownBytes: Int {
    header.keyOffset &+ keyCount &+ (blob.isNull ? valueCount : 16)
  }
}

extension Arena {
  /// Whether the entry's key is `key`.
  @inlinable public func hasKey(_ ref: Ref<Entry>, _ key: borrowing Span<UInt8>) -> Bool {
    reader.entry(ref).hasKey(key)
  }

  @inlinable public func facts(_ ref: Ref<Entry>) -> EntryFacts {
    let entry = reader.entry(ref)
    return EntryFacts(
      header: entry.header, keyCount: entry.keyCount, valueCount: entry.valueCount,
      expiry: entry.expiry, blob: entry.blob)
  }
}

extension ArenaReader {
  @inlinable @_lifetime(copy self) public func entry(_ ref: Ref<Entry>) -> EntryView {
    EntryView(self, ref)
  }
}

/// Whether `count` bytes at two places are equal. Short keys do not pay for a call.
@unsafe @inlinable
func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
  if count >= 8 {
    var offset = 0
    while offset < count &- 8 {
      if unsafe a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      {
        return false
      }
      offset &+= 8
    }
    // The last word overlaps the one before it when the length is no multiple of eight.
    return unsafe a.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      == b.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
  }
  var index = 0
  while index < count {
    if unsafe a.load(fromByteOffset: index, as: UInt8.self)
      != b.load(fromByteOffset: index, as: UInt8.self)
    {
      return false
    }
    index &+= 1
  }
  return true
}
