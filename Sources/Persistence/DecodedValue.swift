// DecodedValue: a value out of an RDB payload, whole and checked, before a keyspace has seen it.
//
//   type        elements
//   string      one
//   list        its elements in order
//   set         its members
//   sortedSet   its members, beside them `scores`
//   hash        field, value, field, value ..., beside them `deadlines` if any field has one
//
// Streams are made as they are read (Keyspace+StreamPayload).
//
// 1. Every encoding that Redis has written becomes the same few lists; how the value is kept is
//    decided anew, by today's thresholds.
// 2. Duplicates are found by whoever makes the value of it.

import Bytes
import Keyspace
import Structures

public struct DecodedValue: ~Copyable {
  public private(set) var type = ValueType.string
  public var elements = ElementList()
  public var scores = GrowableArray<Double>()
  /// Milliseconds since 1970, by field; 0 is none. Empty when no field has one.
  public var deadlines = GrowableArray<Int>()

  /// Reads a value of the RDB type `type`.
  init(type number: UInt8, _ reader: inout RDBReader) throws(PayloadError) {
    guard let encoding = RDBType(rawValue: number) else { throw .corrupt }
    switch encoding {
    case .string:
      try readElement(&reader)
    case .list, .listZiplist, .listQuicklist, .listQuicklist2:
      type = .list
      try readList(encoding, &reader)
    case .set, .setIntset, .setListpack:
      type = .set
      try readSet(encoding, &reader)
    case .sortedSetText, .sortedSet, .sortedSetZiplist, .sortedSetListpack:
      type = .sortedSet
      try readSortedSet(encoding, &reader)
    case .hash, .hashZipmap, .hashZiplist, .hashListpack, .hashMetadata, .hashListpackExpiry,
      .hashMetadataEarly, .hashListpackExpiryEarly:
      type = .hash
      try readHash(encoding, &reader)
    case .stream, .stream2, .stream3:
      // They are drafted as they are read.
      throw .corrupt
    }
    if elements.isEmpty { throw .empty }
  }

  // MARK: Pieces

  private mutating func readElement(_ reader: inout RDBReader) throws(PayloadError) {
    try elements.append { (bytes: inout ByteBuffer) throws(PayloadError) in
      try reader.string(into: &bytes)
    }
  }

  /// A string that is a packed collection.
  private func readPacked(_ reader: inout RDBReader) throws(PayloadError) -> ByteBuffer {
    var bytes = ByteBuffer()
    try reader.string(into: &bytes)
    return bytes
  }

  private static func readListpack(
    _ bytes: Span<UInt8>, into list: inout ElementList
  ) throws(PayloadError) {
    guard Listpack.isValid(bytes) else { throw .corrupt }
    let listpack = Listpack(bytes)
    var place = listpack.start
    while place < listpack.end {
      let element = listpack.element(place)
      if element.isInteger {
        list.append(decimal: element.integer)
      } else {
        list.append(element.string)
      }
      place = listpack.next(place)
    }
  }

  // MARK: Types

  private mutating func readList(
    _ encoding: RDBType, _ reader: inout RDBReader
  ) throws(PayloadError) {
    if encoding == .list {
      for _ in 0..<(try reader.count()) { try readElement(&reader) }
      return
    }
    let nodes = encoding == .listZiplist ? 1 : try reader.count()
    for _ in 0..<nodes {
      let isPlain = encoding == .listQuicklist2 ? try container(&reader) == 1 : false
      if isPlain {
        try readElement(&reader)
        continue
      }
      let node = try readPacked(&reader)
      if encoding == .listQuicklist2 {
        try Self.readListpack(node.span, into: &elements)
      } else {
        try Ziplist.read(node.span, into: &elements)
      }
    }
  }

  /// How a quicklist's node is kept: 1 is one plain element, 2 a listpack.
  private func container(_ reader: inout RDBReader) throws(PayloadError) -> UInt64 {
    let kind = try reader.length()
    guard kind == 1 || kind == 2 else { throw .corrupt }
    return kind
  }

  private mutating func readSet(
    _ encoding: RDBType, _ reader: inout RDBReader
  ) throws(PayloadError) {
    switch encoding {
    case .setIntset:
      let packed = try readPacked(&reader)
      try readIntset(packed.span)
    case .setListpack:
      let packed = try readPacked(&reader)
      try Self.readListpack(packed.span, into: &elements)
    default:
      for _ in 0..<(try reader.count()) { try readElement(&reader) }
    }
  }

