// Operations on several sets: SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD.
//
// 1. Looking a key up may remove it and move others: all keys are looked up once, for that, and
//    then found again without side effects. Reading and drafts move no key.
// 2. A result that is stored is built as a draft, whose encoding comes about as it does in Redis
//    7.2, and then put over the destination, which may be one of the sources.

import Bytes
import Keyspace
import RESP

/// The sets that a command reads.
private struct SetSources: ~Copyable {
  /// Those that exist, in order.
  var keys = GrowableArray<Key>()
  var isAnyMissing = false
  var isFirstMissing = false
  /// Whether the first set is named again.
  var repeatsFirst = false
  /// Whether all of them are listpacks, which are compared as wholes (MemberPlaces).
  var arePacked = true
  /// Where the members of the sets lie that are looked into; empty for few lookups.
  var places = MemberPlaces()

  init(
    _ args: borrowing Arguments, _ range: Range<Int>, _ keyspace: inout Keyspace
  ) throws(CommandError) {
    for index in range { _ = try keyspace.findSet(args[index], .read) }
    for index in range {
      guard let found = keyspace.find(args[index], .peek) else {
        isAnyMissing = true
        if index == range.lowerBound { isFirstMissing = true }
        continue
      }
      if index > range.lowerBound && !isFirstMissing && found.entry == keys[0].entry {
        repeatsFirst = true
      }
      keys.append(found)
      if !keyspace.isListpack(found) { arePacked = false }
    }
  }

  /// Puts the smallest set first, whose members will be looked up in the others.
  mutating func putSmallestFirst(_ keyspace: borrowing Keyspace) {
    var smallest = 0
    for index in 0..<keys.count
    where keyspace.elementCount(keys[index]) < keyspace.elementCount(keys[smallest]) {
      smallest = index
    }
    let first = keys[0]
    keys[0] = keys[smallest]
    keys[smallest] = first
    notePlaces(keyspace)
  }

  /// Prepares for looking each member of the first set up in the others.
  mutating func notePlaces(_ keyspace: borrowing Keyspace) {
    guard keys.count > 1, keyspace.elementCount(keys[0]) >= Self.manyLookups else { return }
    places.addNothing()
    for index in 1..<keys.count { keyspace.notePlaces(of: keys[index], in: &places) }
  }

  /// Prepares for looking each set's members up in those before it.
  mutating func notePlacesForUnion(_ keyspace: borrowing Keyspace) {
    for index in 0..<max(keys.count - 1, 0) { keyspace.notePlaces(of: keys[index], in: &places) }
  }

  /// Finds the members of set `number`, all sets being packed, that all, or none, of the sets
  /// `others` have.
  func select(
    from number: Int = 0, ofAll: Bool, others: Range<Int>? = nil,
    into chosen: inout GrowableArray<PackedMember>, _ keyspace: borrowing Keyspace
  ) {
    keyspace.select(
      from: number, ofAll: ofAll, others: others ?? 1..<keys.count, keys, places, into: &chosen)
  }

  private static var manyLookups: Int { 8 }

  /// Whether all sets from the second on have the element.
  func allHave(_ walk: ElementWalk, _ keyspace: borrowing Keyspace) -> Bool {
    keyspace.isMember(walk, ofAll: true, keys, places)
  }

  /// Whether any set from the second on has the element.
  func anyHas(_ walk: ElementWalk, _ keyspace: borrowing Keyspace) -> Bool {
    keyspace.isMember(walk, ofAll: false, keys, places)
  }
}

// MARK: Intersections

