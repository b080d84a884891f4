// Whether a ref that was read from an image can be one: for owners that open what they did not
// write in this process.

extension Arena {
  /// The bytes from the arena's start that are in use, or were.
  public var usedBytes: Int { usedPages << Self.pageShift }

  /// Whether `count` bytes at `ref` lie among the pages in use, behind the header. That they were
  /// allocated is not looked at.
  public func holds<Target>(_ ref: Ref<Target>, count: Int) -> Bool {  // cold: once, at the start
    let first = (Self.descriptorPages + 1) << Self.pageShift
    let end = usedPages << Self.pageShift
    return count >= 0 && ref.unit >> 40 == 0 && ref.offset >= first && ref.offset <= end
      && count <= end - ref.offset
  }
}
