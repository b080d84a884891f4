// LatencyMonitor: LATENCY's memory of delays, by event, once `latency-monitor-threshold` is set.
//
//   command       | 12:00:01 120 ms | 12:00:07 105 ms | ...   the newest 160, oldest first
//   fast-command  | ...

import Bytes

struct LatencyMonitor {
  struct Sample: Equatable {
    var seconds: Int
    var milliseconds: Int
  }

  static let sampleLimit = 160

  private(set) var events: [String: [Sample]] = [:]
  /// The worst delay of each event since it was last reset.
  private(set) var maximum: [String: Int] = [:]

  /// Notes a delay; within one second only the worst remains.
  mutating func note(_ event: String, milliseconds: Int, seconds: Int) {
    maximum[event] = max(maximum[event] ?? 0, milliseconds)
    var samples = events[event] ?? []
    if let last = samples.last, last.seconds == seconds {
      samples[samples.count - 1].milliseconds = max(last.milliseconds, milliseconds)
    } else {
      samples.append(Sample(seconds: seconds, milliseconds: milliseconds))
      if samples.count > Self.sampleLimit { samples.removeFirst() }
    }
    events[event] = samples
  }

  /// Forgets some events, or all when none is named.
  /// - Returns: how many there were.
  mutating func reset(_ names: [String]) -> Int {
    let forgotten = (names.isEmpty ? Array(events.keys) : names).filter {
      events.removeValue(forKey: $0) != nil
    }
    for name in forgotten { maximum[name] = nil }
    return forgotten.count
  }

  // MARK: The graph

  private static let graphRows = 4
  private static let graphColumns = 80

  /// An event's newest delays as columns, their age below; nil for an unknown event.
  ///
  ///     command - high 500 ms, low 101 ms (all time high 500 ms)
  ///     ----------------------------------------------------------------
  ///       _#
  ///      _||
  ///     _|||
  ///
  ///     421
  ///     sss
  func graph(_ event: String, nowSeconds: Int) -> String? {
    guard let all = events[event], !all.isEmpty else { return nil }
    let samples = all.suffix(Self.graphColumns)
    let values = all.map(\.milliseconds)
    let high = values.max() ?? 0
    let low = values.min() ?? 0
    var text =
      "\(event) - high \(high) ms, low \(low) ms (all time high \(maximum[event] ?? high) ms)\n"
    text += String(repeating: "-", count: Self.graphColumns) + "\n"
    // In half rows: "_" fills the lower half of a row, "#" the whole of it.
    let heights = samples.map { sample in
      let part = high == low ? 1 : Double(sample.milliseconds - low) / Double(high - low)
      return 1 + Int((part * Double(Self.graphRows * 2 - 1)).rounded())
    }
    for row in stride(from: Self.graphRows - 1, through: 0, by: -1) {
      text += line(
        heights.map { height in
          let rest = height - row * 2
          return rest <= 0 ? " " : rest == 1 ? "_" : rest == 2 ? "#" : "|"
        })
    }
    text += "\n"
    let ages = samples.map { Array(Self.age(max(nowSeconds - $0.seconds, 0))) }
    for row in 0..<(ages.map(\.count).max() ?? 0) {
      text += line(ages.map { row < $0.count ? $0[row] : " " })
    }
    return text
  }

  private func line(_ characters: [Character]) -> String {
    var line = String(characters)
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  private static func age(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m"
    case ..<86_400: "\(seconds / 3600)h"
    default: "\(seconds / 86_400)d"
    }
  }

  // MARK: The doctor

  /// What the recorded delays mean, in prose.
  func diagnosis(thresholdMilliseconds: Int) -> String {
    if thresholdMilliseconds == 0 {
      return """
        No delays are recorded: latency monitoring is off. CONFIG SET latency-monitor-threshold \
        <milliseconds> starts it.

        """
    }
    if events.isEmpty {
      return "No command has taken \(thresholdMilliseconds) ms or longer since monitoring began.\n"
    }
    var text = "Delays of \(thresholdMilliseconds) ms and more, by event:\n\n"
    for (index, event) in events.sorted(by: { $0.key < $1.key }).enumerated() {
      text += "\(index + 1). \(event.key): \(summary(event.value, event.key))\n"
    }
    text += """

      - SLOWLOG GET shows which commands were slow, and with which arguments; \
      CONFIG SET slowlog-log-slower-than sets what counts as slow.
      - O(N) commands on large keys, and patterns over the whole keyspace (KEYS), hold everybody \
      up: SCAN and its kin take small steps.

      """
    return text
  }

  private func summary(_ samples: [Sample], _ event: String) -> String {
    let values = samples.map { Double($0.milliseconds) }
    let count = Double(values.count)
    let average = values.reduce(0, +) / count
    let deviation = values.map { abs($0 - average) }.reduce(0, +) / count
    let span = Double((samples.last?.seconds ?? 0) - (samples.first?.seconds ?? 0))
    let period = InformationText.decimal(span / max(count - 1, 1), 2)
    return """
      \(values.count) latency spikes (average \(Int(average))ms, mean deviation \
      \(Int(deviation))ms, period \(period) sec). Worst all time event \(maximum[event] ?? 0)ms.
      """
  }
}
