// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The register and the buses, as the daemon sees them.
extension Simulation {
  func answer(_ call: PortCall, _ daemon: SimulatedDaemon) -> PortAnswer {
    switch call {
    case .read(let herID): self.read(herID)
    case .preflight(_, let sourceQueues, _, let targetQueues): .checked(self.preflight(sourceQueues, targetQueues))
    case .ping(let herID, let bus, let queues): .pinged(self.ping(herID, bus, queues))
    case .look(let queues, let bus): .looked(self.look(queues, bus))
    case .hook(let question): .hook(self.hookAnswer(question))
    case .peek(let queues, let bus): .sighted(self.peek(queues, bus))
    }
  }

  private func hookAnswer(_ question: HookQuestion) -> HookAnswer {
    let answer: HookAnswer =
      switch self.isStorm ? self.random.below(6) : 5 {
      case 0: .vetoed("nobody is on duty")
      case 1: .silent("it did not end in time")
      default: .assented("on duty")
      }
    self.said[SaidAt(group: question.group, point: question.point)] = answer
    if question.point != .cut {
      self.reach(question.point == .rollBack ? .toldOfRollBack : answer.isAssent ? .stepAssented : .stepVetoed)
    }
    // Sabotage: whatever the program ends with is taken for assent.
    if self.settings.sabotage == .deafToHooks { return .assented("on duty") }
    return answer
  }

  // MARK: the register

  private func read(_ herID: HerID) -> PortAnswer {
    guard !self.troubles.contains(.registerDown), let record = self.register.masks[herID] ?? self.register.records[herID] else {
      let body = self.settings.sabotage == .bodyInHistory ? ": PASIENT 01017012345" : ""
      return .notRead("[AR-001] the register does not answer\(body)")
    }
    self.register.served[herID] = self.register.hashes[herID]
    return .record(record)
  }

  /// One write reaches the register, or does not.
  func write(_ order: WriteOrder, isSabotage: Bool = false) -> PortAnswer {
    self.check(order)
    if self.isByHand {
      self.arriveLate(order, after: self.random.between(5 * Stage.minute, 3 * Stage.hour))
      return .wrote(.handedOver("by hand"))
    }
    if self.troubles.contains(.registerDown) { return .wrote(.refused("[AR-002] out of service")) }
    switch self.isStorm ? self.random.below(21) : 20 {
    case 0, 1: return .wrote(.unknown("the request was lost"))
    case 2, 3:
      self.apply(order)
      return .wrote(.unknown("the reply was lost"))
    case 4: return .wrote(.refused("[AR-003] fault"))
    case 5:
      self.arriveLate(order, after: self.random.between(1_000, 20 * Stage.minute))
      return .noAnswer(within: .minutes(1))
    case 6:
      // It says it has, and has not.
      return .wrote(.answered)
    case 7:
      // Somebody changes the entry between our look and our write, and the register's log says so.
      self.changeForeign(order.herID)
      let lags = self.random.chance(1, in: 3)
      guard let before = self.register.records[order.herID] else { return .wrote(.unknown("the reply was lost")) }
      self.apply(order)
      self.reach(lags ? .overwroteUnseen : .overwrote)
      return .wrote(
        .overwrote(found: lags ? before : order.goal, seen: "somebody changed the entry between our look and our write"))
    default:
      self.apply(order)
      return .wrote(.answered)
    }
  }

  private func check(_ order: WriteOrder) {
    if !self.wasKept(order.operation) {
      self.breach(.durableIntentFirst, "\(order.operation) is written without a durable intent")
    }
    let base = self.store.folded.puljer.values.lazy.compactMap { pulje in
      pulje.group(of: order.herID).flatMap { pulje.groups[$0]?.member(order.herID)?.baseHash(order.direction) }
    }.first
    if let hash = self.register.hashes[order.herID], hash == self.register.served[order.herID], hash != base {
      self.breach(.noLostUpdate, "HER-ID \(order.herID) is written over though we were told it had changed")
    }
    if let stoppedAt, self.now - stoppedAt > 1_000 {
      self.breach(.stopWorks, "\(order.operation) is written \(self.now - stoppedAt) ms after the line was stopped")
    }
  }

