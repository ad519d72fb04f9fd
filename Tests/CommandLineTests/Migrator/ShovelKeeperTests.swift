// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine
import Testing

@testable import bus_migrator

/// The daemon's side of it: nothing is declared before the history knows, and nothing is gone before the bus has shown it.
@Suite("Shovels always go", .timeLimit(.minutes(2)))
struct ShovelKeeperTests {
  private let deeds = ShovelDeeds()
  private let notices = HeardNotices()

  private func errand() throws -> ForwardingErrand {
    var order = ForwardingOrder(approvals: ["Kari", "Ola"])
    order.carrier = .shovel
    let route = try JSONDecoder().decode(
      ForwardingWork.Route.self, from: Data(#"{"kind":"async","from":"a.example/1_async","to":"b.example/1_async"}"#.utf8))
    return ForwardingErrand(
      pulje: try #require(PuljeName("p")), group: GroupID(try #require(HerID(1))), from: "a", to: "b", route: route, order: order)
  }

  private func carriers(_ source: StagedShovelNode, _ target: StagedShovelNode, _ history: StagedShovelHistory) -> ShovelCarriers
  {
    ShovelCarriers(
      sides: [
        "a": ShovelCarriers.Side(dialect: .rabbitMQ3, management: source, address: Secret("amqp://sh:p@a:5672/%2F")),
        "b": ShovelCarriers.Side(dialect: .rabbitMQ4AddressV2, management: target, address: Secret("amqp://sh:p@b:5672/%2F")),
      ], owner: "0a", history: history, clock: LeapingClock(), notifier: self.notices,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func recorded(_ name: String, node: BusName = "b") throws -> MigrationState.RecordedShovel {
    let errand = try self.errand()
    return MigrationState.RecordedShovel(
      pulje: errand.pulje, group: errand.group,
      shovel: StandingShovel(node: node, name: name, virtualHost: "/", from: errand.route.from, to: errand.route.to))
  }

  /// Carries with the keeper at work beside it, as the daemon does.
  private func with(
    _ history: StagedShovelHistory, _ body: (ShovelCarriers, StagedShovelNode, StagedShovelNode) async throws -> Void
  ) async throws {
    let (source, target) = (StagedShovelNode(self.deeds), StagedShovelNode(self.deeds))
    let carriers = self.carriers(source, target, history)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await carriers.keeper.run() }
      defer { group.cancelAll() }
      try await body(carriers, source, target)
    }
  }

  @Test("the intent is kept before the bus is asked; a pause takes it away, and it is gone when the bus says so")
  func inOrder() async throws {
    try await self.with(StagedShovelHistory(self.deeds)) { carriers, _, target in
      let errand = try self.errand()
      let carrying = Task { await carriers.carry(errand) { _ in } }
      try await self.deeds.wait { $0.contains("declare") }
      carrying.cancel()
      #expect(await carrying.value == .cancelled)
      #expect(self.deeds.list == ["intended", "declare", "remove", "gone"])
      #expect(await target.names.isEmpty)
    }
  }

  @Test("what the history does not let is not declared")
  func refused() async throws {
    let refusal = Refusal(.shovelStands, tried: "declare", seen: "one stands")
    try await self.with(StagedShovelHistory(self.deeds, refusal: refusal)) { carriers, _, _ in
      guard case .interrupted(_, let seen) = await carriers.carry(try self.errand(), report: { _ in }) else {
        Issue.record("it is begun again later")
        return
      }
      #expect(seen.contains("MIG-247") && self.deeds.list.isEmpty)
    }
  }

  @Test("the management interface is down at a pause: told at once, tried again and again, gone only when the bus answers")
  func downAtPause() async throws {
    try await self.with(StagedShovelHistory(self.deeds)) { carriers, _, target in
      let errand = try self.errand()
      let carrying = Task { await carriers.carry(errand) { _ in } }
      try await self.deeds.wait { $0.contains("declare") }
      await target.set(down: true)
      carrying.cancel()
      guard case .interrupted(let code, _) = await carrying.value else {
        Issue.record("it is not over")
        return
      }
      #expect(code == "SHOVEL-007")
      // Far more often than any bound there was.
      try await self.deeds.wait { deeds in deeds.count { $0 == "remove: no answer" } > 30 }
      #expect(!self.deeds.list.contains("gone"))
      #expect(self.deeds.list.count { $0.hasPrefix("stays") } == 1)
      #expect(await target.names.count == 1)
      await target.set(down: false)
      try await self.deeds.wait { $0.last == "gone" }
      #expect(await target.names.isEmpty)
    }
  }

  @Test("a node that refuses, or goes on running what it was told to drop: not gone", arguments: [true, false])
  func notGone(isRefused: Bool) async throws {
    try await self.with(StagedShovelHistory(self.deeds)) { carriers, _, target in
      let errand = try self.errand()
      let carrying = Task { await carriers.carry(errand) { _ in } }
      try await self.deeds.wait { $0.contains("declare") }
      if isRefused { await target.set(refuses: 401) } else { await target.set(keepsRunning: true) }
      carrying.cancel()
      #expect(await carrying.value != .cancelled)
      #expect(self.deeds.list.contains(isRefused ? "stays SHOVEL-002" : "stays SHOVEL-007"))
      #expect(!self.deeds.list.contains("gone"))
      await target.set(refuses: nil)
      await target.set(keepsRunning: false)
      try await self.deeds.wait { $0.last == "gone" }
    }
  }

  @Test("a declaration without an answer may still come to stand: it is asked for after that time before it counts as gone")
  func unanswered() async throws {
    try await self.with(StagedShovelHistory(self.deeds)) { carriers, _, target in
      await target.set(losesAnswers: true)
      guard case .interrupted = await carriers.carry(try self.errand(), report: { _ in }) else {
        Issue.record("it is begun again")
        return
      }
      try await self.deeds.wait { $0.last == "gone" }
      #expect(self.deeds.list.count { $0 == "remove" } >= 2, "\(self.deeds.list)")
    }
  }

  @Test(
    "a start looks for what the history says is left, and for what carries our mark and stands in none; a dead bus holds nothing up"
  )
  func start() async throws {
    let left = try self.recorded("tjenestebuss.0a.1")
    let history = StagedShovelHistory(self.deeds, left: [left])
    let (source, target) = (StagedShovelNode(self.deeds), StagedShovelNode(self.deeds))
    await target.put("tjenestebuss.0a.1")
    await target.put("tjenestebuss.0a.2")
    await target.put("theirs")
    await target.set(down: true)
    let carriers = self.carriers(source, target, history)
    let running = Task { await carriers.keeper.run() }
    try await self.deeds.wait { deeds in deeds.count { $0 == "remove: no answer" } > 10 }
    #expect(self.deeds.list.contains("stays SHOVEL-003") && !self.deeds.list.contains("gone"))
    #expect(self.notices.list.contains { $0.code == "SHOVEL-003" && $0.kind == "shovels.unknown" })
    await target.set(down: false)
    while await target.names != ["theirs"] { try await Task.sleep(for: .milliseconds(2)) }
    try await self.deeds.wait { $0.contains("gone") }
    running.cancel()
    await running.value
  }

  @Test("the daemon's end waits no longer than it may, and says in words what stays")
  func end() async throws {
    let history = StagedShovelHistory(self.deeds, left: [try self.recorded("tjenestebuss.0a.1")])
    let target = StagedShovelNode(self.deeds)
    await target.set(down: true)
    let carriers = self.carriers(StagedShovelNode(self.deeds), target, history)
    let running = Task { await carriers.keeper.run() }
    try await self.deeds.wait { $0.contains("stays SHOVEL-003") }
    running.cancel()
    await running.value
    let last = self.notices.list.last
    #expect(last?.weight == .alarm && last?.code == "SHOVEL-007", "\(self.notices.list)")
    #expect(last?.words.contains("rabbitmqctl delete_shovel -p / tjenestebuss.0a.1") == true)
  }

  @Test("what it carried is the bus's own count of what the shovels' login settled, less what was settled before")
  func counted() async throws {
    try await self.with(StagedShovelHistory(self.deeds)) { carriers, source, _ in
      typealias Settled = ShovelManagement.Settled
      await source.set(settled: [Settled(receiver: "c1", user: "sh", count: 5), Settled(receiver: "c2", user: "epj", count: 9)])
      let errand = try self.errand()
      let counts = AsyncStream.makeStream(of: ForwardingCount.self)
      let carrying = Task { await carriers.carry(errand) { counts.continuation.yield($0) } }
      try await self.deeds.wait { $0.contains("declare") }
      // It connected anew in between, and counts from zero.
      await source.set(settled: [Settled(receiver: "c1", user: "sh", count: 5), Settled(receiver: "c3", user: "sh", count: 7)])
      for await count in counts.stream where count.accepted == 7 {
        #expect(count.received == 7 && count.open == 0)
        break
      }
      carrying.cancel()
      #expect(await carrying.value == .cancelled)
    }
  }
}
