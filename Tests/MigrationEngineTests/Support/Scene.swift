// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Synchronization
import Testing

@testable import MigrationEngine

/// An engine in its world, driven until what a test asks for has come.
final class Scene: Sendable {
  let world: World
  let name: PuljeName
  static let source = Bus(name: "a", dialect: .rabbitMQ3, hosts: ["a.example"], path: "NHN")
  static let target = Bus(name: "b", dialect: .rabbitMQ4AddressV2, hosts: ["b.example"], path: "NHN")

  /// The engine's register; the world's own where nothing else is handed in.
  let register: any RegisterPort

  /// - Parameter register: another register than the world's; `records` are what it holds.
  init(register: any RegisterPort, records: [PartyRecord]) throws {
    self.name = try #require(PuljeName("pulje-1"))
    self.world = World(records: records, target: Self.target)
    self.register = register
  }

  init() throws {
    self.name = try #require(PuljeName("pulje-1"))
    self.world = World(
      records: [
        try Self.record(100), try Self.record(101, queues: 100, parent: 100), try Self.record(102, queues: 100, parent: 100),
        try Self.record(200), try Self.record(300),
      ], target: Self.target)
    self.register = self.world
  }

  static func herID(_ value: Int32) throws -> HerID { try #require(HerID(value)) }

  static func record(_ value: Int32, queues: Int32? = nil, parent: Int32? = nil) throws -> PartyRecord {
    PartyRecord(
      herID: try self.herID(value), name: "Party \(value)", kind: parent == nil ? .organisation : .service,
      parent: try parent.map { try self.herID($0) }, active: true, valid: true,
      addresses: QueueKind.inRegister.map {
        PartyRecord.Address(
          typeCode: $0.registerCode ?? "", text: "a.example/NHN/\(queues ?? value)_\($0.rawValue)", inherited: parent != nil)
      })
  }

  func request(_ herIDs: [Int32] = [100, 101, 102, 200, 300], change: (inout Policy) -> Void = { _ in }) throws -> PuljeRequest {
    var policy = Policy()
    policy.quietPeriod = .seconds(20)
    policy.lookInterval = .seconds(5)
    policy.watchPeriod = .minutes(2)
    policy.watchLookInterval = .seconds(30)
    change(&policy)
    return PuljeRequest(
      name: self.name, source: "a", target: "b",
      parties: try herIDs.map { PuljeRequest.Party(herID: try Self.herID($0), vendor: "Alfa", listens: .both) }, policy: policy)
  }

  func plan(_ request: PuljeRequest) async throws -> Plan {
    try await PlanMaker(register: self.register, buses: [Self.source, Self.target]).plan(request, open: [:])
  }

  /// With checkpoints so close that every story begins at one when it is resumed.
  static var settings: EngineSettings {
    var settings = EngineSettings()
    settings.checkpointInterval = 20
    return settings
  }

  /// Runs an engine until `isDone`, then stops it. Orders are brought before it does anything.
  ///
  /// - Returns: the state it ended in. A crash point that strikes is thrown.
  @discardableResult
  func run(
    settings: EngineSettings = Scene.settings, orders: [MigrationInput] = [], pace: CallPace = CallPace(),
    notifier: any Notifier = SilentNotifier(), made: @Sendable (MigrationEngine) -> Void = { _ in },
    until isDone: @escaping @Sendable (MigrationState) -> Bool
  ) async throws -> MigrationState {
    let box = Mutex<MigrationEngine?>(nil)
    let start = self.world.inside.withLock { $0.rows.last?.at } ?? Instant(milliseconds: 1_770_000_000_000)
    let clock = JumpingClock(from: start) { turn, state in
      if isDone(state) { box.withLock { $0?.stop() } }
    }
    clock.hold(true)
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(
        store: self.world, register: self.register, buses: self.world, clock: clock, jitter: self.world, notifier: notifier,
        crashPoints: self.world, observer: clock, pace: pace, hooks: self.world),
      settings: settings)
    made(engine)
    box.withLock { $0 = engine }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await engine.run() }
      for order in orders {
        do { try await engine.submit(order, actor: "test") } catch is Refusal {} catch EngineError.notRunning {}
      }
      clock.hold(false)
      try await group.waitForAll()
    }
    return await engine.snapshot().state
  }

  func phases(_ state: MigrationState) -> [GroupPhase] { state.puljer[self.name]?.groups.map(\.phase) ?? [] }
}
