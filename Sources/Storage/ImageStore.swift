// ImageStore: the three files that hold the arena's last checkpoint, and how it is found again.
//
//   ferrite.image    superblocks, arena       ferrite.journal   the epoch on its way
//   ferrite.sums     | header, zeros to 4096 | CRC32C of each page, 4 bytes | ...   0: none known
//
//   recovery:  newest superblock, epoch n ──► journal committed for n + 1? ──► apply ──► n + 1
//
// 1. The image is always what the newest superblock says, but for pages that a committed journal of
//    the next epoch names.
// 2. A new image appears under its name when all three files are durable, and not before.
// 3. The owner's thread and the checkpointer make files longer, under one lock, and never shorter.
// 4. While the image is being changed no view can be pinned; before a page of it changes, every
//    view that is pinned has its own copy.
// 5. A killed process leaves what it wrote, but not all of it durable: the newest superblock and a
//    committed journal's header are written again when they have been read, before anything is
//    built on them. Both were written when what they speak of was durable.
// 6. On a tmpfs, where even reading a hole takes memory and the want of it is a signal, the image
//    has no holes: its pages are had when it grows, and stay.

import Bytes
import CSystem
import Glibc
import Memory
import Platform
import Synchronization

final class ImageStore: @unchecked Sendable {
  let medium: any Medium
  let identity: StorageIdentity
  let image: any MediumFile
  let sums: any MediumFile
  let journal: any MediumFile
  private let durable: Mutex<Superblock>
  private let growth = Mutex(())
  private let views = Mutex<Views>(Views())
  /// Pages that recovery found damaged.
  private(set) var damagedPages: [Int] = []
  /// Whether recovery finished a checkpoint that had been committed.
  private(set) var hasAppliedJournal = false

  private struct Views {
    var open: [FrozenView] = []
    var isApplying = false
  }

  /// Opens the image in the medium's directory, making one where there is none.
  convenience init(_ medium: any Medium) throws(StorageError) {
    let names = try storageError { () throws(IOError) in try medium.list() }
    if !names.contains(ImageFormat.imageName) {
      // An image is made before its log: this one was taken away, and its journal is still needed.
      if let segment = names.first(where: LogFormat.isSegment) {
        throw .corrupt(
          path: medium.path(ImageFormat.imageName),
          "the image is missing, but its log is here (\(segment)). Restore the file, or move the"
            + " log away to begin without data")
      }
      try storageError { () throws(IOError) in try Self.make(medium) }
    }
    try self.init(reading: medium)
    try settle()
    try recover()
    let needed = ImageFormat.place(ofPage: superblock.usedPages)
    guard image.count >= needed else {
      throw .corrupt(
        path: image.path,
        "the image is cut off: \(image.count) bytes, \(needed) are in use; what is beyond is lost")
    }
    _ = try storageError { () throws(IOError) in try ensureLength(pages: superblock.usedPages) }
    if hasNoHoles {
      try storageError { () throws(IOError) in try image.allocate(0..<image.count) }
    }
  }

  /// Opens an image as it is, for looking at it: nothing is made, recovered or changed.
  init(reading medium: any Medium) throws(StorageError) {
    self.medium = medium
    let files = try storageError { () throws(IOError) in
      (
        try medium.open(ImageFormat.imageName), try medium.open(ImageFormat.sumsName),
        try medium.open(ImageFormat.journalName)
      )
    }
    (image, sums, journal) = files
    let superblock: Superblock
    (superblock, identity) = try Self.readSuperblock(image, medium)
    durable = Mutex(superblock)
    try Self.checkHeader(sums, ImageFormat.sumsMagic, identity)
  }

  /// The newest one that is durable.
  var superblock: Superblock { durable.withLock { $0 } }

  // MARK: Making and opening

  private static func make(_ medium: any Medium) throws(IOError) {
    let identity = StorageIdentity.random()
    let leftovers = [ImageFormat.newImageName, ImageFormat.sumsName, ImageFormat.journalName]
    for name in try medium.list() where leftovers.contains(name) { try medium.remove(name) }
    var block = Block(Superblock.slotBytes)
    HeaderPrefix.seal(
      &block, magic: ImageFormat.sumsMagic, identity: identity, crcOffset: HeaderPrefix.bytes)
    try makeFile(medium, ImageFormat.sumsName, block, length: ImageFormat.bodyOffset)
    block.clear(0..<block.count)
    JournalHeader(epoch: 0, lsn: 0, usedPages: 0).encode(&block, identity: identity)
    try makeFile(medium, ImageFormat.journalName, block, length: ImageFormat.bodyOffset)
    Superblock(epoch: 0, lsn: 0, usedPages: 0).encode(&block, identity: identity, medium)
    try makeFile(medium, ImageFormat.newImageName, block, length: ImageFormat.dataOffset)
    try medium.synchronizeDirectory()
    try medium.rename(ImageFormat.newImageName, to: ImageFormat.imageName)
    try medium.synchronizeDirectory()
  }

