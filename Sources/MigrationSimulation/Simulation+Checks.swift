// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What only the world shows: checked against it whenever something has become durable.
extension Simulation {
  func happened(_ event: MigrationEvent) {
    switch event {
    case .lineStopped: self.stoppedAt = self.now
    case .lineReleased: self.stoppedAt = nil
    case .puljeStarted(let name, _):
      let hash = self.store.folded.puljer[name]?.planHash ?? ""
      if !self.approvedHashes.contains(hash) { self.breach(.approvedIsExecuted, "\(name) is started by a plan nobody approved") }
    case .group(let name, let id, let groupEvent):
      guard let pulje = self.store.folded.puljer[name], let group = pulje.groups[id], let index = self.stage.groupOf[id.lowest]
      else { return }
      self.happened(groupEvent, group, index)
      self.checkTexts(groupEvent)
    default: break
    }
  }

  private func happened(_ event: GroupEvent, _ group: GroupState, _ index: Int) {
    switch event {
    case .readAsGoal(let herID, let found), .readAsBase(let herID, let found, _):
      self.checkCache(herID, found)
      if self.isStorm, group.phase == .cutIntent, group.direction == .forward,
        group.members.contains(where: { $0.plan.isWritten && $0.writing == .untouched }),
        group.members.contains(where: { $0.writing == .atGoal }), self.random.chance(1, in: 3)
      {
        self.agenda.enter(.halfMoved, at: self.now + 1)
      }
    case .conflictFound(let herID, let record): self.checkCache(herID, record.hash)
    case .writeReturned(_, let herID, .overwrote):
      // In the same breath it is a person's: nothing else may have been made of it (I-5).
      if group.member(herID).map({ if case .conflict = $0.writing { false } else { true } }) ?? true {
        self.breach(.noLostUpdate, "the write for HER-ID \(herID) took somebody's change away, and nobody is to look")
      }
      self.overwritten.insert(herID)
    case .intentRecorded(_, let herID, .forward, _, _):
      if self.isFirstWrite(herID, group) {
        self.checkSaid(.cut, event, group, self.policyOf(group)?.hooks?.isEmpty == false)
        self.checkWayBack(event, group, index, limit: 4 * Stage.hour)
      } else {
        self.checkRest(herID, group, index)
      }
      self.checkCalendar(herID, group)
    case .restChecked(_, let wayBack):
      self.reach(.restChecked)
      if wayBack != nil { self.toldOfWayBack[index] = self.now }
    case .looked:
      if group.drain.endedExceptions.contains(where: { $0.exceeded != nil }) { self.reach(.exceptionExceeded) }
      if group.phase == .draining, let quiet = group.drain.quietSince, self.clock >= quiet + self.policy.quietPeriod,
        group.drain.shortcoming(now: self.clock, policy: self.policy) == .quietPeriod
      {
        self.reach(.quietOverDaysOff)
      }
      if let stale = group.drain.staleSender, stale.since == self.clock { self.checkStaleSender(group, index) }
    case .sighted(_, let sightings, _):
      self.reach(.sighted)
      if sightings.isEmpty { self.reach(.notSighted) }
      self.checkSenders(group)
    case .excepted(let exception):
      if case .queue = exception.what { self.reach(.queueExcepted) } else { self.reach(.senderExcepted) }
    case .forwarded(let queue, let count): self.checkForwarded(group, queue, count)
    case .forwardingApproved: if group.direction == .back { self.reach(.forwardedBack) }
    case .drained:
      let side = group.direction == .forward ? Traffic.source : Traffic.target
      let named = group.drain.liveExceptions(now: self.clock)
      if !named.isEmpty { self.reach(.drainedWithNamedException) }
      let verdict = self.store.folded.puljer[self.stage.name]?.drainVerdict(of: group.id, now: self.clock)
      if let verdict, verdict.group == group.id, !verdict.isDrained {
        self.breach(.silenceIsNotSuccess, "\(group.id) counts as drained, and the verdict is not: \(verdict.because)")
      }
      if group.drain.liveException(now: self.clock) == nil, named.isEmpty, self.depthAtLook[index * 2 + side] > 0 {
        self.breach(
          .noMessageLost, "\(group.id) counts as drained with \(self.depthAtLook[index * 2 + side]) messages on its queues")
      }
    case .restored:
      for member in group.members where !self.register.foreign.contains(member.herID) {
        if self.register.hashes[member.herID] != member.beforeHash {
          self.breach(.exactReturn, "HER-ID \(member.herID) is restored and is not what it was")
        }
      }
    case .watchBegan: self.checkSaid(.drained, event, group)
    case .accepted, .retired:
      if case .accepted = event { self.checkSaid(.accept, event, group) }
      self.checkWayBack(event, group, index, limit: 28 * Stage.hour)
    case .removalApproved:
      self.checkSaid(.removal, event, group)
      self.removeSourceQueues(index)
    default: break
    }
    if case .accepted = event, self.settings.sabotage == .earlyRemoval { self.removeSourceQueues(index, isSabotage: true) }
  }

