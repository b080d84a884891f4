// LogTail: reads the log after a start: the records from an LSN on, in order, up to the first place
// where there is none, and what that place means.
//
//   | record | record | record | ???
//                              ^ end: nothing valid after it      → the log ends here
//                                     later records, all of them made while no more than this
//                                     was durable                 → a torn tail: cut, reported
//                                     a later record that knew more to be durable
//                                                                 → corruption: refuse to start
//
// 1. Nothing is changed here: the check of a directory uses it too.
// 2. No byte of a file is trusted: bounds come first, then the checksum, then the content.

import Bytes
import Platform

public struct LogTail: ~Copyable {
  /// Where the next record is to begin; when `next` has answered false, where the log ends.
  public private(set) var position: LSN
  /// Records read so far, and the bytes of their payloads.
  public private(set) var recordCount = 0
  public private(set) var payloadBytes = 0
  /// Bytes after the end that were begun and never became durable.
  public private(set) var tornBytes: UInt64 = 0
  /// What was given up because `allowsLoss` said so, in words; nil where nothing was.
  public private(set) var loss: String?
  /// The first LSN that was asked for.
  public let start: LSN

  let medium: any Medium
  let identity: StorageIdentity
  private let allowsLoss: Bool
  private var pieces: [Piece] = []
  private var damaged: [String] = []
  private var isOver = false
  private var window: [UInt8] = []
  private var windowStart: LSN = 0
  private var payloadRange = 0..<0

  /// All files of the log, and the highest number that one bears.
  private(set) var files: [String] = []
  private(set) var highestSequence: UInt64 = 0

  private static var windowBytes: Int { 1 << 20 }

  /// What a segment contributes: its LSNs up to where a later segment takes over.
  private struct Piece {
    let name: String
    let file: any MediumFile
    let header: SegmentHeader
    var end: LSN
    let seed: UInt32

    func offset(of lsn: LSN) -> Int { LogFormat.headerBytes + Int(lsn - header.base) }
  }

  /// - Parameters:
  ///   - start: the first LSN that the image does not contain.
  ///   - allowsLoss: go on without acknowledged data that is damaged (log-truncate-corrupt).
  public init(
    _ medium: any Medium, identity: StorageIdentity, from start: LSN, allowsLoss: Bool = false
  ) throws(StorageError) {
    self.medium = medium
    self.identity = identity
    self.allowsLoss = allowsLoss
    self.start = start
    position = start
    let names = try translated { () throws(IOError) in try medium.list() }
    files = names.filter { $0.hasPrefix(LogFormat.namePrefix) }
    for name in files {
      guard let sequence = UInt64(name.dropFirst(LogFormat.namePrefix.count)) else { continue }
      highestSequence = max(highestSequence, sequence)
      if let piece = try LogTail.open(name, medium, identity) {
        pieces.append(piece)
      } else {
        damaged.append(name)
      }
    }
    pieces = LogTail.arranged(pieces, cuts: !medium.has(.logCutForgotten))
    try checkBeginning()
  }

  /// nil where the file does not begin with a sound header.
  private static func open(
    _ name: String, _ medium: any Medium, _ identity: StorageIdentity
  ) throws(StorageError) -> Piece? {
    let file = try translated { () throws(IOError) in try medium.open(name) }
    guard file.count >= LogFormat.headerBytes else { return nil }
    var page = [UInt8](repeating: 0, count: LogFormat.headerBytes)
    try translated { () throws(IOError) in
      var span = page.mutableSpan
      try file.read(into: &span, at: 0)
    }
    let decoded = try SegmentHeader.decode(page.span, path: file.path, identity: identity)
    guard let header = decoded, UInt64(file.count - LogFormat.headerBytes) >= header.dataBytes
    else { return nil }
    return Piece(name: name, file: file, header: header, end: header.end, seed: header.seed)
  }

  /// By LSN, without what later segments cut off.
  private static func arranged(_ pieces: [Piece], cuts: Bool) -> [Piece] {
    var limit = LSN.max
    var kept: [Piece] = []
    for var piece in pieces.sorted(by: { $0.header.sequence > $1.header.sequence }) {
      if cuts { piece.end = min(piece.end, limit) }
      guard piece.header.first < piece.end else { continue }
      limit = min(limit, piece.header.first)
      kept.append(piece)
    }
    return kept.reversed()
  }

  private mutating func checkBeginning() throws(StorageError) {
    let cover = pieces.last { $0.header.first <= start && start <= $0.end }
    let needed = damaged.filter { name in
      guard let cover else { return true }
      return UInt64(name.dropFirst(LogFormat.namePrefix.count))! > cover.header.sequence
    }
    if let name = needed.first {
      try lose(
        medium.path(name),
        "the header of this log segment is damaged at byte 0; it may hold acknowledged writes after"
          + " LSN \(start)")
    }
    guard cover == nil, start > 0 || !pieces.isEmpty else { return }
    try lose(
      medium.path(LogFormat.namePrefix + "*"),
      "no log segment contains LSN \(start), which the image was saved at; acknowledged writes"
        + " after it are missing")
    // What is there cannot be joined to the image.
    pieces = []
  }

