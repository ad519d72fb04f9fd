// SPDX-License-Identifier: Apache-2.0

import BusModel

extension GroupState {
  /// Folds one event in. Never refuses: what was decided has happened.
  public mutating func apply(_ event: GroupEvent, at now: Instant, policy: Policy) {
    self.revise()
    switch event {
    case .planned:
      self.enter(.planned, at: now)
    case .preflightPassed(let report):
      self.preflight = report
      self.preflightFailures = 0
      self.drain.setBaseline(report.baseline)
      self.preflightAt = now
      if self.hold?.clearsItself == true { self.clearHold() }
      // What was assented to is what was seen then.
      self.hookAnswers = [:]
      // Made anew between two writes, it leaves the group where it is: what was on its way to the register may still come through.
      if self.phase == .cutIntent {
        self.retryAt = nil
      } else {
        self.enter(.ready, at: now)
        self.attestedAt = now
      }
    case .preflightFailed(let report, let hold, let retryAt):
      self.preflight = report
      self.preflightFailures += 1
      self.set(hold, at: now)
      if self.phase != .cutIntent { self.enter(.planned, at: now) }
      self.retryAt = retryAt
    case .restChecked(let report, _):
      self.preflight = report
      self.preflightFailures = 0
      self.preflightAt = now
      self.retryAt = nil
      if self.hold?.clearsItself == true { self.clearHold() }
    case .armed:
      self.enter(.armed, at: now)
    case .attestationExpired:
      self.enter(self.phase.lastFact, at: now)
    case .intentRecorded(let operation, let herID, _, _, _):
      self.update(herID) { member in
        member.writing = .intent(operation)
        member.intents += 1
      }
      self.enter(self.writingPhase, at: now)
    case .writeReturned(let operation, let herID, let outcome):
      self.update(herID) { member in
        member.writing = .unknown(operation)
        member.lastOutcome = outcome
        if case .handedOver = outcome { member.handedOver = true }
      }
      self.enter(self.writingPhase, at: now)
    case .readAsGoal, .readAsBase, .readFailed, .conflictFound:
      self.applyReading(event, at: now)
    case .pinged(let reports):
      self.pings = reports
      self.pingedAt = now
      self.pingFailures = 0
      self.lastFailure = nil
      self.enter(self.direction == .forward ? .verified : .backVerified, at: now)
      self.attestedAt = now
    case .pingFailed(let reports, let seen, let retryAt):
      self.pings = reports
      self.pingedAt = now
      self.pingFailures += 1
      self.lastFailure = seen
      // A verification that fails on renewal is no longer one.
      if self.phase.isAttestation { self.enter(self.phase.lastFact, at: now) }
      self.retryAt = retryAt
    case .drainBegan, .looked, .drained, .lateArrival, .watchBegan, .waived:
      self.applyDrain(event, at: now, policy: policy)
    case .accepted(let by):
      self.acceptedBy = by
      self.enter(.accepted, at: now)
    case .retired:
      self.enter(.retired, at: now)
    case .removalApproved:
      self.enter(.removed, at: now)
    case .restored:
      self.enter(.restored, at: now)
    case .rollBackStarted(let by, let why):
      self.turnBack(Note(by: by, why: why, at: now))
    case .withdrawn(let by, let why):
      self.withdrawal = Note(by: by, why: why, at: now)
      self.clearHold()
      self.enter(.withdrawn, at: now)
    case .held(let hold):
      self.set(hold, at: now)
    case .released:
      self.release(at: now)
    case .quarantined(let by, let why):
      self.quarantine = Note(by: by, why: why, at: now)
    case .readmitted:
      self.quarantine = nil
    case .testSigned(let herID, let item, let passed, let by, let seen):
      self.tests.append(TestSignature(herID: herID, item: item, passed: passed, by: by, seen: seen, at: now))
    case .hookAnswered(let hook, let answer, let retryAt):
      self.hookAnswers[hook] = answer
      self.hookRefusals = answer.isAssent ? 0 : self.hookRefusals + 1
      if !answer.isAssent {
        self.lastFailure = "the hook \(hook) \(answer.words)"
        self.retryAt = retryAt
      }
    case .stepHookAnswered(let step, let answer, let retryAt):
      self.note(answer, of: step, retryAt: retryAt, at: now)
    case .measured(let readings, let pings):
      guard let gates = policy.gates else { return }
      let carried = self.forwarding?.total.accepted ?? 0
      self.gates.take(readings, pings: pings, carried: carried, at: now, gates: gates, policy: policy)
    case .sighted:
      let entriesReadAt = self.entriesReadAt
      self.drain.take(event, at: now, entriesReadAt: entriesReadAt, policy: policy)
      if self.drain.suspectsSender(at: now), !self.phase.isClosed {
        for index in self.members.indices { self.members[index].recordProven = false }
      }
    case .excepted(let exception): self.drain.namedExceptions.append(exception)
    case .forwardingApproved, .forwardingPaused, .forwardingResumed, .forwardingEnded, .forwarded, .forwardingStopped:
      self.applyForwarding(event, at: now)
    case .shovelIntended, .shovelStays, .shovelGone: self.applyShovel(event, at: now)
    }
  }

