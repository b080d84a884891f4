// ServerStatistics: what INFO, SLOWLOG and LATENCY tell of the commands that were executed.

import Bytes
import Commands

/// One command's counters.
struct CommandCounters: BitwiseCopyable {
  var calls = 0
  var ticks: UInt64 = 0
  var rejected = 0
  var failed = 0
}

struct ServerStatistics: ~Copyable {
  /// By command id.
  var commands = GrowableArray<CommandCounters>()
  /// By command id, `histogramSize` counters each: calls by their ticks, four steps a doubling.
  var histograms = GrowableArray<UInt32>()
  /// By the error's code, such as "ERR".
  var errors: [String: Int] = [:]
  var commandsProcessed = 0
  var errorReplies = 0
  var connectionsReceived = 0
  var inputBytes = 0
  var outputBytes = 0
  var evictedClients = 0
  var outputLimitDisconnections = 0
  var queryLimitDisconnections = 0
  var unexpectedErrorReplies = 0
  var protectedModeRefusals = 0
  var aclDeniedAuthentications = 0
  var peakMemoryBytes = 0
  var activeExpireTicks: UInt64 = 0
  /// Commands, input and output bytes a second, sampled by the cron.
  var rates = RateSamples()

  static var histogramSize: Int { 256 }

  init(commandCount: Int) {
    for _ in 0..<commandCount { commands.append(CommandCounters()) }
    histograms.reserve(commandCount * Self.histogramSize)
    for _ in 0..<(commandCount * Self.histogramSize) { histograms.append(0) }
  }

  /// CONFIG RESETSTAT.
  mutating func reset() {
    for index in 0..<commands.count { commands[index] = CommandCounters() }
    for index in 0..<histograms.count { histograms[index] = 0 }
    errors = [:]
    commandsProcessed = 0
    errorReplies = 0
    connectionsReceived = 0
    inputBytes = 0
    outputBytes = 0
    evictedClients = 0
    outputLimitDisconnections = 0
    queryLimitDisconnections = 0
    unexpectedErrorReplies = 0
    aclDeniedAuthentications = 0
    activeExpireTicks = 0
  }

  /// The histogram's step for a duration: exponent and the two bits below the leading one.
  @inline(__always) static func histogramIndex(_ ticks: UInt64) -> Int {
    let value = ticks | 4
    let exponent = 63 &- value.leadingZeroBitCount
    return exponent &* 4 &+ Int(truncatingIfNeeded: value &>> UInt64(exponent &- 2) & 3)
  }

  /// The shortest duration, in ticks, that falls into a step.
  static func histogramStart(_ index: Int) -> UInt64 {
    let (exponent, part) = index.quotientAndRemainder(dividingBy: 4)
    return exponent < 2 ? 0 : (4 + UInt64(part)) << UInt64(exponent - 2)
  }

  /// Counts one executed command.
  @inline(__always) mutating func count(_ command: CommandID, _ ticks: UInt64) {
    commands[command.index].calls &+= 1
    commands[command.index].ticks &+= ticks
    histograms[command.index &* Self.histogramSize &+ Self.histogramIndex(ticks)] &+= 1
    commandsProcessed &+= 1
  }

  /// Counts an error reply by the code that its line begins with.
  mutating func count(errorLine: borrowing Span<UInt8>) {
    errorReplies += 1
    var end = 0
    while end < errorLine.count && end < 32 && errorLine[end] != 32 && errorLine[end] != 13 {
      end += 1
    }
    let code = String(copying: errorLine.extracting(0..<end))
    // Redis stops telling codes apart when scripts have made too many of them.
    if errors.count < 128 || errors[code] != nil { errors[code, default: 0] += 1 }
  }
}

extension String {
  /// The bytes as UTF-8, with replacement characters where they are not.
  init(copying bytes: borrowing Span<UInt8>) {
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in 0..<bytes.count { copy.append(bytes[index]) }
    self = String(decoding: copy, as: UTF8.self)
  }
}

/// Sixteen samples of three rates, as Redis averages them.
struct RateSamples {
  private var samples = [[Double]](repeating: [Double](repeating: 0, count: 16), count: 3)
  private var position = 0
  private var lastTotals = [0, 0, 0]
  private var lastMilliseconds = 0

  mutating func sample(_ totals: [Int], now: Int) {
    let elapsed = max(now - lastMilliseconds, 1)
    for index in 0..<3 {
      let change = Double(max(totals[index] - lastTotals[index], 0))
      samples[index][position] = lastMilliseconds == 0 ? 0 : change * 1000 / Double(elapsed)
      lastTotals[index] = totals[index]
    }
    lastMilliseconds = now
    position = (position + 1) % 16
  }

  func mean(_ index: Int) -> Double { samples[index].reduce(0, +) / 16 }
  var commands: Int { Int(mean(0)) }
  var inputKibibytes: Double { mean(1) / 1024 }
  var outputKibibytes: Double { mean(2) / 1024 }
}
