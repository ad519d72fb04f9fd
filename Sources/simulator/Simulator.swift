// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Migration
import MigrationSimulation

/// Plays histories of the migration core: one seed, one history.
@main
struct Simulator: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulator",
    abstract: "Plays the migration core against simulated buses, register, senders, receivers, operators, clock and disk.",
    discussion: """
      One seed is one history, the same on every machine. Without --chunk one seed is played, or as many as --count says. With \
      --chunk FILE the result is added to the file and the next run goes on where it ended. Exit codes: 0 no invariant broken, \
      1 broken, 2 wrong command line, 3 with --everything: something was not reached.
      """)

  @Option(help: "The seed, or the first of them.") var seed: UInt64 = 1
  @Option(help: "How many seeds.") var count: UInt64 = 1
  @Option(help: "A file in which results add up; it says where to go on.") var chunk: String?
  @Option(help: "A deliberate bug: \(Sabotage.allCases.map(\.rawValue).joined(separator: ", ")).") var sabotage: String?
  @Flag(help: "Fail when a state, guard, hold, wait, kind of fault or situation was not reached.") var everything = false
  @Flag(help: "Tell the history event by event.") var log = false
  @Flag(help: "Instead of seeds: one fault of each kind at every point of a calm history; --count pairs of faults after that.")
  var faults = false

  func run() throws {
    if self.faults { return try self.playFaults() }
    var settings = SimulationSettings()
    settings.keepsLog = self.log
    if let sabotage {
      guard let known = Sabotage(rawValue: sabotage) else { throw ValidationError("--sabotage \(sabotage) is not known") }
      settings.sabotage = known
    }
    var tally = try self.chunk.flatMap { try SimulationTally.read(from: $0) } ?? SimulationTally(next: self.seed)
    let first = tally.next
    let clock = ContinuousClock()
    let began = clock.now
    for seed in first..<(first + self.count) {
      guard let outcome = Simulation(seed: seed, settings: settings)?.run() else { throw ExitCode(2) }
      tally.add(outcome)
      for line in outcome.log { print(line) }
      for breach in outcome.breaches { print("seed \(seed): \(breach)") }
    }
    let span = clock.now - began
    if let chunk { try tally.write(to: chunk) }
    print(tally.words)
    let milliseconds = Double(span.components.seconds) * 1_000 + Double(span.components.attoseconds) / 1e15
    print("this run: \(self.count) seeds, \(String(format: "%.1f", milliseconds / Double(self.count))) ms each")
    if tally.brokenSeeds > 0 { throw ExitCode(1) }
    if self.everything, !tally.coverage.missing.isEmpty {
      print("not everything was reached: \(tally.coverage.missing.joined(separator: ", "))")
      throw ExitCode(3)
    }
  }

  /// Every single fault, then `count` pairs from the seed on.
  private func playFaults() throws {
    guard let runs = FaultRuns() else { throw ExitCode(2) }
    let clock = ContinuousClock()
    let began = clock.now
    var failures = 0
    func tell(_ name: String, _ failure: String?) {
      guard let failure else { return }
      failures += 1
      print("\(name): \(failure)")
    }
    for point in 1...runs.points {
      for kind in FaultKind.allCases { tell("\(kind.rawValue) at \(point)", runs.play([point: kind])) }
    }
    for seed in self.seed..<(self.seed + self.count) {
      let strikes = runs.pair(seed: seed)
      tell("pair \(seed)", runs.play(strikes))
    }
    print(
      "points \(runs.points), single faults \(runs.points * FaultKind.allCases.count), pairs \(self.count), failed \(failures), \(clock.now - began)"
    )
    if failures > 0 { throw ExitCode(1) }
  }
}
