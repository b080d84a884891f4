// BITFIELD: integers of 1 to 64 bits anywhere in a string.
//
//   BITFIELD key  GET u8 0  OVERFLOW SAT  INCRBY i5 #3 10  SET ...
//                 └ 3 words └ 2 words: for what follows
//
// 1. All operations are read before the first is carried out: a mistake in the last one changes
//    nothing. They are read a second time while they are carried out, so that no list is needed.
// 2. The string grows once, to the end of the farthest write.

import Keyspace
import RESP

extension BitmapHandlers {
  static func bitfield(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let plan = try BitfieldPlan(args, keys.maximumStringBytes)
    if plan.writesTo == 0 { return try read(plan, args, &keys, &reply) }
    let (found, hasGrown) = try keys.makeRoom(args[1], bytes: plan.writesTo)
    // When the string has grown, every write counts as a change.
    var changes = 0
    var cursor = BitfieldCursor()
    reply.array(plan.count)
    while let operation = try cursor.next(args, keys.maximumStringBytes) {
      if carryOut(operation, found, isChange: hasGrown, &keys, &reply) { changes += 1 }
    }
    if hasGrown || changes > 0 {
      keys.didChange(found, count: changes)
      keys.propagate(args)
    }
  }

  static func bitfieldReadOnly(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let plan = try BitfieldPlan(args, keys.maximumStringBytes)
    if plan.writesTo > 0 { throw .fixed("ERR BITFIELD_RO only supports the GET subcommand") }
    try read(plan, args, &keys, &reply)
  }

  private static func read(
    _ plan: BitfieldPlan, _ args: borrowing Arguments, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findString(args[1], .read)
    var cursor = BitfieldCursor()
    reply.array(plan.count)
    while let operation = try cursor.next(args, keys.maximumStringBytes) {
      reply.integer(operation.field.load(keys.valueOrEmpty(found)))
    }
  }

  /// - Parameter isChange: whether a write counts as a change even if it writes what was there.
  /// - Returns: whether the string has changed.
  private static func carryOut(
    _ operation: BitfieldOperation, _ found: Key, isChange: Bool, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer
  ) -> Bool {
    let field = operation.field
    let old = field.load(keys.value(found))
    if operation.kind == .get {
      reply.integer(old)
      return false
    }
    let isIncrement = operation.kind == .incrby
    let base = isIncrement ? old : operation.amount
    let increment = isIncrement ? operation.amount : 0
    guard let new = field.fit(base, plus: increment, operation.overflow) else {
      reply.null()
      return false
    }
    reply.integer(isIncrement ? new : old)
    if new == old { return isChange }
    var bytes = keys.mutableString(found, field.bytes)
    field.store(new, &bytes)
    return true
  }
}

/// Some bits of a string, read as an integer.
private struct Field {
  var isSigned = false
  var bits = 0
  var offset = 0

  var bytes: Range<Int> { (offset >> 3)..<((offset + bits + 7) >> 3) }
  private var mask: UInt64 { bits == 64 ? .max : 1 << UInt64(bits) - 1 }
  /// How many bits follow the field in its last byte.
  private var shift: UInt128 { UInt128(bytes.count * 8 - offset & 7 - bits) }

  /// What lies beyond the string is zero.
  func load(_ value: borrowing Span<UInt8>) -> Int {
    var window: UInt128 = 0
    for index in bytes {
      window = window << 8 | UInt128(index < value.count ? value[index] : 0)
    }
    return extend(UInt64(truncatingIfNeeded: window >> shift))
  }

  /// - Parameter target: the bytes `bytes`.
  func store(_ number: Int, _ target: inout MutableSpan<UInt8>) {
    let clear = UInt128(mask) << shift
    var window: UInt128 = 0
    for index in 0..<target.count { window = window << 8 | UInt128(target[index]) }
    window = window & ~clear | UInt128(UInt64(bitPattern: Int64(number)) & mask) << shift
    for index in stride(from: target.count - 1, through: 0, by: -1) {
      target[index] = UInt8(truncatingIfNeeded: window)
      window >>= 8
    }
  }

  /// The integer that the lowest bits of `word` mean in this field.
  private func extend(_ word: UInt64) -> Int {
    guard isSigned else { return Int(truncatingIfNeeded: word & mask) }
    let unused = UInt64(64 - bits)
    return Int(truncatingIfNeeded: word << unused) >> Int(unused)
  }

