// Making, changing and freeing entries. Layout and invariants: Entry.swift.

import Bytes
import Memory

extension Arena {
  /// A new entry with a value of its own.
  public mutating func makeEntry(
    key: borrowing Span<UInt8>, value: borrowing Span<UInt8>, form: Entry.Form = .string,
    expiry: Int? = nil, access: UInt32 = 0
  ) throws(ArenaFull) -> Ref<Entry> {
    if value.count > Entry.inlineLimit {
      let blob = try allocate(value.count, as: Blob.self)
      store(value, blob, at: 0)
      do throws(ArenaFull) {
        return try makeEntry(
          key: key, blob: blob, valueCount: value.count, form: form, expiry: expiry, access: access)
      } catch {
        free(blob)
        throw error
      }
    }
    let layout = Entry.Layout(
      keyCount: key.count, hasExpiry: expiry != nil, valueCount: value.count)
    let ref = try allocate(layout.totalBytes, as: Entry.self)
    fill(ref, layout, key: key, value: value, form: form, expiry: expiry, access: access)
    return ref
  }

  /// A new entry whose value is `blob`, which the entry then owns.
  public mutating func makeEntry(
    key: borrowing Span<UInt8>, blob: Ref<Blob>, valueCount: Int, form: Entry.Form = .string,
    expiry: Int? = nil, access: UInt32 = 0
  ) throws(ArenaFull) -> Ref<Entry> {
    let layout = Entry.Layout(keyCount: key.count, hasExpiry: expiry != nil, valueCount: nil)
    let ref = try allocate(layout.totalBytes, as: Entry.self)
    let header = Entry.Header(
      form: form, flags: layout.flags, access: access, keyCount: key.count, valueCount: 0)
    let base = unsafe write(ref, count: layout.totalBytes)
    // SAFETY: the layout's parts lie inside the allocation.
    unsafe storeFront(base, header, layout, key: key, expiry: expiry)
    unsafe base.storeBytes(of: blob.unit, toByteOffset: layout.valueOffset, as: UInt64.self)
    unsafe base.storeBytes(of: valueCount, toByteOffset: layout.valueOffset + 8, as: Int.self)
    return ref
  }

