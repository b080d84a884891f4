// HyperLogLogs: the rows of the commands that count different elements. Handlers:
// HyperLogLogHandlers.

extension Command where Host: ~Copyable {
  /// Commands on HyperLogLogs.
  @_optimize(none) @CommandList<Host>
  public static var hyperLogLogs: [Command] {
    CommandGroup.hyperloglog
    Command(
      "PFADD", arity: -2, [.write, .denyOOM, .fast], .hyperloglog,
      .keyspace(HyperLogLogHandlers.pfadd),
      keys: [.key(1, [.readWrite, .insert])],
      summary: "Adds elements to a HyperLogLog, creating it if need be.", since: "2.8.9",
      complexity: "O(1) for each element",
      arguments: [.key(), .string("element", [.optional, .multiple])])
    Command(
      "PFCOUNT", arity: -2, [.readOnly, .mayReplicate], .hyperloglog,
      .keyspace(HyperLogLogHandlers.pfcount),
      keys: [
        KeySpec(
          .index(1), .range(lastKey: -1, step: 1, limit: 0), [.readWrite, .access],
          notes:
            "RW because it may change the internal representation of the key, and propagate to "
            + "replicas")
      ],
      summary: "Estimates how many different elements HyperLogLogs have seen together.",
      since: "2.8.9",
      complexity: "O(1) for one key, O(N) for N keys, with a large constant",
      arguments: [.key("key", .multiple)])
    Command(
      "PFDEBUG", arity: 3, [.write, .denyOOM, .admin], .hyperloglog,
      .keyspace(HyperLogLogHandlers.pfdebug),
      keys: [.key(2, [.readWrite, .access])],
      summary: "Looks into a HyperLogLog.", since: "2.8.9", complexity: "N/A", isInternal: true,
      arguments: [.string("subcommand"), .key()])
    Command(
      "PFMERGE", arity: -2, [.write, .denyOOM], .hyperloglog,
      .keyspace(HyperLogLogHandlers.pfmerge),
      keys: [
        .key(1, [.readWrite, .access, .insert]), .keys(from: 2, [.readOnly, .access]),
      ],
      summary: "Merges HyperLogLogs into one.", since: "2.8.9",
      complexity: "O(N) for N keys, with a large constant",
      arguments: [.key("destkey"), .key("sourcekey", spec: 1, [.optional, .multiple])])
    Command(
      "PFSELFTEST", arity: 1, .admin, .hyperloglog, .keyspace(HyperLogLogHandlers.pfselftest),
      summary: "Tests the counters and the estimates.", since: "2.8.9", complexity: "N/A",
      isInternal: true)
  }
}
