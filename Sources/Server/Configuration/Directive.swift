// Directive: one row of the configuration table: everything the server knows about one setting.
//
//   .integer("port", \.port, 0...65535).applies(.listeners)
//     form     name     field   bounds     what the server redoes after CONFIG SET
//
//   .boolean("rdbcompression", kept: true, .noRDB)
//                              default     why the setting has no effect here
//
// 1. A name or alias belongs to one row.
// 2. A row with a field is `used`; the field's initial value is the default.
// 3. A row with a kept value is accepted, told again by CONFIG GET, and otherwise ignored; the log
//    says so once per start. A row that is `unavailable` accepts only its default: it asks for
//    something that must not silently be missing, such as access control.

/// Where a row's value lives.
typealias Field<Value> = WritableKeyPath<Configuration, Value> & Sendable

/// Why a directive cannot be set to a value; the text is Redis'.
struct DirectiveError: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

struct Directive: Sendable {
  let name: String
  let form: Form
  private(set) var use: Use
  private(set) var alias: String?
  private(set) var options: Options = []
  private(set) var effect: ConfigurationEffect?
  /// What the operator should know about a value that means less here than in Redis.
  private(set) var remark: (@Sendable (Configuration) -> String?)?

  enum Use: Sendable {
    case used
    /// Accepted, kept, ignored.
    case withoutEffect(Reason)
    /// Any value but the default is refused.
    case unavailable(Reason)
  }

  struct Options: OptionSet, Sendable {
    let rawValue: UInt8
    /// CONFIG SET refuses it.
    static let immutable = Options(rawValue: 1)
    /// Takes any number of words, and splits a single one at blanks.
    static let multipleWords = Options(rawValue: 2)
    /// The value never appears in a log.
    static let sensitive = Options(rawValue: 4)
    /// CONFIG GET tells it only to who asks by its full name.
    static let hidden = Options(rawValue: 8)
    /// CONFIG SET needs `enable-protected-configs`.
    static let protected = Options(rawValue: 16)
    /// CONFIG SET refuses it while a dataset is being loaded.
    static let denyLoading = Options(rawValue: 32)
    /// The empty text is a value like any other, not the absence of one: REWRITE keeps its line.
    static let emptyIsValue = Options(rawValue: 64)
  }

  enum Form: Sendable {
    case boolean(any Field<Bool>)
    case integer(any Field<Int>, ClosedRange<Int>, Notation)
    case text(any Field<String>, check: @Sendable (String) -> String?)
    case secret(any Field<[UInt8]>)
    case choice(Choice)
    case special(Special)
  }

  enum Notation: Sendable {
    case decimal, octal, memory
    /// A percentage is stored as a negative number.
    case memoryOrPercent
    /// Memory up to 2^64: a larger size than Int.max is stored as Int.max.
    case unboundedMemory
  }

  /// A word out of a list. Two words may mean the same; the first of them is printed.
  struct Choice: Sendable {
    let words: [String]
    let read: @Sendable (Configuration) -> String
    let write: @Sendable (inout Configuration, Int) -> Void
  }

  /// A directive with rules of its own.
  struct Special: Sendable {
    let set: @Sendable (inout Configuration, [[UInt8]], Phase) throws(DirectiveError) -> Void
    let get: @Sendable (Configuration) -> String
    let rewrite: @Sendable (Configuration) -> RewrittenLines
  }

  /// When a value is set.
  enum Phase: Sendable { case loading, command }
}

/// What the server has to redo after CONFIG SET changed a directive.
public enum ConfigurationEffect: CaseIterable, Sendable {
  /// Close and open the TCP listeners: bind, port.
  case listeners
  /// maxclients: file limits, table sizes.
  case clients
  /// maxmemory and how eviction goes about it.
  case memory
  /// Settings that the keyspace keeps a copy of: encodings, lazy freeing, LFU.
  case keyspace
  /// requirepass: the default user's password.
  case password
  /// hz: the cron's period.
  case frequency
  /// loglevel.
  case log
  /// dir: change the working directory, then store its absolute path.
  case directory
  /// notify-keyspace-events.
  case events
  /// appendfsync, the log's and the checkpoint's limits.
  case durability
  /// slowlog-*, latency-*.
  case observation
}

/// A line for the log. It names directives, never their values, so it cannot tell a secret.
public struct ConfigurationNote: Equatable, Sendable {
  /// At level warning, otherwise notice.
  public let isWarning: Bool
  public let text: String
}

