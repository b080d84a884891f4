// Proof that an ExpiryWheel's chunks, slots and count agree, for tests.

import Memory

extension ExpiryWheel {
  /// Traps unless every record lies in the slot of its tick and the counts are exact.
  public func checkInvariants(_ reader: borrowing ArenaReader) {
    var total = 0
    forEachRecord(reader) { record, tick, _ in
      total += 1
      precondition(
        tick & 0xFF_FFFF == Int(record.bits & 0xFF_FFFF), "a record lies in a wrong slot")
    }
    precondition(total == recordCount(reader), "the wheel's count is wrong")
  }

  /// Calls `body` with every record, the tick at which it will be taken, and its level.
  public func forEachRecord(
    _ reader: borrowing ArenaReader, _ body: (_ record: Record, _ tick: Int, _ level: Int) -> Void
  ) {
    let current = word(reader, 0)
    let total = recordCount(reader)
    var seen = 0
    for level in 0..<Self.levels {
      for slot in 0..<Self.slots {
        var chunk = Ref<ExpiryWheel>(
          unit: UInt64(word(reader, Self.headBytes + (level * Self.slots + slot) * 8)))
        while !chunk.isNull {
          let (count, capacity) = counts(reader, chunk)
          precondition(count > 0 && count <= capacity, "a chunk's count is wrong")
          precondition(Self.chunkCapacities.contains(capacity), "a chunk's capacity is wrong")
          seen += count
          precondition(seen <= total, "a slot's chunks go round, or the wheel's count is wrong")
          for index in 0..<count {
            let record = Record(
              bits: UInt64(bitPattern: Int64(load(reader, chunk, 16 + index * 8))))
            body(record, Self.tick(of: record, level: level, slot: slot, current: current), level)
          }
          chunk = Ref(unit: UInt64(load(reader, chunk, 0)))
        }
      }
    }
  }

  /// The whole tick of a record that lies in `slot` of `level`.
  private static func tick(of record: Record, level: Int, slot: Int, current: Int) -> Int {
    let shift = 8 * level
    let ahead = (slot - current >> shift) & 255
    // The slot under the current tick is either about to be dealt with or a whole round ahead.
    let isNextRound = ahead == 0 && current & ((1 << shift) - 1) != 0
    let start = (current >> shift + ahead + (isNextRound ? 256 : 0)) << shift
    return start + Int(record.bits & 0xFF_FFFF) & ((1 << shift) - 1)
  }
}
