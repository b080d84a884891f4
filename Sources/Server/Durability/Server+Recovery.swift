// From a data directory to a keyspace: opens the storage and replays the log's tail.
//
//   engine: lock, journal, image ─► arena ─► Keyspace.open ─► records after the checkpoint
//                                                                    └─► handlers, effects dropped
//
// 1. While effects are replayed time stands still (`keys.now` is 0): a deadline that passed while
//    the server was down removes its key afterwards, as an effect of its own.
// 2. A record is applied whole, so that its groups' MULTI and EXEC say nothing.
// 3. An effect that cannot be executed is an error: going on would leave other data than was
//    acknowledged.

import Bytes
import Commands
import Glibc
import Keyspace
import Memory
import Platform
import RESP
import Storage

/// Why the data directory cannot be served.
struct RecoveryError: Error, CustomStringConvertible {
  let description: String
}

extension Server {
  /// Opens the data directory and brings the keyspace to where it was.
  mutating func openStorage() throws(RecoveryError) {
    guard configuration.persistence else { return }
    let start = clock.monotonicMilliseconds()
    dataDirectory = WorkingDirectory.path()
    do throws(StorageError) {
      storage = try Engine.open(engineOptions, wake: network.wakeHandle)
      try openKeyspace()
    } catch {
      throw RecoveryError(description: "\(error)")
    }
    adoptKeyspaceSettings()
    try replayTail()
    do throws(StorageError) {
      try storage!.start()
    } catch {
      throw RecoveryError(description: "\(error)")
    }
    recoveryMilliseconds = Int(clock.monotonicMilliseconds() - start)
    durability.begin(
      waitsForLog: configuration.appendFsync == .always, endLSN: storage!.endLSN)
    durability.samplesReads = storage!.samplesReads
    followChanges()
    isBehind = true
    tellOfRecovery()
  }

  /// What the configuration wants of the storage. The data directory is `dir` as it was at the
  /// start.
  var engineOptions: EngineOptions {
    var options = EngineOptions(directory: dataDirectory)
    options.medium = configuration.storageMedium
    options.policy = configuration.appendFsync
    options.segmentBytes = configuration.logSegmentBytes
    options.logLimitBytes = configuration.logLimitBytes
    options.checkpointLogBytes = configuration.checkpointLogBytes
    options.checkpointIntervalSeconds = configuration.checkpointIntervalSeconds
    options.checkpointBudgetBytes = configuration.checkpointBudgetBytes
    options.maximumDRAMBytes = configuration.maximumDRAMBytes
    options.truncatesCorruptLog = configuration.logTruncateCorrupt
    return options
  }

  private mutating func openKeyspace() throws(StorageError) {
    let arena = try storage!.openArena()
    if storage!.isNew {
      do throws(CommandError) {
        keys = try Keyspace(arena: arena, databaseCount: configuration.databases)
      } catch {
        throw .io(IOError("allocate", dataDirectory, errno: ENOMEM))
      }
      return
    }
    do throws(KeyspaceDamage) {
      keys = try Keyspace.open(arena, databaseCount: configuration.databases)
    } catch {
      throw .corrupt(path: dataDirectory, "the image cannot be opened: \(error)")
    }
  }

  private func tellOfRecovery() {
    let report = storage!.report
    let kind = report.facts.kind == .persistentMemory ? "persistent memory" : "file system"
    log.notice(
      """
      Data in \(report.facts.directory) (\(kind), \(report.facts.fileSystem)): image at LSN \
      \(report.imageLSN)\(report.hasAppliedJournal ? ", its journal applied" : ""); \
      \(report.replayedRecords) records of the log (\(report.replayedBytes) bytes) replayed; \
      ready after \(recoveryMilliseconds) ms
      """)
    if report.tornBytes > 0 {
      log.warning(
        """
        The log's last \(report.tornBytes) bytes were cut off: writes that a crash interrupted, \
        and that were not acknowledged
        """)
    }
    if let loss = report.loss { log.error("Acknowledged writes were given up: \(loss)") }
    if storage!.isNew && report.replayedRecords == 0 { tellOfOtherData(report.facts.directory) }
  }

