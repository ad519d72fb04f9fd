// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore
import Testing

@testable import MigrationEngine

/// kill -9 before and after every durable write and every outside call: the run that is resumed ends as the unkilled one.
@Suite("Killed at every point", .timeLimit(.minutes(10)))
struct CrashTests {
  /// The whole story: forward with an organisation and a single party, then the single one rolled back, the other on to its decision.
  static func play(_ scene: Scene, fates: [World.Fate]) async throws -> Int {
    let name = scene.name
    let back = try Scene.herID(200)
    var kills = 0
    scene.world.change { $0.fates = fates }
    let plan = try await scene.plan(
      try scene.request([100, 101, 102, 200]) {
        $0.quietPeriod = .seconds(10)
        $0.hooks = ["change-board"]
      })
    let start: [MigrationInput] = [
      .seal(plan, by: "Kari"), .start(name, planHash: plan.hash, approvals: ["Kari", "Ola"]),
    ]
    let orders: [(orders: [MigrationInput], isDone: @Sendable (MigrationState) -> Bool)] = [
      (start, { state in state.puljer[name]?.groups.allSatisfy { $0.phase == .observing } ?? false }),
      (
        [.rollBack(name, herIDs: [back], by: "Kari", why: "asked")],
        { state in state.puljer[name]?.groups[GroupID(back)]?.phase == .restored }
      ),
    ]
    for part in orders {
      var isDone = false
      while !isDone {
        do {
          // An operator whose daemon was killed gives the order again; what was kept is refused as done already.
          try await scene.run(orders: part.orders, until: part.isDone)
          isDone = true
        } catch is Killed {
          kills += 1
          scene.world.revive()
        }
      }
    }
    return kills
  }

  static func end(of scene: Scene) -> [HerID: RecordHash] { scene.world.records.mapValues(\.hash) }

  @Test(
    "the final records equal the unkilled run's, whatever became of the writes",
    arguments: [[], [World.Fate.replyLost, .requestLost, .replyLost, .refused], [.requestLost, .doneLate, .refused, .doneLate]])
  func everyPoint(fates: [World.Fate]) async throws {
    let unkilled = try Scene()
    _ = try await Self.play(unkilled, fates: fates)
    let expected = Self.end(of: unkilled)
    let points = unkilled.world.points.count
    #expect(points > 100)
    var struck: Set<String> = []
    for point in 1...points {
      let scene = try Scene()
      scene.world.change { $0.crashAt = point }
      let kills = try await Self.play(scene, fates: fates)
      if kills > 0, scene.world.points.count >= point { struck.insert(scene.world.points[point - 1].description) }
      #expect(Self.end(of: scene) == expected, "killed at \(point)")
      #expect(scene.world.inside.withLock { $0.log }.isEmpty, "killed at \(point)")
      Self.checkIntents(scene)
    }
    // Groups take turns as the scheduler has it, so a number may strike another point than in the unkilled run: what was not
    // struck by its number is struck by its name.
    for moment in CrashPoint.Moment.allCases {
      for point in CrashPoint.Deed.allCases.map({ CrashPoint(moment: moment, deed: $0) })
      where !struck.contains(point.description) {
        let scene = try Scene()
        scene.world.change { $0.crashAtFirst = point }
        #expect(try await Self.play(scene, fates: fates) == 1, "\(point)")
        #expect(Self.end(of: scene) == expected, "killed at \(point)")
        #expect(scene.world.inside.withLock { $0.log }.isEmpty, "killed at \(point)")
        Self.checkIntents(scene)
      }
    }
  }

  @Test("killed twenty times in one run, at points drawn from a seed", arguments: 0..<20)
  func twentyKills(seed: Int) async throws {
    let unkilled = try Scene()
    _ = try await Self.play(unkilled, fates: [])
    let scene = try Scene()
    var random = UInt64(seed + 1)
    let name = scene.name
    let plan = try await scene.plan(try scene.request([100, 101, 102, 200]) { $0.quietPeriod = .seconds(10) })
    let back = try Scene.herID(200)
    let orders: [MigrationInput] = [
      .seal(plan, by: "Kari"), .start(name, planHash: plan.hash, approvals: ["Kari", "Ola"]),
    ]
    var kills = 0
    var isDone = false
    while !isDone {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let next = scene.world.points.count + 1 + Int((random >> 33) % 12)
      if kills < 20 { scene.world.change { $0.crashAt = next } }
      let turnsBack = kills >= 10
      let isLast = kills >= 20
      do {
        let rollBack: [MigrationInput] = turnsBack ? [.rollBack(name, herIDs: [back], by: "Kari", why: "asked")] : []
        try await scene.run(orders: orders + rollBack) { state in
          let groups = state.puljer[name]?.groups
          // Asked for before its cut, the roll-back is a withdrawal.
          return isLast && groups?[GroupID(back)]?.phase.isClosed ?? false
            && groups?.allSatisfy { $0.phase.isClosed || $0.phase == .observing } ?? false
        }
        isDone = true
      } catch is Killed {
        kills += 1
        scene.world.revive()
      }
    }
    #expect(kills == 20)
    #expect(Self.end(of: scene) == Self.end(of: unkilled))
    #expect(scene.world.inside.withLock { $0.log }.isEmpty)
    Self.checkIntents(scene)
  }

  /// I-2: every write that reached the register has exactly one intent, kept before it.
  static func checkIntents(_ scene: Scene) {
    let intents = scene.world.events.compactMap { event -> Migration.OperationID? in
      if case .group(_, _, .intentRecorded(let operation, _, _, _, _)) = event { operation } else { nil }
    }
    #expect(Set(intents).count == intents.count)
    let written = scene.world.writes.map(\.operation)
    #expect(Set(written).isSubset(of: intents))
    #expect(Set(written).count == written.count)
  }
}