  private func policyOf(_ group: GroupState) -> Policy? {
    self.store.folded.puljer[self.stage.name]?.policy
  }

  /// The program that the pulje asks there has really said yes.
  private func checkSaid(_ point: HookPoint, _ event: GroupEvent, _ group: GroupState, _ isAsked: Bool? = nil) {
    guard isAsked ?? (self.policyOf(group)?.stepHooks?.contains { $0.point == point } == true) else { return }
    if self.said[SaidAt(group: group.id, point: point)]?.isAssent != true {
      self.breach(.approvedIsExecuted, "\(event.kind) of \(group.id), and the program asked there did not assent")
    }
  }

  /// The rest of a group of which some is written: to a target bus that stands, and where the way back is broken it was told.
  private func checkRest(_ herID: HerID, _ group: GroupState, _ index: Int) {
    // As long as what was seen counts, whatever the clock did.
    let limit = 4 * Stage.hour
    if let since = self.targetDownSince, self.now - since > limit {
      let hours = (self.now - since) / Stage.hour
      self.breach(.reverseIsOpen, "HER-ID \(herID) follows its group to a bus that is down for \(hours) h")
    }
    guard let since = self.wayBackBrokenSince[index], self.now - since > limit else { return }
    if let told = self.toldOfWayBack[index], told >= since, self.now - told <= limit {
      self.reach(.carriedThrough)
      let conditions = self.store.folded.standingConditions(now: self.clock).conditions
      if conditions.contains(where: { $0.key.group == group.id && $0.key.code == "MIG-509" }) { return }
    }
    let hours = (self.now - since) / Stage.hour
    self.breach(
      .reverseIsOpen, "HER-ID \(herID) follows its group while the way back is broken for \(hours) h, and nobody is told")
  }

  private func isFirstWrite(_ herID: HerID, _ group: GroupState) -> Bool {
    group.members.allSatisfy { $0.herID == herID || $0.writing == .untouched }
  }

  /// The first of a group's entries is written when the calendar lets it be.
  private func checkCalendar(_ herID: HerID, _ group: GroupState) {
    guard self.isFirstWrite(herID, group) else { return }
    if let situation = self.season.situation(self.clock) { self.reach(situation) }
    if !self.season.allows(self.clock) {
      self.breach(.approvedIsExecuted, "the cut-over of HER-ID \(herID) begins \(self.clock), which its calendar does not allow")
    }
  }

  /// The alarm speaks the truth: a sender that never follows the register sent after the move.
  private func checkStaleSender(_ group: GroupState, _ index: Int) {
    self.reach(.staleSender)
    if group.direction == .forward, self.unlawfulAt[index] != nil { return }
    self.breach(.silenceIsNotSuccess, "\(group.id) tells of a sender that does not follow the register; all of them do")
  }

  /// Nobody is said never to leave who follows the register: lawful late traffic raises no alarm (kcp#380).
  private func checkSenders(_ group: GroupState) {
    for sender in group.drain.senders where sender.isConvicted || self.settings.sabotage == .hastyVerdict {
      self.reach(.senderConvicted)
      let index = Int(sender.herID.value - Stage.firstSender)
      guard self.traffic.senders.indices.contains(index), self.traffic.senders[index].isPinned, group.direction == .forward else {
        self.breach(.silenceIsNotSuccess, "HER-ID \(sender.herID) is said never to leave; it follows the register")
        continue
      }
    }
  }

  private func checkCache(_ herID: HerID, _ found: RecordHash) {
    if self.register.cache[herID] != found, self.register.lateReads[herID] != found {
      self.breach(.cacheAgrees, "the cache does not hold what was read of HER-ID \(herID)")
    }
  }

  private func checkWayBack(_ event: GroupEvent, _ group: GroupState, _ index: Int, limit: Int64) {
    guard let since = self.wayBackBrokenSince[index], self.now - since > limit else { return }
    self.breach(
      .reverseIsOpen, "\(event.kind) of \(group.id) while its way back is broken for \((self.now - since) / Stage.hour) h")
  }

