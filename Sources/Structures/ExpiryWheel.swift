// ExpiryWheel: which keys may be due, in order of time, eight bytes a key.
//
//   root    | current tick 8 | records 8 | drained 8 | level 0: 256 chunk refs | 1 | 2 | level 3 |
//   chunk   | next ref 8 | count 4 | capacity 4 | record 8 | ... |
//   record  | hash bits 63-38, 26 | hash bits 13-0, 14 | tick bits 23-0, 24 |
//
//   a tick is 128 ms;  a slot of level n covers 256^n ticks;  four levels reach 17 years
//
// 1. A record says where to look, never what to do: whoever takes it looks the key up and believes
//    only the deadline that stands in the entry. Stale records are therefore harmless.
// 2. Every key with a deadline has a record whose tick is not after the deadline's tick; a deadline
//    that moves later is filed again when its old record comes up (Entry.Flags.filed).
// 3. Records come down one level when their slot of that level begins; their own 24 bits of tick
//    tell where to, so that no entry is touched.
// 4. While the current tick begins a slot of a higher level, that slot holds only records that
//    have yet to come down: what is filed meanwhile is less than a round of that level ahead. So
//    the cascade of a tick can stop anywhere and be taken up again.
//
// After the hierarchical timing wheels of Varghese and Lauck (SOSP 1987).

import Bytes
import Memory

@frozen public struct ExpiryWheel: BitwiseCopyable, Sendable {
  public let root: Ref<ExpiryWheel>

  public init(root: Ref<ExpiryWheel>) {
    self.root = root
  }

  static let tickShift = 7
  static let levels = 4
  static let slots = 256
  static let headBytes = 24
  static let rootBytes = headBytes + levels * slots * 8
  static let chunkCapacities = [6, 62, 510]

  /// What a record remembers of a hash: enough to find the bucket and the tag of its key.
  @frozen public struct Record: BitwiseCopyable, Sendable {
    public let bits: UInt64

    init(hash: UInt64, tick: Int) {
      bits = hash & ~((1 << 38) - 1) | (hash & 0x3FFF) << 24 | UInt64(tick & 0xFF_FFFF)
    }

    init(bits: UInt64) {
      self.bits = bits
    }

    /// The hash with its unknown middle bits zero: good for directories of up to 2^26 segments.
    public var partialHash: UInt64 { bits & ~((1 << 38) - 1) | bits >> 24 & 0x3FFF }

    /// What `partialHash` would be of a record of `hash`.
    public static func partial(_ hash: UInt64) -> UInt64 { hash & ~0x3F_FFFF_C000 }

    /// Whether `hash` could be the record's.
    public func matches(_ hash: UInt64) -> Bool {
      (hash ^ partialHash) & ~0x3F_FFFF_C000 == 0
    }
  }

