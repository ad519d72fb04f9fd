// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// A "no" with a code. Nothing has changed.
public struct Refusal: ExplainedError, Hashable, Codable {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    case notInThisPhase = "MIG-201"
    case unknownParty = "MIG-202"
    case planBlocked = "MIG-203"
    case tooFewApprovals = "MIG-204"
    case unknownPulje = "MIG-205"
    case planChanged = "MIG-206"
    case nameUsed = "MIG-207"
    case alreadyStarted = "MIG-208"
    case notStarted = "MIG-209"
    case nothingToRollBack = "MIG-210"
    case alreadyGoingBack = "MIG-211"
    case sourceMayBeClosed = "MIG-212"
    case pauseUnchanged = "MIG-213"
    case held = "MIG-214"
    case quarantined = "MIG-215"
    case watchNotOver = "MIG-216"
    case gateInconclusive = "MIG-217"
    case otherOperation = "MIG-219"
    case inOpenPulje = "MIG-220"
    case recordNotProven = "MIG-221"
    case nothingDue = "MIG-222"
    case paused = "MIG-223"
    case nobodyNamed = "MIG-224"
    case conflict = "MIG-225"
    case conflictElsewhere = "MIG-226"
    case notHeld = "MIG-227"
    case untilPassed = "MIG-228"
    case resolveFirst = "MIG-229"
    case incomplete = "MIG-230"
    case notWritten = "MIG-231"
    case lineStopped = "MIG-232"
    case waveAhead = "MIG-233"
    case errorBudgetSpent = "MIG-234"
    case outsideWindows = "MIG-235"
    case noSuchTest = "MIG-236"
    case testsNotSigned = "MIG-237"
    case gateFailed = "MIG-238"
    case hookNotAssented = "MIG-239"
    case busInUse = "MIG-240"
    case busClosed = "MIG-241"
    case preflightStale = "MIG-242"
    case forwardingNotAsked = "MIG-243"
    case forwardingUnsound = "MIG-244"
    case noForwarding = "MIG-245"
    case exceptionNotShown = "MIG-246"
    case shovelStands = "MIG-247"
    case exceptionUnbound = "MIG-248"
  }

  public var code: Code
  /// What was asked for.
  public var tried: String
  public var seen: String

  public init(_ code: Code, tried: String, seen: String) {
    self.code = code
    self.tried = tried
    self.seen = seen
  }

  public var stableCode: String { self.code.rawValue }

  public var explanation: Explanation {
    let (meaning, next) = Self.words[self.code] ?? ("It was refused.", "Look at the status.")
    return Explanation(
      tried: self.tried, seen: self.seen, meaning: meaning, next: next,
      owner: self.code == .otherOperation || self.code == .nothingDue ? .tjenestebuss : .caller)
  }

  static let words: [Code: (meaning: String, next: String)] = [
    .notInThisPhase: ("That cannot happen where the group stands.", "Look at the status; nothing has changed."),
    .unknownParty: ("The pulje has no such party.", "Check the HER-ID against the status."),
    .planBlocked: ("Something stands in the way of the plan.", "Remove the obstacles that plan lists, then try again."),
    .tooFewApprovals: ("A step forward needs more people than approved it.", "Name that many different people."),
    .unknownPulje: ("There is no pulje of that name.", "Look at the status for the names."),
    .planChanged: ("What was approved is not what would be done now.", "Plan again, look at the difference, approve that."),
    .nameUsed: ("A pulje's name is used once: a plan is spent once.", "Give the pulje another name."),
    .alreadyStarted: ("The pulje has been started.", "Nothing: it runs."),
    .notStarted: ("The pulje has not been approved and started.", "Start it."),
    .nothingToRollBack: ("Nothing has been written for this group.", "Withdraw it instead."),
    .alreadyGoingBack: ("The group is on its way back, or back already.", "Nothing: follow the status."),
    .sourceMayBeClosed: (
      "The group is retired; its source queues may be closed.", "Have the source queues opened again, by those who run the bus."
    ),
    .pauseUnchanged: ("It is so already.", "Nothing."),
    .held: ("The group is held.", "Mend what holds it and resume the party, or roll it back."),
    .quarantined: ("The group is out of the pulje.", "Readmit it, or roll it back."),
    .watchNotOver: ("The watch period is not over.", "Wait until the time that the status shows."),
    .gateInconclusive: (
      "The counters do not show that nothing is left; silence is not success.", "Look at the drain in the status."
    ),
    .otherOperation: ("The answer belongs to another write than the open one.", "Nothing: the read-back decides."),
    .inOpenPulje: ("Two puljer must not touch one party.", "Finish, roll back or withdraw the other pulje first."),
    .recordNotProven: ("A register entry has not been read as it should be since the start.", "Wait for the read-back."),
    .nothingDue: ("Nothing is due.", "Nothing."),
    .paused: ("The pulje is paused: no step forward is made.", "Resume it, or roll back: that is allowed while paused."),
    .nobodyNamed: ("Every decision has a name to it.", "Say who you are."),
    .conflict: (
      "The register holds neither the record from before nor the one from after; it is never written over.",
      "Have the entry put right in the register, then resume the party: it is read again."
    ),
    .conflictElsewhere: (
      "Another group of the pulje is in conflict; no further cut-over begins.", "Settle it, or quarantine that group."
    ),
    .notHeld: ("Nothing holds the group.", "Nothing."),
    .untilPassed: ("An exception needs an end in the future.", "Give a later date."),
    .resolveFirst: ("A write's outcome is not known yet.", "Wait for the read-back."),
    .incomplete: ("Not every member was looked at.", "Nothing: it is tried again."),
    .lineStopped: (
      "The line is stopped: no register entry is written, neither forward nor back.",
      "Find out why; then two people release the line."
    ),
    .waveAhead: ("An earlier wave is not verified yet.", "Wait for it; or quarantine or roll back what keeps it."),
    .errorBudgetSpent: (
      "More of this wave fails than its budget allows.", "Mend, resume or roll back the parties whose pings fail."
    ),
    .outsideWindows: (
      "The pulje's calendar lets no cut-over begin now.",
      "Wait for the time that the status shows; going back is free at any time."
    ),
    .noSuchTest: ("The pulje's test protocol has no such item.", "Name one of those that the status shows."),
    .testsNotSigned: (
      "Not everything of the party's test protocol is signed.", "Try it, and sign what came of it (bus-migrator sign-test)."
    ),
    .gateFailed: (
      "What was measured on the target bus is worse than the pulje's gates allow.",
      "Find out why with the vendor; the gate opens when it measures well, or roll back."
    ),
    .hookNotAssented: (
      "A program that the pulje asks has not assented to the step; silence is not assent.",
      "See what it said in the status; it is asked again by itself."
    ),
    .busInUse: (
      "The bus is in use, leads back, or could not be looked at in full: it is not closed.",
      "End what is named; what could not be looked at must be made readable."
    ),
    .busClosed: ("The bus was closed for good: nobody moves to or from it.", "Move by another bus."),
    .preflightStale: ("The pre-flight is too old to write on.", "Nothing: it is made anew first."),
    .forwardingNotAsked: (
      "The pulje's policy has nobody carry over what strands.", "Plan with leftovers: forward, or have the party fetch it."
    ),
    .forwardingUnsound: (
      "The order cannot be carried out as it stands, or the count cannot be right.", "Correct what is named."
    ),
    .noForwarding: ("No forwarding order stands for the group in this direction.", "Have one approved first."),
    .exceptionUnbound: (
      "The last look did not count what lies there: such an exception would answer for whatever it is.",
      "Wait for a look that counts it; or answer for the whole group (bus-migrator waive)."
    ),
    .shovelStands: (
      "A shovel that was declared to carry messages is not known to be gone: it may carry on by itself.",
      "See that the bus's management interface answers: the daemon goes on asking for it and taking it away."
    ),
    .exceptionNotShown: (
      "Nobody could tell whose message lies there: such an exception would answer for nothing, or for everything.",
      "Name the queue in place of the sender."
    ),
    .notWritten: ("This party inherits its queues; it is moved by moving its parent.", "Nothing."),
  ]
}

/// What a decision comes to: facts to be made durable, or a refusal.
public enum Decision<Event: Sendable & Hashable>: Sendable, Hashable {
  case events([Event])
  case refused(Refusal)

  public var events: [Event] { if case .events(let events) = self { events } else { [] } }
  public var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}
