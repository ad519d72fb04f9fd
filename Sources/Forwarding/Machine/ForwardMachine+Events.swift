// SPDX-License-Identifier: Apache-2.0

extension ForwardMachine {
  /// - Parameter isAgain: they were held, and counted when they came.
  mutating func arrived(_ arrivals: [Arrival], _ now: Int64, isAgain: Bool = false) {
    self.lastArrival = now
    self.giveUpReturns(now)
    var goOn: [UInt64] = []
    if let last = arrivals.last { self.latestWasReturned = last.isRedelivered || isAgain }
    for arrival in arrivals {
      if !isAgain {
        self.counts.received += 1
        self.bound.arrived(arrival.size)
      }
      var item = Item(
        number: arrival.number, fingerprint: arrival.fingerprint, messageID: arrival.messageID, sender: arrival.sender,
        size: arrival.size, arrivedAt: isAgain ? arrival.at : now, serial: arrival.serial)
      if self.items.isEmpty {
        self.base = arrival.number
        self.cursor = arrival.number
      }
      if !self.returns.isEmpty, self.isHeldAsEarly(arrival, now) {
        item.state = .gone
        self.items.append(item)
        continue
      }
      var aside = arrival.aside
      var isNew = true
      switch arrival.standing {
      case .unknown: break
      // Without an id two messages may well be alike.
      case .accepted where arrival.isRedelivered && arrival.messageID != nil:
        self.counts.settledAgain += 1
        self.counts.settled += 1
        self.notes.append(.settledAgain(queue: self.settings.queue, arrival.fingerprint))
        self.settling.append(arrival.number)
        item.state = .gone
        self.forgotten.append(arrival.number)
        self.items.append(item)
        continue
      case .accepted, .onItsWay: item.duplicate = .sameAgain
      case .interrupted(let serial):
        item.duplicate = .interrupted
        goOn.append(self.resume(serial, &item))
      case .setAside(let reason, let seen, let interrupted):
        if self.settings.retriesSetAside {
          if let interrupted {
            item.duplicate = .outcomeUnknown
            goOn.append(self.resume(interrupted, &item))
          }
        } else {
          aside = aside ?? (reason, seen)
          isNew = false
        }
      }
      if arrival.isRedelivered { self.meetTwin(of: arrival, &item) }
      self.items.append(item)
      if arrival.isNearDeliveryLimit, !self.settings.retriesSetAside {
        let seen = "it was handed out nearly as often as the bus allows"
        self.setAside(self.items.count - 1, .nearDeliveryLimit, seen, isNew: isNew)
        self.stop(
          ForwardingError(
            .nearDeliveryLimit, tried: self.settings.tried,
            seen: "message \(arrival.messageID ?? arrival.fingerprint.text): \(seen)"))
      } else if let aside {
        self.setAside(self.items.count - 1, aside.reason, aside.seen, isNew: isNew)
      }
    }
    if !goOn.isEmpty { self.actions.append(.goOn(goOn)) }
    self.trim()
  }

  /// The attempt goes on, at this message's place.
  private mutating func resume(_ serial: UInt64, _ item: inout Item) -> UInt64 {
    self.notes.append(.resumed(serial: serial, as: item.serial))
    item.isJournaled = true
    item.mayHaveArrived = true
    return item.serial
  }

  /// The bus has given the message out again although it is on hand: its lock ran out.
  private mutating func meetTwin(of arrival: Arrival, _ item: inout Item) {
    for index in self.items.indices where self.items[index].fingerprint == arrival.fingerprint {
      switch self.items[index].state {
      // The earlier one can no longer be settled: this one goes in its place.
      case .waiting: self.giveUp(index)
      // It may be on its way in a moment.
      case .journaling, .ready, .onItsWay: item.duplicate = item.duplicate ?? .sameAgain
      case .refused, .aside, .gone: break
      }
    }
  }

