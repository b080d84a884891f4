// AssessReport: what assess has found, as tables with a small plot, or as JSON.

import Foundation
import Storage

struct AssessReport {
  let facts: MediumFacts
  let isDirect: Bool
  let results: [ProbeResult]
  let qps: Double?
  let valueSize: Int
  let writeRatio: Double
  let plan: CapacityPlan?

  // MARK: Text

  var text: String {
    var lines = [
      "directory    \(facts.directory)",
      "medium       \(facts.kind.rawValue) (\(facts.fileSystem)), MAP_SYNC "
        + "\(facts.hasMapSync ? "yes" : "no"), granularity \(facts.granularityBytes) bytes",
    ]
    if !isDirect {
      lines.append("note         no direct writes here: reads are those of the page cache")
    }
    lines += [
      "", row("", "threads", "bytes", "per second", "MB/s", "median us", "99 % us", "max us"),
    ]
    for result in results {
      lines.append(
        row(
          result.kind.rawValue, String(result.threads), String(result.operationBytes),
          number(result.operationsPerSecond), number(result.bytesPerSecond / 1e6),
          number(result.median), number(result.ninetyNinth), number(result.longest)))
    }
    lines += [""] + plot
    if let qps, let plan { lines += [""] + answer(qps, plan) }
    return lines.joined(separator: "\n")
  }

  private func row(_ columns: String...) -> String {
    var line = columns[0].padding(toLength: 18, withPad: " ", startingAt: 0)
    for column in columns.dropFirst() {
      line += String(repeating: " ", count: max(1, 11 - column.count)) + column
    }
    return line
  }

  private func number(_ value: Double) -> String {
    value >= 100 ? String(Int(value.rounded())) : String(format: "%.1f", value)
  }

  /// Durable log writes and random pages a second, by threads.
  private var plot: [String] {
    [ProbeKind.persist, .randomWrite, .randomRead].flatMap { kind -> [String] in
      let rows = results.filter { $0.kind == kind }
      let most = rows.map(\.operationsPerSecond).max() ?? 0
      guard most > 0 else { return [] }
      return ["\(kind.rawValue) a second, by threads"]
        + rows.map { result in
          let width = Int((result.operationsPerSecond / most * 40).rounded())
          let threads = String(result.threads)
          return String(repeating: " ", count: max(0, 4 - threads.count)) + threads + " |"
            + String(repeating: "#", count: max(1, width)) + " "
            + number(result.operationsPerSecond)
        }
    }
  }

  private func answer(_ qps: Double, _ plan: CapacityPlan) -> [String] {
    let percent = { (share: Double) in String(format: "%.1f %%", share * 100) }
    let verdict =
      plan.isCarried
      ? "yes: one device carries it"
      : "no: it takes \(plan.devices) such devices, or shards on devices of their own"
    return [
      "\(number(qps)) requests a second, \(percent(writeRatio)) of them writes of"
        + " \(valueSize) bytes:",
      "  a write costs the medium \(number(plan.logBytes + plan.journalBytes + plan.imageBytes))"
        + " bytes: log \(number(plan.logBytes)), journal \(number(plan.journalBytes)), image"
        + " \(number(plan.imageBytes)); a read that misses DRAM \(number(plan.readBytes))",
      "  busy with writes \(percent(plan.writeShare)), with reads \(percent(plan.readShare))"
        + " of the time (at most; \(percent(CapacityPlan.limit)) in all is the limit)",
      "  a durable reply waits \(number(plan.latency)) us or longer; \(number(plan.batch)) writes"
        + " share a log write",
      "  \(verdict)",
    ]
  }

  // MARK: JSON

  func json() throws -> String {
    let document = Document(
      directory: facts.directory, medium: facts.kind.rawValue, fileSystem: facts.fileSystem,
      mapSync: facts.hasMapSync, granularityBytes: facts.granularityBytes, direct: isDirect,
      measurements: results.map(Document.Measurement.init),
      workload: qps.map { .init(qps: $0, valueBytes: valueSize, writeRatio: writeRatio) },
      plan: plan.map(Document.Plan.init))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }

  private struct Document: Encodable {
    struct Measurement: Encodable {
      let kind: String
      let threads, operationBytes, operations: Int
      let operationsPerSecond, bytesPerSecond: Double
      let medianMicroseconds, p99Microseconds, maxMicroseconds: Double

      init(_ result: ProbeResult) {
        kind = result.kind.rawValue
        threads = result.threads
        operationBytes = result.operationBytes
        operations = result.operations
        operationsPerSecond = result.operationsPerSecond
        bytesPerSecond = result.bytesPerSecond
        medianMicroseconds = result.median
        p99Microseconds = result.ninetyNinth
        maxMicroseconds = result.longest
      }
    }

    struct Workload: Encodable {
      let qps: Double
      let valueBytes: Int
      let writeRatio: Double
    }

    struct Plan: Encodable {
      let logBytesPerWrite, journalBytesPerWrite, imageBytesPerWrite, bytesPerRead: Double
      let writeShare, readShare, latencyMicroseconds: Double
      let carried: Bool
      let devices: Int

      init(_ plan: CapacityPlan) {
        logBytesPerWrite = plan.logBytes
        journalBytesPerWrite = plan.journalBytes
        imageBytesPerWrite = plan.imageBytes
        bytesPerRead = plan.readBytes
        writeShare = plan.writeShare
        readShare = plan.readShare
        latencyMicroseconds = plan.latency
        carried = plan.isCarried
        devices = plan.devices
      }
    }

    let directory, medium, fileSystem: String
    let mapSync: Bool
    let granularityBytes: Int
    let direct: Bool
    let measurements: [Measurement]
    let workload: Workload?
    let plan: Plan?
  }
}
