// SPDX-License-Identifier: Apache-2.0

import BusModel

extension GroupState {
  public typealias Outcome = Decision<GroupEvent>

  /// What `input` comes to in this state: events, or a refusal with a code. Every phase answers every input.
  public func decide(_ input: GroupInput, in context: GroupContext, now: Instant) -> Outcome {
    switch input {
    case .snapshot(let records): self.decideSnapshot(records, context)
    case .preflight(let report, let retryAt): self.decidePreflight(report, retryAt, context)
    case .advance: self.decideAdvance(context, now)
    case .beginWrite(let herID, let observed): self.decideBeginWrite(herID, observed, context, now)
    case .writeReturned(let operation, let outcome): self.decideWriteReturned(operation, outcome)
    case .readBack(let record, let retryAt): self.decideReadBack(record, retryAt, context)
    case .readFailed(let herID, let seen, let retryAt): self.decideReadFailed(herID, seen, retryAt)
    case .pinged(let reports, let retryAt): self.decidePinged(reports, retryAt, context)
    case .looked(let readings): self.decideLooked(readings, context, now)
    case .rollBack(let by, let why): self.decideRollBack(by, why)
    case .withdraw(let by, let why): self.decideWithdraw(by, why)
    case .accept(let by): self.decideAccept(by, context, now)
    case .retire(let by): self.decideRetire(by, context, now)
    case .approveRemoval(let by): self.decideRemoval(by, context, now)
    case .waive(let by, let why, let until): self.decideWaive(by, why, until, now)
    case .release(let by): self.decideRelease(by)
    case .quarantine(let by, let why): self.decideQuarantine(by, why)
    case .readmit(let by): self.decideReadmit(by)
    case .signTest(let herID, let item, let passed, let by, let seen):
      self.decideSignTest(herID, item, passed: passed, by: by, seen: seen, context)
    case .hookAnswered(let hook, let answer, let retryAt): self.decideHookAnswered(hook, answer, retryAt, context)
    case .stepHookAnswered(let step, let answer, let retryAt): self.decideStepHook(step, answer, retryAt, context, now)
    case .measured(let readings, let pings): self.decideMeasured(readings, pings, context)
    case .sighted(let found): self.decideSighted(found, context, now)
    case .except(let exception): self.decideExcept(exception, context, now)
    case .approveForwarding(let order): self.decideApproveForwarding(order, context)
    case .pauseForwarding(let by, let why): self.decidePauseForwarding(by, why)
    case .resumeForwarding(let by): self.decideResumeForwarding(by, context)
    case .endForwarding(let by, let why): self.decideEndForwarding(by, why)
    case .forwarded(let queue, let count): self.decideForwarded(queue, count)
    case .forwardingStopped(let queue, let code, let seen): self.decideForwardingStopped(queue, code, seen)
    case .shovelIntended(let shovel): self.decideShovelIntended(shovel, context)
    case .shovelStays(let node, let name, let code, let seen): self.decideShovelStays(node, name, code, seen)
    case .shovelGone(let node, let name): self.decideShovelGone(node, name)
    }
  }

  func refuse(_ code: Refusal.Code, _ tried: String, _ seen: String? = nil) -> Outcome {
    .refused(Refusal(code, tried: "\(tried) of \(self.id)", seen: seen ?? "it is \(self.phase.rawValue)"))
  }

  /// The first of the conditions that keep a group from a step forward; each is one of its own.
  func forwardRefusal(_ tried: String, _ context: GroupContext) -> Outcome? {
    if let stop = context.stop { return self.refuse(.lineStopped, tried, "stopped by \(stop.by): \(stop.why)") }
    if !context.isStarted { return self.refuse(.notStarted, tried, "pulje \(context.pulje) is not started") }
    if let pause = context.pause { return self.refuse(.paused, tried, "paused by \(pause.by): \(pause.why)") }
    if let hold = self.hold, !hold.clearsItself { return self.refuse(.held, tried, "\(hold.code.rawValue): \(hold.seen)") }
    if let note = self.quarantine { return self.refuse(.quarantined, tried, "by \(note.by): \(note.why)") }
    return nil
  }

