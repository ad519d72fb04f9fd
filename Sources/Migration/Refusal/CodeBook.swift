// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What each of this room's stable codes means, for somebody who has only the code.
public struct CodeBook: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable {
    /// An order was not carried out; nothing has changed.
    case refused
    /// The group goes no further forward until this is cleared.
    case held
    /// Nothing is done just now.
    case waits
    /// Something stands in the way of a plan.
    case obstacle
    /// Why the light for the way back is not green.
    case wayBack = "way-back"
    /// Something to know before a plan is approved.
    case finding
    /// Something is wrong outside; people are told once when it begins and once when it ends.
    case alarm
    /// What a message is that lies on a queue being left.
    case stranded
  }

  public var code: String
  public var kind: Kind
  public var meaning: String
  /// What ends it, and who.
  public var next: String

  /// - Returns: nil for a code that is none of this room's.
  public static func entry(_ code: String) -> CodeBook? {
    let code = code.uppercased()
    if let refusal = Refusal.Code(rawValue: code) {
      let explanation = Refusal(refusal, tried: "", seen: "").explanation
      return CodeBook(code: code, kind: .refused, meaning: explanation.meaning, next: explanation.next)
    }
    if let obstacle = Obstacle.Code(rawValue: code) {
      let explanation = Obstacle(obstacle, seen: "").explanation
      return CodeBook(code: code, kind: .obstacle, meaning: explanation.meaning, next: explanation.next)
    }
    if let hold = Hold.Code(rawValue: code) {
      return CodeBook(code: code, kind: .held, meaning: hold.meaning, next: Hold(hold, seen: "").next)
    }
    if let finding = PlanFinding.Code(rawValue: code) {
      let explanation = PlanFinding(finding, seen: "").explanation
      return CodeBook(code: code, kind: .finding, meaning: explanation.meaning, next: explanation.next)
    }
    if let reason = WayBack.Reason.Code(rawValue: code) {
      return CodeBook(code: code, kind: .wayBack, meaning: reason.words.meaning, next: reason.words.next)
    }
    if code == StaleSender.code {
      return CodeBook(code: code, kind: .alarm, meaning: StaleSender.meaning, next: StaleSender.next)
    }
    if code == StandingShovel.stayingCode {
      return CodeBook(code: code, kind: .alarm, meaning: StandingShovel.meaning, next: StandingShovel.next)
    }
    if let stranded = StrandedClass.allCases.first(where: { $0.code == code }) {
      return CodeBook(code: code, kind: .stranded, meaning: stranded.meaning, next: stranded.next)
    }
    if code == DrainException.endedCode {
      return CodeBook(code: code, kind: .alarm, meaning: DrainException.endedMeaning, next: DrainException.endedNext)
    }
    if code == HalfMoved.code { return CodeBook(code: code, kind: .held, meaning: HalfMoved.meaning, next: HalfMoved.next) }
    guard let wait = WaitReason.Code(rawValue: code) else { return nil }
    let words = wait.words
    return CodeBook(code: code, kind: .waits, meaning: words.meaning, next: words.next)
  }

  /// Every code there is an entry for.
  public static var codes: [String] {
    Obstacle.Code.allCases.map(\.rawValue) + Refusal.Code.allCases.map(\.rawValue) + Hold.Code.allCases.map(\.rawValue)
      + WaitReason.Code.allCases.map(\.rawValue) + WayBack.Reason.Code.allCases.map(\.rawValue)
      + PlanFinding.Code.allCases.map(\.rawValue) + [
        StaleSender.code, DrainException.endedCode, StandingShovel.stayingCode, HalfMoved.code,
      ]
      + StrandedClass.allCases.map(\.code)
  }
}

extension Hold.Code {
  var meaning: String {
    switch self {
    case .preflightFailed: "A check before the cut failed; nothing has been written."
    case .recordMoved: "The register no longer says what it said when the plan was made; nothing has been written."
    case .pingFailed: "The party's entry is moved, and pings do not show that somebody receives there."
    case .writesDoNotTake: "Writes are answered and the entry still reads as before."
    case .inheritanceLags: "The parent's entry has moved, and an entry that inherits from it has not followed."
    case .queueMissing: "A queue that is being left is gone: mail may have gone with it, and the way back needs it."
    }
  }
}

