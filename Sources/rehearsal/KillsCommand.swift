// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// `rehearsal kills`: the same rehearsal twice, the second time with a daemon that is killed again and again.
struct KillsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kills",
    abstract: "Holds a rehearsal whose daemon is killed at seeded points, and compares it with an unkilled one.",
    discussion: "The unkilled one writes to the folder `reference` below the directory.")

  @OptionGroup var options: StageOptions

  @Option(help: "How often the daemon is killed.")
  var kills = 20

  @Option(help: "Draws the points at which it is killed.")
  var seed: UInt64 = 1

  func run() async throws {
    let comparison = Comparison(
      options: self.options, interruption: Interruption(kind: .kill, count: self.kills, seed: self.seed), noun: "kills")
    guard try await comparison.hold() else { throw ExitCode.failure }
  }
}