  private func checkTexts(_ event: GroupEvent) {
    let text: String =
      switch event {
      case .readFailed(_, let seen, _), .pingFailed(_, let seen, _): seen
      case .held(let hold), .preflightFailed(_, let hold, _): hold.seen
      case .writeReturned(_, _, .unknown(let seen)), .writeReturned(_, _, .refused(let seen)): seen
      default: ""
      }
    if !text.isEmpty, text.contains("PASIENT") { self.breach(.noHealthData, "\(event.kind) tells what stood in a message") }
  }

  /// Those who run the bus delete what is empty; a queue that is not is left, and they say so.
  private func removeSourceQueues(_ group: Int, isSabotage: Bool = false) {
    let phase = self.store.folded.puljer[self.stage.name]?.groups.dropFirst(group).first?.phase
    for kind in 0..<Traffic.kinds {
      let index = Traffic.queue(group, kind, Traffic.source)
      let there = self.traffic.queues[index].waiting + self.traffic.queues[index].held
      // What a receiver holds those who delete do not see where it is not counted: then we have said that nobody does.
      if !isSabotage, !self.traffic.queues[index].waiting.isEmpty { continue }
      if phase != .removed || !there.isEmpty {
        self.breach(.noQueueRemovedWithMail, "a source queue of group \(group) is deleted in \(phase?.rawValue ?? "none")")
      }
      for message in there where self.traffic.fates[Int(message)] == .waiting {
        self.traffic.setFate(.lost, of: Int(message))
      }
      self.traffic.queues[index].waiting = []
      self.traffic.queues[index].held = []
      self.traffic.queues[index].exists = false
    }
  }

  // MARK: sabotage

  /// What a sabotaged daemon brings to the core instead of what it saw.
  func sabotaged(_ input: MigrationInput, _ daemon: SimulatedDaemon) -> MigrationInput {
    guard let sabotage = self.settings.sabotage, case .group(let name, let id, let groupInput) = input,
      let group = daemon.state.puljer[name]?.groups[id]
    else { return input }
    switch (sabotage, groupInput) {
    case (.overwriteForeign, .beginWrite(let herID, _)):
      guard let member = group.member(herID) else { return input }
      return .group(name, id, .beginWrite(herID, observed: member.base(group.direction)))
    case (.writeBeforeIntent, .beginWrite(let herID, let observed)):
      // The effect first; the intent when it is done.
      if case .events(let events) = daemon.state.decide(input, now: self.clock),
        case .group(_, _, .intentRecorded(let operation, _, let direction, _, _)) = events.first, let member = group.member(herID)
      {
        _ = self.write(
          WriteOrder(
            operation: operation, herID: herID, direction: direction, base: observed, goal: member.goal(direction),
            bus: direction == .forward ? self.stage.target.name : self.stage.source.name))
      }
      return input
    default: return input
    }
  }

  /// What a sabotaged core decides instead.
  func sabotaged(_ events: [MigrationEvent]) -> [MigrationEvent] {
    guard let sabotage = self.settings.sabotage else { return events }
    return events.flatMap { event -> [MigrationEvent] in
      guard case .group(let name, let id, let groupEvent) = event else { return [event] }
      switch (sabotage, groupEvent) {
      case (.earlyWatermark, .intentRecorded(_, _, .forward, _, _)):
        return [event, .group(pulje: name, group: id, event: .drainBegan)]
      case (.earlyReverseWatermark, .intentRecorded(_, _, .back, _, _)):
        return [event, .group(pulje: name, group: id, event: .drainBegan)]
      case (.trustUnknown, .writeReturned(_, let herID, .unknown)), (.trustAnswer, .writeReturned(_, let herID, .answered)):
        guard let group = self.store.folded.puljer[name]?.groups[id], let member = group.member(herID) else { return [event] }
        let goal = member.goal(group.direction).hash
        return [event, .group(pulje: name, group: id, event: .readAsGoal(herID: herID, found: goal))]
      case (.silentRest, .restChecked(let report, .some)):
        return [.group(pulje: name, group: id, event: .restChecked(report: report, wayBack: nil))]
      case (.hastyGate, .looked) where events.count == 1 && self.store.folded.puljer[name]?.groups[id]?.phase == .draining:
        return [event, .group(pulje: name, group: id, event: .drained)]
      case (.passesOver, .conflictFound) where events.count == 2: return []
      case (.silencePasses, .pingFailed): return [.group(pulje: name, group: id, event: .pinged(reports: []))]
      default: return [event]
      }
    }
  }
}