  /// What keeps a cut-over from beginning, and from going on to the group's next party; each condition is one of its own.
  func cutRefusal(_ tried: String, _ context: GroupContext) -> Outcome? {
    if let other = context.conflictElsewhere { return self.refuse(.conflictElsewhere, tried, "\(other) is in conflict") }
    if let wave = context.waveAhead { return self.refuse(.waveAhead, tried, "wave \(wave) is not verified") }
    if let spent = context.budgetSpent { return self.refuse(.errorBudgetSpent, tried, spent) }
    if self.members.allSatisfy({ $0.writing == .untouched }), let missing = self.testsMissing(context.policy) {
      return self.refuse(.testsNotSigned, tried, missing)
    }
    if let standing = self.closedCalendar(context) { return self.refuse(.outsideWindows, tried, standing.words) }
    return nil
  }

  /// What the calendar says when it keeps this group back; nil when it does not, and once the first of the group's entries is
  /// begun: half a group is not left standing until the next window.
  func closedCalendar(_ context: GroupContext) -> CutoverCalendar.Standing? {
    guard let standing = context.calendar, !standing.isOpen else { return nil }
    return self.heedsCalendar ? standing : nil
  }

  /// Its cut-over has not begun, or is to begin anew since no write took.
  var heedsCalendar: Bool {
    switch self.phase {
    case .planned, .ready, .armed: true
    case .cutIntent: self.isUnwritten
    default: false
    }
  }

  /// No entry is written in the present direction, nor may be.
  var isUnwritten: Bool { self.members.allSatisfy { $0.writing == .untouched } }

  /// Some of its entries are moved, or may be, and others are not: its parties' mail goes to two buses.
  var isHalfMoved: Bool { self.phase == .cutIntent && !self.isUnwritten && self.nextToWrite != nil }

  /// Whether the pre-flight that the cut-over rests on is too old to write on. Where no write took, or where something stood between two
  /// writes, that may be days: what it showed then says nothing of the target bus nor of the way back now (I-10).
  func isPreflightStale(_ now: Instant, _ policy: Policy) -> Bool {
    guard self.phase == .cutIntent else { return false }
    guard let preflightAt = self.preflightAt else { return true }
    let age = now.since(preflightAt)
    return age > policy.readyLife || age.milliseconds < 0
  }

  // MARK: up to the cut

  private func decideSnapshot(_ records: [PartyRecord], _ context: GroupContext) -> Outcome {
    let tried = "take the snapshot"
    guard self.phase == .known else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    for member in self.members {
      guard let record = records.first(where: { $0.herID == member.herID }) else {
        return self.refuse(.incomplete, tried, "HER-ID \(member.herID) was not read")
      }
      let found = record.hash
      if found != member.beforeHash {
        let differences = EntryDifference.between(member.plan.before, record).map(\.description).joined(separator: "; ")
        let seen = "HER-ID \(member.herID) is not what it was when planned: \(differences)"
        return .events([.held(hold: Hold(.recordMoved, seen: seen))])
      }
    }
    return .events([.planned])
  }

  private func decidePreflight(_ report: PreflightReport, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let tried = "pass the pre-flight"
    let isHalfMoved = self.isHalfMoved && !self.members.contains(where: \.isUnresolved)
    guard self.phase == .planned || self.phase == .ready || self.phase == .cutIntent && self.isUnwritten || isHalfMoved else {
      return self.refuse(.notInThisPhase, tried)
    }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    if isHalfMoved { return self.decideRestChecked(report, retryAt, context) }
    let confirmed = self.members.allSatisfy(\.plan.startConfirmed)
    guard let obstacle = report.obstacle(startConfirmed: confirmed, policy: context.policy) else {
      return .events([.preflightPassed(report: report)])
    }
    let hold = Hold(.preflightFailed, seen: "\(obstacle.check.rawValue): \(obstacle.seen)", clearsItself: true)
    return .events([.preflightFailed(report: report, hold: hold, retryAt: retryAt)])
  }

  /// Before the rest of a half-moved group is written. Where the target bus does not stand nothing is: it waits, loudly, and where the
  /// policy turns back by itself and there is a way back it does. Where only the way back is broken the rest is written and people are told:
  /// to leave the group as it is, with its mail on two buses of which one cannot be used, helps no patient, and turning back what is
  /// written leads to just the bus that does not stand.
  private func decideRestChecked(_ report: PreflightReport, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let wayBack = report.wayBackObstacle
    guard let obstacle = report.restObstacle else { return .events([.restChecked(report: report, wayBack: wayBack)]) }
    let seen = "some of its entries are moved, and the rest cannot be: \(obstacle.check.rawValue): \(obstacle.seen)"
    let hold = Hold(.preflightFailed, seen: seen, clearsItself: true)
    let failed = GroupEvent.preflightFailed(report: report, hold: hold, retryAt: retryAt)
    let tries = self.preflightFailures + 1
    guard context.policy.automaticRollback, wayBack == nil, tries >= context.policy.pingTries else { return .events([failed]) }
    return .events([failed, .rollBackStarted(by: "policy", why: "\(tries) times: \(seen)")])
  }

