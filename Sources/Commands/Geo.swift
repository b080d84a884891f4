// Geo: the rows of the commands on places, which are sorted sets of cells. Handlers: GeoHandlers.

import RESP

extension Command where Host: ~Copyable {
  /// Commands on places.
  @_optimize(none) @CommandList<Host>
  public static var geo: [Command] {
    CommandGroup.geo
    Command(
      "GEOADD", arity: -5, [.write, .denyOOM], .geo, .keyspace(GeoHandlers.geoadd),
      keys: [.key(1, [.readWrite, .update])],
      summary: "Adds places by longitude and latitude to a sorted set, creating it if need be.",
      since: "3.2.0",
      complexity: "O(log(N)) for each place, N being in the set",
      history: ["6.2.0": "`CH`, `NX`, `XX`."],
      arguments: [
        .key(), .oneOf("condition", .optional, since: "6.2.0", of: [.token("NX"), .token("XX")]),
        .token("CH", .optional, name: "change", since: "6.2.0"),
        .block(
          "longitude_latitude_member", .multiple,
          of: [.value(.double, "longitude"), .value(.double, "latitude"), .string("member")]),
      ])
    Command(
      "GEODIST", arity: -4, .readOnly, .geo, .keyspace(GeoHandlers.geodist),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the distance between two places.", since: "3.2.0",
      complexity: "O(1)",
      arguments: [
        .key(), .string("member1"), .string("member2"),
        .oneOf("unit", .optional, of: [.token("M"), .token("KM"), .token("FT"), .token("MI")]),
      ])
    Command(
      "GEOHASH", arity: -2, .readOnly, .geo, .keyspace(GeoHandlers.geohash),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns places as standard geohash texts.", since: "3.2.0",
      complexity: "O(1) for each place",
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "GEOPOS", arity: -2, .readOnly, .geo, .keyspace(GeoHandlers.geopos),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Returns the longitudes and latitudes of places.", since: "3.2.0",
      complexity: "O(1) for each place",
      arguments: [.key(), .string("member", .multiple)])
    Command(
      "GEORADIUS", arity: -6, [.write, .denyOOM], .geo, .keyspace(GeoHandlers.georadius),
      keys: [
        .key(1, [.readOnly, .access]),
        KeySpec(
          .keyword("STORE", startFrom: 6), .range(lastKey: 0, step: 1, limit: 0),
          [.overwrite, .update]),
        KeySpec(
          .keyword("STOREDIST", startFrom: 6), .range(lastKey: 0, step: 1, limit: 0),
          [.overwrite, .update]),
      ],
      summary: "Finds the places within a radius of a point, and may store them.", since: "3.2.0",
      complexity: "O(N+log(M)) for N places in the square around the circle, M in the set",
      deprecated: Deprecation(
        since: "6.2.0",
        replacedBy: """
          `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument
          """),
      history: ["6.2.0": "`COUNT` with `ANY`.", "7.0.0": "Units in any letter case."],
      arguments: [
        .key(), .value(.double, "longitude"), .value(.double, "latitude"),
        .value(.double, "radius"), .unit,
        .token("WITHCOORD", .optional), .token("WITHDIST", .optional),
        .token("WITHHASH", .optional),
        .block(
          "count", .optional,
          of: [.integer("count", token: "COUNT"), .token("ANY", .optional, since: "6.2.0")]),
        .order,
        .key("key", spec: 1, token: "STORE", .optional),
        .key("key", spec: 2, token: "STOREDIST", .optional),
      ])
    Command(
      "GEORADIUSBYMEMBER", arity: -5, [.write, .denyOOM], .geo,
      .keyspace(GeoHandlers.georadiusbymember),
      keys: [
        .key(1, [.readOnly, .access]),
        KeySpec(
          .keyword("STORE", startFrom: 5), .range(lastKey: 0, step: 1, limit: 0),
          [.overwrite, .update]),
        KeySpec(
          .keyword("STOREDIST", startFrom: 5), .range(lastKey: 0, step: 1, limit: 0),
          [.overwrite, .update]),
      ],
      summary: "Finds the places within a radius of another place, and may store them.",
      since: "3.2.0",
      complexity: "O(N+log(M)) for N places in the square around the circle, M in the set",
      deprecated: Deprecation(
        since: "6.2.0",
        replacedBy:
          "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
      history: ["7.0.0": "Units in any letter case."],
      arguments: [
        .key(), .string("member"), .value(.double, "radius"), .unit,
        .token("WITHCOORD", .optional), .token("WITHDIST", .optional),
        .token("WITHHASH", .optional), .countOrAny, .order,
        .key("key", spec: 1, token: "STORE", .optional),
        .key("key", spec: 2, token: "STOREDIST", .optional),
      ])
    Command(
      "GEORADIUSBYMEMBER_RO", arity: -5, .readOnly, .geo,
      .keyspace(GeoHandlers.georadiusbymemberRead),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Finds the places within a radius of another place.", since: "3.2.10",
      complexity: "O(N+log(M)) for N places in the square around the circle, M in the set",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
      arguments: [
        .key(), .string("member"), .value(.double, "radius"), .unit,
        .token("WITHCOORD", .optional), .token("WITHDIST", .optional),
        .token("WITHHASH", .optional), .countOrAny, .order,
      ])
    Command(
      "GEORADIUS_RO", arity: -6, .readOnly, .geo, .keyspace(GeoHandlers.georadiusRead),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Finds the places within a radius of a point.", since: "3.2.10",
      complexity: "O(N+log(M)) for N places in the square around the circle, M in the set",
      deprecated: Deprecation(
        since: "6.2.0", replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument"),
      history: ["6.2.0": "`COUNT` with `ANY`."],
      arguments: [
        .key(), .value(.double, "longitude"), .value(.double, "latitude"),
        .value(.double, "radius"), .unit,
        .token("WITHCOORD", .optional), .token("WITHDIST", .optional),
        .token("WITHHASH", .optional),
        .block(
          "count", .optional,
          of: [.integer("count", token: "COUNT"), .token("ANY", .optional, since: "6.2.0")]),
        .order,
      ])
    Command(
      "GEOSEARCH", arity: -7, .readOnly, .geo, .keyspace(GeoHandlers.geosearch),
      keys: [.key(1, [.readOnly, .access])],
      summary: "Finds the places in a circle or a box.", since: "6.2.0",
      complexity: "O(N+log(M)) for N places in the area around the shape, M in the set",
      history: ["7.0.0": "Units in any letter case."],
      arguments: [
        .key(), .origin, .shape, .order, .countOrAny,
        .token("WITHCOORD", .optional), .token("WITHDIST", .optional),
        .token("WITHHASH", .optional),
      ])
    Command(
      "GEOSEARCHSTORE", arity: -8, [.write, .denyOOM], .geo, .keyspace(GeoHandlers.geosearchstore),
      keys: [.key(1, [.overwrite, .update]), .key(2, [.readOnly, .access])],
      summary: "Stores the places in a circle or a box.", since: "6.2.0",
      complexity: "O(N+log(M)) for N places in the area around the shape, M in the set",
      history: ["7.0.0": "Units in any letter case."],
      arguments: [
        .key("destination"), .key("source", spec: 1), .origin, .shape, .order, .countOrAny,
        .token("STOREDIST", .optional),
      ])
  }
}

// What several rows take.
extension Argument {
  fileprivate static var unit: Argument {
    .oneOf("unit", of: [.token("M"), .token("KM"), .token("FT"), .token("MI")])
  }

  fileprivate static var origin: Argument {
    .oneOf(
      "from",
      of: [
        .string("member", token: "FROMMEMBER"),
        .block(
          "longitude_latitude", token: "FROMLONLAT",
          of: [.value(.double, "longitude"), .value(.double, "latitude")]),
      ])
  }

  fileprivate static var shape: Argument {
    .oneOf(
      "by",
      of: [
        .block("circle", of: [.value(.double, "radius", token: "BYRADIUS"), .unit]),
        .block(
          "box",
          of: [.value(.double, "width", token: "BYBOX"), .value(.double, "height"), .unit]),
      ])
  }

  fileprivate static var order: Argument {
    .oneOf("order", .optional, of: [.token("ASC"), .token("DESC")])
  }

  fileprivate static var countOrAny: Argument {
    .block("count", .optional, of: [.integer("count", token: "COUNT"), .token("ANY", .optional)])
  }
}
