// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import BusModel
import Foundation

/// The form of a file of parties.
enum PartyFileForm: String, CaseIterable, ExpressibleByArgument {
  case json, csv

  /// By the ending of its name, when nobody says.
  static func of(_ path: String, _ stated: PartyFileForm?) -> PartyFileForm {
    stated ?? (path.lowercased().hasSuffix(".csv") ? .csv : .json)
  }
}

struct RegistryExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the cache's parties to a file, as JSON or CSV.")

  @Argument(help: "The file; - for standard output. Whole or not at all: written beside and moved into place.") var file: String
  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption
  @Option(help: "json or csv; by default the file's ending says, and json otherwise.") var form: PartyFileForm?

  func run() async throws {
    let configuration = try self.registry.configuration()
    let records = try await RegistryPlace.withCache(configuration, .readOnly) { try await $0.parties().map(\.record) }
    let data =
      switch PartyFileForm.of(self.file, self.form) {
      case .json: try PartyFile.data(of: records)
      case .csv: PartyTable.data(of: records)
      }
    guard self.file != "-" else { return FileHandle.standardOutput.write(data) }
    do { try data.write(to: URL(fileURLWithPath: self.file), options: .atomic) } catch {
      throw CommandLineError.fileUnwritable(path: self.file, seen: FileTrouble.words(error))
    }
    if self.output.json {
      try Console.say(json: ExportAnswer(file: self.file, parties: records.count), of: configuration.environment.text)
    } else {
      Console.say("\(records.count) parties written to \(self.file)", of: configuration.environment.text)
    }
  }
}

/// What `registry export --json` says.
struct ExportAnswer: Codable {
  var schema = "bus-migrator/registry-export/1"
  var file: String
  var parties: Int
}
