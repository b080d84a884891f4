// Memory as INFO, MEMORY STATS and MEMORY DOCTOR report it.
//
//   | resident set (RSS) .......................................................... |
//   | used: startup | connections | tables, deadlines | keys and values | process's own |
//           `------------- overhead -------------'    `--- dataset ---'
//
//   the arena:   allocated <= active (pages that hold something) <= resident (with free pages)

import Keyspace
import Memory
import Platform

struct MemoryReport {
  struct Database {
    var number: Int
    var keys: Int
    var table: Int
    var deadlines: Int
  }

  var used: Int
  var peak: Int
  var startup: Int
  /// The resident set of the whole process.
  var resident: Int
  var clients: Int
  var connections: Int
  /// The arena's figures.
  var allocated: Int
  var active: Int
  var arenaResident: Int
  var databases: [Database] = []

  var overhead: Int {
    startup + clients + databases.reduce(0) { $0 + $1.table + $1.deadlines }
  }
  var dataset: Int { max(used - overhead, 0) }
  /// What is used beyond an empty server; at least 1, to divide by.
  var net: Int { max(used - startup, 1) }
  var keyCount: Int { databases.reduce(0) { $0 + $1.keys } }
  var bytesPerKey: Int { keyCount == 0 ? 0 : net / keyCount }
  var datasetPercentage: Double { Double(dataset) * 100 / Double(net) }
  var peakPercentage: Double { Double(used) * 100 / Double(max(peak, 1)) }

  var fragmentation: Double { Self.ratio(active, allocated) }
  var arenaOverhead: Double { Self.ratio(arenaResident, active) }
  var processOverhead: Double { Self.ratio(resident, arenaResident) }
  var total: Double { Self.ratio(resident, used) }

  private static func ratio(_ a: Int, _ b: Int) -> Double { b == 0 ? 1 : Double(a) / Double(b) }
}

extension Server {
  /// Measures memory now.
  mutating func memoryReport() -> MemoryReport {
    let totals = clientTotals()
    statistics.clientBytes = totals.memoryBytes
    let usage = keys.arena.usage
    let used = usedMemoryBytes
    statistics.peakMemoryBytes = max(statistics.peakMemoryBytes, used)
    var report = MemoryReport(
      used: used, peak: statistics.peakMemoryBytes, startup: statistics.startupMemoryBytes,
      resident: Process.residentBytes(), clients: totals.memoryBytes, connections: totals.count,
      allocated: usage.allocatedBytes, active: usage.committedBytes - usage.residentFreeBytes,
      arenaResident: usage.committedBytes)
    for number in 0..<keys.databaseCount {
      let count = keys.count(database: number)
      guard count > 0 else { continue }
      let overhead = keys.overheadBytes(database: number)
      report.databases.append(
        MemoryReport.Database(
          number: number, keys: count, table: overhead.table, deadlines: overhead.deadlines))
    }
    return report
  }

  mutating func describeMemory(_ text: inout InformationText) {
    let report = memoryReport()
    text.size("used_memory", report.used)
    text.size("used_memory_rss", report.resident)
    text.size("used_memory_peak", report.peak)
    text.field("used_memory_peak_perc", InformationText.decimal(report.peakPercentage, 2) + "%")
    text.field("used_memory_overhead", report.overhead)
    text.field("used_memory_startup", report.startup)
    text.field("used_memory_dataset", report.dataset)
    text.field(
      "used_memory_dataset_perc", InformationText.decimal(report.datasetPercentage, 2) + "%")
    text.field("allocator_allocated", report.allocated)
    text.field("allocator_active", report.active)
    text.field("allocator_resident", report.arenaResident)
    text.size("total_system_memory", Machine.memoryBytes)
    text.zeros("used_memory_lua", "used_memory_vm_eval")
    text.field("used_memory_lua_human", "0B")
    text.zeros(
      "used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions",
      "number_of_libraries", "used_memory_vm_functions")
    text.size("used_memory_vm_total", 0)
    text.zeros("used_memory_functions")
    text.size("used_memory_scripts", 0)
    text.size("maxmemory", configuration.maximumMemoryBytes)
    text.field("maxmemory_policy", configuration.maximumMemoryPolicy.rawValue)
    describeFragmentation(report, &text)
  }

  private func describeFragmentation(_ report: MemoryReport, _ text: inout InformationText) {
    text.field("allocator_frag_ratio", report.fragmentation, decimals: 2)
    text.field("allocator_frag_bytes", report.active - report.allocated)
    text.field("allocator_rss_ratio", report.arenaOverhead, decimals: 2)
    text.field("allocator_rss_bytes", report.arenaResident - report.active)
    text.field("rss_overhead_ratio", report.processOverhead, decimals: 2)
    text.field("rss_overhead_bytes", report.resident - report.arenaResident)
    text.field("mem_fragmentation_ratio", report.total, decimals: 2)
    text.field("mem_fragmentation_bytes", report.resident - report.used)
    text.field("mem_not_counted_for_evict", report.used - keys.usedBytes)
    text.zeros("mem_replication_backlog", "mem_total_replication_buffers", "mem_clients_slaves")
    text.field("mem_clients_normal", report.clients)
    text.zeros("mem_cluster_links", "mem_aof_buffer")
    text.field("mem_allocator", "ferrite-arena")
    text.zeros("active_defrag_running")
    text.field("lazyfree_pending_objects", pendingObjects)
    text.field("lazyfreed_objects", keys.statistics.lazyFreedObjects)
  }

  /// About how many keys of flushed databases have not been freed yet; 1 when only large values
  /// wait.
  var pendingObjects: Int {
    guard keys.hasGarbage else { return 0 }
    return max(statistics.flushedObjects - keys.statistics.freedElements, 1)
  }

  /// Counts the keys of a database that is about to be flushed.
  mutating func countFlush(of database: Int, _ isLazy: Bool) {
    let count = keys.count(database: database)
    statistics.flushedObjects += count
    if isLazy { keys.statistics.lazyFreedObjects += count }
  }
}
