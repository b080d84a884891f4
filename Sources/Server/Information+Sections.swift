// The sections of INFO that describe the server: who it is, whom it serves, what it keeps.

import Bytes
import Glibc
import Keyspace
import Platform

extension Server {
  /// INFO's text for some sections.
  mutating func information(_ sections: Set<InformationSection>) -> String {
    var text = InformationText()
    for section in InformationSection.allCases where sections.contains(section) {
      text.section(section)
      switch section {
      case .server: describeServer(&text)
      case .clients: describeClients(&text)
      case .memory: describeMemory(&text)
      case .persistence: describePersistence(&text)
      case .stats: describeStatistics(&text)
      case .replication: describeReplication(&text)
      case .cpu: describeCPU(&text)
      case .modules: break
      case .commandstats: describeCommands(&text)
      case .errorstats: describeErrors(&text)
      case .latencystats: describeLatencies(&text)
      case .cluster: text.field("cluster_enabled", false)
      case .keyspace: describeKeyspace(&text)
      }
    }
    return text.text
  }

  private func describeServer(_ text: inout InformationText) {
    let microseconds = Int(clock.wallMicroseconds())
    let uptime = max(microseconds / 1000 - startMilliseconds, 0) / 1000
    text.field("redis_version", Configuration.redisVersion)
    text.field("redis_git_sha1", "00000000")
    text.field("redis_git_dirty", false)
    text.field("redis_build_id", "0000000000000000")
    text.field("redis_mode", "standalone")
    text.field("ferrite_version", Configuration.version)
    text.field("os", "\(Machine.kernel) \(Machine.architecture)")
    text.field("arch_bits", 64)
    text.field(
      "monotonic_clock", "\(Machine.counter) @ \(Int(ticks.perMicrosecond.rounded())) ticks/us")
    text.field("multiplexing_api", "\(network.backendName)")
    text.field("atomicvar_api", "c11-builtin")
    text.field("gcc_version", "0.0.0")
    text.field("process_id", Int(Process.identifier))
    text.field("process_supervised", supervisor.name)
    text.field("run_id", runID)
    text.field("tcp_port", configuration.port)
    text.field("server_time_usec", microseconds)
    text.field("uptime_in_seconds", uptime)
    text.field("uptime_in_days", uptime / 86_400)
    text.field("hz", configuration.hz)
    text.field("configured_hz", configuration.hz)
    text.field("lru_clock", now / 1000 & 0xFF_FFFF)
    text.field("executable", executablePath)
    text.field("config_file", configuration.filePath ?? "")
    text.field("io_threads_active", false)
    describeListeners(&text)
  }

  private func describeListeners(_ text: inout InformationText) {
    var number = 0
    if !listeners.isEmpty {
      let addresses = listeners.map { ",bind=\($0.address)" }.joined()
      text.field("listener0", "name=tcp\(addresses),port=\(configuration.port)")
      number = 1
    }
    if !configuration.unixSocket.isEmpty {
      text.field("listener\(number)", "name=unix,bind=\(configuration.unixSocket)")
    }
  }

  private func describeClients(_ text: inout InformationText) {
    let totals = clientTotals()
    text.field("connected_clients", totals.count)
    text.zeros("cluster_connections")
    text.field("maxclients", configuration.maximumClients)
    text.field("client_recent_max_input_buffer", totals.largestInput)
    text.field("client_recent_max_output_buffer", totals.largestOutput)
    text.field("blocked_clients", totals.paused + suspensions.count)
    text.zeros("tracking_clients")
    text.field("clients_in_timeout_table", deadlines.count)
    text.field("total_blocking_keys", blocked.keyCount)
    text.field("total_blocking_keys_on_nokey", blocked.flaggedKeyCount)
  }

  private func describePersistence(_ text: inout InformationText) {
    text.zeros(
      "loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age")
    text.field("current_fork_perc", 0, decimals: 2)
    text.zeros("current_save_keys_processed", "current_save_keys_total")
    text.field("rdb_changes_since_last_save", keys.statistics.changes)
    text.zeros("rdb_bgsave_in_progress")
    text.field("rdb_last_save_time", startMilliseconds / 1000)
    text.field("rdb_last_bgsave_status", "ok")
    text.field("rdb_last_bgsave_time_sec", -1)
    text.field("rdb_current_bgsave_time_sec", -1)
    text.zeros(
      "rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded",
      "aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled")
    text.field("aof_last_rewrite_time_sec", -1)
    text.field("aof_current_rewrite_time_sec", -1)
    text.field("aof_last_bgrewrite_status", "ok")
    text.zeros("aof_rewrites", "aof_rewrites_consecutive_failures")
    // The log has the AOF's part, and this is where a monitor of Redis looks.
    text.field("aof_last_write_status", logFailure.isEmpty ? "ok" : "err")
    text.zeros("aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size")
    describeStorage(&text)
  }

