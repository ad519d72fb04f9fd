// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A pulje as its events have left it. Its phase is derived from its groups and kept nowhere (vitess#17326).
public struct PuljeState: Sendable, Hashable {
  /// What stays as it was sealed.
  private struct Sealed: Sendable, Hashable {
    var planHash: String
    var by: String
    var groupByParty: [HerID: GroupID]
    var waveByPlace: [Int?]?
  }

  let sealedPlan: Unchanging<Plan>
  let sealedPolicy: Unchanging<Policy>
  private let sealed: Unchanging<Sealed>
  public let sealedAt: Instant
  public internal(set) var approvals: [String] = []
  public internal(set) var startedAt: Instant?
  public internal(set) var pause: Note?
  public internal(set) var groups: GroupList

  init(plan: Plan, by: String, at now: Instant) {
    self.init(plan: plan, planHash: plan.hash, by: by, at: now, groups: GroupList(plan.groups.map { GroupState($0, at: now) }))
  }

  /// - Parameters:
  ///   - planHash: the plan's, which is dear to work out.
  ///   - groups: those of the plan, as they stand.
  init(plan: Plan, planHash: String, by: String, at sealedAt: Instant, groups: GroupList) {
    self.sealedPlan = Unchanging(plan)
    self.sealedPolicy = Unchanging(plan.policy)
    self.sealedAt = sealedAt
    self.groups = groups
    let waveByPlace = plan.waves.map { waves in
      var waveByPlace = [Int?](repeating: nil, count: groups.count)
      for (wave, ids) in waves.enumerated() {
        for id in ids { if let place = groups.index(of: id) { waveByPlace[place] = wave } }
      }
      return waveByPlace
    }
    let groupByParty = Dictionary(
      plan.groups.flatMap { group in group.members.map { ($0.herID, group.id) } }, uniquingKeysWith: { first, _ in first })
    self.sealed = Unchanging(Sealed(planHash: planHash, by: by, groupByParty: groupByParty, waveByPlace: waveByPlace))
  }

  public var plan: Plan { _read { yield self.sealedPlan.value } }
  public var planHash: String { self.sealed.value.planHash }
  public var sealedBy: String { self.sealed.value.by }
  public var name: PuljeName { self.plan.name }
  public var policy: Policy { _read { yield self.sealedPolicy.value } }
  /// The wave of each group, from 0, as they stand in ``groups``; nil for a pulje without waves.
  var waveByPlace: [Int?]? { self.sealed.value.waveByPlace }

  /// Folds in what happened to one of its groups.
  ///
  /// - Returns: false when there is no such group.
  mutating func apply(_ event: GroupEvent, to group: GroupID, at now: Instant) -> Bool {
    let policy = self.sealedPolicy
    return self.groups.change(group) { $0.apply(event, at: now, policy: policy.value) }
  }

  mutating func applyRestart(at now: Instant) {
    for place in self.groups.indices { self.groups[place].applyRestart(at: now) }
  }

  /// All parties of a wave, the first one being 1; nil when the plan has no such wave.
  public func herIDs(inWave wave: Int) -> [HerID]? {
    guard let waves = self.plan.waves, waves.indices.contains(wave - 1) else { return nil }
    return waves[wave - 1].flatMap { self.groups[$0]?.members.map(\.herID) ?? [] }
  }

  public func group(of herID: HerID) -> GroupID? { self.sealed.value.groupByParty[herID] }

  /// Whether another pulje must keep off its parties.
  public var isOpen: Bool { self.groups.contains { !$0.phase.isClosed } }

  /// What the pulje as a whole means for each of its groups, worked out once for all of them.
  func contexts(stop: Note?, now: Instant) -> GroupContexts { GroupContexts(self, stop: stop, now: now) }

  public var phase: PuljePhase {
    if self.startedAt == nil { return self.groups.allSatisfy { $0.phase == .withdrawn } ? .withdrawn : .sealed }
    let counted = self.groups.filter { $0.phase != .withdrawn }
    if counted.isEmpty { return .withdrawn }
    if counted.contains(where: { $0.phase.isGoingBack || ($0.phase == .conflict && $0.direction == .back) }) {
      return .rollingBack
    }
    let forward = counted.filter { $0.phase != .restored }
    if forward.isEmpty { return .rolledBack }
    // A quarantined group does not hold up the rest; the report names it.
    let active = forward.filter { $0.quarantine == nil }
    let lowest = active.map { Self.stage($0, policy: self.policy) }.min() ?? .decision
    if lowest == .done, forward.count < counted.count { return .partlyBack }
    return lowest
  }

  private static func stage(_ group: GroupState, policy: Policy) -> PuljePhase {
    switch group.phase {
    case .known, .planned, .ready: .preflight
    case .armed, .cutIntent, .cutUnknown, .conflict: .cutover
    case .cutApplied: .verifying
    case .verified, .draining, .drained: .draining
    case .observing: .observing
    default: .done
    }
  }

  /// Whether every group that is still going forward has its watch behind it.
  public func awaitsDecision(now: Instant) -> Bool {
    let active = self.groups.filter { $0.quarantine == nil }
    let observing = active.filter { $0.phase == .observing }
    guard !observing.isEmpty, active.allSatisfy({ $0.phase == .observing || $0.phase.isClosed }) else { return false }
    return observing.allSatisfy { group in group.watchSince.map { now >= $0 + self.policy.watchPeriod } ?? false }
  }

  /// The phase as it stands now: a watch that is over awaits a decision.
  public func phase(now: Instant) -> PuljePhase {
    let phase = self.phase
    return phase == .observing && self.awaitsDecision(now: now) ? .decision : phase
  }
}

/// Where a pulje stands: the least advanced of its groups that go forward, or its way back.
public enum PuljePhase: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
  case sealed = "SEALED"
  case preflight = "PREFLIGHT"
  case cutover = "CUTOVER"
  case verifying = "VERIFYING"
  case draining = "DRAINING"
  case observing = "OBSERVING"
  case decision = "DECISION"
  case done = "DONE"
  case rollingBack = "ROLLING_BACK"
  case rolledBack = "ROLLED_BACK"
  case partlyBack = "PARTLY_BACK"
  case withdrawn = "WITHDRAWN"

  public static func < (lhs: PuljePhase, rhs: PuljePhase) -> Bool {
    Self.allCases.prefix { $0 != rhs }.contains(lhs)
  }
}
