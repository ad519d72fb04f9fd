// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The main job, end to end: a pulje moves from one bus to another while simulated systems exchange messages.
@main
struct Rehearsal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearsal", abstract: "Rehearses the migration of a pulje of twelve HER-IDs, and accounts for every message.",
    subcommands: [
      RunCommand.self, PracticeCommand.self, KillsCommand.self, PowerCutsCommand.self, ForwardKillsCommand.self,
      CarryCommand.self, HistoryCommand.self, BoardHistoryCommand.self,
    ])
}
