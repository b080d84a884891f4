// SLOWLOG and LATENCY.

import Bytes
import Commands
import Keyspace
import RESP

extension ServerHandlers {
  static func slowlogGet(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count <= 3 else { throw unknownSubcommand(args) }
    var count = 10
    if args.count == 3 {
      guard let wanted = args[2].parseInteger(), wanted >= -1 else {
        throw .fixed("ERR count should be greater than or equal to -1")
      }
      count = wanted == -1 ? .max : wanted
    }
    let entries = server.slowlog.entries.prefix(count)
    reply.array(entries.count)
    for entry in entries {
      reply.array(6)
      reply.integer(entry.id)
      reply.integer(entry.seconds)
      reply.integer(entry.microseconds)
      reply.array(entry.arguments.count)
      for word in entry.arguments { reply.bulk(word.span) }
      reply.bulk(entry.peer)
      reply.bulk(entry.name)
    }
  }

  static func slowlogLen(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.integer(server.slowlog.entries.count)
  }

  static func slowlogReset(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    server.slowlog.entries = []
    reply.ok()
  }

  // MARK: LATENCY

  static func latencyLatest(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let events = server.latency.events.sorted { $0.key < $1.key }
    reply.array(events.count)
    for (name, samples) in events {
      reply.array(4)
      reply.bulk(name)
      reply.integer(samples.last?.seconds ?? 0)
      reply.integer(samples.last?.milliseconds ?? 0)
      reply.integer(server.latency.maximum[name] ?? 0)
    }
  }

  static func latencyHistory(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let samples = server.latency.events[String(copying: args[2])] ?? []
    reply.array(samples.count)
    for sample in samples {
      reply.array(2)
      reply.integer(sample.seconds)
      reply.integer(sample.milliseconds)
    }
  }

  static func latencyReset(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var names: [String] = []
    for index in 2..<args.count { names.append(String(copying: args[index])) }
    reply.integer(server.latency.reset(names))
  }

  static func latencyGraph(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let name = String(copying: args[2])
    guard let graph = server.latency.graph(name, nowSeconds: server.now / 1000) else {
      throw .custom("ERR No samples available for event '\(name)'")
    }
    reply.verbatim(graph)
  }

  static func latencyDoctor(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let threshold = server.configuration.latencyMonitorThresholdMilliseconds
    reply.verbatim(server.latency.diagnosis(thresholdMilliseconds: threshold))
  }

  static func latencyHistogram(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var ids: [CommandID] = []
    if args.count == 2 {
      ids = (0..<server.table.count).map { CommandID(rawValue: UInt16($0)) }
    }
    for index in 2..<args.count {
      guard let id = server.table.find(fullName: args[index]) else { continue }
      let info = server.table[id]
      ids.append(id)
      for number in 0..<info.subcommandCount {
        ids.append(CommandID(rawValue: info.firstSubcommand.rawValue + number))
      }
    }
    var entries: [(name: String, histogram: LatencyHistogram)] = []
    for id in ids where server.statistics.commands[id.index].calls > 0 {
      entries.append((server.table.fullName(id), server.statistics.histogram(id)))
    }
    reply.map(entries.count)
    for (name, histogram) in entries {
      reply.bulk(name)
      reply.map(2)
      reply.bulk("calls")
      reply.integer(histogram.total)
      reply.bulk("histogram_usec")
      let steps = histogram.cumulative(ticksPerMicrosecond: server.ticks.perMicrosecond)
      reply.map(steps.count)
      for step in steps {
        reply.integer(step.microseconds)
        reply.integer(step.calls)
      }
    }
  }
}
