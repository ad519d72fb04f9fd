// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Where an operator's program was asked.
struct SaidAt: Hashable {
  var group: GroupID
  var point: HookPoint
}

/// One history: the same reducer, roster and errands that the daemon runs, against simulated buses, register, senders, receivers,
/// operators, clock and disk. One seed is one history; nothing in it depends on anything else.
public final class Simulation {
  let settings: SimulationSettings
  let stage: Stage
  let policy: Policy
  let engine: EngineSettings
  var random: SeededRandom
  var now: Int64 = 0
  var agenda = Agenda()
  var register: SimulatedRegister
  var traffic: Traffic
  var store = SimulatedStore()
  var watch = HistoryWatch(isOfThisProgram: true)
  var daemons: [SimulatedDaemon] = []
  var outcome: SimulationOutcome
  var troubles: Set<Trouble> = []
  var points = 0
  var turns = 0

  /// The daemon's clock is this far from the true time.
  var clockOffset: Int64 = 0
  /// Where each group's entry leads according to the register: what a sender without cache would read.
  var homes: [Traffic.Destination]
  let season: Season
  /// Messages on their way when a forwarder died, with the queue they were taken from: what its journal holds.
  var doubtful: [Int32: Int] = [:]
  /// What our forwarder has set aside, by the queue it lies on, and by why: its journal.
  var asideAt: [Int32: Int] = [:]
  var asideWhy: [Int: [String: Int64]] = [:]
  /// The source bus counts what waits, and not what receivers hold; and they hold messages for hours.
  let leavesHeldOut: Bool
  /// Somebody else's bridge carries what comes to the source bus for a party that hears the target bus only.
  let isBridged: Bool
  /// Our own forwarder does, when somebody has approved it.
  let isForwarded: Bool
  /// The source bus; in some histories it shows what lies on its queues.
  let source: Bus
  /// When something last came to the source queues of a group from a sender that never follows the register, after the move.
  var unlawfulAt: [Int64?]
  var depthAtLook: [Int]
  var wayBackBrokenSince: [Int64?]
  var targetDownSince: Int64?
  /// What the operator's program last said.
  var said: [SaidAt: HookAnswer] = [:]
  /// When it was last told that a group's rest is written though its way back is broken.
  var toldOfWayBack: [Int64?]
  var stoppedAt: Int64?
  var approvedHashes: Set<String> = []
  var lastAnchorAt: Int64 = 0
  var isByHand = false
  var countsArrivals = false
  var goneQueue: Int?
  /// Parties a write for which took somebody's change away, until a person has settled it.
  var overwritten: Set<HerID> = []
  /// Writes on their way to the register; the agenda names them by number.
  var lateWrites: [WriteOrder] = []

  /// - Returns: nil only when the stage cannot be made.
  public init?(seed: UInt64, settings: SimulationSettings = SimulationSettings()) {
    let family = Stage.Family.of(seed: settings.isStormy ? seed : nil)
    guard let stage = Stage.with(groups: settings.groups, family: family) else { return nil }
    self.settings = settings
    self.stage = stage
    self.random = SeededRandom(seed: seed)
    self.register = SimulatedRegister(stage.records, hashes: stage.hashes)
    self.traffic = Traffic(groups: settings.groups, senders: settings.senders)
    self.homes = (0..<settings.groups).map { Traffic.Destination(group: $0, bus: Traffic.source) }
    self.season = Season(seed: settings.isStormy ? seed : nil)
    self.isBridged = settings.isStormy && seed % 6 == 5
    self.isForwarded = settings.isStormy && seed % 6 == 2
    self.leavesHeldOut = settings.isStormy && seed % 8 == 3
    var source = stage.source
    if settings.isStormy, seed % 4 < 2 { source.dialect = .azureServiceBus }
    self.source = source
    self.unlawfulAt = Array(repeating: nil, count: settings.groups)
    self.depthAtLook = Array(repeating: 0, count: settings.groups * 2)
    self.wayBackBrokenSince = Array(repeating: nil, count: settings.groups)
    self.toldOfWayBack = Array(repeating: nil, count: settings.groups)
    var policy = Policy()
    policy.lookInterval = settings.isStormy ? .hours(2) : .minutes(90)
    policy.watchLookInterval = settings.isStormy ? .hours(8) : .hours(4)
    policy.watchPeriod = settings.isStormy ? .days(7) : .days(1)
    policy.sourceKept = .days(1)
    policy.quietPeriod = .hours(settings.isStormy ? 24 : 4)
    policy.calendar = self.season.calendar
    if self.isBridged { policy.leftovers = .external }
    if self.isForwarded { policy.leftovers = .forward }
    self.policy = policy
    var engine = EngineSettings()
    engine.retryCap = .hours(settings.isStormy ? 4 : 1)
    engine.heartbeat = .minutes(59)
    engine.handedOverInterval = .minutes(10)
    self.engine = engine
    self.outcome = SimulationOutcome(
      seed: seed, breaches: [], ledger: MessageLedger(), coverage: Coverage(), phases: [], events: 0, sites: [:], points: 0,
      starts: 0,
      log: [])
    self.setUp()
  }

