// SortHandlers: SORT and SORT_RO.
//
//   elements ──► weights (BY, or the elements) ──► order ──► LIMIT ──► GET patterns ──► reply
//                                                                              └──► STORE
//
//   pattern   the first * stands for the element; behind it, `->field` names a field of a hash
//
// 1. The order is total and depends on the data alone: elements of one weight stand in byte order
//    where numbers are compared, else as they came; a set's members come in byte order. So SORT
//    with STORE is its own effect.
// 2. A pattern without a * after BY means that nothing is sorted.
// 3. Elements and weights are copied out first: looking up a pattern's key may remove an expired
//    one.

import Bytes
import Keyspace
import RESP

/// SORT's words after the key.
private struct SortOptions: BitwiseCopyable {
  var descends = false
  var isAlphabetic = false
  var sorts = true
  var start = 0
  var limit = -1
  /// Positions of arguments; 0 when there is none.
  var byIndex = 0
  var storeIndex = 0
  var getCount = 0

  init(_ args: borrowing Arguments, mayStore: Bool) throws(CommandError) {
    var index = 2
    while index < args.count {
      let left = args.count - index - 1
      if args.equals(index, "ASC") {
        descends = false
      } else if args.equals(index, "DESC") {
        descends = true
      } else if args.equals(index, "ALPHA") {
        isAlphabetic = true
      } else if args.equals(index, "LIMIT") && left >= 2 {
        guard let first = args[index + 1].parseInteger(),
          let count = args[index + 2].parseInteger()
        else { throw .notInteger }
        start = first
        limit = count
        index += 2
      } else if mayStore && args.equals(index, "STORE") && left >= 1 {
        index += 1
        storeIndex = index
      } else if args.equals(index, "BY") && left >= 1 {
        index += 1
        byIndex = index
        if SortPattern.star(args[index]) == nil { sorts = false }
      } else if args.equals(index, "GET") && left >= 1 {
        index += 1
        getCount += 1
      } else {
        throw .syntax
      }
      index += 1
    }
  }

  /// The part of so many elements that LIMIT wants.
  func range(_ count: Int) -> Range<Int> {
    let first = min(max(start, 0), count)
    if limit < 0 { return first..<count }
    return first..<(first + min(limit, count - first))
  }
}

private enum SortPattern {
  /// Where the element goes in.
  static func star(_ pattern: borrowing Span<UInt8>) -> Int? {
    for index in 0..<pattern.count {
      if pattern[index] == 0x2A { return index }
      if pattern[index] == 0 { return nil }
    }
    return nil
  }

  /// Where `->field` begins, if a field is named after the star.
  static func arrow(_ pattern: borrowing Span<UInt8>, after star: Int) -> Int? {
    var index = star + 1
    while index + 2 < pattern.count {
      if pattern[index] == 0x2D && pattern[index + 1] == 0x3E {
        return pattern[index + 2] == 0 ? nil : index
      }
      index += 1
    }
    return nil
  }

  static func isElement(_ pattern: borrowing Span<UInt8>) -> Bool {
    pattern.count == 1 && pattern[0] == 0x23
  }
}

/// One element on its way to its place.
private struct SortItem: BitwiseCopyable {
  /// Its number among those that were collected.
  let index: Int
  /// What numbers are compared by.
  var score = 0.0
  /// The number of its text among the weights; -1 when there is none.
  var weight = -1
}

enum SortHandlers {
  static func sort(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try sort(args, &keys, &reply, mayStore: true)
  }

  static func sortReadOnly(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    try sort(args, &keys, &reply, mayStore: false)
  }

  private static func sort(
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer,
    mayStore: Bool
  ) throws(CommandError) {
    var options = try SortOptions(args, mayStore: mayStore)
    var elements = ElementList()
    var isSet = false
    if let found = keys.find(args[1], .read) {
      isSet = keys.facts(found).header.type == .set
      guard keys.collectSortable(found, into: &elements) else { throw .wrongType }
    }
    if isSet && !options.sorts && options.storeIndex > 0 {
      // A set has no order of its own that could be stored.
      options.sorts = true
      options.isAlphabetic = true
      options.byIndex = 0
    }
    var items: [SortItem] = (0..<elements.count).map { SortItem(index: $0) }
    if options.sorts {
      try order(&items, elements, isSet: isSet, options, args, &keys)
    } else if options.descends && !isSet {
      items.reverse()
    }
    let chosen = items[options.range(items.count)]
    if options.storeIndex > 0 {
      return try store(chosen, elements, options, args, &keys, &reply)
    }
    reply.array(chosen.count * max(options.getCount, 1))
    for item in chosen {
      if options.getCount == 0 { reply.bulk(elements.element(item.index)) }
      try forEachGet(args) { pattern throws(CommandError) in
        var value = ByteBuffer()
        if keys.lookUp(args[pattern], elements.element(item.index), into: &value) {
          reply.bulk(value.span)
        } else {
          reply.null()
        }
      }
    }
  }

