// ServerHandlers: what the commands on the server as a whole do. The larger groups stand in files
// of their own.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

enum ServerHandlers {}

extension ServerHandlers {
  static func info(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var words: [String] = []
    for index in 1..<args.count { words.append(String(copying: args[index])) }
    reply.verbatim(server.information(Set(words: words)))
  }

  static func dbsize(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.integer(server.keys.count(database: server.keys.selected))
  }

  static func time(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let (seconds, microseconds) = Int(server.clock.wallMicroseconds())
      .quotientAndRemainder(dividingBy: 1_000_000)
    reply.array(2)
    reply.bulk(decimal: seconds)
    reply.bulk(decimal: microseconds)
  }

  static func lastsave(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    // Nothing is saved: like Redis, which begins with the time of its start.
    reply.integer(server.startMilliseconds / 1000)
  }

  /// Ferrite's own: like BGSAVE, it answers when the work has begun. INFO tells how it goes.
  static func checkpoint(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard server.durability.isOn else {
      throw .fixed("ERR There is nothing to checkpoint: persistence is off")
    }
    guard server.storage!.requestCheckpoint() else {
      throw .fixed("ERR Checkpoint already in progress")
    }
    reply.simple("Background checkpoint started")
  }

  static func role(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.array(3)
    reply.bulk("master")
    reply.integer(0)
    reply.array(0)
  }

  static func moduleList(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.array(0)
  }

  // MARK: Whole databases

  static func flushall(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isLazy = try isLazyFlush(args, server.configuration)
    for database in 0..<server.keys.databaseCount { server.countFlush(of: database, isLazy) }
    server.keys.flushAll()
    propagate(args, &server.keys)
    reply.ok()
  }

  static func flushdb(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isLazy = try isLazyFlush(args, server.configuration)
    let database = server.keys.selected
    server.countFlush(of: database, isLazy)
    server.keys.flush(database: database)
    propagate(args, &server.keys)
    reply.ok()
  }

  /// ASYNC and SYNC do the same: the data is gone at once, and its memory follows in slices. They
  /// differ in what INFO counts.
  private static func isLazyFlush(
    _ args: borrowing Arguments, _ configuration: Configuration
  ) throws(CommandError) -> Bool {
    if args.count == 1 { return configuration.lazyFreeUserFlush }
    guard args.count == 2 else { throw .syntax }
    if args[1].equalsIgnoringCase("ASYNC") { return true }
    guard args[1].equalsIgnoringCase("SYNC") else { throw .syntax }
    return false
  }

  static func swapdb(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let first = args[1].parseInteger(), Int32(exactly: first) != nil else {
      throw .fixed("ERR invalid first DB index")
    }
    guard let second = args[2].parseInteger(), Int32(exactly: second) != nil else {
      throw .fixed("ERR invalid second DB index")
    }
    let valid = 0..<server.keys.databaseCount
    guard valid.contains(first), valid.contains(second) else { throw .databaseOutOfRange }
    server.keys.swap(first, second)
    propagate(args, &server.keys)
    reply.ok()
  }

  /// The request is its own effect.
  static func propagate(_ args: borrowing Arguments, _ keys: inout Keyspace) {
    let database = keys.selected
    guard args.request.isEmpty else {
      return keys.effects.append(request: args.request, database: database)
    }
    keys.effects.begin(args.count, database: database)
    for index in 0..<args.count { keys.effects.word(args[index]) }
  }

  // MARK: The end

  static func shutdown(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var save = false
    var noSave = false
    var force = false
    var aborts = false
    for index in 1..<args.count {
      let word = args[index]
      if word.equalsIgnoringCase("SAVE") {
        save = true
      } else if word.equalsIgnoringCase("NOSAVE") {
        noSave = true
      } else if word.equalsIgnoringCase("FORCE") {
        force = true
      } else if word.equalsIgnoringCase("ABORT") {
        aborts = true
      } else if !word.equalsIgnoringCase("NOW") {
        throw .syntax
      }
    }
    if save && noSave || aborts && args.count > 2 { throw .syntax }
    if aborts { throw .fixed("ERR No shutdown in progress.") }
    server.log.warning("User requested shutdown...")
    server.wantsFinalCheckpoint = !noSave
    if save && !force && !server.durability.isOn {
      // Who insists on a saved copy must not lose the data.
      server.log.warning("SHUTDOWN SAVE refused: persistence is off, no data is saved")
      throw .fixed("ERR Errors trying to SHUTDOWN. Check logs.")
    }
    server.exitStatus = 0
  }
}
