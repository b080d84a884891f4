// What the image's files say when they are foreign, newer, damaged or full; and what goes back to
// the file system.

import Bytes
import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

struct ImageFilesTests {
  /// An image with some checkpoints, and what is in it.
  private func filled(
    _ kind: MediumFacts.Kind = .file
  ) throws -> (medium: SimulatedMedium, entries: [ImageEntry]) {
    let medium = SimulatedMedium(Disk(kind: kind))
    var model = try ImageModel(medium, seed: 5)
    for _ in 0..<3 {
      for _ in 0..<200 { _ = try model.step(target: 150) }
      try model.begin()
      guard case .finished = model.pages.finishCheckpoint() else {
        throw IOError("checkpoint", errno: EIO)
      }
    }
    return (medium, model.entries)
  }

  /// Overwrites bytes of a file behind everybody's back.
  private func overwrite(
    _ medium: SimulatedMedium, _ name: String, at offset: Int, _ bytes: [UInt8]
  ) throws {
    try medium.open(name).persist(bytes.span, at: offset)
  }

  private func opening(_ medium: SimulatedMedium) -> StorageError? {
    do throws(StorageError) {
      _ = try ImagePages(medium, imageOptions())
      return nil
    } catch {
      return error
    }
  }

  @Test func anImageOpensAgain() throws {
    let (medium, entries) = try filled(.persistentMemory)
    #expect(try problem(medium, entries, lsn: 3) == nil)
  }

  /// A damaged superblock is not believed: the one before it counts, with its log.
  @Test func theOlderSuperblockServes() throws {
    let (medium, _) = try filled()
    try overwrite(medium, "ferrite.image", at: 4096 + 40, [9])
    let pages = try ImagePages(medium, imageOptions())
    // Epoch 3 was in slot 1. Its journal is there still, committed, and is applied again.
    #expect(pages.lsn == 3 && pages.hasAppliedJournal)
  }

  @Test func whatIsNotOursIsRefused() throws {
    let (medium, _) = try filled()
    try overwrite(medium, "ferrite.image", at: 8, [2])
    try overwrite(medium, "ferrite.image", at: 4096 + 8, [2])
    guard case .corrupt = opening(medium) else {
      Issue.record("\(String(describing: opening(medium)))")
      return
    }
    try overwrite(medium, "ferrite.image", at: 0, [UInt8](repeating: 1, count: 8192))
    guard case .foreign = opening(medium) else {
      Issue.record("\(String(describing: opening(medium)))")
      return
    }
  }

  /// Beginning anew would remove the journal and the sums of the image that is only elsewhere.
  @Test func aLogWithoutItsImageIsRefused() throws {
    let (medium, _) = try filled()
    _ = try medium.create("ferrite.log.000007")
    try medium.rename("ferrite.image", to: "elsewhere")
    let names = try medium.list()
    guard case .corrupt(let path, let reason)? = opening(medium) else {
      Issue.record("a new image was made")
      return
    }
    #expect(path == "simulated/ferrite.image" && reason.contains("ferrite.log.000007"))
    #expect(try medium.list() == names)
    try medium.rename("elsewhere", to: "ferrite.image")
    #expect(opening(medium) == nil)
  }

  @Test func anImageWithNewerFeaturesIsRefusedByThem() throws {
    let (medium, _) = try filled()
    let file = try medium.open("ferrite.image")
    for slot in [0, 4096] {
      var header = try file.bytes(slot..<slot + 60)
      header[12] = 4
      let crc = CRC32C.checksum(header.span)
      header += (0..<4).map { UInt8(truncatingIfNeeded: crc >> (8 * $0)) }
      try overwrite(medium, "ferrite.image", at: slot, header)
    }
    #expect(opening(medium) == .newer(path: file.path, version: 1, features: 4))
  }

  @Test func aNewerImageIsRefusedByVersion() throws {
    let (medium, _) = try filled()
    var block = Block(4096)
    HeaderPrefix.seal(
      &block, magic: ImageFormat.imageMagic, identity: .random(), crcOffset: 60)
    block.store(8, UInt32(2))
    block.store(60, block.checksum(0..<60))
    let file = try medium.open("ferrite.image")
    try file.write(block, 0..<4096, at: 4096)
    #expect(opening(medium) == .newer(path: file.path, version: 2))
  }

  @Test func filesOfAnotherImageAreRefused() throws {
    let (medium, _) = try filled()
    let other = try filled().medium
    for name in ["ferrite.sums", "ferrite.journal"] {
      var block = Block(4096)
      try other.open(name).read(0..<4096, of: &block, at: 0)
      try medium.open(name).write(block, 0..<4096, at: 0)
      guard case .foreign = opening(medium) else {
        Issue.record("\(name): \(String(describing: opening(medium)))")
        return
      }
    }
  }

  @Test func aScrubFindsTheDamagedPage() throws {
    let (medium, entries) = try filled()
    let entry = try #require(entries.first { $0.count > 100 })
    let page = (entry.ref.offset + 50) >> 12
    try overwrite(
      medium, "ferrite.image", at: ImageFormat.dataOffset + entry.ref.offset + 50,
      [entry.value ^ 1])
    let pages = try ImagePages(medium, imageOptions())
    pages.beginScrub()
    while pages.stepScrub() {}
    let progress = pages.scrubProgress
    #expect(progress.damagedPages == [page] && progress.pages == progress.totalPages)
  }

  /// A full disk abandons the checkpoint and loses nothing; the next one takes it all.
  @Test(arguments: [MediumFacts.Kind.file, .persistentMemory])
  func aFullDiskAbandonsACheckpoint(kind: MediumFacts.Kind) throws {
    let medium = SimulatedMedium(Disk(kind: kind))
    var model = try ImageModel(medium, seed: 6)
    for _ in 0..<300 { _ = try model.step(target: 150) }
    medium.setFault { $0.kind == .allocate ? .fail(ENOSPC) : nil }
    try model.begin()
    guard case .abandoned(let reason) = model.pages.finishCheckpoint() else {
      Issue.record("the checkpoint was not abandoned")
      return
    }
    #expect(reason?.description.contains("No space left") == true)
    for _ in 0..<100 { _ = try model.step(target: 150) }
    medium.setFault(nil)
    try model.begin()
    guard case .finished(1, let lsn) = model.pages.finishCheckpoint() else {
      Issue.record("the checkpoint was not finished")
      return
    }
    let found = try problem(SimulatedMedium(medium.snapshot()), model.entries, lsn: lsn)
    #expect(found == nil)
  }

  /// What is freed becomes holes, and their sums are forgotten.
  @Test func freedPagesGoBack() throws {
    let medium = SimulatedMedium(Disk(kind: .file))
    var model = try ImageModel(medium, seed: 8)
    let large: Ref<Untyped> = try model.arena.allocate(4 << 20)
    let entry = ImageEntry(ref: large, count: 4 << 20, value: 7)
    model.arena.fill(entry)
    try model.begin()
    _ = model.pages.finishCheckpoint()
    model.arena.free(large)
    while model.arena.trim(keeping: 0) > 0 {}
    try model.begin()
    _ = model.pages.finishCheckpoint()
    #expect(model.pages.statistics.punchedBytes >= 4 << 20)
    let found = try problem(SimulatedMedium(medium.snapshot()), [], lsn: 2)
    #expect(found == nil)
  }
}
