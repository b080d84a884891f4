// LogCrashTests: the log after a power cut at every point of a run, and of the recoveries from
// that; and the proof that the search sees mistakes.

import Glibc
import Platform
import Simulation
import Testing

@testable import Storage

/// What the medium does to a run beside losing power.
enum Trouble: CaseIterable, Sendable {
  case none, failedSynchronize, failedWrite, fullDisk
}

/// One run and all its power cuts.
struct LogCrashSearch {
  var kind: MediumFacts.Kind
  var policy = SyncPolicy.always
  var bug: PlantedBug?
  var trouble = Trouble.none
  var seed: UInt64
  var records = 40
  /// How often the process is killed and started again.
  var kills = 0
  /// Whether it is killed while it is in trouble, before it could do anything about it.
  var diesInTrouble = false
  var draws = 3
  /// One in so many recoveries goes on, and is cut again.
  var deeper = 20
  private(set) var states = 0

  init(kind: MediumFacts.Kind, seed: UInt64) {
    self.kind = kind
    self.seed = seed
  }

  /// What is wrong, and with which seed; nil if nothing was found.
  mutating func run() throws -> String? {
    let medium = SimulatedMedium(Disk(kind: kind), plantedBug: bug)
    let contents = RecordContents(seed: seed)
    var promise = LogPromise()
    for life in 0...kills {
      // What the first processes call committed the kernel has; the last one makes it durable.
      let isAfterKill = kills > 0 && life == kills
      let run = try LogRun(medium, contents, promise, policy: isAfterKill ? .always : policy)
      try drive(run, dies: diesInTrouble && life < kills)
      run.log.stop()
      promise = run.promise
    }
    return try search(medium.trace, contents, LogPromise(), depth: 0)
  }

  private func drive(_ run: LogRun, dies: Bool) throws {
    for index in 0..<records {
      if dies && index % 10 == 8 { return run.medium.setFault(nil) }
      if trouble != .none && index % 10 == 5 { breakMedium(run) }
      try run.step()
      // Time for the page cache to be written out while that fails.
      if trouble == .failedSynchronize && index % 10 == 7 {
        run.now += 2000
        run.log.poll(nowMilliseconds: run.now)
      }
      if index % 10 == 8 {
        run.medium.setFault(nil)
        run.medium.setCapacity(pages: nil)
        // Long enough for any pause between attempts, in steps.
        for _ in 0..<8 {
          run.now += 1000
          run.log.poll(nowMilliseconds: run.now)
        }
        run.acknowledge()
      }
    }
  }

  private func breakMedium(_ run: LogRun) {
    switch trouble {
    case .none: break
    case .failedSynchronize:
      run.medium.setFault {
        $0.kind == .synchronize && $0.name.hasPrefix("ferrite.log.0") ? .fail(EIO) : nil
      }
    case .failedWrite:
      run.medium.setFault {
        $0.kind == .write && $0.name.hasPrefix("ferrite.log.0") ? .short(EIO) : nil
      }
    case .fullDisk: run.medium.setCapacity(pages: 0)
    }
  }

  private mutating func search(
    _ trace: Trace, _ contents: RecordContents, _ earlier: LogPromise, depth: Int
  ) throws -> String? {
    var finding: String?
    var random = SeededRandom(seed: seed &+ UInt64(depth))
    // Below the first run, samples: every seventh point, and one mixture.
    let first = depth == 0 ? 0 : random.below(7)
    try trace.forEachCrash(
      draws: depth == 0 ? draws : 1, seed: seed, from: first, every: depth == 0 ? 1 : 7
    ) { state in
      states += 1
      let promise = LogPromise(state.notes, after: earlier)
      do {
        let medium = SimulatedMedium(state.disk, plantedBug: bug)
        guard depth < 2 && random.oneIn(deeper) else {
          try LogRun.check(medium, contents, promise)
          return true
        }
        let run = try LogRun(medium, contents, promise, policy: policy)
        for _ in 0..<3 { try run.step() }
        run.log.stop()
        finding = try search(medium.trace, contents, promise, depth: depth + 1)
      } catch let error as LogJudgement {
        finding = "\(error); seed \(seed), point \(state.point), \(state.fate), depth \(depth)"
      }
      return finding == nil
    }
    return finding
  }
}

