// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Copies that come while the first is at work", .timeLimit(.minutes(5)))
struct InMemoryCopyTests {
  private func put(_ id: String, into broker: InMemoryBroker) async throws {
    try await TwoBuses.put(
      try Fixture.incoming(id: id).amqpMessage(toQueue: "200_async", enqueued: .now), into: "200_async", of: broker)
  }

  /// Serves; the handler of "m" is at work until it is let go, all others are done at once.
  private func whileHandling(
    _ change: @escaping (inout TjenestebussConfiguration) -> Void, first: @escaping @Sendable (TwoBuses) -> InMemoryBroker,
    _ body: @escaping @Sendable (TjenestebussClient, TwoBuses, OneShot<Void>) async throws -> Void
  ) async throws {
    try await TwoBuses.withClient(change) { client, buses in
      let (begun, done) = (OneShot<Void>(), OneShot<Void>())
      let handlers = MessageHandlers(
        messages: { received in
          guard received.message.messageID == "m" else { return }
          begun.fulfil(())
          try await done.wait()
        }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        try await self.put("m", into: first(buses))
        try await begun.wait()
        try await body(client, buses, done)
      }
    }
  }

  @Test("on RabbitMQ it waits for the first however long a failed message would be held: each time that it went back would count")
  func waits() async throws {
    try await self.whileHandling(
      {
        $0.redeliveryDelay = .zero
        $0.longestRedeliveryDelay = .seconds(600)
      }, first: \.source
    ) { client, buses, done in
      try await self.put("m", into: buses.target)
      // Read after the copy, and handled long before the first is done.
      try await self.put("n", into: buses.target)
      await client.wait { $0.counters.handled == 1 }
      #expect(client.status.counters.duplicatesHandedBack == 0)
      done.fulfil(())
      await client.wait { $0.counters.duplicates == 1 && $0.counters.handled == 2 }
      #expect(client.status.counters.duplicatesHandedBack == 0)
    }
  }

  @Test("on a Service Bus it goes back after the usual delay, before its lock runs out, and is recognised when it comes again")
  func goesBack() async throws {
    try await self.whileHandling({ $0.longestRedeliveryDelay = .seconds(600) }, first: \.target) { client, buses, done in
      try await self.put("m", into: buses.source)
      await client.wait { $0.counters.duplicatesHandedBack >= 1 }
      done.fulfil(())
      await client.wait { $0.counters.duplicates == 1 && $0.counters.handled == 1 }
    }
  }
}
