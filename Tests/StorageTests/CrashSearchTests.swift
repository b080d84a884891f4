// The crash search: a bounded corpus, every point of it; its eyesight: planted bugs; and
// the campaign behind `make crash-search`.

import Glibc
import Simulation
import Testing

@testable import Storage

struct CrashSearchTests {
  static let workloads = [
    CrashWorkload(seed: 1, kind: .file),
    CrashWorkload(seed: 2, kind: .file, hasFaults: true),
    CrashWorkload(seed: 1, kind: .persistentMemory),
    CrashWorkload(seed: 2, kind: .persistentMemory, hasFaults: true),
  ]

  @Test(arguments: workloads)
  func everyPowerCutOfTheCorpusIsSurvived(workload: CrashWorkload) {
    let (states, checkpoints, finding) = crashSearch(workload, draws: 1)
    #expect(finding == nil)
    #expect(states > 100, "\(states) states")
    #expect(workload.hasFaults || checkpoints >= 2, "\(checkpoints) checkpoints")
  }

  /// What the search is known to see. The other bugs of the image are planted, but hidden from it
  /// so far: the workload is too small for them, or another step makes up for the one left out.
  static let visibleBugs: [PlantedBug] = [
    .imageBarrierSkipped, .imageFlushMissing, .imageSuperblockBeforePages, .imageLineForgotten,
    .imageViewNotKept, .journalFlushMissing, .journalSynchronizeMissing,
    .journalAppliedBeforeCommit, .journalCommitNotSynchronized, .journalIgnored,
    .engineLSNTooLate,
  ]

  /// Whoever cannot see a planted bug cannot see a real one. Each search runs in a process of its
  /// own: what a bug leaves may trap.
  @Test(arguments: visibleBugs)
  func plantedBugsAreFound(bug: PlantedBug) async {
    await #expect(processExitsWith: .failure) { [name = bug.rawValue as String] in
      exit(findsBug(PlantedBug(rawValue: name)) ? EXIT_FAILURE : EXIT_SUCCESS)
    }
  }

  /// Runs new seeds for FERRITE_CRASH_SECONDS, from FERRITE_CRASH_SEED on; with FERRITE_CRASH_BUG
  /// to see what a planted bug looks like, with FERRITE_CRASH_EVERY at some points only.
  @Test(.enabled(if: number("FERRITE_CRASH_SECONDS") != nil))
  func crashCampaign() {
    let seconds = number("FERRITE_CRASH_SECONDS") ?? 0
    var seed = UInt64(number("FERRITE_CRASH_SEED") ?? Int(time(nil)))
    let end = time(nil) + seconds
    var total = 0
    while time(nil) < end {
      for var workload in variants(seed) {
        workload.bug = text("FERRITE_CRASH_BUG").flatMap(PlantedBug.init)
        let (states, checkpoints, finding) = crashSearch(
          workload, draws: 4, every: number("FERRITE_CRASH_EVERY") ?? 1)
        total += states
        print("crash-search: \(workload.summary): \(states) states, \(checkpoints) checkpoints")
        if let finding {
          Issue.record("\(workload.summary): \(finding)")
          return
        }
      }
      seed += 1
    }
    print("crash-search: \(total) states, nothing found")
  }
}

/// What one seed is worth: both media, with and without faults, log durable at once or later.
private func variants(_ seed: UInt64) -> [CrashWorkload] {
  var found: [CrashWorkload] = []
  for kind in [MediumFacts.Kind.file, .persistentMemory] {
    for hasFaults in [false, true] {
      found.append(CrashWorkload(seed: seed, kind: kind, hasFaults: hasFaults))
    }
  }
  found.append(CrashWorkload(seed: seed, kind: .file, policy: .everySecond))
  return found
}

private func findsBug(_ bug: PlantedBug?) -> Bool {
  guard let bug else { return false }
  for seed in 1...12 as ClosedRange<UInt64> {
    for var workload in variants(seed) {
      workload.bug = bug
      if let finding = crashSearch(workload, draws: 4, every: 11).finding {
        print("\(bug): \(finding)")
        return true
      }
    }
  }
  return false
}

private func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

private func text(_ name: String) -> String? {
  // SAFETY: the environment does not change while tests run.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
