// CollectionLimits: up to which size collections stay packed, as Redis' directives of those names
// say. The server sets them from its configuration; a change concerns later commands only.

public struct CollectionLimits: BitwiseCopyable, Sendable {
  public var hashListpackEntries = 512
  public var hashListpackValueBytes = 64
  /// Elements of a list's listpack when positive; -1 ... -5 mean 4, 8 ... 64 KiB.
  public var listListpackSize = -2
  public var setIntsetEntries = 512
  public var setListpackEntries = 128
  public var setListpackValueBytes = 64
  public var sortedSetListpackEntries = 128
  public var sortedSetListpackValueBytes = 64
  public var streamNodeBytes = 4096
  public var streamNodeEntries = 100

  public init() {}

  /// The most integers an intset may have: its count has 32 bits, and Redis stops here, too.
  var intsetEntries: Int { min(setIntsetEntries, 1 << 30) }
}
