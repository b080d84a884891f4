// Durability: which replies wait for the log, and whether writes are taken at all. It decides; the
// server acts.
//
//   a turn:  execute ─► effects ─► append: commit 7 ends at LSN 5120
//               └► replies to writes and to reads of what they wrote: held until 7
//   the log: durable up to LSN 5000 ─► commits 1 ... 6 are over ─► Network.release(through: 6)
//
// A commit is one record of the log; commits are numbered from 1 in the order of their records.
//
// 1. A reply that tells of a change leaves when the change's commit is over, and no earlier: the
//    record is durable (`appendfsync always`), and the delay that slows writers near the log's
//    limit has passed.
// 2. Commits end in order.
// 3. Nothing here allocates once the log is open.

import Bytes

/// What becomes of commands that write.
enum WriteGate: UInt8 {
  case open
  /// The log is full: they wait until there is room.
  case waiting
  /// The log cannot be written: they are refused with MISCONF.
  case refusing
}

struct Durability: ~Copyable {
  /// Whether there is a log.
  private(set) var isOn = false
  /// Whether records have to be durable before replies leave (appendfsync always).
  var waitsForLog = false
  /// Whether replies are held at all: they wait for the log or are slowed.
  private(set) var holdsReplies = false
  var gate = WriteGate.open
  /// Whether the storage wants to know what is read (maxmemory-dram).
  var samplesReads = false
  /// How many requests of the batches to come are passed over before one is looked at.
  var untilSample = 0
  /// Whether effects were left out of the log, and no checkpoint has made them durable yet. They
  /// are part of `current`, which lasts until then.
  private(set) var hasGap = false
  /// The record of the write that the gate waits for; 0 if any will do.
  var neededBytes = 0
  /// The commit that gathers the effects of what is executed now.
  private(set) var current: UInt64 = 1
  /// Whether something waits, or may wait, for `current`: then it has to end, effects or not.
  private(set) var isCurrentAwaited = false
  /// Up to where the log is known to be durable.
  private var durable: UInt64 = 0
  /// Where the last record ends that has been appended.
  private(set) var endLSN: UInt64 = 0
  /// The last commit that is over.
  private(set) var ended: UInt64 = 0
  /// The last commit with changes; those in `current` count.
  private(set) var lastWrite: UInt64 = 0
  /// What the replies of the run that is being executed wait for; 0 for nothing.
  var mark: UInt64 = 0
  private(set) var keys = InFlightKeys()
  private var pending = CommitQueue()
  /// How long each commit is held beyond its durability, in milliseconds.
  private(set) var delayMilliseconds = 0

  /// From now on there is a log.
  mutating func begin(waitsForLog: Bool, endLSN: UInt64) {
    isOn = true
    self.endLSN = endLSN
    keys.reserve()
    pending.reserve()
    setWaiting(waitsForLog)
  }

  /// appendfsync was changed. What is under way still waits as it was promised.
  mutating func setWaiting(_ waits: Bool) {
    waitsForLog = waits
    updateHolding()
  }

  private mutating func updateHolding() {
    holdsReplies = isOn && (waitsForLog || delayMilliseconds > 0 || hasGap)
  }

  // MARK: While requests are executed

  /// A command has had effects, which are part of `current`.
  @inline(__always) mutating func didWrite() {
    mark = current
    lastWrite = current
    isCurrentAwaited = true
  }

  /// The key of `hash` has changed.
  @inline(__always) mutating func didChange(_ hash: UInt64) {
    keys[hash] = current
    isCurrentAwaited = true
  }

  /// Keys have changed, nobody knows which.
  mutating func didChangeAnything() {
    keys.anything = current
    isCurrentAwaited = true
  }

  /// A command has looked at the key of `hash`.
  @inline(__always) mutating func didRead(_ hash: UInt64) {
    let commit = keys[hash]
    if commit > mark { mark = commit }
  }

