// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore

/// A pulje played against ``BoardWorld``, round by round, until it waits.
struct BoardPlay {
  enum Fault: Error { case refused(String), wrong(String) }

  let plan: Plan
  let world: BoardWorld
  private(set) var now: Instant
  private(set) var state = MigrationState()
  private var pending: [MigrationEvent] = []

  /// Rounds; between two of them a look's time passes.
  static let rounds = 24

  init(plan: Plan, world: BoardWorld, now: Instant) {
    self.plan = plan
    self.world = world
    self.now = now
  }

  /// - Parameter append: makes events durable, and says where the history then ends.
  mutating func carryOut(_ append: ([MigrationEvent], Instant) async throws -> ChainHead) async throws -> ChainHead {
    try self.take([.daemonStarted])
    try self.take(Self.events(self.state.decide(.begin(self.plan, planHash: nil, approvals: ["Kari", "Ola"]), now: self.now)))
    for _ in 0..<Self.rounds {
      // Pass by pass, until everybody waits.
      for _ in 0..<40 where try self.playAll() == 0 { break }
      if !self.pending.isEmpty {
        _ = try await append(self.pending, self.now)
        self.pending = []
      }
      try self.takeOut()
      self.now = self.now + .minutes(15)
    }
    try self.take(
      Self.events(
        self.state.decide(
          .quarantine(self.plan.name, herID: self.plan.groups[2].id.lowest, by: "Kari", why: "the vendor asks"), now: self.now)))
    return try await append(self.pending, self.now)
  }

  /// Who does not answer is taken out, so that the next wave may go.
  private mutating func takeOut() throws {
    for group in self.state.puljer[self.plan.name]?.groups.filter({ $0.hold?.code == .pingFailed && $0.quarantine == nil }) ?? []
    {
      let order = MigrationInput.quarantine(
        self.plan.name, herID: group.id.lowest, by: "Kari", why: "the vendor mends it first")
      try self.take(Self.events(self.state.decide(order, now: self.now)))
    }
  }

  /// One thing for each group that can do something at this moment.
  ///
  /// - Returns: how many could.
  private mutating func playAll() throws -> Int {
    var played = 0
    for entry in self.state.next(now: self.now) {
      guard case .act(let action) = entry.next else { continue }
      played += try self.play(action, entry.group) ? 1 : 0
    }
    return played
  }

  /// - Returns: whether anything came of it.
  private mutating func play(_ action: GroupAction, _ id: GroupID) throws -> Bool {
    guard let pulje = self.state.puljer[self.plan.name], let group = pulje.groups[id] else { return false }
    var errand = Errand(action, group: group, of: pulje, settings: EngineSettings())
    var step = errand.begin()
    var isPlayed = false
    while true {
      switch step {
      case .call(let call): step = errand.take(self.world.answer(call), at: self.now, fraction: 0.5)
      case .bring(let input):
        guard case .events(let events) = self.state.decide(.group(self.plan.name, id, input), now: self.now) else {
          return isPlayed
        }
        try self.take(events)
        isPlayed = isPlayed || !events.isEmpty
        step = errand.brought(events.compactMap { if case .group(_, _, let event) = $0 { event } else { nil } })
      case .write(let order):
        self.world.write(order)
        step = errand.wrote(order.operation, .wrote(.answered))
      case .ended: return isPlayed
      }
    }
  }

  private mutating func take(_ events: [MigrationEvent]) throws {
    for event in events { guard self.state.apply(event, at: self.now) else { throw Fault.wrong(event.kind) } }
    self.pending += events
  }

  private static func events(_ outcome: MigrationState.Outcome) throws -> [MigrationEvent] {
    switch outcome {
    case .events(let events): events
    case .refused(let refusal): throw Fault.refused("\(refusal)")
    }
  }
}
