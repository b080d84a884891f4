// GeoShape: a circle or a box on the earth, and the cells that cover it.
//
//   +----+----+----+
//   | NW | N  | NE |     the middle cell holds the shape's middle; its size is chosen so that the
//   +----+----+----+     nine hold the whole shape
//   | W  | ** | E  |
//   +----+----+----+     neighbours that the shape does not reach are left out
//   | SW | S  | SE |
//   +----+----+----+
//
// 1. Which cells there are, and in which order, decides the order of an unsorted reply: both are
//    Redis'.

import Keyspace

struct GeoShape: BitwiseCopyable {
  enum Kind: Sendable {
    case circle, box
  }

  var kind = Kind.circle
  var center = GeoPoint(longitude: 0, latitude: 0)
  /// In the client's unit; a box has a width and a height.
  var radius = 0.0
  var width = 0.0
  var height = 0.0
  /// Metres in the client's unit.
  var unit = 1.0

  /// The distance of a point from the middle in metres, if it lies inside.
  func distance(of point: GeoPoint) -> Double? {
    if kind == .circle {
      let distance = center.distance(to: point)
      return distance > radius * unit ? nil : distance
    }
    if GeoPoint.distance(point.latitude, center.latitude) > height * unit / 2 { return nil }
    let across = point.distance(
      to: GeoPoint(longitude: center.longitude, latitude: point.latitude))
    return across > width * unit / 2 ? nil : center.distance(to: point)
  }

  /// The cells that cover the shape, in the order in which they are searched.
  var cells: InlineArray<9, GeoCell?> {
    let (longitudes, latitudes) = bounds
    var middle = GeoCell(center, step: estimatedStep)
    if middle.step > 1 && !Self.covers(middle, longitudes, latitudes) {
      middle = GeoCell(center, step: middle.step - 1)
    }
    var cells = InlineArray<9, GeoCell?>(repeating: nil)
    cells[0] = middle
    let hasBorders = middle.step >= 2
    let own = (longitudes: middle.longitudes, latitudes: middle.latitudes)
    let leavesSouth = hasBorders && own.latitudes.low < latitudes.low
    let leavesNorth = hasBorders && own.latitudes.high > latitudes.high
    let leavesWest = hasBorders && own.longitudes.low < longitudes.low
    let leavesEast = hasBorders && own.longitudes.high > longitudes.high
    let steps: InlineArray<8, (east: Int, north: Int)> = [
      (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1),
    ]
    for index in 0..<8 {
      let (east, north) = steps[index]
      if (north < 0 && leavesSouth) || (north > 0 && leavesNorth) || (east < 0 && leavesWest)
        || (east > 0 && leavesEast)
      {
        continue
      }
      cells[index + 1] = middle.neighbour(east: east, north: north)
    }
    return cells
  }

  /// The degrees that the shape reaches.
  private var bounds: (longitudes: DegreeRange, latitudes: DegreeRange) {
    let tall = unit * (kind == .circle ? radius : height / 2)
    let wide = unit * (kind == .circle ? radius : width / 2)
    let north = GeoPoint.degrees(metres: tall)
    // The side away from the equator is the one that reaches further in longitude.
    let edge = center.latitude < 0 ? center.latitude - north : center.latitude + north
    let east = GeoPoint.degrees(metres: wide, at: edge)
    return (
      DegreeRange(low: center.longitude - east, high: center.longitude + east),
      DegreeRange(low: center.latitude - north, high: center.latitude + north)
    )
  }

  /// The step at which nine cells should hold the shape.
  private var estimatedStep: Int {
    let half = (width / 2) * (width / 2) + (height / 2) * (height / 2)
    var metres = (kind == .circle ? radius : half.squareRoot()) * unit
    if metres == 0 { return GeoCell.finest }
    var step = 1
    while metres < 20_037_726.37 {
      metres *= 2
      step += 1
    }
    step -= 2
    // Cells become narrower towards the poles.
    if abs(center.latitude) > 66 { step -= 1 }
    if abs(center.latitude) > 80 { step -= 1 }
    return max(min(step, GeoCell.finest), 1)
  }

  /// Whether the neighbours of `middle` reach as far as the shape.
  private static func covers(
    _ middle: GeoCell, _ longitudes: DegreeRange, _ latitudes: DegreeRange
  ) -> Bool {
    middle.neighbour(east: 0, north: 1).latitudes.high >= latitudes.high
      && middle.neighbour(east: 0, north: -1).latitudes.low <= latitudes.low
      && middle.neighbour(east: 1, north: 0).longitudes.high >= longitudes.high
      && middle.neighbour(east: -1, north: 0).longitudes.low <= longitudes.low
  }
}
