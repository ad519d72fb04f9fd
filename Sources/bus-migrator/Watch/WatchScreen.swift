// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import NIOConcurrencyHelpers

/// Where a watch is shown: a terminal that is drawn anew, lines where there is none, or JSON.
final class WatchScreen: Sendable {
  private struct Shown {
    var last: WatchView?
    var lastLines: [String] = []
    var isLost = false
  }

  private let environment: String?
  private let json: Bool
  private let isTerminal: Bool
  private let shown = NIOLockedValueBox(Shown())

  init(environment: String?, json: Bool) {
    self.environment = environment
    self.json = json
    self.isTerminal = !json && isatty(1) == 1
  }

  /// The other page of the terminal, without its cursor.
  func begin() { if self.isTerminal { Self.write("\u{1B}[?1049h\u{1B}[?25l") } }

  /// The terminal as it was, with what was last shown.
  func end() {
    guard self.isTerminal else { return }
    let last = self.shown.withLockedValue(\.lastLines)
    Self.write("\u{1B}[?25h\u{1B}[?1049l" + last.map { $0 + "\n" }.joined())
  }

  func show(_ view: WatchView, lost: String?) throws {
    if self.isTerminal { return self.draw(view, lost: lost) }
    let gist = view.gist
    let (before, wasLost) = self.shown.withLockedValue { shown in
      defer { (shown.last, shown.isLost) = (gist, lost != nil) }
      return (shown.last, shown.isLost)
    }
    guard before != gist else { return }
    if self.json { return try Console.say(line: OfEnvironment(answer: view, environment: self.environment)) }
    var lines: [String] = before == nil ? [Banner.line(self.environment)] : []
    if let lost, !wasLost { lines.append(Self.notice(lost)) }
    if lost == nil, wasLost { lines.append("the daemon answers again") }
    if view.stop != before?.stop {
      lines.append(view.stop.map { "THE LINE IS STOPPED by \($0.by): \($0.why)" } ?? "the line runs")
    }
    for (pulje, now) in zip(gist.puljer, view.puljer) where before?.puljer.contains(pulje) != true {
      lines += WatchText.lines(now, now: view.now).dropFirst()
    }
    if before == nil { lines.append(view.puljer.isEmpty ? "no pulje" : WatchText.legend) }
    // Each change has its time.
    for line in lines { Console.say("\(view.now)  \(line)") }
  }

  private func draw(_ view: WatchView, lost: String?) {
    var size = winsize()
    let isKnown = ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 2
    let (columns, rows) = isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (80, 24)
    let head = [Banner.line(self.environment)]
    // The last column of a terminal may begin a new line by itself; one row is the banner's, one the legend's.
    let lines = head + WatchText.lines(view, notice: lost.map(Self.notice), columns: columns - 1, rows: rows - 2)
    self.shown.withLockedValue { $0.lastLines = lines }
    Self.write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J")
  }

  private static func notice(_ lost: String) -> String {
    "THE DAEMON DOES NOT ANSWER (\(lost)): waiting for it; below is what it last told"
  }
  private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