  private func wasKept(_ operation: OperationID) -> Bool {
    self.store.intents.contains(operation)
  }

  private func arriveLate(_ order: WriteOrder, after span: Int64) {
    self.lateWrites.append(order)
    self.agenda.enter(.lateWrite(self.lateWrites.count - 1), at: self.now + span)
  }

  func apply(_ order: WriteOrder) {
    self.put(self.written(order), order)
    switch order.scope {
    case .party: if order.direction == .forward, !self.stage.owners.contains(order.herID) { self.reach(.wroteService) }
    case .organisationQueue: self.reach(.joinedOrganisation)
    case .servicesBelow(let along):
      self.reach(.wroteServicesBelow)
      for party in along {
        // Carried out party by party: it may stop on the way.
        if self.isStorm, self.random.chance(1, in: 3) {
          self.reach(.servicesBelowInPart)
          continue
        }
        self.put(self.carriedAlong(party), order)
      }
    }
  }

  /// The register's own operation moves the queues and leaves the rest of an entry as it finds it.
  private func carriedAlong(_ party: WriteOrder.Along) -> PartyRecord {
    guard var record = self.register.records[party.base.herID] else { return party.goal }
    for goal in party.goal.addresses where goal.queueKind != nil {
      if let index = record.addresses.firstIndex(where: { $0.typeCode == goal.typeCode }) { record.addresses[index] = goal }
    }
    return record
  }

  /// What is written for the party itself: its goal, unless the writer is sabotaged.
  private func written(_ order: WriteOrder) -> PartyRecord {
    var record = order.goal
    if self.settings.sabotage == .halfMovedEntry, order.direction == .forward,
      let first = record.addresses.firstIndex(where: { $0.queueKind == .asynchronous })
    {
      record = order.base
      record.addresses[first] = order.goal.addresses[first]
    }
    if self.settings.sabotage == .wrongAddress, order.direction == .forward, let group = self.stage.groupOf[order.herID] {
      // Another party's queues are written.
      let other = self.stage.owners[(group + 1) % self.stage.owners.count]
      for index in record.addresses.indices where record.addresses[index].queueKind != nil {
        let text = record.addresses[index].text
        record.addresses[index].text = text.replacing("/\(self.stage.owners[group])_", with: "/\(other)_")
      }
    }
    if self.settings.sabotage == .inexactReturn, order.direction == .back {
      self.register.masks[record.herID] = record
      record.addresses.removeAll { $0.queueKind == nil }
    }
    return record
  }

  private func put(_ record: PartyRecord, _ order: WriteOrder) {
    // What somebody else changed meanwhile and we were not told of is not put back by us.
    if !Stage.isWhole(record) { self.breach(.oneLiveHome, "the entry of HER-ID \(record.herID) names two buses") }
    self.register.put(record)
    if record.herID == order.herID { self.register.foreign.remove(record.herID) }
    self.rehome(record.herID)
    self.note("the register holds HER-ID \(record.herID) \(order.direction.rawValue)")
    guard !self.register.children(of: record.herID).isEmpty else { return }
    if self.isStorm, self.random.chance(1, in: 3) {
      self.agenda.enter(.heirsFollow(record.herID), at: self.now + self.random.between(1_000, 10 * Stage.minute))
    } else {
      self.register.follow(record.herID)
    }
  }

  func rehome(_ herID: HerID) {
    guard let group = self.stage.groupOf[herID], self.stage.owners[group] == herID, let record = self.register.records[herID]
    else { return }
    if let destination = self.stage.destination(record) { self.homes[group] = destination }
  }

  // MARK: the buses

  private func isDown(_ bus: BusName) -> Bool {
    self.troubles.contains(bus == self.stage.source.name ? .sourceDown : .targetDown)
  }

