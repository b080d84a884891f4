// Support: random numbers by seed, fills that check themselves, and what the kernel says about a
// mapping.

import Glibc
import Synchronization

@testable import Memory

/// SplitMix64: small, seeded, the same everywhere.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension Arena {
  /// Sets all of an allocation's `count` bytes to `value`.
  mutating func fill(_ ref: Ref<Untyped>, at offset: Int = 0, count: Int, with value: UInt8) {
    // SAFETY: the tests stay inside what they allocated.
    unsafe memset(write(ref, at: offset, count: count), Int32(value), count)
  }

  /// Whether all of `count` bytes are `value`.
  func isFilled(_ ref: Ref<Untyped>, at offset: Int = 0, count: Int, with value: UInt8) -> Bool {
    // SAFETY: as in `fill`.
    unsafe allEqual(reader.pointer(ref) + offset, count, value)
  }
}

extension FrozenView {
  func isFilled(_ ref: Ref<Untyped>, at offset: Int = 0, count: Int, with value: UInt8) -> Bool {
    // SAFETY: as in `fill`.
    unsafe allEqual(UnsafeRawPointer(base) + ref.offset + offset, count, value)
  }

  /// A copy of everything that was in use.
  func copyOfBytes() -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: usedBytes))
  }

  /// Whether the view's bytes in `range` are those of `other` at the same place.
  func isEqual(to other: FrozenCopy, in range: Range<Int>) -> Bool {
    unsafe memcmp(base + range.lowerBound, other.base + range.lowerBound, range.count) == 0
  }
}

/// A plain copy of an arena's used bytes, to hold a frozen view against.
@safe final class FrozenCopy: Sendable {
  nonisolated(unsafe) let base: UnsafeMutableRawPointer
  let count: Int

  init(of arena: borrowing Arena) {
    count = arena.usedPages << Arena.pageShift
    unsafe base = mmap(
      nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    unsafe memcpy(base, arena.base, count)
  }

  deinit { unsafe munmap(base, count) }
}

private func allEqual(_ start: UnsafeRawPointer, _ count: Int, _ value: UInt8) -> Bool {
  guard count > 0 else { return true }
  guard unsafe start.load(as: UInt8.self) == value else { return false }
  return unsafe memcmp(start, start + 1, count - 1) == 0
}

/// What smaps says about the mappings inside an address range, in bytes.
func mappedBytes(_ field: String, at base: UnsafeRawPointer, count: Int) -> Int {
  let lower = UInt(bitPattern: base)
  let upper = lower + UInt(count)
  var isInside = false
  var total = 0
  for line in readFile("/proc/self/smaps").split(separator: "\n") {
    if let dash = line.firstIndex(of: "-"), let start = UInt(line[..<dash], radix: 16) {
      isInside = start >= lower && start < upper
    } else if isInside, line.hasPrefix(field + ":") {
      total += (Int(line.split(separator: " ")[1]) ?? 0) * 1024
    }
  }
  return total
}

private func readFile(_ path: String) -> String {
  let descriptor = unsafe open(path, O_RDONLY)
  guard descriptor >= 0 else { return "" }
  defer { close(descriptor) }
  var content: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65536)
  while case let count = unsafe read(descriptor, &piece, piece.count), count > 0 {
    content += piece[..<count]
  }
  return String(decoding: content, as: UTF8.self)
}

extension VolatilePages {
  /// The memory that the arena's file takes.
  var blockBytes: Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return -1 }
    return Int(status.st_blocks) * 512
  }
}

/// A thread of its own. Not a task: readers that spin until their owner is done would fill the
/// cooperative pool and never let it finish.
@safe final class WorkerThread {
  private final class Work: Sendable {
    let body: @Sendable () -> Int
    let result = Mutex(0)
    init(_ body: @escaping @Sendable () -> Int) { self.body = body }
  }

  private let work: Work
  private var handle = pthread_t()

  init(_ body: @escaping @Sendable () -> Int) {
    work = Work(body)
    let argument = unsafe Unmanaged.passRetained(work).toOpaque()
    let result = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        let value = work.body()
        work.result.withLock { $0 = value }
        return nil
      }, argument)
    precondition(result == 0)
  }

  /// Waits for the thread's end.
  func join() -> Int {
    pthread_join(handle, nil)
    return work.result.withLock { $0 }
  }
}
