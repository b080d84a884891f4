// Discarding lists, streams and consumer groups: what a root record names is freed piece by piece.
//
// 1. A large value's root record moves into a carrier, an entry without a key, which then is the
//    only one to name what waits; the value's own entry is its owner's to free. A group's entry
//    carries itself.

import Bytes
import Memory

extension Arena {
  /// Values of so many elements are freed at once.
  private static var smallCount: Int { 64 }

  /// Discards what the root record of a list's or a stream's entry names; the entry itself remains,
  /// and names nothing any more.
  mutating func discardValue(_ kind: GarbageKind, of ref: Ref<Entry>, words: Int) {
    if valueCount(kind, ref) > Self.smallCount, let carrier = try? makeCarrier(of: ref, words) {
      return discardLater(kind, carrier.unit)
    }
    var freed = 0
    let isGone = freeValue(kind, ref, limit: .max, freed: &freed)
    precondition(isGone, "a value is still there after it was freed")
  }

  /// Discards a group that its stream no longer names.
  mutating func discard(_ group: StreamGroup) {
    discard(.group, group.entry.unit)
  }

  private mutating func makeCarrier(
    of ref: Ref<Entry>, _ words: Int
  ) throws(ArenaFull) -> Ref<Entry> {
    let zeros = InlineArray<112, UInt8>(repeating: 0)
    let carrier = try makeEntry(
      key: Span(), value: zeros.span.extracting(0..<(words * 8)),
      form: reader.entry(ref).header.form)
    for word in 0..<words { setRootWord(carrier, word, reader.rootWord(ref, word)) }
    return carrier
  }

  /// How many elements there are, as far as that matters.
  func valueCount(_ kind: GarbageKind, _ ref: Ref<Entry>) -> Int {
    switch kind {
    case .list: return Int(truncatingIfNeeded: reader.rootWord(ref, 2))
    case .stream:
      let facts = StreamValue.facts(reader, ref)
      // A group is worth a closer look than it is worth here.
      return facts.length + facts.groupCount * (Self.smallCount + 1)
    case .group:
      let group = StreamGroup(ref)
      return group.pending(reader).count + group.consumers(reader).count
    default: preconditionFailure("no value that a root record names")
    }
  }

  /// Frees about `limit` elements.
  /// - Returns: whether all are gone.
  mutating func freeValue(
    _ kind: GarbageKind, _ ref: Ref<Entry>, limit: Int, freed: inout Int
  ) -> Bool {
    switch kind {
    case .list:
      var list = ListTree(CountedTree(reader, ref, word: 0), ListLimit(-2))
      let isGone = list.freeSome(&self, limit: limit, freed: &freed)
      list.tree.store(&self, ref, word: 0)
      return isGone
    case .stream: return StreamValue.freeSome(&self, ref, limit: limit, freed: &freed)
    case .group: return StreamGroup(ref).freeSome(&self, limit: limit, freed: &freed)
    default: preconditionFailure("no value that a root record names")
    }
  }

  /// The same for what waits, with its carrier.
  mutating func freeCarried(
    _ kind: GarbageKind, _ carrier: Ref<Entry>, limit: Int, freed: inout Int
  ) -> Bool {
    guard freeValue(kind, carrier, limit: limit, freed: &freed) else { return false }
    // A group's entry has gone with it.
    if kind != .group { free(carrier) }
    return true
  }
}
