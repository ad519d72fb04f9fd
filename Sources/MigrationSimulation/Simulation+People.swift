// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Two operators, Kari and Ola: both do their duty, and both click; and what befalls the world.
extension Simulation {
  private var people: [String] { ["Kari", "Ola"] }

  @discardableResult
  private func order(_ input: MigrationInput) -> Bool {
    guard let daemon else { return false }
    let submission = self.submit(input, daemon)
    self.turn(daemon)
    if case .kept = submission { return true }
    return false
  }

  private func plan(_ daemon: SimulatedDaemon) -> Plan {
    let parties = self.stage.owners.indices.flatMap { group in
      self.stage.records.filter { self.stage.groupOf[$0.herID] == group }.map {
        PuljeRequest.Party(
          herID: $0.herID, vendor: "Vendor \(group % 2)", listens: .both,
          joinsOrganisation: self.stage.family == .joining && self.stage.ownsBelow($0))
      }
    }
    let waves: Waves? = self.settings.isStormy && self.outcome.seed.isMultiple(of: 2) ? [1, 2] : nil
    let request = PuljeRequest(
      name: self.stage.name, source: self.stage.source.name, target: self.stage.target.name, parties: parties,
      policy: self.policyOfSeed, waves: waves, scope: self.stage.family.scope)
    let planner = Planner(
      buses: [self.source, self.stage.target], records: Array(self.register.records.values), open: daemon.state.openParties,
      offer: RegisterOffer(servicesBelow: true, organisationQueue: true))
    return planner.plan(request)
  }

  private var policyOfSeed: Policy {
    var policy = self.policy
    policy.automaticRollback = self.settings.isStormy && self.outcome.seed.isMultiple(of: 5)
    policy.consumerBeforeCutover = !self.outcome.seed.isMultiple(of: 4)
    guard self.settings.isStormy else { return policy }
    if self.outcome.seed % 4 == 3 { policy.testProtocol = TestProtocol(valueChain: false) }
    if self.outcome.seed % 5 == 2 { policy.hooks = ["duty-roster"] }
    if self.outcome.seed % 5 == 3 {
      policy.stepHooks = HookPoint.allCases.filter { $0 != .cut }.map { StepHook($0, "duty-roster") }
    }
    if self.outcome.seed % 5 == 4 {
      var gates = Gates()
      gates.measureInterval = .hours(12)
      policy.gates = gates
    }
    return policy
  }

  private func begin(_ daemon: SimulatedDaemon) {
    var plan = self.plan(daemon)
    if self.settings.sabotage == .splitGroup, let last = plan.groups.firstIndex(where: { $0.members.count > 1 }),
      let moved = plan.groups[last].members.popLast()
    {
      plan.groups.append(Plan.Group(id: GroupID(moved.herID), members: [moved]))
      plan.waves = nil
    }
    let approvedHash = plan.hash
    self.approvedHashes.insert(approvedHash)
    var hash: String? = approvedHash
    if self.settings.isStormy, self.random.chance(1, in: 3), let owner = self.stage.owners.last {
      // The world moves between the approval and the start; what was approved is then not what would be done.
      self.changeForeign(owner)
      let approved = plan
      plan = self.plan(daemon)
      if self.settings.sabotage == .unapprovedPlan { hash = nil }
      if self.settings.sabotage == nil, self.random.chance(1, in: 3) {
        // What was approved is begun all the same; the snapshot finds that the entry has moved.
        self.order(.begin(approved, planHash: approvedHash, approvals: self.people))
        return
      }
      if !self.order(.begin(plan, planHash: hash, approvals: self.people)) {
        let newHash = plan.hash
        self.approvedHashes = [newHash]
        self.order(.begin(plan, planHash: newHash, approvals: self.people))
      }
      return
    }
    self.order(.begin(plan, planHash: hash, approvals: self.people))
    if self.settings.isStormy { self.order(.group(self.stage.name, GroupID(self.stage.owners[0]), .snapshot([]))) }
  }

