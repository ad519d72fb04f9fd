// SPDX-License-Identifier: Apache-2.0

import DequeModule
import HeapModule

/// One queue with peek-lock: what lies in it, who holds what, who gets the next message. Pure.
///
/// Times are milliseconds on whatever clock the caller has. Calls return what is to be done, in order.
package struct QueueMachine<Content: Sendable>: Sendable {
  private struct Entry: Sendable {
    var content: Content
    var expiresAt: Int64?
    var deliveryCount: UInt32 = 0
    /// Returns that count towards the delivery limit.
    var returns = 0
    var acquiredCount: UInt32 = 0
    var wasHadElsewhere = false
    var place: Place
  }

  private enum Place: Equatable, Sendable {
    case ready
    case locked
    /// Lies in the queue and is never handed out: a fault that tests ask for.
    case withheld
    /// Laid aside by a consumer.
    case deferred
  }

  private struct Holder: Sendable {
    let sequence: UInt64
    let consumer: Consumer
    var lockedUntil: Int64?
  }

  private struct Taker: Sendable {
    let consumer: Consumer
    let takesSettled: Bool
    var credit = 0
    var drains = false
    /// Locks it lost and has not settled: it gets nothing more until it has, where the rules say so.
    var owed: Set<Lock> = []
  }

  private struct Expiry: Comparable, Sendable {
    let at: Int64
    let sequence: UInt64
    static func < (lhs: Expiry, rhs: Expiry) -> Bool { (lhs.at, lhs.sequence) < (rhs.at, rhs.sequence) }
  }

  package let rules: QueueRules
  private var entries: [UInt64: Entry] = [:]
  /// Never handed out, in order of arrival. Holds numbers of messages that have left, too: they are passed over.
  private var fresh: Deque<UInt64> = []
  /// Given back, the oldest last.
  private var returned: [UInt64] = []
  private var holders: [Lock: Holder] = [:]
  private var takers: [Taker] = []
  /// Where the round begins: messages go to consumers in turn.
  private var turn = 0
  private var expiries = Heap<Expiry>()
  private var lastNumber: UInt64 = 0
  private var readyCount = 0

  /// Whether nothing is handed out for now.
  package private(set) var isPaused = false

  package init(_ rules: QueueRules = QueueRules()) { self.rules = rules }

  // MARK: What lies here

  /// All messages, locked ones too.
  package var depth: Int { self.entries.count }
  /// Handed out and not settled.
  package var lockedCount: Int { self.holders.count }
  /// Laid aside by a consumer.
  package var deferredCount: Int { self.entries.values.count { $0.place == .deferred } }
  /// Those that could be handed out.
  package var ready: Int { self.readyCount }
  package var consumerCount: Int { self.takers.count }

  /// The messages in the order of their arrival, locked ones too.
  package var contents: [Content] { self.entries.sorted { $0.key < $1.key }.map(\.value.content) }

  /// The messages a looker may see, in the order of their arrival.
  package var peeked: [Peeked] {
    self.entries.sorted { $0.key < $1.key }
      .map { Peeked(content: $0.value.content, deliveryCount: $0.value.deliveryCount, isDeferred: $0.value.place == .deferred) }
  }

  package func credit(of consumer: Consumer) -> Int? { self.takers.first { $0.consumer == consumer }?.credit }

  /// When the first message that lies ready expires, or the first lock ends; nil when none does.
  package mutating func nextExpiry() -> Int64? {
    let lock = self.rules.lockDuration == nil ? nil : self.holders.values.compactMap(\.lockedUntil).min()
    return [self.nextMessageExpiry(), lock].compactMap { $0 }.min()
  }

  private mutating func nextMessageExpiry() -> Int64? {
    while let first = self.expiries.min {
      if let entry = self.entries[first.sequence], entry.place != .locked, entry.expiresAt == first.at { return first.at }
      self.expiries.removeMin()
    }
    return nil
  }

  // MARK: Arrival

  /// Takes in a message.
  ///
  /// - Parameters:
  ///   - timeToLive: its own, in milliseconds; the queue's counts when that is shorter.
  ///   - withheld: it is to lie here and never be handed out.
  ///   - deliveryCount: unsuccessful deliveries it had elsewhere; `isFirst` is false when a consumer there has had it.
  package mutating func put(
    _ content: Content, timeToLive: Int64? = nil, withheld: Bool = false, deliveryCount: UInt32 = 0, isFirst: Bool = true,
    now: Int64
  ) -> Arrival {
    if let limit = self.rules.maximumLength, self.entries.count >= limit { return .full }
    self.lastNumber += 1
    let sequence = self.lastNumber
    let lifetime = [timeToLive, self.rules.timeToLive].compactMap { $0 }.min()
    var entry = Entry(content: content, place: withheld ? .withheld : .ready)
    entry.expiresAt = lifetime.map { now + $0 }
    entry.deliveryCount = deliveryCount
    entry.wasHadElsewhere = !isFirst
    self.entries[sequence] = entry
    self.watchExpiry(sequence, entry)
    if !withheld {
      self.fresh.append(sequence)
      self.readyCount += 1
    }
    return .queued(self.handOut(now: now))
  }

  // MARK: Consumers

  /// - Parameter takesSettled: its messages leave the queue as they are sent.
  package mutating func attach(_ consumer: Consumer, takesSettled: Bool = false) {
    self.takers.append(Taker(consumer: consumer, takesSettled: takesSettled))
  }

  /// The consumer's whole credit as it now is; with `drain`, what cannot be used at once is given back.
  package mutating func grant(_ credit: Int, to consumer: Consumer, drain: Bool = false, now: Int64 = 0) -> [Action] {
    guard let index = self.takers.firstIndex(where: { $0.consumer == consumer }) else { return [] }
    self.takers[index].credit = credit
    self.takers[index].drains = drain
    var actions = self.handOut(now: now)
    if let index = self.takers.firstIndex(where: { $0.consumer == consumer }), self.takers[index].drains {
      self.takers[index].credit = 0
      self.takers[index].drains = false
      actions.append(.drained(consumer))
    }
    return actions
  }

  /// The consumer gets nothing more, and keeps what it holds until ``detach(_:counts:now:)``.
  ///
  /// - Returns: whether it holds anything.
  package mutating func retire(_ consumer: Consumer) -> Bool {
    self.takers.removeAll { $0.consumer == consumer }
    return self.holders.values.contains { $0.consumer == consumer }
  }

  /// The consumer is gone; what it held comes back in its old place.
  ///
  /// - Parameter counts: whether that is an unsuccessful delivery (a lost connection) or none (an orderly detach).
  package mutating func detach(_ consumer: Consumer, counts: Bool, now: Int64) -> [Action] {
    self.takers.removeAll { $0.consumer == consumer }
    let held = self.holders.filter { $0.value.consumer == consumer }.sorted { $0.value.sequence < $1.value.sequence }
    var actions: [Action] = []
    for (lock, _) in held { actions += self.giveBack(lock, counts ? .lost : .detached, now: now) }
    return actions + self.handOut(now: now)
  }

  // MARK: Settling

  /// Ends a lock. An unknown lock is nothing: its message has been given back already.
  ///
  /// - Parameter change: what the consumer wants changed on a message that goes back or dies.
  package mutating func settle(
    _ lock: Lock, as verdict: Verdict, now: Int64, change: (inout Content) -> Void = { _ in }
  ) -> [Action] {
    for index in self.takers.indices where self.takers[index].owed.remove(lock) != nil { return self.handOut(now: now) }
    if let sequence = self.holders[lock]?.sequence, var content = self.entries[sequence]?.content {
      change(&content)
      self.entries[sequence]?.content = content
    }
    let actions: [Action]
    switch verdict {
    case .consumed:
      if let holder = self.holders.removeValue(forKey: lock) { self.entries[holder.sequence] = nil }
      return []
    case .rejected: actions = self.kill(lock, .rejected, counts: self.rules.rejectedCounts)
    case .modified(_, undeliverableHere: true): actions = self.kill(lock, .undeliverable, counts: self.rules.rejectedCounts)
    case .deferred:
      if let holder = self.holders.removeValue(forKey: lock) { self.entries[holder.sequence]?.place = .deferred }
      return []
    case .released, .modified, .lost, .detached: actions = self.giveBack(lock, verdict, now: now)
    }
    return actions + self.handOut(now: now)
  }

  /// Makes a lock last longer. - Returns: until when; nil when there is no such lock.
  package mutating func renew(_ lock: Lock, now: Int64) -> Int64? {
    guard self.holders[lock] != nil, let duration = self.rules.lockDuration else { return nil }
    self.holders[lock]?.lockedUntil = now + duration
    return now + duration
  }

  /// Locks a message that was laid aside, for a consumer that is no taker.
  package mutating func takeDeferred(
    for consumer: Consumer, now: Int64, where isWanted: (Content) -> Bool
  ) -> Handout? {
    let found = self.entries.filter { $0.value.place == .deferred && isWanted($0.value.content) }.keys.min()
    guard let sequence = found, let entry = self.entries[sequence] else { return nil }
    return self.handOut(sequence, entry, to: Taker(consumer: consumer, takesSettled: false), now: now)
  }

  /// Takes out the first message that fits and is not locked. - Returns: whether there was one.
  package mutating func remove(where isWanted: (Content) -> Bool) -> Bool {
    let found = self.entries.filter { $0.value.place != .locked && isWanted($0.value.content) }.keys.min()
    guard let sequence = found, let entry = self.entries.removeValue(forKey: sequence) else { return false }
    if entry.place == .ready { self.readyCount -= 1 }
    return true
  }

  // MARK: Time, faults, upkeep

  /// Lets messages whose time is over die, and takes back what was held too long. Locked ones live until they are given back.
  package mutating func expire(now: Int64) -> [Action] {
    var actions: [Action] = []
    for (lock, holder) in self.holders.sorted(by: { $0.value.sequence < $1.value.sequence }) {
      guard let until = holder.lockedUntil, until <= now else { continue }
      if self.rules.lostLocksBlock, let index = self.takers.firstIndex(where: { $0.consumer == holder.consumer }) {
        self.takers[index].owed.insert(lock)
      }
      actions.append(.lockLost(lock, holder.consumer))
      actions += self.giveBack(lock, self.rules.lostLocksBlock ? .released : .lost, now: now)
    }
    while let at = self.nextMessageExpiry(), at <= now, let first = self.expiries.popMin() {
      guard let entry = self.entries.removeValue(forKey: first.sequence) else { continue }
      if entry.place == .ready { self.readyCount -= 1 }
      actions.append(.died(entry.content, .expired, deliveryCount: entry.deliveryCount))
    }
    return actions + self.handOut(now: now)
  }

  package mutating func pause() { self.isPaused = true }

  package mutating func resume(now: Int64 = 0) -> [Action] {
    self.isPaused = false
    return self.handOut(now: now)
  }

  /// Lets withheld messages go their way again.
  package mutating func releaseWithheld(now: Int64 = 0) -> [Action] {
    for (sequence, entry) in self.entries where entry.place == .withheld {
      self.entries[sequence]?.place = .ready
      self.putBackInPlace(sequence)
    }
    return self.handOut(now: now)
  }

  /// Removes all that is not locked.
  ///
  /// - Returns: how many.
  package mutating func purge() -> Int {
    let before = self.entries.count
    self.entries = self.entries.filter { $0.value.place == .locked }
    self.fresh = []
    self.returned = []
    self.readyCount = 0
    return before - self.entries.count
  }

  // MARK: Steps

  private mutating func handOut(now: Int64) -> [Action] {
    guard !self.isPaused else { return [] }
    var actions: [Action] = []
    while self.readyCount > 0, let index = self.nextTaker(), let (sequence, entry) = self.takeReady() {
      self.turn = index + 1
      self.takers[index].credit -= 1
      actions.append(.deliver(self.handOut(sequence, entry, to: self.takers[index], now: now)))
    }
    return actions
  }

  private mutating func handOut(_ sequence: UInt64, _ entry: Entry, to taker: Taker, now: Int64) -> Handout {
    var entry = entry
    let before = entry.acquiredCount
    entry.acquiredCount += 1
    entry.place = .locked
    let lockedUntil = taker.takesSettled ? nil : self.rules.lockDuration.map { now + $0 }
    var lock: Lock?
    if taker.takesSettled {
      self.entries[sequence] = nil
    } else {
      self.lastNumber += 1
      let new = Lock(number: self.lastNumber)
      self.entries[sequence] = entry
      self.holders[new] = Holder(sequence: sequence, consumer: taker.consumer, lockedUntil: lockedUntil)
      lock = new
    }
    return Handout(
      consumer: taker.consumer, lock: lock, content: entry.content, deliveryCount: entry.deliveryCount,
      returns: UInt32(entry.returns), acquiredCount: before, lockedUntil: lockedUntil,
      isFirst: before == 0 && !entry.wasHadElsewhere,
      expiresAt: entry.expiresAt)
  }

  private func nextTaker() -> Int? {
    let count = self.takers.count
    for step in 0..<count {
      let index = (self.turn + step) % count
      if self.takers[index].credit > 0, self.takers[index].owed.isEmpty { return index }
    }
    return nil
  }

  private mutating func takeReady() -> (UInt64, Entry)? {
    while let sequence = self.popOldest() {
      if let entry = self.entries[sequence], entry.place == .ready {
        self.readyCount -= 1
        return (sequence, entry)
      }
    }
    return nil
  }

  private mutating func popOldest() -> UInt64? {
    if let back = self.returned.last, back < self.fresh.first ?? .max { return self.returned.popLast() }
    return self.fresh.popFirst()
  }

  private mutating func kill(_ lock: Lock, _ reason: DeathReason, counts: Bool = false) -> [Action] {
    guard let holder = self.holders.removeValue(forKey: lock),
      let entry = self.entries.removeValue(forKey: holder.sequence)
    else { return [] }
    return [.died(entry.content, reason, deliveryCount: entry.deliveryCount + (counts ? 1 : 0))]
  }

  private mutating func giveBack(_ lock: Lock, _ verdict: Verdict, now: Int64) -> [Action] {
    guard let sequence = self.holders[lock]?.sequence, var entry = self.entries[sequence] else { return [] }
    let counting = self.rules.counting(verdict)
    if counting != .nothing { entry.returns += 1 }
    if counting == .deliveryCount { entry.deliveryCount += 1 }
    self.entries[sequence] = entry
    if let limit = self.rules.deliveryLimit, entry.returns > limit { return self.kill(lock, .deliveryLimit) }
    if let expiresAt = entry.expiresAt, expiresAt <= now { return self.kill(lock, .expired) }
    self.holders[lock] = nil
    entry.place = .ready
    self.entries[sequence] = entry
    self.watchExpiry(sequence, entry)
    self.putBackInPlace(sequence)
    return []
  }

  private mutating func putBackInPlace(_ sequence: UInt64) {
    self.readyCount += 1
    var low = 0
    var high = self.returned.count
    while low < high {
      let middle = (low + high) / 2
      if self.returned[middle] > sequence { low = middle + 1 } else { high = middle }
    }
    self.returned.insert(sequence, at: low)
  }

  private mutating func watchExpiry(_ sequence: UInt64, _ entry: Entry) {
    if let at = entry.expiresAt { self.expiries.insert(Expiry(at: at, sequence: sequence)) }
  }
}

extension QueueRules {
  fileprivate func counting<Content>(_ verdict: QueueMachine<Content>.Verdict) -> ReturnCounting {
    switch verdict {
    case .released, .modified(deliveryFailed: false, _): self.released
    case .modified(deliveryFailed: true, _): self.failed
    case .lost: self.lost
    case .detached: self.detached
    case .consumed, .rejected, .deferred: .nothing
    }
  }
}
