// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel

struct RegistryImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take a file of parties (JSON or CSV) into the cache: all of it, or nothing.",
    discussion: "Without --execute the cache is left as it is, and it is told what would become of it.")

  @Argument(help: "The file.") var file: String
  @OptionGroup var execution: ExecuteOption
  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(help: "json or csv; by default the file's ending says, and json otherwise.") var form: PartyFileForm?
  @Flag(help: "Replace rows that were read from the register itself. By default they stand.") var overRegister = false

  func run() async throws {
    let configuration = try self.registry.configuration()
    let records =
      switch PartyFileForm.of(self.file, self.form) {
      case .json: try PartyFile.read(path: self.file)
      case .csv: try PartyTable.read(path: self.file)
      }
    let now = SystemRegistryClock().now
    let summary = try await RegistryPlace.withCache(configuration, isDone: self.execution.isDone) {
      try await $0.importParties(records, readAt: now, now: now, overRegister: self.overRegister)
    }
    if self.output.json {
      return try Console.say(json: ImportAnswer(summary, executed: self.execution.isDone), of: configuration.environment.text)
    }
    Console.say(
      "\(records.count) parties: \(summary.added.count) new, \(summary.changed.count) changed, \(summary.confirmed.count) as they were"
        + (summary.keptFromRegister.isEmpty ? "" : ", \(summary.keptFromRegister.count) left as the register said them")
        + (summary.keptNewer.isEmpty ? "" : ", \(summary.keptNewer.count) with a later reading"),
      of: configuration.environment.text)
    if !self.execution.isDone { Console.say(PreviewText.ending) }
  }
}

/// What `registry import --json` says.
struct ImportAnswer: Codable {
  var schema = "bus-migrator/registry-import/1"
  /// False: it was only said what would become of the cache.
  var executed: Bool
  var added: [HerID]
  var changed: [HerID]
  var confirmed: [HerID]
  var keptFromRegister: [HerID]
  var keptNewer: [HerID]

  init(_ summary: ImportSummary, executed: Bool) {
    self.executed = executed
    self.added = summary.added
    self.changed = summary.changed
    self.confirmed = summary.confirmed
    self.keptFromRegister = summary.keptFromRegister
    self.keptNewer = summary.keptNewer
  }
}
