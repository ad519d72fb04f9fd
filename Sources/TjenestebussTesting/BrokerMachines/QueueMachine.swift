// SPDX-License-Identifier: Apache-2.0

import DequeModule
import HeapModule

/// One queue with peek-lock: what lies in it, who holds what, who gets the next message. Pure.
///
/// Times are milliseconds on whatever clock the caller has. Calls return what is to be done, in order.
package struct QueueMachine<Content: Sendable>: Sendable {
  /// A consumer of this queue.
  package struct Consumer: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
  }

  /// A message handed out and not yet settled. Never reused.
  package struct Lock: Hashable, Sendable { let number: UInt64 }

  /// What is to be done.
  package enum Action: Sendable {
    case deliver(Handout)
    /// The consumer's credit is used up or given back, as its drain asked.
    case drained(Consumer)
    /// The message has left this queue and was not consumed.
    case died(Content, DeathReason)
  }

  /// A message on its way to a consumer.
  package struct Handout: Sendable {
    package let consumer: Consumer
    /// Nil when the consumer takes messages settled: then it has left the queue.
    package let lock: Lock?
    package let content: Content
    /// Unsuccessful deliveries before this one.
    package let deliveryCount: UInt32
    /// Whether no consumer has had it before.
    package let isFirst: Bool
    /// When it expires; nil for never.
    package let expiresAt: Int64?
  }

  package enum Arrival: Sendable {
    case queued([Action])
    /// The queue holds as many as it may.
    case full
  }

  /// What a consumer, or its loss, says of a locked message.
  package enum Verdict: Hashable, Sendable {
    case consumed
    case released
    case rejected
    case modified(deliveryFailed: Bool, undeliverableHere: Bool)
    /// The link, session or connection was lost.
    case lost
  }

  private struct Entry: Sendable {
    var content: Content
    var expiresAt: Int64?
    var deliveryCount: UInt32 = 0
    /// Returns that count towards the delivery limit.
    var returns = 0
    var wasHandedOut = false
    var place: Place
  }

  private enum Place: Equatable, Sendable {
    case ready
    case locked
    /// Lies in the queue and is never handed out: a fault that tests ask for.
    case withheld
  }

  private struct Holder: Sendable {
    let sequence: UInt64
    let consumer: Consumer
  }

  private struct Taker: Sendable {
    let consumer: Consumer
    let takesSettled: Bool
    var credit = 0
    var drains = false
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
  package var consumerCount: Int { self.takers.count }

  /// The messages in the order of their arrival, locked ones too.
  package var contents: [Content] { self.entries.sorted { $0.key < $1.key }.map(\.value.content) }

  package func credit(of consumer: Consumer) -> Int? { self.takers.first { $0.consumer == consumer }?.credit }

  /// When the first message that lies ready expires; nil when none does.
  package mutating func nextExpiry() -> Int64? {
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
  package mutating func put(_ content: Content, timeToLive: Int64? = nil, withheld: Bool = false, now: Int64) -> Arrival {
    if let limit = self.rules.maximumLength, self.entries.count >= limit { return .full }
    self.lastNumber += 1
    let sequence = self.lastNumber
    let lifetime = [timeToLive, self.rules.timeToLive].compactMap { $0 }.min()
    var entry = Entry(content: content, place: withheld ? .withheld : .ready)
    entry.expiresAt = lifetime.map { now + $0 }
    self.entries[sequence] = entry
    self.watchExpiry(sequence, entry)
    if !withheld {
      self.fresh.append(sequence)
      self.readyCount += 1
    }
    return .queued(self.handOut())
  }

  // MARK: Consumers

  /// - Parameter takesSettled: its messages leave the queue as they are sent.
  package mutating func attach(_ consumer: Consumer, takesSettled: Bool = false) {
    self.takers.append(Taker(consumer: consumer, takesSettled: takesSettled))
  }

  /// The consumer's whole credit as it now is; with `drain`, what cannot be used at once is given back.
  package mutating func grant(_ credit: Int, to consumer: Consumer, drain: Bool = false) -> [Action] {
    guard let index = self.takers.firstIndex(where: { $0.consumer == consumer }) else { return [] }
    self.takers[index].credit = credit
    self.takers[index].drains = drain
    var actions = self.handOut()
    if let index = self.takers.firstIndex(where: { $0.consumer == consumer }), self.takers[index].drains {
      self.takers[index].credit = 0
      self.takers[index].drains = false
      actions.append(.drained(consumer))
    }
    return actions
  }

  /// The consumer is gone; what it held comes back in its old place.
  ///
  /// - Parameter counts: whether that is an unsuccessful delivery (a lost connection) or none (an orderly detach).
  package mutating func detach(_ consumer: Consumer, counts: Bool, now: Int64) -> [Action] {
    self.takers.removeAll { $0.consumer == consumer }
    let held = self.holders.filter { $0.value.consumer == consumer }.sorted { $0.value.sequence < $1.value.sequence }
    var actions: [Action] = []
    for (lock, _) in held { actions += self.giveBack(lock, counts ? .lost : nil, now: now) }
    return actions + self.handOut()
  }

  // MARK: Settling

  /// Ends a lock. An unknown lock is nothing: its message has been given back already.
  package mutating func settle(_ lock: Lock, as verdict: Verdict, now: Int64) -> [Action] {
    let actions: [Action]
    switch verdict {
    case .consumed:
      if let holder = self.holders.removeValue(forKey: lock) { self.entries[holder.sequence] = nil }
      return []
    case .rejected: actions = self.kill(lock, .rejected)
    case .modified(_, undeliverableHere: true): actions = self.kill(lock, .undeliverable)
    case .released, .modified, .lost: actions = self.giveBack(lock, verdict, now: now)
    }
    return actions + self.handOut()
  }

  // MARK: Time, faults, upkeep

  /// Lets messages whose time is over die. Locked ones live until they are given back.
  package mutating func expire(now: Int64) -> [Action] {
    var actions: [Action] = []
    while let at = self.nextExpiry(), at <= now, let first = self.expiries.popMin() {
      guard let entry = self.entries.removeValue(forKey: first.sequence) else { continue }
      if entry.place == .ready { self.readyCount -= 1 }
      actions.append(.died(entry.content, .expired))
    }
    return actions
  }

  package mutating func pause() { self.isPaused = true }

  package mutating func resume() -> [Action] {
    self.isPaused = false
    return self.handOut()
  }

  /// Lets withheld messages go their way again.
  package mutating func releaseWithheld() -> [Action] {
    for (sequence, entry) in self.entries where entry.place == .withheld {
      self.entries[sequence]?.place = .ready
      self.putBackInPlace(sequence)
    }
    return self.handOut()
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

  private mutating func handOut() -> [Action] {
    guard !self.isPaused else { return [] }
    var actions: [Action] = []
    while self.readyCount > 0, let index = self.nextTaker(), let (sequence, entry) = self.takeReady() {
      self.turn = index + 1
      self.takers[index].credit -= 1
      actions.append(.deliver(self.handOut(sequence, entry, to: self.takers[index])))
    }
    return actions
  }

  private mutating func handOut(_ sequence: UInt64, _ entry: Entry, to taker: Taker) -> Handout {
    var entry = entry
    let isFirst = !entry.wasHandedOut
    entry.wasHandedOut = true
    entry.place = .locked
    var lock: Lock?
    if taker.takesSettled {
      self.entries[sequence] = nil
    } else {
      self.lastNumber += 1
      let new = Lock(number: self.lastNumber)
      self.entries[sequence] = entry
      self.holders[new] = Holder(sequence: sequence, consumer: taker.consumer)
      lock = new
    }
    return Handout(
      consumer: taker.consumer, lock: lock, content: entry.content, deliveryCount: entry.deliveryCount, isFirst: isFirst,
      expiresAt: entry.expiresAt)
  }

  private func nextTaker() -> Int? {
    let count = self.takers.count
    for step in 0..<count {
      let index = (self.turn + step) % count
      if self.takers[index].credit > 0 { return index }
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

  private mutating func kill(_ lock: Lock, _ reason: DeathReason) -> [Action] {
    guard let holder = self.holders.removeValue(forKey: lock),
      let entry = self.entries.removeValue(forKey: holder.sequence)
    else { return [] }
    return [.died(entry.content, reason)]
  }

  /// - Parameter verdict: nil for a return that counts as nothing.
  private mutating func giveBack(_ lock: Lock, _ verdict: Verdict?, now: Int64) -> [Action] {
    guard let sequence = self.holders[lock]?.sequence, var entry = self.entries[sequence] else { return [] }
    let counting = verdict.map(self.rules.counting) ?? .nothing
    if counting != .nothing { entry.returns += 1 }
    if counting == .deliveryCount { entry.deliveryCount += 1 }
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
    case .modified(deliveryFailed: true, _): .deliveryCount
    case .lost: self.lost
    case .consumed, .rejected: .nothing
    }
  }
}