extension WaitReason.Code {
  /// What the wait is for, and what ends it. How long it takes stands in the status: `looked at again`.
  var words: (meaning: String, next: String) {
    switch self {
    case .notStarted: ("The pulje is sealed and not started.", "Two people approve and start it.")
    case .paused: ("Somebody has paused the pulje.", "Somebody resumes it. Rolling back is allowed meanwhile.")
    case .quietPeriod:
      (
        "The queues being left must stay without arrivals for the policy's quiet period.",
        "It ends by itself when nothing comes; each arrival begins it anew."
      )
    case .watchPeriod: ("The group is watched before anybody may decide.", "It ends by itself at the time in the status.")
    case .countersUnreadable:
      (
        "Counters cannot be read; unreadable counts as not drained.",
        "It ends when the bus answers again: see to bus and credential."
      )
    case .messagesLeft:
      (
        "Messages lie on the queues being left.",
        "It ends when the party's system fetches them. If a sender never leaves the bus it never ends: make an exception (waive)."
      )
    case .retry: ("The last try failed; the next one is not due.", "It is tried again by itself, more and more rarely.")
    case .decision: ("The watch is over.", "Two people accept, or one rolls back.")
    case .pingInterval: ("The last ping did not show that somebody receives.", "It is pinged again by itself.")
    case .deadLettersGrow:
      ("There are more dead letters than before the cut.", "It never ends by itself: the queue's owner deals with them.")
    case .held: ("Something holds the group; its code stands with it.", "A person mends that and resumes the party.")
    case .quarantined: ("The group was taken out of the pulje.", "Somebody readmits it, or rolls it back.")
    case .conflict:
      (
        "Somebody else's hand is on the entry: it is neither what it was nor what it should be and is never written over, or a change "
          + "was made between our look and our write.",
        "Somebody settles with them what shall hold, puts the entry right in the register where it is not, and resumes the party."
      )
    case .conflictElsewhere: ("Another group of the pulje is in conflict.", "Somebody settles it, or quarantines that group.")
    case .byHand: ("The register is written by hand.", "Somebody makes the change as instructed; the read-back sees it.")
    case .nextLook: ("The next look at the counters is not due.", "It comes by itself.")
    case .lineStopped: ("The line is stopped: nothing is written, neither forward nor back.", "Two people release it.")
    case .waveAhead:
      ("An earlier wave goes first.", "It ends when that wave's groups are verified; what they wait for stands with them.")
    case .errorBudget:
      ("More of the wave fails than its budget allows.", "Somebody mends, resumes or rolls back those that fail.")
    case .outsideWindows:
      (
        "The policy's calendar lets no cut-over begin now; what has begun is carried through.",
        "It ends by itself when the next window opens. When none opens within two years somebody mends the calendar in a new plan."
      )
    case .frozen:
      (
        "The policy's calendar has a freeze: nobody is moved; what has begun is carried through, and going back is free.",
        "It ends by itself when the first window after the freeze opens."
      )
    case .testsNotSigned:
      (
        "The party's test protocol is not signed in full.",
        "Somebody tries what is missing and signs it (bus-migrator sign-test)."
      )
    case .hookNotAssented:
      (
        "A program that the pulje asks before this step has vetoed it, or gave no answer.",
        "It is asked again by itself, more and more rarely; see what it said."
      )
    case .forwarding:
      (
        "Messages lie on the queues being left, and the forwarder carries them over.",
        "It ends by itself when they are carried; the count in the status grows."
      )
    case .forwardingStopped:
      (
        "The forwarder has stopped on a queue by what it met there; the code stands with it.",
        "Somebody looks at that code, mends it and resumes the forwarding (bus-migrator drain forward), or ends it."
      )
    case .sendersNotSeen:
      (
        "People answer for a sender's messages, and those that lie there were not looked at since they were counted, or not all of them: they "
          + "may be somebody else's.",
        "It ends by itself with the next look at the messages; where there are more than are looked at, have them carried over."
      )
    case .heldNotCounted:
      (
        "A receiver is attached, and the bus is counted in a way that leaves out what receivers hold: nothing waits, and whether "
          + "something is held is not known.",
        "Name the bus's management interface in the configuration (management; on ActiveMQ the statistics plugin), or have nobody "
          + "attached for the quiet period, our own forwarder included; else somebody answers for the queue (bus-migrator drain except)."
      )
    case .shovelStands:
      (
        "A shovel that was declared to carry this party's messages is not known to be gone: it may carry on by itself.",
        "It is asked for and taken away without end. See that the bus's management interface answers; an order that stands is ended by "
          + "drain forward --stop."
      )
    case .tail:
      (
        "The move is accepted; the source queues are watched and the way back is kept.",
        "Two people retire the party, and later approve that the source queues are deleted."
      )
    }
  }
}
