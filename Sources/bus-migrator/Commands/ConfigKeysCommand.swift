// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ConfigKeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "List every key of the configuration: what it means, its unit, what holds without it, its environment variable.",
    discussion: "With a key, or the beginning of one, only what stands below it: config keys register.writer")

  @Argument(help: "A key: ping, buses, register.writer.") var key: String?
  @Flag(help: "As docs/configuration.md has them.") var markdown = false
  @OptionGroup var output: JSONOption

  func run() async throws {
    let all = ConfigurationKeyEntry.all()
    let entries = all.filter { entry in self.key.map { entry.key == $0 || entry.key.hasPrefix($0 + ".") } ?? true }
    guard !entries.isEmpty else {
      throw CommandLineError.settingUnknown(
        place: "the command line", name: self.key.map { String($0.prefix(80)) } ?? "", known: all.map(\.key), isSecret: false)
    }
    if self.output.json { return try Console.say(json: ConfigKeysAnswer(keys: entries)) }
    Console.say(self.markdown ? ConfigurationKeyEntry.markdown(entries) : entries.map(\.text).joined(separator: "\n\n"))
  }
}

/// What `config keys --json` says.
struct ConfigKeysAnswer: Encodable {
  var schema = "bus-migrator/config-keys/1"
  var keys: [ConfigurationKeyEntry]
}
