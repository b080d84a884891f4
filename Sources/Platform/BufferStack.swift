// BufferStack: the buffers that connections borrow while bytes are in them.
//
//   slots: | ready | ready | ready | shells without memory ... |
//                                  ^ available
//
// Last in, first out: the buffer that was used last is the one in the cache.
//
// 1. slots[0..<available] are empty buffers with at least `standardCapacity` bytes of memory.
// 2. Their memory together stays under `limit`.

import Bytes

struct BufferStack: ~Copyable {
  /// Just off a power of two, so that the beginnings of many buffers spread over the cache's sets.
  static var standardCapacity: Int { 16384 + 48 }
  static var largestCapacity: Int { 1 << 20 }
  static var limit: Int { 16 << 20 }

  private var slots = Pool<ByteBuffer>()
  private var available = 0
  private(set) var bytes = 0

  /// Gives `buffer`, which has no memory, a buffer's memory.
  mutating func lend(_ buffer: inout ByteBuffer) {
    assert(buffer.capacity == 0)
    if available == 0 {
      buffer.reserve(BufferStack.standardCapacity)
    } else {
      available -= 1
      swap(&buffer, &slots[available])
      bytes -= buffer.capacity
    }
  }

  /// Takes the memory of `buffer`, which is empty and is left without any.
  mutating func giveBack(_ buffer: inout ByteBuffer) {
    assert(buffer.isEmpty)
    let capacity = buffer.capacity
    guard
      capacity >= BufferStack.standardCapacity && capacity <= BufferStack.largestCapacity
        && bytes + capacity <= BufferStack.limit
    else {
      if capacity > 0 { buffer.release() }
      return
    }
    if available == slots.count { slots.append(ByteBuffer()) }
    swap(&buffer, &slots[available])
    available += 1
    bytes += capacity
  }
}
