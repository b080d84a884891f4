// Flags: the option sets of a command row and the names under which COMMAND prints them.
//
// 1. `names` is in the order in which Redis prints; a flag that Redis keeps to itself has no name
//    there.

/// An option set whose members have names on the wire.
public protocol NamedFlags: OptionSet, Sendable {
  /// Flag and name, in printing order.
  static var names: [(flag: Self, name: String)] { get }
}

extension NamedFlags where Element == Self {
  /// The names of the flags that are set, in printing order.
  public var printedNames: [String] {
    Self.names.filter { contains($0.flag) }.map { $0.name }
  }
}

/// What a command does to the server, as far as dispatch has to know.
@frozen public struct CommandFlags: NamedFlags, BitwiseCopyable, Hashable {
  public let rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// May change the data.
  @inlinable public static var write: Self { Self(rawValue: 1 << 0) }
  /// Reads data and changes none.
  @inlinable public static var readOnly: Self { Self(rawValue: 1 << 1) }
  /// May grow the data; refused above `maxmemory`.
  @inlinable public static var denyOOM: Self { Self(rawValue: 1 << 2) }
  @inlinable public static var admin: Self { Self(rawValue: 1 << 3) }
  @inlinable public static var pubsub: Self { Self(rawValue: 1 << 4) }
  @inlinable public static var noScript: Self { Self(rawValue: 1 << 5) }
  /// May block the client.
  @inlinable public static var blocking: Self { Self(rawValue: 1 << 6) }
  /// Allowed while the data is being loaded.
  @inlinable public static var loading: Self { Self(rawValue: 1 << 7) }
  /// Allowed on a replica whose data is stale.
  @inlinable public static var stale: Self { Self(rawValue: 1 << 8) }
  @inlinable public static var skipMonitor: Self { Self(rawValue: 1 << 9) }
  @inlinable public static var skipSlowlog: Self { Self(rawValue: 1 << 10) }
  /// Served for an importing slot without a preceding ASKING.
  @inlinable public static var asking: Self { Self(rawValue: 1 << 11) }
  /// O(1) or O(log N).
  @inlinable public static var fast: Self { Self(rawValue: 1 << 12) }
  /// Allowed before authentication.
  @inlinable public static var noAuth: Self { Self(rawValue: 1 << 13) }
  /// Not a write, yet may have effects to replicate.
  @inlinable public static var mayReplicate: Self { Self(rawValue: 1 << 14) }
  @inlinable public static var sentinel: Self { Self(rawValue: 1 << 15) }
  @inlinable public static var onlySentinel: Self { Self(rawValue: 1 << 16) }
  /// May be called with no key at all.
  @inlinable public static var noMandatoryKeys: Self { Self(rawValue: 1 << 17) }
  /// Guarded by an `enable-...-command` directive.
  @inlinable public static var protected: Self { Self(rawValue: 1 << 18) }
  @inlinable public static var noAsyncLoading: Self { Self(rawValue: 1 << 19) }
  @inlinable public static var noMulti: Self { Self(rawValue: 1 << 20) }
  /// First key, last key and step do not find all keys. Derived from the key specs.
  @inlinable public static var movableKeys: Self { Self(rawValue: 1 << 21) }
  /// Allowed while a script is overdue.
  @inlinable public static var allowBusy: Self { Self(rawValue: 1 << 22) }
  /// Chooses keys that its arguments do not name.
  @inlinable public static var touchesArbitraryKeys: Self { Self(rawValue: 1 << 23) }
  /// Is executed, not queued, between MULTI and EXEC.
  @inlinable public static var unqueued: Self { Self(rawValue: 1 << 24) }

