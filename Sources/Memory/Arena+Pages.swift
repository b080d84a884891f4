// The arena's header page and its free pages.
//
//   header page (page 1024):
//   | 0 magic 8 | 8 version 4 | 16 used pages 8 | 24 allocated bytes 8 | 32 allocations 8
//   | 40 resident free pages 8 | 48 released pages 8 | 64 secrets 32
//   | 128 partial slab heads 79 x 4 | 512 resident free bins 19 x 4 | 640 released free bins 19 x 4
//   | 1024 roots 128 x 8 |
//
// A bin holds the free runs of 2^bin ..< 2^(bin+1) pages, doubly linked through their descriptors.

public struct MemoryUsage: Sendable {
  /// Bytes in live allocations, rounded up to what they take.
  public var allocatedBytes: Int
  public var allocations: Int
  /// Bytes of pages that hold memory: slabs, runs, free pages not yet released, header.
  public var committedBytes: Int
  /// Free pages that still hold memory.
  public var residentFreeBytes: Int
  /// Committed bytes for each allocated byte.
  public var fragmentation: Double {
    allocatedBytes == 0 ? 1 : Double(committedBytes) / Double(allocatedBytes)
  }
}

extension Arena {
  @inlinable static var headerOffset: Int { descriptorPages << pageShift }
  static let magic: UInt64 = 0x3141_5441_5246_4546
  public static let rootCount = 128
  static let binCount = 19

  mutating func formatHeader() {
    setHeader(0, Self.magic)
    setHeader(8, UInt32(1))
    setHeader(16, UInt64(Self.descriptorPages + 1))
  }

  @inlinable func header<Value: BitwiseCopyable>(_ offset: Int, as: Value.Type) -> Value {
    // SAFETY: the header page is always there; offsets are those of the picture above.
    unsafe base.load(fromByteOffset: Self.headerOffset + offset, as: Value.self)
  }

  @inlinable mutating func setHeader<Value: BitwiseCopyable>(_ offset: Int, _ value: Value) {
    mark(Self.headerOffset, 8)
    // SAFETY: as in `header`.
    unsafe base.storeBytes(of: value, toByteOffset: Self.headerOffset + offset, as: Value.self)
  }

  @inlinable mutating func account(_ bytes: Int, _ allocations: Int) {
    setHeader(24, header(24, as: Int.self) &+ bytes)
    setHeader(32, header(32, as: Int.self) &+ allocations)
  }

  @inlinable func partialHead(_ index: Int) -> UInt32 { header(128 &+ index &* 4, as: UInt32.self) }

  @inlinable mutating func setPartialHead(_ index: Int, _ page: UInt32) {
    setHeader(128 &+ index &* 4, page)
  }

  /// Pages in use or once used: everything at or above was never touched.
  public var usedPages: Int { header(16, as: Int.self) }

