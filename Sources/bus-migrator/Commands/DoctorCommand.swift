// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MigrationEngine

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look at the whole installation, step by step: what is wrong, what to do, whose it is.",
    discussion: """
      Reads the configuration, the history, the heads and back-ups, asks the daemon, systemd, the register and each bus. Changes nothing, sends no message \
      and takes none. Root, with the credentials of the daemon's unit, sees all of it; what somebody else may not look at is said to be skipped. \
      Exit code 0: nothing is wrong; 1: something is.
      """)

  @Option(help: "Where back-ups are kept.") var backups = "/var/backups/bus-migrator"
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let findings = await Doctor(place: self.place, backups: self.backups, clock: SystemMigrationClock()).findings()
    let answer = DoctorAnswer(file: self.place.source.file, findings: findings)
    let environment = try? self.place.environment()
    if self.output.json { try Console.say(json: answer, of: environment) } else { Console.say(answer.text, of: environment) }
    guard answer.isFine else { throw ExitCode(Exit.failed) }
  }
}