extension SetHandlers {
  static func sinter(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 1..<args.count, &keys)
    if sources.isAnyMissing { return reply.set(0) }
    sources.putSmallestFirst(keys)
    if sources.arePacked { return replySelected(sources, ofAll: true, keys, &reply) }
    let mark = reply.bytes.count
    var count = 0
    var walk = keys.walk(sources.keys[0])
    while keys.advance(&walk) {
      guard sources.allHave(walk, keys) else { continue }
      reply.bulk(keys.element(walk))
      count += 1
    }
    reply.set(count, before: mark)
  }

  /// Replies with the members of the first set that all, or none, of the others have.
  private static func replySelected(
    _ sources: borrowing SetSources, ofAll: Bool, _ keys: borrowing Keyspace,
    _ reply: inout ReplyBuffer
  ) {
    var chosen = GrowableArray<PackedMember>()
    sources.select(ofAll: ofAll, into: &chosen, keys)
    reply.set(chosen.count)
    for index in 0..<chosen.count {
      reply.bulk(keys.element(chosen[index], of: sources.keys[0]))
    }
  }

  static func sintercard(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    guard let number = args[1].parseInteger(), number > 0 else {
      throw .fixed("ERR numkeys should be greater than 0")
    }
    guard number <= args.count - 2 else {
      throw .fixed("ERR Number of keys can't be greater than number of args")
    }
    var limit = 0
    for index in stride(from: 2 + number, to: args.count, by: 2) {
      guard args.equals(index, "LIMIT"), index + 1 < args.count else { throw .syntax }
      guard let value = args[index + 1].parseInteger(), value >= 0 else {
        throw .fixed("ERR LIMIT can't be negative")
      }
      limit = value
    }
    var sources = try SetSources(args, 2..<(2 + number), &keys)
    if sources.isAnyMissing { return reply.integer(0) }
    sources.putSmallestFirst(keys)
    var count = 0
    var walk = keys.walk(sources.keys[0])
    while limit == 0 || count < limit, keys.advance(&walk) {
      if sources.allHave(walk, keys) { count += 1 }
    }
    reply.integer(count)
  }

  static func sinterstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 2..<args.count, &keys)
    if sources.isAnyMissing { return storeNothing(args, &keys, &reply) }
    sources.putSmallestFirst(keys)
    var draft = SetDraftWriter(try keys.makeDraft(args[1]))
    var walk = keys.walk(sources.keys[0])
    while keys.advance(&walk) {
      guard sources.allHave(walk, keys) else { continue }
      try draft.add(walk, isNew: true, &keys)
    }
    try store(draft, args, &keys, &reply, packsIntegers: true)
  }

  /// Stores an empty result: the destination goes.
  private static func storeNothing(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) {
    if keys.remove(args[1]) { keys.propagate(args) }
    reply.integer(0)
  }

  private static func store(
    _ writer: borrowing SetDraftWriter, _ args: borrowing Arguments, _ keys: inout Keyspace,
    _ reply: inout ReplyBuffer, packsIntegers: Bool
  ) throws(CommandError) {
    let count = keys.count(writer.draft)
    if count == 0 {
      keys.discard(writer.draft)
      return storeNothing(args, &keys, &reply)
    }
    try keys.store(
      writer.draft, args[1], hasOnlyIntegers: packsIntegers && writer.hasOnlyIntegers)
    keys.propagate(args)
    reply.integer(count)
  }
}

/// A draft that is being filled.
private struct SetDraftWriter: ~Copyable {
  var draft: Keyspace.SetDraft
  private(set) var hasOnlyIntegers = true
  private var text = ByteBuffer()

  init(_ draft: Keyspace.SetDraft) { self.draft = draft }

  /// Adds an element of another set. Its bytes are copied: storing them may move what holds them.
  /// - Parameter isNew: whether the draft is known not to have it.
  mutating func add(
    _ walk: ElementWalk, isNew: Bool = false, _ keys: inout Keyspace
  ) throws(CommandError) {
    take(walk, keys)
    try addText(isNew: isNew, &keys)
  }

  /// Adds an element of a packed set that the draft does not have.
  mutating func add(
    _ member: PackedMember, of set: Key, _ keys: inout Keyspace
  ) throws(CommandError) {
    text.removeAll()
    text.append(keys.element(member, of: set))
    try addText(isNew: true, &keys)
  }

  private mutating func addText(isNew: Bool, _ keys: inout Keyspace) throws(CommandError) {
    if hasOnlyIntegers && text.span.parseInteger() == nil { hasOnlyIntegers = false }
    var draft = draft
    defer { self.draft = draft }
    try keys.addMember(text.span, to: &draft, isNew: isNew)
  }

  mutating func remove(_ walk: ElementWalk, _ keys: inout Keyspace) {
    take(walk, keys)
    var draft = draft
    keys.removeMember(text.span, of: &draft)
    self.draft = draft
  }

  private mutating func take(_ walk: ElementWalk, _ keys: borrowing Keyspace) {
    text.removeAll()
    text.append(keys.element(walk))
  }
}

// MARK: Unions and differences

