// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Computing
import Testing

@testable import Migration

/// Random histories of one pulje against a register that loses replies, applies writes late and is changed by others,
/// two operators who click against each other, restarts and clock jumps. One seed is one history.
@Suite("Random histories keep the invariants", .serialized, .computing)
struct RandomHistoryTests {
  private static let seedsPerBlock = 20

  @Test("200 seeds: no invariant breaks, and when the storm is over every group comes to rest", arguments: 0..<10)
  func histories(block: Int) async throws {
    var reached: Set<GroupPhase> = []
    for seed in 0..<Self.seedsPerBlock {
      // So that tests with deadlines get their turn in between.
      await Task.yield()
      var history = RandomHistory(seed: UInt64(block * Self.seedsPerBlock + seed))
      try history.run()
      reached.formUnion(history.reached)
    }
    #expect(
      reached.isSuperset(of: [.cutUnknown, .observing, .backUnknown, .restored, .conflict]), "block \(block) reached \(reached)")
  }
}

struct RandomHistory {
  private var random: SplitMix
  private let seed: UInt64
  private var state = MigrationState()
  private var now = Fixture.start
  private var register: [HerID: PartyRecord] = [:]
  private var pendingWrites: [(herID: HerID, record: PartyRecord)] = []
  private var log: [(event: MigrationEvent, at: Instant)] = []
  private var foreign: Set<HerID> = []
  private var operations: Set<OperationID> = []
  private(set) var reached: Set<GroupPhase> = []
  private let name = Fixture.name_("pulje-1")
  private var isCalm = false

  init(seed: UInt64) {
    self.seed = seed
    self.random = SplitMix(seed: seed)
  }

  mutating func run() throws {
    for record in Fixture.records { self.register[record.herID] = record }
    var policy = Policy()
    policy.quietPeriod = .minutes(10)
    policy.watchPeriod = .minutes(30)
    policy.lookInterval = .minutes(1)
    policy.watchLookInterval = .minutes(1)
    policy.hooks = ["change-board"]
    if self.random.chance(50) { policy.stepHooks = HookPoint.allCases.filter { $0 != .cut }.map { StepHook($0, "board") } }
    policy.automaticRollback = self.random.chance(30)
    self.send(.seal(Fixture.plan([100, 101, 102, 200, 300], policy: policy), by: "Kari"))
    self.send(.start(self.name, planHash: nil, approvals: ["Kari", "Ola"]))
    for _ in 0..<300 { self.stormyStep() }
    self.isCalm = true
    self.landPending()
    try self.settle()
    try self.checkReplay()
  }

  private mutating func stormyStep() {
    switch self.random.below(100) {
    case 0..<4: self.restart()
    case 4..<9: self.click()
    case 9..<11: self.landPending()
    case 11..<13: self.foreignChange()
    case 13..<15: self.now = self.now + .milliseconds(Int64(self.random.below(3_600_000)) - 600_000)
    default: self.work()
    }
  }

  private mutating func send(_ input: MigrationInput) {
    for event in self.state.decide(input, now: self.now).events {
      self.check(before: event)
      let isKnown = self.state.apply(event, at: self.now)
      #expect(isKnown)
      self.log.append((event, self.now))
      self.checkStates(after: event)
    }
  }