  /// A start of the daemon: attestations end, a write that may have been on the wire is unknown, entries are to be read again.
  public mutating func applyRestart(at now: Instant) {
    self.revise()
    for index in self.members.indices {
      if case .intent(let operation) = self.members[index].writing { self.members[index].writing = .unknown(operation) }
      self.members[index].recordProven = false
    }
    if self.phase.isWriting { self.enter(self.writingPhase, at: now) }
    if self.phase.isAttestation { self.enter(self.phase.lastFact, at: now) }
    self.hookAnswers = [:]
    self.forgetAssents()
    self.retryAt = nil
    self.drain.forwarding?.endRuns()
    self.forwardDrain?.forwarding?.endRuns()
    self.leaveShovels(at: now)
  }

  private mutating func applyReading(_ event: GroupEvent, at now: Instant) {
    if case .readFailed = event { self.readFailures += 1 } else { self.readFailures = 0 }
    switch event {
    case .readAsGoal(let herID, let found):
      self.update(herID) { member in
        member.writing = .atGoal
        member.recordProven = true
        member.failedTries = 0
        member.handedOver = false
        member.lastReadAt = now
        member.lastReadHash = found
      }
      self.lastFailure = nil
      if self.phase.isWriting || self.phase == .conflict { self.enter(self.writingPhase, at: now) }
    case .readAsBase(let herID, let found, let retryAt):
      self.update(herID) { member in
        // A person may still be about to make the write that was handed over: its outcome stays open.
        if !member.handedOver {
          member.writing = .untouched
          member.failedTries += 1
        }
        member.recordProven = false
        member.lastReadAt = now
        member.lastReadHash = found
      }
      self.enter(self.writingPhase, at: now)
      self.retryAt = retryAt
    case .readFailed(_, let seen, let retryAt):
      self.lastFailure = seen
      self.retryAt = retryAt
    case .conflictFound(let herID, let found):
      self.update(herID) { member in
        member.writing = .conflict(found)
        member.recordProven = false
        member.lastReadAt = now
        member.lastReadHash = found.hash
      }
      self.enter(self.writingPhase, at: now)
    default:
      break
    }
  }

  private mutating func applyDrain(_ event: GroupEvent, at now: Instant, policy: Policy) {
    switch event {
    case .drainBegan:
      self.drain.watermark = now
      self.enter(self.direction == .forward ? .draining : .backDraining, at: now)
    case .looked(let readings):
      self.drain = self.drain(after: readings, at: now, policy: policy)
      // Perhaps it is not a sender, but the register that does not hold what was read.
      if self.drain.suspectedAt == now, !self.phase.isClosed {
        for index in self.members.indices { self.members[index].recordProven = false }
      }
    case .drained:
      self.enter(self.direction == .forward ? .drained : .backDrained, at: now)
      // The exact return is proven by reading once more at the very end (I-4).
      if self.direction == .back { for index in self.members.indices { self.members[index].recordProven = false } }
    case .lateArrival:
      self.watchSince = nil
      self.enter(self.direction == .forward ? .draining : .backDraining, at: now)
    case .watchBegan:
      self.watchSince = now
      self.gates = GateLedger()
      self.enter(.observing, at: now)
    case .waived(let by, let why, let until):
      self.drain.exceptions.append(DrainLedger.Exception(by: by, why: why, until: until))
    default:
      break
    }
  }

