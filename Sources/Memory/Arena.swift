// Arena: all keyspace data, in one range of memory that can be mapped anywhere.
//
//   zone 0 (1 GiB)                                          zone 1
//   | descriptors 4 MiB | header page | pages ...           | descriptors 4 MiB | pages ...
//     16 bytes a page
//
// 1. A stored byte changes only through `write`, the barrier: it marks the 4 KiB pages that the
//    write covers in the dirty bitmap, after the provider has dealt with a page's first write.
// 2. `flip` ends an epoch: it hands out the bitmap and starts with a clean one, in O(1).
// 3. No allocation crosses a zone; descriptors and header are arena bytes like any other.
// 4. One thread owns the arena. Other threads read through a `FrozenView` only.

import CSystem

@safe public struct Arena: ~Copyable {
  @inlinable public static var pageShift: Int { 12 }
  @inlinable public static var pageBytes: Int { 4096 }
  @inlinable static var zonePageShift: Int { 18 }
  @inlinable static var zonePages: Int { 1 << zonePageShift }
  @inlinable static var descriptorPages: Int { 1024 }
  /// What a provider must at least offer: descriptors, the header page and a little room.
  public static var smallestReachBytes: Int { 8 << 20 }
  /// The largest single allocation: a zone without its descriptors.
  public static var largestAllocationBytes: Int { (zonePages - descriptorPages - 1) * pageBytes }

  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline var dirty: DirtyPages
  @usableFromInline let classes: UnsafeMutablePointer<SizeClass>
  let provider: any PageProvider  // cold: asked on the first write to a page only
  /// Views not yet closed; while there are any, no page goes back to the system.
  public private(set) var openViews = 0

  /// An empty arena over the provider's pages, which must read as zeros.
  public init(provider: any PageProvider) throws(MemoryError) {  // cold: once
    let pages = try DirtyPages(pageCount: provider.reachBytes >> Self.pageShift)
    self.init(provider, pages)
    formatHeader()
  }

  /// The arena that the provider's pages already hold. What its header says is checked, not
  /// trusted; what its owners keep in it is for them to check.
  public static func open(
    _ provider: any PageProvider  // cold: once
  ) throws(ArenaOpenError) -> Arena {
    let arena = Arena(provider, try noPages(provider))
    try arena.checkHeader()
    return arena
  }

  private init(_ provider: any PageProvider, _ dirty: consuming DirtyPages) {  // cold: once
    precondition(provider.reachBytes >= Self.smallestReachBytes)
    self.provider = provider
    // SAFETY: the provider lives as long as the arena; the classes are fresh memory, filled below.
    unsafe base = provider.base
    self.dirty = dirty
    unsafe classes = .allocate(capacity: SizeClass.count)
    for index in 0..<SizeClass.count {
      unsafe (classes + index).initialize(to: SizeClass(index: index))
    }
  }

  deinit {
    // SAFETY: allocated by init; nothing else holds them.
    unsafe classes.deallocate()
  }

  // MARK: Reading

  /// What reads stored bytes; it dies before the arena changes.
  @inlinable public var reader: ArenaReader {
    @_lifetime(borrow self) borrowing get {
      // SAFETY: the reader borrows the arena, whose mapping therefore outlives it.
      let reader = unsafe ArenaReader(base: UnsafeRawPointer(base))
      return unsafe _overrideLifetime(reader, borrowing: self)
    }
  }

  // MARK: Writing

  /// The write barrier: room to write `count` bytes at `ref`, now. The pointer is good until the
  /// next `flip`.
  @unsafe @inline(__always) @inlinable public mutating func write<Target>(
    _ ref: Ref<Target>, at offset: Int = 0, count: Int
  ) -> UnsafeMutableRawPointer {
    let start = ref.offset &+ offset
    mark(start, count)
    // SAFETY: refs come from `allocate`; the caller stays inside what it allocated.
    return unsafe base + start
  }

