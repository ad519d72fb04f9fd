// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Synchronization
import Testing

@testable import MigrationEngine

@Suite("The engine", .timeLimit(.minutes(10)))
struct EngineTests {
  let scene: Scene
  init() throws { self.scene = try Scene() }

  func start(_ request: PuljeRequest? = nil) async throws -> [MigrationInput] {
    let plan = try await self.scene.plan(try request ?? self.scene.request())
    #expect(plan.isClear)
    return [.seal(plan, by: "Kari"), .start(self.scene.name, planHash: plan.hash, approvals: ["Kari", "Ola"])]
  }

  static func all(_ state: MigrationState, _ name: PuljeName, _ phases: Set<GroupPhase>) -> Bool {
    let groups = state.puljer[name].map { Array($0.groups) } ?? []
    return !groups.isEmpty && groups.allSatisfy { phases.contains($0.phase) }
  }

  @Test("a pulje goes from KNOWN to the end of its watch, and the register reads as planned")
  func forward() async throws {
    let name = self.scene.name
    let orders = try await self.start()
    let state = try await self.scene.run(orders: orders) { $0.puljer[name]?.awaitsDecision(now: $0.latest(name)) ?? false }
    #expect(self.scene.phases(state) == [.observing, .observing, .observing])
    for group in state.puljer[name].map({ Array($0.groups) }) ?? [] {
      for member in group.members { #expect(self.scene.world.record(member.herID) == member.plan.after) }
    }
    #expect(self.scene.world.writes.count == 3)
    #expect(self.scene.world.inside.withLock { $0.log }.isEmpty)
  }

  @Test("one party is rolled back, the others go on; back is exactly what was before")
  func rollBackOne() async throws {
    let name = self.scene.name
    let before = self.scene.world.records
    let orders = try await self.start()
    try await self.scene.run(orders: orders) { Self.all($0, name, [.observing]) }
    let herID = try Scene.herID(101)
    let state = try await self.scene.run(orders: [.rollBack(name, herIDs: [herID], by: "Kari", why: "asked")]) {
      $0.puljer[name]?.groups.first?.phase == .restored
    }
    #expect(state.puljer[name]?.groups.dropFirst().allSatisfy { $0.direction == .forward } == true)
    for value in [100, 101, 102] as [Int32] {
      let herID = try Scene.herID(value)
      #expect(self.scene.world.record(herID)?.hash == before[herID]?.hash)
    }
  }

  @Test("a party whose system does not come up is held after three pings; the operator rolls it back")
  func doesNotComeUp() async throws {
    let name = self.scene.name
    let down = try Scene.herID(300)
    self.scene.world.change { $0.down = [down] }
    let orders = try await self.start()
    let state = try await self.scene.run(orders: orders) { state in
      let groups = state.puljer[name].map { Array($0.groups) } ?? []
      return groups.count == 3 && groups[2].hold?.code == .pingFailed && groups.prefix(2).allSatisfy { $0.phase == .observing }
    }
    #expect(state.puljer[name]?.groups[2].phase == .cutApplied)
    let after = try await self.scene.run(orders: [.rollBack(name, herIDs: [down], by: "Kari", why: "down")]) {
      $0.puljer[name]?.groups.last?.phase == .restored
    }
    #expect(after.puljer[name]?.groups[2].phase == .restored)
    #expect(self.scene.world.record(down) == after.puljer[name]?.groups[2].members[0].plan.before)
  }

  @Test("messages that lie on the source queue hold the drain up until they are fetched; unreadable counters do too")
  func drain() async throws {
    let name = self.scene.name
    self.scene.world.change { $0.depth = 2 }
    let orders = try await self.start()
    let waiting = try await self.scene.run(orders: orders) {
      $0.puljer[name]?.groups.count == 3 && $0.puljer[name]?.groups.allSatisfy { $0.drain.looks >= 10 } ?? false
    }
    #expect(Self.all(waiting, name, [.draining]))
    self.scene.world.change {
      $0.depth = 0
      $0.countersUnreadable = true
    }
    let dark = try await self.scene.run {
      $0.puljer[name]?.groups.allSatisfy { $0.drain.unreadableLooks >= 5 } ?? false
    }
    #expect(Self.all(dark, name, [.draining]))
    self.scene.world.change { $0.countersUnreadable = false }
    try await self.scene.run { Self.all($0, name, [.observing]) }
  }

  @Test("whatever becomes of a write, the read-back decides", arguments: World.Fate.allCases)
  func fates(fate: World.Fate) async throws {
    let name = self.scene.name
    self.scene.world.change { $0.fates = [fate, fate, fate] }
    let orders = try await self.start()
    let state = try await self.scene.run(orders: orders) { Self.all($0, name, [.observing]) }
    #expect(Self.all(state, name, [.observing]))
    #expect(self.scene.world.inside.withLock { $0.log }.isEmpty)
  }

  @Test("somebody else's change is a conflict: it stays as they wrote it, and the rest of the pulje waits")
  func conflict() async throws {
    let name = self.scene.name
    let herID = try Scene.herID(200)
    var settings = EngineSettings()
    settings.concurrentWrites = 1
    let orders = try await self.start()
    try await self.scene.run(settings: settings, orders: orders) { Self.all($0, name, [.observing]) }
    self.scene.world.change { $0.register[herID]?.name = "changed by somebody" }
    let state = try await self.scene.run { $0.puljer[name]?.groups[1].phase == .conflict }
    #expect(self.scene.world.record(herID)?.name == "changed by somebody")
    #expect(state.puljer[name]?.groups[1].next(in: Scene.context(state, name), now: state.latest(name)) != .done)
    let writes = self.scene.world.writes.count
    let fixed = try #require(state.puljer[name]?.groups[1].members[0].plan.after)
    self.scene.world.change { $0.register[herID] = fixed }
    try await self.scene.run(orders: [.release(name, herID: herID, by: "Kari")]) { Self.all($0, name, [.observing]) }
    #expect(self.scene.world.writes.count == writes)
  }

  @Test("a write handed to a person: the engine waits, reads, and goes on when it is done")
  func byHand() async throws {
    let name = self.scene.name
    self.scene.world.change { $0.byHand = true }
    let orders = try await self.start(try self.scene.request([200]))
    let state = try await self.scene.run(orders: orders) { $0.puljer[name]?.groups.first?.members.first?.handedOver ?? false }
    let after = try #require(state.puljer[name]?.groups[0].members[0].plan.after)
    self.scene.world.change { $0.register[after.herID] = after }
    try await self.scene.run { Self.all($0, name, [.observing]) }
    #expect(self.scene.world.writes.count == 1)
  }

  @Test("paused, nothing is written or pinged forward; resumed, it goes on")
  func pause() async throws {
    let name = self.scene.name
    var orders = try await self.start()
    orders.append(.pause(name, by: "Ola", why: "storm"))
    let state = try await self.scene.run(orders: orders) { $0.puljer[name]?.pause != nil }
    #expect(self.scene.world.writes.isEmpty)
    #expect(self.scene.phases(state).allSatisfy { $0.isBeforeCut })
    try await self.scene.run(orders: [.resume(name, by: "Kari")]) { Self.all($0, name, [.observing]) }
  }

  @Test("no more writes are under way at once than the settings allow")
  func bounded() async throws {
    let name = self.scene.name
    var settings = EngineSettings()
    settings.concurrentWrites = 1
    let orders = try await self.start()
    try await self.scene.run(settings: settings, orders: orders) { Self.all($0, name, [.observing]) }
    #expect(self.scene.world.inside.withLock { $0.mostWritesAtOnce } == 1)
  }

  @Test("an entry that cannot be read is tried again until it can")
  func unreadable() async throws {
    let name = self.scene.name
    let herID = try Scene.herID(200)
    let orders = try await self.start()
    self.scene.world.change { $0.unreadableParties = [herID] }
    try await self.scene.run(orders: orders) { state in
      let groups = state.puljer[name].map { Array($0.groups) } ?? []
      return groups.count == 3 && groups[1].lastFailure == "time-out" && groups[0].phase == .observing
    }
    self.scene.world.change { $0.unreadableParties = [] }
    try await self.scene.run { Self.all($0, name, [.observing]) }
  }

  @Test("a store that cannot be written ends the engine, and nothing is carried out on what was not kept")
  func diskFull() async throws {
    let orders = try await self.start()
    _ = orders
    self.scene.world.change { $0.appendFails = true }
    await #expect(throws: StoreError.self) { try await self.scene.run { _ in false } }
    #expect(self.scene.world.writes.isEmpty)
  }

  @Test("commands to an engine that has ended are turned away, and it runs once only")
  func ended() async throws {
    let clock = JumpingClock()
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(
        store: self.scene.world, register: self.scene.world, buses: self.scene.world, clock: clock, observer: clock))
    engine.stop()
    try await engine.run()
    await #expect(throws: EngineError.notRunning) { try await engine.submit(.daemonStarted, actor: "x") }
    await #expect(throws: EngineError.startedTwice) { try await engine.run() }
  }

