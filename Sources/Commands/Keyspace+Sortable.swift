// What SORT takes from lists, sets and sorted sets, and gives to a list.

import Bytes
import Keyspace

extension Keyspace {
  /// Appends a collection's elements: a list's in order, a sorted set's by rank, a set's in no
  /// order.
  /// - Returns: false for a value that is none of these.
  func collectSortable(_ found: Key, into elements: inout ElementList) -> Bool {
    var text = ByteBuffer()
    switch facts(found).header.type {
    case .set:
      var walk = walk(found)
      while advance(&walk) {
        text.removeAll()
        text.append(element(walk))
        elements.append(text.span)
      }
    case .list:
      let count = count(found)
      var cursor = cursor(found, at: 0)
      for index in 0..<count {
        if index > 0 { advance(&cursor, 1) }
        text.removeAll()
        text.append(element(cursor))
        elements.append(text.span)
      }
    case .sortedSet:
      var walk = sortedWalk(found, from: 0, isReversed: false)
      while advance(&walk) {
        text.removeAll()
        text.append(member(walk))
        elements.append(text.span)
      }
    case .string, .hash, .stream: return false
    }
    return true
  }

  /// Sets `key` to a list of these elements, of which there is one at least, over whatever it held.
  mutating func setList(
    _ key: borrowing Span<UInt8>, _ elements: borrowing ElementList
  ) throws(CommandError) {
    try store(try draftList(key, elements), key)
    // Redis counts every element; the key's own change is counted already.
    statistics.changes &+= elements.count - 1
  }

  /// Appends a field's value.
  /// - Returns: false when the hash has no such field.
  func appendField(
    _ found: Key, _ name: borrowing Span<UInt8>, to bytes: inout ByteBuffer
  ) -> Bool {
    guard let value = field(name, of: found) else { return false }
    bytes.append(value)
    return true
  }
}