  private func index(_ queue: GroupQueue) -> Int? { self.stage.queueOf[queue.address] }

  func preflight(_ sourceQueues: [GroupQueue], _ targetQueues: [GroupQueue]) -> PreflightReport {
    func exist(_ queues: [GroupQueue]) -> Bool {
      queues.allSatisfy { queue in self.index(queue).map { self.traffic.queues[$0].exists } ?? true }
    }
    let blind = self.settings.sabotage == .brokenWayBack
    let sourceUp = !self.isDown(self.stage.source.name) && !self.troubles.contains(.credentialExpired) || blind
    let targetUp = !self.isDown(self.stage.target.name)
    let group = targetQueues.first.flatMap(self.index).map { $0 / (2 * Traffic.kinds) } ?? 0
    let receiver = self.traffic.receivers[group]
    func finding(_ check: PreflightCheck, _ passed: Bool) -> Finding<PreflightCheck> {
      Finding(check, passed ? .passed : .failed, seen: passed ? "seen" : "not seen")
    }
    let findings = [
      finding(.sourceBus, sourceUp), finding(.targetBus, targetUp), finding(.targetQueues, targetUp && exist(targetQueues)),
      finding(.targetConsumer, targetUp && receiver.isUp && receiver.hears[Traffic.target]), finding(.negativeControl, targetUp),
      finding(.sourceQueues, sourceUp && (exist(sourceQueues) || blind)),
    ]
    return PreflightReport(findings: findings, baseline: self.look(sourceQueues, self.stage.source.name))
  }

  private func ping(_ herID: HerID, _ bus: BusName, _ queues: [GroupQueue]) -> PingReport {
    let side = bus == self.stage.source.name ? Traffic.source : Traffic.target
    let group = self.stage.groupOf[herID] ?? 0
    let receiver = self.traffic.receivers[group]
    let exists = queues.allSatisfy { queue in self.index(queue).map { self.traffic.queues[$0].exists } ?? true }
    let accepted = !self.isDown(bus) && exists
    if self.settings.sabotage == .receivingPinger, accepted {
      // It looks whether its ping came by receiving, and gives back all but the first.
      let taken = self.traffic.take(from: Traffic.queue(group, 0, side), by: .us)
      if let first = taken.first { self.traffic.setFate(.lost, of: Int(first)) }
    }
    if accepted, receiver.isUp, receiver.hears[side] {
      self.traffic.deliverPing(isReserved: self.settings.sabotage != .pingAsMessage)
    }
    if self.traffic.takenByUs > 0 {
      self.breach(.pingerOnlyWrites, "something of ours received from the queue of HER-ID \(herID)")
    }
    func finding(_ check: PingCheck, _ passed: Bool) -> Finding<PingCheck> {
      Finding(check, passed ? .passed : .failed, seen: passed ? "seen" : "not seen")
    }
    return PingReport(
      herID: herID, bus: bus,
      findings: [
        finding(.accepted, accepted), finding(.negativeControl, accepted),
        finding(.consumer, accepted && receiver.isUp && receiver.hears[side]),
        finding(.depthFalls, accepted && receiver.isUp && receiver.hears[side]),
        Finding(.echo, .impossible, seen: "no answer agreed"),
      ])
  }

