// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Computing
import Testing

@testable import MigrationSimulation

/// Histories of the whole core, by seed. `simulator --seed N --log` tells one of them event by event.
@Suite("Simulated histories", .serialized, .computing)
struct SimulationTests {
  /// `make test` plays 2,000 seeds with the optimised simulator (`scripts/simulate`); these few are for who runs the tests alone.
  static let blocks = 8
  static let seedsPerBlock =
    ProcessInfo.processInfo.environment["TJENESTEBUSS_SEEDS"].flatMap { Int($0) }.map { $0 / blocks } ?? 2

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
    #expect(tally.ledger.sent > 500 * Self.seedsPerBlock && tally.ledger.delivered > tally.ledger.sent * 3 / 4)
    #expect(tally.coverage.phases.count > 10, "\(tally.words)")
  }

  @Test("ghosts and aliens can arise in this world, and are counted")
  func ghostsAndAliens() throws {
    var settings = SimulationSettings()
    settings.sabotage = .wrongAddress
    #expect(try #require(Simulation(seed: 0, settings: settings)).run().ledger.aliens > 0)
    settings.sabotage = .pingAsMessage
    #expect(try #require(Simulation(seed: 0, settings: settings)).run().ledger.ghosts > 0)
  }

  @Test("what was not reached is told by name")
  func shortfall() throws {
    var tally = SimulationTally(next: 0)
    tally.add(try #require(Simulation(seed: 1, settings: .calm())).run())
    #expect(tally.coverage.missing.contains("state CONFLICT"))
    #expect(tally.coverage.missing.contains("guard MIG-233"))
    #expect(tally.coverage.missing.contains("situation cut-in-spring-night"))
    #expect(!tally.coverage.missing.contains("state ACCEPTED"))
  }

  @Test("the two nights in which clocks change: what the calendar of the core says is what a second reckoning says")
  func seasons() throws {
    for seed in 0..<UInt64(12) {
      let season = Season(seed: seed)
      guard let calendar = season.calendar else { continue }
      for quarter in 0..<Int64(21 * 96) {
        let instant = Instant(milliseconds: season.start + quarter * 15 * Stage.minute)
        let isOpen = calendar.standing(at: instant).isOpen
        // In the hour that comes twice the second reckoning is the more lenient of the two.
        let isTwice = abs(instant.milliseconds - Season.back) <= Stage.hour
        #expect(season.allows(instant) == isOpen || isTwice && season.allows(instant), "\(seed) \(instant)")
      }
    }
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
