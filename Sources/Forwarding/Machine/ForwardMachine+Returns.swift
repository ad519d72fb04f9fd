// SPDX-License-Identifier: Apache-2.0

/// What lost links held and comes again: what comes before its turn is held, and nothing overtakes.
extension ForwardMachine {
  /// How long a bus is given at first to notice that a link is dead.
  static let firstPause: Int64 = 2_000_000_000

  /// Whether it goes to the target, unless something stands against it.
  func isToBeSent(_ arrival: Arrival) -> Bool {
    if arrival.aside != nil || arrival.isNearDeliveryLimit { return false }
    switch arrival.standing {
    case .accepted: return !arrival.isRedelivered || arrival.messageID == nil
    case .setAside: return self.settings.retriesSetAside
    case .unknown, .interrupted, .onItsWay: return true
    }
  }

  /// Whether it came before its turn: then it is held, and its place in ``items`` is empty.
  mutating func isHeldAsEarly(_ arrival: Arrival, _ now: Int64) -> Bool {
    guard self.isToBeSent(arrival) else {
      self.returns.passed(arrival)
      return false
    }
    var arrival = arrival
    arrival.at = now
    guard case .early(let behind) = self.returns.turn(of: arrival) else { return false }
    self.notes.append(.early(queue: self.settings.queue, arrival.fingerprint, behind: behind))
    return true
  }

  /// The early ones go on once all that is owed has come, and what nobody had read of it: that is known when something comes that was on no
  /// link, or nothing more comes.
  mutating func releaseEarly(_ now: Int64) {
    guard case .running = self.phase, self.returns.hasAllCome, self.source == .attached, !self.isLettingGo else { return }
    guard self.returns.earlyCount > 0 else {
      if !self.returns.isEmpty { _ = self.returns.release() }
      return
    }
    guard self.returns.latest == .fresh || now - self.lastArrival >= Self.tailLimit else {
      return self.actions.append(.wake(at: self.lastArrival + Self.tailLimit))
    }
    self.isReleasing = true
    self.actions.append(.again(epoch: self.sourceEpoch, self.returns.release()))
  }

  /// What is taken while something is owed: as much as is owed and a little more, so that little is held that comes before its turn. Behind something
  /// that was on no link one more now and then: what is owed comes before others like it.
  mutating func takeWhileOwed(_ now: Int64) {
    let held = self.items.count { $0.isOnSource && $0.state != .gone } + self.returns.earlyCount
    let more: Int
    switch self.returns.latest {
    case .nothing:
      more = 1
      self.nextLook = nil
    case .fresh:
      if let at = self.nextLook, self.returns.earlyCount == self.earlyAtLook {
        more = now >= at ? 1 : 0
      } else {
        // 2, 4, 8 ... 32 s.
        self.nextLook = now + Self.firstPause << Int64(min(self.looks, 4))
        self.looks += 1
        self.earlyAtLook = self.returns.earlyCount
        more = 0
      }
      if more == 0, let at = self.nextLook { self.actions.append(.wake(at: at)) }
      self.tellOfReturns(now)
    case .went, .passed, .early:
      self.nextLook = nil
      self.looks = 0
      // What was known to be owed may all be held. What was not is bounded.
      let isFull = self.returns.unforeseen > 2 * self.bound.most
      more = isFull ? 0 : min(self.bound.limit, self.returns.count + Self.tail)
    }
    self.take(Taking(window: held + more, kept: held))
  }

  /// So many are asked for beyond what is known to be owed.
  private static let tail = 32
  /// How long a bus may take to go on with what it gives back.
  static let tailLimit: Int64 = 30_000_000_000

  mutating func take(_ taking: Taking) {
    guard taking != self.taking else { return }
    self.taking = taking
    self.widest = max(self.widest, taking.window)
    self.actions.append(.take(epoch: self.sourceEpoch, taking.window, kept: taking.kept))
  }

  mutating func giveUpReturns(_ now: Int64) {
    guard !self.returns.isEmpty, var until = self.returnsUntil else { return }
    // While it comes it is not given up.
    if ![.nothing, .fresh].contains(self.returns.latest) { until = max(until, self.lastArrival + Self.tailLimit) }
    guard now >= until else { return self.actions.append(.wake(at: until)) }
    let isAwaited = !self.returns.hasAllCome
    let count = self.returns.giveUp()
    guard isAwaited else { return }
    self.counts.notReturned += count
    self.actions.append(.awaitNothing)
    guard count > 0 else { return }
    let error = ForwardingError(
      .notReturned, tried: self.settings.tried,
      seen: "\(count) messages that were on hand when a link was lost have not come again")
    self.actions.append(.tell(error))
    self.isWaitingForReturns = false
    // One at a time is asked for so that nothing overtakes, whatever happens: people say whether it goes on without them.
    if self.settings.window == 1 { self.stop(error) }
  }

  private mutating func tellOfReturns(_ now: Int64) {
    guard !self.isWaitingForReturns else { return }
    let what =
      self.returns.count > 0 ? "\(self.returns.count) messages that a dead link holds" : "what a dead link may hold unread"
    let seconds = max(0, (self.returnsUntil ?? now) - now) / 1_000_000_000
    self.tellOfReturns("the queue waits for \(what), at most \(seconds) s more")
  }

  mutating func tellOfReturns(_ seen: String) {
    guard !self.isWaitingForReturns else { return }
    self.isWaitingForReturns = true
    self.actions.append(.tell(ForwardingError(.notReturned, tried: self.settings.tried, seen: seen)))
  }
}
