// FileMedium: a data directory on an ordinary file system: pwrite, and fdatasync to make it last.
//
// 1. Nothing is kept here that the kernel does not know: several objects may be open on one file.

import CSystem
import Glibc
import Platform
import Synchronization

public final class FileMedium: Medium {
  public let facts: MediumFacts
  private let directory: OpenDirectory
  private let isReadOnly: Bool

  /// The directory must exist. One that is opened for reading only is not changed in any way.
  public init(directory path: String, isReadOnly: Bool = false) throws(IOError) {
    self.isReadOnly = isReadOnly
    directory = try OpenDirectory(path)
    facts = MediumFacts(
      kind: .file, directory: path, hasMapSync: false, granularityBytes: 4096,
      fileSystem: directory.fileSystem)
  }

  public func open(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try BlockFile(directory.path(name), isReadOnly ? O_RDONLY : O_RDWR, mode)
  }

  public func create(_ name: String, _ mode: WriteMode) throws(IOError) -> any MediumFile {
    try mayChange("open", name)
    return try BlockFile(directory.path(name), O_RDWR | O_CREAT | O_EXCL, mode)
  }

  private func mayChange(_ operation: String, _ name: String) throws(IOError) {
    guard !isReadOnly else { throw IOError(operation, path(name), errno: EROFS) }
  }

  public func remove(_ name: String) throws(IOError) {
    try mayChange("unlink", name)
    try directory.remove(name)
  }

  public func rename(_ name: String, to newName: String) throws(IOError) {
    try mayChange("rename", name)
    try directory.rename(name, to: newName)
  }

  public func list() throws(IOError) -> [String] { try directory.list() }

  public func synchronizeDirectory() throws(IOError) { try directory.synchronize() }

  public func lock(_ name: String) throws(IOError) -> DirectoryLock {
    try directory.lock(name, isReadOnly ? O_RDONLY : O_RDWR | O_CREAT)
  }

  public func freeBytes() -> Int? { directory.freeBytes() }
}

/// A file that is written with pwrite.
final class BlockFile: MediumFile {
  let path: String
  let descriptor: Int32
  private let length: Atomic<Int>

  init(_ path: String, _ flags: Int32, _ mode: WriteMode) throws(IOError) {
    self.path = path
    descriptor = try openFile(path, flags, mode)
    length = Atomic(try fileLength(descriptor, path))
  }

  deinit { Glibc.close(descriptor) }

  var count: Int { length.load(ordering: .relaxed) }

  @unsafe func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(IOError) {
    precondition(offset >= 0 && offset + bytes.count <= count, "a write beyond the file's length")
    var written = 0
    while written < bytes.count {
      let result = unsafe pwrite(
        descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else { throw IOError("write", path, errno: result < 0 ? errno : ENOSPC) }
      written += result
    }
  }

  @unsafe func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(IOError) {
    unsafe try readFully(descriptor, path, bytes, offset)
  }

  func flush(_ range: Range<Int>) {}

  func synchronize() throws(IOError) {
    guard fdatasync(descriptor) == 0 else { throw IOError("fdatasync", path, errno: errno) }
  }

  func resize(to count: Int) throws(IOError) {
    try setLength(descriptor, path, count)
    length.store(count, ordering: .relaxed)
  }

  func allocate(_ range: Range<Int>) throws(IOError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    try allocateBlocks(descriptor, path, range)
  }

  func punchHole(_ range: Range<Int>) throws(IOError) {
    try punch(descriptor, path, range)
  }
}

// MARK: What both real media do with files and names

func openFile(_ path: String, _ flags: Int32, _ mode: WriteMode) throws(IOError) -> Int32 {
  // SAFETY: the path's text outlives the calls.
  let descriptor =
    switch mode {
    case .buffered: unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600)
    case .direct: unsafe csystem_open_direct(path, flags, 0o600)
    }
  guard descriptor >= 0 else { throw IOError("open", path, errno: errno) }
  return descriptor
}

func fileLength(_ descriptor: Int32, _ path: String) throws(IOError) -> Int {
  var status = stat()
  // SAFETY: status is a local.
  guard unsafe fstat(descriptor, &status) == 0 else { throw IOError("fstat", path, errno: errno) }
  guard status.st_mode & S_IFMT == S_IFREG else { throw IOError("open", path, errno: EINVAL) }
  return Int(status.st_size)
}

