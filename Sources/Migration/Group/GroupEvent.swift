// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What has happened to a group. Append-only; a case is never renamed or given another meaning, since old databases hold it.
public enum GroupEvent: Sendable, Hashable, Codable {
  /// Every member's entry was read and is as the plan says.
  case planned
  case preflightPassed(report: PreflightReport)
  case preflightFailed(report: PreflightReport, hold: Hold, retryAt: Instant)
  /// Looked at again before the rest of a group is written of which some entries are written already: the target bus stands. `wayBack`
  /// says what of the way back does not; nil when it stands (I-10).
  case restChecked(report: PreflightReport, wayBack: String?)
  case armed
  case attestationExpired
  /// Durable before the call (I-2).
  case intentRecorded(operation: OperationID, herID: HerID, direction: Direction, base: RecordHash, goal: RecordHash)
  case writeReturned(operation: OperationID, herID: HerID, outcome: WriteOutcome)
  /// The entry was read and holds the goal.
  case readAsGoal(herID: HerID, found: RecordHash)
  /// The entry was read and holds what it held before the write.
  case readAsBase(herID: HerID, found: RecordHash, retryAt: Instant)
  case readFailed(herID: HerID, seen: String, retryAt: Instant)
  indirect case conflictFound(herID: HerID, found: PartyRecord)
  case pinged(reports: [PingReport])
  case pingFailed(reports: [PingReport], seen: String, retryAt: Instant)
  case drainBegan
  case looked(readings: [QueueReading])
  case drained
  case lateArrival
  case watchBegan
  case accepted(by: [String])
  case retired(by: [String])
  /// The source queues may be deleted: the end of the way back.
  case removalApproved(by: [String])
  case rollBackStarted(by: String, why: String)
  case restored
  case withdrawn(by: String, why: String)
  case held(hold: Hold)
  case released(by: String)
  case quarantined(by: String, why: String)
  case readmitted(by: String)
  case waived(by: String, why: String, until: Instant)
  /// Somebody says what came of a test of the party's protocol.
  case testSigned(herID: HerID, item: TestItem, passed: Bool, by: String, seen: String)
  /// An operator's program was asked whether the group may be cut over.
  case hookAnswered(hook: String, answer: HookAnswer, retryAt: Instant)
  /// The same at another point of its way; of a roll-back it was told.
  case stepHookAnswered(step: StepHook, answer: HookAnswer, retryAt: Instant)
  /// The target bus while the group is watched: its queues, and pings for a party that is quiet.
  case measured(readings: [QueueReading], pings: [PingReport])
  /// What lies on a queue that is being left, by metadata; not whole when there is more, or when it could not be looked at.
  case sighted(queue: QueueAddress, sightings: [MessageSighting], isWhole: Bool)
  /// Somebody answers for a sender, or for a queue, until a time.
  case excepted(exception: DrainException)
  /// Stranded messages may be carried over, like this.
  case forwardingApproved(order: ForwardingOrder)
  case forwardingPaused(by: String, why: String)
  /// It goes on, and where it had stopped by itself it tries again.
  case forwardingResumed(by: String)
  case forwardingEnded(by: String, why: String)
  /// What the forwarder has done with one queue since its run began; a later total of the same run takes the place of this one.
  case forwarded(queue: QueueAddress, count: ForwardingCount)
  /// The forwarder goes no further on one queue before a person has looked.
  case forwardingStopped(queue: QueueAddress, code: String, seen: String)
  /// A shovel is about to be declared; durable before the bus is asked.
  case shovelIntended(shovel: StandingShovel)
  /// It ought to be gone, and the bus has not shown that it is.
  case shovelStays(node: BusName, name: String, code: String, seen: String)
  /// The bus was asked, and has it no more.
  case shovelGone(node: BusName, name: String)

  /// A stable name for the audit trail.
  public var kind: String {
    switch self {
    case .planned: "planned"
    case .preflightPassed: "preflight-passed"
    case .preflightFailed: "preflight-failed"
    case .restChecked: "rest-checked"
    case .armed: "armed"
    case .attestationExpired: "attestation-expired"
    case .intentRecorded: "intent-recorded"
    case .writeReturned: "write-returned"
    case .readAsGoal: "read-as-goal"
    case .readAsBase: "read-as-base"
    case .readFailed: "read-failed"
    case .conflictFound: "conflict-found"
    case .pinged: "pinged"
    case .pingFailed: "ping-failed"
    case .drainBegan: "drain-began"
    case .looked: "looked"
    case .drained: "drained"
    case .lateArrival: "late-arrival"
    case .watchBegan: "watch-began"
    case .accepted: "accepted"
    case .retired: "retired"
    case .removalApproved: "removal-approved"
    case .rollBackStarted: "roll-back-started"
    case .restored: "restored"
    case .withdrawn: "withdrawn"
    case .held: "held"
    case .released: "released"
    case .quarantined: "quarantined"
    case .readmitted: "readmitted"
    case .waived: "waived"
    case .testSigned: "test-signed"
    case .hookAnswered: "hook-answered"
    case .stepHookAnswered: "step-hook-answered"
    case .measured: "measured"
    case .sighted: "sighted"
    case .excepted: "excepted"
    case .forwardingApproved: "forwarding-approved"
    case .forwardingPaused: "forwarding-paused"
    case .forwardingResumed: "forwarding-resumed"
    case .forwardingEnded: "forwarding-ended"
    case .forwarded: "forwarded"
    case .forwardingStopped: "forwarding-stopped"
    case .shovelIntended: "shovel-intended"
    case .shovelStays: "shovel-stays"
    case .shovelGone: "shovel-gone"
    }
  }
}
