// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What is to be carried out for a group now. The engine does it and brings back an input.
public enum GroupAction: Sendable, Hashable {
  /// Read every member's entry: ``GroupInput/snapshot(_:)``.
  case snapshot
  /// Look at both buses: ``GroupInput/preflight(_:retryAt:)``.
  case preflight
  /// Nothing outside: ``GroupInput/advance``.
  case advance
  /// Read the entry, have the intent recorded, write, record the answer.
  case write(HerID)
  /// Read the entry: ``GroupInput/readBack(_:retryAt:)``.
  case readBack(HerID)
  /// Ping every member on the bus the group has gone to.
  case ping
  /// Read the counters of the queues being left.
  case look
  /// Ask the operator's program of this name: ``GroupInput/hookAnswered(_:_:retryAt:)``.
  case hook(String)
  /// The same at another point of its way: ``GroupInput/stepHookAnswered(_:_:retryAt:)``.
  case stepHook(StepHook)
  /// Read the counters of the target bus, and ping a party that is quiet: ``GroupInput/measured(_:_:)``.
  case measure
  /// Look at what lies on the queues being left, by metadata: ``GroupInput/sighted(_:)``.
  case peek
}

/// A group has one next thing: to do, or to wait for; or it is done.
public enum GroupNext: Sendable, Hashable {
  case act(GroupAction)
  case wait(WaitReason)
  case done
}

extension GroupState {
  /// What this group's next thing is. Reading is never kept back by a pause; writing and pinging forward are.
  public func next(in context: GroupContext, now: Instant) -> GroupNext {
    if self.isExpired(now: now, policy: context.policy) { return .act(.advance) }
    let next = self.nextStep(context, now)
    if let step = self.untold(next, context.policy, now: now) { return .act(.stepHook(step)) }
    return self.orTellingIsDue(self.orAttestationEnds(next, context), context.policy, now)
  }

  private func nextStep(_ context: GroupContext, _ now: Instant) -> GroupNext {
    switch self.phase {
    case .known: return self.forward(.snapshot, context, now)
    case .planned:
      if let wave = context.waveAhead, context.stop == nil {
        return .wait(WaitReason(.waveAhead, since: self.since, clears: .other, seen: "wave \(wave) goes first"))
      }
      return self.forwardWait(context) ?? self.testWait(context) ?? self.windowAhead(context, now) ?? self.retryWait(now)
        ?? .act(.preflight)
    case .ready:
      guard let hook = self.unassented(context.policy) else { return self.beginsCut(.advance, context, now) }
      return self.beginsCut(.hook(hook), context, now)
    case .armed, .cutIntent, .cutUnknown, .backIntent, .backUnknown: return self.nextOfWriting(context, now)
    case .cutApplied: return self.unproven(now) ?? self.forward(.ping, context, now)
    case .backApplied: return self.unproven(now) ?? self.retryWait(now) ?? .act(.ping)
    case .verified, .draining, .backVerified, .backDraining: return self.unproven(now) ?? self.nextLook(context, now)
    case .drained: return self.nextOfDrained(context, now)
    case .backDrained: return self.unproven(now) ?? .act(.advance)
    case .observing: return self.unproven(now) ?? self.nextOfWatch(context, now)
    case .conflict:
      let seen = self.members.compactMap(\.conflictWords).joined(separator: "; ")
      return .wait(WaitReason(.conflict, since: self.since, clears: .person, seen: seen))
    case .accepted, .retired, .removed, .restored, .withdrawn: return self.nextOfTail(context, now)
    }
  }

  private func forward(_ action: GroupAction, _ context: GroupContext, _ now: Instant) -> GroupNext {
    self.forwardWait(context) ?? self.retryWait(now) ?? .act(action)
  }

  private func beginsCut(_ action: GroupAction, _ context: GroupContext, _ now: Instant) -> GroupNext {
    self.forwardWait(context) ?? self.cutWait(context) ?? self.retryWait(now) ?? .act(action)
  }

  /// An attestation ends by itself while somebody is waited for.
  private func orAttestationEnds(_ next: GroupNext, _ context: GroupContext) -> GroupNext {
    guard case .wait(var reason) = next, let life = context.policy.life(of: self.phase) else { return next }
    let end = self.attestedAt + life + .milliseconds(1)
    reason.until = min(end, reason.until ?? end)
    return .wait(reason)
  }

