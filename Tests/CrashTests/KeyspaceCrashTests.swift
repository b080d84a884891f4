// The crash search over the whole of it: commands, keyspace, engine. A bounded slice; new seeds by
// `make crash-search`.

import Foundation
import Simulation
import Testing

@testable import Storage

struct KeyspaceCrashTests {
  static let corpus = [
    KeyspaceWorkload(seed: 1, kind: .file),
    KeyspaceWorkload(seed: 2, kind: .persistentMemory),
    KeyspaceWorkload(seed: 3, kind: .file, policy: .everySecond),
  ]

  /// Every second point, which is what `make test` has time for.
  @Test(.serialized, arguments: corpus)
  func aPowerCutLeavesAnAcknowledgedPrefix(workload: KeyspaceWorkload) throws {
    let found = try search(workload, draws: 1, every: 2)
    print("crash-search: seed \(workload.seed), \(workload.kind), \(workload.policy): \(found)")
    #expect(found.finding == nil)
    #expect(found.states > 150 && found.checkpoints >= 2)
    // Most commands find a key of their type.
    #expect(found.errors * 3 < found.executed)
  }

  /// Each in a process of its own: what a bug leaves may trap.
  @Test(.serialized, arguments: [PlantedBug.imageLineForgotten, .engineRecyclesTooEarly])
  func aPlantedBugIsFound(bug: PlantedBug) async {
    await #expect(processExitsWith: .failure) { [name = bug.rawValue as String] in
      for seed in 1...6 as ClosedRange<UInt64> {
        var workload = KeyspaceWorkload(seed: seed, kind: .file)
        workload.bug = PlantedBug(rawValue: name)
        if try search(workload, draws: 1, every: 5).finding != nil { exit(EXIT_FAILURE) }
      }
    }
  }

  @Test(.enabled(if: number("FERRITE_CRASH_SECONDS") != nil))
  func keyspaceCrashCampaign() throws {
    var seed = UInt64(number("FERRITE_CRASH_SEED") ?? Int(time(nil)))
    let end = time(nil) + (number("FERRITE_CRASH_SECONDS") ?? 0)
    while time(nil) < end {
      for (kind, policy) in [
        (MediumFacts.Kind.file, SyncPolicy.always), (.persistentMemory, .always),
        (.file, .everySecond),
      ] where time(nil) < end {
        let workload = KeyspaceWorkload(seed: seed, kind: kind, policy: policy, batches: 80)
        let found = try search(workload, draws: 3)
        print("crash-search: keyspace, seed \(seed), \(kind), \(policy): \(found)")
        if let finding = found.finding {
          Issue.record("seed \(seed): \(finding)")
          return
        }
      }
      seed += 1
    }
  }
}

private struct Found {
  var states = 0
  var checkpoints = 0
  var executed = 0
  var errors = 0
  var finding: String?
}

/// Runs a workload and looks at every `step`th cut.
private func search(
  _ workload: KeyspaceWorkload, draws: Int, every step: Int = 1
) throws -> Found {
  var found = Found()
  let medium = SimulatedMedium(Disk(kind: workload.kind), plantedBug: workload.bug)
  let prints = try live(workload, medium, &found)
  medium.trace.forEachCrash(draws: draws, seed: workload.seed, every: step) { state in
    found.states += 1
    do {
      let medium = SimulatedMedium(state.disk, plantedBug: workload.bug)
      var world = try KeyspaceWorld.open(workload, medium, expected: prints)
      try world.judge(prints, "what was recovered")
      try world.scrub()
      if found.states % 8 == 0 { world.keys.checkInvariants(allowsUnfiled: true) }
      let (batch, acknowledged) = (world.batch(), state.notes.max() ?? 0)
      if batch < acknowledged {
        throw KeyspaceFinding(description: "batch \(batch), \(acknowledged) was acknowledged")
      }
    } catch {
      found.finding = "point \(state.point), \(state.fate) by \(state.seed): \(error)"
    }
    return found.finding == nil
  }
  return found
}

private func live(
  _ workload: KeyspaceWorkload, _ medium: SimulatedMedium, _ found: inout Found
) throws -> [String] {
  var world = try KeyspaceWorld.open(workload, medium)
  try world.run()
  world.keys.checkInvariants()
  (found.checkpoints, found.executed, found.errors) =
    (world.checkpoints, world.executed, world.errors)
  return world.prints
}

private func number(_ name: String) -> Int? {
  ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
}
