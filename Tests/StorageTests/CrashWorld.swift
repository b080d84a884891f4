// CrashWorld: image and log together under a small store, on a medium that remembers everything:
// one run writes, checkpoints and fails now and then by its seed; then every power cut that the run
// could have met is recovered and compared.
//
// 1. What a note in the trace names was durable: those batches are there after every later cut.
// 2. What is there is a prefix of the batches, whole: state n is the model's state n.
// 3. A recovered world goes on: it writes, checkpoints, and survives again.

import Bytes
import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

struct CrashWorkload: Sendable {
  var seed: UInt64
  var kind: MediumFacts.Kind
  var policy = SyncPolicy.always
  var batches = 24
  var bug: PlantedBug?
  /// Whether operations fail now and then.
  var hasFaults = false

  var summary: String {
    "seed \(seed), \(kind), \(policy)" + (hasFaults ? ", faults" : "")
  }

  func medium(_ disk: Disk) -> SimulatedMedium { SimulatedMedium(disk, plantedBug: bug) }
}

/// What the search found wrong.
struct CrashFinding: Error, CustomStringConvertible {
  let description: String
}

struct CrashWorld: ~Copyable {
  let workload: CrashWorkload
  let medium: SimulatedMedium
  private var pages: ImagePages
  private var log: Log
  private var store: CrashStore
  private var random: SeededRandom
  private(set) var model = CrashModel()
  private var now: Int64 = 0
  /// Where in the log each batch ends that is not known to be durable.
  private var inFlight: [(end: LSN, number: Int)] = []
  private var pinned: (view: PinnedView, model: CrashModel)?
  private var atFlip = CrashModel()
  private var atCheckpoint: CrashModel?
  private(set) var checkpoints = 0

  /// Opens what the medium holds, and replays the log.
  init(_ workload: CrashWorkload, _ medium: SimulatedMedium, salt: UInt64 = 0) throws {
    self.workload = workload
    self.medium = medium
    random = SeededRandom(seed: workload.seed &+ salt)
    var options = ImageOptions()
    options.reachBytes = 64 << 20
    options.pieceBytes = 8 << 20
    options.hasThread = false
    let pages = try ImagePages(medium, options)
    let arena = pages.isNew ? try Arena(provider: pages) : try Arena.open(pages)
    var store = try CrashStore(arena, isNew: pages.isNew)
    for number in 0..<store.batches {
      model.apply(crashBatch(seed: workload.seed, number: number + 1))
    }
    var tail = try LogTail(medium, identity: pages.identity, from: pages.lsn)
    while try tail.next() {
      guard let (number, operations) = CrashStore.decode(tail.payload) else {
        throw CrashFinding(description: "a record that was never written")
      }
      guard number == store.batches + 1 else {
        throw CrashFinding(description: "batch \(number) is replayed after \(store.batches)")
      }
      guard operations == crashBatch(seed: workload.seed, number: number) else {
        throw CrashFinding(description: "batch \(number) is not what was written")
      }
      try store.apply(operations)
      model.apply(operations)
    }
    var logOptions = LogOptions()
    logOptions.segmentBytes = 8192
    logOptions.policy = workload.policy
    logOptions.writer = .immediate
    logOptions.hasKeeperThread = false
    log = try Log(continuing: tail, logOptions, nowMilliseconds: 0)
    self.pages = pages
    self.store = store
  }

  /// What is wrong with the state as it is.
  func problem() -> String? {
    if let found = store.problem(model) { return found }
    store.arena.checkInvariants()
    return nil
  }

  /// The image's pages against their sums.
  func scrub() -> String? {
    pages.beginScrub()
    while pages.stepScrub() {}
    let progress = pages.scrubProgress
    return progress.damagedCount == 0 ? nil : "damaged pages \(progress.damagedPages)"
  }

  // MARK: Running

  mutating func run() throws {
    for _ in 0..<workload.batches {
      if workload.hasFaults && random.oneIn(6) { plantFault() }
      try turn()
      if random.oneIn(4) { medium.setFault(nil) }
    }
    medium.setFault(nil)
  }

  /// One turn of an engine's loop.
  private mutating func turn() throws {
    now += 40
    let operations = crashBatch(seed: workload.seed, number: model.batches + 1)
    let isLate = workload.bug == .engineLSNTooLate
    if !isLate { try store.apply(operations) }
    let end = try log.append(CrashStore.encode(model.batches + 1, operations).span)
    if random.oneIn(5) { try begin() }
    if isLate { try store.apply(operations) }
    model.apply(operations)
    inFlight.append((end, model.batches))
    poll()
    for _ in 0..<random.below(9) { step() }
    if random.oneIn(3) { store.arena.trim(keeping: 0, limit: 4) }
    try checkView()
  }

