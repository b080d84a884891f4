// DEBUG's subcommands on the server and the protocol.

import Bytes
import Commands
import Glibc
import Keyspace
import Platform
import RESP

extension ServerHandlers {
  /// Whether there was such a subcommand.
  static func debugServer(
    _ name: String, _ args: borrowing Arguments, _ server: inout Server,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    switch (name, args.count) {
    case ("help", 2): reply.help("DEBUG", debugHelp)
    case ("sleep", 3):
      sleep(seconds: args[2].parseDouble() ?? 0)
      reply.ok()
    case ("error", 3): throw .custom(String(copying: args[2]))
    case ("log", 3):
      server.log.warning("DEBUG LOG: \(String(copying: args[2]))")
      reply.ok()
    case ("protocol", 3): try protocolSample(String(copying: args[2]).lowercased(), &reply)
    case ("stringmatch-len", 4):
      reply.integer(Glob.matches(args[3], pattern: args[2]) ? 1 : 0)
    case ("stringmatch-test", 2):
      matchAtRandom()
      reply.simple("Apparently Redis did not crash: test passed")
    case ("change-repl-id", 2):
      server.log.notice("Changing replication IDs after receiving DEBUG change-repl-id")
      server.replicationID = randomHexadecimal(40)
      reply.ok()
    case ("pause-cron", 3):
      server.isCronPaused = looseInteger(args[2]) != 0
      reply.ok()
    case ("quicklist-packed-threshold", 3):
      guard let size = ConfigurationText.memory(copy(args[2])), size <= 1 << 32 - 1 << 20 else {
        throw .fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
      }
      reply.ok()
    case ("replybuffer", 4): try replyBuffer(args, &reply)
    case ("client-eviction", 2): throw .fixed("ERR maxmemory-clients is disabled.")
    case ("clusterlink", 5):
      throw .fixed("ERR Debug option only available for cluster mode enabled setup!")
    case ("restart", _), ("crash-and-recover", _):
      throw .fixed("ERR failed to restart the server. Check server logs.")
    default:
      crash(name)
      return false
    }
    return true
  }

  /// Ends the process in the way that `name` stands for, if it is one.
  private static func crash(_ name: String) {
    switch name {
    case "segfault": raise(SIGSEGV)
    case "panic": fatalError("DEBUG PANIC called")
    case "assert": preconditionFailure("DEBUG ASSERT called")
    case "oom": fatalError("out of memory, says DEBUG OOM")
    default: return
    }
  }

  private static func sleep(seconds: Double) {
    var microseconds = Int(min(max(seconds, 0), 1e9) * 1e6)
    while microseconds > 0 {
      let step = min(microseconds, 999_999)
      usleep(UInt32(step))
      microseconds -= step
    }
  }

  private static func replyBuffer(
    _ args: borrowing Arguments, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args[2].equalsIgnoringCase("PEAK-RESET-TIME") {
      let isWord = args[3].equalsIgnoringCase("NEVER") || args[3].equalsIgnoringCase("RESET")
      guard isWord || args[3].parseInteger() != nil else { throw .notInteger }
    } else if !args[2].equalsIgnoringCase("RESIZING") {
      throw unknownSubcommand(args)
    }
    reply.ok()
  }

  /// Random texts against random patterns: whoever crashes has a bug.
  private static func matchAtRandom() {
    let letters = Array("ab*?[]\\^-".utf8)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<10_000 {
      let text = randomWord(letters, &generator)
      let pattern = randomWord(letters, &generator)
      _ = Glob.matches(text.span, pattern: pattern.span)
    }
  }

  private static func randomWord(
    _ letters: [UInt8], _ generator: inout SystemRandomNumberGenerator
  ) -> [UInt8] {
    (0..<Int.random(in: 0...16, using: &generator)).map { _ in
      letters.randomElement(using: &generator) ?? 0x61
    }
  }

  // MARK: The protocol

  /// A value of each type of the protocol.
  private static func protocolSample(
    _ name: String, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    switch name {
    case "string": reply.bulk("Hello World")
    case "integer": reply.integer(12345)
    case "double":
      let text = Array("3.141".utf8)
      reply.double(text: text.span)
    case "bignum": reply.bigNumber("1234567999999999999999999999999999999")
    case "null": reply.null()
    case "array":
      reply.array(3)
      for value in 0..<3 { reply.integer(value) }
    case "set":
      reply.set(3)
      for value in 0..<3 { reply.integer(value) }
    case "map":
      reply.map(3)
      for value in 0..<3 {
        reply.integer(value)
        reply.boolean(value == 1)
      }
    case "attrib": attributeSample(&reply)
    case "push": try pushSample(&reply)
    case "true": reply.boolean(true)
    case "false": reply.boolean(false)
    case "verbatim": reply.verbatim("This is a verbatim\nstring")
    default:
      throw .fixed(
        """
        ERR Wrong protocol type name. Please use one of the following: \
        string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false
        """)
    }
  }

  private static func attributeSample(_ reply: inout ReplyBuffer) {
    if reply.version == .three {
      reply.bytes.append("|1\r\n")
      reply.bulk("key-popularity")
      reply.array(2)
      reply.bulk("key:123")
      reply.integer(90)
    }
    reply.bulk("Some real reply following the attribute")
  }

  private static func pushSample(_ reply: inout ReplyBuffer) throws(CommandError) {
    guard reply.version == .three else {
      throw .fixed("ERR RESP2 is not supported by this command")
    }
    reply.push(2)
    reply.bulk("server-cpu-usage")
    reply.integer(42)
    // A push is no answer, and the client waits for one.
    reply.bulk("Some real reply following the push reply")
  }

  private static let debugHelp = [
    "ASSERT, OOM, PANIC, SEGFAULT", "    Crash, each in its own way.",
    "CHANGE-REPL-ID", "    Draw a new replication ID.",
    "DIGEST", "    One number for all data: equal data, equal digest, as in Redis.",
    "DIGEST-VALUE <key> [<key> ...]", "    The digests of the keys' values.",
    "ERROR <string>", "    Answer with that error.",
    "HTSTATS <dbid>", "    Describe a database's tables.",
    "LOG <message>", "    Write to the log.",
    "OBJECT <key>", "    Describe how a key's value is kept.",
    "PAUSE-CRON <0|1>", "    Stop the periodic work, or go on with it.",
    "POPULATE <count> [<prefix>] [<size>]", "    Make string keys <prefix>:<number>.",
    "PROTOCOL <type>",
    "    Answer with a sample: string, integer, double, bignum, null, array, set, map,",
    "    attrib, push, verbatim, true or false.",
    "SDSLEN <key>", "    The lengths of a string and its key.",
    "SET-ACTIVE-EXPIRE <0|1>", "    Let keys expire only when they are met, or as usual.",
    "SET-SKIP-CHECKSUM-VALIDATION <0|1>", "    Take payloads whose checksums are wrong.",
    "SLEEP <seconds>", "    Do nothing at all for a while. Decimals allowed.",
    "STRINGMATCH-LEN <pattern> <string>", "    Whether the pattern matches.",
    "STRINGMATCH-TEST", "    Match random patterns, to see whether that crashes.",
    "AOF-FLUSH-SLEEP, DICT-RESIZING, DROP-CLUSTER-PACKET-FILTER, JMAP, LEAK, LOADAOF,",
    "QUICKLIST-PACKED-THRESHOLD, RELOAD, REPLYBUFFER",
    "    Accepted without effect: there is nothing here that they could act on.",
  ]
}
