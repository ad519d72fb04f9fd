// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A group as a board of thousands shows it: where it stands, what it waits for, whether there is a way back. Nothing long, and nothing that
/// changes without the group having changed, or time.
public struct GroupGlance: Sendable, Hashable, Codable {
  /// Who has the next move.
  public enum Turn: String, Sendable, Hashable, Codable, CaseIterable {
    /// Something is being carried out.
    case work
    /// It goes on by itself when a time has come.
    case time
    /// It goes on when another group has.
    case other
    case person
    /// Nothing more is to be done.
    case done
  }

  /// Messages of one class and one sender on the bus that is being left.
  public struct Late: Sendable, Hashable, Codable {
    public var strandedClass: StrandedClass
    public var code: String
    /// nil: it names none, or it was not looked at.
    public var sender: HerID?
    public var vendor: String?
    public var count: Int64
  }

  public var phase: GroupPhase
  public var since: Instant
  public var direction: Direction
  public var turn: Turn
  /// What is carried out, in a word; nil while it waits or is done.
  public var doing: String?
  public var wait: WaitReason.Code?
  public var waitSince: Instant?
  /// How long the wait may take; there with every wait.
  public var estimate: WaitEstimate.Kind?
  public var earliest: Instant?
  public var hold: Hold.Code?
  public var isQuarantined: Bool
  public var light: WayBack.Light
  /// Why the light is not green.
  public var reasons: [WayBack.Reason.Code]
  /// Messages on the queues being left, dead letters apart; nil when nobody has looked, or could not read.
  public var left: Int64?
  /// Messages on the queues of the bus it has gone to, where they are measured.
  public var arrived: Int64?
  public var lateArrivals: Int
  public var late: [Late]
  /// Codes of what is wrong with it or waits for a person, as ``StandingCondition`` has them.
  public var standing: [String]
  public var pingFailures: Int
  public var pingedAt: Instant?

  /// No glance is older than this, whatever it was made of.
  static let life = TimeSpan.minutes(10)

  /// - Parameter until: set to when it is to be made anew though the group has not changed.
  init(
    _ group: GroupState, next: GroupNext, wayBack: WayBack, standing: [String], context: GroupContext, vendor: (HerID) -> String?,
    now: Instant, until: inout Instant
  ) {
    self.phase = group.phase
    self.since = group.since
    self.direction = group.direction
    until = now + Self.life
    switch next {
    case .act(let action):
      self.turn = .work
      self.doing = action.word
    case .wait(let reason):
      self.turn = reason.clears == .person ? .person : reason.clears == .other ? .other : .time
      self.wait = reason.code
      self.waitSince = reason.since
      let estimate = WaitEstimate(reason, group: group, context: context, now: now)
      self.estimate = estimate.kind
      self.earliest = estimate.earliest
      if let end = reason.until { until = min(until, end) }
    case .done: self.turn = .done
    }
    self.hold = group.hold?.code
    self.isQuarantined = group.quarantine != nil
    self.light = wayBack.light
    var reasons: [WayBack.Reason.Code] = []
    for reason in wayBack.reasons where !reasons.contains(reason.code) { reasons.append(reason.code) }
    self.reasons = reasons
    let drain = group.drain
    self.left = drain.watermark != nil && drain.lastIsReadable ? drain.leftovers : nil
    let measured = group.gates.last.filter { $0.kind != .deadLetter }
    self.arrived = measured.isEmpty || !measured.allSatisfy(\.isReadable) ? nil : measured.reduce(0) { $0 + ($1.depth ?? 0) }
    self.lateArrivals = drain.lateArrivals
    let stranded =
      drain.watermark == nil || drain.leftovers == 0 && drain.newDeadLetters == 0
      ? [] : drain.stranded(policy: context.policy, dialect: context.sourceDialect, now: now, vendor: vendor)
    self.late = Self.late(stranded)
    self.standing = standing
    self.pingFailures = group.pingFailures
    self.pingedAt = group.pingedAt
    if let proven = drain.lastReadableAt {
      let end = proven + WayBack.proofLife + .milliseconds(1)
      if end > now { until = min(until, end) }
    }
    until = max(until, now + .seconds(1))
  }

  /// One line for a class and a sender, whatever queues of the group they lie on.
  private static func late(_ findings: [StrandedFinding]) -> [Late] {
    var late: [Late] = []
    for finding in findings {
      if let place = late.firstIndex(where: { $0.strandedClass == finding.strandedClass && $0.sender == finding.sender?.herID }) {
        late[place].count += finding.count
      } else {
        late.append(
          Late(
            strandedClass: finding.strandedClass, code: finding.code, sender: finding.sender?.herID,
            vendor: finding.sender?.vendor, count: finding.count))
      }
    }
    return late
  }
}
