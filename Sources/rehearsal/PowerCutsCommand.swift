// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// `rehearsal power-cuts`: the same rehearsal twice, the second time on a machine whose power goes again and again.
struct PowerCutsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-cuts",
    abstract: "Holds a rehearsal whose daemon loses its power at seeded points, and compares it with an undisturbed one.",
    discussion: """
      At each cut the daemon's folder is made anew as a disk may keep it: all that was synced, and of the rest a part drawn from \
      the seed, in whole writes, pages or sectors. The undisturbed one writes to the folder `reference` below the directory.
      """)

  @OptionGroup var options: StageOptions

  @Option(help: "How often the power goes.")
  var cuts = 10

  @Option(help: "Draws the points at which it goes, and what is lost.")
  var seed: UInt64 = 1

  @Option(help: "The library that tools/power-cut/build makes.")
  var library: String

  @Flag(help: "A deliberate fault, which must make the rehearsal fail: what is synced is not taken for synced.")
  var swallowSyncs = false

  func run() async throws {
    let recorder = PowerCutRecorder(library: URL(fileURLWithPath: self.library), swallowsSyncs: self.swallowSyncs)
    let comparison = Comparison(
      options: self.options, interruption: Interruption(kind: .powerCut(recorder), count: self.cuts, seed: self.seed),
      noun: "power cuts")
    guard try await comparison.hold() else { throw ExitCode.failure }
  }
}