  private func look(_ queues: [GroupQueue], _ bus: BusName) -> [QueueReading] {
    let side = bus == self.stage.source.name ? Traffic.source : Traffic.target
    let group = queues.first.flatMap(self.index).map { $0 / (2 * Traffic.kinds) } ?? 0
    for kind in 0..<Traffic.kinds { self.traffic.expire(Traffic.queue(group, kind, side), at: self.now) }
    let leavesHeldOut = self.leavesHeldOut && side == Traffic.source
    if leavesHeldOut, (0..<Traffic.kinds).contains(where: { !self.traffic.queues[Traffic.queue(group, $0, side)].held.isEmpty }) {
      self.reach(.heldAtLook)
    }
    self.depthAtLook[group * 2 + side] = self.traffic.waiting(group: group, bus: side)
    let isBlind =
      self.isDown(bus)
      || side == Traffic.source && (self.troubles.contains(.sourceUnreadable) || self.troubles.contains(.credentialExpired))
    let sabotage = self.settings.sabotage
    return queues.map { queue in
      let count: QueueReading.Count
      if isBlind, sabotage != .brokenWayBack {
        count = .unreadable("[PROBE-001] the counters cannot be read")
      } else if sabotage == .blindDrain || isBlind {
        count = .counted(depth: 0, arrivals: nil, consumers: 1)
      } else if let index = self.index(queue) {
        let found = self.traffic.queues[index]
        let consumers = self.traffic.receivers[group].isUp && self.traffic.receivers[group].hears[side] ? 1 : 0
        count =
          found.exists || sabotage == .brokenWayBack
          ? .counted(
            depth: Int64(found.waiting.count) + (sabotage == .wolfCrier ? self.now / Stage.hour : 0),
            arrivals: self.countsArrivals ? found.arrivals : nil, consumers: Int64(consumers),
            figures: leavesHeldOut && sabotage != .blindToHeld ? QueueFigures(active: Int64(found.waiting.count)) : nil)
          : .absent
      } else if queue.kind == .deadLetter {
        let dead = (0..<Traffic.kinds).reduce(Int64(0)) { $0 + self.traffic.queues[Traffic.queue(group, $1, side)].dead }
        count = .counted(depth: dead, arrivals: nil, consumers: nil)
      } else {
        count = .absent
      }
      return QueueReading(address: queue.address, kind: queue.kind, count: count)
    }
  }

  private func peek(_ queues: [GroupQueue], _ bus: BusName) -> [QueueSightings] {
    queues.map { queue in
      guard !self.isDown(bus), let index = self.index(queue) else {
        return QueueSightings(queue: queue.address, sightings: [], isWhole: false)
      }
      let waiting = self.traffic.queues[index].waiting
      return QueueSightings(
        queue: queue.address, sightings: waiting.prefix(QueueSightings.most).map { self.sighting(Int($0)) },
        isWhole: waiting.count <= QueueSightings.most)
    }
  }

  private func sighting(_ message: Int) -> MessageSighting {
    let about = self.traffic.messages[message]
    var sighting = MessageSighting(state: .active, sequenceNumber: Int64(message), messageID: "m\(message)")
    sighting.fromHerID = HerID(Stage.firstSender + about.sender)
    sighting.toHerID = self.stage.owners[Int(about.group)]
    sighting.enqueuedAt = self.season.start + about.came
    sighting.expiresAt = about.expires >= .max / 2 ? nil : self.season.start + about.expires
    return sighting
  }

  // MARK: messages

  func send(_ index: Int) {
    let contact = self.random.below(Traffic.Sender.contacts)
    let (isPinned, asynchronousLife, gap) = self.traffic.senders[index].nature
    let group = self.traffic.senders[index].contacts[contact]
    let readAt = self.traffic.senders[index].readAt[contact]
    if !isPinned, readAt < 0 || self.now - readAt > self.traffic.senders[index].cacheLife {
      self.traffic.senders[index].homes[contact] = self.homes[group]
      self.traffic.senders[index].readAt[contact] = self.now
    }
    let destination =
      isPinned ? Traffic.Destination(group: group, bus: Traffic.source) : self.traffic.senders[index].homes[contact]
    let bus = destination.bus
    let kind = self.random.below(10) < 8 ? 0 : 1 + self.random.below(2)
    // A synchronous request is worth something for a quarter of a minute, an error report for ever.
    let life = kind == 0 ? asynchronousLife : kind == 1 ? 15_000 : .max / 2
    let message = self.traffic.newMessage(
      sender: index, group: group, kind: kind, to: destination, expires: self.settings.isStormy ? self.now + life : .max)
    if self.traffic.isDown[bus] {
      // The outcome is unknown: it may have been taken. The sender sends it again, with the same id.
      self.traffic.markInDoubt(message)
      if self.random.chance(1, in: 2) { self.arrive(message) }
      self.agenda.enter(.resend(message: message), at: self.now + self.random.between(5 * Stage.minute, 40 * Stage.minute))
    } else if self.arrive(message) == false {
      // Refused: the sender reads the register anew next time.
      self.traffic.senders[index].readAt[contact] = -1
      self.traffic.setFate(.refused, of: message)
    }
    let next = self.now + gap / 2 + self.random.below(gap)
    if next < self.end - 2 * Stage.hour { self.agenda.enter(.send(sender: index), at: next) }
  }

