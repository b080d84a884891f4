// ConnectionHandlers+Client: CLIENT's subcommands, in the order of their rows.
//
// 1. Invalidation tracking does not exist yet: TRACKING ON is refused after its options have been
//    checked, and everything else answers as for a client that does not track.
// 2. A client that CLIENT PAUSE holds back does not count as blocked for UNBLOCK.

import Bytes
import Commands
import Keyspace
import RESP

extension ConnectionHandlers {
  static func clientCaching(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    throw .fixed(
      """
      ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
      OPTOUT mode enabled
      """)
  }

  static func clientGetname(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let name = server.clients[server.current].name
    if name.isEmpty { reply.null() } else { reply.bulk(name) }
  }

  static func clientGetredir(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.integer(-1)
  }

  static func clientId(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.integer(server.clients[server.current].id)
  }

  static func clientInfo(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.verbatim(server.describe([server.current], argumentBytes: args.byteCount))
  }

  static func clientKill(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isOldForm = args.count == 3
    let filter = isOldForm ? ClientFilter(address: args[2]) : try ClientFilter(args)
    var killed = 0
    var killsCaller = false
    for slot in 0..<server.clients.count where server.matches(slot, filter) {
      killed += 1
      if slot == server.current {
        killsCaller = true
      } else {
        server.close(slot)
      }
    }
    if isOldForm {
      if killed == 0 { throw .fixed("ERR No such client") }
      reply.ok()
    } else {
      reply.integer(killed)
    }
    // The caller still gets this reply.
    if killsCaller { server.close(server.current, afterOutput: true) }
  }

  static func clientList(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var slots = server.slotsByID()
    if args.count == 4 && args[2].equalsIgnoringCase("TYPE") {
      if try ClientType(args[3]) != .normal { slots = [] }
    } else if args.count > 3 && args[2].equalsIgnoringCase("ID") {
      var asked: [Int] = []
      for index in 3..<args.count {
        guard let id = args[index].parseInteger() else { throw .fixed("ERR Invalid client ID") }
        if let slot = server.slot(ofID: id, among: slots) { asked.append(slot) }
      }
      slots = asked
    } else if args.count != 2 {
      throw .syntax
    }
    reply.verbatim(server.describe(slots, argumentBytes: args.byteCount))
  }

  static func clientNoEvict(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    server.clients[server.current].flags.set(.noEvict, try isOn(args[2]))
    reply.ok()
  }

  static func clientNoTouch(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isOn = try isOn(args[2])
    server.clients[server.current].flags.set(.noTouch, isOn)
    server.keys.leavesNoTrace = isOn
    reply.ok()
  }

  static func clientPause(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 4 { throw wrongForm(args) }
    var onlyWrites = false
    if args.count == 4 {
      onlyWrites = args[3].equalsIgnoringCase("WRITE")
      guard onlyWrites || args[3].equalsIgnoringCase("ALL") else {
        throw .fixed("ERR CLIENT PAUSE mode must be WRITE or ALL")
      }
    }
    guard let duration = args[2].parseInteger() else {
      throw .fixed("ERR timeout is not an integer or out of range")
    }
    if duration < 0 { throw .fixed("ERR timeout is negative") }
    let (end, overflows) = server.now.addingReportingOverflow(duration)
    if overflows { throw .fixed("ERR timeout is out of range") }
    server.pause(until: end, onlyWrites: onlyWrites)
    reply.ok()
  }

  static func clientReply(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let slot = server.current
    if args[2].equalsIgnoringCase("ON") {
      server.clients[slot].flags.remove([.replyOff, .replySkip])
      reply.ok()
    } else if args[2].equalsIgnoringCase("OFF") {
      server.clients[slot].flags.insert(.replyOff)
    } else if args[2].equalsIgnoringCase("SKIP") {
      if !server.clients[slot].flags.contains(.replyOff) {
        server.clients[slot].flags.insert(.replySkipNext)
      }
    } else {
      throw .syntax
    }
  }

  static func clientSetinfo(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isName = args[2].equalsIgnoringCase("LIB-NAME")
    guard isName || args[2].equalsIgnoringCase("LIB-VER") else {
      throw .custom("ERR Unrecognized option '\(String(copying: args[2]))'")
    }
    guard isPlain(args[3]) else {
      let option = String(copying: args[2])
      throw .custom("ERR \(option) cannot contain spaces, newlines or special characters.")
    }
    let value = String(copying: args[3])
    if isName {
      server.clients[server.current].libraryName = value
    } else {
      server.clients[server.current].libraryVersion = value
    }
    reply.ok()
  }

