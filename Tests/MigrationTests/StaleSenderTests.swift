// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// The alarm on senders that do not follow the register. Museum 15: lawful late traffic must not raise it (kcp#380, kcp#385).
@Suite("A sender that does not follow the register")
struct StaleSenderTests {
  /// What one look shows of the asynchronous queue and of the error queue.
  struct Sight {
    var hour: Int64
    var depth: Int64 = 0
    var arrivals: Int64?
    var errors: Int64 = 0
    var unreadable = false
  }

  /// A group whose drain begins at the start, and then these looks.
  static func walk(_ sights: [Sight], exceptionUntil: Int64? = nil) -> (GroupWalk, began: Instant) {
    let walk = GroupWalk.standing(in: .verified)
    let began = walk.now
    walk.send(.looked(look(Sight(hour: 0, arrivals: sights.first?.arrivals == nil ? nil : 0))))
    if let exceptionUntil {
      walk.send(.waive(by: "Kari", why: "an old sender", until: began + .hours(exceptionUntil)))
    }
    for sight in sights {
      walk.now = began + .hours(sight.hour)
      see(sight, walk)
    }
    return (walk, began)
  }

  /// One look, and the reading of the entries when the group asks for it.
  static func see(_ sight: Sight, _ walk: GroupWalk) {
    walk.group.apply(.looked(readings: look(sight)), at: walk.now, policy: walk.policy)
    for member in walk.group.members where !member.recordProven {
      walk.group.apply(.readAsGoal(herID: member.herID, found: member.afterHash), at: walk.now, policy: walk.policy)
    }
  }

  static func look(_ sight: Sight) -> [QueueReading] {
    var readings = Fixture.look(depth: sight.depth, arrivals: sight.arrivals, unreadable: sight.unreadable)
    for index in readings.indices where readings[index].kind == .synchronous && !sight.unreadable {
      readings[index].count = .counted(depth: 0, arrivals: sight.arrivals.map { _ in 7 }, consumers: 1)
    }
    for index in readings.indices where readings[index].kind == .error {
      readings[index].count = .counted(depth: sight.errors, arrivals: sight.arrivals.map { _ in sight.errors }, consumers: 0)
    }
    return readings
  }

  /// The variant that cries wolf: whatever is seen on the queues after the watermark is a stale sender.
  static func variantCries(_ sights: [Sight]) -> Bool {
    zip([Sight(hour: 0, arrivals: 0)] + sights, sights).contains { before, now in
      now.depth > 0 || now.errors > 0 || (now.arrivals ?? 0) > (before.arrivals ?? 0)
    }
  }

  static let lawfulSights: [(words: String, sights: [Sight])] = [
    (
      "a register cache that lives its day",
      [Sight(hour: 2, depth: 1), Sight(hour: 23, depth: 2), Sight(hour: 60), Sight(hour: 90)]
    ),
    (
      "counted arrivals of a cache, and of what a sender had queued while the bus was away",
      [Sight(hour: 20, arrivals: 5), Sight(hour: 32, arrivals: 9), Sight(hour: 47, arrivals: 12), Sight(hour: 300, arrivals: 12)]
    ),
    (
      "what came while nobody looked, from before the end of lawful lateness on",
      [Sight(hour: 40, arrivals: 5), Sight(hour: 100, arrivals: 9), Sight(hour: 130, arrivals: 9)]
    ),
    (
      "a backlog that the receiver does not fetch for a week",
      [Sight(hour: 1, depth: 40), Sight(hour: 60, depth: 40), Sight(hour: 170, depth: 40), Sight(hour: 180, depth: 3)]
    ),
    ("error reports, for weeks", [Sight(hour: 60), Sight(hour: 70, errors: 1), Sight(hour: 300, errors: 4)]),
    (
      "a counter that starts anew when the bus is started again",
      [
        Sight(hour: 10, arrivals: 500), Sight(hour: 60, arrivals: 500), Sight(hour: 70, arrivals: 0),
        Sight(hour: 80, arrivals: 0),
      ]
    ),
    (
      "depths that come back after counters that could not be read",
      [Sight(hour: 40, depth: 3), Sight(hour: 60, unreadable: true), Sight(hour: 70, depth: 3), Sight(hour: 80, depth: 2)]
    ),
  ]

  @Test("15: lawful late traffic raises no alarm; the variant cries wolf (kcp#380, kcp#385)", arguments: lawfulSights.indices)
  func lawful(index: Int) {
    let (words, sights) = Self.lawfulSights[index]
    #expect(Self.variantCries(sights), "\(words): the variant would be as good")
    #expect(Self.walk(sights).0.group.drain.staleSender == nil, "\(words)")
  }

