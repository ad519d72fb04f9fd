// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A group as its events have left it. The fold's only way in is ``apply(_:at:policy:)``.
public struct GroupState: Sendable, Hashable, Codable {
  public struct Step: Sendable, Hashable, Codable {
    public var phase: GroupPhase
    public var at: Instant
  }

  public let id: GroupID
  /// Events and starts it has been through: while it stays, nothing about the group has changed.
  public private(set) var revision = 0
  public internal(set) var phase: GroupPhase = .known
  /// When the present phase was entered; an attestation's life counts from ``attestedAt``.
  public internal(set) var since: Instant
  public internal(set) var attestedAt: Instant
  public internal(set) var direction: Direction = .forward
  public internal(set) var heldSince: Instant?
  /// Not before this time is the last failed thing tried again.
  public internal(set) var retryAt: Instant?
  /// When the last pre-flight passed.
  public internal(set) var preflightAt: Instant?
  public internal(set) var pingFailures: Int = 0
  /// Pre-flights and readings of the register that failed in a row: each spreads the next try further.
  public internal(set) var preflightFailures: Int = 0
  public internal(set) var readFailures: Int = 0
  public internal(set) var pingedAt: Instant?
  public internal(set) var watchSince: Instant?
  /// Answers in a row that were no assent: each spreads the next question further.
  public internal(set) var hookRefusals: Int = 0
  /// All that is more than a number, behind one reference (``GroupState+Evidence``).
  var evidence: CopyOnWrite<Evidence>

  public init(_ plan: Plan.Group, at now: Instant) {
    self.id = plan.id
    self.since = now
    self.attestedAt = now
    self.evidence = CopyOnWrite(
      Evidence(members: plan.members.map(Member.init), history: [Step(phase: .known, at: now)]))
  }

  public func member(_ herID: HerID) -> Member? { self.members.first { $0.herID == herID } }

  /// Whether the present attestation has outlived its life. A clock set back ends it too.
  public func isExpired(now: Instant, policy: Policy) -> Bool {
    guard let life = policy.life(of: self.phase) else { return false }
    let age = now.since(self.attestedAt)
    return age > life || age.milliseconds < 0
  }

  /// The party whose write takes this one along on the way forward.
  func mover(of member: Member) -> Member? {
    guard self.direction == .forward else { return nil }
    return member.plan.movedBy.flatMap { self.member($0) }
  }

  /// Whether another's write takes it along. Where that turns out to have left it out, it is written by itself: a write that was
  /// applied in part is finished one by one.
  func isTakenAlong(_ member: Member) -> Bool {
    guard let mover = self.mover(of: member) else { return false }
    return mover.writing != .atGoal || (member.failedTries == 0 && member.intents == 0)
  }

  /// Whether another party's write was made that took this one along.
  public func wasTakenAlong(_ member: Member) -> Bool {
    member.plan.movedBy.flatMap { self.member($0) }.map { $0.intents > 0 } ?? false
  }

  /// What goes along with the write of this party: at its first try only. After that what is left is finished one by one, since the
  /// same write again could do more than is missing.
  func takenAlong(by member: Member) -> [Member] {
    guard self.direction == .forward, member.failedTries == 0, member.intents == 0 else { return [] }
    return self.members.filter { $0.plan.movedBy == member.herID && $0.writing == .untouched }
  }

  var allRecordsProven: Bool { self.members.allSatisfy(\.recordProven) }

  var hasOpenConflict: Bool { self.phase == .conflict && self.quarantine == nil }

  /// The phase that the members' entries add up to while the register is being written: kept nowhere else (no second truth).
  var writingPhase: GroupPhase {
    let forward = self.direction == .forward
    if self.members.contains(where: \.isInConflict) { return .conflict }
    if self.members.contains(where: { if case .unknown = $0.writing { true } else { false } }) {
      return forward ? .cutUnknown : .backUnknown
    }
    if self.members.allSatisfy({ $0.writing == .atGoal }) { return forward ? .cutApplied : .backApplied }
    return forward ? .cutIntent : .backIntent
  }

  mutating func revise() { self.revision += 1 }

  mutating func enter(_ phase: GroupPhase, at now: Instant) {
    self.retryAt = nil
    guard phase != self.phase else { return }
    self.phase = phase
    self.since = now
    self.attestedAt = now
    self.forgetAssents()
    self.history.append(Step(phase: phase, at: now))
  }
}
