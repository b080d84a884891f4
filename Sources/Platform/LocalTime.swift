// What a line of the log needs from the system: the local time, and a file to be appended to.
//
//   1795265223123 ms ──► 21 Nov 2026 12:47:03.123
//
// 1. Month names are English whatever the locale, as redis-server's: programs read the lines.
// 2. A line is one write to a file opened for appending, so lines of several threads do not mix.

import Glibc

public struct LocalTime: Equatable, Sendable {
  public let year: Int
  /// 1 to 12.
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int
  public let millisecond: Int

  /// This moment.
  public static func now() -> LocalTime {
    var time = timespec()
    // SAFETY: time is a local; the clock always exists, so the call cannot fail.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return LocalTime(
      wallMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// The moment `wallMilliseconds` after 1970 in the process' time zone.
  public init(wallMilliseconds: Int64) {
    var seconds = time_t(wallMilliseconds / 1000)
    var remainder = wallMilliseconds % 1000
    if remainder < 0 {
      remainder += 1000
      seconds -= 1
    }
    // SAFETY: both are locals; localtime_r keeps no pointer to them, and only numbers are read.
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    unsafe year = Int(parts.tm_year) + 1900
    unsafe month = Int(parts.tm_mon) + 1
    unsafe day = Int(parts.tm_mday)
    unsafe hour = Int(parts.tm_hour)
    unsafe minute = Int(parts.tm_min)
    unsafe second = Int(parts.tm_sec)
    millisecond = Int(remainder)
  }

  /// Appends `21 Nov 2026 12:47:03.123`.
  public func append(to text: inout [UInt8]) {
    Self.append(day, digits: 2, to: &text)
    text.append(0x20)
    text += Array(Self.months[month - 1].utf8)
    text.append(0x20)
    Self.append(year, digits: 4, to: &text)
    text.append(0x20)
    Self.append(hour, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Self.append(minute, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Self.append(second, digits: 2, to: &text)
    text.append(UInt8(ascii: "."))
    Self.append(millisecond, digits: 3, to: &text)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func append(_ value: Int, digits: Int, to text: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }
}

/// Where the lines of the log go.
public enum LogOutput {
  /// Appends `line` to the file at `path`, or to standard output when `path` is empty. Gives 0 or
  /// the errno value.
  ///
  /// The file is opened for every line, as redis-server does: a file that logrotate has moved away
  /// is created again, and one that could not be opened is tried again with the next line.
  public static func append(_ line: borrowing Span<UInt8>, to path: String) -> Int32 {
    if path.isEmpty { return write(line, to: STDOUT_FILENO) }
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC
    // SAFETY: the path's text outlives the call.
    let descriptor = unsafe open(path, flags, 0o644)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    return write(line, to: descriptor)
  }

  /// Writes `line` to standard error, for when the log itself cannot be written.
  @discardableResult
  public static func complain(_ line: borrowing Span<UInt8>) -> Int32 {
    write(line, to: STDERR_FILENO)
  }

  private static func write(_ line: borrowing Span<UInt8>, to descriptor: Int32) -> Int32 {
    var written = 0
    while written < line.count {
      // SAFETY: the pointer stays inside the span, which outlives the call.
      let count = unsafe line.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : ENOSPC }
      written += count
    }
    return 0
  }
}