extension SetHandlers {
  static func sunion(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 1..<args.count, &keys)
    guard sources.arePacked else {
      var draft = SetDraftWriter(try keys.makeDraft(Span()))
      try unite(sources, &draft, &keys)
      return replyAndDiscard(draft, &keys, &reply)
    }
    sources.notePlacesForUnion(keys)
    let mark = reply.bytes.count
    var count = 0
    var chosen = GrowableArray<PackedMember>()
    for number in 0..<sources.keys.count {
      sources.select(from: number, ofAll: false, others: 0..<number, into: &chosen, keys)
      for index in 0..<chosen.count {
        reply.bulk(keys.element(chosen[index], of: sources.keys[number]))
      }
      count += chosen.count
    }
    reply.set(count, before: mark)
  }

  static func sunionstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 2..<args.count, &keys)
    var draft = SetDraftWriter(try keys.makeDraft(args[1]))
    if sources.arePacked {
      try unitePacked(&sources, &draft, &keys)
    } else {
      try unite(sources, &draft, &keys)
    }
    try store(draft, args, &keys, &reply, packsIntegers: false)
  }

  private static func unitePacked(
    _ sources: inout SetSources, _ draft: inout SetDraftWriter, _ keys: inout Keyspace
  ) throws(CommandError) {
    sources.notePlacesForUnion(keys)
    var chosen = GrowableArray<PackedMember>()
    for number in 0..<sources.keys.count {
      sources.select(from: number, ofAll: false, others: 0..<number, into: &chosen, keys)
      for index in 0..<chosen.count {
        try draft.add(chosen[index], of: sources.keys[number], &keys)
      }
    }
  }

  private static func unite(
    _ sources: borrowing SetSources, _ draft: inout SetDraftWriter, _ keys: inout Keyspace
  ) throws(CommandError) {
    for index in 0..<sources.keys.count {
      var walk = keys.walk(sources.keys[index])
      while keys.advance(&walk) { try draft.add(walk, &keys) }
    }
  }

  static func sdiff(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 1..<args.count, &keys)
    if sources.isFirstMissing || sources.repeatsFirst { return reply.set(0) }
    guard sources.arePacked || looksUp(sources, keys) else {
      var draft = SetDraftWriter(try keys.makeDraft(Span()))
      try subtract(sources, &draft, &keys)
      return replyAndDiscard(draft, &keys, &reply)
    }
    sources.notePlaces(keys)
    if sources.arePacked { return replySelected(sources, ofAll: false, keys, &reply) }
    let mark = reply.bytes.count
    var count = 0
    var walk = keys.walk(sources.keys[0])
    while keys.advance(&walk) {
      if sources.anyHas(walk, keys) { continue }
      reply.bulk(keys.element(walk))
      count += 1
    }
    reply.set(count, before: mark)
  }

  static func sdiffstore(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var sources = try SetSources(args, 2..<args.count, &keys)
    if sources.isFirstMissing || sources.repeatsFirst { return storeNothing(args, &keys, &reply) }
    var draft = SetDraftWriter(try keys.makeDraft(args[1]))
    if looksUp(sources, keys) {
      sources.notePlaces(keys)
      var walk = keys.walk(sources.keys[0])
      while keys.advance(&walk) {
        if sources.anyHas(walk, keys) { continue }
        try draft.add(walk, isNew: true, &keys)
      }
    } else {
      try subtract(sources, &draft, &keys)
    }
    try store(draft, args, &keys, &reply, packsIntegers: false)
  }

  /// Whether it is less work to look each member of the first set up in the others than to remove
  /// all of theirs from a copy. What Redis decides shows in the encoding of the result.
  private static func looksUp(
    _ sources: borrowing SetSources, _ keys: borrowing Keyspace
  ) -> Bool {
    let first = keys.elementCount(sources.keys[0])
    var removing = 0
    for index in 0..<sources.keys.count { removing += keys.elementCount(sources.keys[index]) }
    return first * sources.keys.count / 2 <= removing
  }

  private static func subtract(
    _ sources: borrowing SetSources, _ draft: inout SetDraftWriter, _ keys: inout Keyspace
  ) throws(CommandError) {
    var walk = keys.walk(sources.keys[0])
    while keys.advance(&walk) { try draft.add(walk, isNew: true, &keys) }
    for index in 1..<max(sources.keys.count, 1) {
      if keys.count(draft.draft) == 0 { return }
      var walk = keys.walk(sources.keys[index])
      while keys.advance(&walk) { draft.remove(walk, &keys) }
    }
  }

  private static func replyAndDiscard(
    _ writer: borrowing SetDraftWriter, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) {
    reply.set(keys.count(writer.draft))
    var walk = keys.walk(writer.draft)
    while keys.advance(&walk) { reply.bulk(keys.element(walk)) }
    keys.discard(writer.draft)
  }
}