  /// A command has looked at what only it knows.
  mutating func didReadAnything() {
    mark = max(mark, lastWrite)
  }

  // MARK: Between batches

  /// The effects so far are not going to be a record. While replies were not held nobody has noted
  /// what they tell of.
  mutating func beginGap() {
    hasGap = true
    lastWrite = current
    didChangeAnything()
    updateHolding()
  }

  mutating func endGap() {
    hasGap = false
    updateHolding()
  }

  /// The effects so far have become the record that ends at `lsn`.
  mutating func didAppend(endingAt lsn: UInt64, now: Int) {
    endLSN = lsn
    pending.append(
      commit: current, lsn: waitsForLog ? lsn : 0,
      due: delayMilliseconds > 0 ? now + delayMilliseconds : 0)
    current += 1
    isCurrentAwaited = false
  }

  /// The log is durable up to `durable`.
  /// - Returns: the last commit that is over.
  mutating func advance(durable: UInt64, now: Int) -> UInt64 {
    self.durable = durable
    while let first = pending.first, first.lsn <= durable && isDue(first, now) {
      ended = first.commit
      pending.removeFirst()
    }
    return ended
  }

  /// A clock that was put back holds nobody up.
  private func isDue(_ commit: CommitQueue.Commit, _ now: Int) -> Bool {
    commit.due <= now || commit.due > now + Self.longestDelay
  }

  /// How hard the log presses: 0 below half of its limit, 1 at the limit.
  mutating func setPressure(_ pressure: Double) {
    delayMilliseconds = Self.delay(pressure)
    updateHolding()
  }

  /// Cubic: nothing is felt at first, and nobody runs into the limit at full speed.
  static func delay(_ pressure: Double) -> Int {
    let x = min(max(pressure, 0), 1)
    return Int(x * x * x * Double(longestDelay))
  }

  static var longestDelay: Int { 250 }

  /// When a commit may be over that no news from the log will tell of.
  var nextDue: Int? {
    guard let first = pending.first, first.due > 0, first.lsn <= durable else { return nil }
    return first.due
  }

  /// Commits that are not over.
  var pendingCount: Int { pending.count }
}

/// Commits that are not over, oldest first. Where more wait than there is room for, which takes a
/// device that stands still, the latest two become one.
struct CommitQueue: ~Copyable {
  struct Commit: BitwiseCopyable {
    var commit: UInt64
    var lsn: UInt64
    /// Milliseconds since 1970; 0 for at once.
    var due: Int
  }

  static var capacity: Int { 4096 }

  private var slots = GrowableArray<Commit>()
  private var head = 0
  private(set) var count = 0

  init() {}

  mutating func reserve() {
    for _ in slots.count..<Self.capacity { slots.append(Commit(commit: 0, lsn: 0, due: 0)) }
  }

  var first: Commit? { count == 0 ? nil : slots[head] }

  mutating func append(commit: UInt64, lsn: UInt64, due: Int) {
    if count < Self.capacity { count += 1 }
    slots[(head + count - 1) % Self.capacity] = Commit(commit: commit, lsn: lsn, due: due)
  }

  mutating func removeFirst() {
    precondition(count > 0)
    head = (head + 1) % Self.capacity
    count -= 1
  }
}

/// The last commit that changed each key, by the low bits of the key's hash: keys that share them
/// wait for each other, which is harmless.
struct InFlightKeys: ~Copyable {
  static var capacity: Int { 1 << 14 }

  private var commits = GrowableArray<UInt64>()
  /// The last commit that changed keys which are not known.
  var anything: UInt64 = 0

  init() {}

  mutating func reserve() {
    for _ in commits.count..<Self.capacity { commits.append(0) }
  }

  @inline(__always) subscript(_ hash: UInt64) -> UInt64 {
    get { max(commits[Self.index(hash)], anything) }
    set { commits[Self.index(hash)] = newValue }
  }

  @inline(__always) private static func index(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash &>> 14) & (capacity - 1)
  }
}
