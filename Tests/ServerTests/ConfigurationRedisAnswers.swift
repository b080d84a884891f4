// CONFIG SET, value by value, as redis-server 7.0.15 answered it: each row was sent to the real
// one, in this order, and its reply or the value that CONFIG GET then gave is the expectation.

enum Expectation: Sendable {
  /// CONFIG GET tells this afterwards.
  case reads(String)
  /// CONFIG SET fails for this reason.
  case refused(String)
}

private let policies =
  "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, "
  + "allkeys-random, noeviction"
private let between = "argument must be between "

let redisAnswers: [(name: String, value: String, expectation: Expectation)] = [
  ("timeout", "0", .reads("0")),
  ("timeout", "2147483647", .reads("2147483647")),
  ("timeout", "2147483648", .refused("\(between)0 and 2147483647 inclusive")),
  ("timeout", "-1", .refused("\(between)0 and 2147483647 inclusive")),
  ("timeout", "01", .refused("argument couldn't be parsed into an integer")),
  ("timeout", "+1", .refused("argument couldn't be parsed into an integer")),
  ("timeout", " 1", .refused("argument couldn't be parsed into an integer")),
  ("timeout", "", .refused("argument couldn't be parsed into an integer")),
  ("timeout", "abc", .refused("argument couldn't be parsed into an integer")),
  ("timeout", "9223372036854775808", .refused("argument couldn't be parsed into an integer")),
  ("port", "65536", .refused("\(between)0 and 65535 inclusive")),
  ("maxclients", "0", .refused("\(between)1 and 4294967295 inclusive")),
  ("maxclients", "-1", .refused("\(between)1 and 4294967295 inclusive")),
  ("hz", "0", .reads("1")),
  ("hz", "1000", .reads("500")),
  ("hz", "-1", .refused("\(between)0 and 2147483647 inclusive")),
  ("tcp-keepalive", "60", .reads("60")),
  ("slowlog-log-slower-than", "-1", .reads("-1")),
  ("slowlog-log-slower-than", "-2", .refused("\(between)-1 and 9223372036854775807 inclusive")),
  ("slowlog-max-len", "-1", .refused("\(between)0 and 9223372036854775807 inclusive")),
  ("latency-monitor-threshold", "100", .reads("100")),
  (
    "list-max-listpack-size", "-2147483649",
    .refused("\(between)-2147483648 and 2147483647 inclusive")
  ),
  ("list-max-ziplist-size", "128", .reads("128")),
  ("active-expire-effort", "11", .refused("\(between)1 and 10 inclusive")),
  ("active-expire-effort", "10", .reads("10")),
  ("maxmemory", "100", .reads("100")),
  ("maxmemory", "1k", .reads("1000")),
  ("maxmemory", "1KB", .reads("1024")),
  ("maxmemory", "1m", .reads("1000000")),
  ("maxmemory", "1mB", .reads("1048576")),
  ("maxmemory", "2g", .reads("2000000000")),
  ("maxmemory", "2Gb", .reads("2147483648")),
  ("maxmemory", "10b", .reads("10")),
  ("maxmemory", "", .reads("0")),
  ("maxmemory", "kb", .reads("0")),
  ("maxmemory", "-1", .refused("argument must be a memory value")),
  ("maxmemory", "1.5gb", .refused("argument must be a memory value")),
  ("maxmemory", "1 gb", .refused("argument must be a memory value")),
  ("maxmemory", "0", .reads("0")),
  ("proto-max-bulk-len", "1024", .refused("\(between)1048576 and 9223372036854775807 inclusive")),
  ("proto-max-bulk-len", "1mb", .reads("1048576")),
  ("proto-max-bulk-len", "512mb", .reads("536870912")),
  (
    "client-query-buffer-limit", "1",
    .refused("\(between)1048576 and 9223372036854775807 inclusive")
  ),
  ("hash-max-listpack-value", "64b", .reads("64")),
  ("hash-max-ziplist-entries", "x", .refused("argument couldn't be parsed into an integer")),
  ("maxmemory-clients", "5%", .reads("5%")),
  ("maxmemory-clients", "0%", .reads("0")),
  ("maxmemory-clients", "100%", .reads("100%")),
  ("maxmemory-clients", "101%", .refused("percentage argument must be less or equal to 100")),
  ("maxmemory-clients", "-5%", .refused("argument must be a memory or percent value")),
  ("maxmemory-clients", "1.5%", .refused("argument must be a memory or percent value")),
  ("maxmemory-clients", "%", .refused("argument must be a memory or percent value")),
  ("maxmemory-clients", "1mb", .reads("1048576")),
  ("maxmemory-clients", "0", .reads("0")),
  ("maxmemory-clients", "x", .refused("argument must be a memory or percent value")),
  ("protected-mode", "YES", .reads("yes")),
  ("protected-mode", "No", .reads("no")),
  ("protected-mode", "1", .refused("argument must be 'yes' or 'no'")),
  ("protected-mode", "", .refused("argument must be 'yes' or 'no'")),
  ("maxmemory-policy", "AllKeys-LRU", .reads("allkeys-lru")),
  ("maxmemory-policy", "lru", .refused("argument(s) must be one of the following: \(policies)")),
  ("maxmemory-policy", "noeviction", .reads("noeviction")),
  ("loglevel", "VERBOSE", .reads("verbose")),
  ("oom-score-adj", "relative", .reads("yes")),
  ("oom-score-adj", "no", .reads("no")),
  (
    "appendfsync", "sometimes",
    .refused("argument(s) must be one of the following: everysec, always, no")
  ),
  ("save", "900 1", .reads("900 1")),
  ("save", "900 1 300 10", .reads("900 1 300 10")),
  ("save", "900 1  300 10", .refused("Invalid save parameters")),
  ("save", "900", .refused("Invalid save parameters")),
  ("save", "0 1", .refused("Invalid save parameters")),
  ("save", "900 -1", .refused("Invalid save parameters")),
  ("save", "900 0", .reads("900 0")),
  ("save", "a b", .refused("Invalid save parameters")),
  ("save", "900 1 ", .refused("Invalid save parameters")),
  ("save", " 900 1", .refused("Invalid save parameters")),
  ("save", "", .reads("")),
  (
    "client-output-buffer-limit", "normal 0 0 0",
    .reads("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
  ),
  (
    "client-output-buffer-limit", "replica 1mb 512kb 30",
    .reads("normal 0 0 0 slave 1048576 524288 30 pubsub 33554432 8388608 60")
  ),
  (
    "client-output-buffer-limit", "SLAVE 256mb 64mb 60",
    .reads("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
  ),
  (
    "client-output-buffer-limit", "normal 1 2 3 pubsub 4 5 6",
    .reads("normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6")
  ),
  (
    "client-output-buffer-limit", "normal 0 0 0 pubsub 32mb 8mb 60",
    .reads("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
  ),
  (
    "client-output-buffer-limit", "master 0 0 0",
    .refused("Invalid client class specified in buffer limit configuration.")
  ),
  (
    "client-output-buffer-limit", "normal 0 0",
    .refused("Wrong number of arguments in buffer limit configuration.")
  ),
  (
    "client-output-buffer-limit", "normal x 0 0",
    .refused("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
  ),
  (
    "client-output-buffer-limit", "normal 0 0 -1",
    .refused("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
  ),
  (
    "client-output-buffer-limit", "normal 0 0 1s",
    .refused("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
  ),
  (
    "client-output-buffer-limit", "",
    .reads("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
  ),
  ("oom-score-adj-values", "1 2 3", .reads("1 2 3")),
  ("oom-score-adj-values", "0 200 800", .reads("0 200 800")),
  ("oom-score-adj-values", "0 200", .refused("wrong number of arguments")),
  (
    "oom-score-adj-values", "0 200 2001",
    .refused("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
  ),
  (
    "oom-score-adj-values", "0 x 800",
    .refused("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
  ),
  ("notify-keyspace-events", "KEA", .reads("AKE")),
  ("notify-keyspace-events", "Kg$xm", .reads("g$xKm")),
  ("notify-keyspace-events", "Elshzet", .reads("lshzetE")),
  ("notify-keyspace-events", "g$lshzxetd", .reads("A")),
  ("notify-keyspace-events", "Kn", .reads("nK")),
  (
    "notify-keyspace-events", "q", .refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
  ),
  ("notify-keyspace-events", "", .reads("")),
  ("latency-tracking-info-percentiles", "50 99 99.9", .reads("50 99 99.9")),
  ("latency-tracking-info-percentiles", "0.1234567 100", .reads("0.123457 100")),
  (
    "latency-tracking-info-percentiles", "100.1",
    .refused("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
  ),
  (
    "latency-tracking-info-percentiles", "-1",
    .refused("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
  ),
  (
    "latency-tracking-info-percentiles", "x",
    .refused("Invalid latency-tracking-info-percentiles parameters")
  ),
  (
    "latency-tracking-info-percentiles", "50  99",
    .refused("Invalid latency-tracking-info-percentiles parameters")
  ),
  ("latency-tracking-info-percentiles", "", .reads("")),
  ("shutdown-on-sigint", "save now", .reads("save now")),
  ("shutdown-on-sigint", "NOSAVE FORCE", .reads("nosave force")),
  (
    "shutdown-on-sigterm", "save nosave",
    .refused("shutdown options SAVE and NOSAVE can't be used simultaneously")
  ),
  (
    "shutdown-on-sigterm", "never",
    .refused("argument(s) must be one of the following: default, save, nosave, now, force")
  ),
  ("shutdown-on-sigterm", "default", .reads("default")),
  ("shutdown-on-sigint", "default", .reads("default")),
  ("dbfilename", "a/b", .refused("dbfilename can't be a path, just a filename")),
  ("dbfilename", "x.rdb", .reads("x.rdb")),
  (
    "proc-title-template", "{foo}",
    .refused("template format is invalid or contains unknown variables")
  ),
  ("proc-title-template", "{title} x", .reads("{title} x")),
  ("proc-title-template", "", .refused("template format is invalid or contains unknown variables")),
  (
    "cluster-announce-hostname", "a_b",
    .refused("Hostnames may only contain alphanumeric characters, hyphens or dots")
  ),
  ("cluster-announce-hostname", "a-b.c", .reads("a-b.c")),
  ("replica-announce-port", "65536", .refused("\(between)0 and 65535 inclusive")),
  ("activedefrag", "maybe", .refused("argument must be 'yes' or 'no'")),
  ("requirepass", "", .reads("")),
  ("masterauth", "x y", .reads("x y")),
  ("unixsocketperm", "700", .refused("can't set immutable config")),
  ("databases", "1", .refused("can't set immutable config")),
  ("bind", "127.0.0.1 ::1", .reads("127.0.0.1 ::1")),
  ("port", "7391", .reads("7391")),
]
