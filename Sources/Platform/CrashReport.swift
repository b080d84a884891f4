// CrashReport: names what the process was doing when it died (CSystem/Crash.c writes the report).

import CSystem
import Glibc

public enum CrashReport {
  /// Writes a report to `descriptor` when the process dies of a fatal signal, then lets the signal
  /// take its course. Call once, before other threads start.
  public static func install(descriptor: Int32 = 2, version: StaticString) throws(IOError) {
    // SAFETY: a static string lives as long as the process and ends in NUL.
    let result = unsafe version.utf8Start.withMemoryRebound(
      to: CChar.self, capacity: version.utf8CodeUnitCount
    ) { unsafe csystem_crash_install(descriptor, $0) }
    if result != 0 { throw IOError("sigaltstack", errno: errno) }
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

  /// Gives the calling thread a stack of its own for the report.
  public static func prepareThread() {
    csystem_crash_prepare_thread()
  }
}
