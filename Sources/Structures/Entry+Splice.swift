// Replacing a part of a value by one of another length: how packed collections change in place.
//
//   value   | before | removed | after |   ──►   | before | added | after |
//                      offset                              undefined, to be filled
//
// 1. What is before and after the part is kept; the added bytes are undefined until the caller
//    fills them.
// 2. When there is no memory nothing has changed. A value that does not grow needs none: at worst
//    it keeps its allocation.

import Bytes
import Memory

extension Arena {
  /// Replaces `removed` bytes at `offset` of the entry's value by `added` undefined ones. The entry
  /// may move: `ref` then names its new place, and whoever referred to the old one has to be told.
  public mutating func splice(
    _ ref: inout Ref<Entry>, at offset: Int, removing removed: Int, adding added: Int
  ) throws(ArenaFull) {
    let facts = facts(ref)
    let count = facts.valueCount
    precondition(offset >= 0 && removed >= 0 && added >= 0 && removed <= count - offset)
    let newCount = count + added - removed
    if newCount == count { return }
    if fitsInPlace(ref, facts, newCount) {
      return spliceInPlace(ref, facts, at: offset, removing: removed, adding: added)
    }
    do throws(ArenaFull) {
      try spliceAnew(&ref, facts, at: offset, removing: removed, adding: added)
    } catch {
      guard newCount < count else { throw error }
      spliceInPlace(ref, facts, at: offset, removing: removed, adding: added)
    }
  }

  /// The same for `count` bytes that a bare blob holds.
  public mutating func splice(
    _ blob: inout Ref<Blob>, count: Int, at offset: Int, removing removed: Int, adding added: Int
  ) throws(ArenaFull) {
    precondition(offset >= 0 && removed >= 0 && added >= 0 && removed <= count - offset)
    let newCount = count + added - removed
    if newCount == count { return }
    let after = (offset + removed)..<count
    if !isWellFilled(blob, newCount) {
      do throws(ArenaFull) {
        let new = try allocatePacked(newCount, isGrowing: newCount > count)
        copy(blob, 0..<offset, to: new, at: 0)
        copy(blob, after, to: new, at: offset + added)
        free(blob)
        blob = new
        return
      } catch {
        if newCount > count { throw error }
      }
    }
    move(blob, after, to: offset + added)
  }

