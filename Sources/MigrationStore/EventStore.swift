// SPDX-License-Identifier: Apache-2.0

import Migration

/// Where the history is kept. The engine knows no more of it than this.
public protocol EventStore: Sendable {
  /// The state that the history folds to, and where it ends. Every row that is read is checked on the way.
  ///
  /// - Throws: ``StoreError``; a damaged, newer or unknown history stops, it is never skipped (I-16).
  func load() async throws -> LoadedHistory

  /// Makes `events` durable, all of them or none. When it returns they outlive a power cut.
  ///
  /// - Throws: ``StoreError``. After an error nothing may be carried out on the strength of these events; whether they were
  ///   kept is known at the next ``load()`` only.
  func append(_ events: [MigrationEvent], at now: Instant, actor: String) async throws -> ChainHead

  /// Keeps what the history up to `head` folds to, so that the next ``load()`` need not begin at the first event. A cache: nothing
  /// is lost with it, and appending goes on meanwhile.
  ///
  /// - Parameter head: of events that are durable.
  /// Cancelled it ends soon, however large the state is.
  ///
  /// - Throws: ``StoreError`` `checkpointNotWritten`, or `CancellationError`; then the one before is still there.
  func keepCheckpoint(_ state: MigrationState, at head: ChainHead) async throws

  /// Lets go. Idempotent.
  func close() async
}

extension EventStore {
  /// Keeps none.
  public func keepCheckpoint(_ state: MigrationState, at head: ChainHead) async throws {}
}

public struct LoadedHistory: Sendable {
  /// What a checkpoint had to do with it.
  public enum CheckpointUse: Sendable, Hashable {
    /// There was none.
    case none
    /// The fold began after this event.
    case used(upTo: Int64)
    /// There was one that was not believed, and why; the fold began at the first event.
    case ignored(String)
  }

  public var state: MigrationState
  public var head: ChainHead
  public var checkpoint: CheckpointUse

  public init(state: MigrationState, head: ChainHead, checkpoint: CheckpointUse = .none) {
    self.state = state
    self.head = head
    self.checkpoint = checkpoint
  }
}
