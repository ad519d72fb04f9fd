// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Migration
import MigrationEngine
import MigrationReport
import MigrationStore

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Sum up a pulje: what was done, what was shown, what is recommended; or verify a report.",
    discussion: """
      Reports come from the daemon, or from the database when no daemon answers or --database names one. The pilot report (--format html, pdf or \
      json) is computed from the database's events; --verify computes every figure of one anew and compares. Exit code 6: the report and the \
      history differ.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case markdown, html, pdf, json }

  @OptionGroup var pulje: PuljeOption
  @Option(help: "markdown, html (one page that needs nothing else), pdf (by weasyprint, beside the page) or json (the figures).")
  var format: Format = .markdown
  @Option(help: "nb or en: the language of html and pdf.")
  var language: ReportLanguage = .nb
  @Option(help: "A file, or a folder to write it in; without it, standard output (not for pdf).")
  var output: String?
  @Option(help: "An HTML or JSON report: compute each of its figures anew from the history up to its own head, and compare.")
  var verify: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var json: JSONOption

  func run() async throws {
    if let file = self.verify { return try await self.verify(file) }
    guard self.format == .markdown else { return try await self.makePilotReport() }
    let report: PuljeReport
    let environment: String?
    do {
      // A database that is named is what is meant, whatever runs beside it.
      guard self.place.database == nil else {
        throw CommandLineError.daemonNotReachable(socket: "", seen: "the database is named")
      }
      let daemon = try await DaemonReached.at(self.place)
      report = try await daemon.client.report(try self.pulje.name())
      environment = daemon.environment
    } catch let error as CommandLineError {
      guard error.isOfNoDaemon, let path = try? self.place.databasePath() else { throw error }
      report = try await self.read(path)
      environment = try self.place.environment()
    }
    if self.json.json { return try Console.say(json: report, of: environment) }
    guard let output else { return Console.say(report.markdown, of: environment) }
    let path = Self.file(output, "report-\(report.pulje.name).md")
    // As on the screen: a file goes to people who have not seen where it came from.
    let head = Banner.line(environment, isTerminal: false)
    try await ReportFile.write(Data("\(head)\n\n\(report.markdown)".utf8), to: path)
    Console.say(path)
  }

  private func read(_ path: String) async throws -> PuljeReport {
    let history = try await SQLiteEventReader.open(path: path).load()
    let name = try history.state.pulje(meant: try self.pulje.name())
    guard let pulje = history.state.puljer[name] else {
      throw Refusal(.unknownPulje, tried: "report on \(name)", seen: "no pulje of that name")
    }
    let now = SystemMigrationClock().now
    return PuljeReport(PuljeSummary(pulje, stop: history.state.stop, now: now), now: now, auditHead: history.head.hash)
  }

  // MARK: the pilot report

  private func maker() throws -> ReportMaker {
    ReportMaker(database: try self.place.databasePath(), environment: try self.place.environment())
  }

  private func makePilotReport() async throws {
    if self.format == .pdf, self.output == nil {
      throw CommandLineError.argumentWrong(name: "--output", seen: "", wanted: "a file or folder: a PDF is not for a terminal")
    }
    let made: Made
    do { made = try await self.fromDaemon() } catch let error as CommandLineError where error.isOfNoDaemon {
      made = try await self.fromDatabase()
    }
    let stem = "report-\(made.pulje.text).\(self.language.rawValue)"
    switch self.format {
    case .markdown: break
    case .json: try await self.put(try await made.make(.json), "report-\(made.pulje.text).json")
    case .html: try await self.put(try await made.make(.html), "\(stem).html")
    case .pdf:
      let path = Self.file(self.output ?? "", "\(stem).pdf")
      let page = (path.hasSuffix(".pdf") ? String(path.dropLast(4)) : path) + ".html"
      // Kept whatever comes of the PDF.
      try await ReportFile.write(try await made.make(.html), to: page)
      Console.say(page)
      guard let printer = ReportPrinter.find() else { throw ReportError.printerMissing(page: page) }
      try await ReportFile.write(try await printer.print(page: page), to: path)
      Console.say(path)
    }
  }

  /// A report that can be had in its forms.
  private struct Made {
    var pulje: PuljeName
    var make: (ReportControl.Form) async throws -> Data
  }

  /// Whoever may see may have it made, without being let at the database.
  private func fromDaemon() async throws -> Made {
    guard self.place.database == nil else {
      throw CommandLineError.daemonNotReachable(socket: "", seen: "the database is named")
    }
    let client = try await DaemonReached.at(self.place).client
    let pulje = try await client.report(try self.pulje.name()).pulje.name
    let language = self.language
    return Made(pulje: pulje) { try await client.pilotReport(pulje, form: $0, language: language) }
  }

  private func fromDatabase() async throws -> Made {
    let maker = try self.maker()
    var name = try self.pulje.name()
    if name == nil { name = try await SQLiteEventReader.open(path: maker.database).load().state.pulje(meant: nil) }
    guard let name else { throw CommandLineError.puljeNotNamed(names: []) }
    let document = try await maker.make(name, now: SystemMigrationClock().now)
    let language = self.language
    return Made(pulje: name) { $0 == .json ? document.json : Data(document.html(language).utf8) }
  }

  private func put(_ data: Data, _ name: String) async throws {
    guard let output else { return FileHandle.standardOutput.write(data) }
    let path = Self.file(output, name)
    try await ReportFile.write(data, to: path)
    Console.say(path)
  }

  /// In a folder by its usual name; else the file itself.
  private static func file(_ output: String, _ name: String) -> String {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: output, isDirectory: &isFolder)
    let path = isThere && isFolder.boolValue || output.hasSuffix("/") ? URL(fileURLWithPath: output).path + "/" + name : output
    return URL(fileURLWithPath: path).path
  }

  // MARK: verify

  private func verify(_ file: String) async throws {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
      throw ReportError.notAReport(path: file, seen: "the file cannot be read")
    }
    let written: WrittenReport
    do { written = try WrittenReport(data) } catch { throw ReportError.notAReport(path: file, seen: error.seen) }
    let result = try await self.maker().verify(written)
    let environment = try self.place.environment()
    if self.json.json {
      try Console.say(json: result, of: environment)
    } else {
      Console.say(ReportVerificationText.text(result, file: file), of: environment)
    }
    if !result.isEqual { throw ExitCode(Exit.differs) }
  }
}

extension ReportLanguage: ExpressibleByArgument {}

/// What a verification found, in words.
enum ReportVerificationText {
  /// More differences are counted and not listed.
  static let listed = 100

  static func text(_ result: ReportVerification, file: String) -> String {
    let head = "the history is whole up to event \(result.head.sequence), \(result.head.hash)"
    if result.isEqual {
      let page =
        result.pageCompared
        ? "; every line of the page says what they say" : "; the figures alone were compared, no page of this version"
      return "\(head)\nequal: every figure of \(file) is what the history gives\(page)"
    }
    var lines = [head, "DIFFERENT: \(file) does not say what the history gives"]
    for (title, differences) in [("figure", result.figures), ("page", result.lines)] {
      for difference in differences.prefix(Self.listed) {
        lines.append(
          "- \(title) \(difference.place): the report has \(difference.written ?? "nothing"), the history gives \(difference.recomputed ?? "nothing")"
        )
      }
      if differences.count > Self.listed { lines.append("- and \(differences.count - Self.listed) more") }
    }
    if !result.checksumHolds {
      lines.append("- the report's checksum is not that of its figures: the file was changed after it was made")
    }
    return lines.joined(separator: "\n")
  }
}
