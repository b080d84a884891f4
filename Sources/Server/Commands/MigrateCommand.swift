// MIGRATE: keys that move to another server: DUMP here, RESTORE there, DEL here.
//
//   find the keys ──► AUTH, SELECT, a RESTORE for each ──► read the replies ──► remove the taken
//
// 1. Nothing else is executed meanwhile, so that at any time a key is here or there. Each step
//    waits for the timeout at most (PeerSocket's invariant 1).
// 2. A key is removed only when the target has answered its RESTORE with a status. Redis takes
//    anything that is not an error, such as the greeting of a server which is not Redis.
// 3. The effect is the DEL of the keys that were removed, even when the command then fails.
// 4. Connections are kept for ten seconds, apart by who they were made as: nobody profits from
//    another's password.

import Bytes
import Commands
import Glibc
import Keyspace
import Persistence
import Platform
import RESP

extension Command where Host == Server {
  @_optimize(none) @CommandList<Host>
  public static var migration: [Command] {
    CommandGroup.generic
    Command(
      "MIGRATE", arity: -6, .write, [.keyspace, .dangerous], .host(ServerHandlers.migrate),
      keys: [
        .key(3, [.readWrite, .access, .delete]),
        KeySpec(
          .keyword("KEYS", startFrom: -2), .range(lastKey: -1, step: 1, limit: 0),
          [.readWrite, .access, .delete, .incomplete]),
      ],
      keyFunction: migratedKeys,
      summary: "Moves keys to another server.", since: "2.6.0",
      complexity: "O(N) for N bytes of the values, as DUMP, RESTORE and DEL",
      tips: ["nondeterministic_output"],
      history: [
        "3.0.0": "`COPY` and `REPLACE`.", "3.0.6": "`KEYS`.", "4.0.7": "`AUTH`.",
        "6.0.0": "`AUTH2`.",
      ],
      arguments: [
        .string("host"), .integer("port"),
        .oneOf(
          "key-selector", of: [.key(), .token("", name: "empty-string")]),
        .integer("destination-db"), .integer("timeout"),
        .token("COPY", .optional, since: "3.0.0"), .token("REPLACE", .optional, since: "3.0.0"),
        .oneOf(
          "authentication", .optional,
          of: [
            .string("auth", token: "AUTH", since: "4.0.7"),
            .block(
              "auth2", token: "AUTH2", since: "6.0.0",
              of: [.string("username"), .string("password")]),
          ]),
        migratedKeysArgument,
      ])
  }
}

private var migratedKeysArgument: Argument {
  var argument = Argument.key("keys", spec: 1, token: "KEYS", [.optional, .multiple])
  argument.since = "3.0.6"
  return argument
}

/// The keys of a request; the options that are values of others are passed over.
private func migratedKeys(
  _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
) -> Bool {
  let flags: KeyFlags = [.readWrite, .access, .delete]
  var index = offset + 6
  while index < arguments.count {
    if arguments.equals(index, "KEYS") {
      // With a key in its own place this is a mistake, which the command answers.
      if !arguments[offset + 3].isEmpty { break }
      for key in (index + 1)..<max(arguments.count, index + 1) {
        keys.append(KeyReference(position: key - offset, flags: flags))
      }
      return true
    }
    if arguments.equals(index, "AUTH") { index += 1 }
    if arguments.equals(index, "AUTH2") { index += 2 }
    index += 1
  }
  keys.append(KeyReference(position: 3, flags: flags))
  return true
}

/// A connection that is kept for the next MIGRATE to the same place.
struct KeptPeer {
  /// Where it leads, and as whom.
  struct Name: Hashable {
    var host: String
    var port: Int
    var credentials: [[UInt8]] = []
  }

  static let maximumCount = 64
  static let maximumIdleMilliseconds = 10_000

  let socket: PeerSocket
  var lastUse = 0
  /// The database that it has selected; nil when that is not known.
  var database: Int?
}

private struct MigrateOptions {
  var name: KeptPeer.Name
  var copies = false
  var replaces = false
  var keys = 3..<4
  var database = 0
  var timeoutMilliseconds = 1000

