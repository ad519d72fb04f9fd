// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationReport
import MigrationSimulation
import MigrationStore
import NIOConcurrencyHelpers
import Testing

@testable import bus_migrator

/// Reports of a simulated pulje whose history lies in a real database, made by the program itself.
@Suite("Reports from a database")
struct ReportCommandTests {
  struct Place: Sendable {
    let folder: URL
    let database: String
    let pulje: PuljeName
    let events: [(event: MigrationEvent, at: Instant)]
    let state: MigrationState

    func run(_ arguments: [String]) async throws -> ChildProgram.Ending {
      try await ChildProgram.run("bus-migrator", ["report"] + arguments + ["--database", self.database], folder: self.folder)
    }
    func file(_ name: String) -> String { self.folder.appendingPathComponent(name).path }
  }

  static func with(_ body: (Place) async throws -> Void) async throws {
    let folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("report-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let simulation = try #require(Simulation(seed: 4, settings: .calm()))
    _ = simulation.run()
    let events = simulation.durable
    let database = folder.appendingPathComponent("migration.sqlite").path
    let state = try await Self.write(events, to: database)
    let pulje = try #require(state.ordered.first?.name)
    try await body(Place(folder: folder, database: database, pulje: pulje, events: events, state: state))
  }

  @discardableResult
  static func write(_ events: [(event: MigrationEvent, at: Instant)], to database: String) async throws -> MigrationState {
    let store = try await SQLiteEventStore.open(path: database, at: events.first?.at ?? Instant(milliseconds: 0))
    var state = try await store.load().state
    for stored in events {
      _ = try await store.append([stored.event], at: stored.at, actor: "test")
      let isKnown = state.apply(stored.event, at: stored.at)
      #expect(isKnown)
    }
    await store.close()
    return state
  }

  @Test("a page in each language: valid HTML, nothing from outside; verified it is equal, changed it is not, and tells what")
  func pageAndVerification() async throws {
    try await Self.with { place in
      for language in ["nb", "en"] {
        let made = try await place.run(["--format", "html", "--language", language, "--output", place.folder.path])
        #expect(made.exitCode == 0, "\(made.complaint)")
        let page = place.file("report-\(place.pulje).\(language).html")
        let mode = try FileManager.default.attributesOfItem(atPath: page)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o640)
        let checked = try await ChildProgram.run(
          at: ConfigurationFileTests.root.appendingPathComponent("tools/check-report"), [page], folder: place.folder)
        #expect(checked.exitCode == 0, "\(checked.output) \(checked.complaint)")
        let verified = try await place.run(["--verify", page])
        #expect(
          verified.exitCode == 0 && verified.output.contains("equal: every figure"), "\(verified.output) \(verified.complaint)")
        // Somebody makes the failed pings look fewer.
        let text = try String(contentsOfFile: page, encoding: .utf8)
        let parties = try #require(text.firstMatch(of: /"parties":([0-9]+),"pings"/)?.1)
        try text.replacing("\"parties\":\(parties),\"pings\"", with: "\"parties\":4711,\"pings\"").write(
          toFile: place.file("changed.html"), atomically: true, encoding: .utf8)
        let changed = try await place.run(["--verify", place.file("changed.html")])
        #expect(changed.exitCode == 6)
        #expect(
          changed.output.contains("- figure counts.parties: the report has 4711, the history gives \(parties)\n"),
          "\(changed.output)")
        #expect(changed.output.components(separatedBy: "- figure").count == 2 && changed.output.contains("checksum is not that"))
      }
      let json = try await place.run(["--format", "json", "--output", place.file("figures.json")])
      #expect(json.exitCode == 0)
      let verified = try await place.run(["--verify", place.file("figures.json"), "--json"])
      #expect(verified.exitCode == 0 && verified.output.contains("\"figures\" : ["))
      try "environment: qa\nstate-directory: .\n".write(toFile: place.file("m.yaml"), atomically: true, encoding: .utf8)
      let ofQA = try await place.run(["--verify", place.file("figures.json"), "--json", "--config", place.file("m.yaml")])
      #expect(ofQA.output.contains("\"environment\" : \"qa\""), "\(ofQA.output)\(ofQA.complaint)")
      // As today, without a daemon: Markdown and the summary's own JSON.
      let noDaemon = ["--socket", place.file("none.sock")]
      let markdown = try await place.run(noDaemon)
      #expect(markdown.exitCode == 0 && markdown.output.hasPrefix("environment: ") && markdown.output.contains("\n# Pulje"))
      let summary = try await place.run(["--json"] + noDaemon)
      #expect(summary.output.contains("bus-migrator/report/1"))
    }
  }

  @Test(
    "a report is verified as of its own head: what came later changes nothing; what lies before it, or elsewhere, does not have it"
  )
  func head() async throws {
    try await Self.with { place in
      let made = try await place.run(["--format", "html", "--output", place.file("report.html")])
      #expect(made.exitCode == 0)
      let later = (place.events.last?.at ?? Instant(milliseconds: 0)) + .hours(1)
      try await Self.write([(.lineStopped(by: "Kari", why: "storm"), later)], to: place.database)
      let verified = try await place.run(["--verify", place.file("report.html")])
      #expect(verified.exitCode == 0, "\(verified.output) \(verified.complaint)")

      try await Self.write(Array(place.events.dropLast(20)), to: place.file("restored.sqlite"))
      let restored = try await ChildProgram.run(
        "bus-migrator", ["report", "--verify", place.file("report.html"), "--database", place.file("restored.sqlite")],
        folder: place.folder)
      #expect(restored.exitCode == 5 && restored.complaint.contains("REPORT-002"), "\(restored.complaint)")

      let other = try #require(Simulation(seed: 5, settings: .calm()))
      _ = other.run()
      try await Self.write(other.durable, to: place.file("other.sqlite"))
      let elsewhere = try await ChildProgram.run(
        "bus-migrator", ["report", "--verify", place.file("report.html"), "--database", place.file("other.sqlite")],
        folder: place.folder)
      #expect(elsewhere.exitCode == 5 && elsewhere.complaint.contains("REPORT-002"), "\(elsewhere.complaint)")

      let none = try await place.run(["--verify", place.database])
      #expect(none.exitCode == 2 && none.complaint.contains("REPORT-001"))
    }
  }

  @Test("a PDF in each language: text that can be read, few pages, and the page kept beside it")
  func pdf() async throws {
    try await Self.with { place in
      for (language, words) in [
        ("nb", ["Anbefaling om utrulling", "Hva ble flyttet"]), ("en", ["Recommendation for roll-out", "What moved"]),
      ] {
        let made = try await place.run(["--format", "pdf", "--language", language, "--output", place.file("\(language).pdf")])
        #expect(made.exitCode == 0, "\(made.complaint)")
        #expect(FileManager.default.fileExists(atPath: place.file("\(language).html")))
        let text = try await ChildProgram.run(
          at: URL(fileURLWithPath: "/usr/bin/pdftotext"), ["-layout", place.file("\(language).pdf"), "-"], folder: place.folder)
        for word in words { #expect(text.output.contains(word), "\(word)") }
        let pages = text.output.components(separatedBy: "\u{c}").count - 1
        #expect((3...40).contains(pages), "\(pages) pages")
        // The environment, or that none is named, at the head of every page.
        let banner = language == "nb" ? "IKKE NAVNGITT" : "NOT NAMED"
        for page in text.output.components(separatedBy: "\u{c}").dropLast() { #expect(page.contains(banner)) }
      }
    }
  }

  @Test("a printer that is not there, fails or is too slow is told with its code; the page stays")
  func printers() async throws {
    try await Self.with { place in
      #expect(ReportPrinter.find(in: [place.folder.path]) == nil)
      // Other programs by its name: a script that is written here could still be open for writing in a child of another test.
      func printer(_ program: String) throws -> ReportPrinter {
        let folder = place.folder.appendingPathComponent(URL(fileURLWithPath: program).lastPathComponent)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
          at: folder.appendingPathComponent("weasyprint"), withDestinationURL: URL(fileURLWithPath: program))
        return try #require(ReportPrinter.find(in: [folder.path]))
      }
      await #expect(
        throws: ReportError.printerFailed(
          page: "p.html", seen: "Try '\(place.folder.path)/ls/weasyprint --help' for more information.")
      ) {
        _ = try await printer("/bin/ls").print(page: "p.html")
      }
      // Success without a PDF is none.
      let empty = try printer("/bin/true")
      await #expect(throws: ReportError.printerFailed(page: "p.html", seen: "it ended with code 0")) {
        _ = try await empty.print(page: "p.html")
      }
      // Nobody starts and prints in a millisecond.
      let slow = ReportPrinter(executable: try #require(ReportPrinter.find()).executable, patience: .milliseconds(1))
      await #expect(throws: ReportError.printerTooSlow(page: "p.html", seconds: 0)) { _ = try await slow.print(page: "p.html") }
    }
  }
}
