// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Synchronization
import Testing

@testable import MigrationEngine

@Suite("What is asked of register and buses keeps to their rates")
struct CallPaceTests {
  /// A clock that is where it is waited for.
  private final class Steps: MigrationClock {
    private let instant = Mutex(Instant(milliseconds: 1_770_000_000_000))
    var now: Instant { self.instant.withLock { $0 } }
    func sleep(until deadline: Instant) async throws { self.instant.withLock { $0 = max($0, deadline) } }
  }

  private func rates(register: String? = nil, bus: String? = nil) throws -> CallPace.Rates {
    CallPace.Rates(
      register: try register.map { try #require(TokenBucket.Rate(text: $0)) },
      bus: try bus.map { try #require(TokenBucket.Rate(text: $0)) })
  }

  @Test("without a rate nobody waits; with one a read costs one call and a write three; buses have one bucket each")
  func costs() async throws {
    let free = Steps()
    let none = CallPace(clock: free)
    let start = free.now
    for _ in 0..<1_000 { try await none.read() }
    #expect(free.now == start)

    let clock = Steps()
    let pace = CallPace(try self.rates(register: "1/s", bus: "1/s"), clock: clock)
    try await pace.write()
    try await pace.read()
    #expect(clock.now == start + .seconds(3))
    try await pace.ask(["a"])
    try await pace.ask(["b"])
    #expect(clock.now == start + .seconds(3))
    try await pace.ask(["a", "b"])
    #expect(clock.now == start + .seconds(4))
  }

  @Test("the engine asks nothing without the pace: plan and pulje take as long as their calls")
  func engine() async throws {
    let scene = try Scene()
    let clock = Steps()
    let start = clock.now
    let pace = CallPace(try self.rates(register: "1/s"), clock: clock)
    let plan = try await PlanMaker(register: scene.world, buses: [Scene.source, Scene.target], pace: pace).plan(
      try scene.request(), open: [:])
    // Five parties, each read once.
    #expect(clock.now == start + .seconds(4))
    let name = scene.name
    try await scene.run(orders: [.begin(plan, planHash: nil, approvals: ["Kari", "Ola"])], pace: pace) {
      $0.puljer[name]?.groups.allSatisfy { $0.phase == .observing } ?? false
    }
    let reads = scene.world.points.count { $0 == CrashPoint(moment: .before, deed: .read) }
    let calls = 5 + reads + 3 * scene.world.writes.count
    #expect(scene.world.writes.count == 3)
    #expect(clock.now >= start + .seconds(Int64(calls - 3)))
  }

  @Test("whose turn is far away is let go when the engine stops, and nobody waits after that")
  func stops() async throws {
    /// Time stands still.
    struct Standing: MigrationClock {
      var now: Instant { Instant(milliseconds: 1_770_000_000_000) }
      func sleep(until deadline: Instant) async throws { try await Task.sleep(for: .seconds(3_600)) }
    }
    let pace = CallPace(try self.rates(register: "1/h"), clock: Standing())
    try await pace.read()
    let waiting = Task { try await pace.read() }
    await pace.stop()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await #expect(throws: CancellationError.self) { try await pace.write() }
  }

  @Test("a line that is stopped while a write waits for its turn is not written")
  func stopWhileWaiting() async throws {
    let scene = try Scene()
    let name = scene.name
    let engine = Mutex<MigrationEngine?>(nil)
    /// Stops the line when the first write waits.
    final class Stopping: MigrationClock {
      let instant = Mutex(Instant(milliseconds: 1_770_000_000_000))
      let stop: @Sendable () async throws -> Void
      init(stop: @escaping @Sendable () async throws -> Void) { self.stop = stop }
      var now: Instant { self.instant.withLock { $0 } }
      func sleep(until deadline: Instant) async throws {
        try await self.stop()
        self.instant.withLock { $0 = max($0, deadline) }
      }
    }
    let world = scene.world
    let clock = Stopping {
      // Only from the first intent on: a write is what waits now.
      let isWriting = world.events.contains { if case .group(_, _, .intentRecorded) = $0 { true } else { false } }
      guard isWriting, let engine = engine.withLock({ $0 }) else { return }
      do { try await engine.submit(.stopTheLine(by: "Kari", why: "odd"), actor: "Kari") } catch is Refusal {}
    }
    let pace = CallPace(try self.rates(register: "1/s"), clock: clock)
    let plan = try await scene.plan(try scene.request())
    try await scene.run(
      orders: [.begin(plan, planHash: nil, approvals: ["Kari", "Ola"])], pace: pace,
      made: { made in engine.withLock { $0 = made } }
    ) { $0.stop != nil && $0.puljer[name] != nil }
    #expect(scene.world.writes.isEmpty)
    #expect(scene.world.inside.withLock { $0.log }.isEmpty)
  }
}