  private mutating func begin() throws {
    // With the bug of that name, the batch that was just appended is not in the arena yet.
    if try pages.beginCheckpoint(&store.arena, lsn: log.end) {
      atFlip = model
      atFlip.apply(crashBatch(seed: workload.seed, number: model.batches + 1))
      if workload.bug == .engineRecyclesTooEarly { log.recycle(below: log.end) }
    }
  }

  private mutating func poll() {
    log.poll(nowMilliseconds: now)
    pages.noteDurable(log.durable)
    while let first = inFlight.first, first.end <= log.durable {
      medium.note(first.number)
      inFlight.removeFirst()
    }
  }

  private mutating func step() {
    // A failure was asked for; the checkpointer goes on, or begins again.
    _ = try? pages.step()
    poll()
    guard case .finished(_, let lsn) = pages.poll() else { return }
    checkpoints += 1
    atCheckpoint = atFlip
    log.recycle(below: lsn)
  }

  /// Pins a view now and then, and holds it against what it should show.
  private mutating func checkView() throws {
    if let pinned {
      if let found = CrashStore.problem(pinned.view.view, pinned.model) {
        throw CrashFinding(description: found)
      }
      if random.oneIn(8) {
        pages.close(pinned.view.view)
        self.pinned = nil
      }
    } else if let atCheckpoint, random.oneIn(4), let view = try pages.pinView() {
      pinned = (view, atCheckpoint)
    }
  }

  private mutating func plantFault() {
    let kinds: [SimulatedMedium.Attempt.Kind] = [.write, .synchronize, .allocate, .read, .resize]
    let kind = kinds[random.below(kinds.count)]
    let name = ["ferrite.image", "ferrite.sums", "ferrite.journal", "ferrite.log"][random.below(4)]
    let code = random.oneIn(2) ? ENOSPC : EIO
    let isShort = random.oneIn(4)
    medium.setFault { attempt in
      guard attempt.kind == kind, attempt.name.hasPrefix(name) else { return nil }
      return isShort && kind == .write ? .short(code) : .fail(code)
    }
  }
}

/// Runs a workload and looks at every `step`th cut.
/// - Returns: how many states were recovered, and what was wrong with the first bad one.
func crashSearch(
  _ workload: CrashWorkload, draws: Int = 2, every step: Int = 1, doubleCrashes: Bool = true
) -> (states: Int, checkpoints: Int, finding: String?) {
  var states = 0
  var checkpoints = 0
  do {
    let medium = workload.medium(Disk(kind: workload.kind))
    var world = try CrashWorld(workload, medium)
    try world.run()
    checkpoints = world.checkpoints
    if let found = world.problem() { throw CrashFinding(description: "at run time: \(found)") }
    try medium.trace.forEachCrash(draws: draws, seed: workload.seed, every: step) { state in
      states += 1
      do {
        try recover(workload, state, again: doubleCrashes && states % 97 == 0)
      } catch {
        throw CrashFinding(
          description: "seed \(workload.seed), \(workload.kind), point \(state.point), "
            + "\(state.fate) by \(state.seed): \(error)")
      }
      return true
    }
    return (states, checkpoints, nil)
  } catch {
    return (states, checkpoints, "\(error)")
  }
}

/// Recovers one state and judges it; with `again`, cuts the power during that recovery too, and
/// works on afterwards.
private func recover(_ workload: CrashWorkload, _ state: CrashState, again: Bool) throws {
  let acknowledged = state.notes.max() ?? 0
  let medium = workload.medium(state.disk)
  var world = try CrashWorld(workload, medium)
  try judge(world, atLeast: acknowledged)
  guard again else { return }
  try medium.trace.forEachCrash(draws: 1, seed: state.seed, every: 7) { inner in
    try judge(try CrashWorld(workload, workload.medium(inner.disk)), atLeast: acknowledged)
    return true
  }
  try world.run()
  if let found = world.problem() { throw CrashFinding(description: "later: \(found)") }
  let last = try CrashWorld(workload, workload.medium(medium.snapshot()))
  try judge(last, atLeast: acknowledged)
}

private func judge(_ world: borrowing CrashWorld, atLeast acknowledged: Int) throws {
  if let found = world.problem() { throw CrashFinding(description: found) }
  if let found = world.scrub() { throw CrashFinding(description: found) }
  if world.model.batches < acknowledged {
    throw CrashFinding(
      description: "\(world.model.batches) batches are there, \(acknowledged) were acknowledged")
  }
}
