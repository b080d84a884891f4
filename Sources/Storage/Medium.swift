// Medium: the seam between the engine and what holds its data: a directory of files.
//
//   persistent memory    write = stores   flush = clwb of the lines   synchronize = sfence
//   file system (SSD)    write = pwrite   flush = nothing             synchronize = fdatasync
//   simulated            everything is recorded, and power may go at any point
//
// 1. The rule on every medium is write → flush → synchronize: bytes survive a power cut once all
//    three have been done to them, in this order. Code that keeps the rule runs on all media.
// 2. Until then each piece of what was written may be there or not, in any combination: 8 aligned
//    bytes on persistent memory, a sector of 512 on a file system.
// 3. A file's length and blocks are durable after `synchronize`, its name after the directory's.
// 4. Writes stay within a file's length, which is whole pages, and on persistent memory within what
//    has been allocated: a full disk is met in `allocate`, never in a store.
// 5. After a failed `synchronize` nothing that it covered may be trusted: it is written again, by
//    the next process if this one is killed before it could.
// 6. A file may be used by several threads at once, on ranges that do not overlap.

import Platform

/// What a data directory lies on.
public struct MediumFacts: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case persistentMemory = "dax"
    case file = "ssd"
  }

  public var kind: Kind
  /// Where it is, as it was named.
  public var directory: String
  /// The kernel granted MAP_SYNC: stores need no system call to be durable.
  public var hasMapSync: Bool
  /// What must be flushed for one changed byte: 1, 64 or a page, as libpmem2 reports it.
  public var granularityBytes: Int
  /// The file system's name, such as "ext4".
  public var fileSystem: String

  public init(
    kind: Kind, directory: String, hasMapSync: Bool, granularityBytes: Int, fileSystem: String
  ) {
    self.kind = kind
    self.directory = directory
    self.hasMapSync = hasMapSync
    self.granularityBytes = granularityBytes
    self.fileSystem = fileSystem
  }
}

/// How a file is to be written.
public enum WriteMode: Sendable {
  /// Through the page cache; durable after `synchronize`.
  case buffered
  /// Whole, aligned blocks of 4096 bytes from aligned memory, durable when the write returns. On
  /// persistent memory the same as `buffered`. Not every file system has it: EINVAL.
  case direct
}

/// A data directory. Names have no slashes.
public protocol Medium: AnyObject, Sendable {
  var facts: MediumFacts { get }

  /// Opens a file that exists.
  func open(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile

  /// Makes an empty file; EEXIST where there is one of that name.
  func create(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile

  func remove(_ name: String) throws(IOError)

  /// Replaces what bears the new name, atomically.
  func rename(_ name: String, to newName: String) throws(IOError)

  /// The names of all files, sorted.
  func list() throws(IOError) -> [String]

  /// Makes creations, removals and renames durable.
  func synchronizeDirectory() throws(IOError)

  /// Takes the directory for this process; EWOULDBLOCK where another has it. It is free again when
  /// the result dies, or the process.
  func lock(_ name: String) throws(IOError) -> DirectoryLock

  /// Bytes that can still be stored, or nil where that is not known.
  func freeBytes() -> Int?

  /// A mistake that the code on this medium is to make, for tests of the tests.
  var plantedBug: PlantedBug? { get }
}

extension Medium {
  public var plantedBug: PlantedBug? { nil }

  public func open(_ name: String) throws(IOError) -> any MediumFile { try open(name, .buffered) }

  public func create(_ name: String) throws(IOError) -> any MediumFile {
    try create(name, .buffered)
  }

  /// The path that messages name.
  public func path(_ name: String) -> String { facts.directory + "/" + name }
}

public protocol MediumFile: AnyObject, Sendable {
  /// For messages.
  var path: String { get }
  /// The length in bytes.
  var count: Int { get }
  /// For private mappings of the content, and rings; -1 where there is none.
  var descriptor: Int32 { get }

  /// Overwrites `bytes.count` bytes at `offset`.
  @unsafe func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(IOError)

  /// Reads exactly `bytes.count` bytes at `offset`; beyond the length it is an error (ENODATA).
  @unsafe func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(IOError)

  /// Sends the range's lines on their way to the medium.
  func flush(_ range: Range<Int>)

  /// Waits until what was flushed is durable, and the length with it.
  func synchronize() throws(IOError)

  /// Sets the length, whole pages. What is new reads as zeros.
  func resize(to count: Int) throws(IOError)

  /// Gets blocks for a range within the length, so that writing there cannot meet a full disk.
  func allocate(_ range: Range<Int>) throws(IOError)

  /// Gives the blocks of whole pages back; they read as zeros.
  func punchHole(_ range: Range<Int>) throws(IOError)
}

extension MediumFile {
  public func write(_ bytes: borrowing Span<UInt8>, at offset: Int) throws(IOError) {
    guard bytes.count > 0 else { return }
    // SAFETY: the buffer is the span's, which outlives the call.
    let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Void, IOError> in
      do throws(IOError) { return .success(unsafe try write(buffer, at: offset)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  public func read(into bytes: inout MutableSpan<UInt8>, at offset: Int) throws(IOError) {
    guard bytes.count > 0 else { return }
    // SAFETY: the buffer is the span's, which outlives the call.
    let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Result<Void, IOError> in
      do throws(IOError) { return .success(unsafe try read(into: buffer, at: offset)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Makes durable what an earlier process may have left in a cache only. After a synchronize that
  /// failed, the kernel takes what it caches for written (invariant 5): so on a file system it is
  /// written again. What the medium has is equal or missing, so a torn write does no harm.
  func settle(_ range: Range<Int>, on medium: any Medium, rewrites: Bool = true) throws(IOError) {
    if rewrites && medium.facts.kind == .file {
      var bytes = [UInt8](repeating: 0, count: min(range.count, 1 << 20))
      var offset = range.lowerBound
      while offset < range.upperBound {
        let count = min(bytes.count, range.upperBound - offset)
        var all = bytes.mutableSpan
        var part = all._mutatingExtracting(0..<count)
        try read(into: &part, at: offset)
        try write(bytes.span.extracting(0..<count), at: offset)
        offset += count
      }
    }
    flush(range)
    try synchronize()
  }

  /// All three steps of invariant 1.
  public func persist(_ bytes: borrowing Span<UInt8>, at offset: Int) throws(IOError) {
    try write(bytes, at: offset)
    flush(offset..<offset + bytes.count)
    try synchronize()
  }
}

/// A directory that this process has taken.
public final class DirectoryLock: Sendable {
  private let onRelease: @Sendable () -> Void

  public init(onRelease: @escaping @Sendable () -> Void) { self.onRelease = onRelease }

  deinit { onRelease() }
}
