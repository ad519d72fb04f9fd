// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Synchronization

@testable import MigrationEngine

struct Killed: Error {}

/// Everything outside the engine, in memory: register, buses, clock, store. It outlives the engine, as the world does a daemon.
final class World: RegisterPort, BusPort, HookPort, CrashPoints, EventStore, JitterSource, Sendable {
  /// What becomes of one write.
  enum Fate: Sendable, CaseIterable { case done, requestLost, replyLost, refused, doneLate }

  struct Inside {
    var register: [HerID: PartyRecord] = [:]
    var parents: [HerID: HerID] = [:]
    var fates: [Fate] = []
    var late: [(HerID, PartyRecord)] = []
    var writes: [WriteOrder] = []
    /// Parties whose system does not come up on the target bus.
    var down: Set<HerID> = []
    var depth: Int64 = 0
    var countersUnreadable = false
    var unreadableParties: Set<HerID> = []
    var byHand = false
    var rows: [(event: MigrationEvent, at: Instant)] = []
    var points: [CrashPoint] = []
    var crashAt: Int?
    /// Dies at the first point of this kind.
    var crashAtFirst: CrashPoint?
    var isDead = false
    var appendFails = false
    var checkpoints: [LoadedHistory] = []
    var checkpointFails = false
    var writesUnderWay = 0
    var mostWritesAtOnce = 0
    var groupsUnderWay = 0
    var log: [String] = []
  }

  let inside: Mutex<Inside>
  let target: Bus

  init(records: [PartyRecord], target: Bus) {
    var inside = Inside()
    for record in records {
      inside.register[record.herID] = record
      if let parent = record.parent { inside.parents[record.herID] = parent }
    }
    self.inside = Mutex(inside)
    self.target = target
  }

  func record(_ herID: HerID) -> PartyRecord? { self.inside.withLock { $0.register[herID] } }
  var records: [HerID: PartyRecord] { self.inside.withLock { $0.register } }
  func change(_ body: (inout Inside) -> Void) { self.inside.withLock { body(&$0) } }
  var points: [CrashPoint] { self.inside.withLock { $0.points } }
  var writes: [WriteOrder] { self.inside.withLock { $0.writes } }
  var events: [MigrationEvent] { self.inside.withLock { $0.rows.map(\.event) } }

  // MARK: RegisterPort

  func read(_ herID: HerID) async throws(RegisterReadError) -> PartyRecord {
    let answer = self.inside.withLock { inside -> Result<PartyRecord, RegisterReadError> in
      if inside.unreadableParties.contains(herID) { return .failure(.failed("time-out")) }
      // A write that was still under way comes through before the next reading but one.
      for (late, record) in inside.late { Self.put(record, late, &inside) }
      inside.late = []
      return inside.register[herID].map { .success($0) } ?? .failure(.unknownParty(herID))
    }
    return try answer.get()
  }

  func known() async throws(RegisterReadError) -> [PartyRecord] { self.inside.withLock { Array($0.register.values) } }

  func write(_ order: WriteOrder) async -> WriteOutcome {
    self.change {
      $0.writesUnderWay += 1
      $0.mostWritesAtOnce = max($0.mostWritesAtOnce, $0.writesUnderWay)
    }
    await Task.yield()
    return self.inside.withLock { inside in
      inside.writesUnderWay -= 1
      if inside.isDead { return .unknown("dead") }
      inside.writes.append(order)
      // I-2: the intent is in the store before the write is made.
      let isKept = inside.rows.contains {
        if case .group(_, _, .intentRecorded(order.operation, order.herID, _, _, _)) = $0.event { true } else { false }
      }
      if !isKept { inside.log.append("I-2 broken: \(order.operation)") }
      // I-5: what is written over is what the intent was based on.
      if inside.register[order.herID]?.hash != order.base.hash { inside.log.append("I-5 broken: \(order.operation)") }
      if inside.byHand { return .handedOver("change the address by hand") }
      switch inside.fates.isEmpty ? .done : inside.fates.removeFirst() {
      case .done:
        Self.put(order.goal, order.herID, &inside)
        return .answered
      case .replyLost:
        Self.put(order.goal, order.herID, &inside)
        return .unknown("the reply was lost")
      case .requestLost: return .unknown("the request was lost")
      case .refused: return .refused("fault")
      case .doneLate:
        inside.late.append((order.herID, order.goal))
        return .unknown("time-out")
      }
    }
  }

  private static func put(_ record: PartyRecord, _ herID: HerID, _ inside: inout Inside) {
    inside.register[herID] = record
    for (child, parent) in inside.parents where parent == herID {
      guard var heir = inside.register[child] else { continue }
      for index in heir.addresses.indices where heir.addresses[index].inherited {
        let code = heir.addresses[index].typeCode
        if let text = record.addresses.first(where: { $0.typeCode == code })?.text { heir.addresses[index].text = text }
      }
      inside.register[child] = heir
    }
  }

  // MARK: HookPort

  func ask(_ question: HookQuestion) async -> HookAnswer { .assented("CHG-7") }

  // MARK: BusPort

  func preflight(
    source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
  ) async -> [Finding<PreflightCheck>] {
    PreflightCheck.allCases.map { Finding($0, .passed, seen: "in memory") }
  }

