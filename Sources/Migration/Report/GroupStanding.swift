// SPDX-License-Identifier: Apache-2.0

/// What is wrong with one group, or waits for a person, at one instant: the one place that says so, for messages, figures and the dashboard.
struct GroupStanding: Sendable, Hashable {
  /// What it waits for, where that is worth telling.
  private var waiting: StandingCondition?
  /// What stands whatever it waits for.
  private var others: [StandingCondition] = []
  /// What keeps its whole pulje: one word from a person ends it for all.
  private(set) var ofPulje: WaitReason?
  /// Something is being done for it just now, a look among it: whether what it waited for stands still shows when that is done.
  private(set) var isActing = false

  var conditions: [StandingCondition] { (self.waiting.map { [$0] } ?? []) + self.others }
  /// Codes of all that stands, each once.
  var codes: [String] {
    let codes = self.conditions.map(\.key.code)
    return codes.indices.filter { codes.firstIndex(of: codes[$0]) == $0 }.map { codes[$0] }
  }

  init(_ group: GroupState, of pulje: PuljeName, next: GroupNext, wayBack: WayBack, context: GroupContext, now: Instant) {
    func condition(_ code: String, _ weight: StandingCondition.Weight, since: Instant, _ seen: String) -> StandingCondition {
      StandingCondition(.init(code: code, pulje: pulje, group: group.id), weight: weight, since: since, seen: seen)
    }
    if !group.phase.isClosed {
      switch next {
      case .act: self.isActing = true
      case .done: break
      case .wait(let wait):
        if wait.code.isOfPulje {
          // The line and the pause stand for themselves.
          if wait.code != .lineStopped, wait.code != .paused { self.ofPulje = wait }
        } else if let weight = wait.weight(group: group, context: context, now: now) {
          // A hold is told by its own code: that says what to do.
          let code = wait.code == .held ? group.hold?.code.rawValue : nil
          self.waiting = condition(code ?? wait.code.rawValue, weight, since: wait.since, wait.seen)
        }
      }
    }
    // What was accepted is still looked at, and can still be turned.
    if let stale = group.drain.staleSender, stale.endedAt == nil {
      let queues = stale.queues.map(\.description).joined(separator: ", ")
      self.others.append(condition(StaleSender.code, .alarm, since: stale.since, "messages keep coming to \(queues)"))
    }
    if let words = HalfMoved.words(group, next: next) {
      self.others.append(condition(HalfMoved.code, .alarm, since: group.since, words))
    }
    // Asked for again and again, so it may clear itself. Where the group waits for just that it is told as its wait.
    if self.waiting?.key.code != WaitReason.Code.shovelStands.rawValue,
      let shovel = group.shovels.first(where: { $0.staying != nil })
    {
      let since = shovel.staying?.since ?? group.since
      self.others.append(condition(StandingShovel.stayingCode, .warning, since: since, shovel.words))
    }
    if wayBack.light == .red, group.phase != .removed, let reason = wayBack.reasons.first(where: \.code.closesTheWay) {
      self.others.append(
        condition(reason.code.rawValue, .alarm, since: group.since, "there is no way back: \(reason.seen)"))
    }
  }

  /// While something is done for it, what may clear itself is taken to stand as it did. What a person ends has ended when something is done.
  mutating func keepWaiting(_ earlier: GroupStanding) {
    if self.isActing, earlier.waiting?.weight == .warning { self.waiting = earlier.waiting }
  }
}

extension WaitReason.Code {
  /// Of the pulje as a whole: its groups wait for the same, and one word from a person ends it for all.
  fileprivate var isOfPulje: Bool {
    switch self {
    case .notStarted, .paused, .lineStopped, .errorBudget, .decision: true
    default: false
    }
  }
}

extension WaitReason {
  /// What a group's wait is worth telling; nil for one that is as it should be.
  fileprivate func weight(group: GroupState, context: GroupContext, now: Instant) -> StandingCondition.Weight? {
    switch self.code {
    // Told by what it waits for: the conflict itself, the pulje's own, the approval that nobody is kept back by.
    case .conflictElsewhere, .tail, .notStarted, .paused, .lineStopped, .errorBudget, .decision: return nil
    // The plan's own course; where no calendar ever opens again somebody has to say when.
    case .quietPeriod, .watchPeriod, .pingInterval, .nextLook, .outsideWindows, .frozen, .waveAhead, .forwarding,
      .hookNotAssented, .testsNotSigned, .quarantined:
      return self.clears == .person ? .person : nil
    case .byHand: return .person
    case .held: return self.clears == .itself ? .warning : .alarm
    case .conflict, .deadLettersGrow, .forwardingStopped: return .alarm
    case .messagesLeft:
      // What grows less heals itself; what does not, never.
      return WaitEstimate(self, group: group, context: context, now: now).kind == .never ? .warning : nil
    case .countersUnreadable, .retry, .shovelStands, .heldNotCounted, .sendersNotSeen:
      return self.clears == .person ? .alarm : .warning
    }
  }
}
