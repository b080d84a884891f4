// Checkpointer: carries an epoch's pages into the image, in pieces, beside the owner's thread.
//
//   idle ─► gather ─► seal ─► commit ─► apply ─► publish ─► reclaim ─► clear ─► idle
//            pages     sync    header    image    super-     punch      bytes
//            into the  all     + sync    + sums   block      holes      to waiting
//            journal                     + sync   + sync
//
// 1. Until `commit` begins, a failure abandons the epoch: its pages go into the next one, and the
//    image is untouched. From then on every stage is tried again until it is done.
// 2. Blocks for all that `apply` will write are had, and durable, before `commit`: a full disk is
//    met while the epoch can still be abandoned.
// 3. An epoch is committed when the log is durable up to its LSN: a restart looks for it there.
// 4. One thread at a time runs `step`: the checkpointer's own, or a test's.

import CSystem
import Memory
import Platform
import Synchronization

@safe final class Checkpointer: @unchecked Sendable {
  enum Stage: Int, Sendable {
    case idle, gather, seal, commit, apply, publish, reclaim, clear
  }

  private static let batchPages = 64
  private static let applyRecords = 64
  /// What the journal keeps of its blocks when it is not needed.
  private static let keptJournalBytes = 64 << 20

  let store: ImageStore
  let states: PageBytes
  let aside = AsideQueue()
  private let base: UnsafeMutableRawPointer
  private let handedOver = Mutex<Checkpoint?>(nil)
  private let busy = Atomic(false)

  private(set) var stage = Stage.idle {
    didSet { shownStage.store(stage.rawValue, ordering: .relaxed) }
  }
  private let shownStage = Atomic(0)
  private var job: Checkpoint?
  private var writer: JournalWriter?
  private var applier: JournalApplier?
  private var cursor = 0
  /// Pages that the owner set aside: those passed by, and those that came.
  private var asideSeen = 0
  private var asideDone = 0
  private var live = Block(batchPages << ImageFormat.pageShift)
  private var old = Block(batchPages << ImageFormat.pageShift)
  private var batch: [Int] = []
  /// Pages of the image whose blocks are known to be there.
  private var allocated: DirtyPages
  private var reservation = 0..<0
  private var hasNewBlocks = false
  /// Free pages whose holes wait until no view is open.
  private var holes: DirtyPages
  private var hasHoles = false
  let statistics = Mutex(CheckpointStatistics())
  let ioBytes = Atomic<Int>(0)
  /// Below this the log is durable: no checkpoint beyond it is committed, for a restart has to find
  /// the checkpoint's LSN in the log.
  let logDurable = Atomic<UInt64>(.max)

  /// - Parameter base: where the arena lies, for as long as the checkpointer lives.
  @unsafe init(
    _ store: ImageStore, base: UnsafeMutableRawPointer, pageCount: Int
  ) throws(MemoryError) {
    self.store = store
    unsafe self.base = base
    states = try PageBytes(pageCount: pageCount)
    allocated = try DirtyPages(pageCount: pageCount)
    holes = try DirtyPages(pageCount: pageCount)
  }

  /// Whether a checkpoint is under way, or its traces are.
  var isBusy: Bool { busy.load(ordering: .acquiring) }

  /// For people, from any thread.
  var stageName: String {
    Stage(rawValue: shownStage.load(ordering: .relaxed)).map { "\($0)" } ?? ""
  }

  /// Whether a checkpoint's outcome is open. For the thread that steps, as the next one.
  var isWorking: Bool { stage != .idle && stage != .clear }

  /// Whether the epoch cannot be abandoned any more.
  var isCommitted: Bool { stage.rawValue >= Stage.commit.rawValue && stage != .clear }

  /// Hands over an epoch, when not busy.
  func begin(_ checkpoint: Checkpoint) {
    precondition(!isBusy)
    busy.store(true, ordering: .relaxed)
    handedOver.withLock { $0 = checkpoint }
  }

  /// Does a piece of work.
  /// - Returns: whether there may be more to do at once.
  func step() throws(StorageError) -> Bool {
    switch stage {
    case .idle: return try start()
    case .gather: try gather()
    case .seal: try seal()
    case .commit: return try commit()
    case .apply: try apply()
    case .publish: try publish()
    case .reclaim: reclaim()
    case .clear: return clear()
    }
    return true
  }

  /// After `step` failed: abandons the epoch, or makes ready to try the stage again.
  func fail(_ error: StorageError) {
    statistics.withLock {
      $0.failures += 1
      $0.lastError = error
    }
    switch stage {
    case .gather, .seal: end(.abandoned)
    case .apply: applier = nil
    default: break
    }
  }

  // MARK: Stages