  /// An intset: width 4, count 4, then the integers in order, from the lowest byte on.
  private mutating func readIntset(_ bytes: Span<UInt8>) throws(PayloadError) {
    var reader = RDBReader(bytes)
    let width = Int(try reader.little(4))
    let count = Int(try reader.little(4))
    guard width == 2 || width == 4 || width == 8, reader.left == width * count else {
      throw .corrupt
    }
    let unused = 64 - 8 * width
    var previous: Int?
    for _ in 0..<count {
      let bits = Int(truncatingIfNeeded: try reader.little(width))
      let value = (bits << unused) >> unused
      if let previous, previous >= value { throw .corrupt }
      previous = value
      elements.append(decimal: value)
    }
  }

  private mutating func readSortedSet(
    _ encoding: RDBType, _ reader: inout RDBReader
  ) throws(PayloadError) {
    if encoding == .sortedSet || encoding == .sortedSetText {
      for _ in 0..<(try reader.count()) {
        try readElement(&reader)
        let score = encoding == .sortedSet ? try reader.double() : try reader.textDouble()
        if score.isNaN { throw .corrupt }
        scores.append(score)
      }
      return
    }
    var pairs = ElementList()
    let packed = try readPacked(&reader)
    if encoding == .sortedSetZiplist {
      try Ziplist.read(packed.span, into: &pairs)
    } else {
      try Self.readListpack(packed.span, into: &pairs)
    }
    guard pairs.count % 2 == 0 else { throw .corrupt }
    for index in stride(from: 0, to: pairs.count, by: 2) {
      guard let score = pairs.element(index + 1).parseDouble(), !score.isNaN else {
        throw .corrupt
      }
      elements.append(pairs.element(index))
      scores.append(score)
    }
  }

  private mutating func readHash(
    _ encoding: RDBType, _ reader: inout RDBReader
  ) throws(PayloadError) {
    switch encoding {
    case .hashMetadata, .hashMetadataEarly:
      return try readFieldsWithDeadlines(&reader, isEarly: encoding == .hashMetadataEarly)
    case .hashListpackExpiry, .hashListpackExpiryEarly:
      return try readTriples(&reader, isEarly: encoding == .hashListpackExpiryEarly)
    case .hashZipmap:
      let packed = try readPacked(&reader)
      try Zipmap.read(packed.span, into: &elements)
    case .hashZiplist:
      let packed = try readPacked(&reader)
      try Ziplist.read(packed.span, into: &elements)
    case .hashListpack:
      let packed = try readPacked(&reader)
      try Self.readListpack(packed.span, into: &elements)
    default:
      for _ in 0..<(try reader.count()) {
        try readElement(&reader)
        try readElement(&reader)
      }
    }
    guard elements.count % 2 == 0 else { throw .corrupt }
  }

  /// The latest deadline that a field can have.
  private static var latestDeadline: Int { 0xFFFF_FFFF_FFFF }

  /// The earliest deadline, then the fields; a field's deadline counts from the earliest, plus one.
  /// Early payloads have the deadlines themselves.
  private mutating func readFieldsWithDeadlines(
    _ reader: inout RDBReader, isEarly: Bool
  ) throws(PayloadError) {
    let earliest = isEarly ? 1 : try reader.time()
    guard earliest >= 0 else { throw .corrupt }
    for _ in 0..<(try reader.count()) {
      let distance = try reader.length()
      let sum = UInt64(earliest).addingReportingOverflow(distance)
      let isSound = !sum.overflow && sum.partialValue <= UInt64(Self.latestDeadline) + 1
      guard distance == 0 || isSound else { throw .corrupt }
      deadlines.append(distance == 0 ? 0 : max(Int(sum.partialValue) - 1, 1))
      try readElement(&reader)
      try readElement(&reader)
    }
  }

  /// The earliest deadline, then a listpack of field, value and deadline, 0 for none. Early
  /// payloads have the listpack alone.
  private mutating func readTriples(
    _ reader: inout RDBReader, isEarly: Bool
  ) throws(PayloadError) {
    if !isEarly { _ = try reader.time() }
    var triples = ElementList()
    let packed = try readPacked(&reader)
    try Self.readListpack(packed.span, into: &triples)
    guard triples.count % 3 == 0 else { throw .corrupt }
    for index in stride(from: 0, to: triples.count, by: 3) {
      guard let deadline = triples.element(index + 2).parseInteger(),
        0...Self.latestDeadline ~= deadline
      else { throw .corrupt }
      elements.append(triples.element(index))
      elements.append(triples.element(index + 1))
      deadlines.append(deadline)
    }
  }
}
