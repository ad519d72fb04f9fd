// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Keeps what is asked of the register and of each bus within what they can take. One for engine and planning together.
public actor CallPace {
  /// A rate that is nil bounds nothing.
  public struct Rates: Sendable, Hashable {
    public var register: TokenBucket.Rate?
    /// For each bus.
    public var bus: TokenBucket.Rate?

    public init(register: TokenBucket.Rate? = nil, bus: TokenBucket.Rate? = nil) {
      self.register = register
      self.bus = bus
    }
  }

  /// A write is read for right before it is sent, sent, and looked for right after it.
  public static let callsPerWrite: Int64 = 3

  private var rates: Rates
  private let clock: any MigrationClock
  private var register: TokenBucket?
  private var buses: [BusName: TokenBucket] = [:]
  /// Those who wait, so that they can be let go.
  private var waits: [Int: Task<Void, any Error>] = [:]
  private var lastWait = 0
  private var isStopped = false

  public init(_ rates: Rates = Rates(), clock: any MigrationClock = SystemMigrationClock()) {
    self.rates = rates
    self.clock = clock
    self.register = rates.register.map { TokenBucket($0) }
  }

  /// Other bounds from now on, as if nothing had been asked yet. Who waits already waits as long as it was told.
  public func adopt(_ rates: Rates) {
    guard rates != self.rates else { return }
    self.rates = rates
    self.register = rates.register.map { TokenBucket($0) }
    self.buses = [:]
  }

  /// Returns when a read of the register may be made.
  ///
  /// - Throws: `CancellationError`.
  public nonisolated func read() async throws { try await self.wait(until: await self.takeRegister(1)) }

  /// Returns when a write to the register may be made.
  ///
  /// - Throws: `CancellationError`.
  public nonisolated func write() async throws { try await self.wait(until: await self.takeRegister(Self.callsPerWrite)) }

  /// Returns when each of `buses` may be asked.
  ///
  /// - Throws: `CancellationError`.
  public nonisolated func ask(_ buses: [BusName]) async throws { try await self.wait(until: await self.takeBuses(buses)) }

  nonisolated func pass(_ call: PortCall) async throws {
    switch call {
    case .read: try await self.read()
    case .preflight(let source, _, let target, _): try await self.ask([source, target])
    case .hook: break
    case .ping(_, let bus, _), .look(_, let bus), .peek(_, let bus): try await self.ask([bus])
    }
  }

  private func wait(until due: Instant?) async throws {
    guard let due, due > self.clock.now else { return }
    guard !self.isStopped else { throw CancellationError() }
    self.lastWait += 1
    let number = self.lastWait
    let wait = Task { [clock] in try await clock.sleep(until: due) }
    self.waits[number] = wait
    defer { self.waits[number] = nil }
    try await withTaskCancellationHandler {
      try await wait.value
    } onCancel: {
      wait.cancel()
    }
  }

  /// An engine begins its work.
  func begin() { self.isStopped = false }

  /// Nobody waits any more, now or later: whoever would have to is told so by `CancellationError`. A turn may be far away, and an
  /// engine that ends does not wait for it.
  func stop() {
    self.isStopped = true
    for wait in self.waits.values { wait.cancel() }
  }

  private func takeRegister(_ cost: Int64) -> Instant? { self.register?.take(cost, at: self.clock.now) }

  private func takeBuses(_ names: [BusName]) -> Instant? {
    guard let rate = self.rates.bus else { return nil }
    let now = self.clock.now
    return names.map { self.buses[$0, default: TokenBucket(rate)].take(at: now) }.max()
  }
}
