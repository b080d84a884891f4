// HyperLogLogHandlers: counting different elements in a string of a few kilobytes. Rows:
// HyperLogLogs. The algorithms and the bytes: Bytes, HyperLogLog.
//
// 1. Most elements raise no counter; then nothing is copied and nothing changes. A dense value is
//    changed in place, a sparse one (which is small) in a copy that replaces it.
// 2. Asking one key for its estimate may store it there: a read with an effect, as in Redis.
// 3. A value that is found corrupt halfway keeps what was done so far; the effect says it in bytes.

import Bytes
import Keyspace
import RESP

enum HyperLogLogHandlers {}

// MARK: Adding and counting

extension HyperLogLogHandlers {
  static func pfadd(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findHyperLogLog(args[1], .write) else {
      var draft = HyperLogLog()
      draft.markStale()
      var changes = 1
      for index in 2..<max(args.count, 2) {
        let outcome = draft.raise(HyperLogLog.Place(args[index]), sparseLimit: keys.sparseLimit)
        if outcome == .raised { changes += 1 }
      }
      try keys.store(draft, args[1], found: nil, changes: changes)
      keys.propagate(args)
      return reply.integer(1)
    }
    guard let first = try firstRaising(args, keys.value(found)) else { return reply.integer(0) }
    if keys.value(found)[4] == HyperLogLog.Form.dense.rawValue {
      addDense(args, from: first, &keys, found)
    } else {
      try addSparse(args, from: first, &keys, found)
    }
    keys.propagate(args)
    reply.integer(1)
  }

  /// The first argument that raises a counter.
  private static func firstRaising(
    _ args: borrowing Arguments, _ value: borrowing Span<UInt8>
  ) throws(CommandError) -> Int? {
    for index in 2..<max(args.count, 2) {
      let place = HyperLogLog.Place(args[index])
      guard let rank = HyperLogLog.rank(value, place.index) else { throw .corruptHyperLogLog }
      if rank < place.rank { return index }
    }
    return nil
  }

  private static func addDense(
    _ args: borrowing Arguments, from first: Int, _ keys: inout Keyspace, _ found: Key
  ) {
    var changes = 0
    for index in first..<args.count {
      let place = HyperLogLog.Place(args[index])
      guard let rank = HyperLogLog.rank(keys.value(found), place.index), rank < place.rank else {
        continue
      }
      changes += 1
      var counters = keys.mutableString(found, HyperLogLog.denseRange(place.index))
      HyperLogLog.store(place, in: &counters)
    }
    var mark = keys.mutableString(found, 15..<16)
    mark[0] |= 0x80
    keys.didChange(found, count: changes)
  }

  private static func addSparse(
    _ args: borrowing Arguments, from first: Int, _ keys: inout Keyspace, _ found: Key
  ) throws(CommandError) {
    var draft = HyperLogLog(copying: keys.value(found))
    var changes = 0
    for index in first..<args.count {
      let outcome = draft.raise(
        HyperLogLog.Place(args[index]), sparseLimit: keys.sparseLimit)
      if outcome == .raised { changes += 1 }
      guard outcome == .corrupt else { continue }
      if index > first {
        try keys.store(draft, args[1], found: found)
        keys.propagateSet(args[1], draft.bytes.span, .keep)
      }
      throw .corruptHyperLogLog
    }
    draft.markStale()
    try keys.store(draft, args[1], found: found, changes: changes)
  }

  static func pfcount(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count == 2 else { return try countUnion(args, &keys, &reply) }
    guard let found = try keys.findHyperLogLog(args[1], .read) else { return reply.integer(0) }
    if let estimate = HyperLogLog.cachedEstimate(keys.value(found)) {
      return reply.integer(estimate)
    }
    guard let histogram = HyperLogLog.histogram(keys.value(found)) else {
      throw .corruptHyperLogLog
    }
    let estimate = histogram.estimate
    var cache = keys.mutableString(found, 8..<16)
    for index in 0..<8 { cache[index] = UInt8(truncatingIfNeeded: estimate >> (8 * index)) }
    keys.markModified(found)
    keys.didChange(found)
    keys.propagate(args)
    reply.integer(estimate)
  }