  @Test(
    "a history is stamped with its environment, anew while there is no pulje; then one of another is refused and stays as it was")
  func environment() async throws {
    func start(_ environment: String?) async throws {
      let clock = JumpingClock()
      let engine = MigrationEngine(
        ports: MigrationEngine.Ports(
          store: self.scene.world, register: self.scene.world, buses: self.scene.world, clock: clock, observer: clock),
        environment: environment)
      engine.stop()
      try await engine.run()
    }
    try await start(nil)
    try await start("test")
    try await start("qa")
    try await start("qa")
    let stamped: [MigrationEvent] = [
      .daemonStarted, .environmentNamed(name: "test"), .daemonStarted, .environmentNamed(name: "qa"), .daemonStarted,
      .daemonStarted,
    ]
    #expect(self.scene.world.events == stamped)
    let plan = try await self.scene.plan(try self.scene.request([200]))
    _ = try await self.scene.world.append([.puljeSealed(plan: plan, by: "Kari")], at: Instant(milliseconds: 1), actor: "Kari")
    await #expect(throws: EngineError.otherEnvironment(history: "qa", configured: "production")) { try await start("production") }
    #expect(self.scene.world.events.count == stamped.count + 1)
  }

  @Test("a refusal is given back with its code, and changes nothing")
  func refusal() async throws {
    let clock = JumpingClock()
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(
        store: self.scene.world, register: self.scene.world, buses: self.scene.world, clock: clock, observer: clock))
    async let run: Void = engine.run()
    let refused = await #expect(throws: Refusal.self) {
      try await engine.submit(.pause(self.scene.name, by: "Kari", why: "x"), actor: "Kari")
    }
    #expect(refused?.code == .unknownPulje)
    engine.stop()
    try await run
    #expect(self.scene.world.events == [.daemonStarted])
  }

  @Test("the plan reads live, follows parents and those who share a queue, and tells the unknown from the unreadable")
  func planning() async throws {
    let plan = try await self.scene.plan(try self.scene.request([101, 999]))
    #expect(Set(plan.obstacles.map(\.code)) == [.unknownParty, .groupNotClosed])
    self.scene.world.change { $0.unreadableParties = [Scene.one(200)] }
    await #expect(throws: EngineError.self) { try await self.scene.plan(try self.scene.request([200])) }
  }

  @Test("retries come later and later, spread, and never later than the cap")
  func backoff() {
    let settings = EngineSettings()
    #expect(settings.delay(failures: 0, fraction: 0) == .seconds(2))
    #expect(settings.delay(failures: 0, fraction: 1) == .seconds(1))
    #expect(settings.delay(failures: 3, fraction: 0) == .seconds(16))
    #expect(settings.delay(failures: 60, fraction: 0) == .minutes(2))
    #expect(settings.delay(failures: -1, fraction: 9).milliseconds >= 1)
  }
}

extension Scene {
  static func one(_ value: Int32) -> HerID { HerID(value) ?? Scene.one(1) }
  static func context(_ state: MigrationState, _ name: PuljeName) -> GroupContext {
    GroupContext(pulje: name, policy: state.puljer[name]?.policy ?? Policy(), isStarted: true)
  }
}

extension MigrationState {
  /// The last time anything was looked at in the pulje.
  func latest(_ name: PuljeName) -> Instant {
    self.puljer[name]?.groups.compactMap(\.drain.lastLookAt).min() ?? Instant(milliseconds: 0)
  }
}