  private mutating func applyForwarding(_ event: GroupEvent, at now: Instant) {
    switch event {
    case .forwardingApproved(let order):
      if self.drain.forwarding == nil { self.drain.forwarding = ForwardingLedger(order, at: now) }
      self.drain.forwarding?.approve(order, at: now)
    case .forwardingPaused(let by, let why): self.drain.forwarding?.pause = Note(by: by, why: why, at: now)
    case .forwardingResumed:
      self.drain.forwarding?.pause = nil
      self.drain.forwarding?.stops = []
    case .forwardingEnded(let by, let why): self.drain.forwarding?.ended = Note(by: by, why: why, at: now)
    case .forwarded(let queue, let count):
      self.changeForwarding(of: queue) { $0.note(count, of: queue, at: now) }
    case .forwardingStopped(let queue, let code, let seen):
      self.changeForwarding(of: queue) { $0.note(ForwardingLedger.Stop(queue: queue, code: code, seen: seen, at: now)) }
    default: break
    }
  }

  /// A forwarder's last word may come when the group has turned back: it belongs to the drain of its queue.
  private mutating func changeForwarding(of queue: QueueAddress, _ change: (inout ForwardingLedger) -> Void) {
    let isLeft = self.members.queues(after: self.direction == .back).contains { $0.address == queue }
    guard var ledger = isLeft ? self.drain.forwarding : self.forwardDrain?.forwarding else { return }
    change(&ledger)
    if isLeft { self.drain.forwarding = ledger } else { self.forwardDrain?.forwarding = ledger }
  }

  /// When the entries were last all read and found as they should be; nil when one is to be read again.
  var entriesReadAt: Instant? {
    self.allRecordsProven ? self.members.map { $0.lastReadAt ?? self.since }.min() : nil
  }

  /// The ledger of the bus being left as a look leaves it.
  func drain(after readings: [QueueReading], at now: Instant, policy: Policy) -> DrainLedger {
    var drain = self.drain
    if self.direction == .back, drain.looks == 0 { drain.setBaseline(readings) }
    let isWatched = self.phase == .observing || self.phase == .accepted || self.phase == .retired
    let gap = isWatched ? policy.longestWatchGap : policy.longestLookGap
    // Nothing reads the entries of a group that is closed.
    drain.followStaleSender(
      readings, at: now, entriesReadAt: self.phase.isClosed ? drain.suspectedAt : self.entriesReadAt, policy: policy)
    drain.take(readings, at: now, longestGap: gap)
    return drain
  }

  private mutating func turnBack(_ note: Note) {
    self.rollBack = note
    self.direction = .back
    self.stepAnswers = []
    self.clearHold()
    self.forwardDrain = self.drain
    self.drain = DrainLedger()
    self.watchSince = nil
    self.pingFailures = 0
    self.lastFailure = nil
    for index in self.members.indices {
      // What the register holds now is read before anything is written, so nothing of the way forward need be known.
      self.members[index].writing = .untouched
      self.members[index].recordProven = false
      self.members[index].failedTries = 0
      self.members[index].handedOver = false
    }
    self.enter(.backIntent, at: note.at)
  }

  private mutating func release(at now: Instant) {
    self.clearHold()
    self.pingFailures = 0
    for index in self.members.indices {
      self.members[index].failedTries = 0
      if self.members[index].isInConflict { self.members[index].writing = .unknown(nil) }
    }
    if self.phase == .conflict { self.enter(self.writingPhase, at: now) }
    self.retryAt = nil
  }

  private mutating func set(_ hold: Hold, at now: Instant) {
    if self.hold?.code != hold.code { self.heldSince = now }
    self.hold = hold
    self.lastFailure = hold.seen
  }

  private mutating func clearHold() {
    self.hold = nil
    self.heldSince = nil
  }

  private mutating func update(_ herID: HerID, _ change: (inout Member) -> Void) {
    for index in self.members.indices where self.members[index].herID == herID { change(&self.members[index]) }
  }
}
