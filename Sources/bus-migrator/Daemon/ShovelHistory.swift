// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationEngine

/// What the history knows of shovels: an intent before each is declared, and nothing is gone before the bus has shown it.
protocol ShovelHistory: Sendable {
  /// Those that ought to be gone, once the history is recovered.
  func left() async -> [MigrationState.RecordedShovel]

  /// Makes the intent durable.
  ///
  /// - Throws: ``Refusal`` when it may not be declared now.
  func intend(_ recorded: MigrationState.RecordedShovel) async throws

  func stays(_ recorded: MigrationState.RecordedShovel, code: String, seen: String) async

  func gone(_ recorded: MigrationState.RecordedShovel) async
}

/// The daemon's own.
struct EngineShovelHistory: ShovelHistory {
  let engine: MigrationEngine
  let news: EngineNews

  func left() async -> [MigrationState.RecordedShovel] {
    // The first word of a start: before it nothing is recovered.
    await self.news.wait(after: 0)
    return await self.engine.snapshot().state.shovels.filter { $0.shovel.staying != nil }
  }

  func intend(_ recorded: MigrationState.RecordedShovel) async throws {
    try await self.engine.submit(.group(recorded.pulje, recorded.group, .shovelIntended(recorded.shovel)), actor: "shovels")
  }

  // Refused when it is no news; when the daemon ends, the next start looks for it.
  func stays(_ recorded: MigrationState.RecordedShovel, code: String, seen: String) async {
    _ = try? await self.engine.submit(
      .group(
        recorded.pulje, recorded.group,
        .shovelStays(node: recorded.shovel.node, name: recorded.shovel.name, code: code, seen: seen)), actor: "shovels")
  }

  func gone(_ recorded: MigrationState.RecordedShovel) async {
    _ = try? await self.engine.submit(
      .group(recorded.pulje, recorded.group, .shovelGone(node: recorded.shovel.node, name: recorded.shovel.name)),
      actor: "shovels")
  }
}
