// The sections of INFO that count: stats, commandstats, errorstats, latencystats.

import Bytes
import Commands
import Keyspace
import Platform

extension Server {
  func describeStatistics(_ text: inout InformationText) {
    let totals = clientTotals()
    let rates = statistics.rates
    text.field("total_connections_received", statistics.connectionsReceived)
    text.field("total_commands_processed", statistics.commandsProcessed)
    text.field("instantaneous_ops_per_sec", rates.commands)
    text.field("total_net_input_bytes", statistics.inputBytes + totals.inputBytes)
    text.field("total_net_output_bytes", statistics.outputBytes + totals.outputBytes)
    text.zeros("total_net_repl_input_bytes", "total_net_repl_output_bytes")
    text.field("instantaneous_input_kbps", rates.inputKibibytes, decimals: 2)
    text.field("instantaneous_output_kbps", rates.outputKibibytes, decimals: 2)
    text.field("instantaneous_input_repl_kbps", 0, decimals: 2)
    text.field("instantaneous_output_repl_kbps", 0, decimals: 2)
    text.field("rejected_connections", rejectedConnections - statistics.rejectedBefore)
    text.zeros("sync_full", "sync_partial_ok", "sync_partial_err")
    describeExpiry(&text)
    text.zeros(
      "pubsub_channels", "pubsub_patterns", "pubsubshard_channels", "latest_fork_usec",
      "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits",
      "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses",
      "total_active_defrag_time", "current_active_defrag_time", "tracking_total_keys",
      "tracking_total_items", "tracking_total_prefixes")
    text.field("unexpected_error_replies", statistics.unexpectedErrorReplies)
    text.field("total_error_replies", statistics.errorReplies)
    text.zeros("dump_payload_sanitizations")
    text.field("total_reads_processed", statistics.readsProcessed)
    text.field("total_writes_processed", statistics.writesProcessed)
    text.zeros(
      "io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks",
      "reply_buffer_expands")
    text.field("eventloop_cycles", statistics.loopTurns)
    text.field("eventloop_duration_sum", Int(ticks.microseconds(statistics.loopTicks)))
    text.field(
      "eventloop_duration_cmd_sum", Int(ticks.microseconds(statistics.commandTicks)))
    text.field("instantaneous_eventloop_cycles_per_sec", rates.turns)
    text.field("instantaneous_eventloop_duration_usec", rates.turnMicroseconds)
    text.field("acl_access_denied_auth", statistics.aclDeniedAuthentications)
    text.zeros("acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel")
  }

  private func describeExpiry(_ text: inout InformationText) {
    text.field("expired_keys", keys.statistics.expiredKeys)
    text.field("expired_subkeys", keys.statistics.expiredFields)
    text.field("expired_stale_perc", 0, decimals: 2)
    text.field("expired_time_cap_reached_count", statistics.expirySlicesCut)
    text.field(
      "expire_cycle_cpu_milliseconds",
      Int(ticks.microseconds(statistics.activeExpireTicks) / 1000))
    text.field("evicted_keys", keys.statistics.evictedKeys)
    text.field("evicted_clients", statistics.evictedClients)
    text.zeros("total_eviction_exceeded_time", "current_eviction_exceeded_time")
    text.field("keyspace_hits", keys.statistics.hits)
    text.field("keyspace_misses", keys.statistics.misses)
  }

  /// Connections turned away since the start.
  var rejectedConnections: Int { network.refusedConnections + statistics.protectedModeRefusals }

  func describeCommands(_ text: inout InformationText) {
    for id in 0..<table.count {
      let counters = statistics.commands[id]
      if counters.calls == 0 && counters.rejected == 0 && counters.failed == 0 { continue }
      let microseconds = ticks.microseconds(counters.ticks)
      let each = counters.calls == 0 ? 0 : microseconds / Double(counters.calls)
      text.field(
        "cmdstat_\(table.fullNames[id])",
        """
        calls=\(counters.calls),usec=\(Int(microseconds)),\
        usec_per_call=\(InformationText.decimal(each, 2)),\
        rejected_calls=\(counters.rejected),failed_calls=\(counters.failed)
        """)
    }
  }

  func describeErrors(_ text: inout InformationText) {
    for (code, count) in statistics.errors.sorted(by: { $0.key < $1.key }) {
      text.field("errorstat_\(InformationText.safe(code))", "count=\(count)")
    }
  }

  func describeLatencies(_ text: inout InformationText) {
    guard configuration.latencyTracking else { return }
    for id in 0..<table.count where statistics.commands[id].calls > 0 {
      let histogram = statistics.histogram(CommandID(rawValue: UInt16(id)))
      guard histogram.total > 0 else { continue }
      let values = configuration.latencyTrackingPercentiles.map { percentile in
        let microseconds = histogram.value(atPercentile: percentile) / ticks.perMicrosecond
        let name = InformationText.trimmed(percentile)
        return "p\(name)=\(InformationText.decimal(microseconds, 3))"
      }
      text.field(
        "latency_percentiles_usec_\(table.fullNames[id])", values.joined(separator: ","))
    }
  }
}