  init(_ args: borrowing Arguments) throws(CommandError) {
    name = KeptPeer.Name(host: String(copying: args[1]), port: Self.port(args[2]))
    var index = 6
    while index < args.count {
      if args.equals(index, "COPY") {
        copies = true
      } else if args.equals(index, "REPLACE") {
        replaces = true
      } else if args.equals(index, "AUTH") {
        guard index + 1 < args.count else { throw .syntax }
        name.credentials = [args[index + 1].bytes]
        index += 1
      } else if args.equals(index, "AUTH2") {
        guard index + 2 < args.count else { throw .syntax }
        name.credentials = [args[index + 1].bytes, args[index + 2].bytes]
        index += 2
      } else if args.equals(index, "KEYS") {
        guard args[3].isEmpty else { throw .keyBesideKeys }
        keys = (index + 1)..<args.count
        break
      } else {
        throw .syntax
      }
      index += 1
    }
    guard let timeout = args[5].parseInteger(), let database = args[4].parseInteger() else {
      throw .notInteger
    }
    self.database = database
    if timeout > 0 { timeoutMilliseconds = timeout }
  }

  /// As C's atoi reads it: what is no number is port 0, which nobody listens on.
  private static func port(_ text: borrowing Span<UInt8>) -> Int {
    var port = 0
    var index = 0
    while index < text.count, text[index] == 0x20 { index += 1 }
    let isNegative = index < text.count && text[index] == 0x2D
    if isNegative { index += 1 }
    while index < text.count, 0x30...0x39 ~= text[index], port < 1 << 24 {
      port = port * 10 + Int(text[index] - 0x30)
      index += 1
    }
    return isNegative ? -port : port
  }
}

/// What the target has said to the end of it, or how far it came.
private struct MigrateOutcome {
  /// The arguments of the keys whose RESTORE was answered with a status.
  var taken: [Int] = []
  var replyCount = 0
  /// The first error that the target answered with.
  var refusal: [UInt8]?
  /// What went wrong between us and the target.
  var failure: IOError?
  var wasSending = false

  var isWorthAnotherTry: Bool {
    guard let failure else { return false }
    return refusal == nil && replyCount == 0 && failure.errno != ETIMEDOUT
  }
}

extension ServerHandlers {
  static func migrate(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let options = try MigrateOptions(args)
    var keys: [Int] = []
    for index in options.keys where server.keys.find(args[index], .read) != nil {
      keys.append(index)
    }
    if keys.isEmpty { return reply.simple("NOKEY") }
    var outcome = try server.transfer(keys, args, options)
    // A kept connection may have been closed by the target long ago.
    if outcome.isWorthAnotherTry { outcome = try server.transfer(keys, args, options) }
    if !options.copies { server.remove(outcome.taken, args) }
    if let refusal = outcome.refusal {
      let text = refusal.span.isEmpty ? "" : String(copying: refusal.span.extracting(1...))
      throw .custom("ERR Target instance replied with error: \(text)")
    }
    if outcome.failure != nil {
      throw .fixed(
        outcome.wasSending
          ? "IOERR error or timeout writing to target instance"
          : "IOERR error or timeout reading to target instance")
    }
    reply.ok()
  }
}

extension Server {
  /// Sends the keys to the target and hears what it says.
  fileprivate mutating func transfer(
    _ keys: [Int], _ args: borrowing Arguments, _ options: MigrateOptions
  ) throws(CommandError) -> MigrateOutcome {
    var peer = try peer(options)
    let timeout = options.timeoutMilliseconds
    var outcome = MigrateOutcome()
    do throws(IOError) {
      outcome.wasSending = true
      let selects = peer.database != options.database
      try send(keys, args, options, selects: selects, to: peer.socket)
      outcome.wasSending = false
      var refusal: [UInt8]?
      if !options.name.credentials.isEmpty {
        refusal = try Self.refusal(in: peer.socket.line(timeoutMilliseconds: timeout))
      }
      if selects {
        let answer = try Self.refusal(in: peer.socket.line(timeoutMilliseconds: timeout))
        refusal = refusal ?? answer
      }
      for key in keys {
        let answer = try Self.refusal(in: peer.socket.line(timeoutMilliseconds: timeout))
        outcome.replyCount += 1
        let error = refusal ?? answer
        if error == nil { outcome.taken.append(key) }
        outcome.refusal = outcome.refusal ?? error
      }
    } catch {
      outcome.failure = error
      return outcome
    }
    peer.database = outcome.refusal == nil ? options.database : nil
    keep(peer, options.name)
    return outcome
  }

