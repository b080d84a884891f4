// Assess: measures the medium that a directory lies on, and answers whether it carries a workload.

import ArgumentParser
import Foundation
import Platform
import Storage

struct Assess: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a directory's medium, and answers whether it carries a workload.",
    discussion: """
      Writes a file of --size MiB into the directory, measures durable writes and reads on it, and \
      removes it. With --qps it also says whether the medium carries so many requests per second, \
      and how many devices or shards it would take.
      """)

  @Argument(help: "The directory, which must exist; a data directory in use is only measured.")
  var directory: String

  @Option(help: "Requests per second that are to be carried.")
  var qps: Double?

  @Option(name: .customLong("value-size"), help: "Bytes of a value.")
  var valueSize = 64

  @Option(name: .customLong("write-ratio"), help: "The share of writes, 0 to 1.")
  var writeRatio = 0.5

  @Option(help: "Seconds for each measurement.")
  var seconds = 1.0

  @Option(help: "MiB to write and measure on; at least 16.")
  var size = 256

  @Option(help: "Treat the directory as: auto, dax, ssd or emulated.")
  var medium = "auto"

  @Option(help: "The most threads at once: 1, 2, 4 ... up to this.")
  var threads = 8

  @Flag(help: "Print JSON instead of tables.")
  var json = false

  func validate() throws {
    guard (0...1).contains(writeRatio) else {
      throw ValidationError("--write-ratio is a share, from 0 to 1")
    }
    guard seconds > 0, seconds <= 600 else {
      throw ValidationError("--seconds must be above 0 and at most 600")
    }
    guard (16...1 << 20).contains(size) else {
      throw ValidationError("--size must be from 16 to 1048576 MiB")
    }
    guard (1...min(64, size / 2)).contains(threads) else {
      throw ValidationError("--threads must be from 1 to 64, with 2 MiB of --size for each")
    }
    guard valueSize >= 0, valueSize <= 512 << 20, (qps ?? 1) > 0 else {
      throw ValidationError("--qps and --value-size must be sizes that can be")
    }
    guard MediumChoice(rawValue: medium) != nil else {
      throw ValidationError("--medium is auto, dax, ssd or emulated")
    }
  }

  func run() throws {
    let bar = ProgressBar(isWanted: !json)
    let medium = try openMedium(
      directory: directory, MediumChoice(rawValue: medium) ?? .automatic)
    let probe = try MediumProbe(medium, fileBytes: size << 20) { bar.show("preparing", $0) }
    var results: [ProbeResult] = []
    do {
      for kind in ProbeKind.allCases {
        for count in threadCounts where count == 1 || kind != .sequentialRead {
          let text = "\(kind.rawValue), \(count) thread\(count == 1 ? "" : "s")"
          results.append(
            try probe.run(kind, threads: count, seconds: seconds) { bar.show(text, $0) })
        }
      }
    } catch {
      bar.clear()
      try probe.finish()
      throw error
    }
    bar.clear()
    try probe.finish()
    let plan = qps.flatMap { rate in
      CapacityPlan(
        Workload(requestsPerSecond: rate, valueBytes: valueSize, writeRatio: writeRatio),
        kind: medium.facts.kind, results)
    }
    let report = AssessReport(
      facts: medium.facts, isDirect: probe.isDirect, results: results, qps: qps,
      valueSize: valueSize, writeRatio: writeRatio, plan: plan)
    print(json ? try report.json() : report.text)
  }

  private var threadCounts: [Int] {
    var counts = [1]
    while counts[counts.count - 1] * 2 <= threads { counts.append(counts[counts.count - 1] * 2) }
    return counts
  }
}
