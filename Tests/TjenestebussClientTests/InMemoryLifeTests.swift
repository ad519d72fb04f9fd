// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import InMemoryTracing
import Logging
import MetricsTestKit
import ServiceLifecycle
import Testing
import TjenestebussTesting
import Tracing

@testable import TjenestebussClient

@Suite("A client in a service group, and observed, against brokers in memory", .timeLimit(.minutes(5)))
struct InMemoryLifeTests {
  /// What a vendor's system has beside the client.
  private struct Serving: Service {
    let client: TjenestebussClient
    let handlers: MessageHandlers
    func run() async throws { try await self.client.serve(self.handlers) }
  }

  private func put(_ message: HealthMessage, into queue: String, of broker: InMemoryBroker) async throws {
    try await TwoBuses.put(try message.amqpMessage(toQueue: queue, enqueued: .now), into: queue, of: broker)
  }

  @Test("Graceful shutdown: what receives ends first, the handler under way still sends its answer, and no connection is left")
  func group() async throws {
    try await TwoBuses.withClient { outer, buses in
      let client = try TjenestebussClient(outer.configuration, routes: buses.routes)
      let begun = OneShot<Bool>()
      let goOn = OneShot<Bool>()
      let handlers = MessageHandlers(
        messages: { received in
          begun.fulfil(true)
          _ = try await goOn.wait()
          try await client.reply(to: received, with: try Fixture.answer(id: "answer")).requireAccepted()
        }, errorReports: { _ in })
      let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
      let group = ServiceGroup(services: [client, Serving(client: client, handlers: handlers)], logger: logger)
      let running = Task { try await group.run() }
      try await self.put(try Fixture.incoming(id: "m"), into: "200_async", of: buses.target)
      _ = try await begun.wait()
      await group.triggerGracefulShutdown()
      goOn.fulfil(true)
      try await running.value
      #expect(client.status.counters.handled == 1)
      #expect(client.status.receivers.isEmpty)
      #expect(try await buses.source.messageIDs(in: "100_async") == ["answer"])
      #expect(try await buses.target.depth(of: "200_async") == 0)
      // One is left on each bus: the sending one of the client that this test runs in.
      for broker in [buses.source, buses.target] {
        try await broker.waitUntil("ours are closed") { $0.connections.count == 1 }
      }
    }
  }

  @Test("A message's trace goes on in its receiver's handler, on whichever bus; handlers are timed, pings are not")
  func observed() async throws {
    let metrics = TestMetrics()
    let tracer = InMemoryTracer()
    try await TwoBuses.withClient {
      $0.observability = AMQPObservability(metrics: metrics, tracing: AMQPTracing(tracer))
    } _: { client, _ in
      let inside = Shared<[String]>([])
      let handlers = MessageHandlers(
        messages: { _ in
          let trace = ServiceContext.current?.inMemorySpanContext?.traceID ?? "none"
          inside.withLock { $0.append(trace) }
        }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        #expect(await client.send(try Fixture.message(id: "m")).outcome == .accepted)
        await client.wait { $0.counters.handled == 1 }
        _ = try await client.pingSelf(try Fixture.herID(200), timeout: .seconds(50))
      }
      let processed = tracer.finishedSpans.filter { $0.operationName.hasPrefix("process ") }
      #expect(processed.count == 1)
      #expect(inside.withLock { $0 } == processed.map(\.traceID))
      let sent = tracer.finishedSpans.first { $0.spanID == processed.first?.parentSpanID }
      #expect(sent?.operationName.hasPrefix("send ") == true)
    }
    #expect(metrics.timers(label: "messaging.process.duration").map(\.values.count) == [1])
  }

  @Test("A message that has come so often that the bus will soon give it up is counted, and handled")
  func nearDeliveryLimit() async throws {
    var message = try Fixture.incoming(id: "m").amqpMessage(toQueue: "200_async", enqueued: .now)
    message.header = AMQPHeader(durable: true, deliveryCount: 17)
    try await ObstinateBus.run(handingOut: message) { _, endpoint in
      let client = try TjenestebussClient(TjenestebussConfiguration(buses: [endpoint], duplicates: nil), routes: LaidDownRoutes())
      try await client.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in } }
          await client.wait { $0.counters.nearDeliveryLimit >= 1 && $0.counters.handled >= 1 }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
    }
  }
}
