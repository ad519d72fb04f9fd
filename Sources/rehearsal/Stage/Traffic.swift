// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import TjenestebussClient

/// All simulated systems of the story, at work together.
struct Traffic: Sendable {
  let systems: [SimulatedSystem]
  private let logs: IdentityLogs
  private let story: Story
  private let sabotage: Sabotage

  init(
    story: Story, buses: any RehearsalBuses, register: any AddressRegisterReading, directory: URL, logs: IdentityLogs,
    pace: Duration, sabotage: Sabotage
  ) async throws {
    var systems: [SimulatedSystem] = []
    for system in story.systems {
      let file = directory.appendingPathComponent("addresses-\(system.herIDs[0]).sqlite").path
      systems.append(
        try await SimulatedSystem(
          system, source: buses.source.endpoint, target: buses.target.endpoint, register: register, cacheFile: file,
          addressees: story.addressees, logs: logs, pace: pace, sabotage: sabotage))
    }
    self.systems = systems
    self.logs = logs
    self.story = story
    self.sabotage = sabotage
  }

  /// Receives until the task is cancelled.
  func receive() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for system in self.systems { group.addTask { try await system.run() } }
      try await group.waitForAll()
    }
  }

  /// Waits until every system listens on its queues, so that no ping comes before.
  ///
  /// - Throws: ``RehearsalError/notListening(_:)`` with those that do not after two minutes.
  func waitUntilReceiving() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for system in self.systems { try await system.waitUntilReceiving() }
        return true
      }
      group.addTask {
        try await Task.sleep(for: Self.listeningLimit)
        return false
      }
      let isInTime = try await group.next() ?? false
      group.cancelAll()
      guard !isInTime else { return }
      var missing: [String] = []
      for system in self.systems { missing += try await system.receiversMissing() }
      if !missing.isEmpty { throw RehearsalError.notListening(missing) }
    }
  }

  private static let listeningLimit = Duration.seconds(120)

  /// Sends until ``stop()``; returns when the last outcome is known.
  func send() async {
    await withTaskGroup(of: Void.self) { group in
      for system in self.systems { group.addTask { await system.sendWithoutPause() } }
    }
    if self.sabotage.kind == .leaveOne, let first = self.systems.first {
      await first.send(from: first.system.herIDs[0], to: Story.deaf)
    }
  }

  func stop() { for system in self.systems { system.stopSending() } }

  /// The vendor of the party that was rolled back has mended its system: it listens on the target bus from now on.
  func mend(_ herID: HerID) {
    for system in self.systems where system.system.herIDs.contains(herID) { system.comeUpOnTarget() }
  }
}
