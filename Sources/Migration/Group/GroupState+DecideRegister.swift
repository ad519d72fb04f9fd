// SPDX-License-Identifier: Apache-2.0

import BusModel

extension GroupState {
  /// Read, check, write: the intent is only recorded against a record that is the one the write starts from (I-5).
  func decideBeginWrite(_ herID: HerID, _ observed: PartyRecord, _ context: GroupContext, _ now: Instant) -> Outcome {
    let tried = "write the register entry of HER-ID \(herID)"
    switch self.phase {
    case .armed, .cutIntent, .backIntent: break
    case .cutUnknown, .backUnknown: return self.refuse(.resolveFirst, tried)
    case .conflict: return self.refuse(.conflict, tried)
    default: return self.refuse(.notInThisPhase, tried)
    }
    guard let member = self.member(herID), observed.herID == herID else {
      return self.refuse(.unknownParty, tried, "HER-ID \(herID) is not in it")
    }
    guard member.plan.isWritten else { return self.refuse(.notWritten, tried, "it inherits its queues") }
    if self.isTakenAlong(member) { return self.refuse(.notWritten, tried, "another party's write takes it along") }
    guard member.writing == .untouched else { return self.refuse(.resolveFirst, tried, "a write is open or done") }
    if self.isExpired(now: now, policy: context.policy) { return .events([.attestationExpired]) }
    if self.direction == .forward {
      if let refusal = self.forwardRefusal(tried, context) { return refusal }
      if let refusal = self.cutRefusal(tried, context) { return refusal }
      if self.isPreflightStale(now, context.policy) {
        return self.refuse(.preflightStale, tried, "the pre-flight is from \(self.preflightAt?.description ?? "before")")
      }
      if self.isUnwritten, let hook = self.unassented(context.policy) {
        return self.refuse(.hookNotAssented, tried, "\(hook) \(self.hookAnswers[hook]?.words ?? "was not asked yet")")
      }
    } else if let stop = context.stop {
      return self.refuse(.lineStopped, tried, "stopped by \(stop.by): \(stop.why)")
    } else if let hold = self.hold {
      return self.refuse(.held, tried, "\(hold.code.rawValue): \(hold.seen)")
    }
    let base = member.baseHash(self.direction)
    let goal = member.goalHash(self.direction)
    if observed.hash == base {
      let operation = OperationID(pulje: context.pulje, herID: herID, direction: self.direction, number: member.intents + 1)
      return .events([
        .intentRecorded(operation: operation, herID: herID, direction: self.direction, base: base, goal: goal)
      ])
    }
    // At its goal already: fine on the way back, and where an earlier write of ours came through late. Else it was somebody
    // else, whose reason we do not know.
    if observed.hash == goal,
      self.direction == .back || member.intents > 0 || self.mover(of: member).map({ $0.intents > 0 }) == true
    {
      return .events([.readAsGoal(herID: herID, found: goal)])
    }
    return .events([.conflictFound(herID: herID, found: observed)])
  }

  func decideWriteReturned(_ operation: OperationID, _ outcome: WriteOutcome) -> Outcome {
    guard let member = self.members.first(where: { $0.writing == .intent(operation) }), self.phase.isWriting else {
      return self.refuse(.otherOperation, "note the answer to \(operation)")
    }
    let returned = GroupEvent.writeReturned(operation: operation, herID: member.herID, outcome: outcome)
    // Done, but over somebody's change: that is nobody's to pass over but a person's (I-5).
    if case .overwrote(let found, _) = outcome { return .events([returned, .conflictFound(herID: member.herID, found: found)]) }
    return .events([returned])
  }

  func decideReadBack(_ record: PartyRecord, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let tried = "read back HER-ID \(record.herID)"
    guard self.phase.isWriting || self.phase.isApplied || self.phase == .conflict else {
      return self.refuse(.notInThisPhase, tried)
    }
    guard let member = self.member(record.herID) else { return self.refuse(.unknownParty, tried, "it is not in it") }
    let found = record.hash
    if found == member.goalHash(self.direction) { return .events([.readAsGoal(herID: record.herID, found: found)]) }
    guard found == member.baseHash(self.direction) else {
      return .events([.conflictFound(herID: record.herID, found: record)])
    }
    // Moved, and now back where it came from, though we did not write: somebody else did. On the way back it can only be a
    // write of ours that came through late, and is written again.
    if self.phase.isApplied, self.direction == .forward { return .events([.conflictFound(herID: record.herID, found: record)]) }
    // In conflict: still not looked at by a person.
    if member.isInConflict { return .events([.conflictFound(herID: record.herID, found: record)]) }
    return self.readAsBase(member, found, retryAt, context)
  }

  private func readAsBase(_ member: Member, _ found: RecordHash, _ retryAt: Instant, _ context: GroupContext) -> Outcome {
    let event = GroupEvent.readAsBase(herID: member.herID, found: found, retryAt: retryAt)
    guard !member.handedOver, member.failedTries + 1 >= context.policy.writeTries else { return .events([event]) }
    let tries = member.failedTries + 1
    let hold =
      member.plan.isWritten
      ? Hold(.writesDoNotTake, seen: "HER-ID \(member.herID) still reads as before after \(tries) tries")
      : Hold(.inheritanceLags, seen: "HER-ID \(member.herID) inherits and still reads as before, seen \(tries) times")
    return .events([event, .held(hold: hold)])
  }

  func decideReadFailed(_ herID: HerID, _ seen: String, _ retryAt: Instant) -> Outcome {
    guard !self.phase.isClosed else { return self.refuse(.notInThisPhase, "note a failed reading") }
    guard self.member(herID) != nil else { return self.refuse(.unknownParty, "note a failed reading") }
    return .events([.readFailed(herID: herID, seen: seen, retryAt: retryAt)])
  }
}
