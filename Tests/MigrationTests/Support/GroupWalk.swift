// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

@testable import Migration

/// Leads one group through the ladder by inputs only, as an engine with a willing world would.
final class GroupWalk {
  var group: GroupState
  var now = Fixture.start
  /// What the pulje lets the group do now; changes to it stay.
  var context: GroupContext {
    get {
      var context = self.lasting
      context.calendar = context.policy.calendar?.standing(at: self.now)
      return context
    }
    set { self.lasting = newValue }
  }
  private var lasting: GroupContext
  /// What the register holds.
  var register: [HerID: PartyRecord]
  var events: [GroupEvent] = []

  convenience init(_ herIDs: [Int32] = [200], policy: Policy = Policy()) {
    self.init(Fixture.plan(herIDs, policy: policy))
  }

  /// The first group of `plan`.
  init(_ plan: Plan) {
    self.group = GroupState(plan.groups[0], at: Fixture.start)
    self.lasting = Fixture.context(policy: plan.policy)
    self.register = Dictionary(
      plan.groups[0].members.map { ($0.herID, $0.before) }, uniquingKeysWith: { first, _ in first })
  }

  var policy: Policy { self.context.policy }
  var retryAt: Instant { self.now + .seconds(5) }

  @discardableResult
  func send(_ input: GroupInput) -> GroupState.Outcome {
    let outcome = self.group.decide(input, in: self.context, now: self.now)
    for event in outcome.events {
      self.group.apply(event, at: self.now, policy: self.policy)
      self.events.append(event)
    }
    return outcome
  }

  func write(into herID: HerID, _ record: PartyRecord) {
    self.register[herID] = record
    // Those who inherit follow their parent.
    for member in self.group.members where !member.plan.isWritten {
      let moved = record.hash == self.group.members[0].plan.after.hash
      self.register[member.herID] = moved ? member.plan.after : member.plan.before
    }
  }

  func read(_ herID: HerID) -> PartyRecord { self.register[herID] ?? Fixture.record(herID.value) }

  var openOperation: OperationID? {
    for member in self.group.members { if case .intent(let operation) = member.writing { return operation } }
    return nil
  }

  /// Carries out what the group asks for next, once; waits are waited out.
  func step() {
    switch self.group.next(in: self.context, now: self.now) {
    case .act(let action): self.carryOut(action)
    case .wait(let reason): self.now = max(self.now, reason.until ?? self.now + .minutes(1))
    case .done: break
    }
  }

  func carryOut(_ action: GroupAction) {
    switch action {
    case .snapshot: self.send(.snapshot(Array(self.register.values)))
    case .preflight: self.send(.preflight(Fixture.preflight(), retryAt: self.retryAt))
    case .advance: self.send(.advance)
    case .write(let herID):
      self.send(.beginWrite(herID, observed: self.read(herID)))
      guard let operation = self.openOperation, let member = self.group.member(herID) else { return }
      self.write(into: herID, member.goal(self.group.direction))
      self.send(.writeReturned(operation, .answered))
    case .readBack(let herID): self.send(.readBack(self.read(herID), retryAt: self.retryAt))
    case .ping: self.send(.pinged(self.group.members.map { Fixture.ping($0.herID) }, retryAt: self.retryAt))
    case .look: self.send(.looked(Fixture.look()))
    case .hook(let name): self.send(.hookAnswered(name, .assented("yes"), retryAt: self.retryAt))
    case .stepHook(let step): self.send(.stepHookAnswered(step, .assented("yes"), retryAt: self.retryAt))
    case .peek:
      self.send(.sighted(self.group.drain.filled.map { QueueSightings(queue: $0, sightings: [], isWhole: false) }))
    case .measure: self.send(.measured(Fixture.look(), self.group.members.map { Fixture.ping($0.herID) }))
    }
  }

