// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser

struct RegistryVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check the cache file: SQLite's own check, every row's seal, and that no row is missing or an earlier one.")

  @OptionGroup var registry: RegistryPlace
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.registry.configuration()
    let (count, environment) = try await RegistryPlace.withCache(configuration, .readOnly) {
      (try await $0.verify(), $0.environment)
    }
    if self.output.json { return try Console.say(json: VerifyAnswer(parties: count, environment: environment)) }
    Console.say("whole: \(count) parties", of: environment)
  }
}

/// What `registry verify --json` says; a damaged file is an error and exit code 5.
struct VerifyAnswer: Codable {
  var schema = "bus-migrator/registry-verify/1"
  var parties: Int
  var environment: String?
}
