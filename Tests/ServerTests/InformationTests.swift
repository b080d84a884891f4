// INFO's text, percentiles, rates, the slow log and LATENCY's memory.

import Bytes
import RESP
import Testing

@testable import Server

@Suite struct InformationTests {
  @Test func sectionsByName() {
    #expect(Set<InformationSection>(words: []) == .standard)
    #expect(Set<InformationSection>(words: ["default"]) == .standard)
    #expect(Set<InformationSection>(words: ["CPU", "Memory"]) == [.cpu, .memory])
    #expect(Set<InformationSection>(words: ["all"]) == Set(InformationSection.allCases))
    #expect(Set<InformationSection>(words: ["everything"]) == Set(InformationSection.allCases))
    #expect(Set<InformationSection>(words: ["nosuch"]).isEmpty)
    #expect(Set<InformationSection>(words: ["nosuch", "cpu"]) == [.cpu])
    #expect(!Set<InformationSection>.standard.contains(.commandstats))
  }

  @Test func textOfSections() {
    var text = InformationText()
    text.section(.cpu)
    text.field("a", 1)
    text.section(.keyspace)
    text.size("used", 1536)
    text.zeros("x", "y")
    #expect(
      text.text
        == "# CPU\r\na:1\r\n\r\n# Keyspace\r\nused:1536\r\nused_human:1.50K\r\nx:0\r\ny:0\r\n")
  }

  @Test(arguments: [
    (0.0, 2, "0.00"), (1.005, 1, "1.0"), (2.999, 2, "3.00"), (-0.001, 2, "0.00"),
    (-1.5, 1, "-1.5"), (12.0, 0, "12"), (0.07, 3, "0.070"), (1e300, 2, "1e+300"),
    (.nan, 2, "nan"), (-.infinity, 2, "-inf"),
  ])
  func decimals(value: Double, count: Int, expected: String) {
    #expect(InformationText.decimal(value, count) == expected)
  }

  @Test func sizesForPeople() {
    let sizes = [
      (0, "0B"), (1023, "1023B"), (1024, "1.00K"), (941_160, "919.10K"), (1 << 20, "1.00M"),
      (25_276_510_208, "23.54G"), (1 << 40, "1.00T"), (1 << 50, "1.00P"),
    ]
    for (bytes, text) in sizes { #expect(InformationText.human(bytes) == text) }
  }

  @Test func namesOfPercentiles() {
    #expect(InformationText.trimmed(50) == "50")
    #expect(InformationText.trimmed(99.9) == "99.9")
    #expect(InformationText.trimmed(0.001) == "0.001")
    #expect(InformationText.seconds(7_434_293) == "7.434293")
    #expect(InformationText.safe("a:b#c\r\nd") == "a_b_c_d")
  }
}

@Suite struct LatencyHistogramTests {
  /// Every duration lies in the step that its index names.
  @Test func stepsCoverAllDurations() {
    var previous = 0
    for exponent in 0..<63 {
      for offset in [0, 1, 3] {
        let ticks = (UInt64(1) << UInt64(exponent)) + UInt64(offset)
        let step = ServerStatistics.histogramIndex(ticks)
        let start = ServerStatistics.histogramStart(step)
        // Durations below four ticks share the steps of those above.
        let end = ServerStatistics.histogramEnd(step)
        #expect((ticks < 4 || start <= ticks) && ticks < end, "\(ticks)")
        #expect(step < ServerStatistics.histogramSize)
        if offset == 0 && exponent >= 2 {
          #expect(step > previous)
          previous = step
        }
      }
    }
    #expect(ServerStatistics.histogramIndex(.max) < ServerStatistics.histogramSize)
  }

  @Test func percentilesAreWithinAStep() {
    let durations = (1...10_000).map { UInt64($0 * 37) }
    let histogram = Self.histogram(durations)
    #expect(histogram.total == 10_000)
    for percentile in [0.01, 1, 25, 50, 75, 90, 99, 99.9, 100] {
      let rank = max(Int((percentile * 100).rounded(.up)), 1)
      let exact = Double(durations[rank - 1])
      let value = histogram.value(atPercentile: percentile)
      #expect(abs(value - exact) <= max(exact / 4, 8), "\(percentile): \(value), not \(exact)")
    }
  }

