// SPDX-License-Identifier: Apache-2.0

import Migration

/// How the engine stands after a turn of its loop.
public struct EngineTurn: Sendable, Hashable {
  public var now: Instant
  /// Groups for which something is being carried out.
  public var busy: Int
  /// When the engine looks again by itself; nil when only a command can move it.
  public var nextWake: Instant?
  public var isStopping: Bool
}

/// Sees each turn of the engine's loop: feeds a watchdog, drives a test's clock. Called by the loop itself, so that a stuck
/// loop is noticed.
public protocol EngineObserver: Sendable {
  func turned(_ turn: EngineTurn, state: MigrationState)
}

public struct NoObserver: EngineObserver {
  public init() {}
  public func turned(_ turn: EngineTurn, state: MigrationState) {}
}