  /// Calls with the positions of GET's patterns, in order.
  private static func forEachGet(
    _ args: borrowing Arguments, _ body: (Int) throws(CommandError) -> Void
  ) throws(CommandError) {
    var index = 2
    while index < args.count {
      if args.equals(index, "GET") {
        try body(index + 1)
        index += 1
      } else if args.equals(index, "LIMIT") {
        index += 2
      } else if args.equals(index, "BY") || args.equals(index, "STORE") {
        index += 1
      }
      index += 1
    }
  }

  private static func store(
    _ chosen: ArraySlice<SortItem>, _ elements: borrowing ElementList, _ options: SortOptions,
    _ args: borrowing Arguments, _ keys: inout Keyspace, _ reply: inout ReplyBuffer
  ) throws(CommandError) {
    var result = ElementList()
    for item in chosen {
      if options.getCount == 0 { result.append(elements.element(item.index)) }
      try forEachGet(args) { pattern throws(CommandError) in
        result.append { bytes in
          _ = keys.lookUp(args[pattern], elements.element(item.index), into: &bytes)
        }
      }
    }
    if result.isEmpty {
      if keys.remove(args[options.storeIndex]) { keys.propagateDeletion(args[options.storeIndex]) }
    } else {
      try keys.setList(args[options.storeIndex], result)
      keys.propagate(args)
    }
    reply.integer(result.count)
  }
}

// MARK: Ordering

extension SortHandlers {
  private static func order(
    _ items: inout [SortItem], _ elements: borrowing ElementList, isSet: Bool,
    _ options: SortOptions, _ args: borrowing Arguments, _ keys: inout Keyspace
  ) throws(CommandError) {
    var weights = ElementList()
    if options.byIndex > 0 {
      for position in items.indices {
        var weight = ByteBuffer()
        let element = elements.element(items[position].index)
        guard keys.lookUp(args[options.byIndex], element, into: &weight) else { continue }
        items[position].weight = weights.count
        weights.append(weight.span)
      }
    }
    if !options.isAlphabetic { try score(&items, elements, weights, options) }
    let isBy = options.byIndex > 0
    let sign = options.descends ? -1 : 1
    items.sort { (a, b) -> Bool in
      var order: Int
      if !options.isAlphabetic {
        order = a.score > b.score ? 1 : a.score < b.score ? -1 : 0
        if order == 0 { order = compare(elements.element(a.index), elements.element(b.index)) }
      } else if !isBy {
        order = compare(elements.element(a.index), elements.element(b.index))
      } else {
        order = compareWeights(a, b, weights)
        if order == 0 && isSet {
          order = compare(elements.element(a.index), elements.element(b.index))
        }
      }
      return order == 0 ? a.index < b.index : order * sign < 0
    }
  }

  private static func score(
    _ items: inout [SortItem], _ elements: borrowing ElementList, _ weights: borrowing ElementList,
    _ options: SortOptions
  ) throws(CommandError) {
    for position in items.indices {
      let item = items[position]
      if options.byIndex > 0 && item.weight < 0 { continue }
      let number =
        options.byIndex > 0
        ? weights.element(item.weight).parseWeight() : elements.element(item.index).parseWeight()
      guard let number else {
        throw .fixed("ERR One or more scores can't be converted into double")
      }
      items[position].score = number
    }
  }

  /// An element without a weight comes before all that have one.
  private static func compareWeights(
    _ a: SortItem, _ b: SortItem, _ weights: borrowing ElementList
  ) -> Int {
    if a.weight < 0 || b.weight < 0 {
      return a.weight < 0 ? (b.weight < 0 ? 0 : -1) : 1
    }
    return compare(weights.element(a.weight), weights.element(b.weight))
  }

  private static func compare(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>) -> Int {
    for index in 0..<min(a.count, b.count) where a[index] != b[index] {
      return a[index] < b[index] ? -1 : 1
    }
    return a.count - b.count
  }
}

