// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ConfigShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what holds, without secrets and comments: file, environment and command line together.",
    discussion: "With --all every value, also those that hold because nothing else is said, and where each comes from.")

  @Flag(help: "Every value with where it comes from, also what holds by itself.") var all = false
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    // Checked first: what a wrong file means is not to be guessed by whoever reads it.
    let environment = try self.place.configuration().environment.text
    let root = try self.place.source.root()
    let values = ConfigurationValue.all(in: root)
    if self.output.json {
      let shown = self.all ? values : values.filter { $0.origin != .usual }
      return try Console.say(json: ConfigShowAnswer(file: root.file, values: shown), of: environment)
    }
    guard self.all else { return Console.say(try RedactedConfiguration.text(of: root)) }
    Console.say(values.map(\.line).joined(separator: "\n"))
  }
}

/// What `config show --json` says.
struct ConfigShowAnswer: Encodable {
  var schema = "bus-migrator/config-show/1"
  var file: String
  var values: [ConfigurationValue]
}
