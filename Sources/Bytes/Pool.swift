// Pool: stable, indexable storage for noncopyable values, without classes or reference counts.
//
// 1. A slot's address never changes while the pool lives: storage grows by whole chunks.
// 2. Slots 0..<count are always initialised.

@safe public struct Pool<Element: ~Copyable>: ~Copyable {
  @usableFromInline static var chunkShift: Int { 8 }
  @usableFromInline static var chunkSize: Int { 1 << chunkShift }
  @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
  @usableFromInline var chunkCapacity = 0
  public private(set) var count = 0

  public init() {
    // SAFETY: fresh memory for no chunks.
    unsafe chunks = .allocate(capacity: 0)
  }

  deinit {
    // SAFETY: invariant 2: slots below count are initialised, and their chunks allocated.
    for index in 0..<count { unsafe slot(index).deinitialize(count: 1) }
    for chunk in 0..<((count + Self.chunkSize - 1) >> Self.chunkShift) {
      unsafe chunks[chunk].deallocate()
    }
    unsafe chunks.deallocate()
  }

  @unsafe @inlinable func slot(_ index: Int) -> UnsafeMutablePointer<Element> {
    unsafe chunks[index >> Self.chunkShift] + (index & (Self.chunkSize - 1))
  }

  /// The value in slot `index`, in place.
  @inlinable public subscript(_ index: Int) -> Element {
    unsafeAddress {
      precondition(index >= 0 && index < count)
      // SAFETY: invariant 2.
      return unsafe UnsafePointer(slot(index))
    }
    unsafeMutableAddress {
      precondition(index >= 0 && index < count)
      // SAFETY: invariant 2; the pool is borrowed mutably for the whole access.
      return unsafe slot(index)
    }
  }

  /// Adds a slot and returns its index.
  @discardableResult
  public mutating func append(_ element: consuming Element) -> Int {
    let chunk = count >> Self.chunkShift
    if count & (Self.chunkSize - 1) == 0 {
      if chunk == chunkCapacity {
        let larger = max(4, chunkCapacity * 2)
        let moved = UnsafeMutablePointer<UnsafeMutablePointer<Element>>.allocate(
          capacity: larger)
        // SAFETY: moved has room for the chunks; the old list is not used again.
        unsafe moved.update(from: chunks, count: chunk)
        unsafe chunks.deallocate()
        unsafe chunks = moved
        chunkCapacity = larger
      }
      unsafe (chunks + chunk).initialize(to: .allocate(capacity: Self.chunkSize))
    }
    unsafe slot(count).initialize(to: element)
    count += 1
    return count - 1
  }
}