extension Span where Element == UInt8 {
  /// The number that the text begins with as strtod(3) reads it: blanks may stand before it,
  /// nothing but a NUL after it, and no text at all is 0.
  fileprivate func parseWeight() -> Double? {
    var end = 0
    while end < count && self[end] != 0 { end += 1 }
    if end == 0 { return 0 }
    var start = 0
    while start < end && (self[start] == 0x20 || 9...13 ~= self[start]) { start += 1 }
    return extracting(start..<end).parseDouble()
  }
}

extension Keyspace {
  /// Appends what the pattern stands for with this element.
  /// - Returns: false when there is no such string or field.
  fileprivate mutating func lookUp(
    _ pattern: borrowing Span<UInt8>, _ element: borrowing Span<UInt8>,
    into value: inout ByteBuffer
  ) -> Bool {
    if SortPattern.isElement(pattern) {
      value.append(element)
      return true
    }
    guard let star = SortPattern.star(pattern) else { return false }
    let arrow = SortPattern.arrow(pattern, after: star)
    var name = ByteBuffer()
    name.append(pattern.extracting(0..<star))
    name.append(element)
    name.append(pattern.extracting((star + 1)..<(arrow ?? pattern.count)))
    guard let found = find(name.span, .read) else { return false }
    let type = facts(found).header.type
    if let arrow {
      guard type == .hash else { return false }
      return appendField(found, pattern.extracting((arrow + 2)..<pattern.count), to: &value)
    }
    guard type == .string else { return false }
    value.append(self.value(found))
    return true
  }
}

extension Command where Host: ~Copyable {
  /// SORT in its two forms.
  @_optimize(none) @CommandList<Host>
  public static var sorting: [Command] {
    CommandGroup.generic
    Command(
      "SORT", arity: -2, [.write, .denyOOM], [.set, .sortedSet, .list, .dangerous],
      .keyspace(SortHandlers.sort), keys: sortKeys + [storeKey], keyFunction: sortedKeys,
      summary: "Sorts the elements of a list, set or sorted set, and may store them.",
      since: "1.0.0",
      complexity: "O(N+M*log(M)) for N elements of which M are returned, O(N) without sorting",
      arguments: sortArguments + [.key("destination", spec: 2, token: "STORE", .optional)])
    Command(
      "SORT_RO", arity: -2, .readOnly, [.set, .sortedSet, .list, .dangerous],
      .keyspace(SortHandlers.sortReadOnly), keys: sortKeys, keyFunction: readKeys,
      summary: "Sorts the elements of a list, set or sorted set.", since: "7.0.0",
      complexity: "O(N+M*log(M)) for N elements of which M are returned, O(N) without sorting",
      arguments: sortArguments)
  }
}

private let sortKeys: [KeySpec] = [
  .key(1, [.readOnly, .access]),
  KeySpec(
    .unknown, .unknown, [.readOnly, .access],
    notes:
      "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from "
      + "the content of the key we sort"),
]

private let storeKey = KeySpec(
  .unknown, .unknown, [.overwrite, .update],
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear "
    + "anywhere in the argument array")

private let sortArguments: [Argument] = [
  .key(), sortPattern("BY", [.optional]),
  .block(
    "offset_count", token: "LIMIT", .optional, of: [.integer("offset"), .integer("count")]),
  sortPattern("GET", [.optional, .multiple, .multipleToken]),
  .oneOf("order", .optional, of: [.token("ASC"), .token("DESC")]),
  .token("ALPHA", .optional, name: "sorting"),
]

private func sortPattern(_ token: String, _ flags: Argument.Flags) -> Argument {
  var argument = Argument.value(.pattern, "pattern", token: token, flags)
  argument.keySpec = 1
  return argument
}

/// The key that is sorted, and the last one after STORE.
private func sortedKeys(
  _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
) -> Bool {
  keys.append(KeyReference(position: 1, flags: [.readOnly, .access]))
  var store: Int?
  var index = offset + 2
  while index < arguments.count {
    if arguments.equals(index, "LIMIT") {
      index += 2
    } else if arguments.equals(index, "GET") || arguments.equals(index, "BY") {
      index += 1
    } else if arguments.equals(index, "STORE") && index + 1 < arguments.count {
      store = index + 1 - offset
    }
    index += 1
  }
  if let store { keys.append(KeyReference(position: store, flags: [.overwrite, .update])) }
  return true
}

private func readKeys(
  _ arguments: borrowing Arguments, _ offset: Int, _ keys: inout [KeyReference]
) -> Bool {
  keys.append(KeyReference(position: 1, flags: [.readOnly, .access]))
  return true
}
