// ByteBuffer: the one growable byte queue: appended at the end, consumed from the front.
//
//   base ──► | consumed | content ............ | free space ...... |
//            0        start                   end             capacity
//
// 1. 0 <= start <= end <= capacity; the content is base[start..<end], all initialised.
// 2. When the content becomes empty, start and end return to 0: a drained queue never moves bytes.
// 3. Growth at least doubles the capacity, so appending n bytes costs O(n) in all.

@safe public struct ByteBuffer: ~Copyable, @unchecked Sendable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var start = 0
  @usableFromInline var end = 0
  public private(set) var capacity: Int

  /// An empty buffer; allocates nothing until `capacity` > 0 or the first append.
  public init(capacity: Int = 0) {
    precondition(capacity >= 0)
    self.capacity = capacity
    // SAFETY: fresh memory, or the place of a buffer that has none.
    unsafe base = capacity > 0 ? .allocate(capacity: capacity) : Self.nothing
  }

  deinit {
    // SAFETY: capacity > 0 says that base was allocated; its owner is dying.
    if capacity > 0 { unsafe base.deallocate() }
  }

  /// Where a buffer without capacity begins. Never read or written: even an allocation of no bytes
  /// would cost 32, and idle clients have two such buffers each.
  private static var nothing: UnsafeMutablePointer<UInt8> {
    // SAFETY: not zero, so the initialiser cannot fail.
    unsafe UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped
  }

  @inlinable public var count: Int { end - start }
  @inlinable public var isEmpty: Bool { end == start }

  /// The content.
  @inlinable public var span: Span<UInt8> {
    @_lifetime(borrow self) borrowing get {
      // SAFETY: invariant 1; the span borrows self, so the content cannot move under it.
      let content = unsafe Span(_unsafeStart: UnsafePointer(base + start), count: end - start)
      return unsafe _overrideLifetime(content, borrowing: self)
    }
  }

  /// Byte `index` of the content.
  @inlinable public subscript(_ index: Int) -> UInt8 {
    get {
      precondition(index >= 0 && index < count)
      // SAFETY: invariant 1, and the line above.
      return unsafe base[start + index]
    }
    set {
      precondition(index >= 0 && index < count)
      // SAFETY: as above.
      unsafe base[start + index] = newValue
    }
  }

  @inlinable public mutating func append(_ byte: UInt8) {
    if end == capacity { grow(by: 1) }
    // SAFETY: end < capacity after the line above.
    unsafe base[end] = byte
    end += 1
  }

  @inlinable public mutating func append(_ bytes: borrowing Span<UInt8>) {
    let count = bytes.count
    if capacity - end < count { grow(by: count) }
    // SAFETY: there is room for count bytes; a span of another owner cannot overlap free space.
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let address = source.baseAddress else { return }
      unsafe (base + end).update(from: address, count: count)
    }
    end += count
  }

  @inlinable public mutating func append(_ text: StaticString) {
    let count = text.utf8CodeUnitCount
    if capacity - end < count { grow(by: count) }
    // SAFETY: there is room for count bytes; a static string is that long.
    unsafe (base + end).update(from: text.utf8Start, count: count)
    end += count
  }

  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      // SAFETY: utf8 is valid for the closure's duration.
      unsafe append(Span(_unsafeElements: utf8))
    }
  }

  /// Drops the first `count` bytes of the content.
  @inlinable public mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= end - start)
    start += count
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Drops everything after the first `count` bytes of the content.
  @inlinable public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= end - start)
    end = start + count
  }

  /// Puts `bytes`, which are not the buffer's own, in the place of the content's `range`.
  public mutating func replace(_ range: Range<Int>, with bytes: borrowing Span<UInt8>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let length = bytes.count
    reserve(max(length - range.count, 0))
    let position = start + range.lowerBound
    let tail = start + range.upperBound
    // SAFETY: there is room for what the content grows by; all ranges lie inside the allocation.
    unsafe (base + position + length).update(from: base + tail, count: end - tail)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let address = source.baseAddress else { return }
      unsafe (base + position).update(from: address, count: length)
    }
    end += length - range.count
  }

  /// Empties the buffer, keeping its memory.
  @inlinable public mutating func removeAll() {
    start = 0
    end = 0
  }

  /// Empties the buffer and gives its memory back.
  public mutating func release() {
    self = ByteBuffer()
  }

  /// Makes room for `count` more bytes, so that appending them does not allocate.
  @inlinable public mutating func reserve(_ count: Int) {
    if capacity - end < count { grow(by: count) }
  }

  /// Inserts `bytes` before the content's byte `offset`.
  public mutating func insert(_ bytes: borrowing Span<UInt8>, at offset: Int) {
    precondition(offset >= 0 && offset <= count)
    let length = bytes.count
    reserve(length)
    let position = start + offset
    // SAFETY: there is room for length bytes past end; both ranges lie inside the allocation.
    unsafe (base + position + length).update(from: base + position, count: end - position)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let address = source.baseAddress else { return }
      unsafe (base + position).update(from: address, count: length)
    }
    end += length
  }

  /// Overwrites the content's bytes from `offset` on, which are at least as many.
  public mutating func overwrite(at offset: Int, _ bytes: borrowing Span<UInt8>) {
    precondition(offset >= 0 && bytes.count <= count - offset)
    // SAFETY: the line above; a span of another owner cannot overlap the content.
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let address = source.baseAddress else { return }
      unsafe (base + start + offset).update(from: address, count: source.count)
    }
  }

  /// The uninitialised room after the content, for a reader such as recv(2). The pointer is valid
  /// until the next mutation; follow with `commit`.
  @unsafe @inlinable public mutating func freeSpace() -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
  }

  /// Declares that `count` bytes of `freeSpace` have been written.
  @unsafe @inlinable public mutating func commit(_ count: Int) {
    precondition(count >= 0 && count <= capacity - end)
    end += count
  }

  @usableFromInline mutating func grow(by extra: Int) {
    let length = end - start
    if start > 0 && length + extra <= capacity && start >= capacity / 2 {
      // SAFETY: both ranges lie inside the allocation; update handles the overlap.
      unsafe base.update(from: base + start, count: length)
    } else {
      let isAllocated = capacity > 0
      capacity = max(capacity * 2, length + extra, 64)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
      // SAFETY: larger has room for length bytes and is a different allocation.
      unsafe larger.update(from: base + start, count: length)
      if isAllocated { unsafe base.deallocate() }
      unsafe base = larger
    }
    start = 0
    end = length
  }
}