  mutating func journaled(_ batch: UInt64, _ failure: ForwardingError?, _ now: Int64) {
    if let failure { self.stop(failure) }
    guard let range = self.batches.removeValue(forKey: batch) else { return }
    for number in range {
      guard let index = self.index(of: number), case .journaling(batch) = self.items[index].state else { continue }
      self.items[index].state = failure == nil ? .ready : .waiting
      if failure != nil { self.underWay -= 1 }
    }
  }

  mutating func ended(_ number: UInt64, _ fate: Fate, _ now: Int64) {
    guard let index = self.index(of: number), case .onItsWay = self.items[index].state else { return }
    self.lastOutcome = now
    if fate == .accepted, self.losesUnseen { return self.unseen.append(number) }
    self.end(index, fate, now)
  }

  /// The queue was there after they had been accepted: they are in it, or were.
  mutating func queueSeen(_ now: Int64) {
    let seen = self.lookedFor
    self.lookedFor = []
    for number in seen { if let index = self.index(of: number) { self.end(index, .accepted, now) } }
  }

  private mutating func end(_ index: Int, _ fate: Fate, _ now: Int64) {
    guard case .onItsWay = self.items[index].state else { return }
    let number = self.items[index].number
    self.counts.onTheirWay -= 1
    self.underWay -= 1
    switch fate {
    case .accepted:
      self.failuresInRow = 0
      self.connectionLosses = 0
      self.counts.accepted += 1
      self.bound.wasAccepted()
      let (serial, isOnSource) = (self.items[index].serial, self.items[index].isOnSource)
      self.notes.append(.accepted(serial: serial))
      // Where the source link is gone it comes again, marked as a redelivery, and is settled then.
      self.notes.append(.settled(serial: serial))
      if isOnSource {
        self.settling.append(number)
        self.counts.settled += 1
      } else {
        self.returns.drop(self.items[index].fingerprint)
      }
      let sender = self.items[index].sender
      if self.lastAccepted[sender].map({ $0 < number }) ?? true { self.lastAccepted[sender] = number }
      self.remove(index)
      self.trim()
    case .refused(let words), .unclear(let words):
      if case .unclear = fate { self.items[index].mayHaveArrived = true }
      self.items[index].state = .refused(words)
      self.stop(
        ForwardingError(
          .notAccepted, tried: self.settings.tried,
          seen: "message \(self.items[index].messageID ?? self.items[index].fingerprint.text): \(words)"))
    case .unknown:
      self.lost.append(number)
      self.items[index].mayHaveArrived = true
      self.items[index].duplicate = .outcomeUnknown
      self.backToLine(index)
    case .notSent: self.backToLine(index)
    case .expired:
      let serial = self.items[index].serial
      if self.items[index].mayHaveArrived {
        self.actions.append(.interrupt([serial]))
      } else {
        self.notes.append(.notSent(serial: serial))
      }
      self.setAside(index, .expired, "its time to live ran out while it waited to be sent")
      self.trim()
    }
  }

  /// It goes again over the next link, before all that came after it.
  private mutating func backToLine(_ index: Int) {
    let item = self.items[index]
    guard item.isOnSource else {
      self.giveUp(index)
      return self.trim()
    }
    // What is to be listed is written first; what only did not leave is written already.
    self.items[index].state = item.duplicate == nil ? .ready : .waiting
    if item.duplicate == nil { self.underWay += 1 }
    self.cursor = min(self.cursor, item.number)
  }

  /// Ends the attempt in the journal: nobody knows what became of it, or it is known that it never left.
  mutating func giveUp(_ index: Int) {
    let item = self.items[index]
    if item.isJournaled {
      if item.mayHaveArrived {
        self.actions.append(.interrupt([item.serial]))
      } else {
        self.notes.append(.notSent(serial: item.serial))
      }
    }
    self.remove(index)
  }

  // MARK: Links