  private static func countUnion(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var union = HyperLogLogUnion()
    for index in 1..<args.count {
      guard let found = try keys.findHyperLogLog(args[index], .read) else { continue }
      guard union.add(keys.value(found)) else { throw .corruptHyperLogLog }
    }
    reply.integer(union.histogram.estimate)
  }

  static func pfmerge(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var union = HyperLogLogUnion()
    var isDense = false
    for index in 1..<args.count {
      guard let found = try keys.findHyperLogLog(args[index], .read) else { continue }
      if keys.value(found)[4] == HyperLogLog.Form.dense.rawValue { isDense = true }
      guard union.add(keys.value(found)) else { throw .corruptHyperLogLog }
    }
    let found = try keys.findHyperLogLog(args[1], .write)
    var draft =
      if let found { HyperLogLog(copying: keys.value(found)) } else { HyperLogLog() }
    if isDense { _ = draft.makeDense() }
    for index in 0..<HyperLogLog.counterCount where union.rank(index) > 0 {
      let place = HyperLogLog.Place(index: index, rank: union.rank(index))
      _ = draft.raise(place, sparseLimit: keys.sparseLimit)
    }
    draft.markStale()
    try keys.store(draft, args[1], found: found)
    keys.propagate(args)
    reply.ok()
  }
}

// MARK: Looking inside

extension HyperLogLogHandlers {
  static func pfdebug(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let found = try keys.findHyperLogLog(args[2], .write) else {
      throw .fixed("ERR The specified key does not exist")
    }
    let isSparse = keys.value(found)[4] == HyperLogLog.Form.sparse.rawValue
    if args.equals(1, "GETREG") {
      try makeDense(args, &keys, found)
      guard let dense = keys.find(args[2], .peek) else { return }
      reply.array(HyperLogLog.counterCount)
      for index in 0..<HyperLogLog.counterCount {
        reply.integer(Int(HyperLogLog.rank(keys.value(dense), index) ?? 0))
      }
    } else if args.equals(1, "DECODE") {
      guard isSparse else { throw .fixed("ERR HLL encoding is not sparse") }
      var text = ByteBuffer()
      HyperLogLog.describe(keys.value(found), into: &text)
      reply.bulk(text.span)
    } else if args.equals(1, "ENCODING") {
      reply.simple(isSparse ? "sparse" : "dense")
    } else if args.equals(1, "TODENSE") {
      try makeDense(args, &keys, found)
      reply.integer(isSparse ? 1 : 0)
    } else {
      let name = args[1].indices.map { args[1][$0] }.prefix { $0 != 0 }
      throw .custom("ERR Unknown PFDEBUG subcommand '\(String(decoding: name, as: UTF8.self))'")
    }
  }

  private static func makeDense(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ found: Key
  ) throws(CommandError) {
    guard keys.value(found)[4] == HyperLogLog.Form.sparse.rawValue else { return }
    var draft = HyperLogLog(copying: keys.value(found))
    guard draft.makeDense() else { throw .corruptHyperLogLog }
    try keys.store(draft, args[2], found: found)
    keys.propagate(args)
  }

  static func pfselftest(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if let failure = HyperLogLogSelfTest.run(sparseLimit: keys.sparseLimit) {
      throw .custom("ERR TESTFAILED \(failure)")
    }
    reply.ok()
  }
}

extension CommandError {
  fileprivate static var corruptHyperLogLog: CommandError {
    .fixed("INVALIDOBJ Corrupted HLL object detected")
  }
}

extension Keyspace {
  fileprivate var sparseLimit: Int { maximumSparseHyperLogLogBytes }

  fileprivate mutating func findHyperLogLog(
    _ key: borrowing Span<UInt8>, _ lookup: Lookup
  ) throws(CommandError) -> Key? {
    guard let found = try findString(key, lookup) else { return nil }
    guard HyperLogLog.form(of: value(found)) != nil else {
      throw .fixed("WRONGTYPE Key is not a valid HyperLogLog string value.")
    }
    return found
  }

  /// Sets the key to the value; its encoding is "raw" whatever its length, and a deadline stays.
  fileprivate mutating func store(
    _ draft: borrowing HyperLogLog, _ key: borrowing Span<UInt8>, found: Key?, changes: Int = 1
  ) throws(CommandError) {
    statistics.changes &+= changes - 1
    try set(key, found: found, value: draft.bytes.span, deadline: .keep)
    if let made = find(key, .peek) { markModified(made) }
  }
}
