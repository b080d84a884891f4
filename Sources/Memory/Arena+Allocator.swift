// The allocator: size-class slabs and page runs, with all its state inside the arena.
//
//   page descriptor, 16 bytes:
//   | kind 1 | class 1 | small 2 | large 4 | next 4 | previous 4 |
//     slab head   class    used      free list head (16), fresh index (16); links: partial slabs
//     slab tail   -        pages back to the head
//     run head    -        -         page count
//     run tail    -        -         -
//     free head   released -         page count; links: free runs of the same bin
//     free tail   released -         page count
//
// 1. A slab with room is on its class's partial list, a full one is on none. At most one slab a
//    class is empty.
// 2. A free object's first word is | mark 48 | next free object's index + 1, 16 |, its mark made
//    from its place. Objects at or above the fresh index were never handed out and hold nothing.
// 3. The first and the last page of whatever lies between free runs have true descriptors; what
//    lies between the two may be stale, and nobody reads it.

/// The arena's reach is exhausted, or one allocation asked for more than a zone holds.
public struct ArenaFull: Error, Sendable {
  public init() {}
}

@frozen @usableFromInline struct PageDescriptor: BitwiseCopyable {
  @usableFromInline enum Kind {
    @inlinable static var unused: UInt8 { 0 }
    @inlinable static var slabHead: UInt8 { 1 }
    @inlinable static var slabTail: UInt8 { 2 }
    @inlinable static var runHead: UInt8 { 3 }
    @inlinable static var runTail: UInt8 { 4 }
    @inlinable static var freeHead: UInt8 { 5 }
    @inlinable static var freeTail: UInt8 { 6 }
  }

  @usableFromInline var kind: UInt8
  @usableFromInline var sizeClass: UInt8
  @usableFromInline var small: UInt16
  @usableFromInline var large: UInt32
  @usableFromInline var next: UInt32
  @usableFromInline var previous: UInt32

  @inlinable init(
    _ kind: UInt8, sizeClass: UInt8 = 0, small: UInt16 = 0, large: UInt32 = 0
  ) {
    self.kind = kind
    self.sizeClass = sizeClass
    self.small = small
    self.large = large
    next = 0
    previous = 0
  }

  /// The first word, seen as a slab's.
  @usableFromInline var slab: SlabWord {
    let low = UInt64(kind) | UInt64(sizeClass) << 8 | UInt64(small) << 16
    return SlabWord(bits: low | UInt64(large) << 32)
  }
}

/// A slab descriptor's first word: all that allocating and freeing change, unless the slab fills up
/// or has room again. It is loaded and stored whole, because a load that spans several smaller
/// stores waits for them to reach the cache.
@frozen @usableFromInline struct SlabWord: BitwiseCopyable {
  @usableFromInline var bits: UInt64

  @inlinable init(bits: UInt64) { self.bits = bits }

  @inlinable var kind: UInt8 { UInt8(truncatingIfNeeded: bits) }
  @inlinable var sizeClass: Int { Int(truncatingIfNeeded: bits &>> 8 & 0xFF) }
  /// Slab head: objects in use. Slab tail: pages back to the head.
  @inlinable var used: Int { Int(truncatingIfNeeded: bits &>> 16 & 0xFFFF) }
  /// Index + 1 of the first free object, 0 for none.
  @inlinable var freeHead: Int { Int(truncatingIfNeeded: bits &>> 32 & 0xFFFF) }
  /// The objects from here on were never handed out.
  @inlinable var fresh: Int { Int(truncatingIfNeeded: bits &>> 48) }

  @inlinable mutating func add(used: Int = 0, fresh: Int = 0) {
    bits &+= UInt64(truncatingIfNeeded: used &<< 16 &+ fresh &<< 48)
  }

  @inlinable mutating func setFreeHead(_ value: Int) {
    bits = bits & 0xFFFF_0000_FFFF_FFFF | UInt64(truncatingIfNeeded: value & 0xFFFF) &<< 32
  }
}

