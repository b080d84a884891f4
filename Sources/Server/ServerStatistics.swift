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
  /// Bytes of connections that are closed; the open ones count their own (`clientTotals`). Below
  /// zero after a reset, by what the open ones had then.
  var inputBytes = 0
  var outputBytes = 0
  var readsProcessed = 0
  var writesProcessed = 0
  /// Turns of the event loop, and the time they took beside waiting.
  var loopTurns = 0
  var loopTicks: UInt64 = 0
  var evictedClients = 0
  var outputLimitDisconnections = 0
  var queryLimitDisconnections = 0
  var unexpectedErrorReplies = 0
  var protectedModeRefusals = 0
  var aclDeniedAuthentications = 0
  var peakMemoryBytes = 0
  /// What was in use before the first client came.
  var startupMemoryBytes = 0
  /// Memory of the open connections when it was last added up.
  var clientBytes = 0
  /// Connections turned away before the last reset.
  var rejectedBefore = 0
  /// Keys of databases that were flushed.
  var flushedObjects = 0
  var activeExpireTicks: UInt64 = 0
  /// Times that background expiry and freeing had to stop with work left.
  var expirySlicesCut = 0
  /// How often writes had to wait because the log was full.
  var logFullStalls = 0
  /// How often effects were left to a checkpoint because the log had no room for them.
  var logGaps = 0
  /// What happens in a second, sampled by the cron.
  var rates = RateSamples()

  static var histogramSize: Int { 256 }

  init(commandCount: Int) {
    for _ in 0..<commandCount { commands.append(CommandCounters()) }
    histograms.reserve(commandCount * Self.histogramSize)
    for _ in 0..<(commandCount * Self.histogramSize) { histograms.append(0) }
  }

  /// Ticks that all commands together took.
  var commandTicks: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<commands.count { sum &+= commands[index].ticks }
    return sum
  }

  /// CONFIG RESETSTAT. Sizes stay, counts begin anew.
  mutating func reset() {
    for index in 0..<commands.count { commands[index] = CommandCounters() }
    for index in 0..<histograms.count { histograms[index] = 0 }
    errors = [:]
    commandsProcessed = 0
    errorReplies = 0
    connectionsReceived = 0
    inputBytes = 0
    outputBytes = 0
    readsProcessed = 0
    writesProcessed = 0
    loopTurns = 0
    loopTicks = 0
    evictedClients = 0
    outputLimitDisconnections = 0
    queryLimitDisconnections = 0
    unexpectedErrorReplies = 0
    aclDeniedAuthentications = 0
    activeExpireTicks = 0
    expirySlicesCut = 0
    rates = RateSamples()
  }

  /// The histogram's step for a duration: exponent and the two bits below the leading one.
  @inline(__always) static func histogramIndex(_ ticks: UInt64) -> Int {
    let value = max(ticks, 4)
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

/// Sixteen samples of each of a few rates, averaged as Redis does.
struct RateSamples {
  /// What is counted, by its place in a sample.
  enum Rate: Int, CaseIterable {
    case commands, inputBytes, outputBytes, turns, turnMicroseconds
  }

  private static let sampleCount = 16
  private var samples = [[Double]](
    repeating: [Double](repeating: 0, count: sampleCount), count: Rate.allCases.count)
  private var position = 0
  private var lastTotals: [Int]?
  private var lastMilliseconds = 0

  /// Takes the totals as they are now, in the order of `Rate`.
  mutating func sample(_ totals: [Int], now: Int) {
    let elapsed = max(now - lastMilliseconds, 1)
    for rate in Rate.allCases {
      let change = lastTotals.map { max(totals[rate.rawValue] - $0[rate.rawValue], 0) } ?? 0
      samples[rate.rawValue][position] = Double(change) * 1000 / Double(elapsed)
    }
    lastTotals = totals
    lastMilliseconds = now
    position = (position + 1) % Self.sampleCount
  }

  func mean(_ rate: Rate) -> Double {
    samples[rate.rawValue].reduce(0, +) / Double(Self.sampleCount)
  }

  var commands: Int { Int(mean(.commands)) }
  var inputKibibytes: Double { mean(.inputBytes) / 1024 }
  var outputKibibytes: Double { mean(.outputBytes) / 1024 }
  var turns: Int { Int(mean(.turns)) }
  /// How long a turn takes.
  var turnMicroseconds: Int { Int(mean(.turnMicroseconds) / max(mean(.turns), 1e-9)) }
}
