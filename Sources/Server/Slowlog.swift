// Slowlog and the slow path of counting commands.
//
// 1. An entry keeps at most 32 arguments of at most 128 bytes each, as Redis does.
// 2. No password is kept.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

struct Slowlog {
  struct Entry {
    var id: Int
    var seconds: Int
    var microseconds: Int
    var arguments: [[UInt8]]
    var peer: String
    var name: String
  }

  static let maximumArguments = 32
  static let maximumBytes = 128

  /// Newest first.
  var entries: [Entry] = []
  var nextID = 0

  mutating func add(_ entry: Entry, limit: Int) {
    entries.insert(entry, at: 0)
    trim(limit)
  }

  mutating func trim(_ limit: Int) {
    if entries.count > limit { entries.removeLast(entries.count - max(limit, 0)) }
  }

  /// Which arguments hold secrets. `command` is its full name.
  static func secrets(_ arguments: borrowing Arguments, of command: String) -> Set<Int> {
    switch command {
    case "auth": return Set(1..<max(arguments.count, 1))
    case "hello":
      var index = 2
      while index < arguments.count {
        if arguments[index].equalsIgnoringCase("AUTH") { return [index + 1, index + 2] }
        index += 1
      }
      return []
    case "migrate":
      var index = 6
      while index < arguments.count {
        if arguments[index].equalsIgnoringCase("AUTH") { return [index + 1] }
        if arguments[index].equalsIgnoringCase("AUTH2") { return [index + 1, index + 2] }
        if arguments[index].equalsIgnoringCase("KEYS") { break }
        index += 1
      }
      return []
    case "config|set":
      let names = stride(from: 2, to: arguments.count, by: 2)
      return Set(names.filter { Configuration.isSensitive(copy(arguments[$0])) }.map { $0 + 1 })
    default: return []
    }
  }

  /// A request's arguments, shortened, those in `secrets` replaced.
  static func shortened(
    _ arguments: borrowing Arguments, secrets: Set<Int> = []
  ) -> [[UInt8]] {
    var words: [[UInt8]] = []
    let count = min(arguments.count, maximumArguments)
    for index in 0..<count {
      if count < arguments.count && index == count - 1 {
        words.append(Array("... (\(arguments.count - count + 1) more arguments)".utf8))
        break
      }
      let isSecret = secrets.contains(index)
      words.append(isSecret ? Array("(redacted)".utf8) : shortened(arguments[index]))
    }
    return words
  }

  private static func copy(_ word: Span<UInt8>) -> [UInt8] { word.indices.map { word[$0] } }

  private static func shortened(_ word: Span<UInt8>) -> [UInt8] {
    let kept = word.count > maximumBytes ? maximumBytes : word.count
    var copy: [UInt8] = []
    for index in 0..<kept { copy.append(word[index]) }
    if kept < word.count {
      copy.append(contentsOf: Array("... (\(word.count - kept) more bytes)".utf8))
    }
    return copy
  }
}

extension Server {
  /// A command that took at least this long is looked at by `noteSlow`.
  var slowTicks: UInt64 { slowThreshold }

  /// Computes `slowThreshold` from slowlog-log-slower-than and latency-monitor-threshold.
  mutating func adoptObservationSettings() {
    var least = Double.infinity
    if configuration.slowlogLogSlowerThanMicroseconds >= 0 && configuration.slowlogMaxLength > 0 {
      least = Double(configuration.slowlogLogSlowerThanMicroseconds)
    }
    if configuration.latencyMonitorThresholdMilliseconds > 0 {
      least = min(least, Double(configuration.latencyMonitorThresholdMilliseconds) * 1000)
    }
    slowThreshold = least == .infinity ? .max : UInt64(least * ticks.perMicrosecond)
    slowlog.trim(configuration.slowlogMaxLength)
  }

  @inline(never) mutating func noteSlow(
    _ request: Request, _ elapsed: UInt64, _ batch: borrowing Batch, _ input: borrowing ByteBuffer
  ) {
    noteSlow(
      CommandID(rawValue: request.command), Self.arguments(request, batch, input), elapsed,
      Int(request.slot), placed: Int(request.placed))
  }

  /// - Parameter placed: the argument that is not among the arguments' bytes; -1 for none.
  mutating func noteSlow(
    _ id: CommandID, _ arguments: borrowing Arguments, _ elapsed: UInt64, _ slot: Int, placed: Int
  ) {
    let microseconds = Int(ticks.microseconds(elapsed))
    let threshold = configuration.latencyMonitorThresholdMilliseconds
    if threshold > 0 && microseconds >= threshold * 1000 {
      let event = table[id].flags.contains(.fast) ? "fast-command" : "command"
      latency.note(event, milliseconds: microseconds / 1000, seconds: now / 1000)
    }
    let limit = configuration.slowlogLogSlowerThanMicroseconds
    guard limit >= 0, microseconds >= limit, configuration.slowlogMaxLength > 0,
      !table[id].flags.contains(.skipSlowlog)
    else { return }
    var words = Slowlog.shortened(
      arguments, secrets: Slowlog.secrets(arguments, of: table.fullName(id)))
    // What was read into its place is not in the input.
    if words.indices.contains(placed) { words[placed] = Array("... (a large argument)".utf8) }
    let entry = Slowlog.Entry(
      id: slowlog.nextID, seconds: now / 1000, microseconds: microseconds, arguments: words,
      peer: network.connections[slot].peerAddress, name: clients[slot].name)
    slowlog.nextID += 1
    slowlog.add(entry, limit: configuration.slowlogMaxLength)
  }
}
