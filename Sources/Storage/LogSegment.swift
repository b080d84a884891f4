// LogSegment: one file of the log, ready to be written: its header is durable and its name too.

import Platform

/// What may be done with a segment's file.
final class LogSegment: Sendable {
  let header: SegmentHeader
  let name: String
  let file: any MediumFile
  /// The file takes whole blocks only, which are durable when their write returns.
  let isDirect: Bool
  let seed: UInt32

  init(_ header: SegmentHeader, _ name: String, _ file: any MediumFile, isDirect: Bool) {
    self.header = header
    self.name = name
    self.file = file
    self.isDirect = isDirect
    seed = header.seed
  }

  /// Where an LSN's byte lies in the file.
  func offset(of lsn: LSN) -> Int { LogFormat.headerBytes + Int(lsn - header.base) }

  var fileBytes: Int { LogFormat.headerBytes + Int(header.dataBytes) }

  /// What is left to know of it when it is no longer written.
  var closed: ClosedSegment {
    ClosedSegment(name: name, first: header.first, fileBytes: fileBytes)
  }
}

/// A segment that the log has no need to write any more, by what recovery needs to know of it.
struct ClosedSegment: Sendable {
  let name: String
  let first: LSN
  let fileBytes: Int
}
