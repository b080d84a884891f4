// DEBUG: tools for those who work on the server, and what clients' test suites ask for.
//
// 1. Refused unless `enable-debug-command` allows it to this client.
// 2. What acts on something that Ferrite does not have (RDB, AOF, quicklists, reply buffers) is
//    accepted where a test only wants to go on afterwards, and does nothing.

import Bytes
import Commands
import Glibc
import Keyspace
import Platform
import RESP

extension ServerHandlers {
  static func debug(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let isLocal = server.isLocal(server.current)
    guard server.configuration.debugCommand.allows(localConnection: isLocal) else {
      throw .fixed(
        """
        ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you \
        can run it from a local connection, otherwise you need to set this option in the \
        configuration file, and then restart the server.
        """)
    }
    let name = String(copying: args[1]).lowercased()
    if try debugData(name, args, &server, &reply) { return }
    if try debugKey(name, args, &server, &reply) { return }
    if try debugServer(name, args, &server, &reply) { return }
    if isWithoutEffect(name, args.count) { return reply.ok() }
    throw unknownSubcommand(args)
  }

  /// The reply of commands that tell their subcommands apart, or count their arguments, themselves.
  static func unknownSubcommand(_ args: borrowing Arguments) -> CommandError {
    let name = String(copying: args[1].extracting(0..<min(args[1].count, 128)))
    let command = String(copying: args[0]).uppercased()
    return .custom(
      "ERR unknown subcommand or wrong number of arguments for '\(name)'. Try \(command) HELP.")
  }

  /// Invariant 2.
  private static func isWithoutEffect(_ name: String, _ count: Int) -> Bool {
    switch (name, count) {
    case ("jmap", 2), ("loadaof", 2), ("leak", 3), ("aof-flush-sleep", 3), ("dict-resizing", 3),
      ("set-disable-deny-scripts", 3),
      ("drop-cluster-packet-filter", 3):
      return true
    default: return false
    }
  }

  // MARK: Data

