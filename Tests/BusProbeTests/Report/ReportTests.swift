// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import BusProbe

@Suite("Reports: text and JSON")
struct ReportTests {
  @Test("The codes stand as they were given out: they are never renumbered")
  func codes() {
    #expect(
      ProbeCode.allCases.map { "\($0.rawValue) \($0.name)" } == [
        "10 input", "11 cache", "12 register", "13 decision", "20 dns", "21 tcp", "22 tls", "23 login", "24 open", "25 begin",
        "26 attach", "27 credit", "28 transfer", "29 outcome", "30 negative-control", "31 arrival", "32 echo", "33 other-bus",
      ])
  }

  @Test("The worst step decides the status; what was not possible does not count, and proves nothing")
  func status() {
    #expect(ReportFixture.look().report.status == .ok)
    #expect(ReportFixture.look(warning: .echoNone).report.status == .warning)
    let failed = ReportFixture.look(failing: .arrivalNoConsumer).report
    #expect(failed.status == .critical)
    #expect(failed.firstFailure?.code == .arrival)
    #expect(ProbeReport(target: "1", kind: .error, steps: []).status == .unknown)
  }

  @Test(
    "Text: a line a step with its time, then four lines on the first failure, in each language", arguments: ProbeLanguage.allCases
  )
  func text(language: ProbeLanguage) throws {
    let look = ReportFixture.look(failing: .arrivalNoConsumer)
    let text = look.report.text(language: language, totalMilliseconds: look.totalMilliseconds)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("10 input            ok "))
    #expect(lines[1].hasPrefix("20 dns              ok ") && lines[1].contains("12.3 ms"))
    let step = try #require(look.report.firstFailure)
    let head = try #require(lines.firstIndex { $0.hasPrefix("PING-31 ") })
    #expect(lines[head].hasSuffix(step.code.title[language]))
    #expect(
      lines[head + 1].hasPrefix(language == .nb ? "  sett:  " : "  seen:  ") && lines[head + 1].hasSuffix(step.seen(language)))
    #expect(
      lines[head + 2].hasPrefix(language == .nb ? "  betyr: " : "  means: ") && lines[head + 2].hasSuffix(step.meaning(language)))
    #expect(
      lines[head + 3].hasPrefix(language == .nb ? "  hvem:  " : "  whose: ") && lines[head + 3].hasSuffix(step.whose(language)))
    #expect(
      lines[head + 4].hasPrefix(language == .nb ? "  gjør:  " : "  next:  ") && lines[head + 4].hasSuffix(step.next(language)))
    #expect(
      text.contains(
        language == .nb
          ? "KRITISK: HER-ID 200 async på tjenestebuss, 41.2 ms" : "CRITICAL: HER-ID 200 async on tjenestebuss, 41.2 ms"))
    #expect(!text.contains("\u{1B}"))
  }

  @Test("Only one failure has four lines; a warning before it is told in one")
  func oneFailure() {
    let text = ReportFixture.look(failing: .arrivalNoConsumer, warning: .cacheOld).report.text(language: .en)
    #expect(text.split(separator: "\n").count { $0.hasPrefix("  seen:") } == 1)
    #expect(text.contains("PING-11 warning: "))
    #expect(
      ReportFixture.look(warning: .cacheOld).report.text(language: .en).split(separator: "\n").count { $0.hasPrefix("  seen:") }
        == 1)
  }

  @Test("Colour is only around words, and what a peer says cannot steer the terminal")
  func colour() {
    var report = ReportFixture.look(failing: .arrivalNoConsumer).report
    report.steps[0].facts[.herID] = .text("2\u{1B}[2J\u{7}\u{202E}0")
    let plain = report.text(language: .en)
    #expect(!plain.contains("\u{1B}") && !plain.contains("\u{7}") && !plain.contains("\u{202E}"))
    let coloured = report.text(language: .en, colour: .ansi)
    #expect(coloured.contains("\u{1B}[1;31mFAILED \u{1B}[0m"))
    var bare = coloured
    for shade in TextColour.Shade.allCases { bare = bare.replacing("\u{1B}[\(shade.rawValue)m", with: "") }
    #expect(bare.replacing("\u{1B}[0m", with: "") == plain)
  }

  @Test("Colour: on a terminal only, unless NO_COLOR is set or the terminal is dumb; or as asked for")
  func colourChoice() {
    func colour(_ choice: TextColour.Choice, _ isTerminal: Bool, _ noColor: String? = nil, _ terminal: String? = "xterm")
      -> TextColour
    {
      TextColour(choice, isTerminal: isTerminal, noColor: noColor, terminal: terminal)
    }
    #expect(colour(.auto, true) == .ansi)
    #expect(colour(.auto, false) == .plain)
    #expect(colour(.auto, true, "1") == .plain)
    #expect(colour(.auto, true, "") == .ansi)
    #expect(colour(.auto, true, nil, "dumb") == .plain)
    #expect(colour(.always, false, "1") == .ansi)
    #expect(colour(.never, true) == .plain)
  }

  @Test("JSON: one line, one object, its schema, and a step with all its fields", arguments: ProbeLanguage.allCases)
  func json(language: ProbeLanguage) throws {
    let line = ReportFixture.look(failing: .arrivalNoConsumer).jsonLine(language, round: 3)
    #expect(line.filter { $0 == "\n" }.count == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "bus-pinger/1")
    #expect(object["status"] as? String == "critical")
    #expect(object["language"] as? String == language.rawValue)
    #expect(object["at"] as? String == "2026-01-01T12:00:00.000Z")
    #expect(object["round"] as? Int == 3)
    #expect(object["first_failure"] as? Int == 31)
    #expect(object["total_ms"] as? Double == 41.2)
    #expect(object["consumers"] as? Int == 0)
    let steps = try #require(object["steps"] as? [[String: Any]])
    #expect(steps.map { $0["code"] as? Int } == [10, 20, 26, 29, 31])
    #expect(steps[1]["ms"] as? Double == 12.34)
    #expect(Set(steps[1].keys) == ["code", "name", "verdict", "ok", "ms", "finding", "seen", "meaning", "next"])
    #expect(steps[4]["owner"] as? String == ProbeFinding.arrivalNoConsumer.owner?.rawValue)
  }

  @Test("explain: every step and every finding, in each language", arguments: ProbeLanguage.allCases)
  func explain(language: ProbeLanguage) {
    let table = ExplainTable.text(language)
    for code in ProbeCode.allCases { #expect(table.contains("\(code.stableCode) \(code.name): \(code.title[language])\n")) }
    for finding in ProbeFinding.allCases { #expect(table.contains(finding.words.means[language])) }
    #expect(table.split(separator: "\n").count == ProbeCode.allCases.count + ProbeFinding.allCases.count)
  }
}
