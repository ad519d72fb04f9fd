// SPDX-License-Identifier: Apache-2.0

import InMemoryTracing
import MetricsTestKit
import NIOConcurrencyHelpers
import Testing
import Tracing

@testable import AMQP

@Suite("A client comes back, over loopback")
struct ClientRecoveryTests {
  // MARK: Refused

  @Test("the login is refused, and asked for again later: sends are told at once what was refused; receivers wait")
  func refusedLogin() async throws {
    var manners = PlayedBus.Manners()
    manners.login = { _ in false }
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.recovery.refusedLoginRetry = .seconds(600)
      try await AMQPClient(configuration).withClient { client in
        let receiving = Task {
          try await client.withReceiver(from: "q", refusedRetry: .seconds(600)) { deliveries in
            for try await _ in deliveries {}
          }
        }
        for use in AMQPConnectionUse.allCases {
          for await state in client.states where state.subject == .connection(use) && state.phase == .waiting {
            #expect(state.cause?.code == .loginRefused)
            #expect((state.nextAttemptIn ?? .zero) > .seconds(400))
            break
          }
        }
        let error = await #expect(throws: AMQPError.self) { try await client.send(AMQPMessage(body: .data([1])), to: "q") }
        #expect(error?.code == .loginRefused)
        #expect(await client.diagnose().sentence.contains("AMQP-105"))
        receiving.cancel()
        try await receiving.value
      }
    }
  }

  @Test("once the bus takes the login, and somebody has made the queue, what waited goes on by itself")
  func mended() async throws {
    var manners = PlayedBus.Manners()
    manners.login = { $0 > 4 }
    manners.refusal = { _, before in before < 3 ? AMQPCondition("amqp:not-found") : nil }
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.recovery.refusedLoginRetry = .milliseconds(10)
      try await AMQPClient(configuration).withClient { client in
        try await bus.put(["m"], in: "q")
        try await client.withReceiver(from: "q", refusedRetry: .milliseconds(10)) { deliveries in
          for try await delivery in deliveries {
            try delivery.accept()
            break
          }
        }
        try await bus.see { $0.count(.accepted) == 1 && $0.attachesEver == 4 }
      }
    }
  }

  @Test(
    "an attach that is not answered: a new session, and the neighbours keep their connection; of RabbitMQ 3 a new connection",
    arguments: [false, true])
  func unansweredAttach(_ isRabbitMQ3: Bool) async throws {
    var manners = PlayedBus.Manners()
    manners.answersAttach = false
    if isRabbitMQ3 { manners.properties = ["product": "RabbitMQ", "version": "3.10.8"] }
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.endpoints[0].operationTimeout = .seconds(3)
      try await AMQPClient(configuration).withClient { client in
        try await client.withReceiver(from: "q") { _ in
          try await bus.see { $0.attachesEver == 1 }
          try await bus.change { $0.answersAttach = true }
          let sight = try await bus.see { $0.receivers["q"] == 1 }
          #expect(sight.attachesEver == 2)
          #expect(sight.connectionsEver == (isRabbitMQ3 ? 3 : 2))
          #expect(sight.sessionsEver == 2)
        }
      }
    }
  }

  // MARK: Observed

  private func recoveries(_ factory: TestMetrics, _ tier: String, _ address: String? = nil) throws -> Int64 {
    var dimensions = [("messaging.system", "amqp")]
    if let address { dimensions.append(("messaging.destination.name", address)) }
    return try factory.expectCounter(
      "amqp.client.recoveries", dimensions + [(AMQPAttributeName.tier.rawValue, tier)]
    ).totalValue
  }

  @Test("each return of link, session and connection is counted once, by its tier; the first time is none")
  func counted() async throws {
    let factory = TestMetrics()
    try await PlayedBusHandle.run { bus in
      var configuration = bus.configuration()
      configuration.endpoints[0].observability = AMQPObservability(metrics: factory)
      try await AMQPClient(configuration).withClient { client in
        try await client.withReceiver(from: "q") { _ in
          func back(_ attaches: Int) async throws {
            try await bus.see { $0.attachesEver == attaches }
            for await state in client.states where state.subject.address == "q" && state.phase == .open { break }
          }
          try await back(1)
          _ = try await client.connection(for: .sending)
          #expect(factory.counters(label: "amqp.client.recoveries").isEmpty)
          try await bus.detach("q")
          try await back(2)
          try await bus.endSessions(of: "q", AMQPCondition("amqp:internal-error"))
          try await back(3)
          try await bus.cut()
          try await back(4)
          try await bus.see { $0.connectionsEver == 4 }
          for use in AMQPConnectionUse.allCases {
            for await state in client.states where state.subject == .connection(use) && state.phase == .open { break }
          }
        }
      }
    }
    #expect(try self.recoveries(factory, "link", "q") == 1)
    #expect(try self.recoveries(factory, "session", "q") == 1)
    #expect(try self.recoveries(factory, "connection") == 2)
  }

  @Test("a handler runs within a span that continues its sender's, and is timed, as it ends and as it fails")
  func traced() async throws {
    struct Fault: Error {}
    let factory = TestMetrics()
    let tracer = InMemoryTracer()
    var manners = PlayedBus.Manners()
    manners.respond = { _, message in ("q", message) }
    try await PlayedBusHandle.run(manners) { bus in
      var configuration = bus.configuration()
      configuration.endpoints[0].observability = AMQPObservability(metrics: factory, tracing: AMQPTracing(tracer))
      let inside = NIOLockedValueBox<[String]>([])
      try await AMQPClient(configuration).withClient { client in
        let work = Task {
          try await client.process(from: "q", policy: AMQPProcessPolicy(retryDelay: .zero)) { delivery in
            let count = inside.withLockedValue {
              $0.append(ServiceContext.current?.inMemorySpanContext?.traceID ?? "none")
              return $0.count
            }
            if count == 1 { throw Fault() }
          }
        }
        _ = try await client.send(AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data([1])), to: "other")
        try await bus.see { $0.count(.accepted) == 1 }
        await client.shutdown()
        _ = try await work.value
      }
      let sent = try #require(tracer.finishedSpans.first { $0.operationName == "send other" })
      let processed = tracer.finishedSpans.filter { $0.operationName == "process q" }
      #expect(processed.count == 2)
      #expect(processed.allSatisfy { $0.traceID == sent.traceID && $0.parentSpanID == sent.spanID })
      #expect(processed.map { $0.attributes.get("error.type") } == [.string("Fault"), nil])
      #expect(inside.withLockedValue { $0 } == [sent.traceID, sent.traceID])
    }
    let timers = factory.timers(label: "messaging.process.duration")
    #expect(timers.map(\.values.count) == [1, 1])
  }
}
