// The sparse form: runs of equal counters, one or two bytes each.
//
//   00nnnnnn           n + 1 counters that are zero
//   01nnnnnn nnnnnnnn  n + 1 counters that are zero
//   1vvvvvnn           n + 1 counters that are v + 1
//
// 1. The runs cover exactly 16384 counters. What a client wrote may not: then it is corrupt.
// 2. A counter above 32, or growth beyond the limit, makes the value dense, for good.

private struct Run {
  let isValue: Bool
  /// Of each counter; 0 unless `isValue`.
  let rank: UInt8
  /// How many counters.
  let count: Int
  /// How many bytes.
  let length: Int

  /// The run at `position`, or nil when no whole one is there.
  init?(_ value: borrowing Span<UInt8>, _ position: Int) {
    guard position < value.count else { return nil }
    let byte = value[position]
    isValue = byte & 0x80 != 0
    if isValue {
      rank = byte >> 2 & 0x1F + 1
      count = Int(byte & 3) + 1
      length = 1
    } else if byte & 0x40 == 0 {
      rank = 0
      count = Int(byte & 0x3F) + 1
      length = 1
    } else {
      guard position + 1 < value.count else { return nil }
      rank = 0
      count = Int(byte & 0x3F) << 8 + Int(value[position + 1]) + 1
      length = 2
    }
  }

  /// Appends the bytes of `count` counters of this run's kind.
  func append(_ count: Int, to bytes: inout ByteBuffer) {
    if count == 0 { return }
    if isValue {
      bytes.append(Run.value(rank, count))
    } else if count <= 64 {
      bytes.append(UInt8(truncatingIfNeeded: count - 1))
    } else {
      bytes.append(0x40 | UInt8(truncatingIfNeeded: (count - 1) >> 8))
      bytes.append(UInt8(truncatingIfNeeded: count - 1))
    }
  }

  static func value(_ rank: UInt8, _ count: Int) -> UInt8 {
    0x80 | (rank - 1) << 2 | UInt8(truncatingIfNeeded: count - 1)
  }
}

extension HyperLogLog {
  /// The highest rank that a sparse run can say.
  private static var highestSparseRank: UInt8 { 32 }

  static func sparseRank(_ value: borrowing Span<UInt8>, _ index: Int) -> UInt8? {
    var position = headerBytes
    var first = 0
    while let run = Run(value, position) {
      if index < first + run.count { return run.rank }
      position += run.length
      first += run.count
    }
    return nil
  }

  mutating func raiseSparse(_ place: Place, limit: Int) -> Outcome {
    if place.rank > Self.highestSparseRank { return promote(place) }
    var position = Self.headerBytes
    var previous = Self.headerBytes
    var first = 0
    while let run = Run(bytes.span, position) {
      if place.index >= first + run.count {
        previous = position
        position += run.length
        first += run.count
        continue
      }
      if run.isValue && run.rank >= place.rank { return .unchanged }
      var pieces = ByteBuffer(capacity: 8)
      run.append(place.index - first, to: &pieces)
      pieces.append(Run.value(place.rank, 1))
      run.append(first + run.count - 1 - place.index, to: &pieces)
      let growth = pieces.count - run.length
      if growth > 0 && bytes.count + growth > limit { return promote(place) }
      bytes.replace(position..<(position + run.length), with: pieces.span)
      mergeRuns(from: previous)
      markStale()
      return .raised
    }
    return .corrupt
  }

  /// Joins runs of the same rank around a change, within the five runs that Redis looks at.
  private mutating func mergeRuns(from start: Int) {
    var position = start
    for _ in 0..<5 {
      guard let run = Run(bytes.span, position) else { return }
      if run.isValue, let next = Run(bytes.span, position + 1), next.isValue,
        next.rank == run.rank, run.count + next.count <= 4
      {
        bytes[position + 1] = Run.value(run.rank, run.count + next.count)
        bytes.replace(position..<(position + 1), with: Span())
      } else {
        position += run.length
      }
    }
  }

  private mutating func promote(_ place: Place) -> Outcome {
    guard makeDense() else { return .corrupt }
    storeDense(place)
    return .raised
  }

  /// Gives the value its dense form. The cached estimate stays.
  /// - Returns: false, with nothing changed, if the value is corrupt.
  public mutating func makeDense() -> Bool {
    guard isSparse else { return true }
    var dense = HyperLogLog(zeros: bytes.span.extracting(0..<Self.headerBytes))
    var position = Self.headerBytes
    var index = 0
    while position < bytes.count {
      guard let run = Run(bytes.span, position), index + run.count <= Self.counterCount else {
        return false
      }
      if run.isValue {
        for offset in 0..<run.count {
          dense.storeDense(Place(index: index + offset, rank: run.rank))
        }
      }
      index += run.count
      position += run.length
    }
    guard index == Self.counterCount else { return false }
    self = dense
    return true
  }

  /// A dense value without elements, but with the given header.
  private init(zeros header: borrowing Span<UInt8>) {
    bytes = ByteBuffer(capacity: Self.denseBytes)
    bytes.append(header)
    bytes[4] = Form.dense.rawValue
    for _ in Self.headerBytes..<Self.denseBytes { bytes.append(0) }
  }

  /// Calls for each run of counters: first index, how many, rank. False if the value is corrupt.
  static func forEachRun(
    _ value: borrowing Span<UInt8>, _ body: (_ first: Int, _ count: Int, _ rank: UInt8) -> Void
  ) -> Bool {
    var position = headerBytes
    var index = 0
    while position < value.count {
      guard let run = Run(value, position), index + run.count <= counterCount else { return false }
      body(index, run.count, run.rank)
      index += run.count
      position += run.length
    }
    return index == counterCount
  }

  /// The runs as text, as PFDEBUG DECODE has them: `Z:` a long run of zeros, `z:` a short one,
  /// `v:` rank and count. Bytes that are no whole run end it.
  public static func describe(_ value: borrowing Span<UInt8>, into text: inout ByteBuffer) {
    var position = headerBytes
    while let run = Run(value, position) {
      if position > headerBytes { text.append(0x20) }
      if run.isValue {
        text.append("v:")
        text.append(decimal: Int(run.rank))
        text.append(0x2C)
      } else {
        text.append(run.length == 2 ? "Z:" : "z:")
      }
      text.append(decimal: run.count)
      position += run.length
    }
  }
}