  /// Writes a hint: a value that may be lost, and that a frozen view may see. Dodges the barrier on
  /// pages that are dirty anyway and does nothing on others.
  @inlinable public mutating func hint<Target>(
    _ ref: Ref<Target>, at offset: Int, _ value: UInt16, _ high: UInt8
  ) {
    let start = ref.offset &+ offset
    guard dirty.contains(page: start &>> Self.pageShift),
      dirty.contains(page: (start &+ 2) &>> Self.pageShift)
    else { return }
    // SAFETY: as in `write`; dirty pages are writable, and open views have their own copies.
    unsafe (base + start).storeBytes(of: value, as: UInt16.self)
    unsafe (base + start + 2).storeBytes(of: high, as: UInt8.self)
  }

  /// Marks the page of bytes that do not cross a page's border.
  @inline(__always) @inlinable mutating func markPage(of offset: Int) {
    let page = offset &>> Self.pageShift
    if !dirty.contains(page: page) { firstWrite(page: page) }
  }

  @inline(__always) @inlinable mutating func mark(_ start: Int, _ count: Int) {
    let first = start &>> Self.pageShift
    let last = (start &+ count &- 1) &>> Self.pageShift
    if !dirty.contains(page: first) { firstWrite(page: first) }
    if first != last { markRest(first + 1, last) }
  }

  @inline(never) @usableFromInline mutating func markRest(_ first: Int, _ last: Int) {
    guard first <= last else { return }
    for page in first...last where !dirty.contains(page: page) { firstWrite(page: page) }
  }

  @inline(never) @usableFromInline mutating func firstWrite(page: Int) {
    precondition(page >= 0 && page < dirty.pageCount, "a write beyond the arena")
    provider.willWrite(page: page)
    dirty.insert(page: page)
  }

  // MARK: Epochs and views

  /// Ends the epoch: every page is clean again.
  /// - Returns: the pages written since the last flip.
  @discardableResult
  public mutating func flip() throws(MemoryError) -> DirtyPages {
    var closed = try DirtyPages(pageCount: dirty.pageCount)
    swap(&closed, &dirty)
    provider.didFlip(usedPages: usedPages)
    return closed
  }

  /// Opens a view of the arena as it is now, whatever its size, in microseconds.
  public mutating func openView() throws(MemoryError) -> FrozenView {
    let view = try provider.openView(usedBytes: usedPages << Self.pageShift)
    do throws(MemoryError) {
      try flip()
    } catch {
      provider.close(view)
      throw error
    }
    openViews += 1
    return view
  }

  /// Closes a view that nobody reads any more. Unmapping takes time in proportion to what was read
  /// (75 ms after 4 GiB): let another thread hold the last reference where that matters.
  public mutating func close(_ view: consuming FrozenView) {
    provider.close(view)
    openViews -= 1
  }
}

/// Reads stored bytes, from the live arena or from a frozen view.
@frozen @safe public struct ArenaReader: ~Escapable {
  public let base: UnsafeRawPointer

  @unsafe @_lifetime(immortal) @inlinable public init(base: UnsafeRawPointer) {
    unsafe self.base = base
  }

  /// The address of what `ref` names.
  @unsafe @inlinable public func pointer<Target>(_ ref: Ref<Target>) -> UnsafeRawPointer {
    unsafe base + ref.offset
  }

  /// The value of type `Value` at `ref`.
  @unsafe @inlinable public func load<Target, Value: BitwiseCopyable>(
    _ ref: Ref<Target>, at offset: Int = 0, as type: Value.Type
  ) -> Value {
    unsafe base.loadUnaligned(fromByteOffset: ref.offset &+ offset, as: type)
  }

  /// `count` bytes at `ref`.
  @unsafe @inlinable @_lifetime(copy self) public func bytes<Target>(
    _ ref: Ref<Target>, at offset: Int, count: Int
  ) -> Span<UInt8> {
    let start = unsafe (base + ref.offset + offset).assumingMemoryBound(to: UInt8.self)
    let span = unsafe Span(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(span, copying: self)
  }

  /// Asks for the cache line at `ref` ahead of its use.
  @inlinable public func prefetch<Target>(_ ref: Ref<Target>, at offset: Int = 0) {
    // SAFETY: a prefetch never faults.
    unsafe csystem_prefetch(base + ref.offset + offset)
  }
}
