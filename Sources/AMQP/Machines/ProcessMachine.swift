// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What becomes of deliveries that handlers work on: which may start, in what order, what is tried again and how each is
/// settled. Pure: delays are actions whose end is an event, and every event names the run it belongs to.
///
/// Deliveries of one key run one after the other, in the order in which they came; one that is held back holds the later
/// ones of its key back too, unless the settings say otherwise. Those that are handed back together come again, and what the bus
/// had sent before it read that must not overtake them: it waits here until they have come, known by their message ids, for a while.
/// Deliveries without a key know no order.
///
/// There are so many places for handlers. A delivery that needs none is begun at once, whoever else is at work; while it runs it
/// may ask for a place after all, and gets it when its turn comes.
struct ProcessMachine<Key: Hashable & Sendable>: Sendable {
  typealias Ticket = UInt64

  struct Settings: Sendable {
    var maximumConcurrent: Int
    /// How often a handler is run again at once when the reaction says so.
    var retriesAtOnce: Int
    /// How long it is held when that was of no use.
    var retryDelay: Duration
    /// At so many earlier deliveries a message is poison: it is dead-lettered unseen. Nil for never.
    var poisonLimit: Int?
    /// From so many earlier deliveries on a message is reported as near its limit. Nil for never.
    var reportedFrom: Int?
    /// Whether those of its key behind a failed delivery wait until it has been handed back.
    var failedKeepPlace = true
    /// How long later ones of the key wait for what was handed back: another receiver may have got it, or the bus given it up.
    var longestReturn = Duration.seconds(10)
  }

  /// What is to become of a delivery whose handler failed.
  enum Reaction: Sendable, Equatable {
    case retryNow
    /// Held, and then handed back to the bus; `failed`: as a failure, which counts where the bus counts.
    case delay(Duration, failed: Bool = true)
    case deadLetter(AMQPCondition)
    /// Handed back, and nothing is started any more.
    case stop
  }

  enum Settlement: Sendable, Equatable {
    case accept
    case deadLetter(AMQPCondition)
    /// Its handler failed: counts as a failed delivery where the bus counts.
    case handBackFailed
    /// It was not begun, or broken off: not its fault.
    case handBackUnbegun
    /// The bus took it back; stating that we know opens the link again.
    case unlock
  }

  enum Action: Sendable, Equatable {
    case start(Ticket, run: Int)
    case settle(Ticket, Settlement)
    /// To be followed by ``holdOver(_:)``.
    case hold(Ticket, Duration)
    /// The place that a running delivery asked for; false: there will be none.
    case givePlace(Ticket, Bool)
    /// Nothing more is wanted: take the credit back, before anything is handed back.
    case leave
    /// Cancel the handler's task; it still ends by ``finished(_:run:_:)``.
    case cancel(Ticket)
    /// Those of the key that were handed back are expected to come again first; to be followed by ``returnOver(_:round:)``.
    case expectReturn(Key, round: UInt64, Duration)
    /// Its link is gone: it can be settled no more, and comes again.
    case forget(Ticket, wasHandled: Bool)
    case reportNearLimit(Ticket, deliveries: Int)
    /// Nothing is under way any more after a stop.
    case done
  }

  /// How a handler's task ended.
  enum Ending: Sendable, Equatable {
    case success
    case failure(Reaction)
  }

  private enum State: Sendable, Equatable {
    case queued
    case running(run: Int)
    case held
  }

  /// What came over a running delivery from outside.
  private enum Fate: Sendable { case normal, withdrawn, lost, settled }

  /// A handler's place, of those that there are.
  private enum Place: Sendable { case none, asked, taken }

  private struct Entry: Sendable {
    var key: Key?
    var generation: AMQPEpoch
    var needsPlace: Bool
    var state = State.queued
    var place = Place.none
    var fate = Fate.normal
    /// How it is handed back when it has been held.
    var handBack = Settlement.handBackFailed
    var messageID: AMQPMessageID?
    /// Its place among those of its key that were handed back before; none of them: behind all.
    var rank = KeyReturns<Key>.unexpected
    /// Whether it has been let into the line of those that may start.
    var isReady = false
  }

  private enum Phase: Sendable { case open, stopping, done }

