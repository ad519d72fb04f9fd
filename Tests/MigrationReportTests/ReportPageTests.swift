// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration
@testable import MigrationReport

@Suite("A report's page")
struct ReportPageTests {
  static let planted = "<script>alert(1)</script>\"'&<img src=x onerror=y>"

  /// Somebody has put markup wherever a person or a system may put words.
  static func hostile() throws -> ReportFacts {
    var history = try History([(200, planted), (300, "Dalen")])
    history.isSealedAndStarted()
    history.happens(.puljePaused(pulje: history.pulje, by: planted, why: planted))
    history.happens(.lineStopped(by: planted, why: planted))
    history.happens(
      .commanded(
        record: CommandRecord(
          by: [planted], giver: .token(name: planted), role: planted, verb: planted, pulje: history.pulje, reason: planted,
          fingerprint: planted)))
    try history.isCutOver(200, outcome: .unknown(planted))
    try history.group(200, .pingFailed(reports: [], seen: planted, retryAt: history.now))
    try history.group(200, .quarantined(by: planted, why: planted))
    try history.group(300, .held(hold: Hold(.recordMoved, seen: planted)))
    try history.group(300, .withdrawn(by: planted, why: planted))
    try history.group(200, .waived(by: planted, why: planted, until: history.now + .days(3)))
    try history.group(
      200, .testSigned(herID: try #require(HerID(200)), item: TestItem(text: planted), passed: false, by: planted, seen: planted))
    try history.group(200, .rollBackStarted(by: planted, why: planted))
    return try history.facts(environment: planted)
  }

  @Test("what comes from outside is text, never markup", arguments: ReportLanguage.allCases)
  func escapes(language: ReportLanguage) throws {
    let document = try ReportDocument(Self.hostile())
    let page = document.html(language)
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(!page.contains("<script>alert") && !page.contains("<img"))
    // Nor is our own markup text.
    #expect(!page.contains("&lt;p") && !page.contains("&lt;t") && !page.contains("&lt;li") && !page.contains("class=&quot;"))
    // The one script element is the block of figures, and nothing in it ends it.
    #expect(page.components(separatedBy: "<script").count == 2 && page.components(separatedBy: "</script>").count == 2)
    let written = try WrittenReport(Data(page.utf8))
    #expect(written.checksum == document.checksum && written.factsJSON == document.factsJSON && written.language == language)
  }

  @Test("it needs nothing from outside, and its policy lets nothing in")
  func selfContained() throws {
    let page = try ReportDocument(ReportFactsTests.whole().facts()).html(.en)
    for reference in ["http://", "https://", "url(", "@import", "src=", "<link", " style=", "javascript:", "onclick"] {
      #expect(!page.contains(reference), "\(reference)")
    }
    #expect(page.contains("default-src &#39;none&#39;; style-src &#39;sha256-"))
  }

  @Test("production is unmistakable, and every other environment says that it is none")
  func environment() throws {
    let history = try ReportFactsTests.whole()
    let production = try ReportDocument(history.facts(environment: "Produksjon")).html(.nb)
    #expect(production.contains("<div class=\"banner\" role=\"note\">PRODUKSJON</div>"))
    #expect(production.contains(".banner{background:#b00020"))
    #expect(production.contains("@top-left{content:\"PRODUKSJON\""))
    let test = try ReportDocument(history.facts(environment: "test")).html(.en)
    #expect(test.contains("TEST – not production</div>") && !test.contains(".banner{background:#b00020"))
    #expect(try ReportDocument(history.facts(environment: nil)).html(.en).contains(ReportWord.environmentUnknown.phrase[.en]))
  }

  @Test("each of the languages says it in its own words, with plots and their figures beside them")
  func languages() throws {
    var history = try ReportFactsTests.whole()
    history.now = history.now + .days(15)
    let document = try ReportDocument(history.facts())
    let (nb, en) = (document.html(.nb), document.html(.en))
    #expect(nb.contains("<html lang=\"nb\">") && nb.contains("RULL UT") && nb.contains("Bakken legekontor"))
    #expect(en.contains("<html lang=\"en\">") && en.contains("ROLL OUT") && en.contains("Bakken legekontor"))
    for page in [nb, en] {
      #expect(page.components(separatedBy: "<svg").count - 1 == 3)
      #expect(page.components(separatedBy: "role=\"img\"").count == page.components(separatedBy: "<svg").count)
      #expect(page.contains("audit verify --expect-head hash-"))
    }
  }

  @Test("the same facts make the same page")
  func deterministic() throws {
    let history = try ReportFactsTests.whole()
    let (one, other) = (try ReportDocument(history.facts()), try ReportDocument(history.facts()))
    #expect(one.json == other.json && one.html(.nb) == other.html(.nb))
  }

  /// What is asked of the largest pulje: in debug builds it is slower, and the bound of ten seconds is for the program that is installed.
  @Test("5,000 parties: everything in one page of less than 10 MB")
  func large() throws {
    var history = try History((1...5_000).map { (herID: Int32(10_000 + $0), name: "Legekontoret i bygd nummer \($0)") })
    history.isSealedAndStarted()
    for number in 1...5_000 {
      try history.isCutOver(Int32(10_000 + number))
      try history.isReached(Int32(10_000 + number), latency: Int64(number % 90))
      try history.group(Int32(10_000 + number), .drainBegan)
      for _ in 0..<2 {
        try history.group(Int32(10_000 + number), .looked(readings: history.look(Int32(10_000 + number), arrivals: 160)))
      }
    }
    let document = try ReportDocument(history.facts())
    #expect(document.facts.parties.count == 5_000)
    for language in ReportLanguage.allCases { #expect(document.html(language).utf8.count < 10_000_000) }
  }
}

@Suite("Verifying a report")
struct ReportVerificationTests {
  func verify(_ text: String, _ document: ReportDocument) throws -> ReportVerification {
    ReportVerification(try WrittenReport(Data(text.utf8)), recomputed: document, program: "1.2.3")
  }

  @Test("as it was written it is equal, page and figures")
  func equal() throws {
    let document = try ReportDocument(ReportFactsTests.whole().facts())
    for text in [document.html(.nb), document.html(.en), String(decoding: document.json, as: UTF8.self)] {
      let result = try self.verify(text, document)
      #expect(result.isEqual, "\(result.figures) \(result.lines)")
    }
    #expect(try self.verify(document.html(.nb), document).pageCompared)
  }

  @Test("a figure that was changed is told, and nothing else")
  func figure() throws {
    let document = try ReportDocument(ReportFactsTests.whole().facts())
    let changed = String(decoding: document.json, as: UTF8.self).replacing("\"failedPings\":0", with: "\"failedPings\":7")
    let result = try self.verify(changed, document)
    #expect(result.figures == [.init(place: "counts.failedPings", written: "7", recomputed: "0")])
    #expect(!result.checksumHolds && !result.isEqual)
    // Whoever also mends the checksum is found out by the figure.
    let facts = try WrittenReport(Data(changed.utf8)).factsJSON
    let mended = changed.replacing(document.checksum, with: ReportDocument.checksum(facts))
    let second = try self.verify(mended, document)
    #expect(second.checksumHolds && second.figures.map(\.place) == ["counts.failedPings"] && !second.isEqual)
  }

  @Test("what a reader sees is compared as well: a line of the page that says otherwise is told")
  func line() throws {
    let document = try ReportDocument(ReportFactsTests.whole().facts())
    let result = try self.verify(document.html(.nb).replacing("Bakken legekontor</td>", with: "Bakken legesenter</td>"), document)
    #expect(result.figures.isEmpty && result.checksumHolds)
    #expect(result.lines.count == 1)
    #expect(result.lines.first?.written?.contains("Bakken legesenter") == true)
    #expect(result.lines.first?.recomputed?.contains("Bakken legekontor") == true)
  }

  @Test("what is missing or too much is told with its party")
  func party() throws {
    let document = try ReportDocument(ReportFactsTests.whole().facts())
    let text = String(decoding: document.json, as: UTF8.self).replacing(
      "\"name\":\"Dalen sykehjem\"", with: "\"name\":\"Somebody\",\"note\":1")
    #expect(
      try self.verify(text, document).figures == [
        .init(place: "parties[1] (HER-ID 300).name", written: "\"Somebody\"", recomputed: "\"Dalen sykehjem\""),
        .init(place: "parties[1] (HER-ID 300).note", written: "1", recomputed: nil),
      ])
  }

  @Test(
    "what is no report is refused in words",
    arguments: ["", "<html></html>", "{}", "{\"facts\":{}}", "{\"schema\":\"x\",\"facts\":{}}"])
  func none(text: String) {
    #expect(throws: WrittenReport.Fault.self) { try WrittenReport(Data(text.utf8)) }
  }
}