  private func describeReplication(_ text: inout InformationText) {
    text.field("role", "master")
    text.zeros("connected_slaves")
    text.field("master_failover_state", "no-failover")
    text.field("master_replid", replicationID)
    text.field("master_replid2", String(repeating: "0", count: 40))
    text.zeros("master_repl_offset")
    text.field("second_repl_offset", -1)
    text.zeros("repl_backlog_active")
    text.field("repl_backlog_size", configuration[number: "repl-backlog-size", or: 1 << 20])
    text.zeros("repl_backlog_first_byte_offset", "repl_backlog_histlen")
  }

  private func describeCPU(_ text: inout InformationText) {
    let all = Process.cpuTimes()
    let children = Process.childrenCPUTimes()
    let thread = Process.threadCPUTimes()
    text.field("used_cpu_sys", InformationText.seconds(all.systemMicroseconds))
    text.field("used_cpu_user", InformationText.seconds(all.userMicroseconds))
    text.field("used_cpu_sys_children", InformationText.seconds(children.systemMicroseconds))
    text.field("used_cpu_user_children", InformationText.seconds(children.userMicroseconds))
    text.field("used_cpu_sys_main_thread", InformationText.seconds(thread.systemMicroseconds))
    text.field("used_cpu_user_main_thread", InformationText.seconds(thread.userMicroseconds))
  }

  private mutating func describeKeyspace(_ text: inout InformationText) {
    for database in 0..<keys.databaseCount {
      let count = keys.count(database: database)
      guard count > 0 else { continue }
      let expiring = keys.expiringCount(database: database)
      let average = keys.averageTimeToLive(database: database)
      // Redis 7.4 tells of hashes with timed fields; 7.2 has none to tell of.
      let timed = keys.timedCount(database: database)
      let tail = timed == 0 ? "" : ",subexpiry=\(timed)"
      text.field("db\(database)", "keys=\(count),expires=\(expiring),avg_ttl=\(average)\(tail)")
    }
  }
}

/// What the connections amount to.
struct ClientTotals: Equatable {
  var count = 0
  /// Those whose commands wait for the end of CLIENT PAUSE.
  var paused = 0
  /// Bytes that the open connections have received and sent.
  var inputBytes = 0
  var outputBytes = 0
  /// Memory of the open connections, their buffers included.
  var memoryBytes = 0
  var largestInput = 0
  var largestOutput = 0
}

extension Server {
  /// Adds the open connections up. One pass over their slots: for INFO and the cron, not for
  /// requests.
  func clientTotals() -> ClientTotals {
    var totals = ClientTotals()
    let fixed = MemoryLayout<Client>.stride + MemoryLayout<Connection>.stride
    for slot in 0..<clients.count where clients[slot].id != 0 {
      let input = network.connections[slot].input.capacity
      let output = network.connections[slot].outputCapacity
      totals.count += 1
      if pausedUntil > now && clients[slot].flags.contains(.postponed) { totals.paused += 1 }
      totals.inputBytes += network.connections[slot].bytesReceived
      totals.outputBytes += network.connections[slot].bytesSent
      let kept = keptBytes(slot)
      totals.memoryBytes += fixed + input + output + clients[slot].header.capacity
      totals.memoryBytes += kept.multi + kept.wait
      totals.largestInput = max(totals.largestInput, input)
      totals.largestOutput = max(totals.largestOutput, output)
    }
    return totals
  }
}

/// What never changes while the process lives.
enum Machine {
  /// "Linux 6.18.44"
  static let kernel: String = {
    let type = line("/proc/sys/kernel/ostype")
    return "\(type.isEmpty ? "Linux" : type) \(line("/proc/sys/kernel/osrelease"))"
  }()

  static let memoryBytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))

  #if arch(x86_64)
    static let architecture = "x86_64"
    static let counter = "X86 TSC"
  #else
    static let architecture = "aarch64"
    static let counter = "ARM CNTVCT"
  #endif

  private static func line(_ path: String) -> String {
    guard let content = try? Files.read(path) else { return "" }
    return String(String(copying: content.span).prefix { !$0.isNewline })
  }
}