  private func start() throws(StorageError) -> Bool {
    guard let next = handedOver.withLock({ $0.take() }) else { return false }
    job = next
    let block = next.superblock
    writer = JournalWriter(
      store.medium, store.journal,
      JournalHeader(epoch: block.epoch, lsn: block.lsn, usedPages: block.usedPages))
    cursor = 0
    asideSeen = 0
    asideDone = 0
    reservation = 0..<0
    stage = .gather
    let hasGrown = try storageError { () throws(IOError) in
      try store.ensureLength(pages: block.usedPages)
    }
    if hasGrown { hasNewBlocks = true }
    return true
  }

  private func gather() throws(StorageError) {
    guard let job, let writer else { return }
    try storageError { () throws(IOError) in
      try drainAside(writer)
      takeBatch(job)
      try writeBatch(writer)
      try drainAside(writer)
    }
    if batch.isEmpty && asideDone == asideSeen { stage = .seal }
  }

  /// Copies up to `batchPages` pages of the epoch that nobody else has.
  private func takeBatch(_ job: Checkpoint) {
    batch.removeAll(keepingCapacity: true)
    let limit = job.superblock.usedPages
    while batch.count < Self.batchPages, let page = job.pages.next(from: cursor, below: limit) {
      cursor = page + 1
      let found = states.replace(page, PageState.waiting, by: PageState.taking)
      if found == PageState.waiting {
        let place = batch.count << ImageFormat.pageShift
        // SAFETY: the page is inside the arena, and the owner does not write to it while its
        // state is `taking` (Checkpoint's invariant 2).
        unsafe live.copy(
          ImageFormat.pageBytes, from: base + page << ImageFormat.pageShift, to: place)
        states[page] = PageState.taken
        batch.append(page)
      } else {
        asideSeen += 1
      }
    }
  }

  /// Compares the batch with the image, and journals what differs.
  private func writeBatch(_ writer: JournalWriter) throws(IOError) {
    var index = 0
    while index < batch.count {
      var count = 1
      while index + count < batch.count, batch[index + count] == batch[index] + count {
        count += 1
      }
      let bytes = count << ImageFormat.pageShift
      try store.image.read(0..<bytes, of: &old, at: ImageFormat.place(ofPage: batch[index]))
      for offset in 0..<count {
        let place = (index + offset) << ImageFormat.pageShift
        // SAFETY: both are whole pages of the blocks.
        unsafe try journal(
          batch[index + offset], live.pointer(place..<place + ImageFormat.pageBytes),
          old: old.pointer(
            offset << ImageFormat.pageShift..<(offset + 1) << ImageFormat.pageShift), writer)
      }
      index += count
    }
  }

  /// Journals the pages that the owner set aside.
  private func drainAside(_ writer: JournalWriter) throws(IOError) {
    let copies = aside.take()
    guard !copies.isEmpty else { return }
    defer { aside.giveBack(copies) }
    for copy in copies {
      try store.image.read(
        0..<ImageFormat.pageBytes, of: &old, at: ImageFormat.place(ofPage: copy.page))
      // SAFETY: the copy is a page and ours until it is given back; so is the block's part.
      unsafe try journal(
        copy.page, copy.content, old: old.pointer(0..<ImageFormat.pageBytes), writer)
    }
    asideDone += copies.count
  }

  @unsafe private func journal(
    _ page: Int, _ content: UnsafeRawPointer, old: UnsafeRawPointer, _ writer: JournalWriter
  ) throws(IOError) {
    var mask = unsafe csystem_differing_lines(content, old)
    if store.medium.has(.imageLineForgotten), mask & (mask &- 1) != 0 { mask &= mask - 1 }
    guard mask != 0 else { return }
    let span = unsafe Span<UInt8>(
      _unsafeStart: content.assumingMemoryBound(to: UInt8.self), count: ImageFormat.pageBytes)
    try reserve(page)
    let written = unsafe try writer.append(
      page: page, mask: mask, sum: ImageFormat.sum(of: span), from: content)
    count(journalBytes: written)
    statistics.withLock { $0.linesChanged += mask.nonzeroBitCount }
  }

  /// Sees to it that the page has a block in the image (invariant 2).
  private func reserve(_ page: Int) throws(IOError) {
    guard !allocated.contains(page: page) else { return }
    if page != reservation.upperBound || reservation.isEmpty {
      try allocateReservation()
      reservation = page..<page
    }
    reservation = reservation.lowerBound..<page + 1
  }

  private func allocateReservation() throws(IOError) {
    guard !reservation.isEmpty else { return }
    let first = ImageFormat.place(ofPage: reservation.lowerBound)
    try store.image.allocate(first..<ImageFormat.place(ofPage: reservation.upperBound))
    let sums = ImageFormat.sumsRange(ofPages: reservation)
    try store.sums.allocate(sums)
    for page in reservation { allocated.insert(page: page) }
    reservation = 0..<0
    hasNewBlocks = true
  }

