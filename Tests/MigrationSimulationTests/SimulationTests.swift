// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import MigrationSimulation

/// Histories of the whole core, by seed. `simulator --seed N --log` tells one of them event by event.
@Suite("Simulated histories")
struct SimulationTests {
  /// 2,000 seeds in CI would take four minutes unoptimised; there are as many here as a minute of tests allows, and the rest by command.
  static let blocks = 8
  static let seedsPerBlock =
    ProcessInfo.processInfo.environment["TJENESTEBUSS_SEEDS"].flatMap { Int($0) }.map { $0 / blocks } ?? 10

  @Test("no invariant breaks, and no message is lost, doubled, made up or brought to a stranger", arguments: 0..<blocks)
  func seeds(block: Int) async throws {
    var tally = SimulationTally(next: 0)
    for seed in 0..<Self.seedsPerBlock {
      // So that tests with deadlines get their turn in between.
      await Task.yield()
      let number = UInt64(block * Self.seedsPerBlock + seed)
      let outcome = try #require(Simulation(seed: number)).run()
      #expect(outcome.breaches.isEmpty, "seed \(number): \(outcome.breaches)")
      tally.add(outcome)
    }
    #expect(tally.ledger.sent > 1_000 && tally.ledger.delivered > tally.ledger.sent * 9 / 10)
    #expect(tally.coverage.phases.count > 10, "\(tally.words)")
  }

  @Test("one seed is one history")
  func deterministic() throws {
    var settings = SimulationSettings()
    settings.keepsLog = true
    let first = try #require(Simulation(seed: 77, settings: settings)).run()
    let second = try #require(Simulation(seed: 77, settings: settings)).run()
    #expect(first.log == second.log)
    #expect(first.log.count > 100)
    #expect(first.ledger == second.ledger)
  }

  @Test("results of runs add up and go on where they ended")
  func chunks() throws {
    let path = NSTemporaryDirectory() + "simulation-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try SimulationTally.read(from: path) == nil)
    var calm = SimulationSettings.calm()
    calm.days = 2
    var tally = SimulationTally(next: 5)
    tally.add(try #require(Simulation(seed: 5, settings: calm)).run())
    try tally.write(to: path)
    var again = try #require(try SimulationTally.read(from: path))
    #expect(again.next == 6 && again.seeds == 1)
    again.add(try #require(Simulation(seed: 6, settings: calm)).run())
    #expect(again.seeds == 2 && again.ledger.sent > tally.ledger.sent)
  }
}
