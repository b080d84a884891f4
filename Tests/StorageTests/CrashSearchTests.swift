// The crash search: a bounded corpus, every point of it; its eyesight: planted bugs; and
// the campaign behind `make crash-search`.

import Glibc
import Simulation
import Testing

@testable import Storage

struct CrashSearchTests {
  static let corpus = [
    CrashWorkload(seed: 1, kind: .file, batches: 16),
    CrashWorkload(seed: 2, kind: .file, policy: .everySecond, batches: 16),
    CrashWorkload(seed: 3, kind: .file, faults: .all, batches: 40),
    CrashWorkload(seed: 4, kind: .file, shape: .large, batches: 40),
    CrashWorkload(seed: 5, kind: .persistentMemory, batches: 16),
    CrashWorkload(seed: 6, kind: .persistentMemory, shape: .steady, faults: .all, batches: 40),
    CrashWorkload(seed: 8, kind: .file, faults: .all, hasGaps: true, batches: 40),
    CrashWorkload(seed: 9, kind: .file, policy: .everySecond, hasGaps: true, batches: 24),
  ]

  @Test(arguments: corpus)
  func everyPowerCutOfTheCorpusIsSurvived(workload: CrashWorkload) {
    let (counts, finding) = crashSearch(workload, CrashDepth(draws: 1, killsEvery: 89))
    print("crash-search: \(workload.summary): \(counts)")
    #expect(finding == nil)
    #expect(counts.states > 300 && counts.checkpoints >= 3 && counts.kills > 1)
    #expect(workload.faults == .none || counts.abandoned > 0)
  }

  /// A synchronize fails, the process is killed before it can do anything about it, and the next
  /// one reads what the medium does not have.
  @Test(arguments: [SyncPolicy.always, .everySecond])
  func whatAFailedSynchronizeLeftIsNotTrusted(policy: SyncPolicy) {
    let workload = CrashWorkload(
      seed: 7, kind: .file, policy: policy, faults: .synchronize, batches: 60)
    let (counts, finding) = crashSearch(workload, .afterFailedSynchronizes)
    print("crash-search: \(workload.summary): \(counts)")
    #expect(finding == nil)
    #expect(counts.kills > 3 && counts.checkpoints >= 3)
  }

  /// Whoever cannot see a planted bug cannot see a real one. Each search runs in a process of its
  /// own: what a bug leaves may trap.
  @Test(.serialized, arguments: PlantedBug.allCases.filter { !$0.rawValue.hasPrefix("log") })
  func plantedBugsAreFound(bug: PlantedBug) async {
    await #expect(processExitsWith: .failure) { [name = bug.rawValue as String] in
      exit(findsBug(PlantedBug(rawValue: name)!) ? EXIT_FAILURE : EXIT_SUCCESS)
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
      for var workload in variants(seed) where time(nil) < end {
        workload.bug = text("FERRITE_CRASH_BUG").flatMap(PlantedBug.init)
        let (counts, finding) = crashSearch(
          workload,
          CrashDepth(draws: 4, every: number("FERRITE_CRASH_EVERY") ?? 1, killsEvery: 29))
        total += counts.states
        print("crash-search: \(workload.summary): \(counts)")
        if let finding {
          Issue.record("\(finding)")
          return
        }
      }
      seed += 1
    }
    print("crash-search: \(total) states, nothing found")
  }
}

/// What one seed is worth: both media, every shape, with faults and without, log durable at once or
/// later.
private func variants(_ seed: UInt64) -> [CrashWorkload] {
  var found: [CrashWorkload] = []
  for kind in [MediumFacts.Kind.file, .persistentMemory] {
    for shape in CrashShape.allCases {
      for faults in [CrashWorkload.Faults.none, .all] {
        found.append(
          CrashWorkload(
            seed: seed, kind: kind, shape: shape, faults: faults, hasGaps: shape == .mixed))
      }
    }
  }
  for faults in [CrashWorkload.Faults.none, .all] {
    found.append(
      CrashWorkload(
        seed: seed, kind: .file, shape: .large, policy: .everySecond, faults: faults))
  }
  return found
}

/// Where a bug should be seen: the workload, for one seed, and what is looked at.
private func hunt(_ bug: PlantedBug, _ seed: UInt64) -> (CrashWorkload, CrashDepth) {
  var workload = CrashWorkload(seed: seed, kind: .file, bug: bug)
  var depth = CrashDepth(draws: 2, every: 3, again: 0)
  switch bug {
  // A page that was freed under a checkpoint, and is needed by its image.
  case .imagePendingPagesReleased, .imagePunchedTooEarly:
    workload.shape = .large
    workload.batches = 40
  // Whatever else is made durable makes up for what was left out, but where no blocks are new.
  case .imageSuperblockNotSynchronized: workload.shape = .steady
  // A line is torn at eight bytes; a sector is not.
  case .imageSuperblockChecksumTooShort:
    workload.shape = .steady
    workload.kind = .persistentMemory
    depth = CrashDepth(draws: 30, again: 0, isWanted: \.isOfHeader)
  case .imageAbandonedPagesForgotten: workload.faults = .journal
  case .engineGapNotAwaited: workload.hasGaps = true
  // The log cannot follow.
  case .imageCommittedBeforeLog: workload.faults = .log
  // What a killed process wrote is there, and gone after a power cut.
  case .journalNotSettled:
    depth = CrashDepth(draws: 0, every: 1000, killsEvery: 1, again: 0, isWanted: \.isOfHeader)
  case .imageFlushMissing, .journalFlushMissing: workload.kind = .persistentMemory
  default: break
  }
  return (workload, depth)
}

extension CrashDepth {
  static var afterFailedSynchronizes: CrashDepth {
    CrashDepth(
      draws: 0, every: 1000, killsEvery: 1, again: 0, isWanted: \.isFailedSynchronize)
  }
}

extension Operation {
  var isFailedSynchronize: Bool {
    if case .failSynchronize = self { return true }
    return false
  }

  /// Whether it writes or flushes a header: a superblock's, a journal's.
  var isOfHeader: Bool {
    switch self {
    case .write(_, let offset, let bytes): offset <= 4096 && bytes.count == 4096
    case .flush(_, let range): range.lowerBound <= 4096 && range.count == 4096
    default: false
    }
  }
}

private func findsBug(_ bug: PlantedBug) -> Bool {
  let start = time(nil)
  for seed in 1...12 as ClosedRange<UInt64> {
    let (workload, depth) = hunt(bug, seed)
    let (counts, finding) = crashSearch(workload, depth)
    if let finding {
      print("\(bug): \(time(nil) - start) s, \(counts): \(finding)")
      return true
    }
  }
  return false
}

private func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

private func text(_ name: String) -> String? {
  // SAFETY: the environment does not change while tests run.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