  /// Root `index`, a word that its owner gives meaning to: where a structure starts.
  @inlinable public func root(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < Self.rootCount)
    return header(1024 + index * 8, as: UInt64.self)
  }

  @inlinable public mutating func setRoot(_ index: Int, _ value: UInt64) {
    precondition(index >= 0 && index < Self.rootCount)
    setHeader(1024 + index * 8, value)
  }

  /// The four words that key this image's hash (`Bytes.KeyedHash`).
  public var hashSecrets: InlineArray<4, UInt64> {
    get { header(64, as: InlineArray<4, UInt64>.self) }
    set { setHeader(64, newValue) }
  }

  public var usage: MemoryUsage {
    let released = header(48, as: Int.self)
    let descriptors = ((usedPages + Self.zonePages - 1) >> Self.zonePageShift)
    // Of a zone's descriptors only those of touched pages hold memory.
    let touchedDescriptors = (usedPages * 16 + Self.pageBytes - 1) >> Self.pageShift
    let pages = usedPages - descriptors * Self.descriptorPages - released + touchedDescriptors
    return MemoryUsage(
      allocatedBytes: header(24, as: Int.self), allocations: header(32, as: Int.self),
      committedBytes: pages << Self.pageShift,
      residentFreeBytes: header(40, as: Int.self) << Self.pageShift)
  }

  // MARK: Free pages

  func binOffset(released: Bool, bin: Int) -> Int { (released ? 640 : 512) + bin * 4 }

  static func bin(pages: Int) -> Int { min(63 - pages.leadingZeroBitCount, binCount - 1) }

  /// `count` contiguous pages of one zone. Their descriptors are the caller's to set.
  @usableFromInline mutating func allocatePages(_ count: Int) throws(ArenaFull) -> Int {
    for released in [false, true] {
      if let page = takeFree(count, released: released) { return page }
    }
    var page = usedPages
    if page & (Self.zonePages - 1) == 0 { page += Self.descriptorPages }
    let zoneEnd = (page & ~(Self.zonePages - 1)) + Self.zonePages
    if page + count > zoneEnd {
      // The zone's rest becomes a free run; it was never touched, so it counts as released.
      let next = zoneEnd + Self.descriptorPages
      guard next + count <= dirty.pageCount else { throw ArenaFull() }
      if page < zoneEnd { insertFree(page, zoneEnd - page, released: true) }
      page = next
    }
    guard page + count <= dirty.pageCount else { throw ArenaFull() }
    setHeader(16, page + count)
    return page
  }

  private mutating func takeFree(_ count: Int, released: Bool) -> Int? {
    for bin in Self.bin(pages: count)..<Self.binCount {
      var page = Int(header(binOffset(released: released, bin: bin), as: UInt32.self))
      // Only the first bin can hold runs that are too short; look at a few, then go up.
      var tries = 8
      while page != 0 && tries > 0 {
        let run = descriptor(page)
        let length = Int(run.large)
        if length >= count {
          removeFree(page, run, released: released)
          if length > count {
            insertFree(page + count, length - count, released: released)
          }
          return page
        }
        page = Int(run.next)
        tries -= 1
      }
    }
    return nil
  }

  private mutating func insertFree(_ page: Int, _ count: Int, released: Bool) {
    let offset = binOffset(released: released, bin: Self.bin(pages: count))
    let old = header(offset, as: UInt32.self)
    var run = PageDescriptor(
      PageDescriptor.Kind.freeHead, sizeClass: released ? 1 : 0, large: UInt32(count))
    run.next = old
    setDescriptor(page, run)
    if count > 1 {
      setDescriptor(
        page + count - 1,
        PageDescriptor(
          PageDescriptor.Kind.freeTail, sizeClass: released ? 1 : 0, large: UInt32(count)))
    }
    if old != 0 {
      var next = descriptor(Int(old))
      next.previous = UInt32(page)
      setDescriptor(Int(old), next)
    }
    setHeader(offset, UInt32(page))
    let counter = released ? 48 : 40
    setHeader(counter, header(counter, as: Int.self) + count)
  }

  private mutating func removeFree(_ page: Int, _ run: PageDescriptor, released: Bool) {
    if run.previous != 0 {
      var previous = descriptor(Int(run.previous))
      previous.next = run.next
      setDescriptor(Int(run.previous), previous)
    } else {
      setHeader(binOffset(released: released, bin: Self.bin(pages: Int(run.large))), run.next)
    }
    if run.next != 0 {
      var next = descriptor(Int(run.next))
      next.previous = run.previous
      setDescriptor(Int(run.next), next)
    }
    let counter = released ? 48 : 40
    setHeader(counter, header(counter, as: Int.self) - Int(run.large))
  }

  /// Frees pages, joining them with free neighbours that are resident too.
  @usableFromInline mutating func freePages(_ page: Int, _ count: Int) {
    var first = page
    var length = count
    let zoneStart = (page & ~(Self.zonePages - 1)) + Self.descriptorPages
    let zoneEnd = min((page & ~(Self.zonePages - 1)) + Self.zonePages, usedPages)
    if first + length < zoneEnd {
      let next = descriptor(first + length)
      if next.kind == PageDescriptor.Kind.freeHead && next.sizeClass == 0 {
        removeFree(first + length, next, released: false)
        length += Int(next.large)
      }
    }
    if first > zoneStart {
      let before = descriptor(first - 1)
      let isHead = before.kind == PageDescriptor.Kind.freeHead && before.large == 1
      if (isHead || before.kind == PageDescriptor.Kind.freeTail) && before.sizeClass == 0 {
        first -= Int(before.large)
        length += Int(before.large)
        removeFree(first, descriptor(first), released: false)
      }
    }
    insertFree(first, length, released: false)
  }

  /// Gives free pages back to the system while more than `keeping` bytes of them hold memory.
  /// - Parameter limit: the largest number of runs to release in this call.
  /// - Returns: the bytes released.
  @discardableResult
  public mutating func trim(keeping: Int, limit: Int = 16) -> Int {
    var releasedBytes = 0
    var left = limit
    var bin = Self.binCount - 1
    while bin >= 0 && left > 0 && header(40, as: Int.self) << Self.pageShift > keeping {
      let page = Int(header(binOffset(released: false, bin: bin), as: UInt32.self))
      guard page != 0 else {
        bin -= 1
        continue
      }
      let run = descriptor(page)
      let count = Int(run.large)
      markRest(page, page + count - 1)
      guard provider.release(pages: page..<(page + count)) else { break }
      removeFree(page, run, released: false)
      joinReleased(page, count)
      releasedBytes += count << Self.pageShift
      left -= 1
    }
    return releasedBytes
  }

  /// Inserts a released run, joined with released neighbours.
  private mutating func joinReleased(_ page: Int, _ count: Int) {
    var first = page
    var length = count
    let zoneStart = (page & ~(Self.zonePages - 1)) + Self.descriptorPages
    let zoneEnd = min((page & ~(Self.zonePages - 1)) + Self.zonePages, usedPages)
    if first + length < zoneEnd {
      let next = descriptor(first + length)
      if next.kind == PageDescriptor.Kind.freeHead && next.sizeClass == 1 {
        removeFree(first + length, next, released: true)
        length += Int(next.large)
      }
    }
    if first > zoneStart {
      let before = descriptor(first - 1)
      let isHead = before.kind == PageDescriptor.Kind.freeHead && before.large == 1
      if (isHead || before.kind == PageDescriptor.Kind.freeTail) && before.sizeClass == 1 {
        first -= Int(before.large)
        length += Int(before.large)
        removeFree(first, descriptor(first), released: true)
      }
    }
    insertFree(first, length, released: true)
  }
}
