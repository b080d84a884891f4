// The checkpointer on a thread of its own, over real files.

import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

/// A directory that goes with its test.
final class ScratchDirectory {
  let path: String

  init() throws {
    path = "/tmp/ferrite-image-" + randomHexadecimal(12)
    // SAFETY: the path's text outlives the call.
    guard unsafe mkdir(path, 0o700) == 0 else { throw IOError("mkdir", path, errno: errno) }
  }

  deinit {
    for name in ["image", "sums", "journal", "lock"] {
      unsafe unlink("\(path)/ferrite.\(name)")
    }
    unsafe rmdir(path)
  }
}

struct ImageThreadTests {
  private func medium(_ kind: MediumFacts.Kind, _ path: String) throws -> any Medium {
    kind == .file
      ? try FileMedium(directory: path)
      : try PersistentMedium(directory: path, isEmulated: true)
  }

  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory], [false, true])
  func checkpointsRunBesideTheOwner(kind: MediumFacts.Kind, isGuarded: Bool) throws {
    let directory = try ScratchDirectory()
    var kept: [ImageEntry] = []
    for round in 0..<3 as Range<UInt64> {
      let options = imageOptions(isGuarded: isGuarded, hasThread: true)
      var model = try ImageModel(try medium(kind, directory.path), seed: 100 + round, options)
      model.entries = kept
      model.lsn = model.pages.lsn
      model.arena.checkInvariants()
      let isThere = model.holdsEverything()
      #expect(isThere, "round \(round)")
      var checkpoints = 0
      var step = 0
      // Until several have come and gone, however slow the machine is; bounded.
      while checkpoints < 3 && step < 1_000_000 {
        step += 1
        let isIntact = try model.step(target: 2000)
        #expect(isIntact, "round \(round), step \(step)")
        if step % 200 == 100 { try model.begin() }
        if step % 500 == 0 { model.arena.trim(keeping: 1 << 20, limit: 4) }
        if step % 50 == 0, case .finished = model.pages.poll() { checkpoints += 1 }
      }
      #expect(checkpoints == 3)
      while model.pages.isCheckpointing { _ = model.pages.finishCheckpoint() }
      try model.begin()
      let last = model.pages.finishCheckpoint(timeoutMilliseconds: 60_000)
      guard case .finished(_, model.lsn) = last else {
        Issue.record("the last checkpoint: \(String(describing: last))")
        return
      }
      kept = model.entries
    }
    let found = try problem(try medium(kind, directory.path), kept)
    #expect(found == nil)
  }

  /// A view pinned at a checkpoint stands still while the owner and later checkpoints go on.
  @Test func aPinnedViewStandsStill() throws {
    let directory = try ScratchDirectory()
    let options = imageOptions(hasThread: true)
    var model = try ImageModel(try medium(.file, directory.path), seed: 7, options)
    for _ in 0..<3000 { _ = try model.step(target: 1000) }
    #expect(try model.pages.pinView() == nil)
    try model.begin()
    let atFlip = model.entries
    for _ in 0..<500 { _ = try model.step(target: 1000) }
    _ = model.pages.finishCheckpoint()
    let pinned = try #require(try model.pages.pinView())
    #expect(pinned.lsn == 1 && pinned.view.root(0) == 1)
    for _ in 0..<4 {
      for _ in 0..<1000 { _ = try model.step(target: 1000) }
      model.arena.trim(keeping: 0, limit: 100)
      while model.pages.isCheckpointing { _ = model.pages.finishCheckpoint() }
      try model.begin()
      let isStill = atFlip.allSatisfy { pinned.view.holds($0) } && pinned.view.root(0) == 1
      #expect(isStill)
      _ = model.pages.finishCheckpoint()
      let isStillStill = atFlip.allSatisfy { pinned.view.holds($0) } && pinned.view.root(0) == 1
      #expect(isStillStill)
    }
    model.pages.close(pinned.view)
    let isEverythingThere = model.holdsEverything()
    #expect(isEverythingThere)
  }

  /// Copies go when there are more than allowed, those that are needed stay, and the count is the
  /// kernel's.
  @Test(arguments: [false, true]) func copiesAreLimited(isGuarded: Bool) throws {
    let directory = try ScratchDirectory()
    let options = imageOptions(isGuarded: isGuarded, hasThread: true)
    var model = try ImageModel(try medium(.file, directory.path), seed: 9, options)
    for _ in 0..<4000 { _ = try model.step(target: 2000) }
    let limit = 1 << 20
    #expect(model.pages.copiedBytes > 4 * limit)
    // Nothing may be dropped before the image has it.
    let wouldHelp = model.pages.limitCopies(to: limit)
    #expect(wouldHelp && model.pages.statistics.droppedPages == 0)
    try model.begin()
    _ = model.pages.finishCheckpoint()
    for _ in 0..<20 { _ = model.pages.limitCopies(to: limit) }
    #expect(model.pages.copiedBytes <= limit)
    let exact = unsafe anonymousBytes(at: model.pages.base, count: model.arena.usedPages << 12)
    #expect(exact == model.pages.copiedBytes)
    let isEverythingThere = model.holdsEverything()
    #expect(isEverythingThere)
    // A page that is read often comes back.
    let entry = try #require(model.entries.first)
    for _ in 0..<8 { model.pages.noteRead(at: entry.ref.offset, limit: limit + 8192) }
    #expect(model.pages.statistics.promotedPages >= 1)
    let after = unsafe anonymousBytes(at: model.pages.base, count: model.arena.usedPages << 12)
    #expect(after == model.pages.copiedBytes)
    for _ in 0..<1000 {
      let isIntact = try model.step(target: 2000)
      #expect(isIntact)
    }
    model.arena.checkInvariants()
  }
}

/// Private memory that smaps counts in an address range.
func anonymousBytes(at base: UnsafeRawPointer, count: Int) -> Int {
  let lower = UInt(bitPattern: base)
  let upper = lower + UInt(count)
  var isInside = false
  var total = 0
  guard let content = try? Files.read("/proc/self/smaps") else { return -1 }
  let text = unsafe content.span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  for line in text.split(separator: "\n") {
    if let dash = line.firstIndex(of: "-"), let start = UInt(line[..<dash], radix: 16) {
      isInside = start >= lower && start < upper
    } else if isInside, line.hasPrefix("Anonymous:") {
      total += (Int(line.split(separator: " ")[1]) ?? 0) * 1024
    }
  }
  return total
}