  /// What a dutiful operator does every few hours: starts, mends, releases, decides.
  func duty() {
    guard let daemon else { return }
    guard let pulje = daemon.state.puljer[self.stage.name] else {
      self.begin(daemon)
      return
    }
    if let stop = daemon.state.stop ?? self.store.folded.stop, self.clock.since(stop.at) > .hours(3) {
      self.order(.releaseTheLine(approvals: self.people))
    }
    if let pause = pulje.pause, self.clock.since(pause.at) > .hours(2) { self.order(.resume(pulje.name, by: "Kari")) }
    if !self.settings.isStormy, let after = self.settings.rollBackAfter, self.now > after, let owner = self.stage.owners.first {
      self.order(.rollBack(pulje.name, herIDs: [owner], by: "Kari", why: "asked"))
    }
    for group in pulje.groups { self.mend(group, pulje.name) }
    if self.settings.isStormy, self.now < 4 * Stage.day, self.random.chance(1, in: 4) { self.pushOn() }
    if pulje.awaitsDecision(now: self.clock) { self.order(.accept(pulje.name, approvals: self.people)) }
  }

  private func mend(_ group: GroupState, _ name: PuljeName) {
    let herID = group.id.lowest
    let index = self.stage.groupOf[herID] ?? 0
    if group.phase.isBeforeCut, let policy = self.store.folded.puljer[name]?.policy {
      for (party, item) in group.missingTests(policy) where self.random.chance(1, in: 3) {
        self.order(.signTest(name, herID: party, item, passed: true, by: "Kari", seen: "tried"))
      }
    }
    if let hold = group.hold, !hold.clearsItself {
      if hold.code == .recordMoved {
        self.order(.rollBack(name, herIDs: [herID], by: "Kari", why: "the world moved"))
      } else {
        if hold.code == .pingFailed {
          self.traffic.receivers[index].isPrepared = true
          self.receiverUp(index)
        }
        self.order(.release(name, herID: herID, by: "Kari"))
      }
    }
    if let note = group.quarantine, self.clock.since(note.at) > .hours(12) {
      self.order(.readmit(name, herID: herID, by: "Kari"))
    }
    switch group.phase {
    case .conflict:
      for member in group.members {
        if self.register.foreign.contains(member.herID) { self.undoForeign(member) }
        // Whoever it was is asked, and content with what the entry says now.
        if self.overwritten.remove(member.herID) != nil { self.reach(.overwriteSettled) }
      }
      self.order(.release(name, herID: herID, by: "Ola"))
    case .draining, .backDraining:
      if self.isForwarded { self.haveCarried(group, name) }
      if let sender = group.drain.senders.first(where: { $0.isConvicted }),
        group.drain.liveExceptions(now: self.clock).isEmpty
      {
        self.order(
          .except(
            name, herID: herID,
            DrainException(
              by: self.people, what: .sender(sender.herID), why: "its vendor is told",
              until: self.clock + .hours(self.random.between(20, 300)))))
      }
      if self.clock.since(group.since) > .days(3) {
        self.order(.waive(name, herID: herID, by: "Kari", why: "an old sender", until: self.clock + .days(20)))
      }
    case .backApplied where !self.traffic.receivers[index].hears[Traffic.source]:
      self.traffic.receivers[index].dropsSourceWhenAccepted = false
      self.receiverUp(index)
    case .accepted where self.clock.since(group.since) > .days(1) && self.settings.isStormy:
      for kind in 0..<Traffic.kinds { self.traffic.queues[Traffic.queue(index, kind, Traffic.source)].dead = 0 }
      self.order(.retire(name, herID: herID, approvals: self.people))
    case .removed where self.settings.isStormy && self.random.chance(1, in: 8):
      self.order(.rollBack(name, herIDs: [herID], by: "Ola", why: "it was better before"))
    case .retired: self.order(.approveRemoval(name, herID: herID, approvals: self.people))
    default: break
    }
  }

  /// Somebody has what strands carried over, and looks after a forwarder that has stopped or was paused.
  private func haveCarried(_ group: GroupState, _ name: PuljeName) {
    let herID = group.id.lowest
    guard let forwarding = group.forwarding, forwarding.stands else {
      if group.drain.leftovers > 0, self.random.chance(2, in: 3) {
        var order = ForwardingOrder(approvals: group.direction == .back ? ["Kari"] : self.people)
        order.mode = self.random.chance(1, in: 2) ? .strict : .fast
        self.order(.approveForwarding(name, herID: herID, order))
      }
      return
    }
    if !forwarding.stops.isEmpty { self.reach(.forwardingStopped) }
    if !forwarding.stops.isEmpty || forwarding.pause != nil, self.random.chance(1, in: 2) {
      self.order(.resumeForwarding(name, herID: herID, by: "Kari"))
    }
  }