  func resend(_ message: Int) {
    let bus = Int(self.traffic.messages[message].queue) % 2
    if self.traffic.isDown[bus] {
      self.agenda.enter(.resend(message: message), at: self.now + 30 * Stage.minute)
    } else if self.arrive(message) == false, self.traffic.fates[message] == .waiting {
      self.traffic.setFate(.refused, of: message)
    }
  }

  /// - Returns: false when the bus refuses it: there is no such queue.
  @discardableResult
  private func arrive(_ message: Int) -> Bool {
    let index = Int(self.traffic.messages[message].queue)
    // Whoever receives from that queue, whomever it was meant for.
    let group = index / (2 * Traffic.kinds)
    guard self.traffic.queues[index].exists else { return false }
    self.traffic.queues[index].arrivals += 1
    self.traffic.came(message, at: self.now)
    let sender = Int(self.traffic.messages[message].sender)
    if index % 2 == Traffic.source, self.homes[group].bus == Traffic.target, self.traffic.senders[sender].isPinned {
      self.unlawfulAt[group] = self.now
    }
    let receiver = self.traffic.receivers[group]
    let hears = receiver.isUp && receiver.hears[index % 2] && !self.traffic.isDown[index % 2]
    if hears, self.traffic.queues[index].waiting.isEmpty, self.traffic.queues[index].held.isEmpty, self.random.chance(9, in: 10) {
      self.traffic.deliver(message, to: group, hearsBoth: receiver.hears == [true, true])
    } else {
      self.traffic.queues[index].waiting.append(Int32(message))
      if hears { self.agenda.enter(.poll(group: group), at: self.now + self.random.below(Stage.minute)) }
    }
    return true
  }

  func poll(_ group: Int) {
    let receiver = self.traffic.receivers[group]
    guard receiver.isUp else { return }
    for bus in 0..<2 where receiver.hears[bus] && !self.traffic.isDown[bus] {
      for kind in 0..<Traffic.kinds {
        let index = Traffic.queue(group, kind, bus)
        if self.traffic.queues[index].waiting.isEmpty { continue }
        self.traffic.expire(index, at: self.now)
        if self.leavesHeldOut, bus == Traffic.source, !self.traffic.queues[index].held.isEmpty || self.random.chance(1, in: 2) {
          if self.traffic.queues[index].held.isEmpty {
            self.agenda.enter(.settle(queue: index), at: self.now + self.random.between(Stage.minute, 12 * Stage.hour))
          }
          self.traffic.hold(self.traffic.take(from: index, by: .receiver(group)), of: index)
          continue
        }
        self.handOver(self.traffic.take(from: index, by: .receiver(group)), of: index, to: group)
      }
    }
  }

  /// A receiver settles what it has held, if it is there still.
  func settle(_ queue: Int) {
    let group = queue / (2 * Traffic.kinds)
    self.handOver(self.traffic.settleHeld(of: queue), of: queue, to: group)
  }

