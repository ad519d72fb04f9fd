// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One action carried out, as a state machine: what is asked outside, in which order, and what is brought to the core. The engine
/// and the simulator drive the same errands; neither decides anything of its own.
public struct Errand: Sendable, Hashable {
  public enum Step: Sendable, Hashable {
    /// Ask this outside; the answer goes to ``take(_:at:fraction:)``.
    case call(PortCall)
    /// Make this write, if ``MigrationState/mayWrite(_:in:group:)`` says so at the moment of the call; else the errand is over.
    indirect case write(WriteOrder)
    /// Have the core decide on this; the durable events go to ``brought(_:)``. A refusal ends the errand.
    case bring(GroupInput)
    case ended
  }

  public let action: GroupAction
  private let group: GroupState
  private let sealedPlan: Unchanging<Plan>
  private let settings: EngineSettings
  private let planHash: String?
  private var records: [PartyRecord] = []
  private var pings: [PingReport] = []
  private var readings: [QueueReading]?
  private var observed: PartyRecord?

  /// - Parameters:
  ///   - group: as it stands when the errand begins; nil results never refer to anything later.
  public init(_ action: GroupAction, group: GroupState, plan: Plan, settings: EngineSettings) {
    self.planHash = nil
    self.action = action
    self.group = group
    self.sealedPlan = Unchanging(plan)
    self.settings = settings
  }

  /// The same for a group of `pulje`, whose plan is neither copied nor hashed anew: of thousands of parties that is dear.
  public init(_ action: GroupAction, group: GroupState, of pulje: PuljeState, settings: EngineSettings) {
    self.planHash = pulje.planHash
    self.action = action
    self.group = group
    self.sealedPlan = pulje.sealedPlan
    self.settings = settings
  }

  private var plan: Plan { _read { yield self.sealedPlan.value } }

  public func begin() -> Step {
    switch self.action {
    case .advance: .bring(.advance)
    case .snapshot: self.group.members.first.map { .call(.read($0.herID)) } ?? .ended
    case .preflight:
      .call(
        .preflight(
          source: self.plan.source, sourceQueues: self.sourceQueues, target: self.plan.target,
          targetQueues: self.group.members.queues(after: true)))
    case .write(let herID), .readBack(let herID): .call(.read(herID))
    case .ping: self.group.members.first.map { .call(self.ping($0)) } ?? .ended
    case .hook(let name): .call(.hook(self.question(name)))
    case .stepHook(let step): .call(.hook(self.question(step.hook, at: step.point)))
    case .measure: .call(.look(queues: self.group.members.queues(after: true), bus: self.plan.target))
    case .peek: .call(.peek(queues: self.filledQueues, bus: self.isForward ? self.plan.source : self.plan.target))
    case .look: .call(.look(queues: self.leftQueues, bus: self.isForward ? self.plan.source : self.plan.target))
    }
  }

  /// The answer to the call that the last step asked for.
  ///
  /// - Parameter fraction: a random draw from 0 up to 1, for the spread of retries.
  public mutating func take(_ answer: PortAnswer, at now: Instant, fraction: Double) -> Step {
    let settings = self.settings
    func retry(_ failures: Int) -> Instant { now + settings.delay(failures: failures, fraction: fraction) }
    switch self.action {
    case .advance: return .ended
    case .snapshot, .readBack, .write:
      return self.takeFromRegister(answer, now: now, retry: retry)
    case .preflight:
      if case .checked(let report) = answer {
        return .bring(.preflight(report, retryAt: retry(3 + self.group.preflightFailures)))
      }
      let findings = PreflightCheck.allCases.map { Finding($0, .failed, seen: Self.words(answer)) }
      return .bring(
        .preflight(PreflightReport(findings: findings, baseline: []), retryAt: retry(3 + self.group.preflightFailures)))
    case .ping: return self.takePing(answer, now: now)
    case .hook(let name):
      let said: HookAnswer = if case .hook(let said) = answer { said } else { .silent(Self.words(answer)) }
      return .bring(.hookAnswered(name, said, retryAt: retry(4 + self.group.hookRefusals)))
    case .stepHook(let step):
      let said: HookAnswer = if case .hook(let said) = answer { said } else { .silent(Self.words(answer)) }
      return .bring(.stepHookAnswered(step, said, retryAt: retry(4)))
    case .measure: return self.takeMeasurement(answer, now: now)
    case .peek:
      if case .sighted(let found) = answer { return .bring(.sighted(found)) }
      // Not shown is not seen: it says so of every queue.
      return .bring(.sighted(self.filledQueues.map { QueueSightings(queue: $0.address, sightings: [], isWhole: false) }))
    case .look:
      if case .looked(let readings) = answer { return .bring(.looked(readings)) }
      let words = Self.words(answer)
      return .bring(
        .looked(self.leftQueues.map { QueueReading(address: $0.address, kind: $0.kind, count: .unreadable(words)) }))
    }
  }

  /// What the errand brought is decided on and durable.
  public func brought(_ events: [GroupEvent]) -> Step {
    guard case .write(let herID) = self.action, let observed, let member = self.group.member(herID),
      case .intentRecorded(let operation, _, let direction, _, _) = events.first
    else { return .ended }
    return .write(
      WriteOrder(
        operation: operation, herID: herID, direction: direction, base: observed, goal: member.goal(direction),
        bus: direction == .forward ? self.plan.target : self.plan.source, scope: self.scope(of: member)))
  }