  mutating func targetFailed(_ failure: Failure, _ now: Int64) {
    guard self.target != .none else { return }
    let lost = self.lost
    self.isWithdrawing = false
    // Whether they were accepted into a queue that is there nobody knows; that the target does not bear them nobody suspects.
    for number in self.lookedFor + self.unseen { if let index = self.index(of: number) { self.end(index, .unknown, now) } }
    self.lookedFor = []
    self.unseen = []
    self.lost = []
    self.counts.reconnects += 1
    // A link that ends with nothing told of what was on it must not happen; if it does, nothing is known of that.
    for item in self.items where item.state == .onItsWay { self.ended(item.number, .unknown, now) }
    let suspected = lost + self.lost
    self.lost = []
    if failure.kind == .connection, !suspected.isEmpty { self.connectionLosses += 1 }
    let isAlone = suspected.count == 1
    for number in suspected {
      guard let index = self.index(of: number), self.items[index].state == .waiting else { continue }
      if isAlone, self.items[index].isSuspect {
        self.items[index].lossesAlone += failure.kind == .connection ? 1 : Self.lossesOfPoison
        if self.items[index].lossesAlone >= Self.lossesOfPoison {
          self.actions.append(.interrupt([self.items[index].serial]))
          self.setAside(index, .poison, "the target ended the link over it, sent alone: \(failure.error.seen)")
          continue
        }
      }
      guard failure.kind == .link || self.connectionLosses >= Self.lossesOfPoison, !self.items[index].isSuspect else { continue }
      self.items[index].isSuspect = true
      self.suspects += 1
    }
    switch failure.kind {
    case .permanent:
      self.target = .none
      self.stop(failure.error)
    case .link, .connection: self.target = .retry(at: now + self.nextDelay())
    }
  }

  /// Connections that broke with the same message alone on its way, until it is taken for the reason.
  private static let lossesOfPoison = 4

  mutating func sourceFailed(_ failure: Failure, _ now: Int64) {
    guard self.source != .none else { return }
    self.counts.reconnects += 1
    // What the bus itself ended it knows to be dead. Otherwise it may hold the messages until it misses us.
    if self.source == .attached {
      self.loseWhatIsOnHand(isNoticed: failure.kind == .link)
      // It can have given no more beyond what it has read of than it was asked for, and as much again that crossed that.
      if failure.kind != .link {
        self.notes.append(.doubted(queue: self.settings.queue, count: 2 * self.widest, at: self.milliseconds))
      }
    }
    switch failure.kind {
    case .permanent:
      self.source = .none
      self.stop(failure.error)
    case .link, .connection: self.source = .retry(at: now + self.nextDelay())
    }
  }

  // MARK: On hand

  /// What waits and is about to outlive its lock goes back, and no more is taken until what is on its way has ended.
  mutating func letGo(_ now: Int64) {
    // What is on its way through the shell comes back to this link, and is judged then.
    guard let limit = self.holdLimit, self.source == .attached, !self.isReleasing else { return }
    if !self.isLettingGo {
      let oldestEarly = self.returns.early.map(\.at).min()
      let oldest = self.items.first { $0.isWaitingHere }?.arrivedAt
      guard let since = [oldest, oldestEarly].compactMap(\.self).min() else { return }
      guard now - since >= limit else { return self.actions.append(.wake(at: since + limit)) }
      if oldestEarly == nil { self.bound.wereHeldTooLong() }
      self.isLettingGo = true
      // Until all of it is back: a process that ends meanwhile leaves some of it on a dead link.
      let onHand = self.items.filter { $0.isOnSource && $0.state != .aside && $0.state != .gone }.map(\.fingerprint)
      self.notes.append(
        .owed(queue: self.settings.queue, isNoticed: self.returns.isNoticed, onHand + self.returns.remaining))
    }
    // Also what crossed it on its way, or was being written.
    self.giveBackWaiting()
    guard self.counts.onTheirWay == 0, self.batches.isEmpty else { return }
    self.isLettingGo = false
    let isOwed = !self.returns.isEmpty
    // Then it is in its place again.
    if !isOwed { self.lettingGo = [] }
    let until = self.returnsUntil
    self.loseWhatIsOnHand(isNoticed: true)
    if isOwed { self.returnsUntil = until }
    self.actions.append(.leaveSource(epoch: self.sourceEpoch))
    // 8, 16, 32 ... s while what is owed does not come: each time counts as a delivery. Where its coming would say nothing it is left alone.
    var next = isOwed ? now + 8_000_000_000 << Int64(min(self.lettings, 4)) : now
    if let until, self.returns.waitsForTime { next = max(next, until) }
    self.source = .retry(at: next)
    if isOwed { self.lettings += 1 }
  }

