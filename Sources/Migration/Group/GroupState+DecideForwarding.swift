// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Carrying over what strands, and what somebody answers for.
extension GroupState {
  /// The drain has begun, and the group is not closed: what lies on the queues being left is ours to deal with.
  var isPastWatermark: Bool {
    switch self.phase {
    case .draining, .drained, .observing, .backDraining, .backDrained: self.drain.watermark != nil
    default: false
    }
  }

  /// How many people must say yes: going back needs one (decision Q9).
  func approvalsNeeded(_ policy: Policy) -> Int { self.direction == .back ? 1 : policy.approvals }

  /// What keeps messages from being carried, whoever has approved it; no events when nothing does.
  func forwardingRefusal(_ tried: String, _ context: GroupContext) -> Outcome {
    guard context.policy.leftovers == .forward else {
      return self.refuse(.forwardingNotAsked, tried, "leftovers: \(context.policy.leftovers.rawValue)")
    }
    guard self.isPastWatermark else { return self.refuse(.notInThisPhase, tried) }
    return self.forwardRefusal(tried, context) ?? .events([])
  }

  func decideApproveForwarding(_ order: ForwardingOrder, _ context: GroupContext) -> Outcome {
    let tried = "carry over what strands"
    if let refusal = self.forwardingRefusal(tried, context).refusal { return .refused(refusal) }
    if let fault = order.fault { return self.refuse(.forwardingUnsound, tried, fault) }
    if let refusal = Approval.refusal(of: order.approvals, needed: self.approvalsNeeded(context.policy), tried: tried) {
      return .refused(refusal)
    }
    if let standing = self.forwarding, standing.stands {
      return self.refuse(.pauseUnchanged, tried, "an order stands since \(standing.approvedAt); end it first")
    }
    return .events([.forwardingApproved(order: order)])
  }

  func decidePauseForwarding(_ by: String, _ why: String) -> Outcome {
    let tried = "pause the forwarding"
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name") }
    guard let forwarding, forwarding.stands else { return self.refuse(.noForwarding, tried, "no order stands") }
    if let pause = forwarding.pause { return self.refuse(.pauseUnchanged, tried, "paused by \(pause.by)") }
    return .events([.forwardingPaused(by: by, why: why)])
  }

  func decideResumeForwarding(_ by: String, _ context: GroupContext) -> Outcome {
    let tried = "resume the forwarding"
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name") }
    guard let forwarding, forwarding.stands else { return self.refuse(.noForwarding, tried, "no order stands") }
    if let refusal = self.forwardingRefusal(tried, context).refusal { return .refused(refusal) }
    guard forwarding.pause != nil || !forwarding.stops.isEmpty else {
      return self.refuse(.pauseUnchanged, tried, "it is neither paused nor stopped")
    }
    return .events([.forwardingResumed(by: by)])
  }

  func decideEndForwarding(_ by: String, _ why: String) -> Outcome {
    let tried = "end the forwarding"
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name") }
    guard let forwarding, forwarding.stands else { return self.refuse(.noForwarding, tried, "no order stands") }
    return .events([.forwardingEnded(by: by, why: why)])
  }

  /// What was carried is a fact, wherever the group stands by now: it is refused only when nobody can have been told to.
  func decideForwarded(_ queue: QueueAddress, _ count: ForwardingCount) -> Outcome {
    let tried = "note what was carried from \(queue)"
    guard let ledger = self.ledger(of: queue), let forwarding = ledger.forwarding else {
      return self.refuse(.noForwarding, tried, "nobody ordered it")
    }
    if let fault = count.fault { return self.refuse(.forwardingUnsound, tried, fault) }
    if forwarding.totals.contains(where: { $0.queue == queue && $0.count == count }) {
      return self.refuse(.nothingDue, tried, "it is noted")
    }
    return .events([.forwarded(queue: queue, count: count)])
  }

