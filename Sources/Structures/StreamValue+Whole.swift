// Whole streams: copying, freeing in slices, proving, describing. Invariants: StreamValue.swift and
// StreamGroup.swift.

import Bytes
import Memory

extension StreamValue {
  // MARK: Copying

  /// Fills a new stream, whose root record is zeros, with copies of all that another has. On
  /// failure it has a part of it, which the caller discards.
  public static func clone(
    _ arena: inout Arena, _ old: Ref<Entry>, into new: Ref<Entry>
  ) throws(ArenaFull) {
    let nodes = nodes(arena.reader, old)
    var place = nodes.start(arena.reader)
    while nodes.hasItem(arena.reader, &place) {
      let item = nodes.item(arena.reader, place)
      let blob = try arena.cloneListpack(item.blob)
      do throws(ArenaFull) {
        try append(&arena, new, blob, item.id)
      } catch {
        arena.free(blob)
        throw error
      }
      nodes.advance(&place)
    }
    setFacts(&arena, new, facts(arena.reader, old))
    let groups = groups(arena.reader, old)
    place = groups.start(arena.reader)
    while groups.hasItem(arena.reader, &place) {
      try cloneGroup(&arena, StreamGroup(groups.item(arena.reader, place).key), into: new)
      groups.advance(&place)
    }
  }

  private static func cloneGroup(
    _ arena: inout Arena, _ old: StreamGroup, into stream: Ref<Entry>
  ) throws(ArenaFull) {
    var name = ByteBuffer()
    name.append(arena.reader.entry(old.entry).key)
    let new = try make(
      &arena, stream, group: name.span, lastID: old.lastID(arena.reader),
      entriesRead: old.entriesRead(arena.reader))
    let consumers = old.consumers(arena.reader)
    var place = consumers.start(arena.reader)
    while consumers.hasItem(arena.reader, &place) {
      let consumer = StreamConsumer(consumers.item(arena.reader, place).key)
      name.removeAll()
      name.append(arena.reader.entry(consumer.entry).key)
      let twin = try new.make(
        &arena, consumer: name.span, seenAt: consumer.seenAt(arena.reader),
        activeAt: consumer.activeAt(arena.reader))
      let ids = consumer.pending(arena.reader)
      var idPlace = ids.start(arena.reader)
      while ids.hasItem(arena.reader, &idPlace) {
        let id = ids.item(arena.reader, idPlace).key
        guard let pending = old.pending(arena.reader, id) else {
          preconditionFailure("1: an ID is lost")
        }
        try new.set(
          &arena,
          Pending(
            id: id, consumer: twin, deliveredAt: pending.deliveredAt,
            deliveries: pending.deliveries))
        ids.advance(&idPlace)
      }
      consumers.advance(&place)
    }
  }

  // MARK: Freeing

  /// Frees some of what an entry's root record names, which is the entry's no longer.
  /// - Parameters:
  ///   - limit: about how many entries and pending entries to free in this call.
  ///   - freed: grows by their number.
  /// - Returns: whether all of it is gone; the entry remains.
  public static func freeSome(
    _ arena: inout Arena, _ stream: Ref<Entry>, limit: Int, freed: inout Int
  ) -> Bool {
    let end = limit == .max ? .max : freed + limit
    var nodes = nodes(arena.reader, stream)
    while !nodes.isEmpty && freed < end {
      var count = 0
      _ = nodes.dropLastLeaf(&arena) { arena, item in
        count += StreamNode(arena.reader.listpack(item.blob), id: item.id).master.live
        arena.free(item.blob)
      }
      freed += count
    }
    nodes.store(&arena, stream, word: nodesWord)
    var groups = groups(arena.reader, stream)
    while !groups.isEmpty && freed < end {
      var place = groups.end(arena.reader)
      _ = groups.retreat(arena.reader, &place)
      let group = StreamGroup(groups.item(arena.reader, place).key)
      guard group.freeSome(&arena, limit: end - freed, freed: &freed) else { break }
      groups.remove(&arena, at: place)
    }
    groups.store(&arena, stream, word: groupsWord)
    return nodes.isEmpty && groups.isEmpty
  }

  // MARK: Describing

