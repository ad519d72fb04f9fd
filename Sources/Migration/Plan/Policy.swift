// SPDX-License-Identifier: Apache-2.0

/// How a pulje is to be carried through. Sealed with the plan; every value has a default that suits production.
public struct Policy: Sendable, Hashable, Codable {
  /// What is done with messages that strand on the bus being left (decision Q1).
  public enum Leftovers: String, Sendable, Hashable, Codable, CaseIterable {
    /// They are reported; the party's own system fetches them.
    case report
    /// Our forwarder carries them over, party by party, when somebody has approved it.
    case forward
    /// Somebody else's bridge does it; we only watch.
    case external
  }

  /// How long the queues being left must stay without arrivals: longest register cache + polling + clock skew.
  public var quietPeriod: TimeSpan = .hours(24)
  /// Between two looks at the counters while draining. Three times this without a readable look breaks the quiet.
  public var lookInterval: TimeSpan = .minutes(5)
  /// Looks without arrivals that the quiet period must hold at least.
  public var minimumLooks: Int = 3
  /// How long a drained group is watched before anybody may decide.
  public var watchPeriod: TimeSpan = .days(14)
  /// Between two looks while watching.
  public var watchLookInterval: TimeSpan = .minutes(15)
  /// Failed pings until roll-back is offered (or done, see ``automaticRollback``).
  public var pingTries: Int = 3
  public var pingInterval: TimeSpan = .seconds(30)
  /// Register writes that did not take until the group is held.
  public var writeTries: Int = 5
  /// Roll back without asking when the pings have failed ``pingTries`` times.
  public var automaticRollback: Bool = false
  public var leftovers: Leftovers = .report
  /// Different people who must approve a step forward (decision Q9). Going back needs one.
  public var approvals: Int = 2
  /// Demand that somebody listens on the target bus before the cut, unless the vendor has confirmed its start plan.
  public var consumerBeforeCutover: Bool = true
  /// Demand an answer to the ping; most parties' systems cannot give one yet (decision Q6).
  public var echoRequired: Bool = false
  /// Lives of the attestations.
  public var readyLife: TimeSpan = .minutes(30)
  public var verifiedLife: TimeSpan = .minutes(15)
  public var drainedLife: TimeSpan = .hours(24)

  /// How long the source queues of a retired group are kept before their removal may be approved; nil for 30 days.
  public var sourceKept: TimeSpan?

  /// When cut-overs may begin; nil for any time. A group whose cut-over has begun is carried through: it is never left half moved
  /// until the next window. Going back, reading back, pings and looks go on at any time.
  public var calendar: CutoverCalendar?
  /// Whether the quiet must hold a whole working day as well (08 to 15): a night or Easter is quiet anyhow. nil: it must
  /// when the quiet period is a day or more.
  public var workdayInQuiet: Bool?
  /// What must be tried and signed for each party before it is moved; nil for nothing.
  public var testProtocol: TestProtocol?
  /// Programs of the operator's own that must assent to each group's cut-over, by their names in the configuration; nil for none.
  public var hooks: [String]?
  /// The same at other points of a group's way; nil for none.
  public var stepHooks: [StepHook]?
  /// What is measured on the target bus while a group is watched, and must hold before it is accepted; nil for nothing.
  public var gates: Gates?
  /// Which client libraries parties may run; nil for any.
  public var libraries: LibraryPolicy?
  /// Findings that block the plan; nil for none.
  public var blocks: [PlanFinding.Code]?
  /// How long senders' copies of an address live, as far as vendors declare it; nil when nobody does. The quiet is made as long as
  /// the longest of them needs.
  public var declaredCaches: [DeclaredCache]?

  public init() {}

  /// Those asked, or told, at a point other than the cut.
  func hooks(at point: HookPoint) -> [StepHook] { self.stepHooks?.filter { $0.point == point } ?? [] }

  var keepsSource: TimeSpan { self.sourceKept ?? .days(30) }

  /// The life of the attestation that `phase` is; nil when the phase is a fact.
  func life(of phase: GroupPhase) -> TimeSpan? {
    switch phase {
    // ARMED lives to the end of its window; without windows it lives as READY does.
    case .ready, .armed: self.readyLife
    case .verified, .backVerified: self.verifiedLife
    case .drained, .backDrained: self.drainedLife
    default: nil
    }
  }

  /// When a quiet that began at `since` is long enough.
  ///
  /// - Parameter seen: the oldest copy of an address that a sender was seen to go by.
  func quietEnd(since: Instant, seen: TimeSpan? = nil) -> Instant {
    let needed = self.quietNeeded(seen: seen)
    let end = since + needed
    guard self.workdayInQuiet ?? (needed >= .days(1)) else { return end }
    return max(end, WorkingHours.firstPassed(after: since))
  }

  var longestLookGap: TimeSpan { self.lookInterval * 3 }
  var longestWatchGap: TimeSpan { max(self.watchLookInterval, self.lookInterval) * 3 }
}
