// Drafts of streams that are read from RDB payloads. The layout: RDBWriter+Streams.
//
//   type 15   has neither first ID, greatest deleted ID, entries added nor a group's entries read
//   type 21   has a consumer's last activity beside the time it was last seen

import Bytes
import Keyspace
import Structures

extension RDBType {
  var isStream: Bool { self == .stream || self == .stream2 || self == .stream3 }
}

extension Keyspace {
  mutating func draftStream(
    _ key: borrowing Span<UInt8>, _ type: RDBType, _ reader: inout RDBReader
  ) throws(PayloadError) -> ValueDraft {
    let draft = try checked { (keys: inout Keyspace) throws(CommandError) in
      try keys.draftStream(key)
    }
    do throws(PayloadError) {
      let facts = try readNodes(type, &reader, into: draft)
      for _ in 0..<(try reader.count()) { try readGroup(type, &reader, facts, into: draft) }
    } catch {
      discard(draft)
      throw error
    }
    return draft
  }

  private mutating func readNodes(
    _ type: RDBType, _ reader: inout RDBReader, into draft: ValueDraft
  ) throws(PayloadError) -> StreamFacts {
    var check = StreamCheck()
    for _ in 0..<(try reader.count()) {
      var name = ByteBuffer()
      try reader.string(into: &name)
      guard name.count == 16 else { throw .corrupt }
      var nameReader = RDBReader(name.span)
      let id = try nameReader.rawID()
      var node = ByteBuffer()
      try reader.string(into: &node)
      guard Listpack.isValid(node.span) else { throw .corrupt }
      let isAdded = try checked { (keys: inout Keyspace) throws(CommandError) in
        try keys.addNode(node.span, id, to: draft, &check)
      }
      if !isAdded { throw .corrupt }
    }
    let length = try reader.length()
    let lastID = try reader.id()
    var deletedID = StreamID.zero
    var added = length
    if type != .stream {
      _ = try reader.id()
      deletedID = try reader.id()
      added = try reader.length()
    }
    guard length == UInt64(check.live), check.last <= lastID else { throw .corrupt }
    return setFacts(
      of: draft, length: check.live, lastID: lastID, deletedID: deletedID,
      added: Int(truncatingIfNeeded: added))
  }

  private mutating func readGroup(
    _ type: RDBType, _ reader: inout RDBReader, _ facts: StreamFacts, into draft: ValueDraft
  ) throws(PayloadError) {
    var name = ByteBuffer()
    try reader.string(into: &name)
    let lastID = try reader.id()
    let entriesRead =
      type == .stream
      ? facts.estimatedReads(upTo: lastID) : Int(truncatingIfNeeded: try reader.length())
    let made = try checked { (keys: inout Keyspace) throws(CommandError) in
      try keys.addGroup(name.span, lastID: lastID, entriesRead: entriesRead, to: draft)
    }
    guard let group = made else { throw .corrupt }
    var deliveries: [StreamID: (at: Int, count: Int)] = [:]
    for _ in 0..<(try reader.count()) {
      let id = try reader.rawID()
      let time = try reader.time()
      guard let count = Int(exactly: try reader.length()),
        deliveries.updateValue((time, count), forKey: id) == nil
      else { throw .corrupt }
    }
    for _ in 0..<(try reader.count()) { try readConsumer(type, &reader, &deliveries, group) }
    // What is pending is pending with somebody.
    guard deliveries.isEmpty else { throw .corrupt }
  }

  private mutating func readConsumer(
    _ type: RDBType, _ reader: inout RDBReader,
    _ deliveries: inout [StreamID: (at: Int, count: Int)], _ group: StreamGroup
  ) throws(PayloadError) {
    var name = ByteBuffer()
    try reader.string(into: &name)
    let seenAt = try reader.time()
    let activeAt = type == .stream3 ? try reader.time() : seenAt
    let made = try checked { (keys: inout Keyspace) throws(CommandError) in
      try keys.addConsumer(name.span, seenAt: seenAt, activeAt: activeAt, to: group)
    }
    guard let consumer = made else { throw .corrupt }
    for _ in 0..<(try reader.count()) {
      let id = try reader.rawID()
      guard let delivery = deliveries.removeValue(forKey: id) else { throw .corrupt }
      let pending = Pending(
        id: id, consumer: consumer, deliveredAt: delivery.at, deliveries: delivery.count)
      let isNew = try checked { (keys: inout Keyspace) throws(CommandError) in
        try keys.addPending(pending, to: group)
      }
      if !isNew { throw .corrupt }
    }
  }

  /// Calls what can fail for want of memory.
  private mutating func checked<Result>(
    _ body: (inout Keyspace) throws(CommandError) -> Result
  ) throws(PayloadError) -> Result {
    do throws(CommandError) {
      return try body(&self)
    } catch {
      throw .failed(error)
    }
  }
}

extension RDBReader {
  @_lifetime(self: copy self)
  fileprivate mutating func rawID() throws(PayloadError) -> StreamID {
    StreamID(try big(8), try big(8))
  }

  @_lifetime(self: copy self)
  fileprivate mutating func id() throws(PayloadError) -> StreamID {
    StreamID(try length(), try length())
  }
}

extension StreamFacts {
  /// How many entries a group has read that has come to `id`, as far as it can be known; else -1.
  fileprivate func estimatedReads(upTo id: StreamID) -> Int {
    if added == 0 { return 0 }
    if length == 0 && id <= lastID { return added }
    if !id.isZero && id < deletedID { return -1 }
    if id == lastID { return added }
    if id > lastID { return -1 }
    if deletedID.isZero || deletedID < firstID {
      if id < firstID { return added - length }
      if id == firstID { return added - length + 1 }
    }
    return -1
  }
}
