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
  /// The last event of the history: while it stays, nothing has happened.
  public var sequence: Int64 = 0
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

/// Several observers, told in order.
public struct Observers: EngineObserver {
  private let all: [any EngineObserver]
  public init(_ all: [any EngineObserver]) { self.all = all }
  public func turned(_ turn: EngineTurn, state: MigrationState) {
    for observer in self.all { observer.turned(turn, state: state) }
  }
}
