import Foundation
import Logging
import Platform
import Synchronization
import Testing

@testable import Server

/// Catches the lines of a log.
private final class Caught: Sendable {
  private let state = Mutex<[String]>([])
  var lines: [String] { state.withLock { $0 } }
  func append(_ line: [UInt8]) {
    state.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
  }
}

@Suite struct ConfigurationLoggingTests {
  private let moment = LocalTime(wallMilliseconds: 1_795_265_223_045)

  private func logger(_ settings: LogSettings, _ caught: Caught) -> Logger {
    let moment = moment
    return Logger(label: "test") { _ in
      RedisLogHandler(settings: settings, time: { moment }) { line, _ in
        caught.append(line)
        return 0
      }
    }
  }

  private var stamp: String {
    var text: [UInt8] = []
    moment.append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  @Test(arguments: [
    (Logger.Level.trace, "."), (.debug, "."), (.info, "-"), (.notice, "*"), (.warning, "#"),
    (.error, "#"), (.critical, "#"),
  ])
  func lineIsRedis(level: Logger.Level, mark: String) {
    let caught = Caught()
    logger(LogSettings(threshold: .debug), caught).log(level: level, "hello")
    let pid = ProcessInfo.processInfo.processIdentifier
    #expect(caught.lines == ["\(pid):M \(stamp) \(mark) hello\n"])
  }

  @Test(arguments: [
    (LogThreshold.debug, 7), (.verbose, 5), (.notice, 4), (.warning, 3), (.nothing, 0),
  ])
  func thresholdHolds(threshold: LogThreshold, count: Int) {
    let caught = Caught()
    let settings = LogSettings(threshold: .nothing)
    let logger = logger(settings, caught)
    // Set after the logger was made: loggers share the settings.
    settings.threshold = threshold
    for level in Logger.Level.allCases { logger.log(level: level, "x") }
    #expect(caught.lines.count == count)
  }

  @Test func messageIsOneLineWithItsMetadata() {
    let caught = Caught()
    var logger = logger(LogSettings(), caught)
    logger[metadataKey: "b"] = "2"
    logger.notice("a\nforged\r", metadata: ["a": "1"])
    #expect(caught.lines.first?.hasSuffix(" * a\\nforged\\r a=1 b=2\n") == true)
  }

  @Test func ownLevelIsTheLoggersAlone() {
    let caught = Caught()
    let settings = LogSettings(threshold: .notice)
    var verbose = logger(settings, caught)
    let plain = verbose
    verbose.logLevel = .info
    verbose.info("x")
    plain.info("x")
    #expect(caught.lines.count == 1)
    #expect(settings.threshold == .notice)
  }

  @Test func notesKeepTheirLevel() {
    let caught = Caught()
    logger(LogSettings(), caught).write([
      ConfigurationNote(isWarning: false, text: "n"), ConfigurationNote(isWarning: true, text: "w"),
    ])
    #expect(caught.lines.map { $0.suffix(5) } == [" * n\n", " # w\n"].map { $0.suffix(5) })
  }

  @Test func fileIsAppendedToAndCreatedAgain() throws {
    let path = NSTemporaryDirectory() + "ferrite-log-\(UUID().uuidString)"
    defer { unlinkIfPresent(path) }
    let settings = LogSettings()
    var configuration = Configuration()
    configuration.logFile = path
    settings.adopt(configuration)
    let logger = settings.logger()
    logger.notice("one")
    logger.notice("two")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n").map { $0.suffix(6) } == [" * one", " * two"])
    // As logrotate does it: the file goes, the next line makes a new one.
    try FileManager.default.removeItem(atPath: path)
    logger.notice("three")
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix(" * three\n"))
    #expect(LogOutput.append([UInt8]("x".utf8).span, to: "/nonexistent/log") == 2)
  }

  private func unlinkIfPresent(_ path: String) {
    if FileManager.default.fileExists(atPath: path) {
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  @Test(arguments: [
    0, 951_782_400_999, 1_795_265_223_045, 1_711_846_800_000, 4_102_444_799_999, -1,
  ])
  func localTimeIsTheCalendars(milliseconds: Int64) {
    let time = LocalTime(wallMilliseconds: milliseconds)
    let date = Date(timeIntervalSince1970: (Double(milliseconds) / 1000).rounded(.down))
    let parts = Calendar(identifier: .gregorian).dateComponents(
      in: .current, from: date)
    #expect(time.year == parts.year)
    #expect(time.month == parts.month)
    #expect(time.day == parts.day)
    #expect(time.hour == parts.hour)
    #expect(time.minute == parts.minute)
    #expect(time.second == parts.second)
    #expect(time.millisecond == Int((milliseconds % 1000 + 1000) % 1000))
  }

  @Test func timeIsWrittenAsRedisWritesIt() {
    let clock = String(format: "%02d:%02d", moment.hour, moment.minute)
    #expect(stamp.hasSuffix(" Nov 2026 \(clock):03.045"))
  }
}
