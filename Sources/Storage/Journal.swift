// Journal: the changed lines of one epoch's pages, on their way into the image.
//
//   ferrite.journal:  | header | zeros to 4096 | record | record | ...
//   header:  | prefix 32 | 32 epoch 8 | 40 LSN 8 | 48 used pages 8 | 56 body bytes 8
//            | 64 records 8 | 72 chain 4 | 76 crc 4 |
//   record:  | 0 page 8 | 8 line mask 8 | 16 page's new sum 4 | 20 crc 4 | 24 lines, 64 each |
//
// 1. The header is written after the body is durable. Once it is durable itself, the epoch is
//    committed: whoever finds it finishes it, as often as it takes.
// 2. A record's crc covers the epoch, then the record's first 20 bytes, then its lines; the chain
//    is the crc of all records' crcs. So no byte of an older epoch is taken for one of this.
// 3. Applying is idempotent: lines replace lines, and the rest of a page is what it was.

import Bytes
import Platform

/// A committed epoch, as the journal's header names it.
struct JournalHeader: Equatable, Sendable {
  static let crcOffset = 76
  static let bytes = 80

  var epoch: UInt64
  var lsn: UInt64
  var usedPages: Int
  var bodyBytes: Int
  var records: Int
  var chain: UInt32

  func encode(_ block: inout Block, identity: StorageIdentity) {
    block.store(32, epoch)
    block.store(40, lsn)
    block.store(48, UInt64(usedPages))
    block.store(56, UInt64(bodyBytes))
    block.store(64, UInt64(records))
    block.store(72, chain)
    HeaderPrefix.seal(
      &block, magic: ImageFormat.journalMagic, identity: identity, crcOffset: Self.crcOffset)
  }

  init(
    epoch: UInt64, lsn: UInt64, usedPages: Int, bodyBytes: Int = 0, records: Int = 0,
    chain: UInt32 = 0
  ) {
    self.epoch = epoch
    self.lsn = lsn
    self.usedPages = usedPages
    self.bodyBytes = bodyBytes
    self.records = records
    self.chain = chain
  }

  /// The header that `block` begins with; nil when it is not valid: never written, or torn.
  init?(
    _ block: borrowing Block, identity: StorageIdentity, path: String
  ) throws(StorageError) {
    switch HeaderPrefix.judge(
      block, magic: ImageFormat.journalMagic, crcOffset: Self.crcOffset)
    {
    case .valid(identity): break
    case .valid: throw .foreign(path: path, "the journal belongs to another image")
    case .newer(let version, let features):
      throw .newer(path: path, version: version, features: features)
    case .foreign, .damaged: return nil
    }
    epoch = block.load(32)
    lsn = block.load(40)
    usedPages = Int(truncatingIfNeeded: block.load(48, as: UInt64.self))
    bodyBytes = Int(truncatingIfNeeded: block.load(56, as: UInt64.self))
    records = Int(truncatingIfNeeded: block.load(64, as: UInt64.self))
    chain = block.load(72)
  }
}

struct JournalRecord {
  static let headBytes = 24
  static let largestBytes = headBytes + ImageFormat.pageBytes

  var page: Int
  var mask: UInt64
  var sum: UInt32
  var crc: UInt32

  var lineCount: Int { mask.nonzeroBitCount }
  var bytes: Int { Self.headBytes + lineCount * ImageFormat.lineBytes }

  /// Invariant 2; the record lies at `offset` of the block.
  static func crc(_ block: borrowing Block, at offset: Int, lines: Int, seed: UInt32) -> UInt32 {
    let head = block.checksum(offset..<offset + 20, after: seed)
    let start = offset + headBytes
    return block.checksum(start..<start + lines * ImageFormat.lineBytes, after: head)
  }

  static func seed(epoch: UInt64) -> UInt32 {
    var bytes = Block(8)
    bytes.store(0, epoch)
    return bytes.checksum(0..<8)
  }

  static func extend(chain: UInt32, by crc: UInt32) -> UInt32 {
    var bytes = Block(4)
    bytes.store(0, crc)
    return bytes.checksum(0..<4, after: chain)
  }
}

/// Writes a body, record by record, in large pieces.
final class JournalWriter {
  static let pieceBytes = 256 << 10
  /// How much the file grows at a time.
  private static let growthBytes = 4 << 20

  private let file: any MediumFile
  private let seed: UInt32
  private var piece = Block(pieceBytes)
  private var filled = 0
  /// Blocks are known to be there below this place of the file.
  private var allocatedEnd = ImageFormat.bodyOffset
  private let medium: any Medium
  private(set) var header: JournalHeader

  init(_ medium: any Medium, _ file: any MediumFile, _ header: JournalHeader) {
    self.file = file
    self.header = header
    self.medium = medium
    seed = JournalRecord.seed(epoch: header.epoch)
  }