  private func setUp() {
    let isStormy = self.settings.isStormy
    self.isByHand = isStormy && self.random.chance(1, in: 8)
    self.countsArrivals = self.random.chance(1, in: 2) && !self.leavesHeldOut
    self.store.ignoresFences = self.settings.sabotage == .unfencedWriter
    for index in 0..<self.settings.senders {
      let isPinned = isStormy && index % 5 == 0
      // Those that never leave the source bus write to every other group only, so that some groups do drain.
      let contacts = (0..<Traffic.Sender.contacts).map { _ in
        isPinned ? self.random.below((self.settings.groups + 1) / 2) * 2 : self.random.below(self.settings.groups)
      }
      self.traffic.senders.append(
        Traffic.Sender(
          cacheLife: self.random.below(24 * Stage.hour), isPinned: isPinned, contacts: contacts,
          homes: contacts.map { Traffic.Destination(group: $0, bus: Traffic.source) }, readAt: [-1, -1],
          gap: index < 6 ? 2 * Stage.hour : self.random.between(30 * Stage.hour, 80 * Stage.hour),
          life: isStormy && index % 3 == 1 ? self.random.between(4 * Stage.hour, 4 * Stage.day) : .max / 2))
      self.agenda.enter(.send(sender: index), at: self.random.below(Stage.day))
    }
    for group in 0..<self.settings.groups {
      self.traffic.receivers[group].isPrepared = !isStormy || self.random.chance(3, in: 4)
      self.traffic.receivers[group].dropsSourceWhenAccepted = isStormy && self.random.chance(1, in: 5)
      self.agenda.enter(
        .receiverRestarts(group: group), at: isStormy ? self.random.below(2 * Stage.day) : Stage.minute * Int64(group + 1))
    }
    self.agenda.enter(.daemonStarts, at: Stage.minute)
    self.agenda.enter(.duty, at: Stage.hour)
    if self.isBridged { self.agenda.enter(.bridge, at: Stage.hour) }
    if self.isForwarded { self.agenda.enter(.forward, at: Stage.hour) }
    if isStormy {
      for person in 0..<2 { self.agenda.enter(.click(person: person), at: self.random.below(2 * Stage.day)) }
      self.agenda.enter(.trouble, at: self.random.below(Stage.day))
    }
  }

  var clock: Instant { Instant(milliseconds: self.season.start + self.now + self.clockOffset) }
  var isStorm: Bool { self.settings.isStormy && self.now < 13 * Stage.day }
  var end: Int64 { self.settings.days * Stage.day }

  /// The daemon that holds the history; nil while none runs.
  var daemon: SimulatedDaemon? { self.daemons.last { $0.isAlive && $0.fence == self.store.newestFence } }

  /// What is durable, in order: whole histories for whoever tests what is made of them.
  package var durable: [(event: MigrationEvent, at: Instant)] { self.store.rows.map { ($0.event, $0.at) } }