  /// Quiet looks without dead letters, as often as the watch asks for them, until `span` has gone.
  func lookOn(for span: TimeSpan) {
    let end = self.now + span
    while self.now < end {
      self.now = self.now + self.policy.watchLookInterval
      self.send(.looked(Fixture.look(deadLetters: 0)))
    }
  }

  /// Goes on until `phase` is entered.
  func go(to phase: GroupPhase) {
    for _ in 0..<20_000 {
      if self.group.phase == phase { return }
      switch (self.group.phase, phase) {
      case (.observing, .accepted):
        if let since = self.group.watchSince, self.now >= since + self.policy.watchPeriod {
          self.send(.accept(by: ["Kari", "Ola"]))
          if self.group.phase == .accepted { continue }
        }
      default: break
      }
      self.step()
    }
  }

  /// A group that stands in `phase`, come there by lawful inputs.
  static func standing(in phase: GroupPhase, _ herIDs: [Int32] = [200], policy: Policy = Policy()) -> GroupWalk {
    let route = Route(phase: phase, herIDs: herIDs, policy: policy)
    let walk = Self.walked[route] ?? Self.walk(to: phase, herIDs, policy)
    Self.walked[route] = walk
    return GroupWalk(walk)
  }

  private init(_ other: GroupWalk) {
    self.group = other.group
    self.now = other.now
    self.lasting = other.lasting
    self.register = other.register
    self.events = other.events
  }

  private struct Route: Hashable {
    var phase: GroupPhase
    var herIDs: [Int32]
    var policy: Policy
  }

  /// Walks that were walked before; none of them is given out, only copies are.
  ///
  /// Sendable: `walks` is touched under `lock` only, and nobody changes what is in it.
  private final class Walked: @unchecked Sendable {
    private let lock = NSLock()
    private var walks: [Route: GroupWalk] = [:]

    subscript(route: Route) -> GroupWalk? {
      get { self.lock.withLock { self.walks[route] } }
      set { self.lock.withLock { self.walks[route] = newValue } }
    }
  }

  private static let walked = Walked()

  private static func walk(to phase: GroupPhase, _ herIDs: [Int32], _ policy: Policy) -> GroupWalk {
    var walk = GroupWalk(herIDs, policy: policy)
    let first = walk.group.members[0].herID
    switch phase {
    case .known: break
    case .planned, .ready, .armed, .cutApplied, .verified, .draining, .drained, .observing, .accepted: walk.go(to: phase)
    case .cutIntent:
      walk.go(to: .armed)
      walk.send(.beginWrite(first, observed: walk.read(first)))
    case .cutUnknown:
      walk = .standing(in: .cutIntent, herIDs, policy: policy)
      if let operation = walk.openOperation { walk.send(.writeReturned(operation, .unknown("time-out"))) }
    case .conflict:
      walk = .standing(in: .cutUnknown, herIDs, policy: policy)
      var strange = walk.read(first)
      strange.name = "Somebody else's change"
      walk.send(.readBack(strange, retryAt: walk.retryAt))
    case .retired:
      walk.go(to: .accepted)
      walk.send(.looked(Fixture.look(deadLetters: 0)))
      walk.send(.retire(by: ["Kari", "Ola"]))
    case .removed:
      walk = .standing(in: .retired, herIDs, policy: policy)
      walk.lookOn(for: .days(31))
      walk.send(.approveRemoval(by: ["Kari", "Ola"]))
    case .withdrawn: walk.send(.withdraw(by: "Kari", why: "not now"))
    case .backIntent, .backUnknown, .backApplied, .backVerified, .backDraining, .backDrained, .restored:
      walk.go(to: .observing)
      walk.send(.rollBack(by: "Kari", why: "the vendor asks"))
      switch phase {
      case .backIntent: walk.send(.beginWrite(first, observed: walk.read(first)))
      case .backUnknown:
        walk.send(.beginWrite(first, observed: walk.read(first)))
        if let operation = walk.openOperation { walk.send(.writeReturned(operation, .unknown("time-out"))) }
      default: walk.go(to: phase)
      }
    }
    return walk
  }
}
