// Transactions: queueing, executing, watching keys. The commands: TransactionHandlers.
//
//   WATCH k ──► watched: k ──► this client
//   another client's change of k ──► keys.notes ──► touched
//   EXEC ──► nothing, if touched; else every queued request, in one group of effects
//
// 1. What EXEC executes is one group of effects, whatever it queued: nobody sees a part of it.
// 2. A key that was expired when it was watched may be removed without consequence, since nothing
//    changes for who looks; one that expires later counts as changed at EXEC.

import Bytes
import Commands
import Keyspace
import RESP

extension Server {
  // MARK: Queueing

  /// MULTI.
  mutating func beginTransaction(_ slot: Int) {
    makeTransaction(slot)
    clients[slot].flags.insert(.inTransaction)
  }

  private mutating func makeTransaction(_ slot: Int) {
    if clients[slot].transaction < 0 {
      clients[slot].transaction = transactions.take { Transaction() }
    }
  }

  /// Keeps a request for EXEC.
  mutating func enqueue(
    _ id: CommandID, _ arguments: borrowing Arguments, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if table[id].flags.contains(.noMulti) {
      throw .fixed("ERR Command not allowed inside a transaction")
    }
    if clients[current].flags.isDisjoint(with: [.broken, .touched]) {
      var hash: UInt64?
      if let key = table[id].firstKey(of: arguments) { hash = keys.hash(of: key) }
      let transaction = clients[current].transaction
      transactions[transaction].queue.append(id, arguments, hash: hash)
      transactions[transaction].flags.formUnion(table[id].flags)
      transactions[transaction].count += 1
    }
    reply.simple("QUEUED")
  }

  /// A command was refused: a transaction that it belonged to must not be executed without it.
  /// - Returns: whether it was EXEC itself, which ends the transaction if there is one.
  mutating func breakTransaction(_ id: CommandID?) -> Bool {
    if clients[current].flags.contains(.inTransaction) { clients[current].flags.insert(.broken) }
    guard let id, isExec(id) else { return false }
    discardTransaction(current)
    return true
  }

  func isExec(_ id: CommandID) -> Bool { table.fullName(id) == "exec" }

  /// What the command will do: for EXEC, also what was queued.
  func effectiveFlags(_ id: CommandID) -> CommandFlags {
    let transaction = clients[current].transaction
    guard transaction >= 0, isExec(id) else { return table[id].flags }
    return table[id].flags.union(transactions[transaction].flags)
  }

  /// Whether a command is refused without memory. Queueing needs memory whatever is queued.
  func needsMemory(_ id: CommandID) -> Bool {
    if clients[current].flags.contains(.inTransaction) {
      switch table.fullName(id) {
      case "exec": break
      case "discard", "quit", "reset": return false
      default: return true
      }
    }
    return effectiveFlags(id).contains(.denyOOM)
  }

  /// Bytes that a client's queued requests take; they count as input that was not executed yet.
  func queuedBytes(_ slot: Int) -> Int {
    let transaction = clients[slot].transaction
    return transaction < 0 ? 0 : transactions[transaction].queue.contentBytes
  }

  // MARK: Executing

  /// Executes what was queued, and forgets it.
  mutating func executeTransaction(_ slot: Int, _ reply: inout ReplyBuffer) {
    var queue = RequestQueue()
    swap(&queue, &transactions[clients[slot].transaction].queue)
    reply.array(queue.count)
    mayBlock = false
    for index in 0..<queue.count {
      if index % Self.transactionWindow == 0 { prefetch(queue, from: index) }
      executeQueued(queue.items[index].command, queue.arguments(index), slot, &reply)
    }
    mayBlock = true
    wasCalled = true
    discardTransaction(slot)
  }

  /// Queued requests whose keys are fetched ahead together.
  private static var transactionWindow: Int { 64 }

  private func prefetch(_ queue: borrowing RequestQueue, from first: Int) {
    let range = first..<min(first + Self.transactionWindow, queue.count)
    guard range.count > 1 else { return }
    let database = keys.selected
    for index in range where queue.items[index].hasKey {
      keys.prefetchBucket(queue.items[index].hash, database: database)
    }
    for index in range where queue.items[index].hasKey {
      keys.prefetchEntries(queue.items[index].hash, database: database)
    }
  }

  /// DISCARD, EXEC's end, the client's end.
  mutating func discardTransaction(_ slot: Int) {
    let transaction = clients[slot].transaction
    clients[slot].flags.remove([.inTransaction, .broken, .touched])
    guard transaction >= 0 else { return }
    forgetWatched(slot)
    clients[slot].transaction = -1
    transactions[transaction] = Transaction()
    transactions.giveBack(transaction)
  }

  // MARK: Watching

