// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationEngine
import MigrationReport
import ServiceLifecycle

/// Writes the report of each pulje that comes to its decision or its end, once for each such moment, in every language: also of one that was
/// reached while no daemon ran. It reads the database beside the engine, which it never holds. What cannot be written is told, and tried again at
/// the next moment or start.
struct ReportKeeper: Service {
  struct Settings: Sendable, Hashable {
    var folder: String
    var languages: [ReportLanguage]
    /// So long after a pulje's end its reports are removed; nil keeps them.
    var kept: TimeSpan?
  }

  let settings: Settings
  let maker: ReportMaker
  let state: @Sendable () async -> MigrationState
  let news: EngineNews
  let notifier: any Notifier
  var printer: ReportPrinter?
  var clock: any MigrationClock = SystemMigrationClock()

  /// Between two looks at the engine's state.
  static let pause = TimeSpan.seconds(2)
  /// A clock that is set is noticed after so long.
  static let longestSleep = TimeSpan.hours(1)

  func run() async throws {
    await cancelWhenGracefulShutdown { await self.keepUntilCancelled() }
  }

  private func keepUntilCancelled() async {
    var seen: Int64 = 0
    // Moments whose report could not be written, until another one comes.
    var failed: Set<String> = []
    var isFirst = true
    while !Task.isCancelled {
      if !isFirst { await self.waitForNews(after: seen) }
      isFirst = false
      seen = self.news.sequence
      let now = self.clock.now
      for pulje in await self.state().ordered {
        guard let moment = ReportMoment(pulje, now: now), !Task.isCancelled else { continue }
        let key = "\(pulje.name)/\(moment.stem)"
        if failed.contains(key) { continue }
        if let kept = self.settings.kept, moment.isEnd, moment.at + kept <= now {
          if !(await self.remove(of: pulje.name)) { failed.insert(key) }
          continue
        }
        if await self.isWritten(moment, of: pulje.name) { continue }
        failed.removeAll()
        if !(await self.write(moment, of: pulje.name)) { failed.insert(key) }
      }
      guard (try? await self.clock.sleep(until: self.clock.now + Self.pause)) != nil else { return }
    }
  }

  /// Until something has happened, or time alone has brought a pulje to its decision.
  private func waitForNews(after seen: Int64) async {
    let now = self.clock.now
    let due = await self.state().ordered.compactMap { ReportMoment.due($0, now: now) }.min()
    let span = due.map { max(Self.pause, min($0.since(now), Self.longestSleep)) } ?? Self.longestSleep
    await self.news.wait(after: seen, within: span, clock: self.clock)
  }

  func folder(of pulje: PuljeName) -> String { self.settings.folder + "/" + Self.folderName(of: pulje) }

  /// Where the reports of a pulje lie. A name that begins with a dot is no folder to hide in, or to climb out by.
  static func folderName(of pulje: PuljeName) -> String { pulje.text.hasPrefix(".") ? "_" + pulje.text : pulje.text }

  /// The JSON is written last: where it lies, all was written.
  private func isWritten(_ moment: ReportMoment, of pulje: PuljeName) async -> Bool {
    let path = "\(self.folder(of: pulje))/\(moment.stem).json"
    return (try? await ReportFile.offThePool { FileManager.default.fileExists(atPath: path) }) ?? false
  }

  /// - Returns: whether the report is there now, or was left to the next start since the daemon stops.
  func write(_ moment: ReportMoment, of pulje: PuljeName) async -> Bool {
    let base = "\(self.folder(of: pulje))/\(moment.stem)"
    do {
      let document = try await self.maker.make(pulje, now: self.clock.now)
      try await ReportFile.makeFolder(self.folder(of: pulje))
      var files: [String] = []
      for language in self.settings.languages {
        let page = "\(base).\(language.rawValue).html"
        try await ReportFile.write(Data(document.html(language).utf8), to: page)
        files.append(page)
        files += try await self.print(page, to: "\(base).\(language.rawValue).pdf")
      }
      try await ReportFile.write(document.json, to: "\(base).json")
      files.append("\(base).json")
      self.tell(
        .information, "report.written",
        "the report of pulje \(pulje) (\(moment.kind.rawValue)) is written: \(files.joined(separator: ", "))")
      return true
    } catch {
      // Whatever a stop made fail is no failure: the next start writes it.
      if Task.isCancelled { return true }
      let words = (error as? ReportError)?.description ?? String("\(error)".prefix(300))
      self.tell(
        .warning, "report.not-written", code: (error as? ReportError)?.stableCode,
        "the report of pulje \(pulje) (\(moment.kind.rawValue)) could not be written; it is tried again at the next start: \(words)"
      )
      return false
    }
  }

  /// Removes what was written of a pulje; whatever else a person put there stays.
  ///
  /// - Returns: whether nothing of it is left.
  func remove(of pulje: PuljeName) async -> Bool {
    let folder = self.folder(of: pulje)
    do {
      let removed = try await ReportFile.offThePool { () throws -> [String] in
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        let ours = try ReportShelf.files(in: folder)
        for name in ours { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
        return ours
      }
      if !removed.isEmpty {
        self.tell(
          .information, "report.forgotten",
          "the reports of pulje \(pulje) are removed (retention.reports): \(removed.joined(separator: ", "))")
      }
      return true
    } catch {
      self.tell(
        .warning, "report.not-forgotten", "reports in \(folder) could not be removed (retention.reports); remove them by hand")
      return false
    }
  }

  /// A page without its PDF is a report all the same; one of which the printing was cut off by a stop is not done yet.
  func print(_ page: String, to path: String) async throws -> [String] {
    guard let printer = self.printer else { return [] }
    do {
      try await ReportFile.write(try await printer.print(page: page), to: path)
      return [path]
    } catch let error as ReportError {
      self.tell(.warning, "report.not-printed", code: error.stableCode, error.description)
      return []
    }
  }

  private func tell(_ weight: Notice.Weight, _ kind: String, code: String? = nil, _ words: String) {
    self.notifier.notify(Notice(at: self.clock.now, weight: weight, kind: kind, code: code, words: words))
  }
}
