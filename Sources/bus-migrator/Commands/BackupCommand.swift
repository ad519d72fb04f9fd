// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the history, beside the running daemon, and prove the copy.",
    discussion: """
      Makes a folder named after the time, with the history, the forwarder's journal and the chain heads, and audits the copy from its first \
      event. A folder with a backup.json in it is whole. Keep copies on another machine, and restore one there now and then.
      """)

  @Option(help: "The folder that back-ups are kept in; made when it is not there.") var to: String
  @Option(help: "So many of the newest are kept, older ones are removed; by default all are kept.") var keep: Int?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func validate() throws {
    if let keep, keep < 1 { throw ValidationError("--keep must be 1 or more.") }
  }

  func run() async throws {
    let (path, backup) = try await HistoryBackup.make(
      of: try self.place.databasePath(), in: self.to, heads: try self.place.headsPath(), keep: self.keep,
      at: SystemMigrationClock().now)
    let environment = try self.place.environment()
    if self.output.json { return try Console.say(json: BackupAnswer(folder: path, backup: backup), of: environment) }
    Console.say("\(path): \(backup.head.sequence) events, whole; head \(backup.head.hash)", of: environment)
  }
}

/// What `backup --json` says.
struct BackupAnswer: Codable {
  var schema = "bus-migrator/backup-made/1"
  var folder: String
  var backup: HistoryBackup
}