  /// The reply if it is an error, nil if it is a status.
  private static func refusal(in line: [UInt8]) throws(IOError) -> [UInt8]? {
    if line.first == 0x2D { return line }
    if line.first == 0x2B { return nil }
    throw IOError("receive", errno: EPROTO)
  }

  private mutating func send(
    _ keys: [Int], _ args: borrowing Arguments, _ options: MigrateOptions, selects: Bool,
    to socket: PeerSocket
  ) throws(IOError) {
    var request = ByteBuffer()
    if !options.name.credentials.isEmpty {
      request.append(words: 1 + options.name.credentials.count)
      request.append(word: "AUTH")
      for word in options.name.credentials { request.append(word: word.span) }
    }
    if selects {
      request.append(words: 2)
      request.append(word: "SELECT")
      request.append(word: Array("\(options.database)".utf8).span)
    }
    for key in keys {
      append(args[key], options, to: &request)
      // No more than the largest value is in memory at once.
      if request.count >= 64 << 10 {
        try socket.send(request.span, timeoutMilliseconds: options.timeoutMilliseconds)
        request.removeAll()
      }
    }
    try socket.send(request.span, timeoutMilliseconds: options.timeoutMilliseconds)
  }

  /// The RESTORE of a key, which is there.
  private mutating func append(
    _ key: borrowing Span<UInt8>, _ options: MigrateOptions, to request: inout ByteBuffer
  ) {
    guard let found = keys.find(key, .peek) else { preconditionFailure("a key to migrate is gone") }
    var writer = RDBWriter()
    DumpPayload.write(found.entry, keys.arena.reader, keys.hash, into: &writer)
    let expiry = keys.facts(found).expiry
    request.append(words: options.replaces ? 5 : 4)
    request.append(word: "RESTORE")
    request.append(word: key)
    request.append(word: Array("\(expiry.map { max($0 - keys.now, 1) } ?? 0)".utf8).span)
    request.append(word: writer.bytes.span)
    if options.replaces { request.append(word: "REPLACE") }
  }

  /// Removes the keys that the target has taken.
  fileprivate mutating func remove(_ taken: [Int], _ args: borrowing Arguments) {
    // The same key may have been named twice.
    var removed: [Int] = []
    for index in taken where keys.remove(args[index]) { removed.append(index) }
    if removed.isEmpty { return }
    keys.effects.begin(1 + removed.count, database: keys.selected)
    keys.effects.word("DEL")
    for index in removed { keys.effects.word(args[index]) }
  }

  // MARK: Connections

  /// A connection to the target, which now belongs to the caller.
  private mutating func peer(_ options: MigrateOptions) throws(CommandError) -> KeptPeer {
    if let kept = keptPeers.removeValue(forKey: options.name) { return kept }
    do throws(IOError) {
      return KeptPeer(
        socket: try PeerSocket(
          host: options.name.host, port: options.name.port,
          timeoutMilliseconds: options.timeoutMilliseconds))
    } catch {
      throw .fixed("IOERR error or timeout connecting to the client")
    }
  }

  private mutating func keep(_ peer: KeptPeer, _ name: KeptPeer.Name) {
    var peer = peer
    peer.lastUse = now
    if keptPeers.count >= KeptPeer.maximumCount, let any = keptPeers.keys.randomElement() {
      keptPeers[any] = nil
    }
    keptPeers[name] = peer
  }

  /// Closes the connections that nobody has used for a while.
  mutating func closeIdlePeers() {
    if keptPeers.isEmpty { return }
    let limit = now - KeptPeer.maximumIdleMilliseconds
    keptPeers = keptPeers.filter { $0.value.lastUse > limit }
  }
}

extension CommandError {
  fileprivate static var keyBesideKeys: CommandError {
    .fixed(
      """
      ERR When using MIGRATE KEYS option, the key argument must be set to the empty string
      """)
  }
}

extension Span<UInt8> {
  fileprivate var bytes: [UInt8] { indices.map { self[$0] } }
}

extension ByteBuffer {
  /// The head of a request of so many words.
  fileprivate mutating func append(words count: Int) {
    append("*")
    append(decimal: count)
    append("\r\n")
  }

  fileprivate mutating func append(word: borrowing Span<UInt8>) {
    append("$")
    append(decimal: word.count)
    append("\r\n")
    append(word)
    append("\r\n")
  }

  fileprivate mutating func append(word: StaticString) {
    append("$")
    append(decimal: word.utf8CodeUnitCount)
    append("\r\n")
    append(word)
    append("\r\n")
  }
}