@unsafe func readFully(
  _ descriptor: Int32, _ path: String, _ bytes: UnsafeMutableRawBufferPointer, _ offset: Int
) throws(IOError) {
  var filled = 0
  while filled < bytes.count {
    let result = unsafe pread(
      descriptor, bytes.baseAddress! + filled, bytes.count - filled, off_t(offset + filled))
    if result < 0 && errno == EINTR { continue }
    guard result > 0 else { throw IOError("read", path, errno: result < 0 ? errno : ENODATA) }
    filled += result
  }
}

func setLength(_ descriptor: Int32, _ path: String, _ count: Int) throws(IOError) {
  precondition(count >= 0 && count % 4096 == 0, "a file's length is whole pages")
  guard ftruncate(descriptor, off_t(count)) == 0 else {
    throw IOError("ftruncate", path, errno: errno)
  }
}

func allocateBlocks(
  _ descriptor: Int32, _ path: String, _ range: Range<Int>
) throws(IOError) {
  guard !range.isEmpty else { return }
  while csystem_allocate(descriptor, Int64(range.lowerBound), Int64(range.count)) != 0 {
    guard errno == EINTR else { throw IOError("fallocate", path, errno: errno) }
  }
}

func punch(_ descriptor: Int32, _ path: String, _ range: Range<Int>) throws(IOError) {
  precondition(range.lowerBound % 4096 == 0 && range.upperBound % 4096 == 0)
  guard !range.isEmpty else { return }
  guard csystem_punch_hole(descriptor, Int64(range.lowerBound), Int64(range.count)) == 0 else {
    throw IOError("punch hole", path, errno: errno)
  }
}

/// A directory by its descriptor, so that its names can be made durable at any time.
final class OpenDirectory: Sendable {
  let name: String
  let descriptor: Int32

  init(_ name: String) throws(IOError) {
    self.name = name
    // SAFETY: the name's text outlives the call.
    descriptor = unsafe Glibc.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError("open", name, errno: errno) }
  }

  deinit { Glibc.close(descriptor) }

  func path(_ file: String) -> String { name + "/" + file }

  func remove(_ file: String) throws(IOError) {
    // SAFETY: the path's text outlives the call.
    guard unsafe unlink(path(file)) == 0 else { throw IOError("unlink", path(file), errno: errno) }
  }

  func rename(_ file: String, to newName: String) throws(IOError) {
    // SAFETY: the paths' texts outlive the call.
    guard unsafe Glibc.rename(path(file), path(newName)) == 0 else {
      throw IOError("rename", path(file), errno: errno)
    }
  }

  func list() throws(IOError) -> [String] {
    // SAFETY: the stream is closed on every way out, and an entry is used before the next is read.
    guard let stream = unsafe opendir(name) else { throw IOError("opendir", name, errno: errno) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw IOError("readdir", name, errno: errno) }
    return names.sorted()
  }

  func synchronize() throws(IOError) {
    guard fsync(descriptor) == 0 else { throw IOError("fsync", name, errno: errno) }
  }

  func lock(
    _ file: String, _ flags: Int32 = O_RDWR | O_CREAT
  ) throws(IOError) -> DirectoryLock {
    // SAFETY: the path's text outlives the call.
    let held = unsafe Glibc.open(path(file), flags | O_CLOEXEC, 0o600)
    guard held >= 0 else { throw IOError("open", path(file), errno: errno) }
    guard csystem_try_lock(held) == 0 else {
      let code = errno
      Glibc.close(held)
      throw IOError("lock", path(file), errno: code)
    }
    return DirectoryLock { Glibc.close(held) }
  }

  func freeBytes() -> Int? {
    let bytes = csystem_free_bytes(descriptor)
    return bytes < 0 ? nil : Int(bytes)
  }

  /// Its name where it is one that people use, otherwise its number.
  var fileSystem: String {
    let type = csystem_file_system_type(descriptor)
    let names: [Int64: String] = [
      0xEF53: "ext4", 0x5846_5342: "xfs", 0x0102_1994: "tmpfs", 0x9123_683E: "btrfs",
      0x794C_7630: "overlay", 0x6969: "nfs", 0x2FC1_2FC1: "zfs", 0xF2F5_2010: "f2fs",
      0x0102_1997: "9p",
    ]
    return names[type] ?? "0x" + String(type, radix: 16)
  }
}
