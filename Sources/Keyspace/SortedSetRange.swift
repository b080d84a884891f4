// SortedSetRange: which members a command means: by score or by text, as the ranks that they have.
//
//   1 (5        scores from 1 to below 5
//   [a (c       texts from "a" to before "c";   - and + are before and behind all texts
//
// 1. A range is always a run of ranks, so that counting, listing and removing are the same for all
//    kinds. Texts are compared as if all scores were equal, which is the caller's promise; if it is
//    not kept, a listpack answers as Redis answers from one.

import Bytes
import Memory
import Structures

/// Scores between two bounds.
public struct ScoreRange: BitwiseCopyable, Sendable {
  public var low: Double
  public var high: Double
  public var excludesLow: Bool
  public var excludesHigh: Bool

  public init(low: Double, high: Double, excludesLow: Bool = false, excludesHigh: Bool = false) {
    self.low = low
    self.high = high
    self.excludesLow = excludesLow
    self.excludesHigh = excludesHigh
  }

  var isEmpty: Bool { low > high || (low == high && (excludesLow || excludesHigh)) }

  func isAboveLow(_ score: Double) -> Bool { excludesLow ? score > low : score >= low }
  func isBelowHigh(_ score: Double) -> Bool { excludesHigh ? score < high : score <= high }
}

/// One bound of a range of texts.
public struct TextBound: ~Escapable {
  public enum Kind: Sendable {
    /// Before all texts.
    case first
    /// Behind all texts.
    case last
    case including
    case excluding
  }

  let kind: Kind
  let text: Span<UInt8>

  @_lifetime(copy text)
  public init(_ kind: Kind, _ text: Span<UInt8>) {
    self.kind = kind
    self.text = text
  }
}

/// Texts between two bounds.
public struct TextRange: ~Escapable {
  let low: TextBound
  let high: TextBound

  @_lifetime(copy low, copy high)
  public init(low: consuming TextBound, high: consuming TextBound) {
    self.low = low
    self.high = high
  }

  var isEmpty: Bool {
    switch (low.kind, high.kind) {
    case (.last, .last), (.last, _), (_, .first): return true
    case (.first, _), (_, .last): return false
    case (.including, .including): return low.text.compare(high.text) > 0
    default: return low.text.compare(high.text) >= 0
    }
  }

  func isAboveLow(_ element: borrowing Element) -> Bool {
    switch low.kind {
    case .first: true
    case .last: false
    case .including: element.compare(low.text) >= 0
    case .excluding: element.compare(low.text) > 0
    }
  }

  func isBelowHigh(_ element: borrowing Element) -> Bool {
    switch high.kind {
    case .first: false
    case .last: true
    case .including: element.compare(high.text) <= 0
    case .excluding: element.compare(high.text) < 0
    }
  }
}

extension ArenaReader {
  /// The ranks of the members whose scores are in the range.
  func ranks(_ set: Ref<Entry>, _ range: ScoreRange, _ hash: KeyedHash) -> Range<Int> {
    if range.isEmpty { return 0..<0 }
    guard entry(set).header.encoding == .listpack else {
      let tree = sortedTree(set, hash).tree
      let low = tree.lowerBound(self, ScoreProbe(range.low, isAbove: range.excludesLow))
      let high = tree.lowerBound(self, ScoreProbe(range.high, isAbove: !range.excludesHigh))
      return tree.weightBefore(self, low)..<tree.weightBefore(self, high)
    }
    let list = listpack(set)
    var place = list.start
    var rank = 0
    var first = 0
    while place < list.end {
      let second = list.next(place)
      let score = list.element(second).score
      if !range.isBelowHigh(score) { break }
      if !range.isAboveLow(score) { first = rank + 1 }
      place = list.next(second)
      rank += 1
    }
    return first..<rank
  }

  /// The ranks of the members whose texts are in the range.
  /// - Parameter fromEnd: whether they are searched from the last member on, which matters only
  ///   where scores differ.
  func ranks(
    _ set: Ref<Entry>, _ range: borrowing TextRange, fromEnd: Bool, _ hash: KeyedHash
  ) -> Range<Int> {
    if range.isEmpty { return 0..<0 }
    guard entry(set).header.encoding == .listpack else { return treeRanks(set, range, hash) }
    let list = listpack(set)
    let last = list.previous(list.previous(list.end))
    guard range.isAboveLow(list.element(last)), range.isBelowHigh(list.element(list.start)) else {
      return 0..<0
    }
    return fromEnd ? ranksFromEnd(list, range) : ranksFromStart(list, range)
  }

  private func ranksFromStart(
    _ list: borrowing Listpack, _ range: borrowing TextRange
  ) -> Range<Int> {
    var place = list.start
    var first = 0
    while place < list.end, !range.isAboveLow(list.element(place)) {
      place = list.skip(place, 2)
      first += 1
    }
    var rank = first
    while place < list.end, range.isBelowHigh(list.element(place)) {
      place = list.skip(place, 2)
      rank += 1
    }
    return first..<rank
  }

  private func ranksFromEnd(
    _ list: borrowing Listpack, _ range: borrowing TextRange
  ) -> Range<Int> {
    var place = list.end
    var end = list.count / 2
    while place > list.start {
      let before = list.previous(list.previous(place))
      if range.isBelowHigh(list.element(before)) { break }
      place = before
      end -= 1
    }
    var first = end
    while place > list.start {
      place = list.previous(list.previous(place))
      if !range.isAboveLow(list.element(place)) { break }
      first -= 1
    }
    return first..<end
  }

  private func treeRanks(
    _ set: Ref<Entry>, _ range: borrowing TextRange, _ hash: KeyedHash
  ) -> Range<Int> {
    let tree = sortedTree(set, hash).tree
    var first = 0
    var end = tree.count
    if range.low.kind != .first {
      let place = tree.lowerBound(
        self, TextProbe(range.low.text, isAbove: range.low.kind == .excluding))
      first = tree.weightBefore(self, place)
    }
    if range.high.kind != .last {
      let place = tree.lowerBound(
        self, TextProbe(range.high.text, isAbove: range.high.kind == .including))
      end = tree.weightBefore(self, place)
    }
    return first < end ? first..<end : 0..<0
  }
}