extension Arena {
  /// Room for `bytes` bytes, 8-byte aligned, its content undefined.
  @inlinable public mutating func allocate<Target>(
    _ bytes: Int, as: Target.Type = Target.self
  ) throws(ArenaFull) -> Ref<Target> {
    assert(bytes >= 0)
    if bytes > SizeClass.largestBytes { return Ref(offset: try allocateRun(bytes: bytes)) }
    let index = SizeClass.index(bytes: bytes)
    // SAFETY: index < SizeClass.count for 1...largestBytes.
    let sizeClass = unsafe classes[index]
    let objectBytes = Int(sizeClass.objectBytes)
    var page = Int(partialHead(index))
    if page == 0 { page = try addSlab(index) }
    var slab = slabWord(page)
    let start = page &<< Self.pageShift
    let offset: Int
    if slab.freeHead != 0 {
      offset = start &+ (slab.freeHead &- 1) &* objectBytes
      let word = loadWord(offset)
      precondition(word &>> 16 == Self.freeMark(offset), "a freed object was written to")
      slab.setFreeHead(Int(truncatingIfNeeded: word & 0xFFFF))
      slab.add(used: 1)
    } else {
      offset = start &+ slab.fresh &* objectBytes
      slab.add(used: 1, fresh: 1)
    }
    // Marks live on in pages that changed hands, so a fresh object loses its own too: freed before
    // its first word was written, it would be searched for in the free list (measured: 1 µs each).
    storeWord(offset, 0)
    storeWord(descriptorOffset(page), slab.bits)
    if slab.used == Int(sizeClass.capacity) { unlinkPartial(page, index) }
    account(objectBytes, 1)
    return Ref(offset: offset)
  }

  /// Gives back what `allocate` returned.
  @inlinable public mutating func free<Target>(_ ref: Ref<Target>) {
    let offset = ref.offset
    var page = offset &>> Self.pageShift
    var slab = slabWord(page)
    if slab.kind == PageDescriptor.Kind.slabTail {
      page &-= slab.used
      slab = slabWord(page)
    }
    guard slab.kind == PageDescriptor.Kind.slabHead else { return freeRun(offset) }
    let index = slab.sizeClass
    // SAFETY: the class was stored by addSlab.
    let sizeClass = unsafe classes[index]
    let objectBytes = Int(sizeClass.objectBytes)
    let inside = offset &- page &<< Self.pageShift
    let object = sizeClass.object(at: inside)
    precondition(
      slab.used > 0 && object < slab.fresh && object &* objectBytes == inside,
      "freed what was never allocated")
    let freeMark = Self.freeMark(offset)
    if loadWord(offset) &>> 16 == freeMark { checkNotFree(object, page) }
    storeWord(offset, freeMark &<< 16 | UInt64(truncatingIfNeeded: slab.freeHead))
    let wasFull = slab.used == Int(sizeClass.capacity)
    slab.setFreeHead(object &+ 1)
    slab.add(used: -1)
    storeWord(descriptorOffset(page), slab.bits)
    account(0 &- objectBytes, -1)
    if wasFull { linkPartial(page, index) }
    if slab.used == 0 { emptied(page, index) }
  }

