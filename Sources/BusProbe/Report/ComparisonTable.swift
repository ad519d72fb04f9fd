// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One party on several buses, step beside step. Pure.
public enum ComparisonTable {
  public static func text(
    _ looks: [(bus: BusName, look: ProbeLook)], _ language: ProbeLanguage, colour: TextColour = .plain,
    _ thresholds: NagiosThresholds = .init()
  ) -> String {
    let words = ReportWords(language)
    var rows = [[words.steps] + looks.map(\.bus.text)]
    var shades: [TextColour.Shade?] = [.strong]
    for code in ProbeCode.allCases where looks.contains(where: { $0.look.report[code] != nil }) {
      let cells = looks.map { one -> String in
        guard let step = one.look.report[code] else { return words.noStep }
        return words.mark(step.verdict) + (step.milliseconds.map { " \(ProbeReport.milliseconds($0))" } ?? "")
      }
      let worst = looks.compactMap { $0.look.report[code]?.verdict }
      let differs = Set(looks.map { $0.look.report[code]?.verdict }).count > 1
      rows.append(["\(code.rawValue) \(code.name)\(differs ? " *" : "")"] + cells)
      shades.append(worst.contains(.failed) ? .bad : worst.contains(.warning) ? .warning : nil)
    }
    rows.append([words.statusHeading] + looks.map { words.status($0.look.status(thresholds)) })
    shades.append(.strong)
    var text = BatchTable.aligned(rows, shades, colour)
    for (bus, look) in looks {
      guard let step = BatchTable.telling(look.report) else { continue }
      text += "\n\(bus): \(step.code.stableCode) \(words.verdict(step.verdict))\n"
      text += "  \(words.seen) \(ProbeReport.printable(step.seen(language)))\n"
      text += "  \(words.means) \(step.meaning(language))\n"
      text += "  \(words.whose) \(step.whose(language))\n"
      text += "  \(words.next) \(step.next(language))\n"
    }
    return text
  }
}