  /// An empty wheel at `now`, milliseconds since 1970.
  public static func create(
    _ arena: inout Arena, now: Int
  ) throws(ArenaFull) -> ExpiryWheel {
    let root = try arena.allocate(rootBytes, as: ExpiryWheel.self)
    // SAFETY: a fresh allocation of that size.
    let bytes = unsafe arena.write(root, count: rootBytes)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: rootBytes)
    unsafe bytes.storeBytes(of: now >> tickShift, as: Int.self)
    return ExpiryWheel(root: root)
  }

  /// How many records there are, stale ones included.
  public func recordCount(_ reader: borrowing ArenaReader) -> Int {
    word(reader, 8)
  }

  /// The tick that the wheel has come to: what lies before it was taken.
  public func tick(_ reader: borrowing ArenaReader) -> Int { word(reader, 0) }

  /// Notes that the key of `hash` may be due at `deadline`, milliseconds since 1970.
  public func file(
    _ arena: inout Arena, _ hash: UInt64, deadline: Int
  ) throws(ArenaFull) {
    let current = word(arena.reader, 0)
    // What lies beyond the last level's reach waits in its last slot and is filed again then.
    let reach = (Self.slots - 1) << (8 * (Self.levels - 1))
    let tick = min(max(deadline >> Self.tickShift, current), current + reach)
    try add(&arena, Record(hash: hash, tick: tick), tick: tick, current: current)
    setWord(&arena, 8, word(arena.reader, 8) + 1)
  }

  /// Takes records whose tick has passed.
  /// - Parameters:
  ///   - limit: the largest number of records, and of empty slots, to deal with in this call.
  /// - Returns: whether more may be due already.
  public func takeDue(
    _ arena: inout Arena, now: Int, limit: Int, into records: inout GrowableArray<Record>
  ) -> Bool {
    let nowTick = now >> Self.tickShift
    var current = word(arena.reader, 0)
    if word(arena.reader, 8) == 0 {
      if current < nowTick { setWord(&arena, 0, nowTick) }
      return false
    }
    var left = limit
    while current < nowTick && left > 0 {
      // A shortage of memory postpones the cascade, and with it the wheel, until there is some.
      guard cascade(&arena, current, &left) else { return left <= 0 }
      let slot = Self.slotOffset(level: 0, tick: current)
      let chunk = Ref<ExpiryWheel>(unit: UInt64(word(arena.reader, slot)))
      if chunk.isNull {
        left -= 1
        current = nextTick(arena.reader, after: current, limit: nowTick)
        setWord(&arena, 0, current)
      } else {
        left -= take(&arena, slot, chunk, limit: left, into: &records)
      }
    }
    return current < nowTick
  }

  /// Takes records whatever their tick, for a wheel in which nothing is filed any more. Those
  /// furthest ahead come first: a cascade meanwhile moves records only to where this has yet to go.
  public func drain(_ arena: inout Arena, limit: Int, into records: inout GrowableArray<Record>) {
    var left = limit
    while left > 0 && word(arena.reader, 8) > 0 {
      let drained = word(arena.reader, 16)
      precondition(drained < Self.levels * Self.slots, "a wheel's records are miscounted")
      let slot = Self.rootBytes - 8 - drained * 8
      let chunk = Ref<ExpiryWheel>(unit: UInt64(word(arena.reader, slot)))
      if chunk.isNull {
        setWord(&arena, 16, drained + 1)
      } else {
        left -= take(&arena, slot, chunk, limit: left, into: &records)
      }
    }
  }

  /// Frees up to `limit` chunks, and the wheel itself when none is left.
  /// - Returns: whether the wheel is gone.
  public func free(_ arena: inout Arena, limit: Int) -> Bool {
    var left = limit
    for slot in stride(from: Self.headBytes, to: Self.rootBytes, by: 8) {
      var chunk = Ref<ExpiryWheel>(unit: UInt64(word(arena.reader, slot)))
      while !chunk.isNull {
        guard left > 0 else { return false }
        let next = Ref<ExpiryWheel>(unit: UInt64(load(arena.reader, chunk, 0)))
        setWord(&arena, slot, Int(next.unit))
        arena.free(chunk)
        chunk = next
        left -= 1
      }
    }
    arena.free(root)
    return true
  }

  // MARK: Slots and chunks

  static func slotOffset(level: Int, tick: Int) -> Int {
    headBytes + (level * slots + tick >> (8 * level) & 255) * 8
  }

  private func add(
    _ arena: inout Arena, _ record: Record, tick: Int, current: Int
  ) throws(ArenaFull) {
    let distance = tick - current
    var level = 0
    while level < Self.levels - 1 && distance >> (8 * (level + 1)) != 0 { level += 1 }
    let slot = Self.slotOffset(level: level, tick: tick)
    var chunk = Ref<ExpiryWheel>(unit: UInt64(word(arena.reader, slot)))
    var capacity = Self.chunkCapacities[0]
    if !chunk.isNull {
      let (count, room) = counts(arena.reader, chunk)
      if count < room {
        store(&arena, chunk, 16 + count * 8, record.bits)
        store(&arena, chunk, 8, UInt32(count + 1))
        return
      }
      capacity = Self.chunkCapacities.first { $0 > room } ?? room
    }
    let bytes = 16 + capacity * 8
    let next = chunk
    chunk = try arena.allocate(bytes, as: ExpiryWheel.self)
    store(&arena, chunk, 0, next.unit)
    store(&arena, chunk, 8, UInt32(1))
    store(&arena, chunk, 12, UInt32(capacity))
    store(&arena, chunk, 16, record.bits)
    setWord(&arena, slot, Int(chunk.unit))
  }

  /// Takes up to `limit` records from the slot's first chunk, which goes when it is empty.
  private func take(
    _ arena: inout Arena, _ slot: Int, _ chunk: Ref<ExpiryWheel>, limit: Int,
    into records: inout GrowableArray<Record>
  ) -> Int {
    let (count, _) = counts(arena.reader, chunk)
    let taken = min(count, limit)
    for index in (count - taken)..<count {
      let bits = load(arena.reader, chunk, 16 + index * 8)
      records.append(Record(bits: UInt64(bitPattern: Int64(bits))))
    }
    if taken == count {
      setWord(&arena, slot, load(arena.reader, chunk, 0))
      arena.free(chunk)
    } else {
      store(&arena, chunk, 8, UInt32(count - taken))
    }
    setWord(&arena, 8, word(arena.reader, 8) - taken)
    return max(taken, 1)
  }

  /// The first tick after `current`, or `limit` if that is earlier, at which a slot begins that
  /// holds records, or a round in which there may be some. `current` itself is dealt with.
  private func nextTick(_ reader: borrowing ArenaReader, after current: Int, limit: Int) -> Int {
    for level in 0..<Self.levels {
      let shift = 8 * level
      let position = current >> shift
      let end = position | 255 + 1
      for ahead in (position + 1)..<(end + 1) {
        if ahead << shift >= limit { return limit }
        if ahead < end, word(reader, Self.slotOffset(level: level, tick: ahead << shift)) != 0 {
          return ahead << shift
        }
      }
      // What lies at or behind the position is of the next round.
      for behind in (position & ~255)...position
      where word(reader, Self.slotOffset(level: level, tick: behind << shift)) != 0 {
        return end << shift
      }
    }
    return limit
  }

  /// When `tick` begins slots of higher levels, spreads their records over the levels below, from
  /// the highest level down. Done again, it goes on where it stopped (invariant 4).
  /// - Parameter left: how many records may be moved; reduced by those that were.
  /// - Returns: whether all is moved. Otherwise `left` is used up, or memory.
  private func cascade(_ arena: inout Arena, _ tick: Int, _ left: inout Int) -> Bool {
    var level = Self.levels - 1
    while level > 0 {
      if tick & ((1 << (8 * level)) - 1) == 0 {
        guard spread(&arena, level, tick, &left) else { return false }
      }
      level -= 1
    }
    return true
  }

  private func spread(
    _ arena: inout Arena, _ level: Int, _ tick: Int, _ left: inout Int
  ) -> Bool {
    let slot = Self.slotOffset(level: level, tick: tick)
    while true {
      let chunk = Ref<ExpiryWheel>(unit: UInt64(word(arena.reader, slot)))
      if chunk.isNull { return true }
      var (count, _) = counts(arena.reader, chunk)
      while count > 0 {
        guard left > 0 else { return false }
        let bits = UInt64(bitPattern: Int64(load(arena.reader, chunk, 8 + count * 8)))
        // The record's own tick, of which it knows the lowest 24 bits; it lies in this slot.
        let ahead = (Int(bits & 0xFF_FFFF) - tick) & 0xFF_FFFF
        let place = tick + (ahead < 1 << (8 * level) ? ahead : 0)
        let isMoved: ()? = try? add(&arena, Record(bits: bits), tick: place, current: tick)
        guard isMoved != nil else { return false }
        count -= 1
        left -= 1
        if count > 0 {
          store(&arena, chunk, 8, UInt32(count))
        } else {
          setWord(&arena, slot, load(arena.reader, chunk, 0))
          arena.free(chunk)
        }
      }
    }
  }

  func word(_ reader: borrowing ArenaReader, _ offset: Int) -> Int {
    load(reader, root, offset)
  }

  func load(_ reader: borrowing ArenaReader, _ ref: Ref<ExpiryWheel>, _ offset: Int) -> Int {
    // SAFETY: offsets are those of the picture above.
    unsafe reader.load(ref, at: offset, as: Int.self)
  }

  func counts(_ reader: borrowing ArenaReader, _ chunk: Ref<ExpiryWheel>) -> (Int, Int) {
    // SAFETY: as in `load`.
    let word = unsafe reader.load(chunk, at: 8, as: UInt64.self)
    return (Int(word & 0xFFFF_FFFF), Int(word >> 32))
  }

  private func setWord(_ arena: inout Arena, _ offset: Int, _ value: Int) {
    store(&arena, root, offset, value)
  }

  private func store<Value: BitwiseCopyable>(
    _ arena: inout Arena, _ ref: Ref<ExpiryWheel>, _ offset: Int, _ value: Value
  ) {
    // SAFETY: as in `load`.
    let place = unsafe arena.write(ref, at: offset, count: MemoryLayout<Value>.size)
    unsafe place.storeBytes(of: value, as: Value.self)
  }
}
