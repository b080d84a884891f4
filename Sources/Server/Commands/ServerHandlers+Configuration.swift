// CONFIG.

import Bytes
import Commands
import Keyspace
import RESP

extension ServerHandlers {
  static func configGet(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var patterns: [[UInt8]] = []
    for index in 2..<args.count { patterns.append(copy(args[index])) }
    let answers = server.configuration.get(patterns)
    reply.map(answers.count)
    for (name, value) in answers {
      reply.bulk(name.span)
      reply.bulk(value.span)
    }
  }

  static func configSet(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard args.count % 2 == 0 else { throw .syntax }
    var parameters: [Configuration.Parameter] = []
    for index in stride(from: 2, to: args.count, by: 2) {
      parameters.append((name: copy(args[index]), value: copy(args[index + 1])))
    }
    let isLocal = server.isLocal(server.current)
    do throws(ConfigurationError) {
      let notes = try server.setConfiguration(
        parameters, Configuration.SetContext(isLocalConnection: isLocal))
      server.log.write(notes)
    } catch {
      throw .custom(error.reply)
    }
    server.adoptPlainSettings()
    reply.ok()
  }

  static func configRewrite(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    do throws(ConfigurationError) {
      try server.configuration.rewrite(SystemConfigurationFiles())
    } catch {
      server.log.warning("CONFIG REWRITE failed: \(error.reply)")
      throw .custom(error.reply)
    }
    server.log.notice("CONFIG REWRITE executed with success.")
    reply.ok()
  }

  static func configResetstat(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    server.resetStatistics()
    reply.ok()
  }

  static func copy(_ word: Span<UInt8>) -> [UInt8] { word.indices.map { word[$0] } }
}

extension Server {
  /// CONFIG RESETSTAT: every count begins anew.
  mutating func resetStatistics() {
    let totals = clientTotals()
    statistics.flushedObjects -= keys.statistics.freedElements
    statistics.reset()
    statistics.inputBytes = -totals.inputBytes
    statistics.outputBytes = -totals.outputBytes
    statistics.rejectedBefore = rejectedConnections
    keys.statistics.hits = 0
    keys.statistics.misses = 0
    keys.statistics.expiredKeys = 0
    keys.statistics.expiredFields = 0
    keys.statistics.evictedKeys = 0
    keys.statistics.lazyFreedObjects = 0
    keys.statistics.freedElements = 0
  }
}
