// Searching places: GEOSEARCH, GEORADIUS and their relatives, which reply what they find or store
// it.
//
//   shape ──► cells ──► ranges of scores ──► members inside the shape ──► sorted, cut ──► reply
//                                                                                   └──► stored

import Bytes
import Keyspace
import RESP

/// A place that was found.
private struct GeoMatch: BitwiseCopyable {
  var point: GeoPoint
  /// In metres.
  var distance: Double
  var score: Double
  /// Where the member's text is among those of all matches.
  var offset: Int
  var count: Int
}

/// Which command searches.
private enum GeoCommand: Sendable {
  case radius(isReadOnly: Bool)
  case radiusByMember(isReadOnly: Bool)
  case search
  case searchStore

  var isSearch: Bool {
    switch self {
    case .search, .searchStore: true
    default: false
    }
  }
}

/// What is to be found, and what becomes of it.
private struct GeoRequest: BitwiseCopyable {
  var shape = GeoShape()
  var isFromMember = false
  var isFromPoint = false
  var hasShape = false
  var withDistance = false
  var withHash = false
  var withPoint = false
  /// Nearest first or last; nil for any order.
  var isAscending: Bool?
  /// 0 for all.
  var count = 0
  /// Whether any `count` places will do.
  var takesAny = false
  /// Which argument names the target; 0 for a reply.
  var target = 0
  var storesDistance = false
}

extension GeoHandlers {
  static func georadius(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .radius(isReadOnly: false))
  }

  static func georadiusRead(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .radius(isReadOnly: true))
  }

  static func georadiusbymember(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .radiusByMember(isReadOnly: false))
  }

  static func georadiusbymemberRead(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .radiusByMember(isReadOnly: true))
  }

  static func geosearch(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .search)
  }

  static func geosearchstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try search(args, &keys, &reply, .searchStore)
  }

  private static func search(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    _ command: GeoCommand
  ) throws(CommandError) {
    var source = 1
    if case .searchStore = command { source = 2 }
    let found = try keys.findSortedSet(args[source], .read)
    let request = try GeoRequest(args, command, keys, found)
    guard let found else {
      return request.target > 0
        ? keys.storeNothing(at: request.target, args, &reply) : reply.array(0)
    }
    var text = ByteBuffer()
    var matches = keys.matches(request, found, &text)
    if let isAscending = request.isAscending ?? (request.isNearest ? true : nil) {
      matches.sort { isAscending ? $0.distance < $1.distance : $0.distance > $1.distance }
    }
    if request.count > 0 && matches.count > request.count {
      matches.removeLast(matches.count - request.count)
    }
    guard request.target > 0 else { return list(matches, text.span, request, &reply) }
    if matches.isEmpty { return keys.storeNothing(at: request.target, args, &reply) }
    try store(matches, text.span, request, args, &keys)
    reply.integer(matches.count)
  }

  private static func list(
    _ matches: [GeoMatch], _ text: borrowing Span<UInt8>, _ request: GeoRequest,
    _ reply: inout ReplyBuffer
  ) {
    let extras =
      (request.withDistance ? 1 : 0) + (request.withHash ? 1 : 0) + (request.withPoint ? 1 : 0)
    reply.array(matches.count)
    for match in matches {
      if extras > 0 { reply.array(extras + 1) }
      reply.bulk(text.extracting(match.offset..<(match.offset + match.count)))
      if request.withDistance { reply.distance(match.distance / request.shape.unit) }
      if request.withHash { reply.integer(Int(match.score)) }
      if request.withPoint { reply.point(match.point) }
    }
  }

  private static func store(
    _ matches: [GeoMatch], _ text: borrowing Span<UInt8>, _ request: GeoRequest,
    _ args: borrowing Arguments, _ keys: inout Keyspace
  ) throws(CommandError) {
    var draft = try keys.makeScoreDraft()
    for match in matches {
      let score = request.storesDistance ? match.distance / request.shape.unit : match.score
      try keys.add(
        text.extracting(match.offset..<(match.offset + match.count)), score, to: &draft)
    }
    try keys.store(&draft, args[request.target])
    // Redis counts every member as a change.
    keys.statistics.changes &+= matches.count - 1
    keys.propagate(args)
  }
}