  private let settings: Settings
  private var entries: [Ticket: Entry] = [:]
  /// What may start when there is room, in the order in which it came. Holds tickets that have gone since, too.
  private var ready: Deque<Ticket> = []
  /// For each key that is not free, the one at work or held, and those behind it.
  private var chains: [Key: Deque<Ticket>] = [:]
  private var returns = KeyReturns<Key>()
  private var phase = Phase.open
  /// What came on it and is told of late is not begun.
  private var lastLost: AMQPEpoch?
  /// How many places are taken.
  private(set) var runningCount = 0

  init(_ settings: Settings) { self.settings = settings }

  var isStopping: Bool { if case .open = self.phase { false } else { true } }
  var heldCount: Int { self.entries.values.count { $0.state == .held } }
  var queuedCount: Int { self.entries.values.count { $0.state == .queued } }
  /// Everything that is in our hands.
  var count: Int { self.entries.count }

  /// Whether it was handed back before, and came again when it was expected. For tests.
  func hasReturned(_ ticket: Ticket) -> Bool { self.entries[ticket].map { $0.rank != KeyReturns<Key>.unexpected } ?? false }

  // MARK: Events

  /// - Parameters:
  ///   - ticket: names the delivery; never used twice.
  ///   - messageID: by which it is known when it comes again; nil: it is not.
  ///   - needsPlace: whether it waits for one of the places.
  ///   - earlierDeliveries: how often the bus has given it out before, as far as it tells.
  mutating func arrived(
    _ ticket: Ticket, key: Key?, messageID: AMQPMessageID? = nil, needsPlace: Bool = true, generation: AMQPEpoch,
    earlierDeliveries: Int
  ) -> [Action] {
    guard self.entries[ticket] == nil else { return [] }
    guard generation != self.lastLost else { return [.forget(ticket, wasHandled: false)] }
    guard !self.isStopping else { return [.settle(ticket, .handBackUnbegun)] }
    var actions: [Action] = []
    let rank = self.returns.came(messageID, of: key)
    if let limit = self.settings.poisonLimit, earlierDeliveries >= limit {
      let text = "delivered \(earlierDeliveries) times before, the limit is \(limit)"
      let end = Action.settle(ticket, .deadLetter(AMQPCondition("amqp:precondition-failed", text: text)))
      return [end] + self.letHeadStart(key) + self.startReady()
    }
    if let limit = self.settings.reportedFrom, earlierDeliveries >= limit {
      actions.append(.reportNearLimit(ticket, deliveries: earlierDeliveries))
    }
    self.entries[ticket] = Entry(key: key, generation: generation, needsPlace: needsPlace, messageID: messageID, rank: rank)
    guard let key else { return actions + self.makeReady(ticket) + self.startReady() }
    let line = self.chains[key, default: []]
    // Before those that came while it was away; none of them has started.
    let place = line.firstIndex { self.entries[$0].map { $0.rank > rank && !$0.isReady } ?? false } ?? line.endIndex
    self.chains[key, default: []].insert(ticket, at: place)
    return actions + self.letHeadStart(key) + self.startReady()
  }

  /// A running delivery asks for a place. It is given one by ``Action/givePlace(_:_:)``, when its turn comes.
  mutating func askedForPlace(_ ticket: Ticket, run: Int) -> [Action] {
    guard let entry = self.entries[ticket], case .running(run) = entry.state else { return [] }
    switch entry.place {
    case .taken: return [.givePlace(ticket, true)]
    case .asked: return []
    case .none:
      guard !self.isStopping else { return [.givePlace(ticket, false)] }
      self.entries[ticket]?.place = .asked
      self.ready.append(ticket)
      return self.startReady()
    }
  }

  /// A handler's task ended.
  mutating func finished(_ ticket: Ticket, run: Int, _ ending: Ending) -> [Action] {
    guard let entry = self.entries[ticket], case .running(let current) = entry.state, current == run else { return [] }
    self.leavePlace(ticket)
    switch entry.fate {
    case .withdrawn: return self.unlock(ticket)
    case .lost: return self.remove(ticket, [.forget(ticket, wasHandled: true)])
    case .settled: return self.remove(ticket, [])
    case .normal: break
    }
    switch ending {
    case .success: return self.remove(ticket, [.settle(ticket, .accept)])
    case .failure(.deadLetter(let reason)): return self.remove(ticket, [.settle(ticket, .deadLetter(reason))])
    case .failure(.stop):
      return self.stop() + self.remove(ticket, [.settle(ticket, .handBackFailed)])
    case .failure(.retryNow):
      if self.isStopping { return self.remove(ticket, [.settle(ticket, .handBackFailed)]) }
      guard run <= self.settings.retriesAtOnce else { return self.hold(ticket, self.settings.retryDelay) }
      self.entries[ticket]?.state = .running(run: run + 1)
      if entry.place == .taken {
        self.entries[ticket]?.place = .taken
        self.runningCount += 1
      }
      return [.start(ticket, run: run + 1)]
    case .failure(.delay(let delay, let failed)):
      let settlement = failed ? Settlement.handBackFailed : .handBackUnbegun
      if self.isStopping || delay <= .zero { return self.remove(ticket, [.settle(ticket, settlement)]) }
      self.entries[ticket]?.handBack = settlement
      return self.hold(ticket, delay)
    }
  }