  private func clickOnDrain(_ by: String, _ herID: HerID) -> MigrationInput {
    let name = self.stage.name
    let queue = self.store.folded.puljer[name].flatMap { pulje in pulje.group(of: herID).flatMap { pulje.groups[$0] } }
      .flatMap { group in group.drain.last.first?.address }
    let people = self.random.chance(2, in: 3) ? self.people : [by]
    switch self.random.below(8) {
    case 0, 1:
      var order = ForwardingOrder(approvals: people)
      if self.random.chance(1, in: 4) { order.queues = [.synchronous] }
      return .approveForwarding(name, herID: herID, order)
    case 2: return .pauseForwarding(name, herID: herID, by: by, why: "the target is slow")
    case 3: return .resumeForwarding(name, herID: herID, by: by)
    case 4: return .endForwarding(name, herID: herID, by: by, why: "it is enough")
    case 5:
      let sender = HerID(Stage.firstSender + Int32(self.random.below(self.settings.senders))) ?? herID
      return .except(
        name, herID: herID,
        DrainException(
          by: people, what: .sender(sender), why: "it is known", until: self.clock + .hours(self.random.between(-3, 60))))
    default:
      let what = queue.map { DrainException.What.queue($0) } ?? .sender(herID)
      return .except(
        name, herID: herID,
        DrainException(by: people, what: what, why: "it is known", until: self.clock + .hours(self.random.between(-3, 60))))
    }
  }

  func click(_ person: Int) {
    let by = self.people[person]
    let name = self.stage.name
    guard let herID = self.stage.owners.dropFirst(self.random.below(self.settings.groups)).first else { return }
    let group = GroupID(herID)
    let input: MigrationInput
    switch self.random.below(44) {
    case 0, 1: input = .pause(name, by: by, why: "lunch")
    case 2, 3: input = .resume(name, by: by)
    case 4, 5: input = .rollBack(name, herIDs: [herID], by: by, why: "asked")
    case 6: input = .rollBack(name, herIDs: self.random.chance(1, in: 4) ? nil : [herID], by: by, why: "all back")
    case 7: input = .quarantine(name, herID: herID, by: by, why: "odd")
    case 8: input = .readmit(name, herID: herID, by: by)
    case 9, 10: input = .stopTheLine(by: by, why: "something is odd")
    case 11: input = .releaseTheLine(approvals: self.random.chance(1, in: 2) ? self.people : [by])
    case 12: input = .accept(name, approvals: self.random.chance(1, in: 2) ? self.people : [by])
    case 13: input = .waive(name, herID: herID, by: by, why: "x", until: self.clock + .hours(self.random.between(-3, 60)))
    case 14: input = .release(name, herID: herID, by: by)
    case 15: input = .retire(name, herID: herID, approvals: self.people)
    case 16: input = .approveRemoval(name, herID: herID, approvals: self.people)
    case 17:
      // Who names only the pulje approves what is sealed under that name.
      if let sealed = self.store.folded.puljer[name], sealed.startedAt == nil { self.approvedHashes.insert(sealed.planHash) }
      input = .start(name, planHash: self.random.chance(1, in: 2) ? "another" : nil, approvals: self.people)
    case 18: input = .pause(name, by: "", why: "nobody")
    case 19: input = .rollBack(PuljeName("other") ?? name, herIDs: nil, by: by, why: "the wrong one")
    case 20: input = .release(name, herID: HerID(7) ?? herID, by: by)
    case 21: input = .group(name, group, .withdraw(by: by, why: "not now"))
    case 22: input = self.daemon.map { .seal(self.plan($0), by: by) } ?? .resume(name, by: by)
    case 23:
      self.sealSecond(by: by)
      return
    case 26: input = self.closing()
    case 27:
      let item = self.random.chance(1, in: 2) ? TestItem.vendorConfirms : TestItem(text: "fax")
      input = .signTest(name, herID: herID, item, passed: self.random.chance(1, in: 2), by: by, seen: "tried again")
    case 24, 25:
      self.pushOn()
      return
    case 28, 29, 30, 31, 32, 33: input = self.clickOnDrain(by, herID)
    // A group's news out of turn: what a second daemon, or a late task, would bring.
    default: input = .group(name, group, self.strayNews(herID))
    }
    self.order(input)
  }

