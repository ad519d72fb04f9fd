// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOConcurrencyHelpers

/// A line on a terminal that says how far something has come. Nothing at all where standard error is no terminal.
final class ProgressBar: Sendable {
  private static let width = 30
  private let what: String
  private let isShown: Bool
  private let start = ContinuousClock.now
  private let isBegun = NIOLockedValueBox(false)

  init(_ what: String, isShown: Bool = isatty(2) == 1) {
    self.what = what
    self.isShown = isShown
  }

  func show(done: Int, total: Int?, failed: Int) {
    guard self.isShown else { return }
    self.isBegun.withLockedValue { $0 = true }
    Self.write("\r" + Self.line(self.what, done: done, total: total, failed: failed, after: .now - self.start) + "\u{1B}[K")
  }

  /// Leaves the line.
  func end() {
    let wasBegun = self.isBegun.withLockedValue { isBegun in
      defer { isBegun = false }
      return isBegun
    }
    if wasBegun { Self.write("\r\u{1B}[K") }
  }

  /// Pure. The time that is left is told once a twentieth is done: before that it would be a guess.
  static func line(_ what: String, done: Int, total: Int?, failed: Int, after elapsed: Duration) -> String {
    let trouble = failed == 0 ? "" : ", \(failed) failed"
    guard let total, total > 0 else { return "\(what): \(done)\(trouble)" }
    let share = min(Double(done) / Double(total), 1)
    let filled = Int(share * Double(Self.width))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
    var left = ""
    if share >= 0.05, share < 1 { left = ", \(AgeText.text(elapsed * ((1 - share) / share))) left" }
    return "\(what) [\(bar)] \(Int(share * 100)) % \(done)/\(total)\(trouble)\(left)"
  }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
