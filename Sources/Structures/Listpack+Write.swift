// Changing listpacks where they lie: as the value of an entry, inline or in its blob, or as a bare
// blob. Format: Listpack.swift.
//
// 1. A place names the list before and after every edit; an edit may move it, and then whoever
//    refers to it has to be told.
// 2. Elements to be stored never lie in the arena's part that the edit moves: they come from a
//    request, or were copied.
// 3. When there is no memory nothing has changed. Removing needs none.

import Bytes
import Memory

/// Where a listpack lies.
@frozen public enum ListpackPlace: BitwiseCopyable, Equatable, Sendable {
  case value(Ref<Entry>)
  case blob(Ref<Blob>)

  /// The blob; the place must be one.
  @inlinable public var blob: Ref<Blob> {
    guard case .blob(let blob) = self else { preconditionFailure("the place is an entry") }
    return blob
  }

  /// The entry; the place must be one.
  @inlinable public var entry: Ref<Entry> {
    guard case .value(let entry) = self else { preconditionFailure("the place is a blob") }
    return entry
  }
}

extension ArenaReader {
  /// The listpack that is an entry's value.
  @inlinable @_lifetime(copy self) public func listpack(_ ref: Ref<Entry>) -> Listpack {
    Listpack(entry(ref).value)
  }

  /// The listpack that is a bare blob.
  @inlinable @_lifetime(copy self) public func listpack(_ blob: Ref<Blob>) -> Listpack {
    // SAFETY: such a blob begins with its own length.
    unsafe Listpack(bytes(blob, at: 0, count: Int(load(blob, as: UInt32.self))))
  }

  @inlinable @_lifetime(copy self) public func listpack(_ place: ListpackPlace) -> Listpack {
    switch place {
    case .value(let ref): return listpack(ref)
    case .blob(let blob): return listpack(blob)
    }
  }
}

extension Arena {
  /// A listpack without elements, in a blob of its own.
  public mutating func makeListpack() throws(ArenaFull) -> Ref<Blob> {
    try makeListpack(Listpack.empty.span)
  }

  /// A blob with the whole listpack `bytes`, which must not lie in the arena.
  public mutating func makeListpack(
    _ bytes: borrowing Span<UInt8>
  ) throws(ArenaFull) -> Ref<Blob> {
    let blob = try allocate(bytes.count, as: Blob.self)
    store(bytes, blob, at: 0)
    return blob
  }

  /// Inserts `element` before the one at `offset`, or at the end.
  public mutating func insert(
    _ element: borrowing ListpackElement, into place: inout ListpackPlace, at offset: Int
  ) throws(ArenaFull) {
    let count = element.encodedCount
    try splice(&place, at: offset, removing: 0, adding: count, elements: 1)
    var gap = mutableListpack(place, offset..<(offset + count))
    element.encode(into: &gap, at: 0)
  }

  /// Inserts two elements, such as a field and its value, before the one at `offset`.
  public mutating func insert(
    _ first: borrowing ListpackElement, _ second: borrowing ListpackElement,
    into place: inout ListpackPlace, at offset: Int
  ) throws(ArenaFull) {
    let firstCount = first.encodedCount
    let count = firstCount + second.encodedCount
    try splice(&place, at: offset, removing: 0, adding: count, elements: 2)
    var gap = mutableListpack(place, offset..<(offset + count))
    first.encode(into: &gap, at: 0)
    second.encode(into: &gap, at: firstCount)
  }

  /// Inserts three elements, such as a field, its value and its deadline, before the one at
  /// `offset`.
  public mutating func insert(
    _ first: borrowing ListpackElement, _ second: borrowing ListpackElement,
    _ third: borrowing ListpackElement, into place: inout ListpackPlace, at offset: Int
  ) throws(ArenaFull) {
    let secondAt = first.encodedCount
    let thirdAt = secondAt + second.encodedCount
    let count = thirdAt + third.encodedCount
    try splice(&place, at: offset, removing: 0, adding: count, elements: 3)
    var gap = mutableListpack(place, offset..<(offset + count))
    first.encode(into: &gap, at: 0)
    second.encode(into: &gap, at: secondAt)
    third.encode(into: &gap, at: thirdAt)
  }

  /// Appends an element.
  public mutating func append(
    _ element: borrowing ListpackElement, to place: inout ListpackPlace
  ) throws(ArenaFull) {
    try insert(element, into: &place, at: reader.listpack(place).end)
  }

  /// Replaces the element at `offset`.
  public mutating func replace(
    in place: inout ListpackPlace, at offset: Int, with element: borrowing ListpackElement
  ) throws(ArenaFull) {
    let old = reader.listpack(place).next(offset) - offset
    let count = element.encodedCount
    try splice(&place, at: offset, removing: old, adding: count, elements: 0)
    var gap = mutableListpack(place, offset..<(offset + count))
    element.encode(into: &gap, at: 0)
  }

