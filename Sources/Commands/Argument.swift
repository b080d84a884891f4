// Argument: the documentation of one argument, as COMMAND DOCS prints it.
//
//   SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | ... | KEEPTTL]
//       key string oneOf    token  oneOf
//
// 1. Only `oneOf` and `block` have arguments of their own, at least two.

public struct Argument: Sendable {
  public enum Kind: String, Sendable {
    case string, integer, double, key, pattern
    case unixTime = "unix-time"
    case token = "pure-token"
    case oneOf = "oneof"
    case block
  }

  public struct Flags: NamedFlags {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let optional = Flags(rawValue: 1 << 0)
    public static let multiple = Flags(rawValue: 1 << 1)
    /// The token, too, is repeated each time.
    public static let multipleToken = Flags(rawValue: 1 << 2)

    public static let names: [(flag: Flags, name: String)] = [
      (.optional, "optional"), (.multiple, "multiple"), (.multipleToken, "multiple_token"),
    ]
  }

  public let name: String
  public let kind: Kind
  public var token: String?
  public var flags: Flags = []
  public var since: String?
  public var deprecatedSince: String?
  /// The index of the key spec that finds this key.
  public var keySpec: Int?
  /// What a usage line calls it, when not by its name.
  public var display: String?
  public var arguments: [Argument] = []

  public init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// A value of some kind, behind `token` if it has one.
  @inline(never) public static func value(
    _ kind: Kind, _ name: String, token: String? = nil, _ flags: Flags = [],
    since: String? = nil, deprecatedSince: String? = nil, display: String? = nil
  ) -> Argument {
    var argument = Argument(name, kind)
    argument.token = token
    argument.flags = flags
    argument.since = since
    argument.deprecatedSince = deprecatedSince
    argument.display = display
    return argument
  }

  @inline(never) public static func string(
    _ name: String, token: String? = nil, _ flags: Flags = [], since: String? = nil,
    deprecatedSince: String? = nil, display: String? = nil
  ) -> Argument {
    value(
      .string, name, token: token, flags, since: since,
      deprecatedSince: deprecatedSince, display: display)
  }

  @inline(never) public static func integer(
    _ name: String, token: String? = nil, _ flags: Flags = [], since: String? = nil
  ) -> Argument {
    value(.integer, name, token: token, flags, since: since)
  }

  @inline(never) public static func unixTime(
    _ name: String, token: String? = nil, _ flags: Flags = [], since: String? = nil
  ) -> Argument {
    value(.unixTime, name, token: token, flags, since: since)
  }

  /// A key, found by the key spec of that index.
  @inline(never) public static func key(
    _ name: String = "key", spec: Int? = 0, token: String? = nil, _ flags: Flags = []
  ) -> Argument {
    var argument = value(.key, name, token: token, flags)
    argument.keySpec = spec
    return argument
  }

  /// A bare word, named like itself unless said otherwise.
  @inline(never) public static func token(
    _ token: String, _ flags: Flags = [], name: String? = nil, since: String? = nil
  ) -> Argument {
    value(.token, name ?? token.lowercased(), token: token, flags, since: since)
  }

  /// Exactly one of several.
  @inline(never) public static func oneOf(
    _ name: String, token: String? = nil, _ flags: Flags = [], since: String? = nil,
    of arguments: [Argument]
  ) -> Argument {
    var argument = value(.oneOf, name, token: token, flags, since: since)
    argument.arguments = arguments
    return argument
  }

  /// Several, one after the other.
  @inline(never) public static func block(
    _ name: String, token: String? = nil, _ flags: Flags = [], since: String? = nil,
    of arguments: [Argument]
  ) -> Argument {
    var argument = value(.block, name, token: token, flags, since: since)
    argument.arguments = arguments
    return argument
  }

  /// How a usage line shows the argument, such as `[EX seconds | PX milliseconds]`.
  public var usage: String {
    var text: String
    switch kind {
    case .token: text = token ?? name
    case .oneOf: text = arguments.map { $0.usage }.joined(separator: " | ")
    case .block: text = Argument.usage(of: arguments)
    default: text = display ?? name
    }
    if kind == .oneOf && !flags.contains(.optional) { text = "<\(text)>" }
    let prefix = kind == .token ? "" : token.map { "\($0) " } ?? ""
    let first = prefix + text
    if flags.contains(.multiple) {
      text = "\(first) [\(flags.contains(.multipleToken) ? first : text) ...]"
    } else {
      text = first
    }
    return flags.contains(.optional) ? "[\(text)]" : text
  }

  public static func usage(of arguments: [Argument]) -> String {
    arguments.map { $0.usage }.joined(separator: " ")
  }
}
