// Daemon: a process in the background, the file that tells its number, and its last moments.

import Bytes
import CSystem
import Glibc

public enum Daemon {
  /// Goes on in the background: the caller's process exits with status 0, its child returns from
  /// here without a terminal. Call before any thread starts.
  public static func detach() throws(IOError) {
    if csystem_daemonize() != 0 { throw IOError("daemonize", errno: errno) }
  }

  /// Writes this process' number into the file at `path`.
  public static func writeIdentifier(to path: String) throws(IOError) {
    // SAFETY: the path's text outlives the call.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw IOError("open", path, errno: errno) }
    defer { close(descriptor) }
    let line = Array("\(Process.identifier)\n".utf8)
    // SAFETY: the array outlives the call, and the length is its own.
    guard unsafe write(descriptor, line, line.count) == line.count else {
      throw IOError("write", path, errno: errno)
    }
  }

  /// Removes a file; one that is not there is no error.
  public static func remove(_ path: String) {
    // SAFETY: the path's text outlives the call.
    _ = unsafe unlink(path)
  }

  /// From here on SIGTERM and SIGINT end the process at once.
  public static func restoreSignals() {
    csystem_restore_signals()
  }

  /// The value of an environment variable. The environment is never changed by this process.
  public static func environment(_ name: String) -> String? {
    // SAFETY: getenv gives NUL-terminated text that lives as long as the environment is unchanged.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