  /// Removes the `elements` elements whose bytes are `range`.
  public mutating func remove(
    _ range: Range<Int>, elements: Int, from place: inout ListpackPlace
  ) {
    do throws(ArenaFull) {
      try splice(
        &place, at: range.lowerBound, removing: range.count, adding: 0, elements: -elements)
    } catch {
      preconditionFailure("removing needed memory")
    }
  }

  /// Removes the element at `offset`, or several from there on.
  /// - Returns: how many were removed; fewer than asked for at the end.
  @discardableResult
  public mutating func removeElements(
    _ elements: Int = 1, at offset: Int, from place: inout ListpackPlace
  ) -> Int {
    let last = reader.listpack(place).end
    var end = offset
    var count = 0
    while count < elements && end < last {
      end = reader.listpack(place).next(end)
      count += 1
    }
    if count > 0 { remove(offset..<end, elements: count, from: &place) }
    return count
  }

  /// Moves the elements from `offset` on, `elements` of them, into a new blob.
  public mutating func splitListpack(
    _ place: inout ListpackPlace, at offset: Int, elements: Int
  ) throws(ArenaFull) -> Ref<Blob> {
    let end = reader.listpack(place).end
    let count = end - offset
    let blob = try allocate(Listpack.empty.count + count, as: Blob.self)
    store(
      Listpack.header(byteCount: Listpack.empty.count + count, count: elements).span, blob, at: 0)
    copyBytes(place, offset..<(end + 1), to: blob, at: Listpack.headerBytes)
    remove(offset..<end, elements: elements, from: &place)
    return blob
  }

  /// Appends all elements of `other`, which stays as it is.
  public mutating func appendListpack(
    _ other: Ref<Blob>, to place: inout ListpackPlace
  ) throws(ArenaFull) {
    let end = reader.listpack(place).end
    let otherEnd = reader.listpack(other).end
    let elements = reader.listpack(other).count
    let count = otherEnd - Listpack.headerBytes
    try splice(&place, at: end, removing: 0, adding: count, elements: elements)
    copyBytes(.blob(other), Listpack.headerBytes..<otherEnd, to: place, at: end)
  }

  // MARK: Pieces

  /// Bytes `range` of the listpack, to be changed in place.
  @_lifetime(&self)
  public mutating func mutableListpack(
    _ place: ListpackPlace, _ range: Range<Int>
  ) -> MutableSpan<UInt8> {
    switch place {
    case .value(let ref): return mutableValue(ref, range)
    case .blob(let blob): return mutableBlob(blob, range)
    }
  }

  /// Replaces bytes, and makes the header true. `elements` is how many elements it becomes more.
  mutating func splice(
    _ place: inout ListpackPlace, at offset: Int, removing removed: Int, adding added: Int,
    elements: Int
  ) throws(ArenaFull) {
    let byteCount = reader.listpack(place).bytes.count
    let stored = reader.listpack(place).storedCount
    precondition(offset >= Listpack.headerBytes && offset + removed < byteCount)
    switch place {
    case .value(var ref):
      try splice(&ref, at: offset, removing: removed, adding: added)
      place = .value(ref)
    case .blob(var blob):
      try splice(&blob, count: byteCount, at: offset, removing: removed, adding: added)
      place = .blob(blob)
    }
    let isKnown = stored != Listpack.unknownCount
    let header = Listpack.header(
      byteCount: byteCount + added - removed, count: isKnown ? stored + elements : stored)
    var front = mutableListpack(place, 0..<Listpack.headerBytes)
    front.copy(header.span)
  }

  private mutating func copyBytes(
    _ source: ListpackPlace, _ range: Range<Int>, to target: Ref<Blob>, at offset: Int
  ) {
    copyBytes(source, range, to: .blob(target), at: offset)
  }

  /// Copies between two different allocations.
  private mutating func copyBytes(
    _ source: ListpackPlace, _ range: Range<Int>, to target: ListpackPlace, at offset: Int
  ) {
    guard !range.isEmpty else { return }
    let from = unsafe reader.listpack(source).bytes.extracting(range)
      .withUnsafeBytes { bytes in unsafe bytes.baseAddress.unsafelyUnwrapped }
    // SAFETY: the range is not empty, so there is an address; the source is another allocation,
    // which does not move meanwhile.
    var gap = mutableListpack(target, offset..<(offset + range.count))
    unsafe gap.withUnsafeMutableBytes { bytes in
      unsafe bytes.baseAddress.unsafelyUnwrapped.copyMemory(from: from, byteCount: range.count)
    }
  }
}