  public func run() -> SimulationOutcome {
    while let (at, item) = self.agenda.next(), at <= self.end {
      self.now = at
      self.happen(item)
      if let stopsAt = self.settings.stopsAt, self.outcome.breaches.contains(where: { $0.invariant == stopsAt }) { break }
    }
    if let count = self.store.brokenAnchor() {
      self.breach(.auditIsAppendOnly, "the history does not go through the head kept outside after \(count) events")
    }
    for queue in self.traffic.queues.indices { self.traffic.expire(queue, at: self.end) }
    if self.traffic.expired > 0 { self.reach(.messageExpired) }
    self.outcome.ledger = MessageLedger(self.traffic)
    if self.outcome.ledger.lost > 0 { self.breach(.noMessageLost, "\(self.outcome.ledger.lost) messages lost") }
    if self.outcome.ledger.duplicates > 0 {
      self.breach(.noMessageLost, "\(self.outcome.ledger.duplicates) duplicates unexplained")
    }
    if self.outcome.ledger.ghosts > 0 { self.breach(.noMessageLost, "\(self.outcome.ledger.ghosts) ghosts") }
    if self.outcome.ledger.aliens > 0 { self.breach(.noMessageLost, "\(self.outcome.ledger.aliens) aliens") }
    if self.traffic.inversions > 0 { self.breach(.orderKept, "\(self.traffic.inversions) messages overtaken in their queue") }
    self.outcome.phases = self.store.folded.puljer[self.stage.name]?.groups.map(\.phase) ?? []
    self.outcome.events = self.store.rows.count
    self.outcome.points = self.points
    self.outcome.starts = self.daemons.count
    return self.outcome
  }

  func breach(_ invariant: Invariant, _ seen: String) { self.breach(Breach(invariant, seen)) }

  func breach(_ breach: Breach) {
    // One bug can be seen a thousand times; the first few tell.
    if self.outcome.breaches.count(where: { $0.invariant == breach.invariant }) < 3 { self.outcome.breaches.append(breach) }
    self.note("BROKEN \(breach)")
  }

  func reach(_ situation: Situation) { self.outcome.coverage.situations[situation.rawValue, default: 0] += 1 }

  func note(_ text: @autoclosure () -> String) {
    if self.settings.keepsLog { self.outcome.log.append("\(self.clock) \(text())") }
  }

  private func happen(_ item: Agenda.Item) {
    switch item {
    case .daemonStarts: self.startDaemon()
    case .daemonDies(let id): self.die(self.daemons[id])
    case .wake(let id):
      let daemon = self.daemons[id]
      if let armed = daemon.armed, armed <= self.now { daemon.armed = nil }
      self.turn(daemon)
    case .answer(let id, let errand): self.answered(self.daemons[id], errand)
    case .lateWrite(let number): self.apply(self.lateWrites[number])
    case .heirsFollow(let parent):
      self.register.follow(parent)
      self.rehome(parent)
    case .send(let sender): self.send(sender)
    case .resend(let message): self.resend(message)
    case .poll(let group): self.poll(group)
    case .settle(let queue): self.settle(queue)
    case .receiverRestarts(let group): self.restartReceiver(group)
    case .receiverUp(let group): self.receiverUp(group)
    case .bridge: self.bridge()
    case .forward: self.forward()
    case .duty:
      self.duty()
      self.agenda.enter(.duty, at: self.now + self.random.between(2 * Stage.hour, 4 * Stage.hour))
    case .click(let person):
      if self.isStorm {
        self.click(person)
        self.agenda.enter(.click(person: person), at: self.now + self.random.between(Stage.hour, 30 * Stage.hour))
      }
    case .trouble:
      if self.isStorm {
        self.trouble()
        self.agenda.enter(.trouble, at: self.now + self.random.between(Stage.hour, 30 * Stage.hour))
      }
    case .troubleEnds(let trouble): self.end(trouble)
    case .halfMoved: self.stopHalfMoved()
    }
  }
}
