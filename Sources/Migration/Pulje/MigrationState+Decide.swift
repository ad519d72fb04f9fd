// SPDX-License-Identifier: Apache-2.0

import BusModel

extension MigrationState {
  public typealias Outcome = Decision<MigrationEvent>

  /// What `input` comes to: events to be made durable and then folded in, or a refusal. All of it or nothing.
  public func decide(_ input: MigrationInput, now: Instant) -> Outcome {
    switch input {
    case .seal(let plan, let by): self.decideSeal(plan, by)
    case .begin(let plan, let hash, let approvals): self.decideBegin(plan, hash, approvals)
    case .start(let name, let hash, let approvals): self.decideStart(name, hash, approvals)
    case .pause(let name, let by, let why):
      self.inPulje(name, "pause pulje \(name)", by) { pulje in
        pulje.pause == nil
          ? .events([.puljePaused(pulje: name, by: by, why: why)])
          : .refused(Refusal(.pauseUnchanged, tried: "pause pulje \(name)", seen: "it is paused"))
      }
    case .resume(let name, let by):
      self.inPulje(name, "resume pulje \(name)", by) { pulje in
        pulje.pause != nil
          ? .events([.puljeResumed(pulje: name, by: by)])
          : .refused(Refusal(.pauseUnchanged, tried: "resume pulje \(name)", seen: "it is not paused"))
      }
    case .rollBack(let name, let herIDs, let by, let why): self.decideRollBack(name, herIDs, by, why, now)
    case .release(let name, let herID, let by): self.forParty(name, herID, .release(by: by), now)
    case .quarantine(let name, let herID, let by, let why): self.forParty(name, herID, .quarantine(by: by, why: why), now)
    case .readmit(let name, let herID, let by): self.forParty(name, herID, .readmit(by: by), now)
    case .waive(let name, let herID, let by, let why, let until):
      self.forParty(name, herID, .waive(by: by, why: why, until: until), now)
    case .except(let name, let herID, let exception): self.forParty(name, herID, .except(exception), now)
    case .approveForwarding(let name, let herID, let order): self.forParty(name, herID, .approveForwarding(order), now)
    case .pauseForwarding(let name, let herID, let by, let why):
      self.forParty(name, herID, .pauseForwarding(by: by, why: why), now)
    case .resumeForwarding(let name, let herID, let by): self.forParty(name, herID, .resumeForwarding(by: by), now)
    case .endForwarding(let name, let herID, let by, let why): self.forParty(name, herID, .endForwarding(by: by, why: why), now)
    case .accept(let name, let approvals): self.decideAccept(name, approvals, now)
    case .group(let name, let group, let input): self.decideGroup(name, group, input, now)
    case .retire(let name, let herID, let approvals): self.forParty(name, herID, .retire(by: approvals), now)
    case .approveRemoval(let name, let herID, let approvals): self.forParty(name, herID, .approveRemoval(by: approvals), now)
    case .signTest(let name, let herID, let item, let passed, let by, let seen):
      self.forParty(name, herID, .signTest(herID, item, passed: passed, by: by, seen: seen), now)
    case .stopTheLine(let by, let why): self.decideStop(by, why)
    case .releaseTheLine(let approvals): self.decideRelease(approvals)
    case .closeBus(let closing, let approvals): self.decideClose(closing, approvals, now)
    case .daemonStarted: .events([.daemonStarted])
    }
  }

  private func decideStop(_ by: String, _ why: String) -> Outcome {
    let tried = "stop the line"
    guard !by.isEmpty else { return .refused(Refusal(.nobodyNamed, tried: tried, seen: "no name")) }
    if let stop = self.stop { return .refused(Refusal(.pauseUnchanged, tried: tried, seen: "stopped by \(stop.by)")) }
    return .events([.lineStopped(by: by, why: why)])
  }

  private func decideRelease(_ approvals: [String]) -> Outcome {
    let tried = "release the line"
    guard self.stop != nil else { return .refused(Refusal(.pauseUnchanged, tried: tried, seen: "it is not stopped")) }
    if let refusal = Approval.refusal(of: approvals, needed: 2, tried: tried) { return .refused(refusal) }
    return .events([.lineReleased(by: approvals)])
  }

