// Intset: a sorted set of integers in one run of bytes, in Redis' published format.
//
//   | width 4 | count 4 | integer | integer | ... |
//
// 1. The width of every integer is 2, 4 or 8 bytes: what the widest one needed when it came. It
//    never shrinks.
// 2. The integers ascend strictly.
// 3. A view trusts its bytes: what comes from elsewhere passes `isValid` first.

import Bytes
import Memory

@frozen public struct Intset: ~Escapable {
  public let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  @inlinable static var headerBytes: Int { 8 }
  /// A set without integers.
  public static var empty: InlineArray<8, UInt8> { [2, 0, 0, 0, 0, 0, 0, 0] }

  /// The bytes of one integer.
  @inlinable public var width: Int { bytes.littleEndian(at: 0, count: 4) }
  @inlinable public var count: Int { bytes.littleEndian(at: 4, count: 4) }

  /// The integer number `index` in ascending order.
  @inlinable public subscript(_ index: Int) -> Int { integer(index, width: width) }

  @inlinable func integer(_ index: Int, width: Int) -> Int {
    let unused = 64 &- width &* 8
    let offset = Self.headerBytes &+ index &* width
    return (bytes.littleEndian(at: offset, count: width) &<< unused) &>> unused
  }

  @inlinable public func contains(_ value: Int) -> Bool { search(value).isFound }

  /// Where `value` is, or would be inserted.
  public func search(_ value: Int) -> (isFound: Bool, index: Int) {
    let width = width
    var low = 0
    var high = count
    if Self.width(for: value) > width { return (false, value < 0 ? 0 : high) }
    while low < high {
      let middle = (low &+ high) &>> 1
      let found = integer(middle, width: width)
      if found == value { return (true, middle) }
      if found < value { low = middle &+ 1 } else { high = middle }
    }
    return (false, low)
  }

  /// The width that `value` needs.
  @inlinable static func width(for value: Int) -> Int {
    if value >= -(1 << 15) && value < 1 << 15 { return 2 }
    return value >= -(1 << 31) && value < 1 << 31 ? 4 : 8
  }

  /// Whether `bytes` are a whole and sound intset. O(n), and nothing is trusted. An empty one is
  /// refused, as Redis refuses it.
  public static func isValid(_ bytes: borrowing Span<UInt8>) -> Bool {
    guard bytes.count > headerBytes else { return false }
    let set = Intset(copy bytes)
    let width = set.width
    let count = set.count
    guard width == 2 || width == 4 || width == 8, count > 0,
      count == (bytes.count - headerBytes) / width, headerBytes + count * width == bytes.count
    else { return false }
    for index in 1..<max(count, 1) where set[index - 1] >= set[index] { return false }
    return true
  }
}

extension ArenaReader {
  /// The intset that is an entry's value.
  @inlinable @_lifetime(copy self) public func intset(_ ref: Ref<Entry>) -> Intset {
    Intset(entry(ref).value)
  }
}

extension Arena {
  /// Inserts `value` into the intset that is the value of `ref`. The entry may move.
  /// - Returns: whether it was not there before.
  public mutating func insert(
    _ value: Int, intoIntset ref: inout Ref<Entry>
  ) throws(ArenaFull) -> Bool {
    let count = reader.intset(ref).count
    let oldWidth = reader.intset(ref).width
    let (isFound, index) = reader.intset(ref).search(value)
    if isFound { return false }
    let width = max(oldWidth, Intset.width(for: value))
    let size = Intset.headerBytes + count * oldWidth
    if width == oldWidth {
      let offset = Intset.headerBytes + index * width
      try splice(&ref, at: offset, removing: 0, adding: width)
      var gap = mutableValue(ref, offset..<(offset + width))
      gap.storeLittleEndian(value, at: 0, count: width)
    } else {
      try splice(&ref, at: size, removing: 0, adding: (count + 1) * width - count * oldWidth)
      widen(ref, count: count, from: oldWidth, to: width, first: value < 0 ? value : nil)
      if value >= 0 {
        let offset = Intset.headerBytes + count * width
        var gap = mutableValue(ref, offset..<(offset + width))
        gap.storeLittleEndian(value, at: 0, count: width)
      }
    }
    storeHeader(ref, width: width, count: count + 1)
    return true
  }

  /// Removes `value`.
  /// - Returns: whether it was there.
  public mutating func remove(_ value: Int, fromIntset ref: inout Ref<Entry>) -> Bool {
    let width = reader.intset(ref).width
    let count = reader.intset(ref).count
    let (isFound, index) = reader.intset(ref).search(value)
    guard isFound else { return false }
    do throws(ArenaFull) {
      try splice(&ref, at: Intset.headerBytes + index * width, removing: width, adding: 0)
    } catch {
      preconditionFailure("removing needed memory")
    }
    storeHeader(ref, width: width, count: count - 1)
    return true
  }

  /// Gives `count` integers another width, the last one first, behind `first` if there is one.
  private mutating func widen(
    _ ref: Ref<Entry>, count: Int, from old: Int, to new: Int, first: Int?
  ) {
    let shift = first == nil ? 0 : 1
    var value = mutableValue(ref, 0..<(Intset.headerBytes + (count + shift) * new))
    for index in stride(from: count - 1, through: 0, by: -1) {
      let integer = Intset(value.span).integer(index, width: old)
      value.storeLittleEndian(
        integer, at: Intset.headerBytes + (index + shift) * new, count: new)
    }
    if let first { value.storeLittleEndian(first, at: Intset.headerBytes, count: new) }
  }

  private mutating func storeHeader(_ ref: Ref<Entry>, width: Int, count: Int) {
    var front = mutableValue(ref, 0..<Intset.headerBytes)
    front.storeLittleEndian(width, at: 0, count: 4)
    front.storeLittleEndian(count, at: 4, count: 4)
  }
}
