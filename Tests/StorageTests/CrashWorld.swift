// CrashWorld: an engine under a small store, on a medium that remembers everything: one run writes,
// checkpoints and fails now and then by its seed; then every power cut that the run could have met
// is recovered and compared, and so are power cuts after the process had been killed.
//
// 1. What a note in the trace names was durable: those batches are there after every later cut.
// 2. What is there is a prefix of the batches, whole: state n is the model's state n. That holds
//    for the image by itself, before the log is replayed, too.
// 3. A recovered world goes on: it writes, checkpoints, and survives again.

import Bytes
import Glibc
import Memory
import Platform
import Simulation
import Testing

@testable import Storage

struct CrashWorkload: Sendable {
  /// Which operations fail now and then.
  enum Faults: Sendable {
    case none
    case journal
    case log
    case synchronize
    case all
  }

  var seed: UInt64
  var kind: MediumFacts.Kind
  var shape = CrashShape.mixed
  var policy = SyncPolicy.always
  var faults = Faults.none
  /// Now and then the log has no room for a batch.
  var hasGaps = false
  var batches = 24
  var bug: PlantedBug?

  var summary: String {
    "seed \(seed), \(kind), \(shape), \(policy), faults \(faults)" + (hasGaps ? ", gaps" : "")
  }

  func medium(_ disk: Disk) -> SimulatedMedium { SimulatedMedium(disk, plantedBug: bug) }

  func batch(_ number: Int) -> [CrashOperation] { shape.batch(seed: seed, number: number) }

  var engineOptions: EngineOptions {
    var options = EngineOptions(directory: "simulated")
    options.hasThreads = false
    options.reachBytes = 64 << 20
    options.segmentBytes = 8192
    options.policy = policy
    return options
  }
}

/// What the search found wrong.
struct CrashFinding: Error, CustomStringConvertible {
  let description: String
}

struct CrashWorld: ~Copyable {
  /// What a run has met, to see that it means something.
  struct Counts {
    var checkpoints = 0
    var abandoned = 0
    var states = 0
    var kills = 0
  }

  let workload: CrashWorkload
  let medium: SimulatedMedium
  private let engine: Engine
  private var store: CrashStore
  private var random: SeededRandom
  private(set) var model: CrashModel
  /// Where in the log each batch ends that is not known to be durable.
  private var inFlight: [(end: LSN, number: Int)] = []
  /// The last batch is not in the log.
  private var isLeftOut = false
  private var pinned: (view: PinnedView, model: CrashModel)?
  /// What the last two checkpoints have, by LSN: a view shows one of them.
  private var atFlips: [(lsn: LSN, model: CrashModel)] = []
  private(set) var counts = Counts()

  /// Opens what the medium holds, and replays the log.
  init(_ workload: CrashWorkload, _ medium: SimulatedMedium) throws {
    self.workload = workload
    self.medium = medium
    random = SeededRandom(seed: workload.seed)
    let engine = try Engine.open(workload.engineOptions, medium, wake: nil)
    engine.clock = .manual(wallMilliseconds: 0)
    var store = try CrashStore(try engine.openArena(), isNew: engine.isNew)
    var model = CrashModel()
    for number in 0..<store.batches { model.apply(workload.batch(number + 1)) }
    if let found = store.problem(model) { throw CrashFinding(description: "image: \(found)") }
    var payload = ByteBuffer()
    while try engine.nextTailRecord(into: &payload) != nil {
      guard let (number, operations) = CrashStore.decode(payload.span) else {
        throw CrashFinding(description: "a record that was never written")
      }
      guard number == store.batches + 1 else {
        throw CrashFinding(description: "batch \(number) is replayed after \(store.batches)")
      }
      guard operations == workload.batch(number) else {
        throw CrashFinding(description: "batch \(number) is not what was written")
      }
      try store.apply(operations)
      model.apply(operations)
    }
    try engine.start()
    self.engine = engine
    self.store = store
    self.model = model
  }

  /// What is wrong with the state as it is.
  func problem() -> String? {
    if let found = store.problem(model) { return found }
    store.arena.checkInvariants()
    return nil
  }

  /// The image's pages against their sums.
  func scrub() -> String? {
    engine.image.beginScrub()
    while engine.image.stepScrub() {}
    let progress = engine.image.scrubProgress
    return progress.damagedCount == 0 ? nil : "damaged pages \(progress.damagedPages)"
  }

  // MARK: Running

  mutating func run() throws {
    for _ in 0..<workload.batches {
      if workload.faults != .none && random.oneIn(4) { plantFault() }
      try turn()
      if random.oneIn(2) { medium.setFault(nil) }
    }
    medium.setFault(nil)
  }

  /// One turn of a server's loop.
  private mutating func turn() throws {
    engine.clock.advance(milliseconds: Int64(20 + random.below(300)))
    // Writes wait until a checkpoint has what the log has not.
    if engine.hasGap { return try idle() }
    let operations = workload.batch(model.batches + 1)
    let isLate = workload.bug == .engineLSNTooLate
    if !isLate { try store.apply(operations) }
    if workload.hasGaps && random.oneIn(6) {
      engine.leaveOut()
      model.apply(operations)
      isLeftOut = true
      return try idle()
    }
    let end = try engine.append(CrashStore.encode(model.batches + 1, operations).span)
    model.apply(operations)
    inFlight.append((end, model.batches))
    if random.oneIn(3) { _ = engine.requestCheckpoint() }
    // What was just freed, while the checkpoint under way may need it.
    if workload.shape == .large { store.arena.trim(keeping: 0, limit: 4) }
    try look()
    if isLate { try store.apply(operations) }
    for _ in 0..<random.below(workload.shape == .large ? 5 : 16) { try step() }
    if random.oneIn(3) { store.arena.trim(keeping: 0, limit: 4) }
    try checkView()
  }

