// DumpPayload: what DUMP replies with and RESTORE takes: a value in the encoding of RDB files.
//
//   | type 1 | value | RDB version 2 | CRC64 of all before 8 |
//
// 1. What is written says version 10, Redis 7.0's, or 12, Redis 7.4's, if a field has a deadline;
//    versions up to 12 are read.

import Bytes
import Keyspace
import Memory
import Structures

public enum DumpPayload {
  static var writtenVersion: Int { 10 }
  static var timedVersion: Int { 12 }
  static var newestVersion: Int { 12 }
  static var footerBytes: Int { 10 }

  /// The payload of an entry's value, appended to the writer's bytes.
  public static func write(
    _ ref: Ref<Entry>, _ reader: borrowing ArenaReader, _ hash: KeyedHash,
    into writer: inout RDBWriter
  ) {
    writer.value(ref, reader, hash)
    let hasDeadlines = reader.fieldsDeadline(ref) != nil
    writer.little(UInt64(hasDeadlines ? timedVersion : writtenVersion), 2)
    writer.little(CRC64.checksum(writer.bytes.span), 8)
  }

  /// What a payload holds, without version and checksum, once those are right.
  @_lifetime(copy payload)
  public static func body(
    _ payload: Span<UInt8>, checksCRC: Bool = true
  ) throws(CommandError) -> Span<UInt8> {
    guard payload.count >= footerBytes else { throw .payloadVersion }
    let end = payload.count - footerBytes
    let version = Int(payload[end]) | Int(payload[end + 1]) << 8
    guard version <= newestVersion,
      !checksCRC
        || CRC64.checksum(payload.extracting(0..<(end + 2))) == payload.word(at: end + 2)
    else { throw .payloadVersion }
    return payload.extracting(0..<end)
  }
}

extension Keyspace {
  /// A draft of the value that a payload holds, for `key`.
  public mutating func draft(
    _ key: borrowing Span<UInt8>, payload: Span<UInt8>
  ) throws(CommandError) -> ValueDraft {
    var reader = RDBReader(try DumpPayload.body(payload, checksCRC: checksPayloads))
    guard let draft = try draft(key, &reader) else { throw .fixed("ERR Bad data format") }
    return draft
  }
}

extension CommandError {
  fileprivate static var payloadVersion: CommandError {
    .fixed("ERR DUMP payload version or checksum are wrong")
  }
}
