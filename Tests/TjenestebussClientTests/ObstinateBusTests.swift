// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("What buses do now and then", .timeLimit(.minutes(5)))
struct ObstinateBusTests {
  @Test(
    "A queue that is closed for sends, gone, or not ours to write to any more: looked up anew, and sent once more with the same id",
    arguments: [
      "com.microsoft:entity-disabled", "amqp:not-found", "amqp:resource-deleted", "amqp:unauthorized-access",
    ])
  func closedQueue(_ condition: String) async throws {
    try await ObstinateBus.run(refusingSenders: AMQPCondition(condition)) { _, obstinate in
      try await InMemoryBroker.withBroker(.init(dialect: .rabbitMQ4AddressV2, path: "NHN", queues: ["100_async"])) { target in
        let routes = LaidDownRoutes()
        let party = try Fixture.herID(100)
        try routes.lay(party, cached: "ob/NHN/100_async", register: "tb/NHN/100_async")
        let client = try TjenestebussClient(
          TjenestebussConfiguration(
            buses: [obstinate, try TwoBuses.endpoint("tjenestebuss", target, host: "tb")], sendTimeout: .seconds(40)),
          routes: routes)
        try await client.withClient { client in
          let result = await client.send(try Fixture.answer(id: "m"))
          #expect(result.outcome == .accepted)
          #expect(result.attempts.map(\.route.bus) == ["obstinate", "tjenestebuss"])
          #expect(routes.lookUps == [.cached, .refreshed])
        }
        #expect(try await target.messageIDs(in: "100_async") == ["m"])
      }
    }
  }

  @Test(
    "The bus takes a delivery back that is not settled in time: its handler is cancelled, the link goes on, the message comes again"
  )
  func withdrawn() async throws {
    let message = try Fixture.incoming(id: "m").amqpMessage(toQueue: "200_async", enqueued: .now)
    try await ObstinateBus.run(handingOut: message) { bus, endpoint in
      let client = try TjenestebussClient(
        TjenestebussConfiguration(buses: [endpoint], redeliveryDelay: .seconds(1), longestRedeliveryDelay: .seconds(1)),
        routes: LaidDownRoutes())
      let log = Shared<[String]>([])
      let stuck = OneShot<Bool>()
      try await client.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in
              let number = log.withLock { log in
                log.append("begun")
                return log.count
              }
              guard number == 1 else { return }
              bus.withdraw()
              do { _ = try await stuck.wait() } catch {
                log.withLock { $0.append("cancelled") }
                throw error
              }
            }
          }
          await client.wait { $0.counters.handled == 1 }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
      #expect(log.withLock { $0 } == ["begun", "cancelled", "begun"])
      #expect(client.status.counters.withdrawn == 1)
      #expect(client.status.counters.released == 0, "that is no fault of the message")
    }
  }
}
