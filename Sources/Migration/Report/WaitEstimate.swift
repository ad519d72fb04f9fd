// SPDX-License-Identifier: Apache-2.0

/// How long a wait may take, as far as that can be known. Nothing is promised: an instant is the earliest one, and where nothing can
/// be said it says so.
public struct WaitEstimate: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not before ``earliest``, if nothing comes between.
    case earliest
    /// At the pace of the last looks; they may be wrong.
    case atThisPace = "at-this-pace"
    /// When a person has acted.
    case person
    /// It goes on for ever unless somebody acts.
    case never
    /// It ends by itself, and nobody can say when.
    case notKnown = "not-known"
  }

  public var kind: Kind
  public var earliest: Instant?
  public var words: String

  init(_ kind: Kind, _ earliest: Instant? = nil, _ words: String) {
    self.kind = kind
    self.earliest = earliest
    self.words = words
  }

  init(_ wait: WaitReason, group: GroupState, context: GroupContext, now: Instant) {
    let policy = context.policy
    switch wait.code {
    case .quietPeriod:
      let since = group.drain.quietSince ?? now
      let looks = max(0, policy.minimumLooks - group.drain.quietLooks)
      let end = max(
        policy.quietEnd(since: since, seen: group.drain.longestCacheSeen),
        (group.drain.lastLookAt ?? now) + policy.lookInterval * Int64(looks))
      self.init(.earliest, end, "if nothing comes to the queues being left; an arrival begins it anew")
    case .watchPeriod:
      let end = (group.watchSince ?? group.since) + policy.watchPeriod
      self.init(.earliest, end, "then somebody decides; late mail begins drain and watch anew")
    case .messagesLeft, .forwarding: self = Self.emptying(group.drain)
    case .outsideWindows, .frozen:
      switch context.calendar {
      case .outsideWindows(let opens?), .frozen(_, let opens?): self.init(.earliest, opens, "when the next window opens")
      case .open, nil: self.init(.earliest, now, "the window is open")
      default: self.init(.never, nil, "no window opens within two years: the calendar must be mended in a new plan")
      }
    case .waveAhead:
      self.init(
        .notKnown, nil, "when the wave ahead is verified, minutes after its cut-over at best; its groups say what keeps them")
    case .retry, .pingInterval, .nextLook, .hookNotAssented:
      self.init(.earliest, wait.until, "the next try; whether it takes is not known before")
    case .countersUnreadable:
      self.init(.notKnown, nil, "when the bus answers again; it is asked every \(policy.lookInterval)")
    case .sendersNotSeen:
      self.init(.notKnown, nil, "when the messages were looked at; that is tried at each look")
    case .byHand: self.init(.person, nil, "when somebody has made the change in the register; looked at until then")
    case .deadLettersGrow:
      self.init(.never, nil, "dead letters do not go by themselves: somebody deals with them, or answers for them (waive)")
    case .tail:
      let end = group.phase == .retired ? group.since + policy.keepsSource : nil
      self.init(.person, end, end == nil ? "when two people retire the party" : "when two people approve the removal")
    case .shovelStands:
      self.init(.notKnown, nil, "when the bus shows that the shovel is gone; it is asked again and again")
    case .notStarted, .paused, .decision, .held, .quarantined, .conflict, .conflictElsewhere, .lineStopped, .errorBudget,
      .testsNotSigned, .forwardingStopped, .heldNotCounted:
      self.init(.person, nil, "as long as nobody acts")
    }
  }

  /// From two looks at how much lies there: how fast it grows less. What does not grow less is said to be so.
  private static func emptying(_ drain: DrainLedger) -> WaitEstimate {
    guard let before = drain.previousLeftovers, let last = drain.lastLookAt, last > before.at else {
      return WaitEstimate(.notKnown, nil, "one look tells no pace; the next one does")
    }
    let gone = before.count - drain.leftovers
    guard gone > 0 else {
      let seen = "it does not grow less (\(before.count) at \(before.at), \(drain.leftovers) at \(last))"
      return WaitEstimate(.never, nil, "\(seen): somebody must fetch it, or a sender never leaves the bus")
    }
    let left = Double(drain.leftovers) / Double(gone) * Double(last.since(before.at).milliseconds)
    guard left < Double(TimeSpan.days(365).milliseconds) else {
      return WaitEstimate(.notKnown, nil, "at this pace more than a year: somebody must look")
    }
    return WaitEstimate(.atThisPace, last + .milliseconds(Int64(left)), "then the quiet period runs")
  }

  /// In words for a person.
  public var text: String {
    switch self.kind {
    case .earliest: "over \(self.earliest.map { "\($0) at the earliest" } ?? "some time"): \(self.words)"
    case .atThisPace: "over about \(self.earliest.map(\.description) ?? "") at this pace: \(self.words)"
    case .person: "over when a person has acted\(self.earliest.map { ", not before \($0)" } ?? ""): \(self.words)"
    case .never: "NEVER over by itself: \(self.words)"
    case .notKnown: "nobody can say when: \(self.words)"
    }
  }
}
