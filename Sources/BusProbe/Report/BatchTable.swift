// SPDX-License-Identifier: Apache-2.0

/// Many parties in a table, the worst first. Pure.
public enum BatchTable {
  /// Worst first; among equals those that share a step together, then by HER-ID.
  public static func ordered(_ looks: [ProbeLook], _ thresholds: NagiosThresholds = .init()) -> [ProbeLook] {
    func key(_ look: ProbeLook) -> (Int, Int, Int, String) {
      let code = Self.telling(look.report)?.code.rawValue ?? Int.max
      return (-look.status(thresholds).severity, code, Int(look.report.target) ?? Int.max, look.report.target)
    }
    return looks.map { (key($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// The worst of all; unknown for none at all.
  public static func worst(_ looks: [ProbeLook], _ thresholds: NagiosThresholds = .init()) -> ProbeReport.Status {
    guard let first = looks.first else { return .unknown }
    return looks.dropFirst().reduce(first.status(thresholds)) { $0.worse($1.status(thresholds)) }
  }

  public static func text(
    _ looks: [ProbeLook], _ language: ProbeLanguage, colour: TextColour = .plain, _ thresholds: NagiosThresholds = .init(),
    seconds: Double
  ) -> String {
    let words = ReportWords(language)
    var rows = [[words.statusHeading, words.party, words.bus, words.steps, words.time, words.finding]]
    var shades: [TextColour.Shade?] = [.strong]
    for look in Self.ordered(looks, thresholds) {
      let status = look.status(thresholds)
      let step = Self.telling(look.report)
      var finding = step.map { "\($0.meaning(language)) (\(ProbeReport.printable($0.whose(language))))" } ?? ""
      let crossed = thresholds.crossings(look.measured).map(\.measure.rawValue)
      if !crossed.isEmpty {
        finding = ([crossed.joined(separator: ", ")] + (finding.isEmpty ? [] : [finding])).joined(separator: "; ")
      }
      rows.append([
        words.status(status), ProbeReport.printable(String(look.report.target.prefix(40))), look.report.bus?.text ?? "-",
        step.map { $0.code.stableCode } ?? "-", look.roundTripMilliseconds.map { ProbeReport.milliseconds($0) } ?? "-", finding,
      ])
      shades.append(status.shade)
    }
    return Self.aligned(rows, shades, colour) + "\n" + Self.sums(looks, language, thresholds, seconds: seconds) + "\n"
  }

  /// One line: how many of each status.
  public static func sums(
    _ looks: [ProbeLook], _ language: ProbeLanguage, _ thresholds: NagiosThresholds = .init(), seconds: Double
  ) -> String {
    let words = ReportWords(language)
    let statuses = Dictionary(grouping: looks) { $0.status(thresholds) }
    let counts = [ProbeReport.Status.critical, .unknown, .warning, .ok].compactMap { status in
      statuses[status].map { "\($0.count) \(words.status(status))" }
    }
    let tenths = Int((seconds * 10).rounded())
    return
      "\(words.parties(looks.count)): \(counts.isEmpty ? "-" : counts.joined(separator: ", ")); \(tenths / 10).\(tenths % 10) s"
  }

  /// One line for Nagios: the worst status, how many of each, and who is worst.
  public static func nagiosLine(
    _ looks: [ProbeLook], _ language: ProbeLanguage, _ thresholds: NagiosThresholds = .init(), seconds: Double
  ) -> String {
    let worst = Self.worst(looks, thresholds)
    let bad = Self.ordered(looks, thresholds).filter { $0.status(thresholds) != .ok }.prefix(5).map { look in
      look.report.target + (Self.telling(look.report).map { " \($0.code.stableCode)" } ?? "")
    }
    func count(_ status: ProbeReport.Status) -> Int { looks.count { $0.status(thresholds) == status } }
    return "BUS \(worst.word) - "
      + ProbeLook.nagiosText(([Self.sums(looks, language, thresholds, seconds: seconds)] + bad).joined(separator: ", "))
      + " | parties=\(looks.count);;;0; critical=\(count(.critical));;;0; warning=\(count(.warning));;;0;"
      + " unknown=\(count(.unknown));;;0;\n"
  }

  /// The step that tells most: the first that failed, else the first that warns.
  static func telling(_ report: ProbeReport) -> ProbeStep? {
    report.firstFailure ?? report.steps.first { $0.verdict == .warning }
  }

  /// Columns of one width each; the first row stands apart, and the last column is not filled up.
  static func aligned(_ rows: [[String]], _ shades: [TextColour.Shade?], _ colour: TextColour) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return zip(rows, shades).map { row, shade in
      let cells = row.enumerated().map { place, cell in
        let padded = place == row.count - 1 ? cell : ProbeReport.pad(cell, widths[place])
        return place == 0 ? shade.map { colour.paint(padded, $0) } ?? padded : padded
      }
      return cells.joined(separator: "  ")
    }.map { line in String(line.reversed().drop { $0 == " " }.reversed()) + "\n" }.joined()
  }
}
