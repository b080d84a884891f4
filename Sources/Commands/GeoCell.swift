// GeoCell: places on the earth as cells of a grid, whose numbers are scores of a sorted set.
//
//   longitude -180 ... 180         step bits  x x x x
//   latitude  -85.05 ... 85.05     step bits  y y y y        number  x y x y x y x y
//
// 1. A cell of step n is one of 2^n times 2^n; a cell's number begins with that of the larger cell
//    that it lies in, so that what lies in a cell is one range of scores.
// 2. Scores are numbers of step 26: 52 bits, exact as doubles.
// 3. The earth is a sphere of Redis' radius, so that distances agree to the last digit.

import Bytes
import Glibc
import Keyspace
import RESP

/// Degrees.
struct GeoPoint: BitwiseCopyable {
  var longitude: Double
  var latitude: Double

  init(longitude: Double, latitude: Double) {
    self.longitude = longitude
    self.latitude = latitude
  }

  /// The point that two arguments name.
  init(_ args: borrowing Arguments, _ index: Int) throws(CommandError) {
    guard let longitude = args[index].parseDouble(), let latitude = args[index + 1].parseDouble()
    else { throw .notFloat }
    self.longitude = longitude
    self.latitude = latitude
    guard abs(longitude) <= GeoCell.longitudes.high, abs(latitude) <= GeoCell.latitudes.high else {
      throw .invalidPlace(self)
    }
  }

  private static let earthRadius = 6_372_797.560856

  private static func radians(_ degrees: Double) -> Double { degrees * (Double.pi / 180) }
  static func degrees(_ radians: Double) -> Double { radians / (Double.pi / 180) }
  /// The angle that so many metres are on a great circle, in degrees.
  static func degrees(metres: Double) -> Double { degrees(metres / earthRadius) }
  /// The same along a parallel.
  static func degrees(metres: Double, at latitude: Double) -> Double {
    degrees(metres / earthRadius / cos(radians(latitude)))
  }

  /// How far two latitudes are apart, in metres.
  static func distance(_ first: Double, _ second: Double) -> Double {
    earthRadius * abs(radians(second) - radians(first))
  }

  /// The great circle's distance in metres.
  func distance(to other: GeoPoint) -> Double {
    let across = sin((Self.radians(other.longitude) - Self.radians(longitude)) / 2)
    if across == 0 { return Self.distance(latitude, other.latitude) }
    let first = Self.radians(latitude)
    let second = Self.radians(other.latitude)
    let along = sin((second - first) / 2)
    let half = along * along + cos(first) * cos(second) * across * across
    return 2 * Self.earthRadius * asin(half.squareRoot())
  }
}

/// A run of degrees.
struct DegreeRange: BitwiseCopyable {
  var low: Double
  var high: Double

  /// Where `value` lies in the run, as a number of `step` bits.
  func offset(_ value: Double, _ step: Int) -> UInt32 {
    UInt32((value - low) / (high - low) * Double(1 << step))
  }

  /// The degrees of the part of that number.
  func part(_ offset: UInt32, _ step: Int) -> DegreeRange {
    let parts = Double(1 << step)
    let scale = high - low
    return DegreeRange(
      low: low + (Double(offset) / parts) * scale,
      high: low + (Double(offset &+ 1) / parts) * scale)
  }
}

struct GeoCell: BitwiseCopyable, Equatable {
  static let longitudes = DegreeRange(low: -180, high: 180)
  static let latitudes = DegreeRange(low: -85.05112878, high: 85.05112878)
  static let finest = 26

  /// | x y | x y | ...: the latitude's bits at the even places.
  var bits: UInt64
  var step: Int

  init(_ point: GeoPoint, step: Int = finest, latitudes: DegreeRange = latitudes) {
    self.step = step
    bits =
      Self.spread(latitudes.offset(point.latitude, step))
      | Self.spread(Self.longitudes.offset(point.longitude, step)) << 1
  }

  /// The cell that a score names, whoever stored it.
  init(score: Double) {
    step = Self.finest
    if score >= 0 && score < 0x1p64 {
      bits = UInt64(score)
    } else {
      bits = score > -0x1p63 && score < 0 ? UInt64(bitPattern: Int64(score)) : 1 << 63
    }
  }

  var score: Double { Double(bits << UInt64(52 - step * 2)) }

  /// The scores of all that lies in the cell.
  var scores: ScoreRange {
    let shift = UInt64(52 - step * 2)
    return ScoreRange(
      low: Double(bits << shift), high: Double((bits &+ 1) << shift), excludesHigh: true)
  }

  var latitudes: DegreeRange { Self.latitudes.part(Self.gather(bits), step) }
  var longitudes: DegreeRange { Self.longitudes.part(Self.gather(bits >> 1), step) }

  /// The cell's middle.
  var center: GeoPoint {
    let longitudes = longitudes
    let latitudes = latitudes
    let longitude = (longitudes.low + longitudes.high) / 2
    let latitude = (latitudes.low + latitudes.high) / 2
    return GeoPoint(
      longitude: max(min(longitude, Self.longitudes.high), Self.longitudes.low),
      latitude: max(min(latitude, Self.latitudes.high), Self.latitudes.low))
  }

  /// The cell so many cells to the east and to the north; the grid goes round at its borders.
  func neighbour(east: Int, north: Int) -> GeoCell {
    let mask: UInt64 = step == 32 ? .max : (1 << UInt64(step)) - 1
    let x = UInt64(Self.gather(bits >> 1)) &+ UInt64(bitPattern: Int64(east)) & mask
    let y = UInt64(Self.gather(bits)) &+ UInt64(bitPattern: Int64(north)) & mask
    var cell = self
    cell.bits =
      Self.spread(UInt32(truncatingIfNeeded: y & mask))
      | Self.spread(UInt32(truncatingIfNeeded: x & mask)) << 1
    return cell
  }

  /// The number's bits at the even places.
  private static func spread(_ number: UInt32) -> UInt64 {
    var bits = UInt64(number)
    bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF
    bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF
    bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333
    return (bits | bits << 1) & 0x5555_5555_5555_5555
  }

  private static func gather(_ number: UInt64) -> UInt32 {
    var bits = number & 0x5555_5555_5555_5555
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
    bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F
    bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF
    bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF
    return UInt32(truncatingIfNeeded: bits | bits >> 16)
  }
}

extension CommandError {
  static func invalidPlace(_ point: GeoPoint) -> CommandError {
    var text = ByteBuffer()
    text.append(point.longitude, decimals: 6)
    text.append(0x2C)
    text.append(point.latitude, decimals: 6)
    return .custom("ERR invalid longitude,latitude pair \(quoting: text.span)")
  }
}

extension DefaultStringInterpolation {
  /// The client's own bytes in an error.
  mutating func appendInterpolation(quoting text: borrowing Span<UInt8>) {
    var bytes: [UInt8] = []
    for index in text.indices { bytes.append(text[index]) }
    appendLiteral(String(decoding: bytes, as: UTF8.self))
  }
}