  private func decideAdvance(_ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "take the next step"
    if self.isExpired(now: now, policy: context.policy) { return .events([.attestationExpired]) }
    switch self.phase {
    case .ready:
      if let refusal = self.forwardRefusal(tried, context) { return refusal }
      if let refusal = self.cutRefusal(tried, context) { return refusal }
      if let hook = self.unassented(context.policy) {
        return self.refuse(.hookNotAssented, tried, "\(hook) \(self.hookAnswers[hook]?.words ?? "was not asked yet")")
      }
      return .events([.armed])
    case .drained:
      if let refusal = self.hookRefusal(tried, .drained, context, now) { return refusal }
      return .events([.watchBegan])
    case .backDrained:
      guard self.allRecordsProven else { return self.refuse(.recordNotProven, tried, "not every entry is read back") }
      return .events([.restored])
    default:
      return self.refuse(.nothingDue, tried)
    }
  }

  // MARK: decisions of people

  private func decideRollBack(_ by: String, _ why: String) -> Outcome {
    let tried = "start the roll-back"
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name") }
    switch self.phase {
    case .known, .planned, .ready, .armed, .withdrawn: return self.refuse(.nothingToRollBack, tried)
    case .backIntent, .backUnknown, .backApplied, .backVerified, .backDraining, .backDrained, .restored:
      return self.refuse(.alreadyGoingBack, tried)
    case .removed: return self.refuse(.sourceMayBeClosed, tried)
    case .conflict where self.direction == .back: return self.refuse(.alreadyGoingBack, tried)
    case .retired where self.drain.last.contains(where: \.isMissing):
      return self.refuse(.sourceMayBeClosed, tried, "a source queue is gone")
    // In conflict nothing is written over on the way back either: the entry is read first, and what is strange stays strange.
    case .cutIntent, .cutUnknown, .cutApplied, .verified, .draining, .drained, .observing, .accepted, .retired, .conflict:
      return .events([.rollBackStarted(by: by, why: why)])
    }
  }

