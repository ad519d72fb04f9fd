// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TjenestebussClient

/// What is wrong with a party's way on the bus, and whose it is to mend.
@main
struct BusPinger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bus-pinger",
    abstract: "Checks one HER-ID: register, bus, queue, and the system behind it.",
    discussion: """
      Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or wrongly configured, 64 wrong usage; with --exit step the code of the \
      first step that failed. It never receives from a party's queue; its own message dies within a minute.
      """,
    version: TjenestebussVersion.current, subcommands: [CheckCommand.self, ExplainCommand.self],
    defaultSubcommand: CheckCommand.self)

  static func main() async {
    guard Array(CommandLine.arguments.dropFirst()) == ["--generate-completion-script", "bash"] else {
      return await Self.main(nil)
    }
    try? StandardOutput().write(ShellCompletion.bashScript)
  }
}
