// Logging: swift-log in redis-server's format, to standard output or `logfile`.
//
//   4711:M 21 Nov 2026 12:47:01.123 * Ready to accept connections
//   pid role time                   level message
//
//   swift-log            Redis      mark   shown from `loglevel`
//   trace, debug         debug      .      debug
//   info                 verbose    -      verbose
//   notice               notice     *      notice
//   warning and above    warning    #      warning
//
// 1. A message is one line: line ends inside it are written as \n and \r, so that no client can
//    forge a line of the log.
// 2. A line that `logfile` does not take goes to standard error.
// 3. CONFIG SET loglevel acts on all loggers at once: they share one LogSettings.

import Glibc
import Logging
import Platform
import Synchronization

/// What all loggers of the server share and CONFIG SET may change.
public final class LogSettings: Sendable {
  private let state: Mutex<State>

  private struct State {
    var threshold: LogThreshold
    var file: String
  }

  /// - Parameter file: the log's path; standard output when empty.
  public init(threshold: LogThreshold = .notice, file: String = "") {
    state = Mutex(State(threshold: threshold, file: file))
  }

  public var threshold: LogThreshold {
    get { state.withLock { $0.threshold } }
    set { state.withLock { $0.threshold = newValue } }
  }

  public var file: String {
    get { state.withLock { $0.file } }
    set { state.withLock { $0.file = newValue } }
  }

  /// Takes `loglevel` and `logfile` over.
  public func adopt(_ configuration: Configuration) {
    state.withLock {
      $0.threshold = configuration.logLevel
      $0.file = configuration.logFile
    }
  }

  /// A logger that writes with these settings.
  public func logger() -> Logger {
    Logger(label: "ferrite") { _ in RedisLogHandler(settings: self) }
  }
}

/// Writes swift-log's events as lines of redis-server's log.
public struct RedisLogHandler: LogHandler {
  public var metadata: Logger.Metadata = [:]
  private let settings: LogSettings
  private let time: @Sendable () -> LocalTime
  private let output: @Sendable (_ line: [UInt8], _ path: String) -> Int32
  /// A level given to one logger only; without it, the shared threshold holds.
  private var ownLevel: Logger.Level?

  public init(settings: LogSettings) {
    self.init(settings: settings, time: LocalTime.now) { line, path in
      LogOutput.append(line.span, to: path)
    }
  }

  /// For tests, which set the time and catch the lines.
  init(
    settings: LogSettings, time: @escaping @Sendable () -> LocalTime,
    output: @escaping @Sendable (_ line: [UInt8], _ path: String) -> Int32
  ) {
    self.settings = settings
    self.time = time
    self.output = output
  }

  public var logLevel: Logger.Level {
    get { ownLevel ?? settings.threshold.lowestLevel }
    set { ownLevel = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    if settings.threshold == .nothing { return }
    let line = line(event)
    if output(line, settings.file) != 0 { LogOutput.complain(line.span) }
  }

  private func line(_ event: LogEvent) -> [UInt8] {
    var line = Array("\(getpid()):M ".utf8)
    time().append(to: &line)
    line += [0x20, event.level.mark, 0x20]
    append(event.message.description, to: &line)
    if let error = event.error { append(" error=\(error)", to: &line) }
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      append(" \(key)=\(value)", to: &line)
    }
    line.append(0x0A)
    return line
  }

  private func append(_ text: String, to line: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case 0x0A: line += Array("\\n".utf8)
      case 0x0D: line += Array("\\r".utf8)
      default: line.append(byte)
      }
    }
  }
}

extension LogThreshold {
  /// The lowest swift-log level that passes. Nothing passes `nothing`: the handler sees to it.
  var lowestLevel: Logger.Level {
    switch self {
    case .debug: return .trace
    case .verbose: return .info
    case .notice: return .notice
    case .warning: return .warning
    case .nothing: return .critical
    }
  }
}

extension Logger.Level {
  /// The character that stands for the level in a line.
  var mark: UInt8 {
    switch self {
    case .trace, .debug: return UInt8(ascii: ".")
    case .info: return UInt8(ascii: "-")
    case .notice: return UInt8(ascii: "*")
    case .warning, .error, .critical: return UInt8(ascii: "#")
    }
  }
}

extension Logger {
  /// Writes what loading or changing the configuration had to say.
  public func write(_ notes: [ConfigurationNote]) {
    for note in notes { log(level: note.isWarning ? .warning : .notice, "\(note.text)") }
  }
}