  /// Refuses to go on, or notes what going on costs.
  private mutating func lose(_ path: String, _ reason: String) throws(StorageError) {
    guard allowsLoss else {
      throw .corrupt(
        path: path,
        reason
          + ". Restore the file, or start with `log-truncate-corrupt yes` to go on without them")
    }
    loss = (loss.map { $0 + "; " } ?? "") + "\(path): \(reason)"
  }

  // MARK: Reading

  /// Reads the next record; false at the log's end, which `tornBytes` and `loss` then describe.
  public mutating func next() throws(StorageError) -> Bool {
    while !isOver {
      guard let record = try record(at: position) else {
        isOver = true
        if !medium.has(.logCorruptionTakenForTornTail) { try judgeEnd() }
        return false
      }
      let begin = Int(position - windowStart) + LogFormat.recordHeaderBytes
      payloadRange = begin..<begin + record.size - LogFormat.recordHeaderBytes
      position = record.next
      // A record without payload only says what was durable.
      if payloadRange.isEmpty { continue }
      recordCount += 1
      payloadBytes += payloadRange.count
      return true
    }
    return false
  }

  /// What the record holds that `next` has read.
  public var payload: Span<UInt8> {
    @_lifetime(borrow self) borrowing get { window.span.extracting(payloadRange) }
  }

  private struct Found {
    let size: Int
    let next: LSN
    let durable: LSN
  }

  /// The sound record at `lsn`, which the window then holds whole.
  private mutating func record(at lsn: LSN) throws(StorageError) -> Found? {
    guard let index = piece(at: lsn) else { return nil }
    let limit = contiguousEnd(index)
    guard limit - lsn >= UInt64(LogFormat.recordHeaderBytes) else { return nil }
    try load(lsn, LogFormat.recordHeaderBytes, limit)
    let header = RecordHeader(window.span, at: Int(lsn - windowStart))
    guard header.lsn == lsn || medium.has(.logStaleRecordsBelieved), header.flags == 0,
      header.size >= UInt64(LogFormat.recordHeaderBytes), header.size <= limit - lsn
    else { return nil }
    let size = Int(header.size)
    try load(lsn, size, limit)
    let offset = Int(lsn - windowStart)
    let covered = medium.has(.logChecksumOfFirstBytesOnly) ? min(size, 64) : size
    let crc = CRC32C.checksum(
      window.span.extracting(offset + 4..<offset + covered), after: pieces[index].seed)
    guard crc == header.crc else { return nil }
    let next = LogFormat.roundUp(lsn + header.size, UInt64(pieces[index].header.alignment))
    return Found(size: size, next: next, durable: header.durable)
  }

  private func piece(at lsn: LSN) -> Int? {
    pieces.firstIndex { $0.header.first <= lsn && lsn < $0.end }
  }

  /// How far the log goes on without a gap from piece `index`.
  private func contiguousEnd(_ index: Int) -> LSN {
    var last = index
    while last + 1 < pieces.count && pieces[last + 1].header.first == pieces[last].end { last += 1 }
    return pieces[last].end
  }

  /// Makes the window hold `count` bytes from `lsn` on, and more if there is.
  private mutating func load(_ lsn: LSN, _ count: Int, _ limit: LSN) throws(StorageError) {
    if lsn >= windowStart && lsn + UInt64(count) <= windowStart + UInt64(window.count) { return }
    let wanted = min(max(count, LogTail.windowBytes), Int(limit - lsn))
    if window.count != wanted { window = [UInt8](repeating: 0, count: wanted) }
    windowStart = lsn
    var filled = 0
    while filled < wanted {
      let place = lsn + UInt64(filled)
      guard let index = piece(at: place) else { preconditionFailure("a gap inside the log") }
      let piece = pieces[index]
      let part = min(wanted - filled, Int(piece.end - place))
      try translated { () throws(IOError) in
        var all = window.mutableSpan
        var target = all._mutatingExtracting(filled..<filled + part)
        try piece.file.read(into: &target, at: piece.offset(of: place))
      }
      filled += part
    }
  }

  // MARK: The end