extension Keyspace {
  /// All members inside the shape; their texts are appended to `text`.
  fileprivate func matches(
    _ request: GeoRequest, _ found: Key, _ text: inout ByteBuffer
  ) -> [GeoMatch] {
    var matches: [GeoMatch] = []
    let limit = request.takesAny ? request.count : Int.max
    let cells = request.shape.cells
    var last = 0
    for index in 0..<9 {
      guard let cell = cells[index] else { continue }
      // A large shape's neighbours may be the same cell.
      if last > 0 && cell == cells[last] { continue }
      if matches.count >= limit { break }
      let ranks = ranks(cell.scores, found)
      var walk = sortedWalk(found, from: ranks.lowerBound)
      for _ in 0..<ranks.count where matches.count < limit {
        _ = advance(&walk)
        let score = score(walk)
        let point = GeoCell(score: score).center
        guard let distance = request.shape.distance(of: point) else { continue }
        let offset = text.count
        text.append(member(walk))
        matches.append(
          GeoMatch(
            point: point, distance: distance, score: score, offset: offset,
            count: text.count - offset))
      }
      last = index
    }
    return matches
  }

  /// An empty result: the target goes, if there is one.
  fileprivate mutating func storeNothing(
    at target: Int, _ args: borrowing Arguments, _ reply: inout ReplyBuffer
  ) {
    if remove(args[target]) { propagate(args) }
    reply.integer(0)
  }
}

// MARK: Arguments

extension GeoRequest {
  /// A count without an order means the nearest ones.
  fileprivate var isNearest: Bool { count > 0 && !takesAny }

  fileprivate init(
    _ args: borrowing Arguments, _ command: GeoCommand, _ keys: borrowing Keyspace, _ found: Key?
  ) throws(CommandError) {
    var index: Int
    switch command {
    case .radius:
      shape.center = try GeoPoint(args, 2)
      try takeRadius(args, 4)
      index = 6
    case .radiusByMember:
      if let found {
        try takeMember(args, 2, keys, found)
        try takeRadius(args, 3)
      }
      index = 5
    case .search: index = 2
    case .searchStore:
      target = 1
      index = 3
    }
    while index < args.count {
      if takeWord(args, index, command) {
        index += 1
      } else {
        index += try takeValue(args, index, command, keys, found)
      }
    }
    try check(args, command)
  }

  private func check(
    _ args: borrowing Arguments, _ command: GeoCommand
  ) throws(CommandError) {
    if target > 0 && (withDistance || withHash || withPoint) {
      throw command.isSearch
        ? .fixed(
          """
          ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
          """)
        : .fixed(
          """
          ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD \
          options
          """)
    }
    if command.isSearch && !isFromMember && !isFromPoint {
      throw .custom(
        """
        ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for \(quoting: args[0])
        """)
    }
    if command.isSearch && !hasShape {
      throw .custom(
        "ERR exactly one of BYRADIUS and BYBOX can be specified for \(quoting: args[0])")
    }
    if takesAny && count == 0 {
      throw .fixed("ERR the ANY argument requires COUNT argument")
    }
  }

  /// - Returns: whether argument `index` is an option of one word.
  private mutating func takeWord(
    _ args: borrowing Arguments, _ index: Int, _ command: GeoCommand
  ) -> Bool {
    if args.equals(index, "WITHDIST") {
      withDistance = true
    } else if args.equals(index, "WITHHASH") {
      withHash = true
    } else if args.equals(index, "WITHCOORD") {
      withPoint = true
    } else if args.equals(index, "ANY") {
      takesAny = true
    } else if args.equals(index, "ASC") {
      isAscending = true
    } else if args.equals(index, "DESC") {
      isAscending = false
    } else if case .searchStore = command, args.equals(index, "STOREDIST") {
      storesDistance = true
    } else {
      return false
    }
    return true
  }

