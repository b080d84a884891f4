// ConnectionHandlers: commands about the connection itself, in the order of their rows. CLIENT's
// subcommands follow in ConnectionHandlers+Client.swift.
//
// 1. There is one user, "default", whose password is `requirepass`. Without one he needs none, and
//    any that he gives is right, as in Redis.
// 2. How long a password takes to compare tells nothing about the right one.

import Bytes
import Commands
import Keyspace
import RESP

/// The handlers of the connection group.
enum ConnectionHandlers {}

extension ConnectionHandlers {
  static func auth(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 3 { throw .syntax }
    if args.count == 3 {
      try authenticate(user: args[1], password: args[2], &server)
    } else {
      if server.configuration.requirePass.isEmpty { throw noPasswordConfigured }
      try authenticate(password: args[1], &server)
    }
    reply.ok()
  }

  static func echo(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.bulk(args[1])
  }

  static func hello(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let slot = server.current
    let version = args.count > 1 ? try protocolVersion(args[1]) : server.clients[slot].version
    var userIndex = 0
    var nameIndex = 0
    var index = 2
    while index < args.count {
      let more = args.count - index - 1
      if more >= 2 && args[index].equalsIgnoringCase("AUTH") {
        userIndex = index + 1
        index += 3
      } else if more >= 1 && args[index].equalsIgnoringCase("SETNAME") {
        nameIndex = index + 1
        if !isPlain(args[nameIndex]) { throw badName }
        index += 2
      } else {
        throw .custom("ERR Syntax error in HELLO option '\(String(copying: args[index]))'")
      }
    }
    if userIndex > 0 {
      try authenticate(user: args[userIndex], password: args[userIndex + 1], &server)
    }
    if !server.clients[slot].flags.contains(.authenticated) { throw helloWithoutAuthentication }
    if nameIndex > 0 { server.clients[slot].name = String(copying: args[nameIndex]) }
    server.clients[slot].version = version
    reply.version = version
    introduce(server.clients[slot].id, &reply)
  }

  static func ping(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    switch args.count {
    case 1: reply.simple("PONG")
    case 2: reply.bulk(args[1])
    default: throw .wrongArity("ping")
    }
  }

  static func quit(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.ok()
    server.close(server.current, afterOutput: true)
  }

  static func reset(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let slot = server.current
    server.discardTransaction(slot)
    try choose(database: 0, &server)
    server.clients[slot].version = .two
    reply.version = .two
    server.clients[slot].name = ""
    // A skipped reply stays skipped: Redis does not take that back either.
    server.clients[slot].flags.remove([
      .authenticated, .replyOff, .replySkipNext, .noEvict, .noTouch,
    ])
    server.keys.leavesNoTrace = false
    if server.configuration.requirePass.isEmpty {
      server.clients[slot].flags.insert(.authenticated)
    }
    reply.simple("RESET")
  }

  static func select(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let index = args[1].parseInteger() else { throw .notInteger }
    guard Int32(exactly: index) != nil else { throw beyondInt32 }
    try choose(database: index, &server)
    reply.ok()
  }

  // MARK: Helpers

  /// Names are told in CLIENT LIST, whose fields end at spaces.
  static func isPlain(_ text: borrowing Span<UInt8>) -> Bool {
    for index in 0..<text.count where text[index] < 0x21 || text[index] > 0x7E { return false }
    return true
  }

  private static func choose(database: Int, _ server: inout Server) throws(CommandError) {
    guard database >= 0 && database < server.keys.databaseCount else {
      throw .databaseOutOfRange
    }
    server.clients[server.current].database = database
    server.keys.select(database)
  }

  private static func protocolVersion(
    _ text: borrowing Span<UInt8>
  ) throws(CommandError) -> RESPVersion {
    guard let number = text.parseInteger() else { throw badProtocolVersion }
    switch number {
    case 2: return .two
    case 3: return .three
    default: throw .fixed("NOPROTO unsupported protocol version")
    }
  }

  /// HELLO's reply.
  private static func introduce(_ id: Int, _ reply: inout ReplyBuffer) {
    reply.map(7)
    reply.bulk("server")
    reply.bulk("redis")
    reply.bulk("version")
    reply.bulk(Configuration.redisVersion)
    reply.bulk("proto")
    reply.integer(Int(reply.version.rawValue))
    reply.bulk("id")
    reply.integer(id)
    reply.bulk("mode")
    reply.bulk("standalone")
    reply.bulk("role")
    reply.bulk("master")
    reply.bulk("modules")
    reply.array(0)
  }

  private static func authenticate(
    user: borrowing Span<UInt8>, password: borrowing Span<UInt8>, _ server: inout Server
  ) throws(CommandError) {
    guard user.isEqual("default") else { return try deny(&server) }
    try authenticate(password: password, &server)
  }

  private static func authenticate(
    password: borrowing Span<UInt8>, _ server: inout Server
  ) throws(CommandError) {
    let right = server.configuration.requirePass
    guard right.isEmpty || isSame(password, right.span) else { return try deny(&server) }
    server.clients[server.current].flags.insert(.authenticated)
  }

  private static func deny(_ server: inout Server) throws(CommandError) {
    server.statistics.aclDeniedAuthentications += 1
    throw .fixed("WRONGPASS invalid username-password pair or user is disabled.")
  }

  /// Whether the passwords are equal, in a time that depends on the given one's length alone.
  private static func isSame(
    _ given: borrowing Span<UInt8>, _ right: borrowing Span<UInt8>
  ) -> Bool {
    var difference = given.count ^ right.count
    for index in 0..<given.count {
      difference |= Int(given[index] ^ right[index % right.count])
    }
    return difference == 0
  }
}

extension ConnectionHandlers {
  static var badName: CommandError {
    .fixed("ERR Client names cannot contain spaces, newlines or special characters.")
  }

  private static var noPasswordConfigured: CommandError {
    .fixed(
      """
      ERR AUTH <password> called without any password configured for the default user. Are you \
      sure your configuration is correct?
      """)
  }

  private static var helloWithoutAuthentication: CommandError {
    .fixed(
      """
      NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
      <proto> AUTH <user> <pass> option can be used to authenticate the client and select the \
      RESP protocol version at the same time
      """)
  }

  private static var badProtocolVersion: CommandError {
    .fixed("ERR Protocol version is not an integer or out of range")
  }

  private static var beyondInt32: CommandError {
    .fixed("ERR value is out of range, value must between -2147483648 and 2147483647")
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes are `text`, letter case included.
  fileprivate func isEqual(_ text: String) -> Bool {
    var index = 0
    for byte in text.utf8 {
      guard index < count && self[index] == byte else { return false }
      index += 1
    }
    return index == count
  }
}
