// TransactionCommands: the rows of MULTI and its companions, and their handlers. What stands behind
// them: Server+Transactions.

import Commands
import Keyspace
import RESP

extension Command where Host == Server {
  /// Commands on transactions.
  @_optimize(none) @CommandList<Host>
  public static var transactions: [Command] {
    CommandGroup.transactions
    Command(
      "DISCARD", arity: 1, [.noScript, .loading, .stale, .fast, .allowBusy, .unqueued],
      .transaction, .host(TransactionHandlers.discard),
      summary: "Forgets what was queued since MULTI, and the watched keys.", since: "2.0.0",
      complexity: "O(N), when N is the number of queued commands")
    Command(
      "EXEC", arity: 1, [.noScript, .loading, .stale, .skipSlowlog, .unqueued], .transaction,
      .host(TransactionHandlers.exec),
      summary: "Executes what was queued since MULTI.", since: "1.2.0",
      complexity: "Depends on commands in the transaction")
    Command(
      "MULTI", arity: 1, [.noScript, .loading, .stale, .fast, .allowBusy, .unqueued],
      .transaction, .host(TransactionHandlers.multi),
      summary: "Begins to queue commands for EXEC.", since: "1.2.0", complexity: "O(1)")
    Command(
      "UNWATCH", arity: 1, [.noScript, .loading, .stale, .fast, .allowBusy], .transaction,
      .host(TransactionHandlers.unwatch),
      summary: "Forgets the watched keys.", since: "2.2.0", complexity: "O(1)")
    Command(
      "WATCH", arity: -2, [.noScript, .loading, .stale, .fast, .allowBusy, .unqueued],
      .transaction, .host(TransactionHandlers.watch),
      keys: [.keys(from: 1, .readOnly)],
      summary: "Lets EXEC do nothing if one of the keys changes before.", since: "2.2.0",
      complexity: "O(1) for every key.", arguments: [.key("key", .multiple)])
  }
}

enum TransactionHandlers {
  static func discard(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard server.clients[server.current].flags.contains(.inTransaction) else {
      throw .fixed("ERR DISCARD without MULTI")
    }
    server.discardTransaction(server.current)
    reply.ok()
  }

  static func exec(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let slot = server.current
    let flags = server.clients[slot].flags
    guard flags.contains(.inTransaction) else { throw .fixed("ERR EXEC without MULTI") }
    let isTouched = flags.contains(.touched) || server.hasExpiredWatch(slot)
    if isTouched || flags.contains(.broken) {
      server.discardTransaction(slot)
      if flags.contains(.broken) { throw .transactionAborted }
      return reply.nullArray()
    }
    server.unwatch(slot)
    server.executeTransaction(slot, &reply)
  }

  static func multi(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if server.clients[server.current].flags.contains(.inTransaction) {
      throw .fixed("ERR MULTI calls can not be nested")
    }
    server.beginTransaction(server.current)
    reply.ok()
  }

  static func unwatch(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    server.unwatch(server.current)
    reply.ok()
  }

  static func watch(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let flags = server.clients[server.current].flags
    if flags.contains(.inTransaction) {
      throw .fixed("ERR WATCH inside MULTI is not allowed")
    }
    // There is nothing to be gained from watching more.
    if !flags.contains(.touched) {
      for index in 1..<args.count { server.watch(server.current, args[index]) }
    }
    reply.ok()
  }
}
