// Check: reads a data directory that no server uses, and says what is damaged. Changes nothing.
//
//   exit status   0 sound   1 damaged   2 not to be checked

import ArgumentParser
import Foundation
import Keyspace
import Memory
import Storage

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a data directory offline: image, journal and log. Changes nothing.",
    discussion:
      "Ends with status 0 if all is sound, 1 if something is damaged, 2 if it cannot tell.")

  @Argument(help: "The data directory (the server's `dir`).")
  var directory: String

  func run() throws {
    let bar = ProgressBar(isWanted: true)
    let check: DirectoryCheck
    do {
      check = try DirectoryCheck(directory: directory)
    } catch {
      FileHandle.standardError.write(Data("ferrite: \(error)\n".utf8))
      throw ExitCode(2)
    }
    while check.step() {
      let report = check.report
      bar.show("pages", Double(report.checkedPages) / Double(max(1, report.usedPages)))
    }
    check.readLog { bytes in bar.show("log, \(bytes >> 20) MiB", 1) }
    let owners = owners(check)
    bar.clear()
    print(text(check.report, owners))
    if !check.report.isSound { throw ExitCode(1) }
  }

  /// Whose data the damaged pages hold.
  private func owners(_ check: DirectoryCheck) -> PageOwners? {
    guard !check.report.damagedPages.isEmpty, let view = check.view() else { return nil }
    var owners = Keyspace.owners(of: check.report.damagedPages, in: view)
    while owners.step(view.reader) {}
    return owners
  }

  private func text(_ report: DirectoryReport, _ owners: PageOwners?) -> String {
    var lines = [
      "image    epoch \(report.epoch), LSN \(report.lsn), \(report.usedPages) pages",
      "log      \(report.logRecords) records, \(report.logBytes) bytes, up to LSN \(report.logEnd)",
    ]
    if report.journalPages > 0 {
      lines.append("journal  \(report.journalPages) pages wait for the next start")
    }
    if report.tornBytes > 0 {
      lines.append(
        "log      a torn tail of \(report.tornBytes) bytes, never acknowledged: the"
          + " next start cuts it off"
      )
    }
    for error in report.errors { lines.append("DAMAGED  \(error)") }
    for page in report.damagedPages {
      lines.append("DAMAGED  page \(page) of the arena, bytes from \(page << 12) on")
      if let owners { lines.append("         it holds " + owners.description(ofPage: page)) }
    }
    if let owners, owners.moreCount > 0 {
      lines.append("         and so for \(owners.moreCount) more keys")
    }
    if report.damagedCount > report.damagedPages.count {
      lines.append("DAMAGED  and \(report.damagedCount - report.damagedPages.count) more pages")
    }
    lines.append(report.isSound ? "sound" : "damaged")
    return lines.joined(separator: "\n")
  }
}
