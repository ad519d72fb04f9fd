// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationStore

/// A history of millions of events: ten puljer of 5,000 parties each, moved one after the other and then watched, as a daemon would have
/// written it.
///
/// Every event is the core's own: the way to the watch is played by the same errands and decisions that the engine plays, and appended
/// through the product's store; the looks of the watch are folded in as they come, and written by ``BulkLooks``. The last checkpoint lies
/// just so far back as a crash may leave it at worst.
struct HistoryFile {
  let path: String
  let events: Int64
  let parties: Int

  private static let settings = EngineSettings()

  func make() async throws {
    if try await self.isThere() { return MigrationBenchmark.note("the history is there: \(self.path)") }
    for ending in ["", "-wal", "-shm", ".lock", ".checkpoint"] { try? FileManager.default.removeItem(atPath: self.path + ending) }
    let (seconds, _) = try await MigrationBenchmark.time { try await self.write() }
    MigrationBenchmark.note("the events were written in \(MigrationBenchmark.text(seconds)): \(self.path)")
  }

  private func isThere() async throws -> Bool {
    guard FileManager.default.fileExists(atPath: self.path + ".made") else { return false }
    return try String(contentsOfFile: self.path + ".made", encoding: .utf8) == "\(self.events) \(self.parties)"
  }

  private func write() async throws {
    var now = Instant(milliseconds: 1_750_000_000_000)
    let store = try await SQLiteEventStore.open(path: self.path, at: now)
    var state = try await store.load().state
    var kept = ChainHead.empty
    var pending: [MigrationEvent] = []
    func keep() async throws {
      guard !pending.isEmpty else { return }
      kept = try await store.append(pending, at: now, actor: "daemon")
      pending = []
    }
    func take(_ events: [MigrationEvent]) throws {
      for event in events { guard state.apply(event, at: now) else { throw Fault.wrong(event.kind) } }
      pending += events
    }
    let population = Population(count: 50_000)
    let world = MemoryWorld(population.records)
    try take([.daemonStarted])
    let requests = try population.requests(of: self.parties, policy: Population.policy)
    let planner = Planner(buses: Population.buses, records: population.records)
    for request in requests {
      let plan = planner.plan(request)
      let context = GroupContext(pulje: plan.name, policy: plan.policy, isStarted: true)
      try take(try Self.events(state.decide(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), now: now)))
      try await keep()
      // Round by round until every group is watched.
      var isMoving = true
      while isMoving {
        isMoving = false
        for place in plan.groups.indices {
          // The group alone is held, not its pulje: else each event would copy all groups.
          while let group = state.puljer[plan.name]?.groups[place], group.phase != .observing {
            guard case .act(let action) = group.next(in: context, now: now) else {
              isMoving = true
              break
            }
            try Self.play(action, group, context, plan, world, now) { try take($0) }
          }
        }
        try await keep()
        now = now + .minutes(5)
      }
      MigrationBenchmark.note(
        "\(plan.name): \(plan.herIDs.count) parties in \(plan.groups.count) groups, \(kept.sequence) events")
    }
    let looks = try state.ordered.flatMap { pulje in
      try pulje.groups.map { group in
        let queues = group.members.map(\.plan).queues(after: false)
        let event = MigrationEvent.group(
          pulje: pulje.name, group: group.id, event: .looked(readings: MemoryWorld.readings(queues)))
        return (event: event, body: String(decoding: try CanonicalJSON.encode(event), as: UTF8.self))
      }
    }
    var bulk = try BulkLooks(path: self.path, fence: store.fence, head: kept)
    var end = self.events
    var millions: Int64 = 0
    while bulk.head.sequence < end {
      // Whoever cannot wait for all of them makes this file.
      if end == self.events, FileManager.default.fileExists(atPath: self.path + ".enough") {
        end = bulk.head.sequence + Self.settings.checkpointInterval + 1
      }
      // A checkpoint at the very place, the end at the very number.
      let checkpointAt = end - Self.settings.checkpointInterval + 1
      let next = bulk.head.sequence < checkpointAt ? checkpointAt : end
      let rows = looks.prefix(Int(next - bulk.head.sequence))
      for row in rows { guard state.apply(row.event, at: now) else { throw Fault.wrong("a look") } }
      try bulk.append(rows, at: now)
      if bulk.head.sequence == checkpointAt {
        let head = bulk.head
        let (seconds, _) = try await MigrationBenchmark.time { try await store.keepCheckpoint(state, at: head) }
        MigrationBenchmark.note("a checkpoint is written in \(MigrationBenchmark.text(seconds))")
      }
      if bulk.head.sequence / 1_000_000 > millions {
        millions = bulk.head.sequence / 1_000_000
        MigrationBenchmark.note("\(bulk.head.sequence) events")
      }
      now = now + .minutes(15)
    }
    try bulk.close()
    // As after a crash: nothing is closed, the write-ahead log stays.
    try "\(self.events) \(self.parties)".write(toFile: self.path + ".made", atomically: true, encoding: .utf8)
  }

  private static func events(_ outcome: MigrationState.Outcome) throws -> [MigrationEvent] {
    switch outcome {
    case .events(let events): events
    case .refused(let refusal): throw Fault.wrong("\(refusal)")
    }
  }

  /// One action of a group, as the engine carries it out.
  private static func play(
    _ action: GroupAction, _ group: GroupState, _ context: GroupContext, _ plan: Plan, _ world: MemoryWorld, _ now: Instant,
    _ take: ([MigrationEvent]) throws -> Void
  ) throws {
    var group = group
    var errand = Errand(action, group: group, plan: plan, settings: Self.settings)
    var step = errand.begin()
    while true {
      switch step {
      case .call(let call): step = errand.take(world.answer(call), at: now, fraction: 0.5)
      case .bring(let input):
        guard case .events(let events) = group.decide(input, in: context, now: now) else { throw Fault.wrong("a refusal") }
        for event in events { group.apply(event, at: now, policy: context.policy) }
        try take(events.map { .group(pulje: plan.name, group: group.id, event: $0) })
        step = errand.brought(events)
      case .write(let order):
        world.writeNow(order)
        step = errand.wrote(order.operation, .wrote(.answered))
      case .ended: return
      }
    }
  }
}
