// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// What the watcher sees: chapters, and one line of progress that is kept up to date on a terminal and printed only when it
/// changes elsewhere.
final class Terminal: Sendable {
  private struct State {
    var lastProgress = ""
    var lineIsOpen = false
  }

  private let isInteractive = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  /// A line that stays.
  func say(_ text: String) {
    self.state.withLock { state in
      self.closeLine(&state)
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) { self.write("\(self.clock) \(line)\n") }
    }
  }

  /// Text as it is, such as a table or a report.
  func show(_ text: String) {
    self.state.withLock { state in
      self.closeLine(&state)
      self.write(text.hasSuffix("\n") ? text : text + "\n")
    }
  }

  /// Where things stand. `what` is repeated only on a terminal.
  func progress(_ what: String, _ numbers: String) {
    self.state.withLock { state in
      if self.isInteractive {
        self.write("\r\u{1B}[K\(self.clock) \(what)  \(numbers)")
        state.lineIsOpen = true
      } else if what != state.lastProgress {
        self.write("\(self.clock) \(what)  \(numbers)\n")
      }
      state.lastProgress = what
    }
  }

  private var clock: String {
    let seconds = (ContinuousClock.now - self.start).components.seconds
    return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
  }

  private func closeLine(_ state: inout State) {
    if state.lineIsOpen { self.write("\n") }
    state.lineIsOpen = false
  }

  private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