  /// Somebody plans the same parties a second time, with a plan made before the first pulje was known; or finds them free.
  private func sealSecond(by: String) {
    guard let daemon = self.daemon, let name = PuljeName("second-\(self.now)") else { return }
    let parties = self.stage.records.filter { self.stage.groupOf[$0.herID] == 1 }.map {
      PuljeRequest.Party(herID: $0.herID, vendor: "Vendor", listens: self.random.chance(1, in: 3) ? .one : .both)
    }
    let request = PuljeRequest(
      name: name, source: self.stage.source.name, target: self.stage.target.name, parties: parties, policy: self.policy)
    let planner = Planner(
      buses: [self.stage.source, self.stage.target], records: Array(self.register.records.values), open: [:])
    let plan = planner.plan(request)
    if self.settings.sabotage == .twoPuljer, !plan.groups.isEmpty, daemon.state.openParties[plan.herIDs[0]] != nil {
      _ = self.keep([.puljeSealed(plan: plan, by: by)], daemon)
      return
    }
    if self.random.chance(1, in: 2) {
      // From a bus that may have been closed.
      var gone = plan
      gone.source = "gammel"
      self.order(.seal(gone, by: by))
    }
    guard self.order(.seal(plan, by: by)), let group = plan.groups.first?.id else { return }
    self.order(.group(name, group, .snapshot([])))
    self.order(.rollBack(name, herIDs: nil, by: by, why: "planned twice"))
  }

  /// Somebody closes a bus that nobody uses any more, or one that is in use.
  private func closing() -> MigrationInput {
    let zero = BusClosing.Count.counted(0, names: [])
    let bus = self.random.chance(1, in: 2) ? "gammel" : self.stage.source.name
    return .closeBus(
      BusClosing(
        bus: bus, lookedAt: self.clock, parties: self.stage.records.count, comparedAt: self.clock, remaining: zero,
        connections: zero,
        filledQueues: zero), approvals: self.people)
  }

  /// Somebody tries to have every group cut over at once, whatever it waits for.
  private func pushOn() {
    guard let daemon, let pulje = daemon.state.puljer[self.stage.name] else { return }
    for group in pulje.groups {
      guard let member = group.members.first, let record = self.register.records[member.herID] else { continue }
      // A late task brings what it has read.
      self.register.cache[member.herID] = self.register.hashes[member.herID]
      self.register.served[member.herID] = self.register.hashes[member.herID]
      let write = GroupInput.beginWrite(member.herID, observed: record)
      let heir = group.members.last.flatMap { last in
        self.register.records[last.herID].map { GroupInput.beginWrite(last.herID, observed: $0) }
      }
      let news: [GroupInput] =
        switch group.phase {
        case .planned: [self.preflightNow(group.id.lowest), .advance, heir ?? write, write]
        case .ready: [.advance, heir ?? write, write]
        case .cutApplied, .backApplied: [.pinged([], retryAt: self.clock), write]
        default: [write]
        }
      for input in news { self.push(input, group.id, pulje.name, daemon) }
    }
  }

  private func push(_ input: GroupInput, _ id: GroupID, _ name: PuljeName, _ daemon: SimulatedDaemon) {
    guard self.settings.sabotage == .deafToCalendar else {
      self.order(.group(name, id, input))
      return
    }
    guard let pulje = daemon.state.puljer[name], let group = pulje.groups[id] else { return }
    var context = daemon.state.context(pulje, id, now: self.clock)
    context.calendar = nil
    let events = group.decide(input, in: context, now: self.clock).events
    if !events.isEmpty { _ = self.keep(events.map { .group(pulje: name, group: id, event: $0) }, daemon) }
  }

  private func strayNews(_ herID: HerID) -> GroupInput {
    switch self.random.below(10) {
    case 6: return self.preflightNow(herID)
    case 7:
      let heir = HerID(herID.value + 1) ?? herID
      return self.lateRead(heir).map { .beginWrite(heir, observed: $0) } ?? .advance
    case 8: return .accept(by: self.people)
    case 9: return .advance
    case 0: return .advance
    case 1: return .snapshot([])
    case 2: return self.lateRead(herID).map { .beginWrite(herID, observed: $0) } ?? .advance
    case 3: return .writeReturned(OperationID.stray(herID), .answered)
    case 4: return .pinged([], retryAt: self.clock)
    default: return .looked([])
    }
  }

  /// What a task has read that nobody waits for any more: what it says came from the register, and not by way of the cache.
  private func lateRead(_ herID: HerID) -> PartyRecord? {
    self.register.lateReads[herID] = self.register.hashes[herID]
    return self.register.records[herID]
  }

  private func preflightNow(_ herID: HerID) -> GroupInput {
    guard let pulje = self.store.folded.puljer[self.stage.name], let group = pulje.group(of: herID).flatMap({ pulje.groups[$0] })
    else { return .advance }
    let members = group.members.map(\.plan)
    return .preflight(self.preflight(members.queues(after: false), members.queues(after: true)), retryAt: self.clock)
  }