  private func scope(of member: Member) -> WriteOrder.Scope {
    guard self.isForward else { return .party }
    if member.plan.joinsOrganisation == true { return .organisationQueue }
    let along = self.group.takenAlong(by: member)
    guard !along.isEmpty else { return .party }
    return .servicesBelow(along.map { WriteOrder.Along(base: $0.plan.before, goal: $0.plan.after) })
  }

  /// The answer to the write.
  public func wrote(_ operation: OperationID, _ answer: PortAnswer) -> Step {
    if case .wrote(let outcome) = answer { return .bring(.writeReturned(operation, outcome)) }
    return .bring(.writeReturned(operation, .unknown(Self.words(answer))))
  }

  private var isForward: Bool { self.group.direction == .forward }
  private var sourceQueues: [GroupQueue] { self.group.members.queues(after: false) }
  private var leftQueues: [GroupQueue] { self.group.members.queues(after: !self.isForward) }

  private var filledQueues: [GroupQueue] {
    let filled = Set(self.group.drain.filled)
    return self.leftQueues.filter { filled.contains($0.address) }
  }

  private func ping(_ member: Member) -> PortCall {
    .ping(
      member.herID, bus: self.isForward ? self.plan.target : self.plan.source,
      queues: member.plan.registerQueues(after: self.isForward))
  }

  private mutating func takeFromRegister(_ answer: PortAnswer, now: Instant, retry: (Int) -> Instant) -> Step {
    let asked: HerID
    switch self.action {
    case .write(let herID), .readBack(let herID): asked = herID
    default: asked = self.group.members[min(self.records.count, self.group.members.count - 1)].herID
    }
    guard case .record(let record) = answer else {
      return .bring(.readFailed(asked, seen: Self.words(answer), retryAt: retry(2 + self.group.readFailures)))
    }
    switch self.action {
    case .write:
      self.observed = record
      return .bring(.beginWrite(asked, observed: record))
    case .readBack:
      guard let member = self.group.member(asked) else { return .ended }
      let retryAt = member.handedOver ? now + self.settings.handedOverInterval : retry(member.failedTries)
      return .bring(.readBack(record, retryAt: retryAt))
    default:
      self.records.append(record)
      if self.records.count < self.group.members.count {
        return .call(.read(self.group.members[self.records.count].herID))
      }
      return .bring(.snapshot(self.records))
    }
  }

  private func question(_ name: String, at point: HookPoint = .cut) -> HookQuestion {
    HookQuestion(
      hook: name, point: point, pulje: self.plan.name, group: self.group.id, herIDs: self.group.members.map(\.herID),
      vendors: Array(Set(self.group.members.map(\.plan.vendor))).sorted(), source: self.plan.source, target: self.plan.target,
      planHash: self.planHash ?? self.plan.hash)
  }

  /// First the counters, then, for a party that nothing came for, a ping.
  private mutating func takeMeasurement(_ answer: PortAnswer, now: Instant) -> Step {
    if let readings = self.readings {
      self.keepPing(answer)
      if self.pings.count < self.group.members.count { return .call(self.ping(self.group.members[self.pings.count])) }
      return .bring(.measured(readings, self.pings))
    }
    let queues = self.group.members.queues(after: true)
    let readings: [QueueReading]
    if case .looked(let found) = answer {
      readings = found
    } else {
      let words = Self.words(answer)
      readings = queues.map { QueueReading(address: $0.address, kind: $0.kind, count: .unreadable(words)) }
    }
    self.readings = readings
    guard let gates = self.plan.policy.gates else { return .bring(.measured(readings, [])) }
    var ledger = self.group.gates
    ledger.take(
      readings, pings: [], carried: self.group.forwarding?.total.accepted ?? 0, at: now, gates: gates, policy: self.plan.policy)
    guard ledger.needsPing(at: now, gates: gates), let first = self.group.members.first else {
      return .bring(.measured(readings, []))
    }
    return .call(self.ping(first))
  }

  private mutating func keepPing(_ answer: PortAnswer) {
    if case .pinged(let report) = answer { return self.pings.append(report) }
    let member = self.group.members[min(self.pings.count, self.group.members.count - 1)]
    let late = Finding(PingCheck.accepted, .failed, seen: Self.words(answer))
    self.pings.append(
      PingReport(herID: member.herID, bus: self.isForward ? self.plan.target : self.plan.source, findings: [late]))
  }

  private mutating func takePing(_ answer: PortAnswer, now: Instant) -> Step {
    self.keepPing(answer)
    if self.pings.count < self.group.members.count { return .call(self.ping(self.group.members[self.pings.count])) }
    // As often as the policy says while that may still help; on the way back, which nobody gives up, ever more rarely after that.
    let beyond = self.group.pingFailures - self.plan.policy.pingTries
    let interval = self.plan.policy.pingInterval
    let pause = beyond > 0 ? max(interval, self.settings.delay(failures: beyond + 3, fraction: 0)) : interval
    return .bring(.pinged(self.pings, retryAt: now + pause))
  }

  private static func words(_ answer: PortAnswer) -> String {
    switch answer {
    case .notRead(let seen): seen
    case .noAnswer(let span): "no answer within \(span)"
    default: "an answer to another question"
    }
  }
}
