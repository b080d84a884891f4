// KeyspaceWorld: the keyspace as the server has it, over an engine on a medium that remembers
// everything: commands of all types, expiry, checkpoints; then every power cut is recovered, and
// what is found is what the run had after one of its batches.
//
//   batch n ──► handlers ──► effects, with `SET batch n` ──► one record    prints[n]: all data then
//
// 1. A note in the trace is the number of a batch that was durable.
// 2. The image by itself, and with the log replayed, has the print of the batch that it names.
// 3. Effects are replayed as the server does it: whole records, time standing still.

import Bytes
import Commands
import Keyspace
import Memory
import Platform
import RESP
import Simulation

@testable import Storage

struct KeyspaceWorkload: Sendable {
  var seed: UInt64
  var kind: MediumFacts.Kind
  var policy = SyncPolicy.always
  var batches = 14
  var bug: PlantedBug?
}

struct KeyspaceFinding: Error, CustomStringConvertible {
  let description: String
}

/// No command of a server's is executed here.
struct NoHost: ~Copyable {}

func dataCommands() -> CommandTable<NoHost> {
  CommandTable(
    Command.generic + Command.strings + Command.bitmaps + Command.hashes + Command.sets
      + Command.lists + Command.streams + Command.hyperLogLogs + Command.keyMoves + Command.sorting
      + Command.sortedSets + Command.geo)
}

struct KeyspaceWorld: ~Copyable {
  static let start = 1_700_000_000_000
  static let databases = 2

  let workload: KeyspaceWorkload
  let medium: SimulatedMedium
  let engine: Engine
  var keys: Keyspace
  private let table = dataCommands()
  private var random: SeededRandom
  private var reply = ReplyBuffer()
  private var now = KeyspaceWorld.start
  private var inFlight: [(end: LSN, number: Int)] = []
  /// What the keyspace was after each batch.
  private(set) var prints: [String] = []
  private(set) var checkpoints = 0
  private(set) var errors = 0
  private(set) var executed = 0

  /// Opens what the medium holds and replays the log.
  /// - Parameter expected: what the image should be, by its batch; empty where nobody knows.
  static func open(
    _ workload: KeyspaceWorkload, _ medium: SimulatedMedium, expected: [String] = []
  ) throws -> KeyspaceWorld {
    var options = EngineOptions(directory: "simulated")
    options.hasThreads = false
    options.reachBytes = 64 << 20
    options.segmentBytes = 16384
    options.policy = workload.policy
    let engine = try Engine.open(options, medium, wake: nil)
    engine.clock = .manual(wallMilliseconds: 0)
    let arena = try engine.openArena()
    var keys =
      engine.isNew
      ? try Keyspace(
        arena: arena, databaseCount: Self.databases, hash: KeyedHash(workload.seed, 2, 3, 4),
        seed: workload.seed)
      : try Keyspace.open(arena, databaseCount: Self.databases, seed: workload.seed)
    // Small, so that large forms are met.
    keys.limits.hashListpackEntries = 8
    keys.limits.setListpackEntries = 8
    keys.limits.setIntsetEntries = 8
    keys.limits.sortedSetListpackEntries = 8
    keys.limits.listListpackSize = 8
    keys.limits.streamNodeEntries = 5
    var world = KeyspaceWorld(workload, medium, engine, keys)
    if !expected.isEmpty { try world.judge(expected, "the image") }
    try world.replayTail()
    try engine.start()
    return world
  }

  private init(
    _ workload: KeyspaceWorkload, _ medium: SimulatedMedium, _ engine: Engine,
    _ keys: consuming Keyspace
  ) {
    self.workload = workload
    self.medium = medium
    self.engine = engine
    self.keys = keys
    random = SeededRandom(seed: workload.seed)
  }

  // MARK: What there is

  /// The number of the last batch that the keyspace has.
  mutating func batch() -> Int {
    keys.select(0)
    guard let key = keys.find(Array("batch".utf8).span, .peek) else { return 0 }
    return keys.value(key).parseInteger() ?? 0
  }

  /// Everything that is to survive, in a form that can be compared.
  mutating func print() -> String {
    var lines: [String] = ["\(keys.digest())"]
    for database in 0..<Self.databases {
      keys.select(database)
      var entries = EntryList()
      _ = keys.scan(cursor: 0, count: .max, into: &entries)
      var deadlines: [String] = []
      for index in 0..<entries.count {
        let entry = keys.entry(entries[index])
        guard let expiry = entry.expiry else { continue }
        deadlines.append("\(text(entry.key)) \(expiry)")
      }
      lines.append("\(database): \(deadlines.sorted())")
    }
    keys.select(0)
    return lines.joined(separator: "\n")
  }

  /// Compares the keyspace with what the run had when it was as far.
  mutating func judge(_ expected: [String], _ what: String) throws {
    let number = batch()
    guard number < expected.count else {
      throw KeyspaceFinding(description: "\(what) has batch \(number)")
    }
    let found = print()
    if found != expected[number] {
      throw KeyspaceFinding(
        description: "\(what) is not what it was after batch \(number): \(found), not "
          + expected[number])
    }
  }