  /// How many keys and nodes Redis' radix tree of these nodes would have.
  public static func shape(
    _ reader: borrowing ArenaReader, _ stream: Ref<Entry>
  ) -> (keys: Int, nodes: Int) {
    let tree = nodes(reader, stream)
    guard tree.count > 0 else { return (0, 1) }
    var shape = RadixShape()
    var place = tree.start(reader)
    var scanned = 0
    while scanned < RadixShape.longest, tree.hasItem(reader, &place) {
      shape.add(tree.item(reader, place).id)
      scanned += 1
      tree.advance(&place)
    }
    let nodes = shape.finish()
    return (tree.count, scanned == tree.count ? nodes : nodes * tree.count / scanned)
  }

  /// Redis' estimate of a stream's allocations: the first group's pending entries stand for each
  /// group's.
  static func pieces(_ reader: borrowing ArenaReader, _ stream: Ref<Entry>) -> Int {
    let groups = groups(reader, stream)
    var pieces = shape(reader, stream).nodes
    let place = groups.start(reader)
    if groups.count > 0 {
      let first = StreamGroup(groups.item(reader, place).key)
      pieces += groups.count * (1 + first.pending(reader).count)
    }
    return pieces
  }

  /// The bytes that nodes, groups and pending entries take; of nodes the first `samples`,
  /// extrapolated to all.
  public static func bytes(
    _ arena: borrowing Arena, _ stream: Ref<Entry>, samples: Int
  ) -> Int {
    let nodes = nodes(arena.reader, stream)
    var sum = 0
    var seen = 0
    var place = nodes.start(arena.reader)
    while seen < samples, nodes.hasItem(arena.reader, &place) {
      sum += arena.allocatedBytes(nodes.item(arena.reader, place).blob)
      seen += 1
      nodes.advance(&place)
    }
    var bytes = nodes.typicalBytes
    if seen > 0 { bytes += Int(Double(sum) / Double(seen) * Double(nodes.count)) }
    let groups = groups(arena.reader, stream)
    bytes += groups.typicalBytes
    place = groups.start(arena.reader)
    while groups.hasItem(arena.reader, &place) {
      let group = StreamGroup(groups.item(arena.reader, place).key)
      let consumers = group.consumers(arena.reader)
      let pending = group.pending(arena.reader)
      // Every pending entry stands in a consumer's tree, too.
      let owned = pending.count * CountedTree<OwnedID>.itemBytes * 5 / 4
      bytes += arena.allocatedBytes(group.entry) + pending.typicalBytes + owned
      bytes += consumers.typicalBytes + consumers.count * 64
      groups.advance(&place)
    }
    return bytes
  }

  // MARK: Proving

  /// Traps unless every invariant holds. Looks at the whole stream.
  public static func checkInvariants(_ reader: borrowing ArenaReader, _ stream: Ref<Entry>) {
    let facts = facts(reader, stream)
    let nodes = nodes(reader, stream)
    nodes.checkInvariants(reader) { $0.id < $1.id }
    var live = 0
    var last = StreamID.zero
    var first = StreamID.zero
    var place = nodes.start(reader)
    while nodes.hasItem(reader, &place) {
      let item = nodes.item(reader, place)
      let node = StreamNode(reader.listpack(item.blob), id: item.id)
      let counted = checkNode(node, &last, &first)
      precondition(counted > 0, "2: a node has no entry that lives")
      live += counted
      nodes.advance(&place)
    }
    precondition(live == facts.length, "2: the stream's length is wrong")
    precondition(first == facts.firstID, "3: the first ID is wrong")
    precondition(last <= facts.lastID, "an entry lies behind the last ID")
    let groups = groups(reader, stream)
    groups.checkInvariants(reader)
    place = groups.start(reader)
    while groups.hasItem(reader, &place) {
      StreamGroup(groups.item(reader, place).key).checkInvariants(reader)
      groups.advance(&place)
    }
  }

  private static func checkNode(
    _ node: borrowing StreamNode, _ last: inout StreamID, _ first: inout StreamID
  ) -> Int {
    let master = node.master
    var live = 0
    var all = 0
    var offset = master.entriesPlace
    while offset < node.pack.end {
      let entry = node.entry(at: offset, master)
      precondition(entry.id > last, "1: entries are out of order")
      precondition(entry.id >= node.id, "1: an entry lies before its node")
      last = entry.id
      all += 1
      if !entry.isDeleted {
        live += 1
        if first.isZero { first = entry.id }
      }
      let next = node.next(entry)
      precondition(node.previous(next) == offset, "a node is not read backwards as forwards")
      offset = next
    }
    precondition(live == master.live && all == live + master.deleted, "a node is miscounted")
    return live
  }
}

