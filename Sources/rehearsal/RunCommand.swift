// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation

/// `rehearsal run`: one rehearsal.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Holds one rehearsal.",
    discussion: "Exit code 0 only when nothing was lost, left or received twice, and enough was sent.")

  @OptionGroup var options: StageOptions

  @Option(help: "A deliberate fault, which must make the rehearsal fail: drop-one, duplicate-one or leave-one.")
  var sabotage: Sabotage.Kind?

  func run() async throws {
    let terminal = Terminal()
    var settings = self.options.settings
    settings.sabotage = self.sabotage
    let result = try await self.options.hold(settings, terminal: terminal)
    terminal.show(Verdict.table(result))
    guard result.isGood else { throw ExitCode.failure }
  }
}
