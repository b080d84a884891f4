// ProgressBar: what is being done and how far it is, on standard error, where that is a terminal.
//
//   random write, 4 threads  [##########..............]  41 %

import Foundation
import Glibc

final class ProgressBar {
  private let isShown: Bool
  private var shown = ""

  init(isWanted: Bool) { isShown = isWanted && isatty(2) == 1 }

  /// Shows a share from 0 to 1.
  func show(_ text: String, _ share: Double) {
    guard isShown else { return }
    let width = 30
    let filled = Int((min(max(share, 0), 1) * Double(width)).rounded())
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    let percent = String(format: "%3d", Int(min(max(share, 0), 1) * 100))
    let line = text.padding(toLength: 32, withPad: " ", startingAt: 0) + "[\(bar)] \(percent) %"
    guard line != shown else { return }
    shown = line
    write("\r" + line)
  }

  /// Removes the line.
  func clear() {
    guard isShown, !shown.isEmpty else { return }
    write("\r" + String(repeating: " ", count: shown.count) + "\r")
    shown = ""
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