extension StreamGroup {
  /// Frees consumers, pending entries and at last the group's entry.
  func freeSome(_ arena: inout Arena, limit: Int, freed: inout Int) -> Bool {
    let end = limit == .max ? .max : freed + limit
    var pending = pending(arena.reader)
    while !pending.isEmpty && freed < end {
      freed += pending.dropLastLeaf(&arena)
    }
    pending.store(&arena, entry, word: 3)
    var consumers = consumers(arena.reader)
    while !consumers.isEmpty && freed < end {
      var place = consumers.end(arena.reader)
      _ = consumers.retreat(arena.reader, &place)
      let consumer = StreamConsumer(consumers.item(arena.reader, place).key)
      var ids = consumer.pending(arena.reader)
      while !ids.isEmpty && freed < end { freed += ids.dropLastLeaf(&arena) }
      ids.store(&arena, consumer.entry, word: 2)
      guard ids.isEmpty else { break }
      consumers.remove(&arena, at: place)
      arena.freeEntry(consumer.entry)
      freed += 1
    }
    consumers.store(&arena, entry, word: 6)
    guard pending.isEmpty && consumers.isEmpty else { return false }
    arena.freeEntry(entry)
    return true
  }

  func checkInvariants(_ reader: borrowing ArenaReader) {
    let pending = pending(reader)
    pending.checkInvariants(reader) { $0.id < $1.id }
    let consumers = consumers(reader)
    consumers.checkInvariants(reader)
    var owned = 0
    var place = consumers.start(reader)
    while consumers.hasItem(reader, &place) {
      let consumer = StreamConsumer(consumers.item(reader, place).key)
      let ids = consumer.pending(reader)
      ids.checkInvariants(reader) { $0.key < $1.key }
      owned += ids.count
      var idPlace = ids.start(reader)
      while ids.hasItem(reader, &idPlace) {
        let id = ids.item(reader, idPlace).key
        precondition(
          self.pending(reader, id)?.consumer == consumer, "1: an ID has another consumer")
        ids.advance(&idPlace)
      }
      consumers.advance(&place)
    }
    precondition(owned == pending.count, "1: a pending entry has no consumer")
  }
}

/// Counts the nodes of Redis' radix tree for keys of 16 bytes that come in order: a node where keys
/// part, one for each run of bytes that all share, one at each end.
private struct RadixShape {
  static var longest: Int { 1 << 17 }
  private var nodes = 0
  private var last: StreamID?
  /// The depths at which the present key's path parts from others', rising.
  private var depths = InlineArray<17, Int>(repeating: 0)
  private var count = 0
  /// The depth at which the last key parted from the one before.
  private var parted = -1

  mutating func add(_ id: StreamID) {
    if let last {
      let depth = Self.shared(last, id)
      endLeaf(max(parted, depth))
      close(to: depth)
      if count == 0 || depths[count - 1] < depth {
        depths[count] = depth
        count += 1
        nodes += 1
      }
      parted = depth
    }
    last = id
  }

  mutating func finish() -> Int {
    endLeaf(parted)
    close(to: -1)
    return nodes
  }

  /// A key's own end, and what lies between it and where it parts from others.
  private mutating func endLeaf(_ depth: Int) {
    nodes += 16 - depth - 1 > 0 ? 2 : 1
  }

  /// Leaves the parts of the path below `depth`.
  private mutating func close(to depth: Int) {
    while count > 0 && depths[count - 1] > depth {
      count -= 1
      let own = depths[count]
      let parent = max(count > 0 ? depths[count - 1] : -1, depth)
      if own - parent - 1 > 0 { nodes += 1 }
    }
  }

  /// How many bytes two keys share, highest first.
  private static func shared(_ a: StreamID, _ b: StreamID) -> Int {
    let difference = a.milliseconds ^ b.milliseconds
    if difference != 0 { return difference.leadingZeroBitCount / 8 }
    return 8 + (a.sequence ^ b.sequence).leadingZeroBitCount / 8
  }
}
