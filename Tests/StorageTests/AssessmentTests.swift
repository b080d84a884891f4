// AssessmentTests: the probe measures and leaves nothing behind; the plan follows its rule; a check
// finds what was damaged and changes nothing.

import Glibc
import Platform
import Testing

@testable import Storage

struct AssessmentTests {
  @Test(arguments: [MediumChoice.file, .emulated])
  func theProbeMeasuresAndCleansUp(choice: MediumChoice) throws {
    let directory = try TemporaryDirectory()
    let medium = try openMedium(directory: directory.path, choice)
    var progress = 0.0
    let probe = try MediumProbe(medium, fileBytes: 16 << 20) { progress = $0 }
    #expect(progress == 1)
    for kind in ProbeKind.allCases {
      let result = try probe.run(kind, threads: 2, seconds: 0.02) { _ in }
      #expect(result.operations >= 2 && result.bytesPerSecond > 0)
      #expect(result.median > 0 && result.median <= result.ninetyNinth)
      #expect(result.ninetyNinth <= result.longest)
    }
    try probe.finish()
    #expect(try medium.list() == [])
  }

  @Test func latenciesAreCountedInSixteenths() {
    var steps = LatencySteps()
    for value in 1...1000 { steps.add(nanoseconds: Int64(value) * 1000) }
    #expect(steps.count == 1000)
    #expect(abs(steps.quantile(0.5) - 500) < 35 && abs(steps.quantile(0.99) - 990) < 65)
  }

  private func result(_ kind: ProbeKind, _ bytes: Int, perSecond: Int, median: Double)
    -> ProbeResult
  {
    ProbeResult(
      kind: kind, threads: 1, operations: perSecond, operationBytes: bytes, seconds: 1,
      median: median, ninetyNinth: median, longest: median)
  }

  @Test func thePlanIsRequestsTimesBytesAgainstBandwidth() throws {
    let results = [
      result(.sequentialWrite, 1 << 20, perSecond: 1000, median: 1000),
      result(.randomWrite, 4096, perSecond: 50_000, median: 100),
      result(.randomRead, 4096, perSecond: 200_000, median: 80),
      result(.persist, 4096, perSecond: 10_000, median: 100),
    ]
    let workload = Workload(requestsPerSecond: 20_000, valueBytes: 40, writeRatio: 0.5)
    let plan = try #require(CapacityPlan(workload, kind: .file, results))
    // 10,000 writes a second at 100 us are one at a time: each fills a block of the log alone.
    #expect(plan.batch == 1 && plan.logBytes == 4096)
    // 128 bytes of entry touch three lines at most, and one page.
    #expect(plan.journalBytes == 3 * 64 + 24 && plan.imageBytes == 4100)
    let log = (4096 + 216) / (1000.0 * 1_048_576)
    #expect(abs(plan.writeShare - 10_000 * (log + 4100 / (50_000 * 4096.0))) < 1e-9)
    #expect(abs(plan.readShare - 0.05) < 1e-9)
    #expect(plan.isCarried && plan.devices == 1)
    let heavy = Workload(requestsPerSecond: 200_000, valueBytes: 40, writeRatio: 1)
    let second = try #require(CapacityPlan(heavy, kind: .file, results))
    #expect(!second.isCarried && second.devices == 6)
    #expect(CapacityPlan(workload, kind: .file, []) == nil)
  }

  @Test func aCheckFindsDamageAndChangesNothing() throws {
    let directory = try TemporaryDirectory()
    let medium = try FileMedium(directory: directory.path)
    let identity = try ImageStore(medium).identity
    var options = LogOptions()
    options.writer = .immediate
    options.hasKeeperThread = false
    var tail = try LogTail(medium, identity: identity, from: 0)
    #expect(try !tail.next())
    let log = try Log(continuing: tail, options, nowMilliseconds: 0)
    for number in UInt8(0)..<20 { try log.append([UInt8](repeating: number, count: 100).span) }
    try log.close()
    func checked() throws -> DirectoryReport {
      let check = try DirectoryCheck(directory: directory.path)
      while check.step() {}
      check.readLog { _ in }
      return check.report
    }
    let names = try medium.list()
    let sound = try checked()
    #expect(sound.isSound && sound.logRecords == 20 && sound.logBytes == 2000)
    #expect(try medium.list() == names)
    let file = try medium.open("ferrite.log.000001")
    try file.put([0xFF], at: 4096 + 136 * 3 + 50)
    #expect(try !checked().isSound)
    let lock = try medium.lock("ferrite.lock")
    #expect(throws: StorageError.locked(path: directory.path)) { _ = try checked() }
    _ = lock
  }
}
