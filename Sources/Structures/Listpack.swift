// Listpack: a list of strings and integers in one run of bytes, in Redis' published format.
//
//   | total bytes 4 | count 2 | element | element | ... | 0xFF |
//
//   element     | head, data | backward length 1-5 |
//   head, data  0xxxxxxx                        integer 0 ... 127
//               10xxxxxx  bytes                 string of up to 63 bytes
//               110xxxxx x                      integer of 13 bits
//               1110xxxx x  bytes               string of up to 4095 bytes
//               0xF0 length 4  bytes            longer string
//               0xF1 2, 0xF2 3, 0xF3 4, 0xF4 8  integer of 16, 24, 32, 64 bits
//
// An element's place is the offset of its head; the terminator's place is the list's end.
//
// 1. A backward length is that of head and data, seven bits a byte, the last seven in the last
//    byte; every byte but the first has its top bit set. So a list is read backwards, too.
// 2. A count of 65535 means that the elements have to be counted.
// 3. Ours holds an integer wherever the text is one; a foreign one may hold it as a string.
// 4. A view trusts its bytes: what comes from elsewhere passes `isValid` first. Even damaged bytes
//    are never read beyond the span.

import Bytes

@frozen public struct Listpack: ~Escapable {
  public let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  @inlinable public static var headerBytes: Int { 6 }
  @inlinable static var unknownCount: Int { 65535 }
  /// The longest list that edits make.
  public static var largestBytes: Int { 1 << 30 }
  /// A list without elements.
  public static var empty: InlineArray<7, UInt8> { [7, 0, 0, 0, 0, 0, 0xFF] }

  // MARK: Places

  /// The place behind the last element.
  @inlinable public var end: Int { bytes.count &- 1 }
  /// The first element's place; the end when there is none.
  @inlinable public var start: Int { Self.headerBytes }
  @inlinable public var isEmpty: Bool { end <= start }

  /// How many elements there are. O(1) below 65535, else O(n).
  @inlinable public var count: Int {
    let stored = storedCount
    return stored == Self.unknownCount ? countElements() : stored
  }

  @inlinable var storedCount: Int { Int(bytes[4]) | Int(bytes[5]) &<< 8 }

  @usableFromInline func countElements() -> Int {
    var place = start
    var count = 0
    while place < end {
      place = next(place)
      count += 1
    }
    return count
  }

  /// The bytes of head and data of the element at `place`.
  @inlinable func bodyCount(_ place: Int) -> Int {
    let head = bytes[place]
    if head < 0x80 { return 1 }
    if head < 0xC0 { return 1 &+ Int(head & 63) }
    if head < 0xE0 { return 2 }
    if head < 0xF0 { return 2 &+ (Int(head & 15) &<< 8 | Int(bytes[place &+ 1])) }
    switch head {
    case 0xF0: return 5 &+ bytes.littleEndian(at: place &+ 1, count: 4)
    case 0xF1: return 3
    case 0xF2: return 4
    case 0xF3: return 5
    case 0xF4: return 9
    default: preconditionFailure("a listpack is damaged")
    }
  }

  /// The place after the element at `place`.
  @inlinable public func next(_ place: Int) -> Int {
    let body = bodyCount(place)
    return place &+ body &+ ListpackElement.backwardCount(body)
  }

  /// The place before `place`, which is not the start.
  @inlinable public func previous(_ place: Int) -> Int {
    var position = place &- 1
    var body = Int(bytes[position] & 127)
    var shift = 7
    while bytes[position] & 128 != 0 && shift <= 28 {
      position &-= 1
      body |= Int(bytes[position] & 127) &<< shift
      shift &+= 7
    }
    let before = place &- body &- ListpackElement.backwardCount(body)
    precondition(before >= start, "a listpack is damaged")
    return before
  }

  /// The place `count` elements after `place`, at most the end.
  @inlinable public func skip(_ place: Int, _ count: Int) -> Int {
    var place = place
    var left = count
    while left > 0 && place < end {
      place = next(place)
      left &-= 1
    }
    return place
  }

  /// The place of element `index`, counted from 0, or backwards from -1. Searches from the nearer
  /// end.
  public func place(of index: Int) -> Int? {
    let stored = storedCount
    var index = index
    if stored != Self.unknownCount {
      if index < 0 { index += stored }
      guard index >= 0 && index < stored else { return nil }
      if index > stored / 2 { index -= stored }
    }
    if index >= 0 {
      let place = skip(start, index)
      return place < end ? place : nil
    }
    var place = end
    while index < 0 {
      guard place > start else { return nil }
      place = previous(place)
      index += 1
    }
    return place
  }

  // MARK: Elements

  /// The element at `place`.
  @inlinable @_lifetime(copy self) public func element(_ place: Int) -> ListpackElement {
    let head = bytes[place]
    if head < 0x80 { return ListpackElement(integer: Int(head)) }
    if head < 0xC0 { return string(place &+ 1, Int(head & 63)) }
    if head < 0xE0 {
      let bits = Int(head & 31) &<< 8 | Int(bytes[place &+ 1])
      return ListpackElement(integer: bits >= 4096 ? bits &- 8192 : bits)
    }
    if head < 0xF1 {
      let body = bodyCount(place)
      let front = head == 0xF0 ? 5 : 2
      return string(place &+ front, body &- front)
    }
    return ListpackElement(integer: wideInteger(place, head))
  }

  @inlinable @_lifetime(copy self)
  func string(_ offset: Int, _ count: Int) -> ListpackElement {
    ListpackElement(text: bytes.extracting(offset..<(offset &+ count)))
  }

  @inlinable func wideInteger(_ place: Int, _ head: UInt8) -> Int {
    let width = head == 0xF4 ? 8 : Int(head) &- 0xEF
    let bits = bytes.littleEndian(at: place &+ 1, count: width)
    let unused = 64 &- width &* 8
    return (bits &<< unused) &>> unused
  }

  /// The place of the first element from `place` on that equals `wanted`, of those that lie a
  /// multiple of `step` elements away.
  public func find(
    _ wanted: borrowing ListpackElement, from place: Int, step: Int = 1
  ) -> Int? {
    var place = place
    while place < end {
      if element(place).equals(wanted) { return place }
      place = skip(place, step)
    }
    return nil
  }
}

extension Span where Element == UInt8 {
  /// `count` bytes at `offset`, at most 8, the lowest first.
  @inlinable func littleEndian(at offset: Int, count: Int) -> Int {
    var bits = 0
    var index = count
    while index > 0 {
      index &-= 1
      bits = bits &<< 8 | Int(self[offset &+ index])
    }
    return bits
  }
}