  private func inPulje(_ name: PuljeName, _ tried: String, _ by: String, _ body: (PuljeState) -> Outcome) -> Outcome {
    guard let pulje = self.puljer[name] else {
      return .refused(Refusal(.unknownPulje, tried: tried, seen: "no pulje \(name)"))
    }
    guard !by.isEmpty else { return .refused(Refusal(.nobodyNamed, tried: tried, seen: "no name")) }
    return body(pulje)
  }

  private func decideSeal(_ plan: Plan, _ by: String) -> Outcome {
    let tried = "seal the plan of pulje \(plan.name)"
    guard !by.isEmpty else { return .refused(Refusal(.nobodyNamed, tried: tried, seen: "no name")) }
    guard self.puljer[plan.name] == nil else {
      return .refused(Refusal(.nameUsed, tried: tried, seen: "pulje \(plan.name) is in the history already"))
    }
    guard plan.isClear else {
      let codes = plan.obstacles.map { "\($0.stableCode) \($0.seen)" }.joined(separator: "; ")
      return .refused(Refusal(.planBlocked, tried: tried, seen: codes.isEmpty ? "no party to move" : codes))
    }
    for bus in [plan.source, plan.target] {
      if let note = self.closedBuses[bus] {
        return .refused(Refusal(.busClosed, tried: tried, seen: "bus \(bus) was closed by \(note.by) at \(note.at)"))
      }
    }
    // Looked at again here, since another pulje may have been sealed after the plan was made (vitess#16731).
    let open = self.openParties
    if let herID = plan.herIDs.first(where: { open[$0] != nil }), let other = open[herID] {
      return .refused(Refusal(.inOpenPulje, tried: tried, seen: "HER-ID \(herID) is in pulje \(other)"))
    }
    return .events([.puljeSealed(plan: plan, by: by)])
  }

  private func decideBegin(_ plan: Plan, _ hash: String?, _ approvals: [String]) -> Outcome {
    let tried = "start pulje \(plan.name)"
    let planHash = plan.hash
    if let pulje = self.puljer[plan.name], pulje.startedAt != nil, pulje.planHash == planHash {
      return .refused(Refusal(.alreadyStarted, tried: tried, seen: "by \(pulje.approvals.joined(separator: ", "))"))
    }
    let sealing = self.decideSeal(plan, approvals.first ?? "")
    guard case .events(let sealed) = sealing else { return sealing }
    if let hash, hash != planHash {
      return .refused(Refusal(.planChanged, tried: tried, seen: "approved \(hash.prefix(12)), now \(planHash.prefix(12))"))
    }
    if let refusal = Approval.refusal(of: approvals, policy: plan.policy, tried: tried) { return .refused(refusal) }
    return .events(sealed + [.puljeStarted(pulje: plan.name, approvals: approvals)])
  }

  private func decideStart(_ name: PuljeName, _ hash: String?, _ approvals: [String]) -> Outcome {
    let tried = "start pulje \(name)"
    return self.inPulje(name, tried, approvals.joined()) { pulje in
      guard pulje.startedAt == nil else {
        return .refused(Refusal(.alreadyStarted, tried: tried, seen: "by \(pulje.approvals.joined(separator: ", "))"))
      }
      if let hash, hash != pulje.planHash {
        return .refused(
          Refusal(.planChanged, tried: tried, seen: "approved \(hash.prefix(12)), sealed \(pulje.planHash.prefix(12))"))
      }
      if let refusal = Approval.refusal(of: approvals, policy: pulje.policy, tried: tried) { return .refused(refusal) }
      return .events([.puljeStarted(pulje: name, approvals: approvals)])
    }
  }