  /// WATCH, for one key.
  mutating func watch(_ slot: Int, _ key: borrowing Span<UInt8>) {
    let hash = keys.hash(of: key)
    let database = Int32(truncatingIfNeeded: keys.selected)
    if watched.contains(slot, hash, database) { return }
    makeTransaction(slot)
    let flags: WatchFlags =
      switch keys.state(of: key, database: keys.selected) {
      case .missing: []
      case .expired: .expired
      case .live: .existed
      }
    let transaction = clients[slot].transaction
    let mark = InterestTable.Mark(
      offset: transactions[transaction].watched.count, count: key.count, flags: flags.rawValue)
    transactions[transaction].watched.append(key)
    watched.add(slot, hash, database, mark)
    followChanges()
  }

  /// UNWATCH.
  mutating func unwatch(_ slot: Int) {
    clients[slot].flags.remove(.touched)
    guard clients[slot].transaction >= 0 else { return }
    forgetWatched(slot)
    if !clients[slot].flags.contains(.inTransaction) { discardTransaction(slot) }
  }

  private mutating func forgetWatched(_ slot: Int) {
    watched.removeAll(of: slot)
    transactions[clients[slot].transaction].watched.release()
    followChanges()
  }

  /// The state of a watched key in a database.
  private func state(_ interest: InterestTable.Interest, _ database: Int32) -> KeyState {
    let transaction = clients[Int(interest.client)].transaction
    return transactions[transaction].state(of: interest.mark.range, in: keys, database)
  }

  /// Whether a key has expired that had not when it was watched.
  func hasExpiredWatch(_ slot: Int) -> Bool {
    var index = watched.first(of: slot)
    while index >= 0 {
      let interest = watched[index]
      let wasExpired = WatchFlags(rawValue: interest.mark.flags).contains(.expired)
      let database = watched.keys[Int(interest.key)].database
      if !wasExpired, case .expired = state(interest, database) { return true }
      index = interest.nextOfClient
    }
    return false
  }

  /// A key may have changed: whoever watches it must not execute his transaction.
  mutating func touch(_ note: ChangeNote) {
    let key = watched.find(note.hash, note.database)
    guard key >= 0 else { return }
    var index = watched.keys[Int(key)].first
    while index >= 0 {
      let interest = watched[index]
      var isTouched = true
      if WatchFlags(rawValue: interest.mark.flags).contains(.expired) {
        switch state(interest, note.database) {
        case .missing:
          watched.mark(index, flags: 0)
          isTouched = false
        case .expired: isTouched = false
        case .live: break
        }
      }
      // The client stands here once: its leaving does not disturb the next one.
      if isTouched { touch(Int(interest.client)) }
      index = interest.nextOfKey
    }
  }

  private mutating func touch(_ slot: Int) {
    clients[slot].flags.insert(.touched)
    forgetWatched(slot)
  }

  /// A database was emptied: whoever watches a key that was in it is touched.
  mutating func touchFlushed(_ database: Int32) {
    touchAll(in: database) { server, interest in
      let flags = WatchFlags(rawValue: interest.mark.flags)
      if flags.contains(.expired) { return .mark([]) }
      return flags.contains(.existed) ? .touch : .keep
    }
  }

  /// Two databases have changed places; what was in `database` is in `other` now.
  mutating func touchSwapped(_ database: Int32, _ other: Int32) {
    touchAll(in: database) { server, interest in
      let before = server.state(interest, other)
      let after = server.state(interest, database)
      let wasExpired = WatchFlags(rawValue: interest.mark.flags).contains(.expired)
      switch (before, after) {
      case (.missing, .missing): return .keep
      case (_, .missing): return wasExpired ? .mark([]) : .touch
      case (_, .expired) where wasExpired: return .keep
      case (.missing, .expired): return .mark(.expired)
      default: return .touch
      }
    }
  }

  private enum Consequence {
    case keep, touch
    case mark(WatchFlags)
  }

  private mutating func touchAll(
    in database: Int32,
    _ judge: (borrowing Server, InterestTable.Interest) -> Consequence
  ) {
    var key = -1
    // The table shrinks when its last client leaves.
    while key + 1 < watched.keys.count {
      key += 1
      guard watched.isUsed(key), watched.keys[key].database == database else { continue }
      var index = watched.keys[key].first
      while index >= 0 {
        let interest = watched[index]
        switch judge(self, interest) {
        case .keep: break
        case .touch: touch(Int(interest.client))
        case .mark(let flags): watched.mark(index, flags: flags.rawValue)
        }
        index = interest.nextOfKey
      }
    }
  }
}

extension CommandError {
  /// What EXEC says when it is itself refused.
  static func aborted(by error: CommandError) -> CommandError {
    // An error without a code of its own is told without ERR.
    let text = error.text
    let reason = text.hasPrefix("ERR ") ? String(text.dropFirst(4)) : text
    return .custom("EXECABORT Transaction discarded because of: \(reason)")
  }
}