  /// The sum as it fits the field; nil when it does not and `overflow` says so.
  func fit(_ number: Int, plus amount: Int, _ overflow: BitfieldOverflow) -> Int? {
    let (sum, isTooLarge) = number.addingReportingOverflow(amount)
    let highest = Int(truncatingIfNeeded: isSigned ? mask >> 1 : mask)
    let lowest = isSigned ? -highest - 1 : 0
    // A negative number that SET gives to an unsigned field counts as one too large, as in Redis.
    let isTooHigh = isTooLarge ? amount > 0 : sum > highest
    let isAbove = isTooHigh || !isSigned && number < 0
    let isBelow = isTooLarge ? amount < 0 : sum < lowest
    guard isAbove || isBelow else { return sum }
    switch overflow {
    case .wrap: return extend(UInt64(bitPattern: Int64(sum)))
    case .saturate: return isAbove ? highest : lowest
    case .fail: return nil
    }
  }
}

private enum BitfieldOverflow { case wrap, saturate, fail }

private struct BitfieldOperation {
  enum Kind { case get, set, incrby }

  var kind: Kind
  var field = Field()
  var amount = 0
  var overflow = BitfieldOverflow.wrap
}

/// What all operations of a request come to.
private struct BitfieldPlan {
  var count = 0
  /// How long the string must be for all writes; 0 without any.
  var writesTo = 0

  init(_ args: borrowing Arguments, _ maximumBytes: Int) throws(CommandError) {
    var cursor = BitfieldCursor()
    while let operation = try cursor.next(args, maximumBytes) {
      count += 1
      if operation.kind != .get { writesTo = max(writesTo, operation.field.bytes.upperBound) }
    }
  }
}

/// Reads a request's operations one after the other.
private struct BitfieldCursor {
  private var index = 2
  private var overflow = BitfieldOverflow.wrap

  mutating func next(
    _ args: borrowing Arguments, _ maximumBytes: Int
  ) throws(CommandError) -> BitfieldOperation? {
    while index < args.count {
      let remaining = args.count - index - 1
      if args.equals(index, "GET") && remaining >= 2 {
        return try take(.get, args, maximumBytes)
      }
      if args.equals(index, "SET") && remaining >= 3 {
        return try take(.set, args, maximumBytes)
      }
      if args.equals(index, "INCRBY") && remaining >= 3 {
        return try take(.incrby, args, maximumBytes)
      }
      guard args.equals(index, "OVERFLOW") && remaining >= 1 else { throw .syntax }
      try takeOverflow(args)
    }
    return nil
  }

  private mutating func takeOverflow(_ args: borrowing Arguments) throws(CommandError) {
    if args.equals(index + 1, "WRAP") {
      overflow = .wrap
    } else if args.equals(index + 1, "SAT") {
      overflow = .saturate
    } else if args.equals(index + 1, "FAIL") {
      overflow = .fail
    } else {
      throw .fixed("ERR Invalid OVERFLOW type specified")
    }
    index += 2
  }

  private mutating func take(
    _ kind: BitfieldOperation.Kind, _ args: borrowing Arguments, _ maximumBytes: Int
  ) throws(CommandError) -> BitfieldOperation {
    var operation = BitfieldOperation(kind: kind)
    operation.field = try field(args, maximumBytes)
    operation.overflow = overflow
    if kind != .get {
      guard let amount = args[index + 3].parseInteger() else { throw .notInteger }
      operation.amount = amount
    }
    index += kind == .get ? 3 : 4
    return operation
  }

  /// A type such as u8 or i64, and an offset in bits or, after "#", in fields.
  private func field(
    _ args: borrowing Arguments, _ maximumBytes: Int
  ) throws(CommandError) -> Field {
    let type = args[index + 1]
    let isSigned = !type.isEmpty && type[0] == 0x69
    guard isSigned || !type.isEmpty && type[0] == 0x75,
      let bits = type.parseInteger(1..<type.count), bits >= 1, bits <= (isSigned ? 64 : 63)
    else {
      throw .fixed(
        """
        ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but \
        i64 is.
        """
      )
    }
    let text = args[index + 2]
    guard !text.isEmpty && text[0] == 0x23 else {
      let offset = try BitmapHandlers.bitOffset(text, maximumBytes)
      return Field(isSigned: isSigned, bits: bits, offset: offset)
    }
    let number = try BitmapHandlers.bitOffset(text.extracting(1..<text.count), maximumBytes)
    // Both factors are small: a string has fewer than 2^40 bits.
    guard (number * bits) >> 3 < maximumBytes else { throw .bitOffset }
    return Field(isSigned: isSigned, bits: bits, offset: number * bits)
  }
}
