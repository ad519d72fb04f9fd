// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What comes to a group from outside: a result of an action, a person's wish, or the passing of time.
public enum GroupInput: Sendable, Hashable {
  /// The members' entries as they read now.
  case snapshot([PartyRecord])
  case preflight(PreflightReport, retryAt: Instant)
  /// Time has come for whatever is due: an attestation's end, or the next step that needs no outside call.
  case advance
  /// About to write this party's entry, which reads like this now.
  case beginWrite(HerID, observed: PartyRecord)
  case writeReturned(OperationID, WriteOutcome)
  case readBack(PartyRecord, retryAt: Instant)
  case readFailed(HerID, seen: String, retryAt: Instant)
  case pinged([PingReport], retryAt: Instant)
  case looked([QueueReading])
  case rollBack(by: String, why: String)
  case withdraw(by: String, why: String)
  case accept(by: [String])
  case retire(by: [String])
  case approveRemoval(by: [String])
  case waive(by: String, why: String, until: Instant)
  case release(by: String)
  case quarantine(by: String, why: String)
  case readmit(by: String)
  case signTest(HerID, TestItem, passed: Bool, by: String, seen: String)
  case hookAnswered(String, HookAnswer, retryAt: Instant)
  case stepHookAnswered(StepHook, HookAnswer, retryAt: Instant)
  case measured([QueueReading], [PingReport])
  case sighted([QueueSightings])
  case except(DrainException)
  case approveForwarding(ForwardingOrder)
  case pauseForwarding(by: String, why: String)
  case resumeForwarding(by: String)
  case endForwarding(by: String, why: String)
  /// From the forwarder: totals of one run on one queue.
  case forwarded(QueueAddress, ForwardingCount)
  /// From the forwarder: it has stopped on one queue, by the code of what it met.
  case forwardingStopped(QueueAddress, code: String, seen: String)
  /// From who declares shovels: about to, not shown to be gone, gone by reading back.
  case shovelIntended(StandingShovel)
  case shovelStays(node: BusName, name: String, code: String, seen: String)
  case shovelGone(node: BusName, name: String)
}

/// What the pulje lets a group do.
public struct GroupContext: Sendable, Hashable {
  public var pulje: PuljeName
  private var sealedPolicy: Unchanging<Policy>
  public var policy: Policy {
    _read { yield self.sealedPolicy.value }
    set { self.sealedPolicy = Unchanging(newValue) }
  }
  /// Approved and started.
  public var isStarted: Bool
  public var pause: Note?
  /// Another group of the pulje is in conflict: no further cut-over begins until a person has looked.
  public var conflictElsewhere: GroupID?
  /// Stop-the-line: no register write is begun, whichever way.
  public var stop: Note?
  /// The earliest wave before this group's own that is not verified yet.
  public var waveAhead: Int?
  /// Why no further cut-over begins in this wave: more of it fails than the budget allows.
  public var budgetSpent: String?
  /// What the policy's calendar says now; nil for a policy without one.
  public var calendar: CutoverCalendar.Standing?
  /// Of the buses, as they were sealed with the plan; nil in plans from before that.
  public var sourceDialect: Dialect?
  public var targetDialect: Dialect?

  public init(pulje: PuljeName, policy: Policy, isStarted: Bool, pause: Note? = nil, conflictElsewhere: GroupID? = nil) {
    self.init(pulje: pulje, sealed: Unchanging(policy), isStarted: isStarted, pause: pause)
    self.conflictElsewhere = conflictElsewhere
  }

  init(pulje: PuljeName, sealed policy: Unchanging<Policy>, isStarted: Bool, pause: Note?) {
    self.pulje = pulje
    self.sealedPolicy = policy
    self.isStarted = isStarted
    self.pause = pause
  }
}
