// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Sum up a pulje in Markdown or JSON: what was done, what was shown, what is recommended.")

  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let report: PuljeReport
    do { report = try await ControlClient(socket: try self.place.socketPath()).report(try self.pulje.name()) } catch let error
      as CommandLineError
    {
      guard error.isOfNoDaemon, let path = try? self.place.databasePath() else { throw error }
      report = try await self.read(path)
    }
    if self.output.json { try Console.say(json: report) } else { Console.say(report.markdown) }
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
}
