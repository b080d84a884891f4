// The types of the settings that are more than a number, a word or a yes.
//
// 1. The raw value of a choice is its spelling in redis.conf; the cases stand in the order in
//    which Redis lists them when it refuses another word.

/// `loglevel`: the least important message that is still written.
public enum LogThreshold: String, CaseIterable, Sendable {
  case debug, verbose, notice, warning, nothing
}

/// `supervised`.
public enum Supervision: String, CaseIterable, Sendable {
  case upstart, systemd
  case automatic = "auto"
  case no
}

/// `enable-debug-command`, `enable-protected-configs`: to whom a guarded action is open.
public enum ProtectedAction: String, CaseIterable, Sendable {
  case no, yes, local

  /// Whether a client may act, given where it connects from.
  public func allows(localConnection: Bool) -> Bool {
    self == .yes || (self == .local && localConnection)
  }
}

/// One class of `client-output-buffer-limit`; 0 is no limit.
public struct OutputBufferLimit: Equatable, Sendable {
  public var hardBytes: Int
  public var softBytes: Int
  public var softSeconds: Int

  public init(hardBytes: Int = 0, softBytes: Int = 0, softSeconds: Int = 0) {
    self.hardBytes = hardBytes
    self.softBytes = softBytes
    self.softSeconds = softSeconds
  }
}

/// One pair of `save`: a snapshot after `seconds` if at least `changes` keys changed.
public struct SavePoint: Equatable, Sendable {
  public var seconds: Int
  public var changes: Int

  public init(_ seconds: Int, _ changes: Int) {
    self.seconds = seconds
    self.changes = changes
  }
}

/// One `rename-command`; an empty new name removes the command.
public struct RenamedCommand: Equatable, Sendable {
  public var from: String
  public var to: String
}

/// `shutdown-on-sigint`, `shutdown-on-sigterm`; empty is `default`.
public struct ShutdownActions: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let save = ShutdownActions(rawValue: 1)
  public static let noSave = ShutdownActions(rawValue: 2)
  public static let now = ShutdownActions(rawValue: 4)
  public static let force = ShutdownActions(rawValue: 8)

  static let spellings: [(name: String, action: ShutdownActions)] = [
    ("default", []), ("save", .save), ("nosave", .noSave), ("now", .now), ("force", .force),
  ]
}

/// `notify-keyspace-events`: which events are published, and on which channels.
public struct KeyspaceEvents: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// `__keyspace@<db>__` channels.
  public static let keyspace = KeyspaceEvents(rawValue: 1 << 0)
  /// `__keyevent@<db>__` channels.
  public static let keyevent = KeyspaceEvents(rawValue: 1 << 1)
  public static let generic = KeyspaceEvents(rawValue: 1 << 2)
  public static let string = KeyspaceEvents(rawValue: 1 << 3)
  public static let list = KeyspaceEvents(rawValue: 1 << 4)
  public static let set = KeyspaceEvents(rawValue: 1 << 5)
  public static let hash = KeyspaceEvents(rawValue: 1 << 6)
  public static let zset = KeyspaceEvents(rawValue: 1 << 7)
  public static let expired = KeyspaceEvents(rawValue: 1 << 8)
  public static let evicted = KeyspaceEvents(rawValue: 1 << 9)
  public static let stream = KeyspaceEvents(rawValue: 1 << 10)
  public static let keyMiss = KeyspaceEvents(rawValue: 1 << 11)
  public static let module = KeyspaceEvents(rawValue: 1 << 13)
  public static let new = KeyspaceEvents(rawValue: 1 << 14)
  /// `A`: every class but key misses and new keys, which have to be asked for.
  public static let all: KeyspaceEvents = [
    .generic, .string, .list, .set, .hash, .zset, .expired, .evicted, .stream, .module,
  ]

  /// The letters of the classes that `A` stands for, in the order in which Redis prints them.
  private static let classes: [(letter: Character, events: KeyspaceEvents)] = [
    ("g", .generic), ("$", .string), ("l", .list), ("s", .set), ("h", .hash), ("z", .zset),
    ("x", .expired), ("e", .evicted), ("t", .stream), ("d", .module),
  ]
  /// The letters that stand for themselves, printed after the classes. Redis 7.2 forgets `n`
  /// beside `A`, so that its REWRITE loses the setting; we keep it.
  private static let others: [(letter: Character, events: KeyspaceEvents)] = [
    ("n", .new), ("K", .keyspace), ("E", .keyevent), ("m", .keyMiss),
  ]

  /// Parses letters; nil when one is unknown.
  public init?(letters: String) {
    self = []
    for letter in letters {
      if letter == "A" {
        formUnion(.all)
      } else if let known = (Self.classes + Self.others).first(where: { $0.letter == letter }) {
        formUnion(known.events)
      } else {
        return nil
      }
    }
  }

  public var letters: String {
    let isAll = isSuperset(of: .all)
    var text = isAll ? "A" : ""
    for row in isAll ? Self.others : Self.classes + Self.others where contains(row.events) {
      text.append(row.letter)
    }
    return text
  }
}
