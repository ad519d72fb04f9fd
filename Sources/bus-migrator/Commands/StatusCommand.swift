// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show where every pulje, group and party stands, and what is waited for.",
    discussion: "Without a daemon the database is read instead, and the exit code is 4.")

  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var unreachable: CommandLineError?
    var status: ControlAPI.Status
    do { status = try await ControlClient(socket: try self.place.socketPath()).status() } catch let error as CommandLineError {
      guard case .daemonNotReachable = error, let path = try? self.place.databasePath() else { throw error }
      unreachable = error
      let history: LoadedHistory
      // Without a database there is nothing to show; then the daemon's absence is the answer.
      do { history = try await SQLiteEventReader.open(path: path).load() } catch StoreError.absent { throw error }
      status = history.state.status(now: SystemMigrationClock().now, head: history.head, daemon: nil)
    }
    if let name = try self.pulje.name() { status.puljer.removeAll { $0.name != name } }
    if self.output.json { try Console.say(json: status) } else { Console.say(StatusText.text(status)) }
    if let unreachable { throw unreachable }
  }
}
