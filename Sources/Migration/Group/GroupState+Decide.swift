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
    case .retire(let by): self.decideRetire(by, context)
    case .waive(let by, let why, let until): self.decideWaive(by, why, until, now)
    case .release(let by): self.decideRelease(by)
    case .quarantine(let by, let why): self.decideQuarantine(by, why)
    case .readmit(let by): self.decideReadmit(by)
    }
  }

  func refuse(_ code: Refusal.Code, _ tried: String, _ seen: String? = nil) -> Outcome {
    .refused(Refusal(code, tried: "\(tried) of \(self.id)", seen: seen ?? "it is \(self.phase.rawValue)"))
  }

  /// The first of the conditions that keep a group from a step forward; each is one of its own.
  func forwardRefusal(_ tried: String, _ context: GroupContext) -> Outcome? {
    if !context.isStarted { return self.refuse(.notStarted, tried, "pulje \(context.pulje) is not started") }
    if let pause = context.pause { return self.refuse(.paused, tried, "paused by \(pause.by): \(pause.why)") }
    if let hold = self.hold, !hold.clearsItself { return self.refuse(.held, tried, "\(hold.code.rawValue): \(hold.seen)") }
    if let note = self.quarantine { return self.refuse(.quarantined, tried, "by \(note.by): \(note.why)") }
    return nil
  }

  private func conflictRefusal(_ tried: String, _ context: GroupContext) -> Outcome? {
    context.conflictElsewhere.map { self.refuse(.conflictElsewhere, tried, "\($0) is in conflict") }
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
      if record.hash != member.plan.before.hash {
        let seen = "HER-ID \(member.herID) was \(member.plan.before.hash) when planned and is \(record.hash)"
        return .events([.held(hold: Hold(.recordMoved, seen: seen))])
      }
    }
    return .events([.planned])
  }

  private func decidePreflight(_ report: PreflightReport, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let tried = "pass the pre-flight"
    guard self.phase == .planned || self.phase == .ready else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    let confirmed = self.members.allSatisfy(\.plan.startConfirmed)
    guard let obstacle = report.obstacle(startConfirmed: confirmed, policy: context.policy) else {
      return .events([.preflightPassed(report: report)])
    }
    let hold = Hold(.preflightFailed, seen: "\(obstacle.check.rawValue): \(obstacle.seen)", clearsItself: true)
    return .events([.preflightFailed(report: report, hold: hold, retryAt: retryAt)])
  }

  private func decideAdvance(_ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "take the next step"
    if self.isExpired(now: now, policy: context.policy) { return .events([.attestationExpired]) }
    switch self.phase {
    case .ready:
      if let refusal = self.forwardRefusal(tried, context) { return refusal }
      if let refusal = self.conflictRefusal(tried, context) { return refusal }
      return .events([.armed])
    case .drained:
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
    case .retired: return self.refuse(.sourceMayBeClosed, tried)
    case .conflict: return self.refuse(.conflict, tried)
    case .cutIntent, .cutUnknown, .cutApplied, .verified, .draining, .drained, .observing, .accepted:
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
    if let seen = self.inconclusive(now, context.policy) { return self.refuse(.gateInconclusive, tried, seen) }
    return .events([.accepted(by: by)])
  }

  /// Why the last look does not speak for the group; nil when it does, or somebody answers for it.
  private func inconclusive(_ now: Instant, _ policy: Policy) -> String? {
    if self.drain.liveException(now: now) != nil { return nil }
    guard self.drain.lastIsReadable, let last = self.drain.lastReadableAt else { return "the counters are not readable" }
    let age = now.since(last)
    if age > policy.longestWatchGap || age.milliseconds < 0 { return "the last look is from \(last)" }
    if self.drain.leftovers > 0 || self.drain.newDeadLetters > 0 { return "messages lie on the queues that are being left" }
    return nil
  }

  private func decideRetire(_ by: [String], _ context: GroupContext) -> Outcome {
    let tried = "retire"
    guard self.phase == .accepted else { return self.refuse(.notInThisPhase, tried) }
    if let refusal = Approval.refusal(of: by, policy: context.policy, tried: tried) { return .refused(refusal) }
    if let refusal = self.forwardRefusal(tried, context) { return refusal }
    let deadLetters = self.drain.last.filter { $0.kind == .deadLetter }.reduce(0) { $0 + ($1.depth ?? 0) }
    guard self.drain.lastIsReadable, self.drain.leftovers == 0, deadLetters == 0 else {
      return self.refuse(.gateInconclusive, tried, "the source queues are not shown to be empty, dead letters included")
    }
    return .events([.retired(by: by)])
  }

  private func decideWaive(_ by: String, _ why: String, _ until: Instant, _ now: Instant) -> Outcome {
    let tried = "make an exception for the drain"
    guard self.phase == .draining || self.phase == .backDraining else { return self.refuse(.notInThisPhase, tried) }
    guard !by.isEmpty, !why.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name or no reason") }
    guard until > now else { return self.refuse(.untilPassed, tried, "until \(until)") }
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
    let people = Set(
      names.map { $0.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ") }.filter { !$0.isEmpty })
    guard people.count < policy.approvals else { return nil }
    return Refusal(
      .tooFewApprovals, tried: tried, seen: "\(people.count) different people approved; the policy asks for \(policy.approvals)")
  }
}
