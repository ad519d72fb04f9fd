// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOConcurrencyHelpers

/// How far a batch has come, on a line that is written over. On standard error, and only where that is a terminal.
final class ProgressLine: Sendable {
  private static let width = 30
  private let isShown: Bool
  private let shown = NIOLockedValueBox(-1)

  init(isShown: Bool = isatty(STDERR_FILENO) == 1) { self.isShown = isShown }

  func show(done: Int, of total: Int, bad: Int) {
    guard self.isShown, total > 0 else { return }
    let thousandths = done * 1_000 / total
    let isNews = self.shown.withLockedValue { shown in
      defer { shown = thousandths }
      return shown != thousandths
    }
    if isNews { StandardOutput.complain("\r\(Self.line(done: done, of: total, bad: bad))\u{1B}[K") }
  }

  /// Takes the line away.
  func end() {
    if self.isShown, self.shown.withLockedValue({ $0 }) >= 0 { StandardOutput.complain("\r\u{1B}[K") }
  }

  /// Pure.
  static func line(done: Int, of total: Int, bad: Int) -> String {
    let share = min(Double(done) / Double(max(1, total)), 1)
    let filled = Int(share * Double(Self.width))
    return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
      + "] \(Int(share * 100)) % \(done)/\(total)" + (bad == 0 ? "" : ", \(bad) !")
  }
}