struct LogCrashTests {
  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory], 0..<3)
  func acknowledgedRecordsSurvive(kind: MediumFacts.Kind, seed: Int) throws {
    var search = LogCrashSearch(kind: kind, seed: UInt64(seed))
    let finding = try search.run()
    #expect(finding == nil)
    #expect(search.states > 300)
  }

  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory], Trouble.allCases)
  func failuresLoseNothing(kind: MediumFacts.Kind, trouble: Trouble) throws {
    var search = LogCrashSearch(kind: kind, seed: 11)
    search.trouble = trouble
    search.draws = 1
    #expect(try search.run() == nil)
  }

  /// Runs new seeds for FERRITE_CRASH_SECONDS, from FERRITE_CRASH_SEED on (`make crash-search`).
  @Test func campaign() throws {
    guard let seconds = environmentNumber("FERRITE_CRASH_SECONDS") else { return }
    var seed = UInt64(environmentNumber("FERRITE_CRASH_SEED") ?? Int(time(nil)))
    let end = time(nil) + seconds
    var states = 0
    while time(nil) < end {
      for kind in [MediumFacts.Kind.file, .persistentMemory] {
        for trouble in Trouble.allCases {
          var search = LogCrashSearch(kind: kind, seed: seed)
          search.trouble = trouble
          let finding = try search.run()
          states += search.states
          #expect(finding == nil, "seed \(seed), \(kind), \(trouble)")
          if finding != nil { return }
        }
      }
      seed += 1
    }
    print("log: \(states) states, seeds up to \(seed - 1)")
  }

  /// A process is killed, the next one goes on with what it reads, then the power goes.
  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory], [SyncPolicy.always, .everySecond])
  func whatAKilledProcessLeftSurvives(kind: MediumFacts.Kind, policy: SyncPolicy) throws {
    let finding = try LogCrashTests.searchAfterAKill(kind: kind, policy: policy, seed: 21)
    #expect(finding == nil)
  }

  /// What could not be made durable is read by the next process as if it were.
  @Test(arguments: 0..<6) func whatAFailedSynchronizeLeftIsWrittenAgain(seed: Int) throws {
    let finding = try LogCrashTests.searchAfterAKill(
      kind: .file, policy: .everySecond, seed: UInt64(seed), diesInTrouble: true)
    #expect(finding == nil)
  }

  private static func searchAfterAKill(
    kind: MediumFacts.Kind, policy: SyncPolicy, seed: UInt64, bug: PlantedBug? = nil,
    diesInTrouble: Bool = false
  ) throws -> String? {
    var search = LogCrashSearch(kind: kind, seed: seed)
    search.bug = bug
    search.policy = policy
    search.records = 12
    search.kills = 2
    search.diesInTrouble = diesInTrouble
    if diesInTrouble { search.trouble = .failedSynchronize }
    return try search.run()
  }

  @Test(arguments: [Trouble.none, .failedSynchronize])
  func whatIsCalledDurableSurvivesEverySecond(trouble: Trouble) throws {
    var search = LogCrashSearch(kind: .file, seed: 4)
    search.policy = .everySecond
    search.trouble = trouble
    search.draws = 1
    #expect(try search.run() == nil)
  }

  /// The seed of the run that showed the bug is printed, to be looked at.
  @Test(arguments: PlantedBug.allCases.filter { $0.rawValue.hasPrefix("log") })
  func everyPlantedBugIsFound(bug: PlantedBug) throws {
    // It takes damage, not a power cut: LogTests.
    if bug == .logCorruptionTakenForTornTail { return }
    if bug == .logTailNotSettled || bug == .logTailNotRewritten {
      let finding = try LogCrashTests.searchAfterAKill(
        kind: .file, policy: .everySecond, seed: 21, bug: bug,
        diesInTrouble: bug == .logTailNotRewritten)
      #expect(finding != nil)
      return
    }
    let trouble: Trouble =
      switch bug {
      case .logDurableBeforeWrite, .logWriteSkippedAfterFailure: .failedWrite
      case .logFailedPagesTrusted: .failedSynchronize
      default: .none
      }
    for seed in UInt64(0)..<12 {
      for kind in [MediumFacts.Kind.persistentMemory, .file] {
        var search = LogCrashSearch(kind: kind, seed: seed)
        search.bug = bug
        search.trouble = trouble
        // Only the page cache can be trusted wrongly.
        if bug == .logFailedPagesTrusted { search.policy = .everySecond }
        if let finding = try search.run() {
          print("\(bug) on \(kind) after \(search.states) states: \(finding)")
          return
        }
      }
    }
    Issue.record("\(bug) was not found")
  }
}

private func environmentNumber(_ name: String) -> Int? {
  // The environment does not change while tests run.
  guard let text = unsafe getenv(name) else { return nil }
  return Int(unsafe String(cString: text))
}