  private mutating func restart() {
    self.send(.daemonStarted)
    for pulje in self.state.puljer.values {
      for group in pulje.groups { #expect(!group.phase.isAttestation, "I-11, seed \(self.seed)") }
    }
  }

  private mutating func click() {
    let herID = Fixture.herID([100, 101, 102, 200, 300][self.random.below(5)])
    switch self.random.below(9) {
    case 0: self.send(.pause(self.name, by: "Ola", why: "storm"))
    case 1, 2: self.send(.resume(self.name, by: "Kari"))
    case 3: self.send(.rollBack(self.name, herIDs: [herID], by: "Ola", why: "asked"))
    case 4: self.send(.quarantine(self.name, herID: herID, by: "Ola", why: "odd"))
    case 5: self.send(.readmit(self.name, herID: herID, by: "Kari"))
    case 6: self.send(.accept(self.name, approvals: ["Kari", "Ola"]))
    case 7: self.send(.waive(self.name, herID: herID, by: "Ola", why: "x", until: self.now + .minutes(20)))
    default: self.send(.release(self.name, herID: herID, by: "Kari"))
    }
  }

  /// One action of one group, or time goes on.
  private mutating func work() {
    let acts = self.state.next(now: self.now).compactMap { item -> (GroupID, GroupAction)? in
      if case .act(let action) = item.next { (item.group, action) } else { nil }
    }
    guard !acts.isEmpty else {
      self.now = self.now + .milliseconds(Int64(1 + self.random.below(60_000)))
      return
    }
    let (group, action) = acts[self.random.below(acts.count)]
    self.carryOut(action, group)
  }

  private mutating func carryOut(_ action: GroupAction, _ id: GroupID) {
    guard let group = self.state.puljer[self.name]?.groups[id] else { return }
    let retryAt = self.now + .milliseconds(Int64(self.random.below(5_000)))
    func to(_ input: GroupInput) -> MigrationInput { .group(self.name, id, input) }
    switch action {
    case .snapshot: self.send(to(.snapshot(Array(self.register.values))))
    case .preflight:
      let bad = !self.isCalm && self.random.chance(20)
      self.send(to(.preflight(Fixture.preflight { if bad { $0.findings[1].result = .failed } }, retryAt: retryAt)))
    case .advance: self.send(to(.advance))
    case .write(let herID): self.write(herID, id, group.direction)
    case .readBack(let herID):
      guard let record = self.register[herID] else { return }
      if !self.isCalm, self.random.chance(10) {
        self.send(to(.readFailed(herID, seen: "time-out", retryAt: retryAt)))
      } else {
        self.send(to(.readBack(record, retryAt: retryAt)))
      }
    case .ping:
      let bad = !self.isCalm && self.random.chance(30)
      self.send(to(.pinged(group.members.map { Fixture.ping($0.herID, bad ? [.consumer: .failed] : [:]) }, retryAt: retryAt)))
    case .look:
      let late = !self.isCalm && self.random.chance(5)
      let dark = !self.isCalm && self.random.chance(5)
      self.send(to(.looked(Fixture.look(depth: late ? 1 : 0, unreadable: dark))))
    case .hook(let name):
      let answer: HookAnswer =
        self.isCalm || self.random.chance(60) ? .assented("") : self.random.chance(50) ? .vetoed("no") : .silent("time-out")
      self.send(to(.hookAnswered(name, answer, retryAt: retryAt)))
    case .stepHook(let step):
      let answer: HookAnswer = self.isCalm || self.random.chance(60) ? .assented("") : .vetoed("no")
      self.send(to(.stepHookAnswered(step, answer, retryAt: retryAt)))
    case .peek:
      self.send(to(.sighted(group.drain.filled.map { QueueSightings(queue: $0, sightings: [], isWhole: false) })))
    case .measure: self.send(to(.measured(Fixture.look(), group.members.map { Fixture.ping($0.herID) })))
    }
  }

  private mutating func write(_ herID: HerID, _ id: GroupID, _ direction: Direction) {
    guard let observed = self.register[herID] else { return }
    self.send(.group(self.name, id, .beginWrite(herID, observed: observed)))
    guard let member = self.state.puljer[self.name]?.groups[id]?.member(herID), case .intent(let operation) = member.writing
    else { return }
    if !self.isCalm, self.random.chance(10) { return self.restart() }
    // I-5: between the check and the write nobody else has written here; the base of the intent is what is written over.
    #expect(self.register[herID]?.hash == member.base(direction).hash, "I-5, seed \(self.seed)")
    var outcome = WriteOutcome.answered
    switch self.isCalm ? 99 : self.random.below(100) {
    case 0..<15: outcome = .unknown("the request was lost")
    case 15..<30:
      self.land(herID, member.goal(direction))
      outcome = .unknown("the reply was lost")
    case 30..<40:
      self.pendingWrites.append((herID, member.goal(direction)))
      outcome = .unknown("time-out, and it comes through later")
    case 40..<50: outcome = .refused("fault")
    case 50..<55:
      self.land(herID, member.goal(direction))
      outcome = .overwrote(found: member.goal(direction), seen: "the log shows another's change")
    default: self.land(herID, member.goal(direction))
    }
    if !self.isCalm, self.random.chance(10) { return self.restart() }
    self.send(.group(self.name, id, .writeReturned(operation, outcome)))
  }

  private mutating func land(_ herID: HerID, _ record: PartyRecord) {
    guard !self.foreign.contains(herID) else { return }
    self.register[herID] = record
    if herID == Fixture.herID(100) {
      for child in [101, 102] as [Int32] {
        guard let member = self.state.puljer[self.name]?.groups[GroupID(herID)]?.member(Fixture.herID(child)) else { continue }
        let moved = record.addresses.first?.text.hasPrefix("tb.") ?? false
        self.register[Fixture.herID(child)] = moved ? member.plan.after : member.plan.before
      }
    }
  }

  private mutating func landPending() {
    for write in self.pendingWrites { self.land(write.herID, write.record) }
    self.pendingWrites = []
  }

  private mutating func foreignChange() {
    guard self.foreign.isEmpty, self.random.chance(30) else { return }
    let herID = Fixture.herID([200, 300][self.random.below(2)])
    self.register[herID]?.name = "changed by somebody else"
    self.foreign.insert(herID)
  }

  // MARK: invariants

  private mutating func check(before event: MigrationEvent) {
    guard case .group(let name, let id, let event) = event, let group = self.state.puljer[name]?.groups[id],
      let policy = self.state.puljer[name]?.policy
    else { return }
    switch event {
    case .intentRecorded(let operation, let herID, let direction, let base, _):
      let isNew = self.operations.insert(operation).inserted
      #expect(isNew, "I-2: each write has an operation of its own, seed \(self.seed)")
      #expect(self.register[herID]?.hash == base, "I-5, seed \(self.seed)")
      #expect(group.member(herID)?.base(direction).hash == base)
      #expect(group.phase != .conflict, "CONFLICT is never written over, seed \(self.seed)")
    case .armed, .drainBegan, .watchBegan, .restored:
      #expect(!group.isExpired(now: self.now, policy: policy), "I-11, seed \(self.seed)")
    default: break
    }
    if case .restored = event {
      for member in group.members {
        #expect(self.register[member.herID]?.hash == member.plan.before.hash, "I-4, seed \(self.seed)")
      }
    }
    if case .drained = event, group.drain.liveException(now: self.now) == nil {
      let waived = self.log.last.map { if case .group(_, _, .waived) = $0.event { true } else { false } } ?? false
      #expect(waived || group.drain.shortcoming(now: self.now, policy: policy) == nil, "I-14, seed \(self.seed)")
    }
  }

  private mutating func checkStates(after event: MigrationEvent) {
    for pulje in self.state.puljer.values {
      for group in pulje.groups {
        self.reached.insert(group.phase)
        for member in group.members where !self.foreign.contains(member.herID) {
          let record = self.register[member.herID]
          #expect(record == member.plan.before || record == member.plan.after, "I-1, seed \(self.seed)")
        }
      }
    }
  }

  private func checkReplay() throws {
    var replayed = MigrationState()
    for (event, at) in self.log {
      let written = try CanonicalJSON.encode(event)
      let isKnown = replayed.apply(try JSONDecoder().decode(MigrationEvent.self, from: written), at: at)
      #expect(isKnown)
    }
    #expect(replayed == self.state, "the written history folds to the same state, seed \(self.seed)")
  }

  /// The storm is over: foreign changes are undone, holds released, and everything must come to rest.
  private mutating func settle() throws {
    for herID in self.foreign {
      self.register[herID]?.name = "Party \(herID)"
    }
    self.foreign = []
    self.send(.resume(self.name, by: "Kari"))
    var idle = 0
    for _ in 0..<6_000 {
      let next = self.state.next(now: self.now)
      // An accepted group goes on being looked at; that is its rest.
      if self.state.puljer.values.allSatisfy({ !$0.isOpen }) { return }
      var busy = false
      for item in next {
        if case .act(let action) = item.next {
          self.carryOut(action, item.group)
          busy = true
        }
      }
      if busy { continue }
      idle += 1
      if idle % 10 == 0 {
        for herID in [100, 200, 300] as [Int32] {
          self.send(.release(self.name, herID: Fixture.herID(herID), by: "Kari"))
          self.send(.readmit(self.name, herID: Fixture.herID(herID), by: "Kari"))
        }
        // A group whose record moved before anything was written is taken out.
        for group in self.state.puljer[self.name].map({ Array($0.groups) }) ?? [] where group.hold?.code == .recordMoved {
          self.send(.rollBack(self.name, herIDs: [group.id.lowest], by: "Kari", why: "the world moved"))
        }
        self.send(.accept(self.name, approvals: ["Kari", "Ola"]))
      }
      self.now = self.now + .seconds(20)
    }
    let phases = self.state.puljer[self.name]?.groups.map { "\($0.id) \($0.phase.rawValue)" } ?? []
    Issue.record("seed \(self.seed) never came to rest: \(phases)")
  }
}

/// A small generator with a seed; the same numbers everywhere.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { self.below(100) < percent }
}
