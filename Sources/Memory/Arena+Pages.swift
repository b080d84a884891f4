// The arena's header page and its free pages.
//
//   header page (page 1024):
//   | 0 magic 8 | 8 version 4 | 16 used pages 8 | 24 allocated bytes 8 | 32 allocations 8
//   | 40 resident free pages 8 | 48 released free pages 8 | 64 secrets 32
//   | 96 resident bins that hold runs, 64 bits | 104 released bins that hold runs, 64 bits
//   | 128 partial slab heads 79 x 4 | 512 resident bins 58 x 4 | 768 released bins 58 x 4
//   | 1024 roots 128 x 8 |
//
//   bins by pages: 1 | 2 | ... | 32 | 33-47 | 48-63 | 64-95 | 96-127 | ... two a doubling
//
// 1. A bin's free runs are doubly linked through their descriptors; the bin's bit is set when it
//    holds any.
// 2. A free run is resident or released; neighbours of the same kind are joined within a zone.
// 3. Looking for free pages takes constant time: a run from any bin above the request's own fits,
//    and of the request's own bin eight runs are tried.

public struct MemoryUsage: Sendable {
  /// Bytes in live allocations, rounded up to what they take.
  public var allocatedBytes: Int
  public var allocations: Int
  /// Bytes of pages that may hold memory: slabs, runs, free pages not yet released, header and
  /// descriptors. Pages that their owners never wrote make it an upper bound.
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
  static let version: UInt32 = 2
  public static let rootCount = 128
  static var binCount: Int { 58 }
  /// Trim releases at most 1 MiB in one piece: a fifth of a millisecond.
  static var trimPages: Int { 256 }

  /// Offsets in the header page: the picture above.
  @usableFromInline enum Header {
    @inlinable static var magic: Int { 0 }
    @inlinable static var version: Int { 8 }
    @inlinable static var usedPages: Int { 16 }
    @inlinable static var allocatedBytes: Int { 24 }
    @inlinable static var allocations: Int { 32 }
    @inlinable static var residentFreePages: Int { 40 }
    @inlinable static var releasedPages: Int { 48 }
    @inlinable static var secrets: Int { 64 }
    @inlinable static var residentBits: Int { 96 }
    @inlinable static var releasedBits: Int { 104 }
    @inlinable static var partialSlabs: Int { 128 }
    @inlinable static var residentBins: Int { 512 }
    @inlinable static var releasedBins: Int { 768 }
    @inlinable static var roots: Int { 1024 }
  }

  mutating func formatHeader() {
    setHeader(Header.magic, Self.magic)
    setHeader(Header.version, Self.version)
    setHeader(Header.usedPages, UInt64(Self.descriptorPages + 1))
  }

  @inlinable func header<Value: BitwiseCopyable>(_ offset: Int, as: Value.Type) -> Value {
    // SAFETY: the header page is always there; offsets are those of the picture above.
    unsafe base.load(fromByteOffset: Self.headerOffset + offset, as: Value.self)
  }

  @inlinable mutating func setHeader<Value: BitwiseCopyable>(_ offset: Int, _ value: Value) {
    markPage(of: Self.headerOffset)
    // SAFETY: as in `header`.
    unsafe base.storeBytes(of: value, toByteOffset: Self.headerOffset + offset, as: Value.self)
  }

  @inline(__always) @inlinable mutating func account(_ bytes: Int, _ allocations: Int) {
    let start = Self.headerOffset &+ Header.allocatedBytes
    markPage(of: start)
    // SAFETY: two neighbouring words of the header page.
    let words = unsafe (base + start).assumingMemoryBound(to: Int.self)
    unsafe words[0] &+= bytes
    unsafe words[1] &+= allocations
  }

  @inlinable func partialHead(_ index: Int) -> UInt32 {
    header(Header.partialSlabs &+ index &* 4, as: UInt32.self)
  }

  @inlinable mutating func setPartialHead(_ index: Int, _ page: UInt32) {
    setHeader(Header.partialSlabs &+ index &* 4, page)
  }