  /// What marks the object at `offset` as free. 48 bits.
  @inlinable static func freeMark(_ offset: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: offset &>> 3) ^ 0xF4EE_D0B1_EC75
  }

  /// Content may look like the mark by chance, so the free list decides.
  @inline(never) @usableFromInline func checkNotFree(_ object: Int, _ page: Int) {
    let slab = slabWord(page)
    // SAFETY: the class was stored by addSlab.
    let objectBytes = unsafe Int(classes[slab.sizeClass].objectBytes)
    var next = slab.freeHead
    for _ in 0..<slab.fresh where next != 0 {
      precondition(next - 1 != object, "freed twice")
      next = Int(loadWord(page << Self.pageShift + (next - 1) * objectBytes) & 0xFFFF)
    }
  }

  /// The bytes that `ref`'s allocation really takes.
  @inlinable public func allocatedBytes<Target>(_ ref: Ref<Target>) -> Int {
    var page = ref.offset &>> Self.pageShift
    var head = slabWord(page)
    if head.kind == PageDescriptor.Kind.slabTail {
      page &-= head.used
      head = slabWord(page)
    }
    // SAFETY: the class was stored by addSlab.
    if head.kind == PageDescriptor.Kind.slabHead {
      return unsafe Int(classes[head.sizeClass].objectBytes)
    }
    return Int(descriptor(page).large) &<< Self.pageShift
  }

  /// The bytes that an allocation of `bytes` takes.
  @inlinable public func roundedBytes(_ bytes: Int) -> Int {
    if bytes > SizeClass.largestBytes {
      return (bytes &+ Self.pageBytes &- 1) & ~(Self.pageBytes &- 1)
    }
    // SAFETY: the index is below SizeClass.count for sizes up to the largest.
    return unsafe Int(classes[SizeClass.index(bytes: bytes)].objectBytes)
  }

  // MARK: Descriptors

  @inlinable func descriptorOffset(_ page: Int) -> Int {
    let zoneStart = page & ~(Self.zonePages &- 1)
    return zoneStart &<< Self.pageShift &+ (page &- zoneStart) &* 16
  }

  @inlinable func descriptor(_ page: Int) -> PageDescriptor {
    // SAFETY: every page of the arena has a descriptor inside its zone (Arena's invariant 3).
    unsafe base.load(fromByteOffset: descriptorOffset(page), as: PageDescriptor.self)
  }

  @inlinable mutating func setDescriptor(_ page: Int, _ value: PageDescriptor) {
    let offset = descriptorOffset(page)
    markPage(of: offset)
    // SAFETY: as in `descriptor`; 16 aligned bytes lie in one page.
    unsafe base.storeBytes(of: value, toByteOffset: offset, as: PageDescriptor.self)
  }

  @inlinable func slabWord(_ page: Int) -> SlabWord {
    SlabWord(bits: loadWord(descriptorOffset(page)))
  }

  /// Eight aligned bytes of a descriptor or an object.
  @inline(__always) @inlinable func loadWord(_ offset: Int) -> UInt64 {
    // SAFETY: the offsets are those of descriptors and of a slab's objects.
    unsafe base.load(fromByteOffset: offset, as: UInt64.self)
  }

  @inline(__always) @inlinable mutating func storeWord(_ offset: Int, _ value: UInt64) {
    markPage(of: offset)
    // SAFETY: as in `loadWord`; eight aligned bytes lie in one page.
    unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
  }

  // MARK: Slabs

  @usableFromInline mutating func addSlab(_ index: Int) throws(ArenaFull) -> Int {
    // SAFETY: the callers' index is a class.
    let pages = unsafe Int(classes[index].slabPages)
    let head = try allocatePages(pages)
    setDescriptor(
      head, PageDescriptor(PageDescriptor.Kind.slabHead, sizeClass: UInt8(index)))
    for back in 1..<pages {
      setDescriptor(
        head + back, PageDescriptor(PageDescriptor.Kind.slabTail, small: UInt16(back)))
    }
    linkPartial(head, index)
    return head
  }

  @usableFromInline mutating func linkPartial(_ page: Int, _ index: Int) {
    let old = partialHead(index)
    var slab = descriptor(page)
    slab.next = old
    slab.previous = 0
    setDescriptor(page, slab)
    if old != 0 {
      var next = descriptor(Int(old))
      next.previous = UInt32(page)
      setDescriptor(Int(old), next)
    }
    setPartialHead(index, UInt32(page))
  }

  @usableFromInline mutating func unlinkPartial(_ page: Int, _ index: Int) {
    var slab = descriptor(page)
    if slab.previous != 0 {
      var previous = descriptor(Int(slab.previous))
      previous.next = slab.next
      setDescriptor(Int(slab.previous), previous)
    } else {
      setPartialHead(index, slab.next)
    }
    if slab.next != 0 {
      var next = descriptor(Int(slab.next))
      next.previous = slab.previous
      setDescriptor(Int(slab.next), next)
    }
    slab.next = 0
    slab.previous = 0
    setDescriptor(page, slab)
  }

  /// An empty slab goes back to the free pages, unless it is its class's only one with room:
  /// that one stays, so that a lone object coming and going does not make pages go to and fro.
  @usableFromInline mutating func emptied(_ page: Int, _ index: Int) {
    let slab = descriptor(page)
    guard slab.next != 0 || slab.previous != 0 else { return }
    unlinkPartial(page, index)
    // SAFETY: the slab's own class.
    freePages(page, unsafe Int(classes[index].slabPages))
  }

  // MARK: Runs

  @usableFromInline mutating func allocateRun(bytes: Int) throws(ArenaFull) -> Int {
    guard bytes <= Self.largestAllocationBytes else { throw ArenaFull() }
    let pages = (bytes + Self.pageBytes - 1) >> Self.pageShift
    let head = try allocatePages(pages)
    setDescriptor(
      head, PageDescriptor(PageDescriptor.Kind.runHead, large: UInt32(pages)))
    if pages > 1 {
      setDescriptor(head + pages - 1, PageDescriptor(PageDescriptor.Kind.runTail))
    }
    account(pages << Self.pageShift, 1)
    return head << Self.pageShift
  }

  @usableFromInline mutating func freeRun(_ offset: Int) {
    let page = offset >> Self.pageShift
    let run = descriptor(page)
    precondition(
      run.kind == PageDescriptor.Kind.runHead && offset & (Self.pageBytes - 1) == 0,
      "freed what was never allocated")
    // Should the run join one before it, its head's descriptor stays behind: it must not be taken
    // for a run's when it is freed again.
    setDescriptor(page, PageDescriptor(PageDescriptor.Kind.unused))
    account(-(Int(run.large) << Self.pageShift), -1)
    freePages(page, Int(run.large))
  }
}
