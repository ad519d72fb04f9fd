// SPDX-License-Identifier: Apache-2.0

import Migration

/// Where the history is kept. The engine knows no more of it than this.
public protocol EventStore: Sendable {
  /// The state that the history folds to, and where it ends. Every row is checked on the way.
  ///
  /// - Throws: ``StoreError``; a damaged, newer or unknown history stops, it is never skipped (I-16).
  func load() async throws -> LoadedHistory

  /// Makes `events` durable, all of them or none. When it returns they outlive a power cut.
  ///
  /// - Throws: ``StoreError``. After an error nothing may be carried out on the strength of these events; whether they were
  ///   kept is known at the next ``load()`` only.
  func append(_ events: [MigrationEvent], at now: Instant, actor: String) async throws -> ChainHead

  /// Lets go. Idempotent.
  func close() async
}

public struct LoadedHistory: Sendable {
  public var state: MigrationState
  public var head: ChainHead

  public init(state: MigrationState, head: ChainHead) {
    self.state = state
    self.head = head
  }
}