  private func handOver(_ messages: [Int32], of index: Int, to group: Int) {
    let receiver = self.traffic.receivers[group]
    for message in messages {
      if self.isStorm, self.random.chance(1, in: 2_000), self.traffic.fates[Int(message)] == .waiting {
        self.traffic.setFate(.dead, of: Int(message))
        self.traffic.queues[index].dead += 1
      } else {
        self.traffic.deliver(Int(message), to: group, hearsBoth: receiver.hears == [true, true])
      }
    }
  }

  /// Somebody else's bridge: one link a queue, in order, the next message when the target has the one before. Kills are its own.
  func bridge() {
    self.agenda.enter(.bridge, at: self.now + self.random.between(10 * Stage.minute, self.isStorm ? 8 * Stage.hour : Stage.hour))
    if self.traffic.isDown[Traffic.source] || self.traffic.isDown[Traffic.target] { return }
    for group in 0..<self.settings.groups where self.traffic.receivers[group].hears == [false, true] {
      guard self.homes[group].bus == Traffic.target else { continue }
      for kind in 0..<Traffic.kinds {
        let (source, target) = (Traffic.queue(group, kind, Traffic.source), Traffic.queue(group, kind, Traffic.target))
        guard self.traffic.queues[target].exists else { continue }
        self.traffic.expire(source, at: self.now)
        var messages = self.traffic.take(from: source, by: .bridge)
        if messages.isEmpty { continue }
        // Sabotage: two links on one queue, of which the second is quicker.
        if self.settings.sabotage == .twoForwarders { messages.reverse() }
        self.reach(.messageBridged)
        for (place, message) in messages.enumerated() {
          self.traffic.carry(message, to: target)
          if self.isStorm, self.random.chance(1, in: 100) {
            self.reach(.bridgeDied)
            self.traffic.putBack(Array(messages[place...]), to: source)
            break
          }
        }
        self.agenda.enter(.poll(group: group), at: self.now + self.random.below(Stage.minute))
      }
    }
  }

  /// A receiver moves on restart only: it hears the source bus, and the target bus too once its vendor has prepared it.
  func restartReceiver(_ group: Int) {
    self.traffic.receivers[group].isUp = false
    for kind in 0..<Traffic.kinds { self.traffic.returnHeld(of: Traffic.queue(group, kind, Traffic.source)) }
    let pause = self.isStorm ? self.random.between(Stage.minute, 4 * Stage.hour) : Stage.minute
    self.agenda.enter(.receiverUp(group: group), at: self.now + pause)
  }

  func receiverUp(_ group: Int) {
    var receiver = self.traffic.receivers[group]
    receiver.isUp = true
    if receiver.isPrepared { receiver.hears[Traffic.target] = true }
    let phase = self.store.folded.puljer[self.stage.name]?.groups.dropFirst(group).first?.phase
    let isAccepted = phase == .accepted || phase == .retired || phase == .removed
    // A party that is served by a bridge leaves the source bus when it has moved.
    let isServed =
      (self.isBridged || self.isForwarded) && receiver.hears[Traffic.target] && self.homes[group].bus == Traffic.target
    // Where it keeps the drain from being shown, people have it leave the source bus, sooner or later.
    let isToLeave =
      self.leavesHeldOut && receiver.hears[Traffic.target] && self.homes[group].bus == Traffic.target
      && self.random.chance(1, in: 2)
    receiver.hears[Traffic.source] = !(receiver.dropsSourceWhenAccepted && isAccepted) && !isServed && !isToLeave
    if !receiver.hears[Traffic.source] {
      for kind in 0..<Traffic.kinds { self.traffic.returnHeld(of: Traffic.queue(group, kind, Traffic.source)) }
    }
    self.traffic.receivers[group] = receiver
    self.poll(group)
    if self.settings.isStormy, self.now < 17 * Stage.day {
      if !receiver.isPrepared, self.random.chance(1, in: 2) { self.traffic.receivers[group].isPrepared = true }
      self.agenda.enter(.receiverRestarts(group: group), at: self.now + self.random.between(12 * Stage.hour, 72 * Stage.hour))
    }
  }
}
