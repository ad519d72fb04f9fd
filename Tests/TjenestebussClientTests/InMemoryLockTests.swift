// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Locks of Azure Service Bus, under the sector layer", .timeLimit(.minutes(5)))
struct InMemoryLockTests {
  @Test("A handler at work for longer than the bus's lock: the lock is renewed, and the message is handled once")
  func renewed() async throws {
    // The bus's clock stands unless we move it, so no lock ends because this machine is busy. By ours every lock has run out long
    // ago: it is renewed as often as the client may.
    let clock = VirtualClock(milliseconds: 1_000_000)
    var configuration = InMemoryBroker.Configuration(dialect: .azureServiceBus, queues: ["200_async"])
    configuration.lockDuration = .seconds(5)
    configuration.clock = clock
    try await InMemoryBroker.withBroker(configuration) { broker in
      let client = try TjenestebussClient(
        TjenestebussConfiguration(buses: [try TwoBuses.endpoint("azure", broker, host: "sb")]), routes: LaidDownRoutes())
      let runs = Shared(0)
      try await client.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await client.receive(from: [OwnQueue(name: "200_async", kind: .asynchronous)]) { _ in
              let run = runs.withLock { runs in
                runs += 1
                return runs
              }
              guard run == 1 else { return }
              // 2 times 4 s of a lock of 5 s.
              for renewal in 1...2 {
                clock.advance(by: .seconds(4))
                try await broker.waitUntil("renewal \(renewal)") { $0.counters.locksRenewed >= renewal }
              }
            }
          }
          try await TwoBuses.put(
            try Fixture.incoming(id: "m").amqpMessage(toQueue: "200_async", enqueued: .now), into: "200_async", of: broker)
          await client.wait { $0.counters.handled == 1 }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
      #expect(runs.withLock { $0 } == 1)
      let snapshot = try await broker.snapshot()
      #expect(snapshot.counters.locksLost == 0)
      #expect(snapshot.depth(of: "200_async") == 0)
    }
  }
}