  private static func makeFile(
    _ medium: any Medium, _ name: String, _ block: borrowing Block, length: Int
  ) throws(IOError) {
    let file = try medium.create(name)
    try file.resize(to: length)
    try file.allocate(0..<min(length, 2 * Superblock.slotBytes))
    try file.write(block, 0..<block.count, at: 0)
    file.flush(0..<block.count)
    try file.synchronize()
  }

  private static func readSuperblock(
    _ image: any MediumFile, _ medium: any Medium
  ) throws(StorageError) -> (Superblock, StorageIdentity) {
    guard image.count >= ImageFormat.dataOffset else {
      throw .foreign(path: image.path, "not an image of Ferrite's: the file is too short")
    }
    let block = try readBlock(image, count: 2 * Superblock.slotBytes)
    return try Superblock.newest(in: block, path: image.path, medium)
  }

  private static func checkHeader(
    _ file: any MediumFile, _ magic: UInt64, _ identity: StorageIdentity
  ) throws(StorageError) {
    guard file.count >= ImageFormat.bodyOffset else {
      throw .foreign(path: file.path, "not a file of Ferrite's: it is too short")
    }
    let block = try readBlock(file, count: ImageFormat.bodyOffset)
    try HeaderPrefix.check(
      block, magic: magic, crcOffset: HeaderPrefix.bytes, identity: identity, path: file.path)
  }

  private static func readBlock(
    _ file: any MediumFile, count: Int
  ) throws(StorageError) -> Block {
    var block = Block(count)
    do throws(IOError) {
      try file.read(0..<count, of: &block, at: 0)
    } catch {
      throw .io(error)
    }
    return block
  }

  // MARK: Recovery

  /// What an earlier process left may have been read from a cache: before anything is built on it,
  /// it is made durable (invariant 5).
  private func settle() throws(StorageError) {
    let offset = Superblock.offset(ofEpoch: superblock.epoch)
    try storageError { () throws(IOError) in
      try image.settle(offset..<offset + Superblock.slotBytes, on: medium)
    }
  }

  private func recover() throws(StorageError) {
    guard let header = try committedJournal(), !medium.has(.journalIgnored) else { return }
    // Nothing is changed before all of it is known to be good.
    let reader = JournalReader(journal, header)
    while try reader.next() != nil {}
    if !medium.has(.journalNotSettled) {
      try storageError { () throws(IOError) in
        journal.flush(ImageFormat.bodyOffset..<ImageFormat.bodyOffset + header.bodyBytes)
        try journal.settle(0..<ImageFormat.bodyOffset, on: medium)
      }
    }
    _ = try storageError { () throws(IOError) in try ensureLength(pages: header.usedPages) }
    let applier = JournalApplier(self, header, allocates: true)
    while try applier.step(limit: 1024) {}
    damagedPages = applier.damagedPages
    hasAppliedJournal = true
    try storageError { () throws(IOError) in
      try publish(
        Superblock(epoch: header.epoch, lsn: header.lsn, usedPages: header.usedPages))
    }
  }

  /// The journal's header when it commits the epoch after the superblock's.
  func committedJournal() throws(StorageError) -> JournalHeader? {
    guard journal.count >= ImageFormat.bodyOffset else {
      throw .foreign(path: journal.path, "not a journal of Ferrite's: it is too short")
    }
    let block = try Self.readBlock(journal, count: ImageFormat.bodyOffset)
    let header = try JournalHeader(block, identity: identity, path: journal.path)
    guard let header, header.epoch == superblock.epoch + 1 else { return nil }
    return header
  }

  // MARK: Steps of a checkpoint

  /// Commits the journal's body, which is durable (Journal's invariant 1).
  func commit(_ header: JournalHeader) throws(IOError) {
    var block = Block(ImageFormat.bodyOffset)
    header.encode(&block, identity: identity)
    try journal.write(block, 0..<block.count, at: 0)
    journal.flush(0..<block.count)
    if !medium.has(.journalCommitNotSynchronized) { try journal.synchronize() }
  }

  /// Makes `next`, whose pages are durable, the image's state.
  func publish(_ next: Superblock) throws(IOError) {
    var block = Block(Superblock.slotBytes)
    next.encode(&block, identity: identity, medium)
    let offset = Superblock.offset(ofEpoch: next.epoch)
    try image.write(block, 0..<block.count, at: offset)
    image.flush(offset..<offset + block.count)
    if !medium.has(.imageSuperblockNotSynchronized) { try image.synchronize() }
    durable.withLock { $0 = next }
  }