  /// It was held long enough: handed back, and those of its key behind it too, in their order, since they would overtake it.
  mutating func holdOver(_ ticket: Ticket) -> [Action] {
    guard let entry = self.entries[ticket], entry.state == .held else { return [] }
    var actions: [Action] = [.settle(ticket, entry.handBack)]
    self.entries[ticket] = nil
    if let key = entry.key {
      let line = self.chains.removeValue(forKey: key) ?? []
      var back = [(rank: entry.rank, id: entry.messageID)]
      for follower in line where follower != ticket {
        if let gone = self.entries.removeValue(forKey: follower) { back.append((gone.rank, gone.messageID)) }
        actions.append(.settle(follower, .handBackUnbegun))
      }
      if !self.isStopping, let round = self.returns.expect(back, of: key) {
        actions.append(.expectReturn(key, round: round, self.settings.longestReturn))
      }
    }
    return actions + self.startReady() + self.doneIfEmpty()
  }

  /// What was handed back has had time enough to come again.
  mutating func returnOver(_ key: Key, round: UInt64) -> [Action] {
    self.returns.over(key, round: round) ? self.letHeadStart(key) + self.startReady() : []
  }

  /// The bus took it back, because it was not settled in time.
  mutating func withdrawn(_ ticket: Ticket) -> [Action] {
    guard let entry = self.entries[ticket], entry.fate == .normal else { return [] }
    switch entry.state {
    case .running:
      self.entries[ticket]?.fate = .withdrawn
      return [.cancel(ticket)]
    case .queued, .held: return self.unlock(ticket)
    }
  }

  /// It comes again, and those of its key behind it would overtake it: they go back, too. First of all, while the link is locked:
  /// unlocked, the bus would send what comes after them.
  private mutating func unlock(_ ticket: Ticket) -> [Action] {
    var actions: [Action] = []
    if self.settings.failedKeepPlace, let key = self.entries[ticket]?.key, let line = self.chains[key],
      let index = line.firstIndex(of: ticket)
    {
      for follower in line[(index + 1)...] {
        self.entries[follower] = nil
        actions.append(.settle(follower, .handBackUnbegun))
      }
      self.chains[key] = Deque(line[...index])
    }
    return self.remove(ticket, actions + [.settle(ticket, .unlock)])
  }

  /// A link is lost: what came on it can be settled no more, and comes again. Handlers at work go on; what they have done
  /// is done, and the message that comes again waits for them when it has a key.
  mutating func linkLost(generation: AMQPEpoch) -> [Action] {
    self.lastLost = generation
    var actions: [Action] = []
    // All comes again, in the bus's own order.
    let awaited = self.returns.removeAll()
    // The last first: what follows one that goes must not be begun when it goes too.
    for (ticket, entry) in self.entries.sorted(by: { $0.key > $1.key }) where entry.generation == generation {
      switch entry.state {
      case .running: if entry.fate != .settled { self.entries[ticket]?.fate = .lost }
      case .queued, .held:
        self.entries[ticket] = nil
        actions.append(.forget(ticket, wasHandled: false))
        actions += self.unchain(ticket, entry.key)
      }
    }
    for key in awaited { actions += self.letHeadStart(key) }
    return actions + self.startReady() + self.doneIfEmpty()
  }

