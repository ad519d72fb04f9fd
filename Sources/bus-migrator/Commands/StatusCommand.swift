// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show where every pulje, group and party stands, and what is waited for.",
    discussion: "Without a daemon the database is read instead, and the exit code is 4.")

  @Flag(help: "Follow it, as watch does.") var watch = false
  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let pulje = try self.pulje.name()
    if self.watch { return try await Watch(pulje: pulje, place: self.place, json: self.output.json).run() }
    do {
      let daemon = try await DaemonReached.at(self.place)
      if self.output.json {
        try Console.say(json: try await daemon.client.status(of: pulje), of: daemon.environment)
      } else {
        Console.say(try await daemon.client.statusText(of: pulje), of: daemon.environment)
      }
    } catch let unreachable as CommandLineError {
      guard unreachable.isOfNoDaemon, let path = try? self.place.databasePath() else { throw unreachable }
      let history: LoadedHistory
      // Without a database there is nothing to show; then the daemon's absence is the answer.
      do { history = try await SQLiteEventReader.open(path: path).load() } catch StoreError.absent { throw unreachable }
      let status = MigrationStatus(
        history.state, head: history.head, now: SystemMigrationClock().now, daemon: nil, pulje: pulje)
      let environment = try self.place.environment()
      if self.output.json {
        try Console.say(json: status, of: environment)
      } else {
        Console.say(StatusText.text(status), of: environment)
      }
      throw unreachable
    }
  }
}