  private func decideWithdraw(_ by: String, _ why: String) -> Outcome {
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, "withdraw", "no name") }
    guard self.phase.isBeforeCut else { return self.refuse(.notInThisPhase, "withdraw") }
    return .events([.withdrawn(by: by, why: why)])
  }

  private func decideAccept(_ by: [String], _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "accept the move"
    guard self.phase == .observing, let since = self.watchSince else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = Approval.refusal(of: by, policy: context.policy, tried: tried) { return .refused(refusal) }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    let end = since + context.policy.watchPeriod
    if now < end { return self.refuse(.watchNotOver, tried, "the watch runs until \(end)") }
    if !self.allRecordsProven { return self.refuse(.recordNotProven, tried, "not every entry is read back since the start") }
    if let refusal = self.shovelRefusal(tried) { return refusal }
    if let seen = self.inconclusive(now, context.policy) { return self.refuse(.gateInconclusive, tried, seen) }
    if let refusal = self.gateRefusal(tried, context, now) { return refusal }
    if let refusal = self.hookRefusal(tried, .accept, context, now) { return refusal }
    return .events([.accepted(by: by)])
  }

  /// Why the last look does not speak for the group; nil when it does, or somebody answers for it.
  private func inconclusive(_ now: Instant, _ policy: Policy) -> String? {
    guard self.drain.lastIsReadable, let last = self.drain.lastReadableAt else { return "the counters are not readable" }
    let age = now.since(last)
    if age > policy.longestWatchGap || age.milliseconds < 0 { return "the last look is from \(last)" }
    // An exception answers for what is found there, not for what cannot be seen: the way back must be known to stand (I-10).
    if self.drain.liveException(now: now) != nil { return nil }
    if self.drain.hasUnanswered(now: now) { return "messages lie on the queues that are being left" }
    if !self.drain.hidingHeld(self.drain.last, now: now).isEmpty { return self.drain.words(.heldNotCounted, policy: policy).text }
    return nil
  }

  private func decideRetire(_ by: [String], _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "retire"
    guard self.phase == .accepted else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = Approval.refusal(of: by, policy: context.policy, tried: tried) { return .refused(refusal) }
    if let refusal = self.forwardRefusal(tried, context) ?? self.shovelRefusal(tried) { return refusal }
    if let seen = self.notShownEmpty(now, context.policy) { return self.refuse(.gateInconclusive, tried, seen) }
    return .events([.retired(by: by)])
  }

  /// The end of the way back: after this the source queues may be deleted.
  private func decideRemoval(_ by: [String], _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "approve that the source queues are deleted"
    guard self.phase == .retired else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = Approval.refusal(of: by, policy: context.policy, tried: tried) { return .refused(refusal) }
    if let refusal = self.forwardRefusal(tried, context) ?? self.shovelRefusal(tried) { return refusal }
    let end = self.since + context.policy.keepsSource
    if now < end { return self.refuse(.watchNotOver, tried, "the source queues are kept until \(end)") }
    if let seen = self.notShownEmpty(now, context.policy) { return self.refuse(.gateInconclusive, tried, seen) }
    if let refusal = self.hookRefusal(tried, .removal, context, now) { return refusal }
    return .events([.removalApproved(by: by)])
  }

  /// Why the last look does not show that every queue being left is empty, dead letters included; nil when it does (I-7). No
  /// exception counts here.
  private func notShownEmpty(_ now: Instant, _ policy: Policy) -> String? {
    guard self.drain.lastIsReadable, let last = self.drain.lastReadableAt else { return "the counters are not readable" }
    let age = now.since(last)
    if age > policy.longestWatchGap || age.milliseconds < 0 { return "the last look is from \(last)" }
    let deadLetters = self.drain.last.reduce(0) { $0 + ($1.kind == .deadLetter ? $1.depth ?? 0 : $1.deadLettered ?? 0) }
    guard self.drain.leftovers == 0, deadLetters == 0 else {
      return "the source queues are not shown to be empty, dead letters included"
    }
    if self.drain.last.contains(where: \.mayHideHeld) { return self.drain.words(.heldNotCounted, policy: policy).text }
    // Empty because the receiver is quick is not enough: a sender that never left the source bus would lose its queue.
    guard let quietSince = self.drain.quietSince else { return "something came to the source queues at the last look" }
    // While an exception runs, what it answers for breaks no quiet.
    if let live = self.drain.liveExceptions(now: now).first { return "an exception for \(live.what) runs until \(live.until)" }
    let quiet = max(quietSince, self.drain.namedExceptions.map(\.until).max() ?? quietSince)
    let end = policy.quietEnd(since: quiet, seen: self.drain.longestCacheSeen)
    return now >= end ? nil : "the source queues are quiet since \(quiet), and must be until \(end)"
  }

  private func decideWaive(_ by: String, _ why: String, _ until: Instant, _ now: Instant) -> Outcome {
    let tried = "make an exception for the drain"
    guard self.phase == .draining || self.phase == .backDraining else { return self.refuse(.notInThisPhase, tried) }
    guard !by.isEmpty, !why.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name or no reason") }
    guard until > now else { return self.refuse(.untilPassed, tried, "until \(until)") }
    // Nobody can answer for what goes on being carried.
    if let refusal = self.shovelRefusal(tried) { return refusal }
    return .events([.waived(by: by, why: why, until: until), .drained])
  }

  private func decideRelease(_ by: String) -> Outcome {
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, "resume", "no name") }
    guard self.hold != nil || self.phase == .conflict else { return self.refuse(.notHeld, "resume") }
    return .events([.released(by: by)])
  }

  private func decideQuarantine(_ by: String, _ why: String) -> Outcome {
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, "quarantine", "no name") }
    guard !self.phase.isClosed else { return self.refuse(.notInThisPhase, "quarantine") }
    guard self.quarantine == nil else { return self.refuse(.quarantined, "quarantine", "it is quarantined already") }
    return .events([.quarantined(by: by, why: why)])
  }

  private func decideReadmit(_ by: String) -> Outcome {
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, "readmit", "no name") }
    guard self.quarantine != nil else { return self.refuse(.notHeld, "readmit", "it is not quarantined") }
    return .events([.readmitted(by: by)])
  }
}

/// Who approved a step forward (decision Q9).
enum Approval {
  /// nil when enough different people have; a name counts once, whatever its case and blanks.
  static func refusal(of names: [String], policy: Policy, tried: String) -> Refusal? {
    self.refusal(of: names, needed: policy.approvals, tried: tried)
  }

  static func refusal(of names: [String], needed: Int, tried: String) -> Refusal? {
    let people = Set(
      names.map { $0.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ") }.filter { !$0.isEmpty })
    guard people.count < needed else { return nil }
    return Refusal(.tooFewApprovals, tried: tried, seen: "\(people.count) different people approved; \(needed) are asked for")
  }
}