  @Test func percentilesNeverFall() {
    var generator = SeededGenerator(seed: 11)
    let durations = (0..<500).map { _ in UInt64.random(in: 0...1 << 40, using: &generator) }
    let histogram = Self.histogram(durations)
    let values = stride(from: 0.0, through: 100, by: 0.5).map {
      histogram.value(atPercentile: $0)
    }
    #expect(values == values.sorted())
  }

  @Test func emptyAndSingle() {
    #expect(LatencyHistogram(counts: []).value(atPercentile: 50) == 0)
    #expect(LatencyHistogram(counts: []).cumulative(ticksPerMicrosecond: 1).isEmpty)
    let single = Self.histogram([1000])
    for percentile in [0.0, 50, 100] {
      #expect((896...1024).contains(single.value(atPercentile: percentile)))
    }
  }

  /// Redis' bounds, in microseconds: 1 2 4 8 16 33 66 ...
  @Test func cumulativeBounds() {
    let histogram = Self.histogram([500, 500, 3000, 30_000, 3_000_000_000])
    let steps = histogram.cumulative(ticksPerMicrosecond: 1000)
    #expect(steps.map(\.microseconds) == [1, 4, 33, 1_082_130])
    #expect(steps.map(\.calls) == [2, 3, 4, 5])
  }

  private static func histogram(_ durations: [UInt64]) -> LatencyHistogram {
    var counts = [Int](repeating: 0, count: ServerStatistics.histogramSize)
    for ticks in durations { counts[ServerStatistics.histogramIndex(ticks)] += 1 }
    return LatencyHistogram(counts: counts)
  }
}

@Suite struct ServerStatisticsTests {
  @Test func countersFeedTheHistogram() {
    var statistics = ServerStatistics(commandCount: 3)
    for ticks in [100, 200, 300] { statistics.count(.init(rawValue: 1), UInt64(ticks)) }
    #expect(statistics.commands[1].calls == 3 && statistics.commandTicks == 600)
    #expect(statistics.histogram(.init(rawValue: 1)).total == 3)
    #expect(statistics.histogram(.init(rawValue: 0)).total == 0)
    statistics.reset()
    #expect(
      statistics.commandsProcessed == 0 && statistics.histogram(.init(rawValue: 1)).total == 0)
  }

  @Test func agingKeepsTheShape() {
    var statistics = ServerStatistics(commandCount: 2)
    statistics.histograms[10] = .max / 2 + 2
    statistics.histograms[20] = 1000
    statistics.histograms[ServerStatistics.histogramSize + 5] = 1000
    statistics.ageHistograms()
    #expect(statistics.histograms[10] == 1 << 30 && statistics.histograms[20] == 500)
    #expect(statistics.histograms[ServerStatistics.histogramSize + 5] == 1000)
  }

  @Test func errorsByCode() {
    var statistics = ServerStatistics(commandCount: 1)
    for line in ["ERR a", "ERR b", "WRONGTYPE x", "OOM\r\n"] {
      let bytes = Array(line.utf8)
      statistics.count(errorLine: bytes.span)
    }
    #expect(statistics.errors == ["ERR": 2, "WRONGTYPE": 1, "OOM": 1])
    #expect(statistics.errorReplies == 4)
  }

  @Test func ratesAreMeansOfSixteenSamples() {
    var rates = RateSamples()
    rates.sample([1000, 0, 0, 0, 0], now: 1000)
    #expect(rates.commands == 0)
    for second in 1...16 {
      rates.sample(
        [1000 + second * 500, second * 2048, 0, second * 10, second * 70], now: 1000 + second * 100)
    }
    #expect(rates.commands == 5000)
    #expect(rates.inputKibibytes == 20)
    #expect(rates.turns == 100 && rates.turnMicroseconds == 7)
    // A reset of the totals is no negative rate.
    rates.sample([0, 0, 0, 0, 0], now: 3000)
    #expect(rates.commands < 5000 && rates.commands >= 0)
  }
}

