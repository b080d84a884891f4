// What trees take, and copies of what their items name.

import Memory

extension CountedTree {
  /// About how many bytes the nodes take.
  public var typicalBytes: Int {
    // Leaves that grew at their end are full but for one item, others about two thirds.
    isEmpty ? 0 : max(count &* Self.itemBytes &* 5 / 4, 64)
  }
}

extension Arena {
  /// A copy of a listpack in a blob of its own.
  func packedBytes(_ blob: Ref<Blob>) -> Int { reader.listpack(blob).bytes.count }

  mutating func cloneListpack(_ old: Ref<Blob>) throws(ArenaFull) -> Ref<Blob> {
    let count = packedBytes(old)
    let blob = try allocate(count, as: Blob.self)
    // SAFETY: both are that long, and different allocations.
    unsafe write(blob, count: count).copyMemory(from: reader.pointer(old), byteCount: count)
    return blob
  }
}