  /// Tells a torn tail from damage.
  private mutating func judgeEnd() throws(StorageError) {
    let end = position
    var laterCount = 0
    var laterEnd = end
    var known = end
    for piece in pieces where piece.end > end {
      var place = LogFormat.roundUp(max(end + 8, piece.header.first), 8)
      while let candidate = try nextCandidate(piece, place) {
        place = candidate + 8
        guard let record = try record(at: candidate) else { continue }
        laterCount += 1
        laterEnd = max(laterEnd, candidate + UInt64(record.size))
        known = max(known, record.durable)
        place = max(place, record.next)
      }
    }
    tornBytes = laterEnd - end
    if laterCount == 0, let index = piece(at: end) {
      tornBytes = try begunBytes(end, pieces[index].end)
    }
    guard known > end else { return }
    // What had been durable is no torn tail.
    tornBytes = 0
    let place = piece(at: end).map { pieces[$0] }
    let path = place?.file.path ?? medium.path(LogFormat.namePrefix + "*")
    try lose(
      path,
      "the log is damaged at byte \(place?.offset(of: end) ?? 0), LSN \(end): \(laterCount) later"
        + " records are whole and say that it was durable up to LSN \(known); at least"
        + " \(known - end) bytes of acknowledged writes from LSN \(end) on cannot be replayed")
  }

  /// The size of a record at `end` whose header at least has arrived.
  private mutating func begunBytes(_ end: LSN, _ limit: LSN) throws(StorageError) -> UInt64 {
    guard limit - end >= UInt64(LogFormat.recordHeaderBytes) else { return 0 }
    try load(end, LogFormat.recordHeaderBytes, limit)
    let header = RecordHeader(window.span, at: Int(end - windowStart))
    return header.lsn == end ? min(header.size, limit - end) : 0
  }

  /// The first place from `place` on in a piece where a record may begin: its own LSN stands there.
  private func nextCandidate(_ piece: Piece, _ place: LSN) throws(StorageError) -> LSN? {
    let headerBytes = UInt64(LogFormat.recordHeaderBytes)
    var chunk: [UInt8] = []
    var place = place
    while place + headerBytes <= piece.end {
      let count = min(LogTail.windowBytes, Int(piece.end - place))
      if chunk.count != count { chunk = [UInt8](repeating: 0, count: count) }
      try translated { () throws(IOError) in
        var span = chunk.mutableSpan
        try piece.file.read(into: &span, at: piece.offset(of: place))
      }
      let span = chunk.span
      var offset = 0
      while offset + LogFormat.recordHeaderBytes <= count {
        if span.word(at: offset + 16) == place + UInt64(offset) { return place + UInt64(offset) }
        offset += 8
      }
      place += UInt64(offset)
    }
    return nil
  }

  // MARK: Handing over

  /// Makes durable what was read: a process that was killed leaves it in a cache, where a power cut
  /// takes it, although later records then say that it was durable.
  func settle() throws(IOError) {
    guard !medium.has(.logTailNotSettled) else { return }
    for piece in pieces where piece.header.first < position && piece.end > start {
      let (from, to) = (max(piece.header.first, start), min(piece.end, position))
      guard from < to else { continue }
      try piece.file.settle(
        piece.offset(of: from)..<piece.offset(of: to), on: medium,
        rewrites: !medium.has(.logTailNotRewritten))
    }
  }

  /// Copies the segment in whose middle something was given up: the log needs it up to there, and
  /// recycles it later. To be done before a new segment cuts it off.
  func keepDamaged() throws(IOError) {
    guard loss != nil, let index = piece(at: position), pieces[index].header.first < position
    else { return }
    let source = pieces[index].file
    let name = LogFormat.lostName(of: pieces[index].name)
    if try medium.list().contains(name) { try medium.remove(name) }
    let copy = try medium.create(name)
    try copy.resize(to: Int(LogFormat.roundUp(UInt64(source.count), LogFormat.blockBytes)))
    var chunk = [UInt8](repeating: 0, count: min(source.count, LogTail.windowBytes))
    for offset in stride(from: 0, to: source.count, by: chunk.count) {
      let count = min(chunk.count, source.count - offset)
      var all = chunk.mutableSpan
      var target = all._mutatingExtracting(0..<count)
      try source.read(into: &target, at: offset)
      try copy.write(chunk.span.extracting(0..<count), at: offset)
      copy.flush(offset..<offset + count)
    }
    try copy.synchronize()
    try medium.synchronizeDirectory()
  }

  /// The segments that hold what was read, for the log that goes on; and the files that it need not
  /// keep.
  func inheritance() -> (segments: [ClosedSegment], unneeded: [ClosedSegment], spares: [String]) {
    var segments: [ClosedSegment] = []
    var unneeded: [ClosedSegment] = []
    for name in files where LogFormat.isSegment(name) {
      let piece = pieces.first { $0.name == name }
      let closed = ClosedSegment(
        name: name, first: piece?.header.first ?? 0, fileBytes: piece?.file.count ?? 0)
      if let piece, piece.header.first < position, piece.end > start {
        segments.append(closed)
      } else {
        unneeded.append(closed)
      }
    }
    let spares = files.filter { $0.hasPrefix(LogFormat.sparePrefix) }
    segments.sort { $0.first < $1.first }
    return (segments, unneeded, spares)
  }
}

/// Runs what the machine may fail, as an error of the storage.
func translated<Value>(_ body: () throws(IOError) -> Value) throws(StorageError) -> Value {
  do throws(IOError) { return try body() } catch { throw .io(error) }
}
