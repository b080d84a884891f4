// JournalApplier: carries a committed journal into the image, at a checkpoint and in recovery.
//
//   journal record ──► touch open views ──► lines (persistent memory) or whole pages (file system)
//                 └──► sum of the page
//
// 1. Nothing but what the journal names changes, and all of it ends up as the journal says, from
//    wherever an earlier attempt stopped.
// 2. On a file system whole pages are written, put together from the image and the lines: a torn
//    sector then mixes bytes that are equal with bytes that the next attempt writes again.
// 3. A page that does not have its sum after that was damaged before; it is reported, not blessed:
//    the sum that is stored is the one that the page should have.

import Bytes
import CSystem
import Platform

final class JournalApplier {
  private static let runPages = 64

  private let store: ImageStore
  private var reader: JournalReader
  private let isByteAddressable: Bool
  /// Recovery cannot know whether the blocks were had before the power went.
  private let allocates: Bool
  /// Whole pages that follow each other and wait to be written.
  private var run = Block(runPages << ImageFormat.pageShift)
  private var runFirst = 0
  private var runCount = 0
  private var sums = Block(ImageFormat.pageBytes)
  private var sumsIndex = -1
  private var areSumsChanged = false
  private(set) var bytesWritten = 0
  private(set) var damagedPages: [Int] = []

  init(_ store: ImageStore, _ header: JournalHeader, allocates: Bool) {
    self.store = store
    self.allocates = allocates
    reader = JournalReader(store.journal, header)
    isByteAddressable = store.medium.facts.kind == .persistentMemory
  }

  /// Applies up to `limit` records.
  /// - Returns: false when none is left; then everything is durable but the superblock.
  func step(limit: Int) throws(StorageError) -> Bool {
    for _ in 0..<limit {
      guard let record = try reader.next() else {
        try storageError { () throws(IOError) in try finish() }
        return false
      }
      try storageError { () throws(IOError) in try apply(record) }
    }
    return true
  }

  private func apply(_ record: JournalRecord) throws(IOError) {
    store.keepInViews(page: record.page)
    let place = ImageFormat.place(ofPage: record.page)
    if allocates { try store.image.allocate(place..<place + ImageFormat.pageBytes) }
    if isByteAddressable { try writeLines(record, place) } else { try assemble(record, place) }
    try setSum(record.page, record.sum)
  }

  private func writeLines(_ record: JournalRecord, _ place: Int) throws(IOError) {
    // SAFETY: the lines stay where they are until the reader is asked again.
    var source = unsafe reader.lines(of: record)
    var mask = record.mask
    while mask != 0 {
      let first = mask.trailingZeroBitCount
      let count = (~(mask >> UInt64(first))).trailingZeroBitCount
      let bytes = count * ImageFormat.lineBytes
      let start = place + first * ImageFormat.lineBytes
      unsafe try store.image.write(
        UnsafeRawBufferPointer(start: source, count: bytes), at: start)
      if !store.medium.has(.imageFlushMissing) { store.image.flush(start..<start + bytes) }
      bytesWritten += bytes
      unsafe source += bytes
      mask = first + count == 64 ? 0 : mask & (~0 << UInt64(first + count))
    }
  }

  private func assemble(_ record: JournalRecord, _ place: Int) throws(IOError) {
    if runCount == Self.runPages || record.page != runFirst + runCount { try writeRun() }
    if runCount == 0 { runFirst = record.page }
    let start = runCount << ImageFormat.pageShift
    if record.mask != ~0 {
      try store.image.read(start..<start + ImageFormat.pageBytes, of: &run, at: place)
    }
    // SAFETY: as in `writeLines`; a line lies inside its page.
    var source = unsafe reader.lines(of: record)
    var mask = record.mask
    while mask != 0 {
      let line = mask.trailingZeroBitCount
      unsafe run.copy(
        ImageFormat.lineBytes, from: source, to: start + line * ImageFormat.lineBytes)
      unsafe source += ImageFormat.lineBytes
      mask &= mask - 1
    }
    let sum = ImageFormat.stored(sum: run.checksum(start..<start + ImageFormat.pageBytes))
    if sum != record.sum { damagedPages.append(record.page) }
    runCount += 1
  }

  private func writeRun() throws(IOError) {
    guard runCount > 0 else { return }
    let place = ImageFormat.place(ofPage: runFirst)
    let bytes = runCount << ImageFormat.pageShift
    try store.image.write(run, 0..<bytes, at: place)
    if !store.medium.has(.imageFlushMissing) { store.image.flush(place..<place + bytes) }
    bytesWritten += bytes
    runCount = 0
  }

  private func setSum(_ page: Int, _ sum: UInt32) throws(IOError) {
    let index = page / ImageFormat.sumsPerBlock
    if index != sumsIndex {
      try writeSums()
      let offset = ImageFormat.sumsOffset(ofBlock: index)
      if allocates {
        let needed = offset + ImageFormat.pageBytes
        if store.sums.count < needed { try store.sums.resize(to: needed) }
        try store.sums.allocate(offset..<needed)
      }
      try store.sums.read(0..<ImageFormat.pageBytes, of: &sums, at: offset)
      sumsIndex = index
    }
    let place = page % ImageFormat.sumsPerBlock * 4
    if store.medium.has(.imageSumsNotUpdated) && sums.load(place, as: UInt32.self) != 0 { return }
    sums.store(place, sum)
    areSumsChanged = true
  }

  private func writeSums() throws(IOError) {
    guard areSumsChanged else { return }
    let offset = ImageFormat.sumsOffset(ofBlock: sumsIndex)
    try store.sums.write(sums, 0..<ImageFormat.pageBytes, at: offset)
    store.sums.flush(offset..<offset + ImageFormat.pageBytes)
    bytesWritten += ImageFormat.pageBytes
    areSumsChanged = false
  }

  private func finish() throws(IOError) {
    try writeRun()
    try writeSums()
    if store.medium.has(.imageSuperblockBeforePages) { return }
    try store.image.synchronize()
    try store.sums.synchronize()
  }
}
