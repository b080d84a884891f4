// GrowableArray: a plain growable array that its owner alone holds: no reference count, no sharing.
//
//   base ──► | element 0 | ... | element count-1 | free ... |
//                                              count     capacity
//
// 1. 0 <= count <= capacity; elements 0..<count are initialised.
// 2. An array that never held an element, or was released, owns no memory (base is nil).
// 3. Growth doubles the capacity, so appending n elements costs O(n) in all.

@safe public struct GrowableArray<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
  @usableFromInline var base: UnsafeMutablePointer<Element>?
  public private(set) var capacity = 0
  @usableFromInline var length = 0

  /// An empty array without memory.
  @inlinable public init() {
    // SAFETY: nil is no memory (invariant 2).
    unsafe base = nil
  }

  deinit {
    // SAFETY: the memory is ours alone, and its owner is dying.
    unsafe base?.deallocate()
  }

  @inlinable public var count: Int { length }
  @inlinable public var isEmpty: Bool { length == 0 }

  /// The elements.
  @inlinable public var span: Span<Element> {
    @_lifetime(borrow self) borrowing get {
      // SAFETY: invariant 1; the span borrows self, so the elements cannot move under it.
      let elements = unsafe Span(
        _unsafeElements: UnsafeBufferPointer(start: UnsafePointer(base), count: length))
      return unsafe _overrideLifetime(elements, borrowing: self)
    }
  }

  @inlinable public subscript(_ index: Int) -> Element {
    get {
      precondition(index >= 0 && index < length)
      // SAFETY: invariant 1, and the line above; a non-empty array has memory.
      return unsafe base.unsafelyUnwrapped[index]
    }
    set {
      precondition(index >= 0 && index < length)
      // SAFETY: as above.
      unsafe base.unsafelyUnwrapped[index] = newValue
    }
  }

  @inlinable public mutating func append(_ element: Element) {
    if length == capacity { grow(by: 1) }
    // SAFETY: length < capacity after the line above, so there is memory.
    unsafe (base.unsafelyUnwrapped + length).initialize(to: element)
    length += 1
  }

  /// Appends the same element `count` times.
  @inlinable public mutating func append(_ element: Element, count: Int) {
    reserve(count)
    if count <= 0 { return }
    // SAFETY: there is room for `count` elements after the line above, and so there is memory.
    unsafe (base.unsafelyUnwrapped + length).initialize(repeating: element, count: count)
    length += count
  }

  /// Makes room for `count` more elements.
  @inlinable public mutating func reserve(_ count: Int) {
    if capacity - length < count { grow(by: count) }
  }

  /// Drops everything after the first `count` elements.
  @inlinable public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= length)
    length = count
  }

  /// Empties the array, and gives its memory back unless `keepingCapacity`.
  @inlinable public mutating func removeAll(keepingCapacity: Bool = false) {
    length = 0
    if !keepingCapacity && capacity > 0 { release() }
  }

  /// Empties the array and gives its memory back.
  @inline(never) public mutating func release() {
    // SAFETY: the memory is ours alone; nil says that it is gone.
    unsafe base?.deallocate()
    unsafe base = nil
    capacity = 0
    length = 0
  }

  @inline(never) @usableFromInline mutating func grow(by extra: Int) {
    capacity = max(capacity * 2, length + extra, 8)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    if let old = unsafe base {
      // SAFETY: larger has room for length elements and is a different allocation.
      unsafe larger.update(from: old, count: length)
      unsafe old.deallocate()
    }
    unsafe base = larger
  }
}
