// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationReport
import MigrationStore
import NIOConcurrencyHelpers
import Testing

@testable import bus_migrator

@Suite("The daemon's own reports")
struct ReportKeeperTests {
  /// What was told, and a wait for it.
  final class Told: Notifier {
    private let notices = NIOLockedValueBox<[Notice]>([])
    private let stream: AsyncStream<Notice>
    private let signal: AsyncStream<Notice>.Continuation

    init() { (self.stream, self.signal) = AsyncStream.makeStream(of: Notice.self) }

    func notify(_ notice: Notice) {
      self.notices.withLockedValue { $0.append(notice) }
      self.signal.yield(notice)
    }

    var all: [Notice] { self.notices.withLockedValue { $0 } }

    func first(_ kind: String) async -> Notice? { await self.stream.first { $0.kind == kind } }
  }

  func keeper(_ place: ReportCommandTests.Place, _ told: Told, folder: String? = nil) -> ReportKeeper {
    ReportKeeper(
      settings: .init(folder: folder ?? place.file("reports"), languages: [.nb, .en]),
      maker: ReportMaker(database: place.database, environment: "test"), state: { place.state }, news: EngineNews(),
      notifier: told)
  }

  /// Runs it until it has told of `kind`.
  func run(_ keeper: ReportKeeper, until kind: String, _ told: Told) async -> Notice? {
    await withTaskGroup(of: Notice?.self) { group in
      group.addTask {
        try? await keeper.run()
        return nil
      }
      group.addTask { await told.first(kind) }
      let notice = await group.next().flatMap { $0 }
      group.cancelAll()
      return notice
    }
  }

  @Test("what came to its end while no daemon ran is written at the start, once, and whole")
  func once() async throws {
    try await ReportCommandTests.with { place in
      let told = Told()
      let pulje = try #require(place.state.puljer[place.pulje])
      let moment = try #require(ReportMoment(pulje, now: SystemMigrationClock().now))
      let keeper = self.keeper(place, told)
      let notice = await self.run(keeper, until: "report.written", told)
      #expect(notice?.weight == .information)
      let folder = place.file("reports/\(place.pulje)")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(files == ["\(moment.stem).en.html", "\(moment.stem).json", "\(moment.stem).nb.html"])
      for file in files {
        let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o640)
        let verified = try await place.run(["--verify", "\(folder)/\(file)"])
        #expect(verified.exitCode == 0, "\(verified.output) \(verified.complaint)")
      }
      // Another start finds them there. Of what is missing it writes the report anew.
      try FileManager.default.removeItem(atPath: "\(folder)/\(moment.stem).json")
      let again = Told()
      _ = await self.run(self.keeper(place, again), until: "report.written", again)
      #expect(again.all.map(\.kind) == ["report.written"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files)
    }
  }

  @Test("what cannot be written is told, stops nothing, and is written at the next start")
  func failure() async throws {
    try await ReportCommandTests.with { place in
      // A file stands where the folder should be.
      let folder = place.file("blocked")
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder))
      let told = Told()
      let notice = await self.run(self.keeper(place, told, folder: folder), until: "report.not-written", told)
      #expect(notice?.weight == .warning && notice?.code == "REPORT-006", "\(told.all)")
      try FileManager.default.removeItem(atPath: folder)
      let again = Told()
      #expect(await self.run(self.keeper(place, again, folder: folder), until: "report.written", again) != nil)
    }
  }

  @Test("a stop in the middle of printing leaves the report undone: the next start makes it whole, PDF and all")
  func stopped() async throws {
    try await ReportCommandTests.with { place in
      let pulje = try #require(place.state.puljer[place.pulje])
      let moment = try #require(ReportMoment(pulje, now: SystemMigrationClock().now))
      let told = Told()
      var printing = self.keeper(place, told)
      let printer: ReportPrinter = try #require(ReportPrinter.find())
      printing.printer = printer
      let keeper = printing
      await Task {
        withUnsafeCurrentTask { $0?.cancel() }
        _ = await keeper.write(moment, of: place.pulje)
      }.value
      let cutOff = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await keeper.print(place.file("page.html"), to: place.file("page.pdf"))
      }
      await #expect(throws: CancellationError.self) { try await cutOff.value }
      let folder = place.file("reports/\(place.pulje)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(moment.stem).json") && told.all.isEmpty, "\(told.all)")
      _ = await self.run(keeper, until: "report.written", told)
      let stem = moment.stem
      let files = ["\(stem).en.html", "\(stem).en.pdf", "\(stem).json", "\(stem).nb.html", "\(stem).nb.pdf"]
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files)
    }
  }

  @Test("after the time that was said its own files are removed, a person's stay, and they are not written anew")
  func retention() async throws {
    try await ReportCommandTests.with { place in
      let told = Told()
      var keeper = self.keeper(place, told)
      _ = await self.run(keeper, until: "report.written", told)
      let folder = place.file("reports/\(place.pulje)")
      try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder)/notes.html"))
      try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder)/done-by-me.html"))
      let later = Told()
      keeper = ReportKeeper(
        settings: .init(folder: place.file("reports"), languages: [.nb, .en], kept: .milliseconds(0)),
        maker: ReportMaker(database: place.database, environment: "test"), state: { place.state }, news: EngineNews(),
        notifier: later)
      let pulje = try #require(place.state.puljer[place.pulje])
      let moment = try #require(ReportMoment(pulje, now: SystemMigrationClock().now))
      #expect(moment.isEnd)
      #expect(await self.run(keeper, until: "report.forgotten", later)?.words.contains("\(moment.stem).json") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["done-by-me.html", "notes.html"])
      #expect(later.all.map(\.kind) == ["report.forgotten"])
    }
  }

  @Test("a pulje's name is no way out of the folder")
  func names() async throws {
    let keeper = ReportKeeper(
      settings: .init(folder: "/r", languages: [.nb]), maker: ReportMaker(database: "/d", environment: nil),
      state: { MigrationState() },
      news: EngineNews(), notifier: SilentNotifier())
    let (climbing, usual) = (try #require(PuljeName("..")), try #require(PuljeName("pulje-1")))
    #expect(keeper.folder(of: climbing) == "/r/_..")
    #expect(keeper.folder(of: usual) == "/r/pulje-1")
  }

  @Test("the configuration says where, in which languages, or not at all")
  func configuration() throws {
    func read(_ text: String) throws -> ReportKeeper.Settings? {
      let fields = try ConfigurationNode.text(text, file: "/etc/m.yaml", key: .file).mapping()
      return try MigratorConfiguration.reports(fields, besideDatabase: "/var/lib/x/m.sqlite")
    }
    #expect(try read("{}") == .init(folder: "/var/lib/x/reports", languages: [.nb, .en]))
    #expect(try read("reports: on") == .init(folder: "/var/lib/x/reports", languages: [.nb, .en]))
    #expect(try read("reports: off") == nil)
    #expect(try read("reports: { folder: out, languages: [en] }") == .init(folder: "/etc/out", languages: [.en]))
    #expect(throws: CommandLineError.self) { try read("reports: { languages: [] }") }
    #expect(throws: CommandLineError.self) { try read("reports: { languages: [sv] }") }
    #expect(throws: CommandLineError.self) { try read("reports: { where: x }") }
    #expect(try read("retention: { reports: 730d }")?.kept == .days(730))
    #expect(throws: CommandLineError.self) { try read("retention: { reports: 29d }") }
  }
}
