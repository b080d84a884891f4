// DeadlineQueue: which client's time is up first: a binary heap that knows where everybody stands.
//
//   heap       | 3.1 s: client 7 | 5.0 s: client 2 | 4.2 s: client 9 | ...   parent <= children
//   positions  client ──► its place in the heap, or -1
//
// 1. A client stands in the heap at most once. Entering and leaving take O(log n).

import Bytes

struct DeadlineQueue: ~Copyable {
  struct Entry: BitwiseCopyable {
    /// Milliseconds since 1970.
    var deadline: Int
    var client: Int32
  }

  private var heap = GrowableArray<Entry>()
  private var positions = GrowableArray<Int32>()

  init() {}

  var count: Int { heap.count }
  var isEmpty: Bool { heap.isEmpty }

  /// The earliest.
  var first: Entry? { heap.isEmpty ? nil : heap[0] }

  mutating func insert(_ client: Int, deadline: Int) {
    while positions.count <= client { positions.append(-1) }
    precondition(positions[client] < 0, "a client waits twice")
    heap.append(Entry(deadline: deadline, client: Int32(truncatingIfNeeded: client)))
    rise(heap.count - 1)
  }

  /// Takes a client out; nothing happens if it is not there.
  mutating func remove(_ client: Int) {
    guard client < positions.count, positions[client] >= 0 else { return }
    let position = Int(positions[client])
    positions[client] = -1
    let last = heap[heap.count - 1]
    heap.truncate(to: heap.count - 1)
    guard position < heap.count else { return }
    heap[position] = last
    rise(position)
    sink(Int(positions[Int(last.client)]))
  }

  private mutating func rise(_ start: Int) {
    let entry = heap[start]
    var position = start
    while position > 0 {
      let parent = (position - 1) / 2
      if heap[parent].deadline <= entry.deadline { break }
      put(heap[parent], position)
      position = parent
    }
    put(entry, position)
  }

  private mutating func sink(_ start: Int) {
    let entry = heap[start]
    var position = start
    while true {
      var child = 2 * position + 1
      if child >= heap.count { break }
      if child + 1 < heap.count && heap[child + 1].deadline < heap[child].deadline { child += 1 }
      if entry.deadline <= heap[child].deadline { break }
      put(heap[child], position)
      position = child
    }
    put(entry, position)
  }

  private mutating func put(_ entry: Entry, _ position: Int) {
    heap[position] = entry
    positions[Int(entry.client)] = Int32(truncatingIfNeeded: position)
  }

  func checkInvariants() {
    for position in 0..<heap.count {
      precondition(positions[Int(heap[position].client)] == position, "a client is elsewhere")
      precondition(
        position == 0 || heap[(position - 1) / 2].deadline <= heap[position].deadline,
        "a child comes before its parent")
    }
    var count = 0
    for client in 0..<positions.count where positions[client] >= 0 { count += 1 }
    precondition(count == heap.count, "a client that left is still listed")
  }
}
