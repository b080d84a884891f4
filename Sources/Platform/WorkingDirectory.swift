// WorkingDirectory: where relative paths start, and which paths match a shell pattern.

import CSystem
import Glibc

public enum WorkingDirectory {
  /// The working directory's absolute path; empty when it has been removed.
  public static func path() -> String {
    // SAFETY: getcwd(nil, 0) allocates the text, ends it with NUL and leaves freeing it to us.
    guard let text = unsafe getcwd(nil, 0) else { return "" }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  public static func change(to path: String) throws(IOError) {
    // SAFETY: the path's text outlives the call.
    guard unsafe chdir(path) == 0 else { throw IOError("chdir", path, errno: errno) }
  }

  /// The existing paths that match a shell pattern, sorted; none is no error.
  public static func matching(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    // SAFETY: found is a local; globfree releases what glob put there, on every way out.
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    var paths: [String] = []
    for index in 0..<(unsafe Int(found.gl_pathc)) {
      // SAFETY: glob gives gl_pathc texts, each ended with NUL.
      if let path = unsafe found.gl_pathv[index] { paths.append(unsafe String(cString: path)) }
    }
    return paths
  }
}