  /// Subcommands on all data. Whether there was one.
  private static func debugData(
    _ name: String, _ args: borrowing Arguments, _ server: inout Server,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    switch (name, args.count) {
    case ("digest", 2):
      reply.simple(hexadecimal(server.keys.digest()))
    case ("digest-value", _):
      reply.array(args.count - 2)
      for index in 2..<args.count { reply.simple(hexadecimal(server.keys.digest(of: args[index]))) }
    case ("populate", 3...5):
      try populate(args, &server.keys)
      reply.ok()
    case ("reload", _):
      for index in 2..<args.count {
        let word = String(copying: args[index]).lowercased()
        guard ["merge", "noflush", "nosave"].contains(word) else {
          throw .fixed(
            "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
        }
      }
      reply.ok()
    case ("set-skip-checksum-validation", 3):
      server.keys.checksPayloads = looseInteger(args[2]) == 0
      reply.ok()
    case ("htstats", 3...): try tableStatistics(args, &server, &reply)
    case ("set-active-expire", 3):
      server.keys.expiresActively = looseInteger(args[2]) != 0
      reply.ok()
    default: return false
    }
    return true
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  /// POPULATE count [prefix] [size]: makes the keys that are not there yet.
  private static func populate(
    _ args: borrowing Arguments, _ keys: inout Keyspace
  ) throws(CommandError) {
    let count = try positive(args[2])
    let size = args.count > 4 ? try positive(args[4]) : 0
    var key = ByteBuffer()
    var value = ByteBuffer()
    for number in 0..<count {
      key.removeAll()
      if args.count > 3 { key.append(args[3]) } else { key.append("key") }
      key.append(":")
      key.append(decimal: number)
      let found = keys.find(key.span, .peek)
      if found != nil { continue }
      value.removeAll()
      value.append("value:")
      value.append(decimal: number)
      if size > 0 && value.count > size { value.truncate(to: size) }
      while value.count < size { value.append(0) }
      try keys.set(key.span, found: found, value: value.span)
      keys.effects.begin(3, database: keys.selected)
      keys.effects.word("SET")
      keys.effects.word(key.span)
      keys.effects.word(value.span)
      keys.effects.endGroup()
    }
  }

  private static func positive(_ word: Span<UInt8>) throws(CommandError) -> Int {
    guard let value = word.parseInteger(), value >= 0 else { throw .mustBePositive }
    return value
  }

  private static func tableStatistics(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let database = args[2].parseInteger() else { throw .notInteger }
    guard (0..<server.keys.databaseCount).contains(database) else {
      throw .fixed("ERR Out of range database")
    }
    let overhead = server.keys.overheadBytes(database: database)
    var text = "[Dictionary HT]\n"
    let parts = [
      (server.keys.count(database: database), overhead.table, "[Expires HT]\n"),
      (server.keys.expiringCount(database: database), overhead.deadlines, ""),
    ]
    for (count, bytes, next) in parts {
      if count == 0 {
        text += "No stats available for empty dictionaries\n"
      } else {
        text += " number of elements: \(count)\n bytes beside keys and values: \(bytes)\n"
      }
      text += next
    }
    reply.verbatim(text)
  }

  // MARK: One key

  /// Subcommands on one key. Whether there was one.
  private static func debugKey(
    _ name: String, _ args: borrowing Arguments, _ server: inout Server,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) -> Bool {
    switch (name, args.count) {
    case ("object", 3), ("sdslen", 3), ("listpack", 3), ("quicklist", 3...4),
      ("htstats-key", 3...):
      break
    default: return false
    }
    guard let found = server.keys.find(args[2], .peek) else { throw .noSuchKey }
    switch name {
    case "object": describe(found, server.keys, &reply)
    case "sdslen":
      let facts = server.keys.facts(found)
      guard facts.header.type == .string, server.keys.integer(found) == nil else {
        throw .fixed("ERR Not an sds encoded string.")
      }
      let size = server.keys.memoryUsage(found)
      reply.simple(
        """
        key_sds_len:\(facts.keyCount), key_sds_avail:0, key_zmalloc: \(facts.keyCount), \
        val_sds_len:\(facts.valueCount), val_sds_avail:0, val_zmalloc: \(size)
        """)
    case "listpack": throw .fixed("ERR Not a listpack encoded object.")
    case "quicklist": throw .fixed("ERR Not a quicklist encoded object.")
    default:
      throw .fixed(
        "ERR The value stored at the specified key is not represented using an hash table")
    }
    return true
  }

  /// OBJECT's one line, in Redis' form.
  private static func describe(
    _ found: Key, _ keys: borrowing Keyspace, _ reply: inout ReplyBuffer
  ) {
    let facts = keys.facts(found)
    let address = String(found.entry.offset, radix: 16)
    let idle = keys.policy.usesFrequency ? 0 : keys.idleSeconds(found)
    reply.simple(
      """
      Value at:0x\(address) refcount:1 encoding:\(keys.encodingName(found)) \
      serializedlength:\(serializedLength(found, keys)) lru:\(facts.header.access) \
      lru_seconds_idle:\(idle)
      """)
  }

  /// The length in an RDB file without compression.
  private static func serializedLength(_ found: Key, _ keys: borrowing Keyspace) -> Int {
    let count = keys.facts(found).valueCount
    if let value = keys.integer(found) {
      if Int8(exactly: value) != nil { return 2 }
      if Int16(exactly: value) != nil { return 3 }
      if Int32(exactly: value) != nil { return 5 }
    }
    return count + (count < 64 ? 1 : count < 16384 ? 2 : 5)
  }

  /// A number as C's atoi takes it: what is none is 0.
  static func looseInteger(_ word: Span<UInt8>) -> Int {
    var end = word.count > 0 && (word[0] == 0x2D || word[0] == 0x2B) ? 1 : 0
    while end < word.count && word[end] &- 48 <= 9 { end += 1 }
    return ConfigurationText.looseInteger(copy(word.extracting(0..<end))) ?? 0
  }
}
