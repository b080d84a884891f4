// DirectoryCheck: reads a whole data directory and says what is wrong with it, changing nothing.
//
//   lock free? ─► superblocks ─► journal ─► pages against their sums ─► log from the image's LSN
//
// 1. Files are opened for reading only, and a directory that a server uses is refused: what it is
//    changing would look damaged.
// 2. A page that a committed journal is about to change may hold old and new lines: it is not
//    judged by its sum, the journal's records are by theirs.

import Glibc
import Memory
import Platform

public struct DirectoryReport: Sendable {
  public var epoch: UInt64 = 0
  public var lsn: LSN = 0
  public var usedPages = 0
  /// Pages that were compared with their sums.
  public var checkedPages = 0
  public var damagedPages: [Int] = []
  public var damagedCount = 0
  /// Pages that a committed journal will bring into the image at the next start.
  public var journalPages = 0
  public var logRecords = 0
  public var logBytes = 0
  public var logEnd: LSN = 0
  public var tornBytes: UInt64 = 0
  /// Damage that would keep the server from starting.
  public var errors: [StorageError] = []

  public var isSound: Bool { errors.isEmpty && damagedCount == 0 }

  public init() {}
}

public final class DirectoryCheck {
  public private(set) var report = DirectoryReport()
  private let medium: FileMedium
  private let lock: DirectoryLock?
  private let store: ImageStore
  private let scrubber: Scrubber
  private var journalPages: Set<Int> = []

  /// Opens the directory. Throws where there is no image to check, or a server is running on it.
  public init(directory: String) throws(StorageError) {
    let medium = try translated { () throws(IOError) in
      try FileMedium(directory: directory, isReadOnly: true)
    }
    self.medium = medium
    do throws(IOError) {
      let hasLock = try medium.list().contains(DirectoryCheck.lockName)
      lock = try hasLock ? medium.lock(DirectoryCheck.lockName) : nil
    } catch {
      guard error.errno == EWOULDBLOCK else { throw .io(error) }
      throw .locked(path: directory)
    }
    store = try ImageStore(reading: medium)
    scrubber = Scrubber(store)
    report.epoch = store.superblock.epoch
    report.lsn = store.superblock.lsn
    report.usedPages = store.superblock.usedPages
    readJournal()
    scrubber.begin()
  }

  /// The file that a server holds locked.
  static let lockName = "ferrite.lock"

  private func readJournal() {
    do throws(StorageError) {
      guard let header = try store.committedJournal() else { return }
      let reader = JournalReader(store.journal, header)
      while let record = try reader.next() { journalPages.insert(record.page) }
      report.journalPages = journalPages.count
      report.lsn = header.lsn
    } catch {
      report.errors.append(error)
    }
  }

  /// Looks at some more pages; false when all have been.
  public func step() -> Bool {
    let isUnderWay = scrubber.step() != nil
    let progress = scrubber.progress
    report.checkedPages = progress.pages
    report.damagedPages = progress.damagedPages.filter { !journalPages.contains($0) }
    let excused = progress.damagedPages.count - report.damagedPages.count
    report.damagedCount = progress.damagedCount - excused
    return isUnderWay
  }

  /// The arena as the image has it, damage and all, and without what a committed journal is about
  /// to change; nil if it cannot be had.
  public func view() -> FrozenView? {
    let pages = store.superblock.usedPages
    guard pages > 0, store.image.count >= ImageFormat.place(ofPage: pages) else { return nil }
    do throws(MemoryError) {
      return try store.pin(usedPages: pages)
    } catch {
      return nil
    }
  }

  /// Reads the log, and adds what it finds to the report.
  /// - Parameter onRecord: called after each record with the bytes so far.
  public func readLog(onRecord: (Int) -> Void) {
    do throws(StorageError) {
      var tail = try LogTail(medium, identity: store.identity, from: report.lsn)
      defer {
        report.logRecords = tail.recordCount
        report.logBytes = tail.payloadBytes
        report.logEnd = tail.position
        report.tornBytes = tail.tornBytes
      }
      while try tail.next() { onRecord(tail.payloadBytes) }
    } catch {
      report.errors.append(error)
    }
  }
}
