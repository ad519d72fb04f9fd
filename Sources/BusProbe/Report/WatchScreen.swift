// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import Foundation

/// A watch as a screen, as lines in a log, and summed up. Pure.
public struct WatchScreen: Sendable {
  public var language: ProbeLanguage
  public var colour: TextColour
  /// What one of the clock's hours is here: for times of day on the screen.
  public var timeZone: TimeZone

  public init(_ language: ProbeLanguage, colour: TextColour, timeZone: TimeZone = .current) {
    self.language = language
    self.colour = colour
    self.timeZone = timeZone
  }

  private var words: ReportWords { ReportWords(self.language) }

  /// The screen's lines, no longer than `columns` and no more than `rows`; what does not fit is left out from below the
  /// middle: the head and the last line always stand.
  public func lines(_ history: WatchHistory, title: String, columns: Int, rows: Int) -> [String] {
    var lines = [Line(title, .strong), Line(self.numbers(history)), Line(self.percentiles(history)), Line("")]
    lines.append(self.strip(history, width: columns))
    if let look = history.last, let verdict = history.verdict {
      lines.append(Line("\(self.short(verdict)): \(self.sentence(look.report))", verdict.status.shade))
    }
    lines.append(Line(""))
    lines += self.bars(history.times, columns: columns)
    if !history.marks.isEmpty {
      lines += [Line(""), Line(self.words.changes)]
      lines += history.marks.suffix(5).map { Line("  \(self.change($0))", $0.to.status.shade) }
    }
    let foot = Line(self.words.stopsWith, .faint)
    let room = max(1, rows - 1)
    return (lines.prefix(room - 1) + [foot]).map { $0.text(columns, self.colour) }
  }

  /// What is written to a terminal to show the lines: over those that stand there, so that nothing flickers.
  public static func drawing(_ lines: [String]) -> String {
    "\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
  }

  /// Before the first and after the last drawing: a page of its own without a cursor, and the old page again.
  public static let opening = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[H\u{1B}[2J"
  public static let closing = "\u{1B}[?25h\u{1B}[?1049l"

  /// How often it is looked, and why not more often.
  public func pace(_ interval: String, isSlowed: Bool) -> String {
    "\(self.words.every) \(interval)" + (isSlowed ? ": \(self.words.noOftener)" : "")
  }

  /// A round as a line of a log.
  public func logLine(_ history: WatchHistory) -> String {
    guard let look = history.last, let verdict = history.verdict else { return "" }
    let time = look.roundTripMilliseconds.map { " \(ProbeReport.milliseconds($0))" } ?? ""
    let mark = history.recent.last?.changed == true ? " *" : ""
    return "\(ProbeLookJSON.time(look.at)) \(history.rounds) \(self.short(verdict))\(time)\(mark)"
      + (verdict.status == .ok ? "" : ": \(self.sentence(look.report))") + "\n"
  }

  /// All of it, at the end.
  public func summary(_ history: WatchHistory, target: String) -> String {
    var lines = ["--- HER-ID \(ProbeReport.printable(target)): \(self.numbers(history))", self.percentiles(history)]
    if let worst = history.worst { lines.append("\(self.words.worst) \(self.words.status(worst))") }
    if history.changes > 0 {
      lines.append("\(self.words.changes) \(history.changes)")
      lines += history.marks.suffix(20).map { "  \(self.change($0))" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Pieces

  private struct Line {
    var plain: String
    var shade: TextColour.Shade?
    /// Already painted, and of this width.
    var painted: String?

    init(_ plain: String, _ shade: TextColour.Shade? = nil, painted: String? = nil) {
      self.plain = plain
      self.shade = shade
      self.painted = painted
    }

    func text(_ columns: Int, _ colour: TextColour) -> String {
      if let painted { return painted }
      let cut = self.plain.count > columns ? String(self.plain.prefix(max(0, columns - 1))) + "…" : self.plain
      return self.shade.map { colour.paint(cut, $0) } ?? cut
    }
  }

  private func numbers(_ history: WatchHistory) -> String {
    let loss = history.lossPercent.map { ", \(Self.tenths($0)) % \(self.words.lost)" } ?? ""
    return "\(history.rounds) \(self.words.rounds), \(history.sent) \(self.words.sent), \(history.lost) \(self.words.lost)\(loss)"
  }

  private func percentiles(_ history: WatchHistory) -> String {
    let times = history.times
    guard times.count > 0 else { return self.words.noTimes }
    let pieces: [(String, Double?)] = [
      (self.words.last, times.last), (self.words.average, times.average), ("p50", times.percentile(0.5)),
      ("p95", times.percentile(0.95)), ("p99", times.percentile(0.99)), (self.words.longest, times.greatest),
    ]
    return pieces.map { "\($0.0) \($0.1.map(Self.tenths) ?? "-")" }.joined(separator: "  ") + " ms"
  }

  /// A sign a round: where the verdict changed stands a bar before it.
  private func strip(_ history: WatchHistory, width: Int) -> Line {
    var signs: [(Character, TextColour.Shade)] = []
    for round in history.recent {
      if round.changed { signs.append(("|", .strong)) }
      let sign: Character =
        switch round.verdict.status {
        case .ok: "."
        case .warning: "w"
        case .critical: "X"
        case .unknown: "?"
        }
      signs.append((sign, round.verdict.status.shade))
    }
    let shown = signs.suffix(max(1, width))
    return Line(
      String(shown.map(\.0)), painted: shown.map { self.colour.paint(String($0.0), $0.1) }.joined())
  }

  private func bars(_ times: LatencyRecord, columns: Int) -> [Line] {
    let histogram = times.histogram
    let most = histogram.map(\.count).max() ?? 0
    let room = max(4, min(40, columns - 28))
    return histogram.map { bucket in
      let length = most == 0 ? 0 : Int((Double(bucket.count) / Double(most) * Double(room)).rounded(.up))
      let range = ProbeReport.padLeft("\(bucket.from)-\(bucket.to) ms", 15)
      return Line("\(range) \(ProbeReport.padLeft(String(bucket.count), 7)) \(String(repeating: "#", count: length))")
    }
  }

  private func short(_ verdict: WatchHistory.Verdict) -> String {
    self.words.status(verdict.status) + (verdict.code.map { " \($0.stableCode)" } ?? "")
  }

  private func change(_ mark: WatchHistory.Mark) -> String {
    "\(self.timeOfDay(mark.at)) \(self.words.rounds.prefix(5)) \(mark.round): \(self.short(mark.from)) -> \(self.short(mark.to))"
  }

  private func sentence(_ report: ProbeReport) -> String {
    let step = report.firstFailure ?? report.steps.first { $0.verdict == .warning }
    guard let step else { return report.evidence(self.language).joined(separator: "; ") }
    return "\(step.meaning(self.language)) (\(ProbeReport.printable(step.seen(self.language))))"
  }

  private func timeOfDay(_ instant: RegistryInstant) -> String {
    var style = Date.VerbatimFormatStyle(
      format: "\(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
      timeZone: self.timeZone, calendar: Calendar(identifier: .gregorian))
    style.timeZone = self.timeZone
    return style.format(Date(timeIntervalSince1970: Double(instant.millisecondsSinceEpoch) / 1_000))
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
