// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Migration
import MigrationEngine
import MigrationStore

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a back-up in the place of a history that is lost. The daemon must be stopped.",
    discussion: """
      The back-up is checked and audited first. What is there now is moved aside, never removed. In the restored history the line is stopped: what \
      was done after the back-up is not in it, so nothing is carried out before two people have compared it with the register \
      (bus-migrator registry diff) and released the line (bus-migrator release-the-line). Without --execute nothing is changed.
      """)

  @Argument(help: "One back-up's folder.") var backup: String
  @Flag(help: "Do it; without this the back-up is only checked.") var execute = false
  @Flag(help: "Give up the events of the history that is there and that the back-up does not hold.") var replace = false
  @OptionGroup var person: PersonOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let database = try self.place.databasePath()
    let environment = try self.place.environment()
    guard self.execute else {
      let backup = try await HistoryBackup.check(self.backup, environment: environment)
      let answer = RestoreAnswer(executed: false, database: database, backup: backup, head: backup.head, movedAside: [])
      if self.output.json { return try Console.say(json: answer, of: environment) }
      return Console.say(
        "\(self.backup): whole, \(backup.head.sequence) events, made \(backup.madeAt). Nothing was changed; --execute puts it at \(database)",
        of: environment
      )
    }
    let done = try await HistoryRestore.restore(
      self.backup, to: database, replacing: self.replace, environment: environment, by: self.person.name,
      at: SystemMigrationClock().now)
    let answer = RestoreAnswer(
      executed: true, database: database, backup: done.backup, head: done.head, movedAside: done.movedAside)
    if self.output.json { return try Console.say(json: answer, of: environment) }
    Console.say(
      "\(database): restored, \(done.head.sequence) events; the line is stopped until two people release it",
      of: environment)
    for path in done.movedAside { Console.say("moved aside: \(path)") }
  }
}

/// What `restore --json` says.
struct RestoreAnswer: Codable {
  var schema = "bus-migrator/restore/1"
  var executed: Bool
  var database: String
  var backup: HistoryBackup
  var head: ChainHead
  var movedAside: [String]
}