@Suite struct SlowlogTests {
  private static func entry(_ id: Int) -> Slowlog.Entry {
    Slowlog.Entry(
      id: id, seconds: id, microseconds: 1, arguments: [], peer: "", name: "")
  }

  @Test func newestFirstAndNoMoreThanTheLimit() {
    var log = Slowlog()
    for id in 0..<10 { log.add(Self.entry(id), limit: 4) }
    #expect(log.entries.map(\.id) == [9, 8, 7, 6])
    log.trim(2)
    #expect(log.entries.map(\.id) == [9, 8])
    log.trim(0)
    #expect(log.entries.isEmpty)
  }

  @Test func longRequestsAreShortened() {
    let words = shortened(["MGET"] + (1...40).map { "key\($0)" })
    #expect(words.count == 32)
    #expect(words.last == "... (10 more arguments)")
    #expect(words[30] == "key30")
    #expect(shortened((1...32).map { "\($0)" }).last == "32")
    let long = shortened(["SET", "k", String(repeating: "x", count: 130)])
    #expect(long[2] == String(repeating: "x", count: 128) + "... (2 more bytes)")
  }

  @Test func secretsAreNotKept() {
    #expect(shortened(["AUTH", "u", "p"], "auth") == ["AUTH", "(redacted)", "(redacted)"])
    #expect(
      shortened(["HELLO", "3", "auth", "u", "p", "SETNAME", "n"], "hello")
        == ["HELLO", "3", "auth", "(redacted)", "(redacted)", "SETNAME", "n"])
    #expect(shortened(["HELLO", "3", "AUTH"], "hello") == ["HELLO", "3", "AUTH"])
    #expect(
      shortened(["CONFIG", "SET", "hz", "10", "RequirePass", "p"], "config|set")
        == ["CONFIG", "SET", "hz", "10", "RequirePass", "(redacted)"])
  }

  private func shortened(_ words: [String], _ command: String = "") -> [String] {
    var bytes: [UInt8] = []
    var ranges: [ArgumentRange] = []
    for word in words {
      ranges.append(ArgumentRange(offset: bytes.count, count: word.utf8.count))
      bytes += Array(word.utf8)
    }
    let arguments = Arguments(bytes: bytes.span, ranges: ranges.span, request: Span())
    return Slowlog.shortened(arguments, secrets: Slowlog.secrets(arguments, of: command))
      .map { String(decoding: $0, as: UTF8.self) }
  }
}

@Suite struct LatencyMonitorTests {
  @Test func oneSampleASecond() {
    var monitor = LatencyMonitor()
    monitor.note("command", milliseconds: 10, seconds: 100)
    monitor.note("command", milliseconds: 30, seconds: 100)
    monitor.note("command", milliseconds: 20, seconds: 101)
    #expect(monitor.events["command"]?.map(\.milliseconds) == [30, 20])
    #expect(monitor.maximum["command"] == 30)
    #expect(monitor.reset(["nosuch", "command"]) == 1)
    #expect(monitor.events.isEmpty && monitor.maximum.isEmpty)
  }

  @Test func keepsTheNewest() {
    var monitor = LatencyMonitor()
    for second in 0..<500 { monitor.note("command", milliseconds: 1, seconds: second) }
    #expect(monitor.events["command"]?.count == LatencyMonitor.sampleLimit)
    #expect(monitor.events["command"]?.last?.seconds == 499)
    #expect(monitor.reset([]) == 1)
  }

  @Test func drawsTheGraph() {
    var monitor = LatencyMonitor()
    monitor.note("command", milliseconds: 50, seconds: 100)
    monitor.note("command", milliseconds: 100, seconds: 101)
    monitor.note("command", milliseconds: 200, seconds: 103)
    let graph = monitor.graph("command", nowSeconds: 110)
    #expect(
      graph == """
        command - high 200 ms, low 50 ms (all time high 200 ms)
        \(String(repeating: "-", count: 80))
          #
          |
         _|
        _||

        197
        0ss
        s

        """)
    #expect(monitor.graph("nosuch", nowSeconds: 0) == nil)
  }
}