  mutating func scrub() throws {
    engine.image.beginScrub()
    while engine.image.stepScrub() {}
    let progress = engine.image.scrubProgress
    guard progress.damagedCount == 0 else {
      throw KeyspaceFinding(description: "damaged pages \(progress.damagedPages)")
    }
  }

  // MARK: Replaying

  private mutating func replayTail() throws {
    keys.replayTime = Self.start
    keys.now = 0
    keys.effects.isRecorded = false
    var payload = ByteBuffer()
    while try engine.nextTailRecord(into: &payload) != nil {
      var parser = RequestParser()
      var ranges = ArgumentList()
      var text = ByteBuffer()
      var offset = 0
      keys.select(0)
      while offset < payload.count {
        let start = offset
        ranges.removeAll(keepingCapacity: true)
        _ = try parser.next(
          payload, from: &offset, limits: RequestLimits(maxBulkLength: .max), into: &ranges,
          inlineText: &text)
        let bytes = payload.span
        let arguments = Arguments(
          bytes: bytes, ranges: ranges.span, request: bytes.extracting(start..<offset))
        if let error = replay(arguments) {
          throw KeyspaceFinding(description: "a replayed effect answered \(error)")
        }
        keys.effects.endGroup()
      }
    }
    keys.effects.isRecorded = true
    keys.select(0)
    keys.now = now
    keys.replayTime = 0
  }

  private mutating func replay(_ arguments: borrowing Arguments) -> String? {
    if arguments.equals(0, "MULTI") || arguments.equals(0, "EXEC") { return nil }
    if arguments.equals(0, "SELECT") {
      keys.select(arguments[1].parseInteger() ?? 0)
      return nil
    }
    return execute(arguments)
  }

  /// - Returns: the error that the handler answered with.
  private mutating func execute(_ arguments: borrowing Arguments) -> String? {
    reply.bytes.removeAll()
    guard let id = table.index.find(arguments) else { return "no such command" }
    guard table[id].accepts(count: arguments.count) else { return "wrong number of arguments" }
    do throws(CommandError) {
      switch table.handler(id) {
      case .keyspace(let handler): try handler(arguments, &keys, &reply)
      case .blocking(let handler):
        var wait = Wait(isAllowed: false)
        try handler(arguments, &keys, &wait, &reply)
      case .long(let handler):
        var long = LongReply(isAllowed: false)
        try handler(arguments, &keys, &long, &reply)
      default: return "no handler"
      }
      return nil
    } catch {
      return error.text
    }
  }

  // MARK: Running

  mutating func run() throws {
    keys.now = now
    keys.effects.endGroup()
    let first = print()
    prints = [first]
    for number in 1...workload.batches { try turn(number) }
  }

  /// One turn of a server's loop: one batch.
  private mutating func turn(_ number: Int) throws {
    let passed = random.below(400)
    now += passed
    keys.now = now
    engine.clock.advance(milliseconds: Int64(passed))
    var commands = RandomCommands(seed: workload.seed, batch: number)
    for group in commands.batch() {
      for words in group.commands {
        if run(words) != nil { errors += 1 }
        executed += 1
        if !group.isTransaction { keys.effects.endGroup() }
      }
      keys.effects.endGroup()
    }
    keys.select(0)
    _ = run(["SET", "batch", "\(number)"])
    keys.effects.endGroup()
    _ = keys.expireSome(limit: 64)
    keys.effects.endGroup()
    let end = try engine.append(keys.effects.bytes.span)
    keys.effects.endRecord()
    inFlight.append((end, number))
    let found = print()
    prints.append(found)
    if random.oneIn(3) { _ = engine.requestCheckpoint() }
    look()
    for _ in 0..<6 + random.below(14) {
      _ = try engine.image.step()
      look()
    }
    _ = keys.freeGarbage(limit: 256)
    if random.oneIn(2) { keys.arena.trim(keeping: 0, limit: 4) }
  }

  private mutating func run(_ words: [String]) -> String? {
    var bytes = Array("*\(words.count)\r\n".utf8)
    var ranges: [ArgumentRange] = []
    for word in words {
      bytes += Array("$\(word.utf8.count)\r\n".utf8)
      ranges.append(ArgumentRange(offset: bytes.count, count: word.utf8.count))
      bytes += Array(word.utf8) + [13, 10]
    }
    return execute(Arguments(bytes: bytes.span, ranges: ranges.span, request: bytes.span))
  }

  /// What a server does at the end of a turn.
  private mutating func look() {
    _ = engine.hear()
    let durable = engine.log!.durable
    while let first = inFlight.first, first.end <= durable {
      medium.note(first.number)
      inFlight.removeFirst()
    }
    if case .finished = engine.maintain(&keys.arena).outcome { checkpoints += 1 }
  }
}

private func text(_ span: borrowing Span<UInt8>) -> String {
  var bytes: [UInt8] = []
  for index in 0..<span.count { bytes.append(span[index]) }
  return String(decoding: bytes, as: UTF8.self)
}
