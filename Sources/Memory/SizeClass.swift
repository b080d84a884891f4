// SizeClass: the sizes in which small allocations are served, and the slabs that hold them.
//
//   16 24 32 ... 128 | 144 160 ... 256 | 288 320 ... 512 | ... | 18432 ... 32768
//   steps of 8       | steps of 16     | steps of 32     |     | eight steps a doubling
//
// Rounding up from 16 bytes on therefore wastes at most 7 bytes below 128 and 12.5 % above.

@frozen @usableFromInline struct SizeClass: BitwiseCopyable {
  @usableFromInline var objectBytes: UInt32
  /// 2^32 / objectBytes, rounded up: see `object`.
  @usableFromInline var reciprocal: UInt32
  @usableFromInline var slabPages: UInt16
  /// Objects that fit into one slab.
  @usableFromInline var capacity: UInt16

  @usableFromInline static let count = 79
  @usableFromInline static var largestBytes: Int { 32768 }

  /// The class that serves `bytes`, 1...largestBytes.
  @inlinable static func index(bytes: Int) -> Int {
    if bytes <= 128 { return max(bytes &- 9, 0) &>> 3 }
    let size = bytes &- 1
    let exponent = 63 &- size.leadingZeroBitCount
    return 15 &+ (exponent &- 7) &* 8 &+ ((size &>> (exponent &- 3)) & 7)
  }

  /// The object in which the slab's byte `offset` lies. Exact, because offset < 2^16 and
  /// objectBytes <= 2^15 keep the reciprocal's rounding error below one object; a division would
  /// take most of the time that a free takes.
  @inlinable func object(at offset: Int) -> Int {
    (offset &* Int(reciprocal)) &>> 32
  }

  static func objectBytes(index: Int) -> Int {
    if index < 15 { return 16 + index * 8 }
    let (doubling, step) = (index - 15).quotientAndRemainder(dividingBy: 8)
    return (9 + step) << (doubling + 4)
  }

  /// The smallest slab of at most 16 pages whose tail wastes no more than 1.5 %, or the slab that
  /// wastes least.
  init(index: Int) {
    let size = Self.objectBytes(index: index)
    var best = (pages: 0, waste: Double.infinity)
    for pages in 1...16 where pages * Arena.pageBytes >= size {
      let bytes = pages * Arena.pageBytes
      let waste = Double(bytes % size) / Double(bytes)
      if waste < best.waste { best = (pages, waste) }
      if waste <= 0.015 { break }
    }
    objectBytes = UInt32(size)
    reciprocal = UInt32(((1 << 32) + size - 1) / size)
    slabPages = UInt16(best.pages)
    capacity = UInt16(best.pages * Arena.pageBytes / size)
  }
}