  /// What was drained is looked at while a hook is waited for.
  private func nextOfDrained(_ context: GroupContext, _ now: Instant) -> GroupNext {
    guard self.unassentedStep(context.policy, now: now) != nil else { return .act(.advance) }
    if self.drain.awaitsSighting(now: now, dialect: self.leftDialect(context)) { return .act(.peek) }
    guard let last = self.drain.lastLookAt, last <= now, now < last + context.policy.lookInterval else { return .act(.look) }
    return self.hookStep(context.policy, now: now, wake: last + context.policy.lookInterval) ?? .act(.advance)
  }

  /// The source queues are looked at until their removal is approved: late mail is seen, and the way back is known to stand.
  private func nextOfTail(_ context: GroupContext, _ now: Instant) -> GroupNext {
    guard self.phase == .accepted || self.phase == .retired else { return .done }
    guard let last = self.drain.lastLookAt, last <= now, now < last + context.policy.watchLookInterval else { return .act(.look) }
    var nextLook = last + context.policy.watchLookInterval
    if let next = self.hookStep(context.policy, now: now, wake: nextLook) { return next }
    if let lapse = self.assentsLapse(context.policy, now: now) { nextLook = min(nextLook, lapse) }
    let seen = "the way back is open until the removal of the source queues is approved"
    return .wait(WaitReason(.tail, since: self.since, until: nextLook, clears: .person, seen: seen))
  }

  private func cutWait(_ context: GroupContext) -> GroupNext? {
    if let other = context.conflictElsewhere {
      return .wait(WaitReason(.conflictElsewhere, since: self.since, clears: .person, seen: "\(other) is in conflict"))
    }
    if let wave = context.waveAhead {
      return .wait(WaitReason(.waveAhead, since: self.since, clears: .other, seen: "wave \(wave) goes first"))
    }
    if let spent = context.budgetSpent {
      return .wait(WaitReason(.errorBudget, since: self.since, clears: .person, seen: spent))
    }
    return self.testWait(context) ?? self.calendarWait(context)
  }

  private func testWait(_ context: GroupContext) -> GroupNext? {
    guard self.members.allSatisfy({ $0.writing == .untouched }), let missing = self.testsMissing(context.policy) else {
      return nil
    }
    return .wait(WaitReason(.testsNotSigned, since: self.since, clears: .person, seen: missing))
  }

  /// A pre-flight counts for a while only: it is made so late that the next window opens within half its life.
  private func windowAhead(_ context: GroupContext, _ now: Instant) -> GroupNext? {
    guard case .wait(var reason)? = self.calendarWait(context) else { return nil }
    guard let opens = reason.until else { return .wait(reason) }
    let begin = opens + .milliseconds(-context.policy.readyLife.milliseconds / 2)
    guard now < begin else { return nil }
    reason.until = begin
    return .wait(reason)
  }

  private func calendarWait(_ context: GroupContext) -> GroupNext? {
    guard let standing = self.closedCalendar(context) else { return nil }
    let (code, opens): (WaitReason.Code, Instant?) =
      switch standing {
      case .frozen(_, let opens): (.frozen, opens)
      case .outsideWindows(let opens): (.outsideWindows, opens)
      case .open: (.outsideWindows, nil)
      }
    let clears: WaitReason.Clears = opens == nil ? .person : .itself
    return .wait(WaitReason(code, since: self.since, until: opens, clears: clears, seen: standing.words))
  }

  private func stopWait(_ context: GroupContext) -> GroupNext? {
    context.stop.map { stop in
      .wait(WaitReason(.lineStopped, since: stop.at, clears: .person, seen: "stopped by \(stop.by): \(stop.why)"))
    }
  }

