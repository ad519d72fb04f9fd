// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("A client processes, over loopback")
struct ClientProcessTests {
  private struct Fault: Error {}

  private func ids(_ count: Int) -> [String] { (0..<count).map { "m\($0)" } }

  private func id(_ delivery: AMQPDelivery) -> String {
    (try? delivery.message().properties.messageID?.description) ?? "unreadable"
  }

  /// Runs `process` beside `body`, stops it gracefully after it, and returns its counts.
  private func processing(
    _ bus: PlayedBusHandle, maxConcurrent: Int = 4, policy: AMQPProcessPolicy = AMQPProcessPolicy(),
    handler: @escaping @Sendable (AMQPDelivery) async throws -> Void,
    _ body: @escaping @Sendable (AMQPClient) async throws -> Void
  ) async throws -> AMQPProcessCounts {
    let client = AMQPClient(bus.configuration())
    return try await client.withClient { client in
      let work = Task {
        try await client.process(
          from: "q", maxConcurrent: maxConcurrent, orderedBy: { (try? $0.message())?.properties.groupID }, policy: policy, handler
        )
      }
      try await body(client)
      await client.shutdown()
      return try await work.value
    }
  }

  @Test("what the handler took is accepted; no more at once than allowed; nothing is left")
  func accepted() async throws {
    let atWork = NIOLockedValueBox((now: 0, most: 0))
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(50), in: "q")
      let counts = try await self.processing(bus, maxConcurrent: 3) { _ in
        atWork.withLockedValue {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        await Task.yield()
        atWork.withLockedValue { $0.now -= 1 }
      } _: { _ in
        try await bus.see { $0.count(.accepted) == 50 }
      }
      #expect(counts.accepted == 50)
      #expect(atWork.withLockedValue { $0.most } <= 3)
      try await bus.see { $0.connections == 0 && $0.unsettled == 0 }
    }
  }

  /// What handlers of one key saw: the ids in order, and how many were at work at once at most.
  private final class Line: Sendable {
    private let state = NIOLockedValueBox((seen: [String](), now: 0, most: 0))
    let gate = OneShot<Void>()
    let isAtGate = OneShot<Void>()

    var seen: [String] { self.state.withLockedValue { $0.seen } }
    var most: Int { self.state.withLockedValue { $0.most } }

    /// The first time that `stop` is handled, it waits at the gate.
    func handle(_ id: String, stopAt stop: String? = nil) async throws {
      let isFirst = self.state.withLockedValue { state in
        state.now += 1
        state.most = max(state.most, state.now)
        defer { state.seen.append(id) }
        return !state.seen.contains(id)
      }
      defer { self.state.withLockedValue { $0.now -= 1 } }
      await Task.yield()
      guard id == stop, isFirst else { return }
      self.isAtGate.fulfil(())
      try await self.gate.wait()
    }
  }

  @Test("deliveries of one key are handled in order, one at a time")
  func order() async throws {
    let line = Line()
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(30), in: "q", group: "one")
      _ = try await self.processing(bus) { delivery in
        try await line.handle(self.id(delivery))
      } _: { _ in
        try await bus.see { $0.count(.accepted) == 30 }
      }
      #expect(line.seen == self.ids(30))
      #expect(line.most == 1)
    }
  }

  @Test("so they are over a lost connection: the one at work comes again, not beside itself, and then those behind it")
  func orderOverLoss() async throws {
    let line = Line()
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(30), in: "q", group: "one")
      _ = try await self.processing(bus) { delivery in
        try await line.handle(self.id(delivery), stopAt: "m10")
      } _: { _ in
        try await line.isAtGate.wait()
        try await bus.see { $0.count(.accepted) == 10 }
        try await bus.cut()
        // It is here for the second time, with those behind it, while the first is still at work.
        try await bus.see { $0.connectionsEver >= 3 && $0.unsettled == 8 }
        #expect(line.seen == self.ids(11))
        line.gate.fulfil(())
        try await bus.see { $0.count(.accepted) == 30 }
      }
      #expect(line.seen == self.ids(11) + self.ids(30).dropFirst(10))
      #expect(line.most == 1)
    }
  }

  @Test("and over a withdrawal: the link is unlocked by accepted, those behind go back, and all come again in their order")
  func orderOverWithdrawal() async throws {
    let line = Line()
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(30), in: "q", group: "one")
      let counts = try await self.processing(bus) { delivery in
        try await line.handle(self.id(delivery), stopAt: "m10")
      } _: { _ in
        try await line.isAtGate.wait()
        let before = try await bus.see { $0.count(.accepted) == 10 && $0.unsettled > 3 }
        // The gate stays closed: the handler ends since it is cancelled.
        try await bus.withdraw("q")
        let sight = try await bus.see { $0.count(.accepted) == 30 }
        #expect(sight.withdrawnOutcomes == [.accepted], "RabbitMQ 4.3 unlocks the link by nothing else")
        #expect(sight.count(.released) == before.unsettled - 1)
      }
      #expect(line.seen == self.ids(11) + self.ids(30).dropFirst(10))
      #expect(line.most == 1)
      #expect(counts.withdrawn == 1 && counts.accepted == 30)
    }
  }

  @Test("a handler that fails: the delivery is held, not released at once; stopping hands it back once")
  func failure() async throws {
    let runs = NIOLockedValueBox(0)
    try await PlayedBusHandle.run { bus in
      try await bus.put(["bad"], in: "q")
      let (failed, told) = AsyncStream.makeStream(of: Void.self)
      let counts = try await self.processing(bus) { _ in
        runs.withLockedValue { $0 += 1 }
        told.yield()
        throw Fault()
      } _: { _ in
        for await _ in failed { break }
        let sight = try await bus.sight
        #expect(sight.outcomes.isEmpty)
      }
      #expect(runs.withLockedValue { $0 } == 1)
      #expect(counts.handedBack == 1)
      let sight = try await bus.see { $0.connections == 0 && $0.waiting["q"] == 1 }
      #expect(sight.outcomes == [.modified(deliveryFailed: true, undeliverableHere: false)])
      #expect(sight.givenEver == 1, "handed back without credit, it came again")
    }
  }

  @Test("stopping while the bus has more: what is handed back finds no credit, and nothing comes twice")
  func stopsWithBacklog() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(100), in: "q")
      let counts = try await self.processing(bus, policy: AMQPProcessPolicy(stopWithin: .milliseconds(50))) { _ in
        try await Task.sleep(for: .seconds(600))
      } _: { client in
        try await bus.see { $0.unsettled == 8 }
        // What has not been read when the link goes is the bus's by that.
        while client.loads.first.map({ $0.atWork == 4 && $0.waiting == 4 }) != true { await Task.yield() }
      }
      #expect(counts.handedBackUnbegun + counts.handedBack == 8)
      let sight = try await bus.see { $0.connections == 0 && $0.waiting["q"] == 100 }
      #expect(sight.givenEver == 8)
      #expect(sight.outcomes.count == 8)
    }
  }

  @Test("RabbitMQ 3 knows no modified: there it is released")
  func rabbitMQ3() async throws {
    var manners = PlayedBus.Manners()
    manners.properties = ["product": "RabbitMQ", "version": "3.10.8"]
    try await PlayedBusHandle.run(manners) { bus in
      try await bus.put(["bad"], in: "q")
      let policy = AMQPProcessPolicy(retryDelay: .milliseconds(10), deadLettering: .modified)
      let runs = NIOLockedValueBox(0)
      _ = try await self.processing(bus, policy: policy) { _ in
        let run = runs.withLockedValue {
          $0 += 1
          return $0
        }
        if run == 1 { throw Fault() }
        throw AMQPProcessReaction.deadLetter(AMQPCondition("app:no"))
      } _: { _ in
        let sight = try await bus.see { $0.outcomes.count == 2 }
        #expect(sight.outcomes == [.released, .rejected(AMQPCondition("app:no"))])
      }
    }
  }

  @Test("dead-lettered by the handler's choice; poison without its handler; near its limit told")
  func deadLetters() async throws {
    let handled = NIOLockedValueBox<[String]>([])
    let events = NIOLockedValueBox<[AMQPProcessEvent]>([])
    try await PlayedBusHandle.run { bus in
      try await bus.put(["refused"], in: "q")
      try await bus.put(["poison"], in: "q", deliveryCount: 18)
      try await bus.put(["near"], in: "q", deliveryCount: 16)
      let policy = AMQPProcessPolicy(poisonLimit: 18, report: { event in events.withLockedValue { $0.append(event) } })
      let counts = try await self.processing(bus, policy: policy) { delivery in
        handled.withLockedValue { $0.append(self.id(delivery)) }
        if self.id(delivery) == "refused" { throw AMQPProcessReaction.deadLetter(AMQPCondition("app:refused")) }
      } _: { _ in
        try await bus.see { $0.outcomes.count == 3 }
      }
      #expect(Set(handled.withLockedValue { $0 }) == ["refused", "near"])
      #expect(counts.deadLettered == 2 && counts.accepted == 1 && counts.nearDeliveryLimit == 1)
      #expect(events.withLockedValue { $0 }.contains(.nearDeliveryLimit("near", deliveries: 16)))
    }
  }

  @Test("stop: process throws the handler's error, after handing back what it failed on and what was not begun")
  func stop() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(10), in: "q")
      try await AMQPClient(bus.configuration()).withClient { client in
        let policy = AMQPProcessPolicy(reaction: { _, _ in .stop })
        await #expect(throws: Fault.self) {
          try await client.process(from: "q", policy: policy) { _ in throw Fault() }
        }
        let sight = try await bus.see { $0.unsettled == 0 && $0.waiting["q"] == 10 && $0.receivers["q"] == nil }
        // The window is two, and nothing comes again.
        #expect(sight.givenEver == 2)
      }
    }
  }

  @Test("leaving waits for handlers at work; at the deadline they are cancelled, and their deliveries handed back")
  func deadline() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(["slow"], in: "q")
      let (begun, told) = AsyncStream.makeStream(of: Void.self)
      let policy = AMQPProcessPolicy(stopWithin: .milliseconds(50))
      let counts = try await self.processing(bus, policy: policy) { _ in
        told.yield()
        try await Task.sleep(for: .seconds(600))
      } _: { _ in
        for await _ in begun { break }
      }
      #expect(counts.handedBack + counts.handedBackUnbegun == 1)
      try await bus.see { $0.connections == 0 && $0.unsettled == 0 && $0.waiting["q"] == 1 }
    }
  }

  @Test("cancelling it cancels the handlers, and leaves nothing")
  func cancelled() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(5), in: "q")
      try await AMQPClient(bus.configuration()).withClient { client in
        let work = Task {
          try await client.process(from: "q", maxConcurrent: 2) { _ in try await Task.sleep(for: .seconds(600)) }
        }
        try await bus.see { $0.unsettled == 4 }
        work.cancel()
        _ = await work.result
        try await bus.see { $0.receivers["q"] == nil && $0.unsettled == 0 && $0.waiting["q"] == 5 }
      }
    }
  }

  @Test("the link is lost while a handler is at work: it goes on, its settlement is lost, the message comes again")
  func linkLost() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(["m"], in: "q", group: "one")
      let runs = NIOLockedValueBox(0)
      let gate = OneShot<Void>()
      let begun = OneShot<Void>()
      let counts = try await self.processing(bus) { _ in
        let run = runs.withLockedValue {
          $0 += 1
          return $0
        }
        begun.fulfil(())
        if run == 1 { try await gate.wait() }
      } _: { _ in
        try await begun.wait()
        try await bus.cut()
        try await bus.see { $0.unsettled == 1 && $0.connectionsEver >= 3 }
        gate.fulfil(())
        try await bus.see { $0.count(.accepted) == 1 }
      }
      #expect(runs.withLockedValue { $0 } == 2)
      #expect(counts.settlementsLost == 1 && counts.accepted == 1)
    }
  }

  /// Answers what is called `ping` by itself, while handlers wait at a gate.
  private struct Desk: AMQPDeliveryHandler {
    let gate = OneShot<Void>()
    let endings = NIOLockedValueBox<[String: AMQPProcessEnding]>([:])
    let hasReadSecond = OneShot<Void>()

    func read(_ delivery: AMQPDelivery) -> String {
      let id = (try? delivery.message().properties.messageID?.description) ?? ""
      if id == "second" { self.hasReadSecond.fulfil(()) }
      return id
    }

    func key(of item: String) -> String? { nil }
    func needsPlace(_ item: String) -> Bool { !item.hasPrefix("ping") }

    func handle(_ item: String, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> AMQPVerdict {
      if item.hasPrefix("ping") {
        // One of them turns out to need a handler after all.
        guard item == "ping-late" else { return .accept }
        return await place.take() ? .accept : .handBack(after: .zero, failed: false)
      }
      guard (try? await self.gate.wait()) != nil else { return .handBack(after: .zero, failed: false) }
      return item == "dead" ? .deadLetter(AMQPCondition("app:dead")) : .accept
    }

    func ended(_ item: String, _ ending: AMQPProcessEnding) { self.endings.withLockedValue { $0[item] = ending } }
  }

  @Test("a handler that decides by verdict: what needs no place is answered while all places are taken; each is told its end")
  func verdicts() async throws {
    let desk = Desk()
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let policy = AMQPProcessPolicy(prefetch: 10)
        let work = Task { try await client.process(from: "q", maxConcurrent: 1, policy: policy, with: desk) }
        try await bus.put(["busy", "dead", "ping-late", "ping", "ping-2"], in: "q")
        try await bus.see { $0.count(.accepted) == 2 }
        #expect(desk.endings.withLockedValue { Set($0.keys) } == ["ping", "ping-2"])
        desk.gate.fulfil(())
        try await bus.see { $0.outcomes.count == 5 }
        await client.shutdown()
        let counts = try await work.value
        #expect(counts.accepted == 4 && counts.deadLettered == 1)
        #expect(desk.endings.withLockedValue { $0["dead"] } == .settled(.deadLetter(AMQPCondition("app:dead"))))
        #expect(desk.endings.withLockedValue { $0["ping-late"] } == .settled(.accept))
      }
    }
  }

  @Test("what was read and not begun is told so, when everything stops and when its link is lost")
  func unbegun() async throws {
    let desk = Desk()
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let work = Task { try await client.process(from: "q", maxConcurrent: 1, policy: .init(stopWithin: .zero), with: desk) }
        try await bus.put(["first", "second"], in: "q")
        try await desk.hasReadSecond.wait()
        try await bus.cut()
        try await bus.see { $0.attachesEver == 2 && $0.unsettled == 2 }
        #expect(desk.endings.withLockedValue { $0["second"] } == .unbegun)
        await client.shutdown()
        let counts = try await work.value
        #expect(counts.accepted == 0)
      }
      #expect(desk.endings.withLockedValue { $0.values.contains { $0 == .settled(.accept) } } == false)
      try await bus.see { $0.connections == 0 && $0.waiting["q"] == 2 }
    }
  }

  @Test("locks are renewed while a handler is at work, and no more after it")
  func locks() async throws {
    struct Renewal: AMQPLockRenewing {
      let renewed = NIOLockedValueBox(0)
      let thrice = OneShot<Void>()
      func lockDuration(of delivery: AMQPDelivery) -> Duration? { .milliseconds(5) }
      func renew(_ delivery: AMQPDelivery) async throws -> Duration {
        let count = self.renewed.withLockedValue {
          $0 += 1
          return $0
        }
        if count == 3 { self.thrice.fulfil(()) }
        return .milliseconds(5)
      }
    }
    let renewal = Renewal()
    try await PlayedBusHandle.run { bus in
      try await bus.put(["m"], in: "q")
      _ = try await self.processing(bus, policy: AMQPProcessPolicy(lockRenewal: renewal)) { _ in
        try await renewal.thrice.wait()
      } _: { _ in
        try await bus.see { $0.count(.accepted) == 1 }
      }
      #expect(renewal.renewed.withLockedValue { $0 } >= 3)
    }
  }
}
