// GeoHandlers: places in sorted sets: adding them, and what is known of single ones. Rows: Geo.
// Searches have a file of their own.
//
// 1. A place is a member whose score is a cell's number: commands on sorted sets work on it, too.

import Bytes
import Keyspace
import RESP

enum GeoHandlers {}

extension GeoHandlers {
  static func geoadd(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var rules = AddRules()
    var first = 2
    while first < args.count, rules.takePlaceOption(args, first) { first += 1 }
    if (args.count - first) % 3 != 0 || first == args.count
      || (rules.onlyIfExists && rules.onlyIfMissing)
    {
      throw .syntax
    }
    try keys.addScores(args, from: first, rules, .places, &reply)
  }

  static func geopos(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSortedSet(args[1], .read)
    reply.array(args.count - 2)
    for index in 2..<args.count {
      if let found, let point = keys.place(args[index], found) {
        reply.point(point)
      } else {
        reply.nullArray()
      }
    }
  }

  static func geodist(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    if args.count > 5 { throw .syntax }
    let unit = args.count == 5 ? try GeoUnit.metres(args, 4) : 1
    guard let found = try keys.findSortedSet(args[1], .read),
      let first = keys.place(args[2], found), let second = keys.place(args[3], found)
    else { return reply.null() }
    reply.distance(first.distance(to: second) / unit)
  }

  static func geohash(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    let found = try keys.findSortedSet(args[1], .read)
    reply.array(args.count - 2)
    for index in 2..<args.count {
      guard let found, let point = keys.place(args[index], found) else {
        reply.null()
        continue
      }
      // The standard's grid reaches from pole to pole.
      let cell = GeoCell(point, latitudes: DegreeRange(low: -90, high: 90))
      reply.bulk(GeoHashText(cell).bytes.span)
    }
  }
}

extension AddRules {
  /// - Returns: whether argument `index` is an option of GEOADD.
  fileprivate mutating func takePlaceOption(_ args: borrowing Arguments, _ index: Int) -> Bool {
    guard args[index].count == 2 else { return false }
    if args.equals(index, "NX") {
      onlyIfMissing = true
    } else if args.equals(index, "XX") {
      onlyIfExists = true
    } else if args.equals(index, "CH") {
      countsChanged = true
    } else {
      return false
    }
    return true
  }
}

/// A cell in the standard's eleven letters, five bits each.
private struct GeoHashText {
  var bytes = InlineArray<11, UInt8>(repeating: 0x30)

  init(_ cell: GeoCell) {
    // The last letter would take three bits more than there are; it is always 0.
    for index in 0..<10 {
      bytes[index] = Self.letter(UInt8(cell.bits >> UInt64(47 - index * 5) & 31))
    }
  }

  /// Digits, then the letters without a, i, l and o.
  private static func letter(_ number: UInt8) -> UInt8 {
    if number < 10 { return 0x30 + number }
    var letter = 0x62 + (number - 10)
    if letter >= 0x69 { letter += 1 }
    if letter >= 0x6C { letter += 1 }
    if letter >= 0x6F { letter += 1 }
    return letter
  }
}

enum GeoUnit {
  /// How many metres the unit is that argument `index` names.
  static func metres(_ args: borrowing Arguments, _ index: Int) throws(CommandError) -> Double {
    if args.equals(index, "m") { return 1 }
    if args.equals(index, "km") { return 1000 }
    if args.equals(index, "ft") { return 0.3048 }
    if args.equals(index, "mi") { return 1609.34 }
    throw .fixed("ERR unsupported unit provided. please use M, KM, FT, MI")
  }
}

extension Keyspace {
  /// Where a member is.
  func place(_ member: borrowing Span<UInt8>, _ found: Key) -> GeoPoint? {
    score(member, found).map { GeoCell(score: $0).center }
  }
}

extension ReplyBuffer {
  mutating func point(_ point: GeoPoint) {
    array(2)
    var text = ByteBuffer()
    text.append(human: ExtendedFloat(point.longitude))
    double(text: text.span)
    text.removeAll()
    text.append(human: ExtendedFloat(point.latitude))
    double(text: text.span)
  }

  /// A distance with four decimals, rounded to the nearest, halves to even.
  mutating func distance(_ distance: Double) {
    let scaled = (distance * 10_000).rounded(.toNearestOrEven)
    let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: 10_000)
    var text = ByteBuffer()
    text.append(decimal: whole)
    text.append(0x2E)
    var divisor = 1000
    while divisor > 0 {
      text.append(UInt8(truncatingIfNeeded: 0x30 + rest / divisor % 10))
      divisor /= 10
    }
    bulk(text.span)
  }
}