  func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport {
    let isDown = self.inside.withLock { $0.down.contains(herID) } && bus == self.target.name
    return PingReport(
      herID: herID, bus: bus,
      findings: PingCheck.allCases.map { check in
        switch check {
        case .consumer: Finding(check, isDown ? .failed : .passed, seen: isDown ? "no consumer" : "1 consumer")
        case .echo: Finding(check, .impossible, seen: "no answer agreed")
        default: Finding(check, .passed, seen: "in memory")
        }
      })
  }

  func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading] {
    let (depth, unreadable) = self.inside.withLock { ($0.depth, $0.countersUnreadable) }
    return queues.map { queue in
      let depth = queue.kind == .asynchronous && bus != self.target.name ? depth : 0
      return QueueReading(
        address: queue.address, kind: queue.kind,
        count: unreadable ? .unreadable("time-out") : .counted(depth: depth, arrivals: nil, consumers: 1))
    }
  }

  // MARK: CrashPoints, JitterSource

  func reached(_ point: CrashPoint) throws {
    try self.inside.withLock { inside in
      if inside.isDead { throw Killed() }
      inside.points.append(point)
      if inside.points.count == inside.crashAt || point == inside.crashAtFirst {
        inside.isDead = true
        throw Killed()
      }
    }
  }

  func fraction() -> Double { 0.5 }

  /// The daemon is started again: the dead one's crash is over.
  func revive() {
    self.change {
      $0.isDead = false
      $0.crashAt = nil
      $0.crashAtFirst = nil
    }
  }

  // MARK: EventStore

  func load() async throws -> LoadedHistory {
    let (rows, checkpoint) = self.inside.withLock { ($0.rows, $0.checkpoints.last) }
    var state = checkpoint?.state ?? MigrationState()
    let upTo = checkpoint?.head.sequence ?? 0
    for (event, at) in rows.dropFirst(Int(upTo)) {
      guard state.apply(event, at: at) else { throw StoreError.inconsistent(path: "memory", sequence: 0, kind: event.kind) }
    }
    return LoadedHistory(
      state: state, head: ChainHead(sequence: Int64(rows.count), hash: "memory"), checkpoint: upTo > 0 ? .used(upTo: upTo) : .none
    )
  }

  func keepCheckpoint(_ state: MigrationState, at head: ChainHead) async throws {
    try self.inside.withLock { inside in
      if inside.checkpointFails { throw StoreError.checkpointNotWritten(path: "memory", seen: "disk full") }
      if !inside.isDead { inside.checkpoints.append(LoadedHistory(state: state, head: head)) }
    }
  }

  func append(_ events: [MigrationEvent], at now: Instant, actor: String) async throws -> ChainHead {
    try self.inside.withLock { inside in
      if inside.isDead { throw Killed() }
      if inside.appendFails { throw StoreError.notWritten(path: "memory", seen: "disk full") }
      inside.rows += events.map { ($0, now) }
      return ChainHead(sequence: Int64(inside.rows.count), hash: "memory")
    }
  }

  func close() async {}
}

/// A clock that jumps to the next time anybody waits for, as soon as nothing is being carried out. Tests wait for nothing.
final class JumpingClock: MigrationClock, EngineObserver, Sendable {
  private struct Inside {
    var now = Instant(milliseconds: 1_770_000_000_000)
    var sleepers: [(deadline: Instant, id: Int, wake: CheckedContinuation<Void, any Error>)] = []
    var nextID = 0
    var isIdle = false
    var isHeld = false
  }
  private let inside = Mutex(Inside())
  let onTurn: @Sendable (EngineTurn, MigrationState) -> Void

  init(
    from start: Instant = Instant(milliseconds: 1_770_000_000_000),
    onTurn: @escaping @Sendable (EngineTurn, MigrationState) -> Void = { _, _ in }
  ) {
    self.onTurn = onTurn
    self.inside.withLock { $0.now = start }
  }

  var now: Instant { self.inside.withLock { $0.now } }

  /// While held the clock stands, so that a test can look.
  func hold(_ isHeld: Bool) {
    self.inside.withLock { $0.isHeld = isHeld }
    self.jump()
  }

  func turned(_ turn: EngineTurn, state: MigrationState) {
    self.inside.withLock { $0.isIdle = turn.busy == 0 }
    self.onTurn(turn, state)
    self.jump()
  }

  func sleep(until deadline: Instant) async throws {
    let id = self.inside.withLock { inside in
      inside.nextID += 1
      return inside.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        self.inside.withLock { inside in
          // Under the lock: a cancellation that comes after it finds the sleeper.
          if Task.isCancelled {
            continuation.resume(throwing: CancellationError())
          } else {
            inside.sleepers.append((deadline, id, continuation))
          }
        }
        self.jump()
      }
    } onCancel: {
      self.inside.withLock { inside in
        guard let index = inside.sleepers.firstIndex(where: { $0.id == id }) else { return }
        inside.sleepers.remove(at: index).wake.resume(throwing: CancellationError())
      }
    }
  }

  private func jump() {
    self.inside.withLock { inside in
      guard inside.isIdle, !inside.isHeld, let next = inside.sleepers.map(\.deadline).min() else { return }
      inside.now = max(inside.now, next)
      inside.isIdle = false
      let due = inside.sleepers.filter { $0.deadline <= inside.now }
      inside.sleepers.removeAll { $0.deadline <= inside.now }
      for sleeper in due { sleeper.wake.resume() }
    }
  }
}
