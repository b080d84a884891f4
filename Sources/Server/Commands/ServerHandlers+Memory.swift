// MEMORY.

import Bytes
import Commands
import Keyspace
import Platform
import RESP

extension ServerHandlers {
  static func memoryUsage(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var index = 3
    var samples = 5
    while index < args.count {
      guard args[index].equalsIgnoringCase("SAMPLES"), index + 1 < args.count else {
        throw .syntax
      }
      guard let number = args[index + 1].parseInteger() else { throw .notInteger }
      if number < 0 { throw .syntax }
      samples = number
      index += 2
    }
    guard let found = server.keys.find(args[2], .peek) else { return reply.null() }
    reply.integer(server.keys.memoryUsage(found, samples: samples))
  }

  static func memoryStats(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let report = server.memoryReport()
    reply.map(27 + report.databases.count)
    let sizes: [(StaticString, Int)] = [
      ("peak.allocated", report.peak), ("total.allocated", report.used),
      ("startup.allocated", report.startup), ("replication.backlog", 0), ("clients.slaves", 0),
      ("clients.normal", report.clients), ("cluster.links", 0), ("aof.buffer", 0),
      ("lua.caches", 0), ("functions.caches", 0),
    ]
    for (name, value) in sizes { field(name, value, &reply) }
    for database in report.databases {
      reply.bulk("db.\(database.number)")
      reply.map(3)
      field("overhead.hashtable.main", database.table, &reply)
      field("overhead.hashtable.expires", database.deadlines, &reply)
      field("overhead.hashtable.slot-to-keys", 0, &reply)
    }
    field("overhead.total", report.overhead, &reply)
    field("keys.count", report.keyCount, &reply)
    field("keys.bytes-per-key", report.bytesPerKey, &reply)
    field("dataset.bytes", report.dataset, &reply)
    field("dataset.percentage", report.datasetPercentage, &reply)
    field("peak.percentage", report.peakPercentage, &reply)
    field("allocator.allocated", report.allocated, &reply)
    field("allocator.active", report.active, &reply)
    field("allocator.resident", report.arenaResident, &reply)
    field("allocator-fragmentation.ratio", report.fragmentation, &reply)
    field("allocator-fragmentation.bytes", report.active - report.allocated, &reply)
    field("allocator-rss.ratio", report.arenaOverhead, &reply)
    field("allocator-rss.bytes", report.arenaResident - report.active, &reply)
    field("rss-overhead.ratio", report.processOverhead, &reply)
    field("rss-overhead.bytes", report.resident - report.arenaResident, &reply)
    field("fragmentation", report.total, &reply)
    field("fragmentation.bytes", report.resident - report.used, &reply)
  }

  private static func field(_ name: StaticString, _ value: Int, _ reply: inout ReplyBuffer) {
    reply.bulk(name)
    reply.integer(value)
  }

  private static func field(_ name: StaticString, _ value: Double, _ reply: inout ReplyBuffer) {
    reply.bulk(name)
    var text = ByteBuffer()
    text.append(double: value)
    reply.double(text: text.span)
  }

  static func memoryPurge(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    while server.keys.freeGarbage(limit: 4096) {}
    while server.keys.arena.trim(keeping: 0) > 0 {}
    Process.trimHeap()
    reply.ok()
  }

  static func memoryMallocStats(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let usage = server.keys.arena.usage
    let free = InformationText.human(usage.residentFreeBytes)
    let fragmentation = InformationText.decimal(usage.fragmentation, 3)
    reply.verbatim(
      """
      ___ Begin ferrite-arena statistics ___
      allocated: \(usage.allocatedBytes) in \(usage.allocations) allocations
      committed: \(usage.committedBytes), of which free: \(usage.residentFreeBytes) (\(free))
      committed for each allocated byte: \(fragmentation)
      --- End ferrite-arena statistics ---

      """)
  }

  static func memoryDoctor(
    _ args: borrowing Arguments, _ server: inout Server, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    reply.verbatim(server.memoryReport().diagnosis)
  }
}

extension MemoryReport {
  /// What an operator should know of these figures, in prose. The thresholds are Redis'.
  var diagnosis: String {
    if used < 5 << 20 {
      return """
        There is less than 5 MB of data here: too little for a diagnosis. Load some and ask again.

        """
    }
    var findings: [String] = []
    if Double(peak) > 1.5 * Double(used) {
      findings.append(
        """
        Peak: up to \(InformationText.human(peak)) were in use, now it is \
        \(InformationText.human(used)). Ferrite gives free pages back by itself; \
        MEMORY PURGE does it at once.
        """)
    }
    if total > 1.4 && resident - used > 10 << 20 {
      findings.append(
        """
        Resident set: the process holds \(InformationText.human(resident)) of memory for \
        \(InformationText.human(used)) in use.
        """)
    }
    if fragmentation > 1.1 && active - allocated > 10 << 20 {
      findings.append(
        """
        Fragmentation: pages of \(InformationText.human(active)) hold values of \
        \(InformationText.human(allocated)). That follows when many values of one size give way \
        to values of another; new values fill the gaps.
        """)
    }
    if arenaOverhead > 1.1 && arenaResident - active > 10 << 20 {
      findings.append(
        """
        Free pages: \(InformationText.human(arenaResident - active)) are free but not given back \
        yet. They go within a second or two, or with MEMORY PURGE.
        """)
    }
    if processOverhead > 1.1 && resident - arenaResident > 10 << 20 {
      findings.append(
        """
        Process: \(InformationText.human(resident - arenaResident)) are taken by buffers and the \
        program itself, not by data.
        """)
    }
    if connections > 0 && clients / connections > 200 << 10 {
      findings.append(
        """
        Connections: they take \(InformationText.human(clients / connections)) each on average. \
        CLIENT LIST shows whose buffers are large: readers that are too slow, or replies that are \
        too long.
        """)
    }
    if findings.isEmpty { return "No problem with memory was found.\n" }
    let list = findings.map { " * \($0)\n\n" }.joined()
    return "Findings about this server's memory:\n\n" + list
  }
}