  /// Who comes from Redis and finds no keys should not have to guess why.
  private func tellOfOtherData(_ directory: String) {
    let names = [
      configuration[text: "dbfilename", or: "dump.rdb"],
      configuration[text: "appenddirname", or: "appendonlydir"],
    ]
    for name in names where !name.isEmpty && Files.exists("\(directory)/\(name)") {
      log.warning("\(directory)/\(name) is not read: this version of Ferrite loads no RDB or AOF")
    }
  }

  // MARK: Replaying

  private mutating func replayTail() throws(RecoveryError) {
    keys.replayTime = Int(clock.wallMilliseconds())
    keys.now = 0
    keys.effects.isRecorded = false
    keys.maximumStringBytes = .max
    let original = CommandTable<Server>.all()
    var payload = ByteBuffer()
    while true {
      let record: TailRecord?
      do throws(StorageError) {
        record = try storage!.nextTailRecord(into: &payload)
      } catch {
        throw RecoveryError(description: "\(error)")
      }
      guard let record else { break }
      do throws(RecoveryError) {
        try replay(payload, original)
      } catch {
        throw RecoveryError(
          description:
            """
            the record at LSN \(record.lsn) of the log in \(record.directory) cannot be replayed: \
            \(error)
            """)
      }
    }
    keys.effects.isRecorded = true
    keys.statistics = KeyspaceStatistics()
    keys.select(0)
    keys.now = now
    keys.replayTime = 0
    adoptKeyspaceSettings()
  }

  /// Executes the effects of one record.
  mutating func replay(
    _ payload: borrowing ByteBuffer, _ original: borrowing CommandTable<Server>
  ) throws(RecoveryError) {
    var parser = RequestParser()
    var ranges = ArgumentList()
    var text = ByteBuffer()
    var reply = ReplyBuffer()
    var offset = 0
    let limits = RequestLimits(maxBulkLength: .max)
    while offset < payload.count {
      let start = offset
      ranges.removeAll(keepingCapacity: true)
      let result = try? parser.next(
        payload, from: &offset, limits: limits, into: &ranges, inlineText: &text)
      guard result == .complete(isInline: false) else {
        throw RecoveryError(description: "byte \(start) begins no effect")
      }
      let bytes = payload.span
      let arguments = Arguments(
        bytes: bytes, ranges: ranges.span, request: bytes.extracting(start..<offset))
      try replayEffect(arguments, original, &reply)
      keys.effects.endGroup()
      reply.bytes.removeAll()
    }
  }

  private mutating func replayEffect(
    _ arguments: borrowing Arguments, _ original: borrowing CommandTable<Server>,
    _ reply: inout ReplyBuffer
  ) throws(RecoveryError) {
    let name = arguments[0]
    if name.equalsIgnoringCase("MULTI") || name.equalsIgnoringCase("EXEC") { return }
    if name.equalsIgnoringCase("SELECT") {
      guard arguments.count == 2, let database = arguments[1].parseInteger(),
        (0..<keys.databaseCount).contains(database)
      else {
        throw RecoveryError(
          description:
            "it selects a database beyond `databases` (\(keys.databaseCount))")
      }
      return keys.select(database)
    }
    // A command that was renamed meanwhile is known by its own name still.
    var handler: Handler<Server>?
    if let id = table.index.find(arguments) {
      handler = table.handler(id)
    } else if let id = original.index.find(arguments) {
      handler = original.handler(id)
    }
    do throws(CommandError) {
      switch handler {
      case .keyspace(let handler): try handler(arguments, &keys, &reply)
      case .host(let handler): try handler(arguments, &self, &reply)
      case .blocking(let handler):
        var wait = Wait(isAllowed: false)
        try handler(arguments, &keys, &wait, &reply)
      case .long, .table, nil: throw .custom("no such command")
      }
    } catch {
      throw RecoveryError(
        description: "\(String(copying: name)) answered \"\(error.text)\"")
    }
  }
}