  /// Writes a whole entry with an inline value over an allocation that has room for it. The key's
  /// span must not lie in that allocation.
  @inlinable public mutating func fill(
    _ ref: Ref<Entry>, _ layout: Entry.Layout, key: borrowing Span<UInt8>,
    value: borrowing Span<UInt8>, form: Entry.Form = .string, expiry: Int?, access: UInt32
  ) {
    let header = Entry.Header(
      form: form, flags: layout.flags, access: access, keyCount: key.count,
      valueCount: value.count)
    let base = unsafe write(ref, count: layout.totalBytes)
    // SAFETY: the layout's parts lie inside the allocation, and value.count <= inlineLimit.
    unsafe storeFront(base, header, layout, key: key, expiry: expiry)
    unsafe value.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe (base + layout.valueOffset).copyMemory(from: source, byteCount: bytes.count)
    }
  }

  @unsafe @inlinable func storeFront(
    _ base: UnsafeMutableRawPointer, _ header: Entry.Header, _ layout: Entry.Layout,
    key: borrowing Span<UInt8>, expiry: Int?
  ) {
    unsafe base.storeBytes(of: header.bits, as: UInt64.self)
    if let expiry { unsafe base.storeBytes(of: expiry, toByteOffset: 8, as: Int.self) }
    if layout.flags.contains(.longKey) {
      unsafe base.storeBytes(of: key.count, toByteOffset: layout.keyOffset - 8, as: Int.self)
    }
    unsafe key.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe (base + layout.keyOffset).copyMemory(from: source, byteCount: bytes.count)
    }
  }

  /// Frees an entry and, if it has one, its blob. What a root record names is the caller's
  /// (`discardEntry` knows it).
  @inlinable public mutating func freeEntry(_ ref: Ref<Entry>) {
    let blob = reader.entry(ref).blob
    if !blob.isNull { free(blob) }
    free(ref)
  }

  /// The bytes that an entry takes in all.
  public func entryBytes(_ ref: Ref<Entry>) -> Int {
    let blob = reader.entry(ref).blob
    return allocatedBytes(ref) + (blob.isNull ? 0 : allocatedBytes(blob))
  }

  /// A copy of an entry and its blob under another key, with the same deadline. It has no record
  /// in any wheel.
  /// - Parameter sharesBlob: whether both entries name the same blob, or structures. The caller
  ///   then frees one of the two with `free`, which leaves them to the other.
  public mutating func copyEntry(
    _ old: Ref<Entry>, key: borrowing Span<UInt8>, access: UInt32, sharesBlob: Bool = false
  ) throws(ArenaFull) -> Ref<Entry> {
    let (_, count, oldBlob, header) = shape(old)
    let expiry = reader.entry(old).expiry
    let layout = Entry.Layout(
      keyCount: key.count, hasExpiry: expiry != nil, valueCount: oldBlob.isNull ? count : nil)
    let ref = try allocate(layout.totalBytes, as: Entry.self)
    var blob = oldBlob
    if !oldBlob.isNull && !sharesBlob {
      do throws(ArenaFull) {
        blob = try allocate(count, as: Blob.self)
      } catch {
        free(ref)
        throw error
      }
      copy(from: old, to: blob, count)
    }
    var flags = header.flags
    flags.remove([.expiry, .external, .longKey, .filed, .odd])
    let newHeader = Entry.Header(
      form: header.form, flags: flags.union(layout.flags), access: access, keyCount: key.count,
      valueCount: oldBlob.isNull ? count : 0)
    // SAFETY: a fresh allocation of the layout's size.
    let base = unsafe write(ref, count: layout.totalBytes)
    unsafe storeMoved(
      old, to: base, layout, newHeader, key: key, expiry: expiry, kept: count, valueCount: count)
    if !blob.isNull { setPlace(ref, layout.valueOffset, blob, count) }
    return ref
  }

  /// Moves `old` into a new allocation of another shape: with or without a deadline, and with room
  /// for a value of `valueCount` bytes. Value bytes that both have are kept, others are zero. The
  /// old entry is freed, or kept whole when there is no memory.
  /// - Parameter slack: whether a blob gets room to grow.
  public mutating func reshape(
    _ old: Ref<Entry>, expiry: Int?, valueCount: Int, slack: Bool
  ) throws(ArenaFull) -> Ref<Entry> {
    let (keyCount, oldCount, oldBlob, header) = shape(old)
    let isExternal = !oldBlob.isNull || valueCount > Entry.inlineLimit
    let layout = Entry.Layout(
      keyCount: keyCount, hasExpiry: expiry != nil, valueCount: isExternal ? nil : valueCount)
    let ref = try allocate(layout.totalBytes, as: Entry.self)
    var blob = oldBlob
    if isExternal && (oldBlob.isNull || allocatedBytes(oldBlob) < valueCount) {
      do throws(ArenaFull) {
        blob = try allocateBlob(valueCount, slack: slack)
      } catch {
        free(ref)
        throw error
      }
      copy(from: old, to: blob, min(oldCount, valueCount))
    }
    if isExternal { zero(blob, from: min(oldCount, valueCount), to: valueCount) }
    var flags = header.flags
    flags.remove([.expiry, .external, .longKey])
    let newHeader = Entry.Header(
      form: header.form, flags: flags.union(layout.flags), access: header.access,
      keyCount: keyCount, valueCount: isExternal ? 0 : valueCount)
    // SAFETY: a fresh allocation of the layout's size.
    let base = unsafe write(ref, count: layout.totalBytes)
    unsafe storeMoved(
      old, to: base, layout, newHeader, key: reader.entry(old).key, expiry: expiry,
      kept: min(oldCount, valueCount), valueCount: valueCount)
    if isExternal { setPlace(ref, layout.valueOffset, blob, valueCount) }
    if !oldBlob.isNull && blob != oldBlob { free(oldBlob) }
    free(old)
    return ref
  }

  /// Changes the length of a value whose entry keeps its shape: possible when the entry's
  /// allocation class stays the same, or the blob has room. New bytes are zero.
  /// - Returns: false, with nothing changed, when `reshape` is needed.
  public mutating func resize(_ ref: Ref<Entry>, valueCount: Int) -> Bool {
    let (keyCount, oldCount, blob, oldHeader) = shape(ref)
    var header = oldHeader
    let old = reader.entry(ref).layout
    if !blob.isNull {
      guard valueCount > Entry.inlineLimit, allocatedBytes(blob) >= valueCount else { return false }
      zero(blob, from: min(oldCount, valueCount), to: valueCount)
      setPlace(ref, old.valueOffset, blob, valueCount)
    } else {
      let new = Entry.Layout(
        keyCount: keyCount, hasExpiry: header.flags.contains(.expiry), valueCount: valueCount)
      guard valueCount <= Entry.inlineLimit,
        roundedBytes(new.totalBytes) == roundedBytes(old.totalBytes)
      else { return false }
      header.bits = header.bits & ~(0xFFFF << 48) | UInt64(valueCount) << 48
      let base = unsafe write(ref, count: new.totalBytes)
      // SAFETY: the new layout fits the same allocation.
      unsafe base.storeBytes(of: header.bits, as: UInt64.self)
      if valueCount > oldCount {
        unsafe (base + old.valueOffset + oldCount).initializeMemory(
          as: UInt8.self, repeating: 0, count: valueCount - oldCount)
      }
    }
    return true
  }

  /// Bytes `range` of the value, to be changed in place.
  @_lifetime(&self)
  public mutating func mutableValue(_ ref: Ref<Entry>, _ range: Range<Int>) -> MutableSpan<UInt8> {
    let (_, count, blob, _) = shape(ref)
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let target = blob.isNull ? ref.cast(to: Blob.self) : blob
    let start = (blob.isNull ? valueOffset(ref) : 0) + range.lowerBound
    // SAFETY: the range lies inside the value; the barrier covers it.
    let base = unsafe write(target, at: start, count: max(range.count, 1))
    let span = unsafe MutableSpan(
      _unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: range.count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Gives an entry without structures another value and deadline, in place where that fits. The
  /// spans lie outside the arena.
  /// - Returns: the entry as it is now; when it is another one, the old one is freed.
  public mutating func rewrite(
    _ old: Ref<Entry>, key: borrowing Span<UInt8>, value: borrowing Span<UInt8>, expiry: Int?
  ) throws(ArenaFull) -> Ref<Entry> {
    let facts = facts(old)
    let form = facts.header.form
    precondition(!form.hasRoot)
    if facts.blob.isNull && value.count <= Entry.inlineLimit {
      let layout = Entry.Layout(
        keyCount: key.count, hasExpiry: expiry != nil, valueCount: value.count)
      if roundedBytes(layout.totalBytes) == roundedBytes(facts.ownBytes) {
        fill(
          old, layout, key: key, value: value, form: form, expiry: expiry,
          access: facts.header.access)
        return old
      }
    }
    let new = try makeEntry(
      key: key, value: value, form: form, expiry: expiry, access: facts.header.access)
    freeEntry(old)
    return new
  }

  /// An entry with the same key, deadline and flags as `old` and another value, which lies outside
  /// the arena. `old` remains.
  public mutating func makeEntry(
    like old: Ref<Entry>, value: borrowing Span<UInt8>, form: Entry.Form
  ) throws(ArenaFull) -> Ref<Entry> {
    let facts = facts(old)
    var blob = Ref<Blob>.null
    if value.count > Entry.inlineLimit {
      blob = try allocate(value.count, as: Blob.self)
      store(value, blob, at: 0)
    }
    let layout = Entry.Layout(
      keyCount: facts.keyCount, hasExpiry: facts.expiry != nil,
      valueCount: blob.isNull ? value.count : nil)
    let ref: Ref<Entry>
    do throws(ArenaFull) {
      ref = try allocate(layout.totalBytes, as: Entry.self)
    } catch {
      if !blob.isNull { free(blob) }
      throw error
    }
    var flags = facts.header.flags
    flags.remove([.expiry, .external, .longKey])
    let header = Entry.Header(
      form: form, flags: flags.union(layout.flags), access: facts.header.access,
      keyCount: facts.keyCount, valueCount: blob.isNull ? value.count : 0)
    // SAFETY: a fresh allocation of the layout's size, which is not the old entry's; the value lies
    // outside the arena.
    let base = unsafe write(ref, count: layout.totalBytes)
    unsafe storeFront(base, header, layout, key: reader.entry(old).key, expiry: facts.expiry)
    guard blob.isNull else {
      setPlace(ref, layout.valueOffset, blob, value.count)
      return ref
    }
    unsafe value.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe (base + layout.valueOffset).copyMemory(from: source, byteCount: bytes.count)
    }
    return ref
  }

  /// A copy of an entry without structures: key, value, deadline and flags.
  public mutating func cloneEntry(_ old: Ref<Entry>) throws(ArenaFull) -> Ref<Entry> {
    let facts = facts(old)
    precondition(!facts.header.form.hasRoot)
    let ref = try allocate(facts.ownBytes, as: Entry.self)
    // SAFETY: both allocations have so many bytes and are different.
    unsafe write(ref, count: facts.ownBytes)
      .copyMemory(from: reader.pointer(old), byteCount: facts.ownBytes)
    guard !facts.blob.isNull else { return ref }
    do throws(ArenaFull) {
      let blob = try allocate(facts.valueCount, as: Blob.self)
      copy(from: old, to: blob, facts.valueCount)
      setPlace(ref, facts.ownBytes - 16, blob, facts.valueCount)
      return ref
    } catch {
      free(ref)
      throw error
    }
  }

  /// Stores the flags, or a deadline over an old one.
  @inlinable public mutating func setFlags(_ ref: Ref<Entry>, _ flags: Entry.Flags) {
    var header = reader.entry(ref).header
    assert(
      header.flags.symmetricDifference(flags).isDisjoint(with: [.expiry, .longKey, .external]))
    header.flags = flags
    // SAFETY: an entry begins with its header.
    unsafe write(ref, count: 8).storeBytes(of: header.bits, as: UInt64.self)
  }

  @inlinable public mutating func setExpiry(_ ref: Ref<Entry>, _ expiry: Int) {
    precondition(reader.entry(ref).header.flags.contains(.expiry))
    // SAFETY: the flag says that a deadline follows the header.
    unsafe write(ref, at: 8, count: 8).storeBytes(of: expiry, as: Int.self)
  }

  /// Notes an access; a hint that costs no page its cleanness.
  @inlinable public mutating func setAccess(_ ref: Ref<Entry>, _ access: UInt32) {
    hint(ref, at: 2, UInt16(truncatingIfNeeded: access), UInt8(truncatingIfNeeded: access >> 16))
  }

  /// Room for a blob of `count` bytes; with slack for growing ones, so that n appends cost O(n).
  public mutating func allocateBlob(_ count: Int, slack: Bool) throws(ArenaFull) -> Ref<Blob> {
    guard slack else { return try allocate(count, as: Blob.self) }
    let generous = count + max(count / 4, min(count, 1 << 20))
    if generous <= Self.largestAllocationBytes, let blob = try? allocate(generous, as: Blob.self) {
      return blob
    }
    return try allocate(count, as: Blob.self)
  }

  /// Copies `bytes` to offset `offset` of a blob.
  public mutating func store(_ bytes: borrowing Span<UInt8>, _ blob: Ref<Blob>, at offset: Int) {
    guard bytes.count > 0 else { return }
    let target = unsafe write(blob, at: offset, count: bytes.count)
    // SAFETY: the caller stays inside what it allocated; regions of different owners are disjoint.
    unsafe bytes.withUnsafeBytes { source in
      guard let address = source.baseAddress else { return }
      unsafe target.copyMemory(from: address, byteCount: source.count)
    }
  }

  /// A blob's bytes, to be filled from elsewhere: the barrier runs for all of them now.
  public mutating func destination(_ blob: Ref<Blob>, count: Int) -> Destination {
    // SAFETY: the blob is that long, and belongs to the caller until it is linked or freed.
    unsafe Destination(base: write(blob, count: count), count: count)
  }

  // MARK: Pieces

  private func valueOffset(_ ref: Ref<Entry>) -> Int { reader.entry(ref).layout.valueOffset }

  private func shape(_ ref: Ref<Entry>) -> (Int, Int, Ref<Blob>, Entry.Header) {
    let entry = reader.entry(ref)
    return (entry.keyCount, entry.valueCount, entry.blob, entry.header)
  }

  mutating func setPlace(_ ref: Ref<Entry>, _ offset: Int, _ blob: Ref<Blob>, _ count: Int) {
    let place = unsafe write(ref, at: offset, count: 16)
    // SAFETY: the caller's layout has a place at offset.
    unsafe place.storeBytes(of: blob.unit, as: UInt64.self)
    unsafe place.storeBytes(of: count, toByteOffset: 8, as: Int.self)
  }

  private mutating func zero(_ blob: Ref<Blob>, from start: Int, to end: Int) {
    guard end > start else { return }
    // SAFETY: the blob has room for `end` bytes.
    unsafe write(blob, at: start, count: end - start).initializeMemory(
      as: UInt8.self, repeating: 0, count: end - start)
  }

  private mutating func copy(from old: Ref<Entry>, to blob: Ref<Blob>, _ count: Int) {
    guard count > 0 else { return }
    let target = unsafe write(blob, count: count)
    // SAFETY: both have `count` bytes and are different allocations.
    unsafe reader.entry(old).value.withUnsafeBytes { source in
      guard let address = source.baseAddress else { return }
      unsafe target.copyMemory(from: address, byteCount: count)
    }
  }

  @unsafe private func storeMoved(
    _ old: Ref<Entry>, to base: UnsafeMutableRawPointer, _ layout: Entry.Layout,
    _ header: Entry.Header,
    key: borrowing Span<UInt8>, expiry: Int?, kept: Int, valueCount: Int
  ) {
    let entry = reader.entry(old)
    // SAFETY: the layout's parts lie inside the new allocation, which is not the old one.
    unsafe storeFront(base, header, layout, key: key, expiry: expiry)
    guard !layout.flags.contains(.external) else { return }
    unsafe entry.value.withUnsafeBytes { source in
      guard let address = source.baseAddress else { return }
      unsafe (base + layout.valueOffset).copyMemory(from: address, byteCount: kept)
    }
    unsafe (base + layout.valueOffset + kept).initializeMemory(
      as: UInt8.self, repeating: 0, count: valueCount - kept)
  }
}
