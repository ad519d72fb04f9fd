// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import Migration
import MigrationEngine
import MigrationReport

/// Hands out pilot reports: those that the daemon has written, and one that is made now, from the same facts as `bus-migrator report`. For viewers,
/// who can read neither the database nor the daemon's folders; not for vendors, since a report names everybody's parties.
struct ReportControl: Sendable {
  enum Form: String, Sendable, CaseIterable {
    case html, pdf, json

    var type: String {
      switch self {
      case .html: "text/html; charset=utf-8"
      case .pdf: "application/pdf"
      case .json: "application/json"
      }
    }
  }

  struct List: Encodable {
    var schema = "bus-migrator/reports/1"
    /// Whether the daemon writes reports by itself.
    var isKept: Bool
    var reports: [ReportShelf.Kept]
  }

  let maker: ReportMaker
  /// nil where the daemon writes none.
  let shelf: ReportShelf?
  var printer: ReportPrinter?
  let clock: any MigrationClock
  let state: @Sendable () async -> MigrationState
  private let desk = ReportDesk()

  init(
    maker: ReportMaker, shelf: ReportShelf?, printer: ReportPrinter?, clock: any MigrationClock,
    state: @escaping @Sendable () async -> MigrationState
  ) {
    self.maker = maker
    self.shelf = shelf
    self.printer = printer
    self.clock = clock
    self.state = state
  }

  func add(to router: Router<ControlContext>) {
    router.on(.reports) { request, _ in
      let name = try request.word("pulje").map(PuljeArgument.name)
      return await ControlAnswer.of { try ControlAPI.encode(try await self.list(name)) }
    }
    router.on(.reportNow) { request, _ in
      let (name, form, language) = (
        try request.word("pulje").map(PuljeArgument.name), try Self.choice(request, "form", Form.html),
        try Self.choice(request, "language", ReportLanguage.nb)
      )
      let pulje = try await self.state().pulje(meant: name)
      let stem = "report-\(pulje.text)" + (form == .json ? "" : ".\(language.rawValue)")
      let answer = await ControlAnswer.of(form.type) {
        try await self.desk.alone { try await self.make(pulje, form, language) }
      }
      return Self.asFile(answer, "\(stem).\(form.rawValue)")
    }
    router.on(.reportFile) { request, _ in
      let parts = request.uri.path.split(separator: "/").map(String.init)
      guard parts.count == 4 else { throw CommandLineError.routeNotThere }
      let name = try PuljeArgument.name(parts[2])
      let form = Form.allCases.first { parts[3].hasSuffix("." + $0.rawValue) } ?? .json
      let answer = await ControlAnswer.of(form.type) { try await self.read(parts[3], of: name) }
      return Self.asFile(answer, "\(name.text)-\(parts[3])")
    }
  }

  private func list(_ name: PuljeName?) async throws -> List {
    let state = await self.state()
    let puljer = try name.map { [try state.pulje(meant: $0)] } ?? state.ordered.map(\.name)
    return List(isKept: self.shelf != nil, reports: try await self.shelf?.list(puljer) ?? [])
  }

  private func read(_ file: String, of name: PuljeName) async throws -> Data {
    let pulje = try await self.state().pulje(meant: name)
    guard let data = try await self.shelf?.read(file, of: pulje) else {
      throw CommandLineError.argumentWrong(
        name: "the report", seen: String(file.prefix(80)), wanted: "one that GET /v1/reports?pulje=\(pulje) lists")
    }
    return data
  }

  private func make(_ pulje: PuljeName, _ form: Form, _ language: ReportLanguage) async throws -> Data {
    let document = try await self.maker.make(pulje, now: self.clock.now)
    if form == .json { return document.json }
    let page = Data(document.html(language).utf8)
    if form == .html { return page }
    let name = "report-\(pulje.text).\(language.rawValue).html"
    guard let printer = self.printer else { throw ReportError.printerMissing(page: name) }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bus-migrator-report-\(UUID().uuidString)").path
    try await ReportFile.makeFolder(folder)
    let path = folder + "/" + ReportKeeper.folderName(of: pulje) + ".html"
    let outcome: Result<Data, any Error>
    do {
      try await ReportFile.write(page, to: path)
      outcome = .success(try await printer.print(page: path))
    } catch { outcome = .failure(error) }
    try? await ReportFile.offThePool { try FileManager.default.removeItem(atPath: folder) }
    return try outcome.get()
  }

  /// To be kept, not to be opened in our own origin; opened all the same it runs and loads nothing.
  private static func asFile(_ answer: Response, _ name: String) -> Response {
    guard answer.status == .ok else { return answer }
    var answer = answer
    answer.headers[.contentDisposition] = "attachment; filename=\"\(name)\""
    answer.headers[.contentSecurityPolicy] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return answer
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ request: Request, _ name: Substring, _ usual: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let text = request.word(name) else { return usual }
    guard let found = Choice(rawValue: text) else {
      throw CommandLineError.argumentWrong(
        name: String(name), seen: String(text.prefix(20)),
        wanted: "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return found
  }
}

/// One report is made at a time: each reads the whole history.
private actor ReportDesk {
  private var isTaken = false

  func alone<Made: Sendable>(_ make: @Sendable () async throws -> Made) async throws -> Made {
    guard !self.isTaken else { throw ReportError.busy }
    self.isTaken = true
    defer { self.isTaken = false }
    return try await make()
  }
}