  func decideForwardingStopped(_ queue: QueueAddress, _ code: String, _ seen: String) -> Outcome {
    let tried = "note that the forwarding of \(queue) has stopped"
    guard self.ledger(of: queue)?.forwarding != nil else { return self.refuse(.noForwarding, tried, "nobody ordered it") }
    return .events([.forwardingStopped(queue: queue, code: code, seen: seen)])
  }

  /// Of the drain to which this queue belongs: a word of the forwarder may come when the group has turned back.
  private func ledger(of queue: QueueAddress) -> DrainLedger? {
    if self.members.queues(after: self.direction == .back).contains(where: { $0.address == queue }) { return self.drain }
    if self.members.queues(after: self.direction == .forward).contains(where: { $0.address == queue }) {
      return self.forwardDrain
    }
    return nil
  }

  func decideSighted(_ found: [QueueSightings], _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "note what lies there"
    switch self.phase {
    case .draining, .backDraining, .drained, .backDrained, .observing, .accepted, .retired: break
    default: return self.refuse(.notInThisPhase, tried)
    }
    let left = self.members.queues(after: self.direction == .back)
    let known = found.filter { sightings in left.contains { $0.address == sightings.queue } }
    guard !known.isEmpty else { return self.refuse(.nothingDue, tried, "no queue of the group's that is being left") }
    let tellsTime = self.leftDialect(context)?.capabilities.tellsArrivalTime == true
    let events = known.map { tellsTime ? $0.bounded : $0.bounded.withoutArrivalTimes }.map {
      GroupEvent.sighted(queue: $0.queue, sightings: $0.sightings, isWhole: $0.isWhole)
    }
    guard self.drain.liveException(now: now) == nil, !self.drain.liveExceptions(now: now).isEmpty
    else { return .events(events) }
    var after = self.drain
    for event in events { after.take(event, at: now, policy: context.policy) }
    switch self.phase {
    case .drained, .backDrained, .observing:
      // What a named sender left is not known before it is looked at; when it is somebody else's, the drain begins anew.
      return .events(after.hasUnanswered(isSeen: true, now: now) ? events + [.lateArrival] : events)
    case .draining, .backDraining:
      // The counters alone never show it: this is the look that does.
      return .events(
        after.shortcoming(now: now, policy: context.policy) == nil ? events + [.drained] : events)
    default: return .events(events)
    }
  }

  func decideExcept(_ exception: DrainException, _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "make an exception for \(exception.what)"
    guard self.isPastWatermark else { return self.refuse(.notInThisPhase, tried) }
    guard !exception.why.isEmpty else { return self.refuse(.nobodyNamed, tried, "no reason") }
    if let refusal = Approval.refusal(of: exception.by, needed: self.approvalsNeeded(context.policy), tried: tried) {
      return .refused(refusal)
    }
    guard exception.until > now else { return self.refuse(.untilPassed, tried, "until \(exception.until)") }
    var exception = exception
    switch exception.what {
    case .sender:
      exception.covers = nil
      // Whose message it is, only its metadata tells.
      guard self.leftDialect(context)?.capabilities.browses == true else {
        return self.refuse(.exceptionNotShown, tried, "the bus that is being left does not show whose message lies there")
      }
    case .queue(let queue):
      guard self.members.queues(after: self.direction == .back).contains(where: { $0.address == queue }) else {
        return self.refuse(.unknownParty, tried, "\(queue) is no queue that is being left")
      }
      let reading = self.drain.last.first { $0.address == queue }
      guard let cover = reading.flatMap({ DrainException.Cover($0) }) else {
        return self.refuse(.exceptionUnbound, tried, "the last look did not count \(queue)")
      }
      exception.covers = exception.covers ?? cover
    }
    return .events([.excepted(exception: exception)])
  }

  /// Whether people answer for a sender, and nobody has looked whose the messages are that were counted last.
  public func awaitsSighting(_ now: Instant, on dialect: Dialect?) -> Bool {
    self.drain.awaitsSighting(now: now, dialect: dialect)
  }

  func leftDialect(_ context: GroupContext) -> Dialect? {
    self.direction == .forward ? context.sourceDialect : context.targetDialect
  }
}