  private func forwardWait(_ context: GroupContext) -> GroupNext? {
    if let wait = self.stopWait(context) { return wait }
    if !context.isStarted {
      return .wait(WaitReason(.notStarted, since: self.since, clears: .person, seen: "the pulje is not started"))
    }
    if let pause = context.pause {
      let seen = "paused by \(pause.by): \(pause.why)"
      return .wait(WaitReason(.paused, since: pause.at, clears: .person, seen: seen))
    }
    if let hold = self.hold, !hold.clearsItself { return self.holdWait(hold) }
    if let note = self.quarantine {
      let seen = "out of the pulje by \(note.by): \(note.why)"
      return .wait(WaitReason(.quarantined, since: note.at, clears: .person, seen: seen))
    }
    return nil
  }

  private func holdWait(_ hold: Hold) -> GroupNext {
    let since = self.heldSince ?? self.since
    return .wait(WaitReason(.held, since: since, clears: .person, seen: "\(hold.code.rawValue): \(hold.seen) \(hold.next)"))
  }

  private func retryWait(_ now: Instant) -> GroupNext? {
    guard let retryAt = self.retryAt, now < retryAt else { return nil }
    let seen = self.lastFailure ?? "the last try did not take"
    let isHook = self.asksHooks && self.hookRefusals > 0
    let code: WaitReason.Code = isHook ? .hookNotAssented : self.pingFailures > 0 ? .pingInterval : .retry
    return .wait(WaitReason(code, since: self.since, until: retryAt, seen: seen))
  }

  /// The first entry not read as it should be since the start.
  private func unproven(_ now: Instant) -> GroupNext? {
    guard let member = self.members.first(where: { !$0.recordProven }) else { return nil }
    return self.retryWait(now) ?? .act(.readBack(member.herID))
  }

  private func nextOfWriting(_ context: GroupContext, _ now: Instant) -> GroupNext {
    // What is unknown is read before anything else, whatever is paused or held.
    if let open = self.members.first(where: \.isUnresolved) {
      if open.handedOver, let retryAt = self.retryAt, now < retryAt {
        let seen = "the register is written by hand or elsewhere; the entry of HER-ID \(open.herID) still reads as before"
        return .wait(WaitReason(.byHand, since: self.since, until: retryAt, clears: .person, seen: seen))
      }
      return self.retryWait(now) ?? .act(.readBack(open.herID))
    }
    if let next = self.nextToWrite {
      if self.direction == .forward {
        if self.isPreflightStale(now, context.policy) { return self.beginsCut(.preflight, context, now) }
        if self.isUnwritten, let hook = self.unassented(context.policy) { return self.beginsCut(.hook(hook), context, now) }
        return self.beginsCut(.write(next.herID), context, now)
      }
      if let wait = self.stopWait(context) { return wait }
      if let hold = self.hold { return self.holdWait(hold) }
      return self.retryWait(now) ?? .act(.write(next.herID))
    }
    // Everybody who is written by itself reads as it should: those that follow, or were taken along, are read.
    if let heir = self.members.first(where: { $0.writing == .untouched }) {
      if let hold = self.hold, !hold.clearsItself { return self.holdWait(hold) }
      return self.retryWait(now) ?? .act(.readBack(heir.herID))
    }
    return .act(.advance)
  }

  /// The one whose entry is written next; nil when none is left that is written by itself.
  var nextToWrite: Member? {
    func isDue(_ member: Member) -> Bool { member.plan.isWritten && member.writing == .untouched && !self.isTakenAlong(member) }
    // Back, a party has its own queues again before its organisation moves: after that its entry would read as neither.
    if self.direction == .back, let leaving = self.members.first(where: { $0.plan.joinsOrganisation == true && isDue($0) }) {
      return leaving
    }
    return self.members.first(where: isDue)
  }

