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
    let terminal = Terminal()
    var settings = self.options.settings
    let directory = settings.directory
    settings.directory = directory.appendingPathComponent("reference")
    terminal.say("the unkilled rehearsal, for comparison")
    let reference = try await self.options.hold(settings, terminal: terminal)
    settings.directory = directory
    settings.kills = self.kills
    settings.seed = self.seed
    terminal.say("the rehearsal with \(self.kills) kills of the daemon, seed \(self.seed)")
    let killed = try await self.options.hold(settings, terminal: terminal)
    terminal.show(Verdict.table(killed))
    let differing = zip(reference.records, killed.records).filter { $0.hash != $1.hash }.map { $0.0.herID }
    var faults = reference.faults.map { "unkilled: \($0)" }
    if !reference.balance.isClean { faults.append("the unkilled run's ledger is not clean") }
    if reference.records.count != killed.records.count || !differing.isEmpty {
      faults.append("the register's entries differ: HER-ID \(differing.map(String.init(describing:)).joined(separator: ", "))")
    }
    if killed.kills < self.kills { faults.append("the daemon was killed \(killed.kills) times, not \(self.kills)") }
    for fault in faults { terminal.show("FAULT \(fault)") }
    terminal.show(
      "register entries after \(killed.kills) kills: \(differing.isEmpty ? "the same as without" : "not the same"); "
        + "compared \(killed.records.count) by hash")
    guard killed.isGood, faults.isEmpty else { throw ExitCode.failure }
  }
}
