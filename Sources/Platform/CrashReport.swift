// CrashReport: names what the process was doing when it died (CSystem/Crash.c writes the report).

import CSystem
import Glibc

public enum CrashReport {
  /// Writes a report to `descriptor` when the process dies of a fatal signal, then lets the signal
  /// take its course. Call once, before other threads start.
  public static func install(descriptor: Int32 = 2, version: String) throws(IOError) {
    // SAFETY: the copy ends in NUL and is never freed.
    let result = unsafe csystem_crash_install(descriptor, strdup(version))
    if result != 0 { throw IOError("sigaltstack", errno: errno) }
    // SAFETY: it reads a table of atomics, and writes within the size it is given.
    unsafe csystem_crash_add_describer(csystem_describe_guard_fault)
  }

  /// Sends later reports to another descriptor, such as the log's.
  public static func setDescriptor(_ descriptor: Int32) {
    csystem_crash_set_descriptor(descriptor)
  }

  /// What the process is doing now; cheap enough to call for every command.
  @inlinable public static func setContext(_ text: StaticString) {
    // SAFETY: as in install.
    unsafe csystem_crash_set_context(
      UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
  }

  /// Sends later reports to the end of the file at `path`, which stays open.
  public static func setFile(_ path: String) throws(IOError) {
    // SAFETY: the path's text outlives the call.
    let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw IOError("open", path, errno: errno) }
    setDescriptor(descriptor)
  }

  /// Names the activities 1 to `names.count`. Call once; the names stay in memory.
  public static func nameActivities(_ names: [String]) {
    let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: names.count)
    for (index, name) in names.enumerated() {
      // SAFETY: the list has room for every name; neither list nor copies are ever freed.
      unsafe (list + index).initialize(to: UnsafePointer(strdup(name)))
    }
    // SAFETY: as above.
    unsafe csystem_crash_name_activities(UnsafePointer(list), names.count)
  }

  /// Which named activity begins now: one store, cheap enough for every command.
  @inlinable public static func setActivity(_ number: UInt32) {
    csystem_crash_set_activity(number)
  }

  /// Gives the calling thread a stack of its own for the report.
  public static func prepareThread() {
    csystem_crash_prepare_thread()
  }
}
