// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

@Suite("I-8 on the history: one at a time carries from a queue")
struct OrderInvariantTests {
  private static func breaches(_ events: [GroupEvent]) throws -> [Breach] {
    var policy = Policy()
    policy.leftovers = .forward
    let walk = GroupWalk(policy: policy)
    walk.go(to: .draining)
    var state = MigrationState()
    var watch = HistoryWatch()
    let plan = Fixture.plan([200], policy: policy)
    var breaches: [Breach] = []
    func happen(_ event: MigrationEvent) {
      let phase = HistoryWatch.phase(before: event, in: state)
      _ = state.apply(event, at: walk.now)
      breaches += watch.take(event, at: walk.now, fence: 1, from: phase, state: state)
    }
    happen(.puljeSealed(plan: plan, by: "Kari"))
    happen(.puljeStarted(pulje: plan.name, approvals: ["Kari", "Ola"]))
    for event in walk.events + [.forwardingApproved(order: ForwardingOrder(approvals: ["Kari", "Ola"]))] {
      happen(.group(pulje: plan.name, group: plan.groups[0].id, event: event))
    }
    breaches = []
    for event in events { happen(.group(pulje: plan.name, group: plan.groups[0].id, event: event)) }
    return breaches.filter { $0.invariant == .orderKept }
  }

  private static let queue = QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_async")

  private static func told(_ run: String, _ received: Int64, _ queue: QueueAddress = queue) -> GroupEvent {
    .forwarded(queue: queue, count: ForwardingCount(run: run, received: received, accepted: received))
  }

  @Test("lawful: a run that grows, the next one after it, and the last word of the one before")
  func lawful() throws {
    #expect(
      try Self.breaches([Self.told("1", 3), Self.told("1", 5), Self.told("2", 1), Self.told("1", 6), Self.told("2", 4)]).isEmpty)
    // What is said twice is no growth.
    #expect(try Self.breaches([Self.told("1", 3), Self.told("2", 1), Self.told("1", 3), Self.told("1", 3)]).isEmpty)
    let other = QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_error")
    let twoQueues = [Self.told("1", 3), Self.told("2", 1, other), Self.told("1", 4), Self.told("2", 2, other), Self.told("1", 5)]
    #expect(try Self.breaches(twoQueues).isEmpty)
  }

  @Test("broken: two runs that go on beside each other")
  func beside() throws {
    #expect(
      try !Self.breaches([Self.told("1", 3), Self.told("2", 1), Self.told("1", 4), Self.told("2", 2), Self.told("1", 5)]).isEmpty)
  }

  @Test("broken: a run that begins, or goes on, beside a shovel on the same queue")
  func shovel() throws {
    let shovel = StandingShovel(node: "b", name: "s", virtualHost: "/", from: Self.queue, to: Self.queue)
    #expect(try !Self.breaches([.shovelIntended(shovel: shovel), Self.told("1", 1)]).isEmpty)
    #expect(try Self.breaches([Self.told("1", 1), .shovelIntended(shovel: shovel), Self.told("1", 2)]).isEmpty)
    #expect(
      try !Self.breaches([Self.told("1", 1), .shovelIntended(shovel: shovel), Self.told("1", 2), Self.told("1", 3)]).isEmpty)
    let gone: [GroupEvent] = [.shovelIntended(shovel: shovel), .shovelGone(node: "b", name: "s"), Self.told("1", 1)]
    #expect(try Self.breaches(gone).isEmpty)
  }
}