  /// What is left of a turn without a write.
  private mutating func idle() throws {
    try look()
    for _ in 0..<random.below(16) { try step() }
    try checkView()
  }

  /// What a server does at the end of a turn.
  private mutating func look() throws {
    _ = engine.hear()
    let durable = engine.log!.durable
    while let first = inFlight.first, first.end <= durable {
      medium.note(first.number)
      inFlight.removeFirst()
    }
    let news = engine.maintain(&store.arena)
    switch news.outcome {
    case .finished(_, let lsn):
      counts.checkpoints += 1
      if lsn > durable {
        throw CrashFinding(description: "the image is at LSN \(lsn), durable is \(durable)")
      }
    case .abandoned: counts.abandoned += 1
    case nil: break
    }
    if isLeftOut && !engine.hasGap {
      isLeftOut = false
      inFlight.append((try engine.append(Span()), model.batches))
    }
    if news.hasFlipped { atFlips = atFlips.suffix(1) + [(engine.log!.end, model)] }
  }

  private mutating func step() throws {
    // A failure was asked for; the checkpointer goes on, or begins again.
    _ = try? engine.image.step()
    try look()
  }

  /// Pins a view now and then, and holds it against what it should show.
  private mutating func checkView() throws {
    if let pinned {
      if let found = CrashStore.problem(pinned.view.view, pinned.model) {
        throw CrashFinding(description: found)
      }
      if random.oneIn(4) {
        engine.image.close(pinned.view.view)
        self.pinned = nil
      }
    } else if random.oneIn(6), let view = try engine.image.pinView() {
      // The flip of a gap may have the LSN of the one before it: then nobody knows which it is.
      let candidates = atFlips.filter { $0.lsn == view.lsn }
      guard let shown = candidates.last, candidates.count == 1 else {
        return engine.image.close(view.view)
      }
      pinned = (view, shown.model)
    }
  }

  private mutating func plantFault() {
    let kinds: [SimulatedMedium.Attempt.Kind] = [.write, .synchronize, .allocate, .read, .resize]
    let kind =
      workload.faults == .synchronize
      ? .synchronize : kinds[random.below(workload.faults == .all ? 5 : 2)]
    let name =
      switch workload.faults {
      case .journal: "ferrite.journal"
      case .log: "ferrite.log"
      case .synchronize, .all, .none:
        ["ferrite.image", "ferrite.sums", "ferrite.journal", "ferrite.log"][random.below(4)]
      }
    let code = random.oneIn(2) ? ENOSPC : EIO
    let isShort = random.oneIn(4)
    medium.setFault { attempt in
      guard attempt.kind == kind, attempt.name.hasPrefix(name) else { return nil }
      return isShort && kind == .write ? .short(code) : .fail(code)
    }
  }
}

/// How much of what a run could have met is looked at.
struct CrashDepth {
  /// Mixtures of what was not durable, beside all of it and nothing.
  var draws = 2
  var every = 1
  /// One in so many kills; 0 for none.
  var killsEvery = 0
  /// One in so many recoveries is cut, too, and goes on.
  var again = 97
  /// Operations after which the power is cut, or the process killed.
  var isWanted: (Operation) -> Bool = { _ in true }
}

/// Runs a workload and looks what it leaves.
/// - Returns: what the run has met, and what was wrong with the first bad state.
func crashSearch(
  _ workload: CrashWorkload, _ depth: CrashDepth
) -> (counts: CrashWorld.Counts, finding: String?) {
  var counts = CrashWorld.Counts()
  do {
    let medium = workload.medium(Disk(kind: workload.kind))
    var world = try CrashWorld(workload, medium)
    try world.run()
    counts = world.counts
    if let found = world.problem() { throw CrashFinding(description: "at run time: \(found)") }
    try medium.trace.forEachCrash(
      draws: depth.draws, seed: workload.seed, every: depth.every, at: depth.isWanted
    ) { state in
      counts.states += 1
      do {
        try recover(workload, state, again: depth.again > 0 && counts.states % depth.again == 0)
      } catch {
        throw CrashFinding(
          description: "point \(state.point), \(state.fate) by \(state.seed): \(error)")
      }
      return true
    }
    guard depth.killsEvery > 0 else { return (counts, nil) }
    try medium.trace.forEachKill(every: depth.killsEvery, at: depth.isWanted) {
      (point, disk, notes) in
      counts.kills += 1
      do {
        try recoverKilled(workload, disk, acknowledged: notes.max() ?? 0, depth)
      } catch {
        throw CrashFinding(description: "killed at point \(point): \(error)")
      }
      return true
    }
    return (counts, nil)
  } catch {
    return (counts, "\(workload.summary): \(error)")
  }
}

/// Goes on where a process was killed, and cuts the power at every point of that.
private func recoverKilled(
  _ workload: CrashWorkload, _ disk: Disk, acknowledged: Int, _ depth: CrashDepth
) throws {
  var workload = workload
  workload.batches = 3
  let medium = workload.medium(disk)
  var world = try CrashWorld(workload, medium)
  try judge(world, atLeast: acknowledged)
  try world.run()
  try medium.trace.forEachCrash(draws: 1, seed: workload.seed, every: 2) { state in
    do {
      let found = try CrashWorld(workload, workload.medium(state.disk))
      try judge(found, atLeast: max(acknowledged, state.notes.max() ?? 0))
    } catch {
      throw CrashFinding(
        description: "then point \(state.point), \(state.fate) by \(state.seed): \(error)")
    }
    return true
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
