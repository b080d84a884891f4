// Drafts of values that are read from RDB payloads.
//
// 1. A payload that is refused leaves the keyspace as it was.

import Bytes
import Keyspace

extension Keyspace {
  /// A draft of the value that the reader comes to, for `key`.
  /// - Returns: nil when it is no value: corrupt, empty, or with something twice.
  public mutating func draft(
    _ key: borrowing Span<UInt8>, _ reader: inout RDBReader
  ) throws(CommandError) -> ValueDraft? {
    do throws(PayloadError) {
      let number = try reader.byte()
      if let type = RDBType(rawValue: number), type.isStream {
        return try draftStream(key, type, &reader)
      }
      let value = try DecodedValue(type: number, &reader)
      return try draft(key, value)
    } catch {
      if case .failed(let reason) = error { throw reason }
      return nil
    }
  }

  private mutating func draft(
    _ key: borrowing Span<UInt8>, _ value: borrowing DecodedValue
  ) throws(PayloadError) -> ValueDraft? {
    do throws(CommandError) {
      switch value.type {
      case .string: return try draftString(key, value.elements.element(0))
      case .set: return try draftSet(key, value.elements)
      case .hash: return try draftHash(key, value.elements, deadlines: value.deadlines)
      case .sortedSet: return try draftSortedSet(key, value.elements, value.scores)
      case .list: return try draftList(key, value.elements)
      case .stream: preconditionFailure("streams are drafted as they are read")
      }
    } catch {
      throw .failed(error)
    }
  }
}