  /// Reads an option with values.
  /// - Returns: how many arguments it takes.
  private mutating func takeValue(
    _ args: borrowing Arguments, _ index: Int, _ command: GeoCommand,
    _ keys: borrowing Keyspace, _ found: Key?
  ) throws(CommandError) -> Int {
    let left = args.count - index - 1
    if left >= 1 && args.equals(index, "COUNT") {
      guard let count = args[index + 1].parseInteger() else { throw .notInteger }
      if count <= 0 { throw .fixed("ERR COUNT must be > 0") }
      self.count = count
      return 2
    }
    guard command.isSearch else {
      guard left >= 1, takeTarget(args, index, command) else { throw .syntax }
      return 2
    }
    return try takeShape(args, index, left, keys, found)
  }

  /// - Returns: whether the arguments are where to store.
  private mutating func takeTarget(
    _ args: borrowing Arguments, _ index: Int, _ command: GeoCommand
  ) -> Bool {
    switch command {
    case .radius(isReadOnly: true), .radiusByMember(isReadOnly: true): return false
    default: break
    }
    let isDistance = args.equals(index, "STOREDIST")
    guard isDistance || args.equals(index, "STORE") else { return false }
    target = index + 1
    storesDistance = isDistance
    return true
  }

  private mutating func takeShape(
    _ args: borrowing Arguments, _ index: Int, _ left: Int, _ keys: borrowing Keyspace,
    _ found: Key?
  ) throws(CommandError) -> Int {
    if left >= 1 && args.equals(index, "FROMMEMBER") && !isFromPoint {
      // Without the set the other arguments are looked at all the same.
      if let found { try takeMember(args, index + 1, keys, found) }
      isFromMember = true
      return 2
    }
    if left >= 2 && args.equals(index, "FROMLONLAT") && !isFromMember {
      shape.center = try GeoPoint(args, index + 1)
      isFromPoint = true
      return 3
    }
    if left >= 2 && args.equals(index, "BYRADIUS") && !(hasShape && shape.kind == .box) {
      try takeRadius(args, index + 1)
      return 3
    }
    if left >= 3 && args.equals(index, "BYBOX") && !(hasShape && shape.kind == .circle) {
      try takeBox(args, index + 1)
      return 4
    }
    throw .syntax
  }

  private mutating func takeMember(
    _ args: borrowing Arguments, _ index: Int, _ keys: borrowing Keyspace, _ found: Key
  ) throws(CommandError) {
    guard let point = keys.place(args[index], found) else {
      throw .fixed("ERR could not decode requested zset member")
    }
    shape.center = point
  }

  private mutating func takeRadius(
    _ args: borrowing Arguments, _ index: Int
  ) throws(CommandError) {
    guard let radius = args[index].parseDouble() else {
      throw .fixed("ERR need numeric radius")
    }
    if radius < 0 { throw .fixed("ERR radius cannot be negative") }
    shape.kind = .circle
    shape.radius = radius
    shape.unit = try GeoUnit.metres(args, index + 1)
    hasShape = true
  }

  private mutating func takeBox(
    _ args: borrowing Arguments, _ index: Int
  ) throws(CommandError) {
    guard let width = args[index].parseDouble() else { throw .fixed("ERR need numeric width") }
    guard let height = args[index + 1].parseDouble() else {
      throw .fixed("ERR need numeric height")
    }
    if width < 0 || height < 0 { throw .fixed("ERR height or width cannot be negative") }
    shape.kind = .box
    shape.width = width
    shape.height = height
    shape.unit = try GeoUnit.metres(args, index + 2)
    hasShape = true
  }
}
