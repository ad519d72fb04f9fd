// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The report as HTML: a function of the facts and a language.
struct ReportPage {
  let document: ReportDocument
  let language: ReportLanguage
  var facts: ReportFacts { self.document.facts }

  init(_ document: ReportDocument, _ language: ReportLanguage) {
    self.document = document
    self.language = language
  }

  /// Tables up to this length stand open, and are printed; longer ones are folded, and summed up in what is printed.
  static let openRows = 60

  func say(_ word: ReportWord, _ arguments: String...) -> String { self.language.fill(word.phrase[self.language], arguments) }

  var banner: String {
    guard let environment = self.facts.given.environment else { return self.say(.environmentUnknown) }
    return self.facts.given.isProduction ? self.say(.production) : self.say(.notProduction, environment.uppercased())
  }

  var html: String {
    let name = self.say(.title, self.facts.pulje.name.text)
    let sheet = ReportStyle.sheet(
      banner: self.banner, pulje: name, page: self.say(.page), of: self.say(.of), isProduction: self.facts.given.isProduction)
    var page: Markup = """
      <!DOCTYPE html>
      <html lang="\(self.language.rawValue)">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(ReportStyle.policy(sheet))">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="bus-migrator \(self.facts.given.program)">
      <title>\(name) – \(self.banner)</title>
      <style>\(Markup(made: sheet))</style>
      </head>
      <body>
      <div class="banner" role="note">\(self.banner)</div>
      <main>
      <div class="first">
      <h1>\(name)</h1>
      <p class="sub">\(self.say(.subtitle, self.facts.pulje.source.text, self.facts.pulje.target.text))</p>

      """
    page += self.firstPage
    page += "</div>\n"
    page += self.whatMoved
    page += self.plots
    page += self.evidence
    page += self.exceptions
    page += self.incidents
    page += self.times
    page += self.audit
    page += "</main>\n"
    page += Markup(made: ReportDocument.open + self.document.embedded + ReportDocument.close)
    page += "\n</body>\n</html>\n"
    return page.text
  }

  // MARK: the first page

  private var firstPage: Markup {
    let facts = self.facts
    let words = ReportNames.words(facts.recommendation.verdict)
    var page: Markup = """
      <section class="verdict \(facts.recommendation.verdict.rawValue)" aria-labelledby="recommendation">
      <div id="recommendation">\(self.say(.recommendation))</div>
      <strong>\(self.say(words.name))</strong>
      <p>\(self.say(words.meaning))</p>
      </section>

      """
    if let paused = facts.pulje.paused {
      page += "<p><b>\(self.say(.pausedNow, self.language.time(paused.at), paused.by)):</b> <q>\(paused.why)</q></p>\n"
    }
    if let stop = facts.pulje.lineStopped {
      page += "<p><b>\(self.say(.lineStoppedNow, self.language.time(stop.at), stop.by)):</b> <q>\(stop.why)</q></p>\n"
    }
    page += """
      <div class="columns">
      <section><h3>\(self.say(.reasons))</h3>\(self.statements(facts.recommendation.reasons))</section>
      <section><h3>\(self.say(.doubts))</h3>\(self.statements(facts.recommendation.doubts))</section>
      </div>
      <h3>\(self.say(.inShort))</h3>
      <div class="columns"><section>\(self.keyFigures)</section><section>\(self.keyNames)</section></div>
      <p class="note">\(self.say(.timesNote))</p>

      """
    return page
  }

  private func statements(_ statements: [Statement]) -> Markup {
    if statements.isEmpty { return "<p>\(self.say(.noDoubts))</p>" }
    return "<ul>\(statements.map { self.statement($0) }.joined)</ul>"
  }

  private func statement(_ statement: Statement) -> Markup {
    let word = ReportNames.word(statement.name)
    let figures = statement.figures.enumerated().map { index, figure in
      statement.name == .watchesDone && index == 2 ? self.language.span(figure) : self.language.number(figure)
    }
    var markup: Markup = "<li>\(self.language.fill(word.phrase[self.language], figures))"
    if let seen = statement.seen, !seen.isEmpty { markup += " <q>\(seen)</q>" }
    if !statement.groups.isEmpty {
      let more = Int(statement.figures.first ?? 0) - statement.groups.count
      let named = statement.groups.map { "\($0.lowest)" }.joined(separator: ", ")
      let isOfGroups = statement.name != .exceptions && statement.name != .carriedOver && statement.name != .lateArrivals
      markup +=
        " (\(self.say(.herID)) \(named)\(isOfGroups && more > 0 ? " " + self.say(.andMore, self.language.number(more)) : ""))"
    }
    markup += "</li>"
    return markup
  }

