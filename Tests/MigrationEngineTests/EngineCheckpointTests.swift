// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationStore
import Synchronization
import Testing

@testable import MigrationEngine

/// The engine keeps checkpoints beside its work, and what goes wrong with them never stops it.
@Suite("The engine's checkpoints")
struct EngineCheckpointTests {
  private final class Heard: Notifier {
    let notices = Mutex<[Notice]>([])
    func notify(_ notice: Notice) { self.notices.withLock { $0.append(notice) } }
    var kinds: Set<String> { self.notices.withLock { Set($0.map(\.kind)) } }
  }

  private func play(_ scene: Scene, heard: Heard) async throws -> MigrationState {
    let name = scene.name
    let plan = try await scene.plan(try scene.request())
    var settings = EngineSettings()
    settings.checkpointInterval = 10
    return try await scene.run(
      settings: settings,
      orders: [.seal(plan, by: "Kari"), .start(name, planHash: plan.hash, approvals: ["Kari", "Ola"])], notifier: heard
    ) { state in state.puljer[name]?.groups.allSatisfy { $0.phase == .observing } ?? false }
  }

  @Test("each is what the events up to its head fold to; the next start goes on from it")
  func kept() async throws {
    let scene = try Scene()
    let end = try await self.play(scene, heard: Heard())
    let (rows, checkpoints) = scene.world.inside.withLock { ($0.rows, $0.checkpoints) }
    #expect(checkpoints.count >= 2)
    for checkpoint in checkpoints {
      let state = rows.prefix(Int(checkpoint.head.sequence)).reduce(into: MigrationState()) { _ = $0.apply($1.event, at: $1.at) }
      #expect(checkpoint.state == state)
    }
    for (one, next) in zip(checkpoints, checkpoints.dropFirst()) { #expect(next.head.sequence >= one.head.sequence + 10) }
    let again = try await scene.run { _ in true }
    #expect(again.starts == end.starts + 1)
    #expect(scene.phases(again) == scene.phases(end))
  }

  @Test("one that cannot be kept is told; the work goes on")
  func notKept() async throws {
    let scene = try Scene()
    scene.world.change { $0.checkpointFails = true }
    let heard = Heard()
    let end = try await self.play(scene, heard: heard)
    #expect(scene.phases(end).allSatisfy { $0 == .observing })
    #expect(heard.kinds.contains("history.checkpoint-not-written"))
  }

  @Test("one that was not believed is told at the start")
  func ignored() async throws {
    let scene = try Scene()
    let heard = Heard()
    let store = Ignoring(scene.world)
    let engine = MigrationEngine(
      ports: MigrationEngine.Ports(
        store: store, register: scene.world, buses: scene.world, notifier: heard, crashPoints: scene.world))
    try await engine.run { engine.stop() }
    #expect(heard.kinds.contains("history.checkpoint-ignored"))
    #expect(heard.notices.withLock { $0.contains { $0.words.contains("it is damaged") } })
  }

  private struct Ignoring: EventStore {
    let world: World
    init(_ world: World) { self.world = world }
    func load() async throws -> LoadedHistory {
      var history = try await self.world.load()
      history.checkpoint = .ignored("it is damaged")
      return history
    }
    func append(_ events: [MigrationEvent], at now: Instant, actor: String) async throws -> ChainHead {
      try await self.world.append(events, at: now, actor: actor)
    }
    func close() async {}
  }
}