  private func decideRollBack(_ name: PuljeName, _ herIDs: [HerID]?, _ by: String, _ why: String, _ now: Instant) -> Outcome {
    let tried = "roll back in pulje \(name)"
    return self.inPulje(name, tried, by) { pulje in
      var groups = Array(pulje.groups)
      if let herIDs {
        for herID in herIDs where pulje.group(of: herID) == nil {
          return .refused(Refusal(.unknownParty, tried: tried, seen: "HER-ID \(herID) is not in it"))
        }
        let chosen = Set(herIDs.compactMap(pulje.group(of:)))
        groups = groups.filter { chosen.contains($0.id) }
      }
      let open = self.openParties
      let contexts = pulje.contexts(stop: self.stop, now: now)
      var events: [MigrationEvent] = []
      var firstRefusal: Refusal?
      for group in groups {
        let input: GroupInput = group.phase.isBeforeCut ? .withdraw(by: by, why: why) : .rollBack(by: by, why: why)
        // A party that another open pulje has taken since must not be turned under its feet (vitess#16731). While the group is open
        // none can.
        if let other = group.members.lazy.compactMap({ open[$0.herID] }).first(where: { $0 != name }) {
          firstRefusal = firstRefusal ?? Refusal(.inOpenPulje, tried: tried, seen: "\(group.id) is in pulje \(other)")
          continue
        }
        switch group.decide(input, in: contexts.context(for: group.id), now: now) {
        case .events(let found): events += found.map { .group(pulje: name, group: group.id, event: $0) }
        case .refused(let refusal): firstRefusal = firstRefusal ?? refusal
        }
      }
      // A group that cannot go back just now must not keep the others from it; one that is back already is no failure.
      if events.isEmpty, let firstRefusal { return .refused(firstRefusal) }
      return .events(events)
    }
  }

  private func decideAccept(_ name: PuljeName, _ approvals: [String], _ now: Instant) -> Outcome {
    self.inPulje(name, "accept pulje \(name)", approvals.joined()) { pulje in
      var events: [MigrationEvent] = []
      let contexts = pulje.contexts(stop: self.stop, now: now)
      for group in pulje.groups where group.quarantine == nil && !group.phase.isClosed {
        switch group.decide(.accept(by: approvals), in: contexts.context(for: group.id), now: now) {
        case .events(let found): events += found.map { .group(pulje: name, group: group.id, event: $0) }
        case .refused(let refusal): return .refused(refusal)
        }
      }
      guard !events.isEmpty else {
        return .refused(Refusal(.nothingDue, tried: "accept pulje \(name)", seen: "no group awaits a decision"))
      }
      return .events(events)
    }
  }

  private func forParty(_ name: PuljeName, _ herID: HerID, _ input: GroupInput, _ now: Instant) -> Outcome {
    guard let pulje = self.puljer[name] else {
      return .refused(Refusal(.unknownPulje, tried: "change HER-ID \(herID)", seen: "no pulje \(name)"))
    }
    guard let group = pulje.group(of: herID) else {
      return .refused(Refusal(.unknownParty, tried: "change HER-ID \(herID)", seen: "it is not in pulje \(name)"))
    }
    return self.decideGroup(name, group, input, now)
  }

  private func decideGroup(_ name: PuljeName, _ group: GroupID, _ input: GroupInput, _ now: Instant) -> Outcome {
    guard let pulje = self.puljer[name], let state = pulje.groups[group] else {
      return .refused(Refusal(.unknownPulje, tried: "bring news of \(group)", seen: "no such group in pulje \(name)"))
    }
    switch state.decide(input, in: self.context(pulje, group, now: now), now: now) {
    case .events(let events): return .events(events.map { .group(pulje: name, group: group, event: $0) })
    case .refused(let refusal): return .refused(refusal)
    }
  }

  /// What is to be done, and what is waited for, in every pulje.
  public func next(now: Instant) -> [(pulje: PuljeName, group: GroupID, next: GroupNext)] {
    self.ordered.flatMap { pulje in
      let contexts = pulje.contexts(stop: self.stop, now: now)
      return pulje.groups.indices.map { place in
        let group = pulje.groups[place]
        return (pulje.name, group.id, group.next(in: contexts.context(at: place), now: now))
      }
    }
  }

  /// What the whole lets one group do at `now`.
  public func context(_ pulje: PuljeState, _ group: GroupID, now: Instant) -> GroupContext {
    pulje.contexts(stop: self.stop, now: now).context(for: group)
  }

  /// Asked at the moment of the call: whether the write whose intent this is may still be made. It may not when the line was
  /// stopped since, or the group turned back (I-21).
  public func mayWrite(_ operation: OperationID, in pulje: PuljeName, group: GroupID) -> Bool {
    guard self.stop == nil, let state = self.puljer[pulje]?.groups[group] else { return false }
    return state.members.contains { $0.writing == .intent(operation) }
  }
}
