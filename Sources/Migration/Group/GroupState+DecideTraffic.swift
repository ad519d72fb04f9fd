// SPDX-License-Identifier: Apache-2.0

import BusModel

extension GroupState {
  /// The ping of every member on the bus the group has gone to.
  func decidePinged(_ reports: [PingReport], _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let tried = "verify by ping"
    switch self.phase {
    case .cutApplied, .verified:
      if let refusal = self.forwardRefusal(tried, context) { return refusal }
    case .backApplied, .backVerified: break
    default: return self.refuse(.notInThisPhase, tried)
    }
    guard self.allRecordsProven else { return self.refuse(.recordNotProven, tried, "not every entry is read back") }
    guard let seen = self.pingShortcoming(reports, context.policy) else { return .events([.pinged(reports: reports)]) }
    let failed = GroupEvent.pingFailed(reports: reports, seen: seen, retryAt: retryAt)
    let tries = self.pingFailures + 1
    guard tries >= context.policy.pingTries, self.direction == .forward else { return .events([failed]) }
    if context.policy.automaticRollback {
      return .events([failed, .rollBackStarted(by: "policy", why: "\(tries) pings failed, the last one: \(seen)")])
    }
    return .events([failed, .held(hold: Hold(.pingFailed, seen: "\(tries) pings failed, the last one: \(seen)"))])
  }

  private func pingShortcoming(_ reports: [PingReport], _ policy: Policy) -> String? {
    for member in self.members {
      guard let report = reports.first(where: { $0.herID == member.herID }) else {
        return "HER-ID \(member.herID) was not pinged"
      }
      if let seen = report.shortcoming(policy: policy) { return "HER-ID \(member.herID): \(seen)" }
    }
    return nil
  }

  /// A look at the counters of the queues that are being left.
  func decideLooked(_ readings: [QueueReading], _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "look at the counters"
    let looked = GroupEvent.looked(readings: readings)
    // What was read before the drain began, or before the last look, or long ago, shows nothing new: it is no evidence.
    if let oldest = readings.compactMap(\.readAt).min() {
      let before = [self.drain.watermark, self.drain.lastLookAt].compactMap { $0 }.max()
      if before.map({ oldest < $0 }) ?? false || now.since(oldest) > context.policy.longestLookGap || oldest > now {
        return self.refuse(.nothingDue, tried, "the counters were read at \(oldest)")
      }
    }
    let after = self.drain(after: readings, at: now, policy: context.policy)
    // A queue that is gone stops the group wherever it stands: what was in it went with it (I-7).
    let missing = readings.first(where: \.isMissing).map {
      GroupEvent.held(hold: Hold(.queueMissing, seen: "\($0.address) is gone"))
    }
    let hold = self.hold?.code == .queueMissing ? [] : [missing].compactMap { $0 }
    switch self.phase {
    case .verified, .backVerified:
      if self.isExpired(now: now, policy: context.policy) { return .events([.attestationExpired]) }
      guard self.allRecordsProven else { return self.refuse(.recordNotProven, tried, "not every entry is read back") }
      guard after.lastIsReadable else { return .events([looked] + hold) }
      return .events([.drainBegan, looked])
    case .draining, .backDraining:
      // Behind a shovel that may still carry nothing is shown, whoever answers for it.
      if !self.shovels.isEmpty { return .events([looked] + hold) }
      let isExcepted = self.drain.liveException(now: now) != nil
      if isExcepted || after.shortcoming(now: now, policy: context.policy) == nil { return .events([looked, .drained]) }
      return .events([looked] + hold)
    case .drained, .backDrained, .observing:
      if self.drain.liveException(now: now) != nil { return .events([looked] + hold) }
      // Where people answer for a sender, whose it is that lies there has to be seen first.
      if after.awaitsSighting(now: now, dialect: self.leftDialect(context)) { return .events([looked] + hold) }
      if after.lateArrivals > self.drain.lateArrivals || after.hasUnanswered(isSeen: true, now: now) {
        return .events([looked, .lateArrival])
      }
      return .events([looked] + hold)
    case .accepted, .retired:
      // The tail watch: noted, and read by the guards of retire and of the removal.
      return .events([looked])
    default:
      return self.refuse(.notInThisPhase, tried)
    }
  }
}