  private mutating func giveBackWaiting() {
    var back: [UInt64] = []
    for index in self.items.indices where self.items[index].isWaitingHere {
      if self.items[index].state == .ready { self.underWay -= 1 }
      back.append(self.items[index].number)
      self.lettingGo.append((self.items[index].number, self.items[index].fingerprint))
      self.giveUp(index)
    }
    let early = self.returns.letGo()
    self.forgotten += early
    back += early
    if !back.isEmpty { self.actions.append(.letGo(epoch: self.sourceEpoch, back)) }
    self.trim()
  }

  /// What came and is not about to be sent: the order outlives this process.
  mutating func noteOnHand(from number: UInt64) {
    let first = number > self.base ? Int(min(number - self.base, UInt64(self.items.count))) : 0
    let taken = (first..<self.items.count).compactMap { index -> OnHand.Taken? in
      let isUncovered = self.items[index].state == .waiting && !self.items[index].isJournaled
      return isUncovered ? OnHand.Taken(serial: self.items[index].serial, fingerprint: self.items[index].fingerprint) : nil
    }
    if !taken.isEmpty { self.notes.append(.onHand(queue: self.settings.queue, taken)) }
  }

  /// Written anew: what is owed, in its order.
  mutating func noteOwed() {
    self.notes.append(.owed(queue: self.settings.queue, isNoticed: self.returns.isNoticed, self.returns.remaining))
  }

  /// The present link is gone with all that it holds.
  mutating func loseLink(isNoticed: Bool) {
    self.returnsUntil = nil
    self.nextLook = nil
    self.forgotten += self.returns.early.map(\.number)
    var onHand = self.items.filter { $0.isOnSource && $0.state != .aside && $0.state != .gone }.map {
      ($0.number, $0.fingerprint)
    }
    if !self.lettingGo.isEmpty { onHand = (onHand + self.lettingGo).sorted { $0.0 < $1.0 } }
    let released = Set(self.lettingGo.map(\.fingerprint))
    self.returns.lost(onHand.map(\.1), released: released, link: self.sourceEpoch, isNoticed: isNoticed)
    self.lettingGo = []
    self.noteOwed()
  }

  private mutating func loseWhatIsOnHand(isNoticed: Bool) {
    self.loseLink(isNoticed: isNoticed)
    for index in self.items.indices {
      switch self.items[index].state {
      // What was refused is judged when all is known: a later one of its sender may have gone.
      case .onItsWay, .refused: self.items[index].isOnSource = false
      case .waiting: self.giveUp(index)
      case .journaling, .ready:
        self.underWay -= 1
        self.giveUp(index)
      case .aside:
        self.counts.held -= 1
        self.remove(index)
      case .gone: break
      }
    }
    self.trim()
  }

  /// 0, 0.1, 0.2, 0.4 ... 5 s, in nanoseconds.
  private mutating func nextDelay() -> Int64 {
    defer { self.failuresInRow += 1 }
    guard self.failuresInRow > 0 else { return 0 }
    return min(5_000_000_000, 100_000_000 << Int64(min(self.failuresInRow - 1, 6)))
  }
}
