// LogFormat: the bytes of the effects log.
//
//   segment   | header page | data ......................................... |
//   data      | record | record | ...        a record may go on in the next segment's data
//   record    | crc 4 | flags 4 | size 8 | lsn 8 | durable 8 | payload | up to the alignment |
//
//   header    0 magic 8 | version 4 | features 4 | identity 16 | sequence 8 | base 8 | first 8 |
//             salt 8 | data bytes 8 | alignment 4 | crc of all this 4
//
// 1. An LSN is a position in the endless log, in bytes. LSN l lies at byte 4096 + l - base of its
//    segment: of all segments with first <= l, the one with the highest sequence. A segment thereby
//    cuts off what older ones hold at or above its first LSN.
// 2. Bases, data lengths and so positions within blocks of 4096 agree: l and its place in the file
//    are equal modulo 4096.
// 3. A record's crc covers everything after itself up to the payload's end, and begins with its
//    segment's salt, which is random and new for each use of a file: neither an old record in a
//    recycled segment nor bytes that a client chose can pass for one.
// 4. `size` counts header and payload. The next record begins at the next multiple of the alignment
//    of the segment that this one begins in.
// 5. `durable` is an LSN below which everything was durable when the record was made.

import Bytes
import Glibc
import Platform

/// A position in the log.
public typealias LSN = UInt64

enum LogFormat {
  /// "FERRLOG1"
  static let magic: UInt64 = 0x3147_4F4C_5252_4546
  static let version: UInt32 = 1
  static let headerBytes = 4096
  static let recordHeaderBytes = 32
  static let blockBytes: UInt64 = 4096
  static let namePrefix = "ferrite.log."
  static let sparePrefix = "ferrite.log.spare."
  static let unfinishedPrefix = "ferrite.log.new."
  static let lostPrefix = "ferrite.log.lost."

  static func name(_ sequence: UInt64) -> String {
    let digits = String(sequence)
    return namePrefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  static func lostName(of segment: String) -> String {
    lostPrefix + segment.dropFirst(namePrefix.count)
  }

  static func isSegment(_ name: String) -> Bool {
    name.hasPrefix(namePrefix) && UInt64(name.dropFirst(namePrefix.count)) != nil
  }

  static func roundUp(_ value: UInt64, _ alignment: UInt64) -> UInt64 {
    (value + alignment - 1) & ~(alignment - 1)
  }

  static func roundDown(_ value: UInt64, _ alignment: UInt64) -> UInt64 { value & ~(alignment - 1) }
}

/// What the header page of a segment says.
struct SegmentHeader: Equatable {
  var identity: StorageIdentity
  var sequence: UInt64
  var base: LSN
  var first: LSN
  var salt: UInt64
  var dataBytes: UInt64
  var alignment: UInt32

  static let usedBytes = 80

  /// Where the segment's data ends.
  var end: LSN { base + dataBytes }

  /// What a record's checksum begins with.
  var seed: UInt32 { CRC32C.checksum(littleEndian(salt).span) }

  /// The header page.
  func encoded() -> [UInt8] {
    var page: [UInt8] = []
    page.reserveCapacity(LogFormat.headerBytes)
    page += littleEndian(LogFormat.magic)
    page += littleEndian(LogFormat.version) + littleEndian(UInt32(0))
    page += littleEndian(identity.low) + littleEndian(identity.high)
    page += littleEndian(sequence) + littleEndian(base) + littleEndian(first) + littleEndian(salt)
    page += littleEndian(dataBytes) + littleEndian(alignment)
    page += littleEndian(CRC32C.checksum(page.span))
    assert(page.count == SegmentHeader.usedBytes)
    page += [UInt8](repeating: 0, count: LogFormat.headerBytes - page.count)
    return page
  }

  /// nil where the page is no header: other bytes, or a damaged one.
  static func decode(
    _ page: borrowing Span<UInt8>, path: String, identity: StorageIdentity
  ) throws(StorageError) -> SegmentHeader? {
    guard page.count >= usedBytes, page.word(at: 0) == LogFormat.magic else { return nil }
    // A newer version may have another layout, and its checksum elsewhere: say so first.
    let version = UInt32(truncatingIfNeeded: page.word(at: 8))
    let features = UInt32(truncatingIfNeeded: page.word(at: 8) >> 32)
    let last = page.word(at: usedBytes - 8)
    let isWhole =
      CRC32C.checksum(page.extracting(0..<usedBytes - 4)) == UInt32(truncatingIfNeeded: last >> 32)
    guard isWhole || version > LogFormat.version else { return nil }
    guard version == LogFormat.version else { throw .newer(path: path, version: version) }
    guard features == 0 else {
      throw .newer(path: path, version: version, features: features)
    }
    let header = SegmentHeader(
      identity: StorageIdentity(low: page.word(at: 16), high: page.word(at: 24)),
      sequence: page.word(at: 32), base: page.word(at: 40), first: page.word(at: 48),
      salt: page.word(at: 56), dataBytes: page.word(at: 64),
      alignment: UInt32(truncatingIfNeeded: last))
    guard header.identity == identity else {
      throw .foreign(path: path, "this log segment belongs to another data directory")
    }
    return header.isSane ? header : nil
  }

  /// Bounds, so that what follows computes without overflow.
  private var isSane: Bool {
    let limit: UInt64 = 1 << 62
    return base % LogFormat.blockBytes == 0 && dataBytes % LogFormat.blockBytes == 0
      && base < limit && dataBytes > 0 && dataBytes < limit && first >= base && first < end
      && alignment >= 8 && alignment <= 4096 && alignment & (alignment - 1) == 0
  }
}

/// What stands before a record's payload.
struct RecordHeader {
  var crc: UInt32
  var flags: UInt32
  var size: UInt64
  var lsn: LSN
  var durable: LSN

  init(_ bytes: borrowing Span<UInt8>, at offset: Int) {
    let first = bytes.word(at: offset)
    crc = UInt32(truncatingIfNeeded: first)
    flags = UInt32(truncatingIfNeeded: first >> 32)
    size = bytes.word(at: offset + 8)
    lsn = bytes.word(at: offset + 16)
    durable = bytes.word(at: offset + 24)
  }
}

func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) }
}