  private func nextLook(_ context: GroupContext, _ now: Instant) -> GroupNext {
    // Before the next look makes what was counted a thing of the past.
    if self.isPastWatermark, self.drain.awaitsSighting(now: now, dialect: self.leftDialect(context)) { return .act(.peek) }
    guard let last = self.drain.lastLookAt, last <= now, now < last + context.policy.lookInterval else { return .act(.look) }
    if self.isPastWatermark, self.drain.peekIsDue(now: now, policy: context.policy, dialect: self.leftDialect(context)) {
      return .act(.peek)
    }
    let due = last + context.policy.lookInterval
    var code = self.drain.shortcoming(now: now, policy: context.policy) ?? .nextLook
    var clears = WaitReason.Clears.itself
    if code == .messagesLeft, let forwarding, forwarding.stands, self.forwardingKeptBack(in: context) == nil {
      code = forwarding.stops.isEmpty ? .forwarding : .forwardingStopped
      if !forwarding.stops.isEmpty { clears = .person }
    }
    // The receiver may go by itself; nobody need do that, and the party's own system does not.
    if code == .heldNotCounted { clears = .person }
    if let shovel = self.lingeringShovel ?? (code == .nextLook ? self.shovels.first : nil) {
      // It is looked for without end; when nothing else is left, one that carries under an order is to be ended by people.
      clears = shovel.staying == nil ? .person : .itself
      return .wait(WaitReason(.shovelStands, since: self.since, until: due, clears: clears, seen: shovel.words))
    }
    let words = self.drain.words(code, policy: context.policy)
    return .wait(WaitReason(code, since: self.since, until: due, clears: clears, words: words))
  }

  private func nextOfWatch(_ context: GroupContext, _ now: Instant) -> GroupNext {
    let policy = context.policy
    if self.drain.awaitsSighting(now: now, dialect: self.leftDialect(context)) { return .act(.peek) }
    guard let last = self.drain.lastLookAt, last <= now, now < last + policy.watchLookInterval else { return .act(.look) }
    if self.drain.peekIsDue(now: now, policy: policy, dialect: self.leftDialect(context)) { return .act(.peek) }
    var nextLook = last + policy.watchLookInterval
    if let due = self.measureDue(context), self.forwardWait(context) == nil {
      if due <= now || (self.gates.lastAt.map { $0 > now } ?? false) { return .act(.measure) }
      nextLook = min(nextLook, due)
    }
    let end = (self.watchSince ?? self.since) + policy.watchPeriod
    if now >= end {
      if let next = self.hookStep(policy, now: now, wake: nextLook) { return next }
      if let lapse = self.assentsLapse(policy, now: now) { nextLook = min(nextLook, lapse) }
      return .wait(WaitReason(.decision, since: end, until: nextLook, clears: .person, words: .decision(since: end)))
    }
    return .wait(WaitReason(.watchPeriod, since: self.since, until: min(nextLook, end), words: .watch(until: end)))
  }
}

extension DrainLedger {
  /// The wait in words for a person.
  func words(_ code: WaitReason.Code, policy: Policy) -> WaitWords {
    switch code {
    case .countersUnreadable:
      let unreadable = self.last.filter { !$0.isReadable }.map(\.address.description)
      return .text("unreadable counts as not drained: \(unreadable.joined(separator: ", "))")
    case .deadLettersGrow: return .deadLetters(self.newDeadLetters)
    case .messagesLeft: return .leftovers(self.leftovers)
    case .forwarding:
      let count = self.forwarding?.total ?? ForwardingCount(run: "")
      return .text(
        "the forwarder has carried \(count.accepted), \(self.leftovers) messages lie there, \(count.open) on their way")
    case .forwardingStopped:
      let stops = (self.forwarding?.stops ?? []).map { "\($0.queue): \($0.code) \($0.seen)" }
      return .text("the forwarder has stopped: \(stops.joined(separator: "; "))")
    case .sendersNotSeen:
      return .text("\(self.leftovers + self.newDeadLetters) messages lie there, and whose all of them are was not seen since")
    case .heldNotCounted:
      let queues = self.last.filter(\.mayHideHeld).map { reading in
        "\(reading.address) (\(reading.consumers.map { "\($0) attached" } ?? "who is attached is not told"))"
      }
      return .text(
        "nothing waits, and what receivers hold is not counted on \(queues.joined(separator: ", ")): not proven. Configure the bus's "
          + "management interface (on ActiveMQ its statistics plugin), or have nobody attached there for the quiet period")
    case .quietPeriod:
      guard let since = self.quietSince else { return .text("no quiet look yet") }
      return .quiet(
        since: since, until: policy.quietEnd(since: since, seen: self.longestCacheSeen), minimum: policy.minimumLooks,
        looks: self.quietLooks)
    default: return .text("the next look is not due")
    }
  }
}