  // MARK: what befalls the world

  func trouble() {
    switch self.random.below(12) {
    case 0: self.clockOffset = self.random.between(-2 * Stage.hour, 2 * Stage.hour)
    case 1, 2:
      if let record = self.stage.records.dropFirst(self.random.below(self.stage.records.count)).first {
        self.changeForeign(record.herID)
      }
    default:
      let trouble = Trouble.allCases[self.random.below(Trouble.allCases.count)]
      self.begin(trouble)
    }
  }

  func stopHalfMoved() {
    self.order(.stopTheLine(by: "Ola", why: "between two writes"))
    switch self.random.below(4) {
    case 0: self.begin(.queueGone)
    case 1: self.begin(.targetDown)
    default: self.begin(.credentialExpired)
    }
  }

  private func begin(_ trouble: Trouble) {
    guard !self.troubles.contains(trouble) else { return }
    var span = self.random.between(Stage.minute, 8 * Stage.hour)
    switch trouble {
    case .sourceDown: self.traffic.isDown[Traffic.source] = true
    case .targetDown:
      self.traffic.isDown[Traffic.target] = true
      self.targetDownSince = self.now
    case .credentialExpired:
      span = self.random.between(Stage.hour, 4 * Stage.day)
      for group in 0..<self.settings.groups { self.wayBackBrokenSince[group] = self.wayBackBrokenSince[group] ?? self.now }
    case .queueGone:
      let group = self.random.below(self.settings.groups)
      let queue = Traffic.queue(group, 0, Traffic.source)
      // Somebody else deletes a queue; one that holds mail the bus does not let go.
      guard self.traffic.queues[queue].waiting.isEmpty, self.traffic.queues[queue].exists else { return }
      self.traffic.queues[queue].exists = false
      self.goneQueue = queue
      self.wayBackBrokenSince[group] = self.wayBackBrokenSince[group] ?? self.now
      span = self.random.between(Stage.hour, 3 * Stage.day)
    case .diskFull: self.store.isFull = true
    case .newerHistory:
      // A newer program takes over for a while: the older one, started on its history, must not run.
      guard let daemon else { return }
      self.die(daemon)
      self.store.holdsUnknownRow = true
      _ = self.store.takeFence()
    case .registerDown, .sourceUnreadable: break
    }
    self.troubles.insert(trouble)
    self.outcome.coverage.faults[trouble.rawValue, default: 0] += 1
    self.note("trouble: \(trouble.rawValue)")
    self.agenda.enter(.troubleEnds(trouble), at: self.now + span)
  }

  func end(_ trouble: Trouble) {
    self.troubles.remove(trouble)
    self.note("trouble over: \(trouble.rawValue)")
    switch trouble {
    case .sourceDown: self.traffic.isDown[Traffic.source] = false
    case .targetDown:
      self.traffic.isDown[Traffic.target] = false
      self.targetDownSince = nil
    case .diskFull: self.store.isFull = false
    case .newerHistory: self.store.holdsUnknownRow = false
    case .queueGone:
      if let queue = self.goneQueue { self.traffic.queues[queue].exists = true }
      self.goneQueue = nil
    default: break
    }
    if trouble == .sourceDown || trouble == .targetDown {
      for group in 0..<self.settings.groups { self.agenda.enter(.poll(group: group), at: self.now + 1_000) }
    }
    let gone = self.goneQueue.map { $0 / (2 * Traffic.kinds) }
    for group in 0..<self.settings.groups where !self.troubles.contains(.credentialExpired) && group != gone {
      self.wayBackBrokenSince[group] = nil
    }
  }

  /// Somebody else changes an entry: another address, say.
  func changeForeign(_ herID: HerID) {
    guard var record = self.register.records[herID],
      let index = record.addresses.firstIndex(where: { $0.queueKind == nil })
    else { return }
    record.addresses[index].text = "edi\(herID)-\(self.now)@example.no"
    self.register.put(record)
    self.register.foreign.insert(herID)
    self.note("somebody changes HER-ID \(herID)")
  }

  private func undoForeign(_ member: Member) {
    guard var record = self.register.records[member.herID],
      let index = record.addresses.firstIndex(where: { $0.queueKind == nil }),
      let text = member.plan.before.addresses.first(where: { $0.queueKind == nil })?.text
    else { return }
    record.addresses[index].text = text
    self.register.put(record)
    self.register.foreign.remove(member.herID)
  }
}
