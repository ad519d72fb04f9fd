// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MigrationStore

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "The audit trail.", subcommands: [AuditVerifyCommand.self])
}

struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that the history is whole: every row, its place in the chain, and that it makes sense.")

  @Option(name: .customLong("expect-head"), help: "A chain head that was kept outside, such as an old report's.")
  var expected: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let audit = try await SQLiteEventReader.open(path: try self.place.databasePath()).verify(expecting: self.expected)
    if self.output.json { return try Console.say(json: audit) }
    Console.say("the history is whole: \(audit.events) events, head \(audit.head.hash)")
    if let first = audit.first, let last = audit.last { Console.say("from \(first) to \(last), opened \(audit.openings) times") }
  }
}