  /// Appends the lines of a page that `mask` names. 0 bytes written is usual: pieces are large.
  /// - Returns: the bytes written to the file.
  @unsafe func append(
    page: Int, mask: UInt64, sum: UInt32, from content: UnsafeRawPointer
  ) throws(IOError) -> Int {
    var record = JournalRecord(page: page, mask: mask, sum: sum, crc: 0)
    var written = 0
    if filled + record.bytes > Self.pieceBytes { written = try writePiece() }
    piece.store(filled, UInt64(page))
    piece.store(filled + 8, mask)
    piece.store(filled + 16, sum)
    var place = filled + JournalRecord.headBytes
    var lines = mask
    while lines != 0 {
      let line = lines.trailingZeroBitCount
      // SAFETY: the content is a page, and a line lies inside it.
      unsafe piece.copy(
        ImageFormat.lineBytes, from: content + line * ImageFormat.lineBytes, to: place)
      place += ImageFormat.lineBytes
      lines &= lines - 1
    }
    record.crc = JournalRecord.crc(piece, at: filled, lines: record.lineCount, seed: seed)
    piece.store(filled + 20, record.crc)
    header.chain = JournalRecord.extend(chain: header.chain, by: record.crc)
    header.records += 1
    header.bodyBytes += record.bytes
    filled = place
    return written
  }

  /// Writes what is left, and waits until the body is durable.
  func finish() throws(IOError) -> Int {
    let written = try writePiece()
    if !medium.has(.journalSynchronizeMissing) { try file.synchronize() }
    return written
  }

  private func writePiece() throws(IOError) -> Int {
    guard filled > 0 else { return 0 }
    let offset = ImageFormat.bodyOffset + header.bodyBytes - filled
    let end = offset + filled
    if end > allocatedEnd {
      let wanted = (end + Self.growthBytes - 1) / Self.growthBytes * Self.growthBytes
      if file.count < wanted { try file.resize(to: wanted) }
      try file.allocate(allocatedEnd..<wanted)
      allocatedEnd = wanted
    }
    try file.write(piece, 0..<filled, at: offset)
    if !medium.has(.journalFlushMissing) { file.flush(offset..<end) }
    let count = filled
    filled = 0
    return count
  }
}

/// Reads a body again, checking every record.
final class JournalReader {
  static let windowBytes = 256 << 10

  private let file: any MediumFile
  let header: JournalHeader
  private let seed: UInt32
  private var window = Block(windowBytes)
  /// What the window holds of the file: from `windowStart`, `windowCount` bytes.
  private var windowStart = ImageFormat.bodyOffset
  private var windowCount = 0
  private var position = ImageFormat.bodyOffset
  private var chain: UInt32 = 0
  private var records = 0

  init(_ file: any MediumFile, _ header: JournalHeader) {
    self.file = file
    self.header = header
    seed = JournalRecord.seed(epoch: header.epoch)
  }

  private var end: Int { ImageFormat.bodyOffset + header.bodyBytes }

  /// The next record, or nil after the last; its lines are read by `copyLine`.
  func next() throws(StorageError) -> JournalRecord? {
    if position == end {
      guard chain == header.chain, records == header.records else {
        throw damaged("its records are not those of its header")
      }
      return nil
    }
    try fill(JournalRecord.headBytes)
    let start = position - windowStart
    let record = JournalRecord(
      page: Int(truncatingIfNeeded: window.load(start, as: UInt64.self)),
      mask: window.load(start + 8), sum: window.load(start + 16), crc: window.load(start + 20))
    guard record.page >= 0, record.page < header.usedPages, record.mask != 0,
      position + record.bytes <= end
    else { throw damaged("a record at byte \(position) makes no sense") }
    try fill(record.bytes)
    let crc = JournalRecord.crc(
      window, at: position - windowStart, lines: record.lineCount, seed: seed)
    guard crc == record.crc else { throw damaged("the record at byte \(position) is damaged") }
    chain = JournalRecord.extend(chain: chain, by: crc)
    records += 1
    position += record.bytes
    return record
  }

  /// Where the lines of the record that `next` just returned lie; good until the next call.
  @unsafe func lines(of record: JournalRecord) -> UnsafeRawPointer {
    let count = record.bytes - JournalRecord.headBytes
    let start = position - windowStart - count
    return unsafe UnsafeRawPointer(window.pointer(start..<start + count))
  }

  /// Makes the window hold `count` bytes from `position`.
  private func fill(_ count: Int) throws(StorageError) {
    guard position + count > windowStart + windowCount else { return }
    guard position + count <= min(end, file.count) else { throw damaged("it ends too early") }
    windowStart = position
    windowCount = min(Self.windowBytes, end - position, file.count - position)
    do throws(IOError) {
      try file.read(0..<windowCount, of: &window, at: position)
    } catch {
      throw .io(error)
    }
  }

  private func damaged(_ reason: String) -> StorageError {
    .corrupt(
      path: file.path,
      """
      epoch \(header.epoch) was committed in this journal, but \(reason); what it would have \
      carried into the image is lost: everything since the checkpoint before it
      """)
  }
}
