// Process: what the machine knows about this process, its limits, and systemd's readiness message.

import CSystem
import Glibc

public enum Process {
  public struct CPUTimes: Sendable {
    public var userMicroseconds: Int64
    public var systemMicroseconds: Int64
  }

  public static var identifier: Int32 { getpid() }

  /// Memory that is resident now, or 0 where /proc is not mounted.
  public static func residentBytes() -> Int {
    guard let content = try? Files.read("/proc/self/statm") else { return 0 }
    let fields = content.text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// CPU time of the whole process.
  public static func cpuTimes() -> CPUTimes { times(0) }

  /// CPU time of the children that have been waited for.
  public static func childrenCPUTimes() -> CPUTimes { times(-1) }

  /// CPU time of the calling thread.
  public static func threadCPUTimes() -> CPUTimes { times(1) }

  private static func times(_ who: Int32) -> CPUTimes {
    var times = CPUTimes(userMicroseconds: 0, systemMicroseconds: 0)
    // SAFETY: both are fields of a local.
    unsafe csystem_cpu_times(who, &times.userMicroseconds, &times.systemMicroseconds)
    return times
  }

  /// Gives what the heap does not use back to the system.
  public static func trimHeap() { csystem_trim_heap() }

  /// Descriptors that the server needs beside its clients': files, listeners, the loop itself.
  public static let reservedDescriptors = 32

  /// Raises the limit of open descriptors so that `clients` connections fit, as far as the machine
  /// allows. Gives the number of clients that fit and, where that is fewer, the kernel's reason.
  public static func raiseDescriptorLimit(forClients clients: Int) -> (clients: Int, errno: Int32) {
    let wanted = UInt64(clients + reservedDescriptors)
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    // SAFETY: both are locals.
    guard unsafe csystem_get_descriptor_limit(&soft, &hard) == 0 else {
      return (1024 - reservedDescriptors, errno)
    }
    if soft >= wanted || csystem_set_descriptor_limit(wanted, max(wanted, hard)) == 0 {
      return (clients, 0)
    }
    let refusal = errno
    // The hard limit is the most that an unprivileged process may have.
    if hard > soft && csystem_set_descriptor_limit(min(hard, wanted), hard) == 0 {
      soft = min(hard, wanted)
    }
    if soft >= wanted { return (clients, 0) }
    return (max(1, Int(soft) - reservedDescriptors), refusal)
  }

  /// Tells systemd about a change of state ("READY=1", "STOPPING=1", "STATUS=…"). Gives false where
  /// no service manager listens ($NOTIFY_SOCKET is not set).
  @discardableResult
  public static func notifyServiceManager(_ state: String) throws(IOError) -> Bool {
    // SAFETY: the environment is not changed once the process has started its threads.
    guard let value = unsafe getenv("NOTIFY_SOCKET") else { return false }
    let name = unsafe String(cString: value)
    guard name.hasPrefix("/") || name.hasPrefix("@") else {
      throw IOError("sd_notify", name, errno: EAFNOSUPPORT)
    }
    let descriptor = csystem_socket(AF_UNIX, csystem_datagram)
    guard descriptor >= 0 else { throw IOError("socket", name, errno: errno) }
    defer { close(descriptor) }
    let address = try SocketAddress(unixPath: name)
    let message = Array(state.utf8)
    // SAFETY: the array and the address outlive the call, and the lengths are theirs.
    let sent = unsafe address.withPointer { pointer, length in
      unsafe sendto(descriptor, message, message.count, 0, pointer, length)
    }
    guard sent == message.count else { throw IOError("sd_notify", name, errno: errno) }
    return true
  }
}
