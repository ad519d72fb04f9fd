// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct ConfigCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read the configuration as the daemon does, secrets and files it names included. Reaches for no server.",
    discussion:
      "What is wrong is told with file, line and remedy; the exit code is 2 then. systemctl reload takes up a file that passes.")

  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let configuration = try self.place.configuration()
    let missing = ConfigurationFiles.missing(configuration)
    let answer = ConfigCheckAnswer(
      file: self.place.source.file, environment: configuration.environment.text,
      buses: configuration.buses.map { "\($0.endpoint.name)" }, missing: missing)
    if self.output.json { try Console.say(json: answer) } else { Console.say(answer.text) }
    guard missing.isEmpty else { throw ExitCode(Exit.usage) }
  }
}

/// Files that a configuration names and that the daemon would miss.
enum ConfigurationFiles {
  /// Each with what it is for; folders of files that the daemon makes itself must be there.
  static func missing(_ configuration: MigratorConfiguration) -> [String] {
    var named: [(what: String, path: String)] = []
    for bus in configuration.buses {
      for path in bus.endpoint.authorities { named.append(("authorities of bus \(bus.endpoint.name)", path)) }
    }
    if let path = configuration.register.extraRootsFile { named.append(("register.extra-roots-file", path)) }
    for (name, program) in configuration.hooks.sorted(by: { $0.key < $1.key }) {
      named.append(("hook \(name)", program.executable))
    }
    for webhook in configuration.tell.webhooks {
      for path in webhook.authorities { named.append(("authorities of webhook \(webhook.name)", path)) }
    }
    for mail in configuration.tell.mails {
      for path in mail.relay.authorities { named.append(("authorities of mail \(mail.name)", path)) }
    }
    for program in configuration.tell.programs { named.append(("program \(program.name)", program.program.executable)) }
    let folder: (String) -> String = { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    named.append(("the database's folder", folder(configuration.database)))
    named.append(("the folder of audit-heads", folder(configuration.heads.file)))
    if let cache = configuration.register.cache { named.append(("the folder of register.cache", folder(cache))) }
    // The folder of reports is made, and so is that where pings are counted; what they stand in is not.
    if let reports = configuration.reports, folder(reports.folder) != folder(configuration.database),
      reports.folder != folder(configuration.database)
    {
      named.append(("what the folder of reports stands in", folder(reports.folder)))
    }
    named.append(("the folder of socket", folder(configuration.socket)))
    if let socket = configuration.echoSocket { named.append(("the folder of echo-socket", folder(socket))) }
    if let state = configuration.pingStateFolder { named.append(("what ping.state-folder stands in", folder(state))) }
    return named.compactMap { what, path in FileManager.default.fileExists(atPath: path) ? nil : "\(what): \(path) is not there" }
  }
}

/// What `config check --json` says when the file can be read; what cannot is an error, exit code 2.
struct ConfigCheckAnswer: Codable {
  var schema = "bus-migrator/config-check/1"
  var file: String
  var environment: String
  var buses: [String]
  /// Files it names that are not there.
  var missing: [String]

  var text: String {
    let head =
      "\(self.file): \(self.missing.isEmpty ? "right" : "read, but \(self.missing.count) of the files it names are missing")"
    return
      ([head, "environment \(self.environment)", "buses \(self.buses.joined(separator: ", "))"] + self.missing)
      .joined(separator: "\n")
  }
}
