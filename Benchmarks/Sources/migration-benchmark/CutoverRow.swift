// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationStore
import Synchronization

/// A whole cut-over with the real engine, store and disk, against a register and buses that answer at once: from the start until every party
/// answers on the target bus. Once as fast as we can, once within the register's rate.
enum CutoverRow {
  static func measure(parties: Int, rate: Int64?, folder: URL) async throws {
    let path = folder.appendingPathComponent("cutover-\(UUID().uuidString).sqlite").path
    defer {
      for ending in ["", "-wal", "-shm", ".lock", ".checkpoint"] { try? FileManager.default.removeItem(atPath: path + ending) }
    }
    let population = Population(count: max(parties * 2, 1_000))
    guard let request = try population.requests(of: parties, policy: Self.policy).first else { throw Fault.wrong("no pulje") }
    let plan = Planner(buses: Population.buses, records: population.records).plan(request)
    let world = MemoryWorld(population.records)
    let store = try await SQLiteEventStore.open(path: path, at: SystemMigrationClock().now)
    let pace = CallPace(CallPace.Rates(register: rate.flatMap { TokenBucket.Rate(calls: $0, per: .seconds(1)) }))
    let watch = Watch(name: plan.name)
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(store: store, register: world, buses: world, observer: watch, pace: pace, hooks: world))
    watch.engine.withLock { $0 = engine }
    let processor = MigrationBenchmark.processorSeconds
    let (seconds, _) = try await MigrationBenchmark.time {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await engine.run() }
        try await engine.submit(.begin(plan, planHash: nil, approvals: ["Kari", "Ola"]), actor: "Kari")
        try await group.waitForAll()
      }
    }
    let spent = MigrationBenchmark.processorSeconds - processor
    let head = await engine.snapshot().head
    await store.close()
    let calls = world.calls.withLock { $0 }
    let asked = Int64(calls.reads) + Int64(calls.writes) * CallPace.callsPerWrite
    let what = "cut-over of \(plan.herIDs.count) parties in \(plan.groups.count) groups, \(head.sequence) events"
    let work = "\(MigrationBenchmark.text(seconds)), \(MigrationBenchmark.text(spent)) of a processor"
    guard let rate else {
      return MigrationBenchmark.note(
        "\(what), no rate: \(work); \(Int(Double(asked) / seconds)) calls of the register a second could be made")
    }
    let least = Double(asked) / Double(rate)
    MigrationBenchmark.report(
      "\(what), \(asked) calls of the register at \(rate) a second",
      "\(work), the rate alone asks for \(MigrationBenchmark.text(least)): \(String(format: "%.3f", seconds / least)) x",
      aim: "bound by the rate", met: seconds < least * 1.05)
  }

  private static var policy: Policy {
    var policy = Population.policy
    // What was seen before the cut must not grow old while thousands wait for the register.
    policy.readyLife = .hours(12)
    policy.verifiedLife = .hours(12)
    return policy
  }

  /// Stops the engine when every group answers on the target bus.
  private final class Watch: EngineObserver {
    let name: PuljeName
    let engine = Mutex<MigrationEngine?>(nil)
    private let turns = Mutex(0)

    init(name: PuljeName) { self.name = name }

    func turned(_ turn: EngineTurn, state: MigrationState) {
      // Looked at now and then: looking through thousands of groups at every turn would be measured too.
      let number = self.turns.withLock { turns in
        turns += 1
        return turns
      }
      guard turn.busy == 0 || number % 200 == 0, let pulje = state.puljer[self.name] else { return }
      let isMoved = pulje.groups.allSatisfy { [.draining, .drained, .observing].contains($0.phase) }
      if isMoved { self.engine.withLock { $0?.stop() } }
    }
  }
}