  public static let names: [(flag: CommandFlags, name: String)] = [
    (.write, "write"),
    (.readOnly, "readonly"),
    (.denyOOM, "denyoom"),
    (.admin, "admin"),
    (.pubsub, "pubsub"),
    (.noScript, "noscript"),
    (.blocking, "blocking"),
    (.loading, "loading"),
    (.stale, "stale"),
    (.skipMonitor, "skip_monitor"),
    (.skipSlowlog, "skip_slowlog"),
    (.asking, "asking"),
    (.fast, "fast"),
    (.noAuth, "no_auth"),
    (.noMandatoryKeys, "no_mandatory_keys"),
    (.noAsyncLoading, "no_async_loading"),
    (.noMulti, "no_multi"),
    (.movableKeys, "movablekeys"),
    (.allowBusy, "allow_busy"),
  ]
}

/// The categories by which access control lists name commands.
@frozen public struct ACLCategories: NamedFlags, BitwiseCopyable, Hashable {
  public let rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var keyspace: Self { Self(rawValue: 1 << 0) }
  @inlinable public static var read: Self { Self(rawValue: 1 << 1) }
  @inlinable public static var write: Self { Self(rawValue: 1 << 2) }
  @inlinable public static var set: Self { Self(rawValue: 1 << 3) }
  @inlinable public static var sortedSet: Self { Self(rawValue: 1 << 4) }
  @inlinable public static var list: Self { Self(rawValue: 1 << 5) }
  @inlinable public static var hash: Self { Self(rawValue: 1 << 6) }
  @inlinable public static var string: Self { Self(rawValue: 1 << 7) }
  @inlinable public static var bitmap: Self { Self(rawValue: 1 << 8) }
  @inlinable public static var hyperloglog: Self { Self(rawValue: 1 << 9) }
  @inlinable public static var geo: Self { Self(rawValue: 1 << 10) }
  @inlinable public static var stream: Self { Self(rawValue: 1 << 11) }
  @inlinable public static var pubsub: Self { Self(rawValue: 1 << 12) }
  @inlinable public static var admin: Self { Self(rawValue: 1 << 13) }
  @inlinable public static var fast: Self { Self(rawValue: 1 << 14) }
  @inlinable public static var slow: Self { Self(rawValue: 1 << 15) }
  @inlinable public static var blocking: Self { Self(rawValue: 1 << 16) }
  @inlinable public static var dangerous: Self { Self(rawValue: 1 << 17) }
  @inlinable public static var connection: Self { Self(rawValue: 1 << 18) }
  @inlinable public static var transaction: Self { Self(rawValue: 1 << 19) }
  @inlinable public static var scripting: Self { Self(rawValue: 1 << 20) }

  public static let names: [(flag: ACLCategories, name: String)] = [
    (.keyspace, "keyspace"),
    (.read, "read"),
    (.write, "write"),
    (.set, "set"),
    (.sortedSet, "sortedset"),
    (.list, "list"),
    (.hash, "hash"),
    (.string, "string"),
    (.bitmap, "bitmap"),
    (.hyperloglog, "hyperloglog"),
    (.geo, "geo"),
    (.stream, "stream"),
    (.pubsub, "pubsub"),
    (.admin, "admin"),
    (.fast, "fast"),
    (.slow, "slow"),
    (.blocking, "blocking"),
    (.dangerous, "dangerous"),
    (.connection, "connection"),
    (.transaction, "transaction"),
    (.scripting, "scripting"),
  ]

  /// The explicit categories of a row together with those its flags imply.
  static func derived(from explicit: ACLCategories, _ flags: CommandFlags) -> ACLCategories {
    var all = explicit
    if flags.contains(.write) { all.insert(.write) }
    if flags.contains(.readOnly) && !explicit.contains(.scripting) { all.insert(.read) }
    if flags.contains(.admin) { all.formUnion([.admin, .dangerous]) }
    if flags.contains(.pubsub) { all.insert(.pubsub) }
    if flags.contains(.fast) { all.insert(.fast) }
    if flags.contains(.blocking) { all.insert(.blocking) }
    if !all.contains(.fast) { all.insert(.slow) }
    return all
  }
}
