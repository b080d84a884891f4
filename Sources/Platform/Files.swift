// Files: reading a whole file, and replacing one so that a crash leaves the old or the new content.
//
// replace: write temporary beside it → fsync it → rename over the old name → fsync the directory
//
// 1. After `replace` returns, the new content survives a power loss.
// 2. Until the rename, the old file is untouched; a failure removes the temporary file.

import Bytes
import Glibc

public enum Files {
  /// The whole content of the file at `path` ("-" is standard input), which may be a pipe.
  public static func read(_ path: String) throws(IOError) -> ByteBuffer {
    let isStandardInput = path == "-"
    let descriptor = unsafe isStandardInput ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError("open", path, errno: errno) }
    defer { if !isStandardInput { Glibc.close(descriptor) } }
    var content = ByteBuffer()
    while true {
      content.reserve(16384)
      // SAFETY: the kernel writes at most the free space, and only what it wrote is committed.
      let space = unsafe content.freeSpace()
      let count = unsafe Glibc.read(descriptor, space.baseAddress, space.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw IOError("read", path, errno: errno) }
      if count == 0 { return content }
      unsafe content.commit(count)
    }
  }

  /// Whether there is anything at `path`.
  public static func exists(_ path: String) -> Bool {
    // SAFETY: the path's text outlives the call.
    unsafe access(path, F_OK) == 0
  }

  /// Replaces the file at `path` by `content`, atomically and durably (invariants 1 and 2). The
  /// permissions of an existing file are kept; a new one gets `permissions`.
  public static func replace(
    _ path: String, with content: borrowing Span<UInt8>, permissions: UInt16 = 0o644
  ) throws(IOError) {
    let temporary = "\(path).\(getpid()).tmp"
    var mode = mode_t(permissions)
    var old = stat()
    // SAFETY: the path's text and `old` outlive the call.
    if unsafe stat(path, &old) == 0 { mode = old.st_mode & 0o7777 }
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    let descriptor = unsafe open(temporary, flags, mode)
    guard descriptor >= 0 else { throw IOError("open", temporary, errno: errno) }
    do throws(IOError) {
      defer { Glibc.close(descriptor) }
      guard fchmod(descriptor, mode) == 0 else { throw IOError("chmod", temporary, errno: errno) }
      try writeAll(descriptor, temporary, content)
      guard fsync(descriptor) == 0 else { throw IOError("fsync", temporary, errno: errno) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    guard unsafe rename(temporary, path) == 0 else {
      let code = errno
      unsafe unlink(temporary)
      throw IOError("rename", path, errno: code)
    }
    try synchronizeDirectory(of: path)
  }

  /// Makes the names in the directory that holds `path` durable.
  public static func synchronizeDirectory(of path: String) throws(IOError) {
    var directory = "."
    if let slash = path.utf8.lastIndex(of: 0x2F) {
      directory = slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }
    // SAFETY: the path's text outlives the call.
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError("open", directory, errno: errno) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw IOError("fsync", directory, errno: errno) }
  }

  private static func writeAll(
    _ descriptor: Int32, _ path: String, _ content: borrowing Span<UInt8>
  ) throws(IOError) {
    var written = 0
    while written < content.count {
      // SAFETY: the pointer stays inside the span, which outlives the call.
      let count = unsafe content.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw IOError("write", path, errno: count < 0 ? errno : ENOSPC) }
      written += count
    }
  }
}
