// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One fact in the append-only history of all puljer.
public enum MigrationEvent: Sendable, Hashable, Codable {
  // A plan is large: held beside the others it would make every event as large.
  indirect case puljeSealed(plan: Plan, by: String)
  case puljeStarted(pulje: PuljeName, approvals: [String])
  case puljePaused(pulje: PuljeName, by: String, why: String)
  case puljeResumed(pulje: PuljeName, by: String)
  case group(pulje: PuljeName, group: GroupID, event: GroupEvent)
  /// The daemon has started: attestations from before count no more.
  case daemonStarted
  case lineStopped(by: String, why: String)
  case lineReleased(by: [String])
  /// The very end of a bus, with what was seen of it: nobody moves to or from it any more.
  indirect case busClosed(closing: BusClosing, by: [String])
  /// A person's command; what it brought about follows it.
  indirect case commanded(record: CommandRecord)

  /// Which world the history is of, from its first start on: those of another are refused.
  case environmentNamed(name: String)

  /// The highest version of the events' written form that this program knows. A reader that meets a higher one stops (I-16).
  public static let version = 7

  /// The version in which this event came to be: a row is written with it, so that an older program stops at the first row it
  /// does not know, and not before.
  public var version: Int {
    switch self {
    case .group(_, _, .restChecked), .group(_, _, .stepHookAnswered): 7
    // A plan with a veto that an older program would not heed.
    case .puljeSealed(let plan, _) where plan.policy.stepHooks != nil: 7
    case .environmentNamed: 6
    case .commanded: 5
    case .group(_, _, let event) where event.isOfVersion4: 4
    case .puljeSealed(let plan, _) where plan.isOfVersion4: 4
    case .busClosed, .group(_, _, .testSigned), .group(_, _, .hookAnswered), .group(_, _, .measured): 3
    case .lineStopped, .lineReleased, .group(_, _, .removalApproved): 2
    // A plan means more than an older program would carry out.
    case .puljeSealed(let plan, _) where plan.policy.testProtocol != nil || plan.policy.hooks != nil || plan.policy.gates != nil:
      3
    case .puljeSealed(let plan, _): plan.waves == nil && plan.policy.sourceKept == nil ? 1 : 2
    default: 1
    }
  }

  public var pulje: PuljeName? {
    switch self {
    case .puljeSealed(let plan, _): plan.name
    case .puljeStarted(let pulje, _), .puljePaused(let pulje, _, _), .puljeResumed(let pulje, _), .group(let pulje, _, _): pulje
    case .commanded(let record): record.pulje
    case .daemonStarted, .lineStopped, .lineReleased, .busClosed, .environmentNamed: nil
    }
  }

  /// A stable name for the audit trail.
  public var kind: String {
    switch self {
    case .puljeSealed: "pulje.sealed"
    case .puljeStarted: "pulje.started"
    case .puljePaused: "pulje.paused"
    case .puljeResumed: "pulje.resumed"
    case .group(_, _, let event): "group.\(event.kind)"
    case .daemonStarted: "daemon.started"
    case .lineStopped: "line.stopped"
    case .lineReleased: "line.released"
    case .busClosed: "bus.closed"
    case .commanded: "command.given"
    case .environmentNamed: "environment.named"
    }
  }
}

extension GroupEvent {
  /// A case of its own, or readings that say more than an older program would take in.
  fileprivate var isOfVersion4: Bool {
    switch self {
    case .sighted, .excepted, .forwardingApproved, .forwardingPaused, .forwardingResumed, .forwardingEnded, .forwarded,
      .forwardingStopped, .shovelIntended, .shovelStays, .shovelGone:
      true
    case .looked(let readings), .measured(let readings, _): readings.contains { $0.figures != nil }
    case .preflightPassed(let report), .preflightFailed(let report, _, _): report.baseline.contains { $0.figures != nil }
    default: false
    }
  }
}

extension Plan {
  fileprivate var isOfVersion4: Bool {
    self.sourceDialect != nil || self.targetDialect != nil || self.policy.declaredCaches != nil
      || self.policy.leftovers == .forward
  }
}