  /// Bytes `range` of a blob, to be changed in place.
  @_lifetime(&self)
  public mutating func mutableBlob(_ blob: Ref<Blob>, _ range: Range<Int>) -> MutableSpan<UInt8> {
    // SAFETY: the caller stays inside what it allocated; the barrier covers the range.
    let base = unsafe write(blob, at: range.lowerBound, count: max(range.count, 1))
    let span = unsafe MutableSpan(
      _unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: range.count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  // MARK: In place

  private func fitsInPlace(_ ref: Ref<Entry>, _ facts: EntryFacts, _ newCount: Int) -> Bool {
    if !facts.blob.isNull {
      return newCount > Entry.inlineLimit && isWellFilled(facts.blob, newCount)
    }
    let own = facts.ownBytes
    return newCount <= Entry.inlineLimit
      && roundedBytes(own - facts.valueCount + newCount) == roundedBytes(own)
  }

  /// Whether `count` bytes fit the blob without wasting much of it: a quarter more than is needed
  /// may be slack, what is less than five eighths full becomes smaller.
  private func isWellFilled(_ blob: Ref<Blob>, _ count: Int) -> Bool {
    let room = allocatedBytes(blob)
    return count <= room && (count >= room / 8 * 5 || roundedBytes(count) == room)
  }

  private mutating func spliceInPlace(
    _ ref: Ref<Entry>, _ facts: EntryFacts, at offset: Int, removing removed: Int, adding added: Int
  ) {
    let count = facts.valueCount
    let newCount = count + added - removed
    let start = facts.header.keyOffset + facts.keyCount
    let after = (offset + removed)..<count
    if !facts.blob.isNull {
      move(facts.blob, after, to: offset + added)
      return setPlace(ref, start, facts.blob, newCount)
    }
    var header = facts.header
    header.setInlineCount(newCount)
    // SAFETY: an entry begins with its header.
    unsafe write(ref, count: 8).storeBytes(of: header.bits, as: UInt64.self)
    move(
      ref.cast(to: Blob.self), (start + after.lowerBound)..<(start + after.upperBound),
      to: start + offset + added)
  }

  // MARK: Elsewhere

  private mutating func spliceAnew(
    _ ref: inout Ref<Entry>, _ facts: EntryFacts, at offset: Int, removing removed: Int,
    adding added: Int
  ) throws(ArenaFull) {
    let newCount = facts.valueCount + added - removed
    let start = facts.header.keyOffset + facts.keyCount
    let source = facts.blob.isNull ? ref.cast(to: Blob.self) : facts.blob
    let first = facts.blob.isNull ? start : 0
    let before = first..<(first + offset)
    let after = (first + offset + removed)..<(first + facts.valueCount)
    guard newCount > Entry.inlineLimit else {
      // Into a new entry, inline.
      let new = try allocate(start + newCount, as: Blob.self)
      copy(ref.cast(to: Blob.self), 0..<start, to: new, at: 0)
      copy(source, before, to: new, at: start)
      copy(source, after, to: new, at: start + offset + added)
      storeHeader(new.cast(), facts.header, inlineCount: newCount)
      freeEntry(ref)
      ref = new.cast()
      return
    }
    let blob = try allocatePacked(newCount, isGrowing: newCount > facts.valueCount)
    if facts.blob.isNull {
      let new: Ref<Blob>
      do throws(ArenaFull) {
        new = try allocate(start + 16, as: Blob.self)
      } catch {
        free(blob)
        throw error
      }
      copy(ref.cast(to: Blob.self), 0..<start, to: new, at: 0)
      storeHeader(new.cast(), facts.header, inlineCount: nil)
      copy(source, before, to: blob, at: 0)
      copy(source, after, to: blob, at: offset + added)
      free(ref)
      ref = new.cast()
    } else {
      copy(source, before, to: blob, at: 0)
      copy(source, after, to: blob, at: offset + added)
      free(facts.blob)
    }
    setPlace(ref, start, blob, newCount)
  }

  /// A blob that grows gets a quarter more than it needs, once it is so large that the steps of the
  /// size classes alone would not let it move seldom enough.
  private mutating func allocatePacked(
    _ count: Int, isGrowing: Bool
  ) throws(ArenaFull) -> Ref<Blob> {
    guard count <= Listpack.largestBytes else { throw ArenaFull() }
    if isGrowing && count > 32_768, let blob = try? allocate(count + count / 4, as: Blob.self) {
      return blob
    }
    return try allocate(count, as: Blob.self)
  }

  /// - Parameter inlineCount: the value's length; nil for a blob's place.
  private mutating func storeHeader(
    _ ref: Ref<Entry>, _ old: Entry.Header, inlineCount: Int?
  ) {
    var header = old
    var flags = header.flags
    if inlineCount == nil { flags.insert(.external) } else { flags.remove(.external) }
    header.flags = flags
    header.setInlineCount(inlineCount ?? 0)
    // SAFETY: an entry begins with its header.
    unsafe write(ref, count: 8).storeBytes(of: header.bits, as: UInt64.self)
  }

  private mutating func move(_ blob: Ref<Blob>, _ range: Range<Int>, to offset: Int) {
    guard !range.isEmpty && range.lowerBound != offset else { return }
    let source = unsafe reader.pointer(blob) + range.lowerBound
    // SAFETY: both ranges lie inside the allocation; copyMemory handles the overlap.
    unsafe write(blob, at: offset, count: range.count)
      .copyMemory(from: source, byteCount: range.count)
  }

  private mutating func copy(
    _ source: Ref<Blob>, _ range: Range<Int>, to target: Ref<Blob>, at offset: Int
  ) {
    guard !range.isEmpty else { return }
    let from = unsafe reader.pointer(source) + range.lowerBound
    // SAFETY: the callers stay inside the two allocations, which are different.
    unsafe write(target, at: offset, count: range.count)
      .copyMemory(from: from, byteCount: range.count)
  }
}

extension Entry.Header {
  /// The length of a value that lies in the entry; 0 for a blob.
  mutating func setInlineCount(_ count: Int) {
    bits = bits & ~(0xFFFF << 48) | UInt64(count) << 48
  }
}