  /// Pages in use or once used: everything at or above was never touched.
  public var usedPages: Int { header(Header.usedPages, as: Int.self) }

  /// Root `index`, a word that its owner gives meaning to: where a structure starts.
  @inlinable public func root(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < Self.rootCount)
    return header(Header.roots + index * 8, as: UInt64.self)
  }

  @inlinable public mutating func setRoot(_ index: Int, _ value: UInt64) {
    precondition(index >= 0 && index < Self.rootCount)
    setHeader(Header.roots + index * 8, value)
  }

  /// The four words that key this image's hash (`Bytes.KeyedHash`).
  public var hashSecrets: InlineArray<4, UInt64> {
    get { header(Header.secrets, as: InlineArray<4, UInt64>.self) }
    set { setHeader(Header.secrets, newValue) }
  }

  public var usage: MemoryUsage {
    let released = header(Header.releasedPages, as: Int.self)
    let zones = (usedPages + Self.zonePages - 1) >> Self.zonePageShift
    // Of a zone's descriptors those of the used pages hold memory, those of the descriptors' own
    // pages never.
    let descriptors =
      (usedPages * 16 + Self.pageBytes - 1) >> Self.pageShift
      - zones * ((Self.descriptorPages * 16) >> Self.pageShift)
    let pages = usedPages - zones * Self.descriptorPages - released + descriptors
    return MemoryUsage(
      allocatedBytes: header(Header.allocatedBytes, as: Int.self),
      allocations: header(Header.allocations, as: Int.self),
      committedBytes: pages << Self.pageShift,
      residentFreeBytes: header(Header.residentFreePages, as: Int.self) << Self.pageShift)
  }

  // MARK: Free pages

  /// The bin of runs of `pages` pages; runs are shorter than 2^18.
  static func bin(pages: Int) -> Int {
    if pages <= 32 { return pages - 1 }
    let exponent = 63 - pages.leadingZeroBitCount
    return 32 + (exponent - 5) * 2 + (pages >> (exponent - 1) & 1)
  }

  func binOffset(released: Bool, bin: Int) -> Int {
    (released ? Header.releasedBins : Header.residentBins) + bin * 4
  }

  func binBits(released: Bool) -> UInt64 {
    header(released ? Header.releasedBits : Header.residentBits, as: UInt64.self)
  }

  private mutating func setBinHead(released: Bool, bin: Int, _ page: UInt32) {
    setHeader(binOffset(released: released, bin: bin), page)
    let bit: UInt64 = 1 << UInt64(bin)
    let bits = binBits(released: released)
    setHeader(
      released ? Header.releasedBits : Header.residentBits, page == 0 ? bits & ~bit : bits | bit)
  }

  /// The pages of `page`'s zone that may be free runs: behind the descriptors, below `usedPages`.
  func allocatablePages(around page: Int) -> Range<Int> {
    let zoneStart = page & ~(Self.zonePages - 1)
    return zoneStart + Self.descriptorPages..<min(zoneStart + Self.zonePages, usedPages)
  }

  /// `count` contiguous pages of one zone. Their descriptors are the caller's to set: at least the
  /// first page's and the last one's, which freeing a neighbour reads.
  @usableFromInline mutating func allocatePages(_ count: Int) throws(ArenaFull) -> Int {
    if let page = takeFree(count, released: false) { return page }
    if let page = takeFree(count, released: true) { return page }
    var page = usedPages
    if page & (Self.zonePages - 1) == 0 { page += Self.descriptorPages }
    let zoneEnd = (page & ~(Self.zonePages - 1)) + Self.zonePages
    if page + count > zoneEnd {
      let next = zoneEnd + Self.descriptorPages
      guard next + count <= dirty.pageCount else { throw ArenaFull() }
      // The zone's rest becomes a free run; it was never touched, so it counts as released.
      if page < zoneEnd {
        setHeader(Header.usedPages, zoneEnd)
        insertJoined(page, zoneEnd - page, released: true)
      }
      page = next
    }
    guard page + count <= dirty.pageCount else { throw ArenaFull() }
    setHeader(Header.usedPages, page + count)
    return page
  }

  private mutating func takeFree(_ count: Int, released: Bool) -> Int? {
    let first = Self.bin(pages: count)
    var bits = binBits(released: released) & (~0 << UInt64(first))
    while bits != 0 {
      let bin = bits.trailingZeroBitCount
      var page = Int(header(binOffset(released: released, bin: bin), as: UInt32.self))
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
      bits &= bits - 1
    }
    return nil
  }

  private mutating func insertFree(_ page: Int, _ count: Int, released: Bool) {
    let bin = Self.bin(pages: count)
    let old = header(binOffset(released: released, bin: bin), as: UInt32.self)
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
    setBinHead(released: released, bin: bin, UInt32(page))
    countFree(count, released: released)
  }

  private mutating func removeFree(_ page: Int, _ run: PageDescriptor, released: Bool) {
    if run.previous != 0 {
      var previous = descriptor(Int(run.previous))
      previous.next = run.next
      setDescriptor(Int(run.previous), previous)
    } else {
      setBinHead(released: released, bin: Self.bin(pages: Int(run.large)), run.next)
    }
    if run.next != 0 {
      var next = descriptor(Int(run.next))
      next.previous = run.previous
      setDescriptor(Int(run.next), next)
    }
    countFree(-Int(run.large), released: released)
  }

  private mutating func countFree(_ pages: Int, released: Bool) {
    let counter = released ? Header.releasedPages : Header.residentFreePages
    setHeader(counter, header(counter, as: Int.self) + pages)
  }

  /// Frees pages that hold memory.
  @usableFromInline mutating func freePages(_ page: Int, _ count: Int) {
    insertJoined(page, count, released: false)
  }

  /// Inserts a free run, joined with free neighbours of the same kind.
  private mutating func insertJoined(_ page: Int, _ count: Int, released: Bool) {
    let mark: UInt8 = released ? 1 : 0
    let bounds = allocatablePages(around: page)
    var first = page
    var length = count
    if first + length < bounds.upperBound {
      let next = descriptor(first + length)
      if next.kind == PageDescriptor.Kind.freeHead && next.sizeClass == mark {
        removeFree(first + length, next, released: released)
        length += Int(next.large)
      }
    }
    if first > bounds.lowerBound {
      let before = descriptor(first - 1)
      let isHead = before.kind == PageDescriptor.Kind.freeHead && before.large == 1
      if (isHead || before.kind == PageDescriptor.Kind.freeTail) && before.sizeClass == mark {
        first -= Int(before.large)
        length += Int(before.large)
        removeFree(first, descriptor(first), released: released)
      }
    }
    insertFree(first, length, released: released)
  }

  // MARK: Giving memory back

  /// Gives free pages back to the system while more than `keeping` bytes of them hold memory; waits
  /// for open views.
  /// - Parameter limit: the largest number of pieces, of at most 1 MiB, to release in this call.
  /// - Returns: the bytes released; 0 when there is nothing to do for now.
  @discardableResult
  public mutating func trim(keeping: Int, limit: Int = 16) -> Int {
    guard openViews == 0 else { return 0 }
    var releasedBytes = 0
    for _ in 0..<limit {
      let bits = binBits(released: false)
      guard bits != 0,
        header(Header.residentFreePages, as: Int.self) << Self.pageShift > keeping
      else { break }
      let bin = 63 - bits.leadingZeroBitCount
      let page = Int(header(binOffset(released: false, bin: bin), as: UInt32.self))
      let run = descriptor(page)
      let count = min(Int(run.large), Self.trimPages)
      let rest = Int(run.large) - count
      let pages = page + rest..<page + rest + count
      guard provider.release(pages: pages) else { break }
      // What comes next is a first write, which the provider wants to see.
      for page in pages { dirty.remove(page: page) }
      removeFree(page, run, released: false)
      if rest > 0 { insertFree(page, rest, released: false) }
      insertJoined(page + rest, count, released: true)
      releasedBytes += count << Self.pageShift
    }
    return releasedBytes
  }
}