  /// Nothing is started any more; what waits is handed back.
  mutating func stop() -> [Action] {
    guard !self.isStopping else { return [] }
    self.phase = .stopping
    _ = self.returns.removeAll()
    var actions: [Action] = [.leave]
    for (ticket, entry) in self.entries.sorted(by: { $0.key < $1.key }) {
      switch entry.state {
      case .running:
        if entry.place == .asked {
          self.entries[ticket]?.place = .none
          actions.append(.givePlace(ticket, false))
        }
        continue
      case .queued: actions.append(.settle(ticket, .handBackUnbegun))
      case .held: actions.append(.settle(ticket, entry.handBack))
      }
      self.entries[ticket] = nil
      _ = self.unchain(ticket, entry.key)
    }
    self.ready = []
    return actions + self.doneIfEmpty()
  }

  /// Handlers have had their time.
  mutating func deadlinePassed() -> [Action] {
    var actions = self.stop()
    for (ticket, entry) in self.entries.sorted(by: { $0.key < $1.key }) where entry.fate != .withdrawn {
      actions.append(.cancel(ticket))
    }
    return actions
  }

  /// Cancelled handlers have had their time, too: what they hold is handed back, whatever they still do.
  mutating func graceOver() -> [Action] {
    var actions = self.stop()
    for (ticket, entry) in self.entries.sorted(by: { $0.key < $1.key }) {
      switch entry.fate {
      case .normal: actions.append(.settle(ticket, .handBackUnbegun))
      case .withdrawn: actions.append(.settle(ticket, .unlock))
      case .lost: actions.append(.forget(ticket, wasHandled: true))
      case .settled: continue
      }
      self.entries[ticket]?.fate = .settled
    }
    return actions
  }

  // MARK: Order

  private mutating func hold(_ ticket: Ticket, _ delay: Duration) -> [Action] {
    self.entries[ticket]?.state = .held
    var actions = [Action.hold(ticket, delay)]
    if !self.settings.failedKeepPlace {
      let key = self.entries[ticket]?.key
      self.entries[ticket]?.key = nil
      actions += self.unchain(ticket, key)
    }
    return actions + self.startReady()
  }

  private mutating func remove(_ ticket: Ticket, _ actions: [Action]) -> [Action] {
    let key = self.entries.removeValue(forKey: ticket)?.key
    return actions + self.unchain(ticket, key) + self.startReady() + self.doneIfEmpty()
  }

  private mutating func leavePlace(_ ticket: Ticket) {
    if self.entries[ticket]?.place == .taken { self.runningCount -= 1 }
    self.entries[ticket]?.place = .none
  }

  /// Takes it out of its key's line; the next in line becomes ready when it was the first.
  private mutating func unchain(_ ticket: Ticket, _ key: Key?) -> [Action] {
    guard let key, let index = self.chains[key]?.firstIndex(of: ticket) else { return [] }
    self.chains[key]?.remove(at: index)
    if self.chains[key]?.isEmpty == true { self.chains[key] = nil }
    return index == 0 ? self.letHeadStart(key) : []
  }

  /// The first of a key's line becomes ready, unless one is expected that was before it.
  private mutating func letHeadStart(_ key: Key?) -> [Action] {
    guard let key, let first = self.chains[key]?.first, let entry = self.entries[first] else { return [] }
    guard entry.state == .queued, !entry.isReady else { return [] }
    guard !self.returns.isMissing(before: entry.rank, of: key) else { return [] }
    return self.makeReady(first)
  }

  /// Nothing of its key is before it.
  private mutating func makeReady(_ ticket: Ticket) -> [Action] {
    self.entries[ticket]?.isReady = true
    guard self.entries[ticket]?.needsPlace == false else {
      self.ready.append(ticket)
      return []
    }
    guard !self.isStopping else { return [] }
    self.entries[ticket]?.state = .running(run: 1)
    return [.start(ticket, run: 1)]
  }

  private mutating func startReady() -> [Action] {
    guard !self.isStopping else { return [] }
    var actions: [Action] = []
    while self.runningCount < self.settings.maximumConcurrent, let ticket = self.ready.popFirst() {
      guard let entry = self.entries[ticket] else { continue }
      switch entry.state {
      case .queued:
        self.entries[ticket]?.state = .running(run: 1)
        actions.append(.start(ticket, run: 1))
      case .running where entry.place == .asked: actions.append(.givePlace(ticket, true))
      case .running, .held: continue
      }
      self.entries[ticket]?.place = .taken
      self.runningCount += 1
    }
    return actions
  }

  private mutating func doneIfEmpty() -> [Action] {
    switch self.phase {
    case .stopping where self.entries.isEmpty:
      self.phase = .done
      return [.done]
    case .open, .stopping, .done: return []
    }
  }
}