  /// Makes image and sums long enough for `pages` pages.
  /// - Returns: whether a length has changed.
  @discardableResult
  func ensureLength(pages: Int, pieceBytes: Int = 1 << 20) throws(IOError) -> Bool {
    let place = ImageFormat.place(ofPage: pages)
    let wanted = (place + pieceBytes - 1) / pieceBytes * pieceBytes
    let sumsEnd = ImageFormat.bodyOffset + (wanted - ImageFormat.dataOffset) >> 10
    let sumsWanted = (sumsEnd + 4095) & ~4095
    let result = growth.withLock { _ -> Result<Bool, IOError> in
      do throws(IOError) {
        var hasGrown = false
        if image.count < place {
          try grow(to: wanted)
          hasGrown = true
        }
        if sums.count < sumsWanted {
          try sums.resize(to: sumsWanted)
          hasGrown = true
        }
        return .success(hasGrown)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Invariant 6.
  var hasNoHoles: Bool { medium.facts.fileSystem == "tmpfs" }

  /// The image's length while nobody is changing it.
  var settledLength: Int { growth.withLock { _ in image.count } }

  private func grow(to count: Int) throws(IOError) {
    let before = image.count
    try image.resize(to: count)
    guard hasNoHoles else { return }
    do throws(IOError) {
      try image.allocate(before..<count)
    } catch {
      // Nobody has seen the new length.
      try image.resize(to: before)
      throw error
    }
  }

  /// Gives back what the journal has beyond `count` bytes; a failure costs space, nothing else.
  func shrinkJournal(to count: Int) {
    guard journal.count > count else { return }
    do throws(IOError) {
      try journal.resize(to: count)
    } catch {
      return
    }
  }

  /// Forgets the sums of `pages`, durably: their content is about to go.
  /// - Returns: the ranges of pages that had sums.
  func forgetSums(
    of pages: borrowing DirtyPages, below limit: Int
  ) throws(IOError) -> [Range<Int>] {
    var block = Block(ImageFormat.pageBytes)
    var index = -1
    var isChanged = false
    var forgotten: [Range<Int>] = []
    var page = pages.next(from: 0, below: limit)
    while let next = page {
      if next / ImageFormat.sumsPerBlock != index {
        if isChanged { try writeSums(block, index) }
        isChanged = false
        index = next / ImageFormat.sumsPerBlock
        try sums.read(
          0..<ImageFormat.pageBytes, of: &block, at: ImageFormat.sumsOffset(ofBlock: index))
      }
      let place = next % ImageFormat.sumsPerBlock * 4
      if block.load(place, as: UInt32.self) != 0 {
        block.store(place, UInt32(0))
        isChanged = true
        if let last = forgotten.last, last.upperBound == next {
          forgotten[forgotten.count - 1] = last.lowerBound..<next + 1
        } else {
          forgotten.append(next..<next + 1)
        }
      }
      page = pages.next(from: next + 1, below: limit)
    }
    if isChanged { try writeSums(block, index) }
    if !forgotten.isEmpty { try sums.synchronize() }
    return forgotten
  }

  private func writeSums(_ block: borrowing Block, _ index: Int) throws(IOError) {
    let offset = ImageFormat.sumsOffset(ofBlock: index)
    try sums.write(block, 0..<ImageFormat.pageBytes, at: offset)
    sums.flush(offset..<offset + ImageFormat.pageBytes)
  }

  // MARK: Views

  /// Pins a view at the image's state; nil while that is changing.
  func pin(usedPages: Int) throws(MemoryError) -> FrozenView? {
    let bytes = usedPages << ImageFormat.pageShift
    let result = views.withLock { views -> Result<FrozenView?, MemoryError> in
      if views.isApplying { return .success(nil) }
      // SAFETY: a fresh private mapping at an address of the kernel's choice, within the file.
      let mapping = unsafe mmap(
        nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, image.descriptor,
        off_t(ImageFormat.dataOffset))
      guard let address = unsafe mapping, unsafe address != MAP_FAILED else {
        return .failure(MemoryError(operation: "mmap", code: errno))
      }
      let view = unsafe FrozenView(base: address, usedBytes: bytes)
      views.open.append(view)
      return .success(view)
    }
    return try result.get()
  }

  func unpin(_ view: FrozenView) {
    views.withLock { views in
      guard let index = views.open.firstIndex(where: { $0 === view }) else {
        preconditionFailure("the view belongs to another image or was closed before")
      }
      views.open.remove(at: index)
    }
  }

  var openViews: Int { views.withLock { $0.open.count } }

  /// Says whether the image is being changed.
  func setApplying(_ isApplying: Bool) { views.withLock { $0.isApplying = isApplying } }

  /// Invariant 4.
  func keepInViews(page: Int) {
    guard !medium.has(.imageViewNotKept) else { return }
    views.withLock { views in
      for view in views.open { view.keep(page: page) }
    }
  }
}

/// Runs what fails with the machine where damage is an error too.
func storageError<Value: ~Copyable>(
  _ body: () throws(IOError) -> Value
) throws(StorageError) -> Value {
  do throws(IOError) {
    return try body()
  } catch {
    throw .io(error)
  }
}
