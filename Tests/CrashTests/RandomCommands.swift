// RandomCommands: batches of commands of every type, by seed: what a run consists of.

import Simulation

struct RandomCommands {
  private var random: SeededRandom

  init(seed: UInt64, batch: Int) {
    random = SeededRandom(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(batch))
  }

  /// Commands that are executed together; one group in three is a transaction.
  mutating func batch() -> [(commands: [[String]], isTransaction: Bool)] {
    (0..<1 + random.below(4)).map { _ in
      let isTransaction = random.oneIn(3)
      return ((0..<(isTransaction ? 2 + random.below(3) : 1)).map { _ in command() }, isTransaction)
    }
  }

  private mutating func pick(_ choices: String...) -> String {
    choices[random.below(choices.count)]
  }

  /// A key that mostly has the type that its first letter says.
  private mutating func key(_ type: String) -> String {
    random.oneIn(12) ? pick("s1", "l1", "h1", "t1", "z1", "x1") : type + "\(1 + random.below(3))"
  }

  private mutating func value() -> String {
    switch random.below(8) {
    case 0: "\(random.below(10_000))"
    case 1: String(repeating: "medium", count: 1 + random.below(40))
    case 2: String(repeating: "large", count: 100 + random.below(500))
    default: "v\(random.below(40))"
    }
  }

  private mutating func element() -> String {
    random.oneIn(10) ? value() : random.oneIn(3) ? "\(random.below(50))" : "e\(random.below(50))"
  }

  private mutating func elements() -> [String] {
    (0..<1 + random.below(6)).map { _ in element() }
  }

  private mutating func command() -> [String] {
    switch random.below(8) {
    case 0: generic()
    case 1: string()
    case 2: list()
    case 3: hash()
    case 4: set()
    case 5: sortedSet()
    case 6: stream()
    default: bits()
    }
  }

  private mutating func anyKey() -> String { key(pick("s", "l", "h", "t", "z", "x")) }

  private mutating func generic() -> [String] {
    switch random.below(12) {
    case 0: ["DEL", anyKey(), anyKey()]
    case 1: ["UNLINK", anyKey()]
    case 2: ["PEXPIRE", anyKey(), "\(random.below(2000))"]
    case 3: ["EXPIRE", anyKey(), "100"]
    case 4: ["PERSIST", anyKey()]
    case 5: ["RENAME", anyKey(), anyKey()]
    case 6: ["COPY", anyKey(), anyKey(), "REPLACE"]
    case 7: ["MOVE", anyKey(), "\(random.below(2))"]
    case 8: ["SORT", key("l"), "ALPHA", "STORE", key("l")]
    case 9: random.oneIn(4) ? ["FLUSHDB"] : ["EXISTS", anyKey()]
    case 10: random.oneIn(2) ? ["SWAPDB", "0", "1"] : ["TOUCH", anyKey()]
    default: ["COPY", anyKey(), anyKey(), "DB", "1", "REPLACE"]
    }
  }

  private mutating func string() -> [String] {
    switch random.below(8) {
    case 0: ["APPEND", key("s"), value()]
    case 1: ["INCRBY", key("s"), "\(random.below(100))"]
    case 2: ["INCRBYFLOAT", key("s"), "2.5"]
    case 3: ["SETRANGE", key("s"), "\(random.below(3000))", value()]
    case 4: ["MSET", key("s"), value(), key("s"), value()]
    case 5: ["GETDEL", key("s")]
    case 6: ["SET", key("s"), value(), "PX", "\(1 + random.below(900))"]
    default: ["SET", key("s"), value()]
    }
  }

  private mutating func bits() -> [String] {
    switch random.below(5) {
    case 0: ["SETBIT", key("s"), "\(random.below(9000))", "1"]
    case 1: ["BITOP", "XOR", key("s"), key("s"), key("s")]
    case 2: ["BITFIELD", key("s"), "INCRBY", "u16", "#\(random.below(50))", "7"]
    case 3: ["PFADD", key("p")] + elements()
    default: ["PFMERGE", key("p"), key("p"), key("p")]
    }
  }

  private mutating func list() -> [String] {
    switch random.below(8) {
    case 0: ["LPUSH", key("l")] + elements()
    case 1: ["LPOP", key("l"), "\(random.below(5))"]
    case 2: ["LREM", key("l"), "0", element()]
    case 3: ["LINSERT", key("l"), "BEFORE", element(), element()]
    case 4: ["LTRIM", key("l"), "0", "\(random.below(40))"]
    case 5: ["LMOVE", key("l"), key("l"), pick("LEFT", "RIGHT"), pick("LEFT", "RIGHT")]
    default: ["RPUSH", key("l")] + elements()
    }
  }

  private mutating func hash() -> [String] {
    switch random.below(6) {
    case 0: ["HDEL", key("h")] + elements()
    case 1: ["HINCRBY", key("h"), "n\(random.below(4))", "3"]
    case 2: ["HSETNX", key("h"), element(), value()]
    default: ["HSET", key("h")] + elements().flatMap { [$0, value()] }
    }
  }

  private mutating func set() -> [String] {
    switch random.below(7) {
    case 0: ["SREM", key("t")] + elements()
    case 1: ["SPOP", key("t"), "\(1 + random.below(4))"]
    case 2: ["SMOVE", key("t"), key("t"), element()]
    case 3: [pick("SUNIONSTORE", "SDIFFSTORE", "SINTERSTORE"), key("t"), key("t"), key("t")]
    default: ["SADD", key("t")] + elements()
    }
  }

  private mutating func sortedSet() -> [String] {
    switch random.below(8) {
    case 0: ["ZREM", key("z")] + elements()
    case 1: ["ZINCRBY", key("z"), "1.5", element()]
    case 2: ["ZPOPMIN", key("z"), "\(1 + random.below(4))"]
    case 3: ["ZREMRANGEBYRANK", key("z"), "0", "\(random.below(5))"]
    case 4: ["ZUNIONSTORE", key("z"), "2", key("z"), key("z")]
    case 5: ["GEOADD", key("z"), "13.\(random.below(90))", "38.\(random.below(90))", element()]
    default: ["ZADD", key("z")] + elements().flatMap { ["\(random.below(100))", $0] }
    }
  }

  private mutating func stream() -> [String] {
    switch random.below(9) {
    case 0: ["XGROUP", "CREATE", key("x"), "g", "0", "MKSTREAM"]
    case 1:
      ["XREADGROUP", "GROUP", "g", "c\(random.below(2))", "COUNT", "3", "STREAMS", key("x"), ">"]
    case 2: ["XTRIM", key("x"), "MAXLEN", "\(random.below(30))"]
    case 3: ["XAUTOCLAIM", key("x"), "g", "c0", "0", "0"]
    case 4: ["XDEL", key("x"), "\(1 + random.below(40))-1"]
    default: ["XADD", key("x"), "*"] + elements().flatMap { [$0, value()] }
    }
  }
}
