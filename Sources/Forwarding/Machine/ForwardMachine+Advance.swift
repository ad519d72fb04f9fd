// SPDX-License-Identifier: Apache-2.0

extension ForwardMachine {
  /// Does whatever can be done now.
  mutating func advance(_ now: Int64) {
    switch self.phase {
    case .running:
      self.giveUpReturns(now)
      self.releaseEarly(now)
      self.letGo(now)
      self.attach(now)
      // What was lost is judged first, with the reason of the loss: that decides whether it goes alone.
      if self.lost.isEmpty {
        self.journalNext()
        self.sendNext(now)
      }
      self.takeAhead(now)
      self.endIfIdle(now)
    case .stopping, .ended: break
    }
    self.lookForQueue()
    self.tellOfSilence(now)
    if case .stopping(let ending, let deadline) = self.phase { self.finishIfDone(ending, deadline, now) }
  }

  private mutating func takeAhead(_ now: Int64) {
    guard self.source == .attached, !self.isLettingGo else { return }
    guard self.returns.isEmpty else { return self.takeWhileOwed(now) }
    // What is set aside uses credit up, and holds up nothing.
    self.take(Taking(window: self.bound.limit + self.counts.held, kept: self.counts.held))
  }

  /// One look at a time, for all that was accepted before it.
  private mutating func lookForQueue() {
    guard !self.unseen.isEmpty, self.lookedFor.isEmpty, self.target == .attached else { return }
    swap(&self.unseen, &self.lookedFor)
    self.look += 1
    self.actions.append(.look(epoch: self.targetEpoch, self.look))
  }

  /// A target may be silent for as long as it likes (RabbitMQ in a memory alarm is): nothing is guessed, but people are told.
  private mutating func tellOfSilence(_ now: Int64) {
    let isSilent = self.counts.onTheirWay > 0 && self.target == .attached && now - self.lastOutcome >= self.settings.silenceLimit
    if isSilent != self.isSilent {
      self.isSilent = isSilent
      let seconds = (now - self.lastOutcome) / 1_000_000_000
      self.actions.append(
        .tell(
          isSilent
            ? ForwardingError(
              .targetSilent, tried: self.settings.tried,
              seen: "\(self.counts.onTheirWay) messages wait for the target, which has said nothing for \(seconds) s") : nil))
    }
    if !isSilent, self.counts.onTheirWay > 0, self.phase != .ended {
      self.actions.append(.wake(at: self.lastOutcome + self.settings.silenceLimit))
    }
  }

  private mutating func attach(_ now: Int64) {
    switch self.target {
    case .none: self.attachTarget()
    case .retry(let at) where at <= now: self.attachTarget()
    case .retry(let at): self.actions.append(.wake(at: at))
    case .seeking, .attaching, .attached: break
    }
    // Nothing is taken from the source before the target is there: being handed out counts.
    switch self.source {
    case .none where self.target == .attached: self.attachSource()
    // What was on its way when the link was lost is awaited: it comes again, and then its outcome must be known.
    case .retry where self.counts.onTheirWay > 0 || self.target != .attached: break
    // Where a message may not be held for long, none is taken only to be held.
    case .retry where self.isPaused && self.holdLimit != nil: break
    case .retry(let at) where at <= now && self.isSeeking:
      self.isSeeking = false
      self.source = .seeking
      self.actions.append(.seekLinks)
    case .retry(let at) where at <= now: self.attachSource()
    case .retry(let at): self.actions.append(.wake(at: at))
    case .none, .seeking, .attaching, .attached: break
    }
  }

  private mutating func attachTarget() {
    self.target = .attaching
    self.targetEpoch += 1
    self.actions.append(.attachTarget(epoch: self.targetEpoch))
  }

  private mutating func attachSource() {
    // After a power cut the bus has had its time.
    if self.settings.isAfterPowerCut, self.sourceEpoch == 0 { self.returns.noticed() }
    self.source = .attaching
    self.sourceEpoch += 1
    self.actions.append(.attachSource(epoch: self.sourceEpoch))
  }

  /// How many may be under way: one while it is not known over which message a peer ended the link.
  private var window: Int { self.suspects > 0 ? 1 : max(1, self.settings.window) }