  private var keyFigures: Markup {
    let counts = self.facts.counts
    return self.key([
      (.phase, self.say(ReportNames.word(self.facts.pulje.phase))), (.parties, self.language.number(counts.parties)),
      (.groups, self.language.number(counts.groups)),
      (.moved, "\(self.language.number(counts.moved)) (\(self.language.percent(counts.moved, of: counts.parties)))"),
      (.rolledBackParties, self.language.number(counts.restored)),
      (.quarantinedParties, self.language.number(counts.quarantined)),
      (.withdrawnParties, self.language.number(counts.withdrawn)),
      (.pings, "\(self.language.number(counts.pings)), \(self.say(.failed)) \(self.language.number(counts.failedPings))"),
      (
        .looksAtCounters,
        "\(self.language.number(counts.looks)), \(self.say(.unreadable)) \(self.language.number(counts.unreadableLooks))"
      ),
      (.lateMessages, self.language.number(counts.lateMessages)),
    ])
  }

  private var keyNames: Markup {
    let pulje = self.facts.pulje
    return self.key([
      (.environment, self.facts.given.environment ?? self.say(.environmentUnknown)),
      (.sealedBy, "\(pulje.sealedBy), \(self.language.time(pulje.sealedAt))"),
      (.approvedBy, self.language.people(pulje.approvals)), (.startedAt, self.language.time(pulje.startedAt)),
      (.madeAt, self.language.time(self.facts.given.madeAt)), (.quietPeriod, self.language.span(pulje.quietPeriod.milliseconds)),
      (.watchPeriod, self.language.span(pulje.watchPeriod.milliseconds)),
      (.approvalsNeeded, self.language.number(pulje.approvalsNeeded)),
      (.echoRequired, self.say(pulje.echoRequired ? .yes : .no)), (.leftovers, self.say(ReportNames.word(pulje.leftovers))),
    ])
  }

  func key(_ rows: [(ReportWord, String)]) -> Markup {
    let rows = rows.map { "<tr><th scope=\"row\">\(self.say($0.0))</th><td>\($0.1)</td></tr>" as Markup }
    return "<table class=\"key\">\(rows.joined)</table>"
  }

  // MARK: pieces

  /// A table; a long one is folded, and not printed.
  ///
  /// - Parameter numbers: the columns that hold figures.
  func table(_ head: [ReportWord], numbers: Set<Int> = [], _ rows: [[Markup]], folds: Bool = true) -> Markup {
    let columns = head.enumerated().map { index, word in
      (numbers.contains(index)
        ? "<th scope=\"col\" class=\"n\">\(self.say(word))</th>" : "<th scope=\"col\">\(self.say(word))</th>")
        as Markup
    }
    var table: Markup = "<table><thead><tr>\(columns.joined)</tr></thead>\n<tbody>"
    for row in rows {
      table += "<tr>"
      for (index, cell) in row.enumerated() {
        table += numbers.contains(index) ? "<td class=\"n\">\(cell)</td>" : "<td>\(cell)</td>"
      }
      table += "</tr>\n"
    }
    table += "</tbody></table>\n"
    guard folds, rows.count > Self.openRows else { return table }
    return
      "<details class=\"full\"><summary>\(self.say(.showAll, self.language.number(rows.count)))</summary>\(table)</details>\n"
  }

  func section(_ title: ReportWord, note: String? = nil) -> Markup {
    "<h2>\(self.say(title))</h2>\n\(self.note(note))"
  }

  func part(_ title: ReportWord, note: String? = nil) -> Markup {
    "<h3>\(self.say(title))</h3>\n\(self.note(note))"
  }

  private func note(_ text: String?) -> Markup {
    guard let text else { return "" }
    return "<p class=\"note\">\(text)</p>\n"
  }

  func quote(_ text: String) -> Markup { text.isEmpty ? "" : "<q>\(text)</q>" }
  func cell(_ text: String) -> Markup { "\(text)" }
  func figure(_ number: some BinaryInteger) -> Markup { "\(self.language.number(number))" }
  func moment(_ instant: Instant?) -> Markup { "\(self.language.time(instant))" }
  func groups(_ ids: [GroupID], of count: Int) -> Markup {
    if count == 0 { return "\(self.say(.allGroups))" }
    let named = ids.map { "\($0.lowest)" }.joined(separator: ", ")
    return count > ids.count ? "\(named) \(self.say(.andMore, self.language.number(count - ids.count)))" : "\(named)"
  }
}