/// Which lines of redis.conf stand for a directive's value.
enum RewrittenLines {
  /// No line, and any line of an older value goes.
  case none
  /// What follows the directive's name on each line. `isForced` adds a line that the file does not
  /// have yet.
  case values([(text: [UInt8], isForced: Bool)])
}

// MARK: - Making rows

extension Directive {
  private init(_ name: String, _ form: Form, _ use: Use = .used) {
    self.name = name
    self.form = form
    self.use = use
  }

  static func boolean(_ name: String, _ field: any Field<Bool>) -> Directive {
    Directive(name, .boolean(field))
  }

  static func boolean(_ name: String, kept standard: Bool, _ reason: Reason) -> Directive {
    Directive(name, .boolean(\.[flag: name, or: standard]), .withoutEffect(reason))
  }

  static func integer(
    _ name: String, _ field: any Field<Int>, _ bounds: ClosedRange<Int>,
    _ notation: Notation = .decimal
  ) -> Directive {
    Directive(name, .integer(field, bounds, notation))
  }

  static func integer(
    _ name: String, kept standard: Int, _ bounds: ClosedRange<Int>, _ reason: Reason,
    _ notation: Notation = .decimal
  ) -> Directive {
    Directive(
      name, .integer(\.[number: name, or: standard], bounds, notation), .withoutEffect(reason))
  }

  static func text(
    _ name: String, _ field: any Field<String>,
    check: @escaping @Sendable (String) -> String? = { _ in nil }
  ) -> Directive {
    Directive(name, .text(field, check: check))
  }

  static func text(
    _ name: String, kept standard: String, _ reason: Reason,
    check: @escaping @Sendable (String) -> String? = { _ in nil }
  ) -> Directive {
    Directive(name, .text(\.[text: name, or: standard], check: check), .withoutEffect(reason))
  }

  static func secret(_ name: String, _ field: any Field<[UInt8]>) -> Directive {
    Directive(name, .secret(field)).adding(.sensitive)
  }

  static func choice<Value: CaseIterable & RawRepresentable<String> & Sendable>(
    _ name: String, _ field: any Field<Value>
  ) -> Directive {
    let words = Value.allCases.map(\.rawValue)
    return Directive(
      name,
      .choice(
        Choice(
          words: words, read: { $0[keyPath: field].rawValue },
          write: { $0[keyPath: field] = Array(Value.allCases)[$1] })))
  }

  /// - Parameter synonyms: words that mean an earlier word.
  static func choice(
    _ name: String, kept standard: String, of words: [String], synonyms: [String: String] = [:],
    _ reason: Reason
  ) -> Directive {
    Directive(
      name,
      .choice(
        Choice(
          words: words, read: { $0[text: name, or: standard] },
          write: { $0[text: name, or: standard] = synonyms[words[$1]] ?? words[$1] })),
      .withoutEffect(reason))
  }

  static func special(_ name: String, _ special: Special, _ use: Use = .used) -> Directive {
    Directive(name, .special(special), use)
  }

  // MARK: Refining rows

  func alias(_ alias: String) -> Directive {
    var row = self
    row.alias = alias
    return row
  }

  func applies(_ effect: ConfigurationEffect) -> Directive {
    var row = self
    row.effect = effect
    return row
  }

  /// The line for the log when the directive is given and does not do what it does in Redis.
  func note(_ configuration: Configuration) -> ConfigurationNote? {
    if case .withoutEffect(let reason) = use {
      return ConfigurationNote(
        isWarning: false, text: "Directive '\(name)' has no effect: \(reason.text)")
    }
    return remark?(configuration).map {
      ConfigurationNote(isWarning: true, text: "Directive '\(name)': \($0)")
    }
  }

  func adding(_ options: Options) -> Directive {
    var row = self
    row.options.formUnion(options)
    return row
  }

  var immutable: Directive { adding(.immutable) }
  var multipleWords: Directive { adding(.multipleWords) }

  func remarks(_ remark: @escaping @Sendable (Configuration) -> String?) -> Directive {
    var row = self
    row.remark = remark
    return row
  }

  /// Keeps the value and ignores it.
  func withoutEffect(_ reason: Reason) -> Directive { using(.withoutEffect(reason)) }

  /// Refuses every value but the default, instead of ignoring it.
  func unavailable(_ reason: Reason) -> Directive { using(.unavailable(reason)) }

  private func using(_ use: Use) -> Directive {
    var row = self
    row.use = use
    return row
  }
}