  private mutating func journalNext() {
    guard !self.isPaused, self.target == .attached else { return }
    var room = self.window - self.underWay
    // Alone: what is written already may be more than one, and what was lost goes before it.
    if self.suspects > 0 { room = self.counts.onTheirWay == 0 && self.batches.isEmpty ? 1 : 0 }
    guard room > 0 else { return }
    var records: [JournalRecord] = []
    let batch = self.batch + 1
    var number = max(self.base, self.cursor)
    var first: UInt64?
    var last = number
    while room > 0, case .running = self.phase, let index = self.index(of: number) {
      number += 1
      if self.suspects > 0, self.items[index].state == .ready { break }
      guard self.items[index].state == .waiting else { continue }
      if let limit = self.maximumSize, UInt64(self.items[index].size) > limit {
        if self.items[index].isJournaled {
          self.actions.append(.interrupt([self.items[index].serial]))
        }
        self.setAside(index, .tooLarge, "\(self.items[index].size) bytes, the target takes \(limit)")
        continue
      }
      if !self.items[index].isJournaled {
        records.append(
          .sending(
            serial: self.items[index].serial, queue: self.settings.queue, self.items[index].fingerprint,
            id: self.items[index].messageID))
      }
      if let reason = self.items[index].duplicate {
        self.counts.possibleDuplicates += 1
        records.append(
          .possibleDuplicate(
            queue: self.settings.queue, self.items[index].fingerprint, id: self.items[index].messageID, reason,
            at: self.milliseconds))
      }
      self.items[index].isJournaled = true
      self.items[index].duplicate = nil
      self.items[index].state = .journaling(batch)
      self.underWay += 1
      room -= 1
      last = self.items[index].number
      first = first ?? last
    }
    guard let first else { return }
    self.batch = batch
    self.batches[batch] = first...last
    self.actions.append(.journal(batch: batch, records))
  }

  private mutating func sendNext(_ now: Int64) {
    guard !self.isPaused, self.target == .attached, !self.isWithdrawing else { return }
    self.refill(now)
    var numbers: [UInt64] = []
    let window = self.window
    scan: while self.counts.onTheirWay < window, let index = self.index(of: self.cursor) {
      switch self.items[index].state {
      case .ready:
        if let rate = self.settings.rate {
          guard self.tokens >= 1 else {
            self.actions.append(.wake(at: now + Int64((1 - self.tokens) / Double(max(1, rate)) * 1e9) + 1))
            break scan
          }
          self.tokens -= 1
        }
        self.items[index].state = .onItsWay
        if self.counts.onTheirWay == 0 { self.lastOutcome = now }
        self.counts.onTheirWay += 1
        numbers.append(self.cursor)
      // Nothing overtakes what is not written yet.
      case .waiting, .journaling: break scan
      case .onItsWay, .refused, .aside, .gone: break
      }
      self.cursor += 1
    }
    if !numbers.isEmpty { self.actions.append(.send(epoch: self.targetEpoch, numbers)) }
  }

  private mutating func refill(_ now: Int64) {
    guard let rate = self.settings.rate else { return }
    let most = max(1, Double(rate) / 10)
    if self.tokensAt > 0 { self.tokens = min(most, self.tokens + Double(now - self.tokensAt) / 1e9 * Double(rate)) }
    self.tokensAt = now
  }

  private var isIdle: Bool { self.items.allSatisfy { $0.state == .aside || $0.state == .gone } }

  private mutating func endIfIdle(_ now: Int64) {
    guard !self.isReleasing else { return }
    // What a dead link may hold unread is still on the source, and is counted there.
    if self.returns.count + self.returns.earlyCount > 0 { return }
    guard let idle = self.settings.idle, !self.isPaused, self.source == .attached, self.counts.onTheirWay == 0,
      self.underWay == 0,
      self.isIdle
    else { return }
    guard now - self.lastArrival >= idle else {
      self.actions.append(.wake(at: self.lastArrival + idle))
      return
    }
    self.phase = .stopping(.idle, deadline: nil)
  }

  private mutating func finishIfDone(_ ending: Ending, _ deadline: Int64?, _ now: Int64) {
    if self.counts.onTheirWay > 0 {
      guard let deadline, deadline <= now else {
        if let deadline { self.actions.append(.wake(at: deadline)) }
        return
      }
    }
    self.phase = .ended
    var back = self.returns.early.map(\.number)
    // What was held came before what it goes behind. And where more was given back before, a quorum queue puts this behind it; where locks run
    // out each message has its place.
    if !self.returns.isEmpty || self.returns.hasReleased || self.latestWasReturned && self.holdLimit == nil {
      self.loseLink(isNoticed: true)
    } else if self.source == .attached {
      self.notes.append(.owed(queue: self.settings.queue, isNoticed: true, []))
    }
    for index in self.items.indices {
      let item = self.items[index]
      switch item.state {
      case .gone: continue
      case .onItsWay:
        // At the deadline: it comes again, and is listed when it is sent again.
        self.items[index].mayHaveArrived = true
        self.counts.onTheirWay -= 1
        self.giveUp(index)
      case .refused(let words):
        if let later = self.lastAccepted[item.sender], later > item.number {
          self.counts.setAside[.overtaken, default: 0] += 1
          self.notes.append(
            .setAside(
              queue: self.settings.queue, item.fingerprint, id: item.messageID, .overtaken, at: self.milliseconds,
              seen: "\(words); a later message of the same sender was accepted"))
        }
        self.giveUp(index)
      case .waiting, .journaling, .ready: self.giveUp(index)
      case .aside: self.remove(index)
      }
      if item.isOnSource { back.append(item.number) }
    }
    self.underWay = 0
    self.counts.held = 0
    if self.source == .attached {
      self.actions.append(.giveBack(epoch: self.sourceEpoch, back.sorted()))
    }
    self.actions.append(.finish(ending))
  }
}