  static func clientSetname(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard isPlain(args[2]) else { throw badName }
    server.clients[server.current].name = String(copying: args[2])
    reply.ok()
  }

  static func clientTracking(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try TrackingOptions(args, server)
    if args[2].equalsIgnoringCase("ON") {
      try options.check()
      throw .fixed("ERR CLIENT TRACKING is not available in this version of Ferrite")
    }
    guard args[2].equalsIgnoringCase("OFF") else { throw .syntax }
    reply.ok()
  }

  static func clientTrackinginfo(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.map(3)
    reply.bulk("flags")
    reply.set(1)
    reply.bulk("off")
    reply.bulk("redirect")
    reply.integer(-1)
    reply.bulk("prefixes")
    reply.array(0)
  }

  static func clientUnblock(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 4 { throw wrongForm(args) }
    var error: CommandError?
    if args.count == 4 {
      if args[3].equalsIgnoringCase("ERROR") {
        error = .fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK")
      } else if !args[3].equalsIgnoringCase("TIMEOUT") {
        throw .fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
      }
    }
    guard let id = args[2].parseInteger() else { throw .notInteger }
    for slot in 0..<server.clients.count {
      guard server.clients[slot].id == id, id != 0, server.clients[slot].wait >= 0 else { continue }
      server.endWait(slot, error: error)
      return reply.integer(1)
    }
    reply.integer(0)
  }

  static func clientUnpause(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    server.pausedUntil = 0
    server.keys.keepsDueKeys = false
    reply.ok()
  }

  // MARK: Helpers

  private static func isOn(_ word: borrowing Span<UInt8>) throws(CommandError) -> Bool {
    if word.equalsIgnoringCase("ON") { return true }
    if word.equalsIgnoringCase("OFF") { return false }
    throw .syntax
  }

  /// A subcommand with more arguments than it takes.
  private static func wrongForm(_ args: borrowing Arguments) -> CommandError {
    let word = String(copying: args[1])
    return .custom(
      "ERR unknown subcommand or wrong number of arguments for '\(word)'. Try CLIENT HELP.")
  }
}

/// CLIENT TRACKING's options, in any order.
private struct TrackingOptions {
  var isBroadcast = false
  var isOptIn = false
  var isOptOut = false
  var hasPrefix = false

  init(_ args: borrowing Arguments, _ server: borrowing Server) throws(CommandError) {
    var hasRedirect = false
    var index = 3
    while index < args.count {
      let hasMore = index + 1 < args.count
      if hasMore && args[index].equalsIgnoringCase("REDIRECT") {
        index += 1
        if hasRedirect {
          throw .fixed("ERR A client can only redirect to a single other client")
        }
        guard let id = args[index].parseInteger() else { throw .notInteger }
        guard server.slot(ofID: id, among: server.slotsByID()) != nil else {
          throw .fixed("ERR The client ID you want redirect to does not exist")
        }
        hasRedirect = true
      } else if hasMore && args[index].equalsIgnoringCase("PREFIX") {
        index += 1
        hasPrefix = true
      } else if args[index].equalsIgnoringCase("BCAST") {
        isBroadcast = true
      } else if args[index].equalsIgnoringCase("OPTIN") {
        isOptIn = true
      } else if args[index].equalsIgnoringCase("OPTOUT") {
        isOptOut = true
      } else if !args[index].equalsIgnoringCase("NOLOOP") {
        throw .syntax
      }
      index += 1
    }
  }

  /// Which options exclude each other.
  func check() throws(CommandError) {
    if hasPrefix && !isBroadcast {
      throw .fixed("ERR PREFIX option requires BCAST mode to be enabled")
    }
    if isBroadcast && (isOptIn || isOptOut) {
      throw .fixed("ERR OPTIN and OPTOUT are not compatible with BCAST")
    }
    if isOptIn && isOptOut {
      throw .fixed("ERR You can't specify both OPTIN mode and OPTOUT mode")
    }
  }
}

extension Arguments {
  /// The lengths of all arguments together.
  fileprivate var byteCount: Int {
    var sum = 0
    for index in 0..<count { sum += self[index].count }
    return sum
  }
}

extension ClientFlags {
  fileprivate mutating func set(_ flag: ClientFlags, _ isOn: Bool) {
    if isOn { insert(flag) } else { remove(flag) }
  }
}