  private func seal() throws(StorageError) {
    guard let writer else { return }
    try storageError { () throws(IOError) in
      try allocateReservation()
      if hasNewBlocks {
        try store.image.synchronize()
        try store.sums.synchronize()
        hasNewBlocks = false
      }
      count(journalBytes: try writer.finish())
    }
    stage = store.medium.has(.journalAppliedBeforeCommit) ? .apply : .commit
  }

  /// - Returns: false while the log is not durable as far as the image would have it.
  private func commit() throws(StorageError) -> Bool {
    guard let writer, let job else { return false }
    guard isLogDurable(job.superblock.lsn) else { return false }
    try storageError { () throws(IOError) in
      if store.medium.has(.imagePunchedTooEarly) { try punchHoles(job) }
      try store.commit(writer.header)
    }
    count(journalBytes: ImageFormat.bodyOffset)
    stage = store.medium.has(.journalAppliedBeforeCommit) ? .publish : .apply
    return true
  }

  private func isLogDurable(_ lsn: UInt64) -> Bool {
    store.medium.has(.imageCommittedBeforeLog) || logDurable.load(ordering: .acquiring) >= lsn
  }

  private func apply() throws(StorageError) {
    guard let writer else { return }
    if applier == nil {
      store.setApplying(true)
      applier = JournalApplier(store, writer.header, allocates: false)
    }
    guard let applier else { return }
    let before = applier.bytesWritten
    let isMore = try applier.step(limit: Self.applyRecords)
    count(imageBytes: applier.bytesWritten - before)
    guard !isMore else { return }
    self.applier = nil
    stage = store.medium.has(.journalAppliedBeforeCommit) ? .commit : .publish
  }

  private func publish() throws(StorageError) {
    guard let job else { return }
    try storageError { () throws(IOError) in
      try store.publish(job.superblock)
      if store.medium.has(.imageSuperblockBeforePages) {
        try store.image.synchronize()
        try store.sums.synchronize()
      }
    }
    count(imageBytes: Superblock.slotBytes)
    store.setApplying(false)
    stage = .reclaim
  }

  /// Punches holes where pages are free. A failure costs space, nothing else: it is noted.
  private func reclaim() {
    guard let job else { return }
    do throws(IOError) {
      try punchHoles(job)
    } catch {
      statistics.withLock { $0.lastError = .io(error) }
    }
    end(.finished)
  }

  private func end(_ outcome: Checkpoint.Outcome) {
    guard let job else { return }
    aside.giveBack(aside.take())
    let duration = Clock.system.monotonicMicroseconds() - job.startedMicroseconds
    statistics.withLock {
      if outcome == .finished { $0.finish(job, durationMicroseconds: Int(duration)) }
    }
    writer = nil
    applier = nil
    stage = .clear
    store.shrinkJournal(to: Self.keptJournalBytes)
    job.outcome.store(outcome, ordering: .releasing)
  }

  /// Checkpoint's invariant 3.
  func clear() -> Bool {
    guard let job, job.isAcknowledged.load(ordering: .acquiring) else { return false }
    aside.giveBack(aside.take())
    job.pages.forEach(below: job.superblock.usedPages) { states[$0] = PageState.waiting }
    self.job = nil
    stage = .idle
    busy.store(false, ordering: .releasing)
    return false
  }

  // MARK: Holes

  private func punchHoles(_ job: Checkpoint) throws(IOError) {
    guard !store.hasNoHoles else { return }
    let limit = job.superblock.usedPages
    // What was written since it was freed is in use again.
    if hasHoles { holes.subtract(job.pages, below: limit) }
    holes.formUnion(job.freed, below: limit)
    hasHoles = holes.next(from: 0, below: limit) != nil
    guard hasHoles, store.openViews == 0 else { return }
    let punched = try store.forgetSums(of: holes, below: limit)
    for range in punched {
      try store.image.punchHole(
        ImageFormat.place(ofPage: range.lowerBound)..<ImageFormat.place(ofPage: range.upperBound))
      for page in range { allocated.remove(page: page) }
      statistics.withLock { $0.punchedPages += range.count }
    }
    if !punched.isEmpty { try store.image.synchronize() }
    holes.removeAll(below: limit)
    hasHoles = false
  }

  private func count(journalBytes: Int = 0, imageBytes: Int = 0) {
    guard journalBytes + imageBytes > 0 else { return }
    ioBytes.add(journalBytes + imageBytes, ordering: .relaxed)
    statistics.withLock {
      $0.journalBytes += journalBytes
      $0.imageBytes += imageBytes
    }
  }
}