  @Test("a sender that still sends after twice the quiet period is told of, and which queue it uses; by depth or by counter")
  func raised() throws {
    for sights in [
      [Sight(hour: 10, depth: 1), Sight(hour: 48), Sight(hour: 49, depth: 1), Sight(hour: 50, depth: 2)],
      [Sight(hour: 10, arrivals: 1), Sight(hour: 48, arrivals: 1), Sight(hour: 49, arrivals: 2), Sight(hour: 50, arrivals: 3)],
    ] {
      #expect(Self.walk(sights.dropLast()).0.group.drain.staleSender == nil, "the first is a suspicion")
      let (walk, began) = Self.walk(sights)
      let stale = try #require(walk.group.drain.staleSender)
      #expect(stale.since == began + .hours(50) && stale.lastSeenAt == stale.since && stale.endedAt == nil)
      #expect(stale.queues.map(\.queue) == ["200_async"])
    }
  }

  @Test(
    "at the first suspicion the entries are read again: it may be the register that has changed, and then no sender is blamed")
  func suspected() throws {
    let (walk, _) = Self.walk([Sight(hour: 48, arrivals: 1)])
    for arrivals in [2, 3, 4] as [Int64] {
      walk.now = walk.now + .hours(1)
      walk.group.apply(.looked(readings: Self.look(Sight(hour: 0, arrivals: arrivals))), at: walk.now, policy: walk.policy)
    }
    #expect(walk.group.drain.staleSender == nil, "nobody has read the entries")
    #expect(walk.group.next(in: walk.context, now: walk.now) == .act(.readBack(Fixture.herID(200))))
    walk.send(.readBack(walk.group.members[0].plan.after, retryAt: walk.retryAt))
    #expect(walk.group.phase == .draining)
    walk.now = walk.now + .hours(1)
    Self.see(Sight(hour: 0, arrivals: 5), walk)
    walk.now = walk.now + .hours(1)
    Self.see(Sight(hour: 0, arrivals: 6), walk)
    #expect(walk.group.drain.staleSender != nil)
  }

  @Test("it is told of after the end too, when nobody reads the entries any more", arguments: [GroupPhase.accepted, .retired])
  func afterTheEnd(phase: GroupPhase) {
    let walk = GroupWalk.standing(in: phase)
    for arrivals in 0...4 as ClosedRange<Int64> {
      walk.now = walk.now + .hours(1)
      walk.send(.looked(Self.look(Sight(hour: 0, arrivals: arrivals))))
    }
    #expect(walk.group.phase == phase)
    #expect(walk.group.drain.staleSender?.queues.map(\.queue) == ["200_async"])
    #expect(walk.group.allRecordsProven, "what was read last stands, since nobody reads it again")
  }

  @Test("the alarm begins once, goes on while messages come, ends after a quiet period, and may begin again")
  func ends() throws {
    let count: [Sight] = [
      Sight(hour: 48, arrivals: 1), Sight(hour: 49, arrivals: 2), Sight(hour: 50, arrivals: 3), Sight(hour: 60, arrivals: 4),
      Sight(hour: 83, arrivals: 4),
    ]
    let (walk, began) = Self.walk(count)
    var stale = try #require(walk.group.drain.staleSender)
    #expect(stale.since == began + .hours(50) && stale.lastSeenAt == began + .hours(60) && stale.endedAt == nil)
    walk.now = began + .hours(84)
    Self.see(Sight(hour: 84, arrivals: 4), walk)
    stale = try #require(walk.group.drain.staleSender)
    #expect(stale.endedAt == began + .hours(84))
    walk.now = began + .hours(90)
    Self.see(Sight(hour: 90, arrivals: 5), walk)
    walk.now = began + .hours(91)
    Self.see(Sight(hour: 91, arrivals: 6), walk)
    #expect(walk.group.drain.staleSender?.since == began + .hours(91))
    #expect(walk.group.drain.staleSender?.endedAt == nil)
  }

  @Test("a sender that somebody answers for raises it when the exception has ended, not before")
  func excepted() {
    let sights: [Sight] = [Sight(hour: 50, arrivals: 1), Sight(hour: 60, arrivals: 2)]
    #expect(Self.walk(sights, exceptionUntil: 70).0.group.drain.staleSender == nil)
    let (walk, began) = Self.walk(sights + [Sight(hour: 71, arrivals: 3), Sight(hour: 72, arrivals: 4)], exceptionUntil: 70)
    #expect(walk.group.drain.staleSender?.since == began + .hours(72))
  }

  @Test("a clock set back proves nothing")
  func setBack() {
    let sights: [Sight] = [Sight(hour: 60, arrivals: 1), Sight(hour: 55, arrivals: 2), Sight(hour: 54, arrivals: 3)]
    #expect(Self.walk(sights).0.group.drain.staleSender == nil)
  }

  @Test("status and report name it")
  func told() throws {
    let (walk, _) = Self.walk([Sight(hour: 48), Sight(hour: 49, depth: 1), Sight(hour: 50, depth: 2)])
    #expect(walk.group.drain.staleSender != nil)
    let summary = GroupSummary(walk.group, context: walk.context, now: walk.now)
    #expect(summary.drain.staleSender == walk.group.drain.staleSender)
    #expect(CodeBook.entry("mig-701")?.kind == .alarm)
  }
}
