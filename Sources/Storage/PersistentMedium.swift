// PersistentMedium: a data directory on persistent memory: files are mapped and written by stores.
//
//   file      | piece 0          | piece 1  | piece 2 |      a piece for each time it grew
//   mappings    MAP_SYNC, made by libpmem2, which also copies, flushes and drains
//
// 1. A piece stays mapped as long as the file is open: writers need no lock but for finding it.
//    Shrinking keeps the mapping, and growing again uses it.
// 2. Changes of length and blocks go through the kernel's journal; the next `synchronize` waits for
//    it. Stores into blocks that were there need no system call: MAP_SYNC.
// 3. Emulation maps any file the same way without MAP_SYNC: for measuring on a tmpfs, and tests.

import CPmem2
import CSystem
import Glibc
import Platform
import Synchronization

public final class PersistentMedium: Medium {
  public let facts: MediumFacts
  private let directory: OpenDirectory
  private let isEmulated: Bool

  /// Throws ENOTSUP where the directory is not on persistent memory.
  public init(directory path: String, isEmulated: Bool = false) throws(IOError) {
    let directory = try OpenDirectory(path)
    self.directory = directory
    self.isEmulated = isEmulated
    facts = MediumFacts(
      kind: .persistentMemory, directory: path, hasMapSync: !isEmulated,
      granularityBytes: try PersistentMedium.probe(directory, isEmulated),
      fileSystem: directory.fileSystem)
  }

  /// Maps a file for a moment, to see what the kernel grants.
  private static func probe(
    _ directory: OpenDirectory, _ isEmulated: Bool
  ) throws(IOError) -> Int {
    let name = "ferrite.probe.\(getpid())"
    // SAFETY: the path's text outlives the call.
    unsafe unlink(directory.path(name))
    let file = try MappedFile(
      directory.path(name), O_RDWR | O_CREAT | O_EXCL, isEmulated: isEmulated)
    defer { unsafe unlink(directory.path(name)) }
    try file.resize(to: 4096)
    return file.granularityBytes
  }

  public func open(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try MappedFile(directory.path(name), O_RDWR, isEmulated: isEmulated)
  }

  public func create(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try MappedFile(directory.path(name), O_RDWR | O_CREAT | O_EXCL, isEmulated: isEmulated)
  }

  public func remove(_ name: String) throws(IOError) { try directory.remove(name) }

  public func rename(_ name: String, to newName: String) throws(IOError) {
    try directory.rename(name, to: newName)
  }

  public func list() throws(IOError) -> [String] { try directory.list() }

  public func synchronizeDirectory() throws(IOError) { try directory.synchronize() }

  public func lock(_ name: String) throws(IOError) -> DirectoryLock { try directory.lock(name) }

  public func freeBytes() -> Int? { directory.freeBytes() }
}

/// A file that is written through mappings.
final class MappedFile: MediumFile {
  @safe private struct Piece: @unchecked Sendable {
    let range: Range<Int>
    let mapping: cpmem2_mapping
  }

  let path: String
  let descriptor: Int32
  private let isEmulated: Bool
  private let length: Atomic<Int>
  private let pieces = Mutex<[Piece]>([])
  private let hasMetadataChanges = Atomic(false)

  init(_ path: String, _ flags: Int32, isEmulated: Bool) throws(IOError) {
    self.path = path
    self.isEmulated = isEmulated
    descriptor = try openFile(path, flags, .buffered)
    let count = try fileLength(descriptor, path)
    length = Atomic(count)
    try map(through: count)
  }

  deinit {
    pieces.withLock { pieces in
      for piece in pieces {
        var mapping = unsafe piece.mapping
        // SAFETY: nobody writes any more: the file's last reference is gone.
        unsafe cpmem2_unmap(&mapping)
      }
    }
    Glibc.close(descriptor)
  }

  var count: Int { length.load(ordering: .relaxed) }

  /// What the first piece reported; 64 for an empty file.
  var granularityBytes: Int {
    // SAFETY: a field of a mapping that stands.
    pieces.withLock { pieces in pieces.first.map { unsafe Int($0.mapping.granularity) } } ?? 64
  }

  @unsafe func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(IOError) {
    precondition(offset >= 0 && offset + bytes.count <= count, "a write beyond the file's length")
    // SAFETY: the part of the piece lies inside the mapping, and the bytes inside the buffer.
    forEachPiece(of: offset..<offset + bytes.count) { piece, part in
      unsafe withUnsafePointer(to: piece.mapping) { mapping in
        unsafe cpmem2_write(
          mapping, part.lowerBound - piece.range.lowerBound,
          bytes.baseAddress! + (part.lowerBound - offset), part.count)
      }
    }
  }

  @unsafe func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(IOError) {
    // The kernel turns a bad block into an error, where a load would kill the process.
    unsafe try readFully(descriptor, path, bytes, offset)
  }

  func flush(_ range: Range<Int>) {
    // SAFETY: the part of the piece lies inside the mapping.
    forEachPiece(of: range) { piece, part in
      unsafe withUnsafePointer(to: piece.mapping) { mapping in
        unsafe cpmem2_flush(mapping, part.lowerBound - piece.range.lowerBound, part.count)
      }
    }
  }

  func synchronize() throws(IOError) {
    // SAFETY: a drain is a fence of this processor's; any mapping's will do.
    pieces.withLock { pieces in
      if let piece = pieces.first {
        unsafe withUnsafePointer(to: piece.mapping) { unsafe cpmem2_drain($0) }
      }
    }
    if hasMetadataChanges.exchange(false, ordering: .acquiringAndReleasing) {
      guard fsync(descriptor) == 0 else {
        let code = errno
        hasMetadataChanges.store(true, ordering: .releasing)
        throw IOError("fsync", path, errno: code)
      }
    }
  }

  func resize(to count: Int) throws(IOError) {
    try setLength(descriptor, path, count)
    hasMetadataChanges.store(true, ordering: .releasing)
    try map(through: count)
    length.store(count, ordering: .relaxed)
  }

  func allocate(_ range: Range<Int>) throws(IOError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    try allocateBlocks(descriptor, path, range)
    hasMetadataChanges.store(true, ordering: .releasing)
  }

  func punchHole(_ range: Range<Int>) throws(IOError) {
    try punch(descriptor, path, range)
    hasMetadataChanges.store(true, ordering: .releasing)
  }

  /// Maps what is not mapped yet below `end`, whole pages.
  private func map(through end: Int) throws(IOError) {
    let wanted = (end + 4095) & ~4095
    let mapped = pieces.withLock { $0.last?.range.upperBound ?? 0 }
    guard wanted > mapped else { return }
    // SAFETY: mapping is a local; the library checks the range against the file.
    var mapping = unsafe cpmem2_mapping()
    let code = unsafe cpmem2_map(descriptor, mapped, wanted - mapped, isEmulated, &mapping)
    guard code == 0 else { throw IOError("mmap", path, errno: code) }
    let piece = unsafe Piece(range: mapped..<wanted, mapping: mapping)
    pieces.withLock { $0.append(piece) }
  }

  private func forEachPiece(of range: Range<Int>, _ body: (Piece, Range<Int>) -> Void) {
    guard !range.isEmpty else { return }
    // One piece is the rule; a copy of the list keeps the lock away from the copying of bytes.
    for piece in pieces.withLock({ $0 }) where piece.range.overlaps(range) {
      body(piece, piece.range.clamped(to: range))
    }
  }
}
