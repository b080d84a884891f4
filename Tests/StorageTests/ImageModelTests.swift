// The arena and its image, with checkpoints at random moments while the owner writes.

import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

struct ImageModelTests {
  /// After every checkpoint the image is opened from what the medium holds, and is what the arena
  /// was at the flip.
  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory], [false, true])
  func theImageIsWhatTheArenaWasAtTheFlip(kind: MediumFacts.Kind, isGuarded: Bool) throws {
    for seed in 1...(isGuarded ? 2 : 4) as ClosedRange<UInt64> {
      let medium = SimulatedMedium(Disk(kind: kind))
      var model = try ImageModel(medium, seed: seed, imageOptions(isGuarded: isGuarded))
      var checkpoints = 0
      for step in 0..<(isGuarded ? 1200 : 4000) {
        let isIntact = try model.step(target: step / 1000 % 2 == 0 ? 300 : 30)
        #expect(isIntact, "seed \(seed), step \(step)")
        if model.flipped == nil, model.random.oneIn(150) { try model.begin() }
        if model.random.oneIn(100) { model.arena.trim(keeping: 0, limit: 4) }
        if model.random.oneIn(3) { _ = try model.pages.step() }
        if case .finished(_, let lsn) = model.pages.poll(), let flipped = model.flipped {
          let found = try problem(SimulatedMedium(medium.snapshot()), flipped, lsn: lsn)
          #expect(found == nil, "seed \(seed), step \(step)")
          model.flipped = nil
          checkpoints += 1
        }
      }
      #expect(checkpoints > 3)
      model.arena.checkInvariants()
      let isEverythingThere = model.holdsEverything()
      #expect(isEverythingThere, "seed \(seed)")
    }
  }
}
