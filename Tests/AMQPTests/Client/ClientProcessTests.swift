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

  @Test("deliveries of one key are handled in order, one at a time, over a loss of the connection")
  func order() async throws {
    let seen = NIOLockedValueBox<[String]>([])
    try await PlayedBusHandle.run { bus in
      try await bus.put(self.ids(30), in: "q", group: "one")
      _ = try await self.processing(bus) { delivery in
        await Task.yield()
        seen.withLockedValue { $0.append(self.id(delivery)) }
      } _: { _ in
        try await bus.see { $0.count(.accepted) == 30 }
      }
      #expect(seen.withLockedValue { $0 } == self.ids(30))
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
      let sight = try await bus.see { $0.unsettled == 0 && $0.waiting["q"] == 1 }
      #expect(sight.outcomes.first == .modified(deliveryFailed: true, undeliverableHere: false))
      // What the bus sends again before it has read our Detach goes back unopened.
      #expect(sight.outcomes.dropFirst().allSatisfy { $0 == .released })
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
        // The window is two; whatever settling makes room for is given back once, in no loop.
        #expect(sight.outcomes.count <= 6)
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
