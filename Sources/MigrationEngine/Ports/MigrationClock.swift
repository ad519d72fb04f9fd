// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

/// Where the engine has the time from, and its timers.
public protocol MigrationClock: Sendable {
  /// By the wall clock.
  var now: Instant { get }
  /// Returns at `deadline`, or throws `CancellationError` when cancelled before.
  func sleep(until deadline: Instant) async throws
}

/// The machine's clock.
public struct SystemMigrationClock: MigrationClock {
  public init() {}

  public var now: Instant { Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down))) }

  public func sleep(until deadline: Instant) async throws {
    let span = deadline.since(self.now)
    if span.milliseconds > 0 { try await Task.sleep(for: .milliseconds(span.milliseconds)) }
  }
}

/// Where the engine has its chance from: it spreads retries of many groups.
public protocol JitterSource: Sendable {
  /// From 0 up to, not including, 1.
  func fraction() -> Double
}

public struct SystemJitter: JitterSource {
  public init() {}
  public func fraction() -> Double { Double.random(in: 0..<1) }
}
