// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// Renews as it is told to, and tells how often it did. Before each, the broker's clock goes on by most of a lock.
private struct CountedRenewal: AMQPLockRenewing {
  let renewal: AMQPServiceBusLockRenewal
  let clock: VirtualClock
  let renewals = AsyncStream<Duration>.makeStream()

  func lockDuration(of delivery: AMQPDelivery) -> Duration? { self.renewal.lockDuration(of: delivery) }

  func renew(_ delivery: AMQPDelivery) async throws -> Duration {
    self.clock.advance(by: .seconds(4))
    let duration = try await self.renewal.renew(delivery)
    self.renewals.continuation.yield(duration)
    return duration
  }
}

@Suite("Locks of Azure Service Bus")
struct LockRenewalTests {
  private func withClient(
    lockDuration: Duration, clock: any BrokerClock = SystemBrokerClock(),
    _ body: @Sendable @escaping (InMemoryBroker, AMQPClient) async throws -> Void
  ) async throws {
    var configuration = InMemoryBroker.Configuration(dialect: .azureServiceBus, queues: ["q"])
    configuration.lockDuration = lockDuration
    configuration.clock = clock
    try await InMemoryBroker.withBroker(configuration) { broker in
      let client = AMQPClient(AMQPClientConfiguration(try broker.clientConfiguration()))
      try await client.withClient { client in try await body(broker, client) }
    }
  }

  @Test("a handler longer than the lock: the lock is renewed, and nobody else gets the message meanwhile")
  func renewed() async throws {
    // No lock ends because this machine is busy: what a lock lasts is counted in renewals.
    let clock = VirtualClock(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    try await self.withClient(lockDuration: .seconds(5), clock: clock) { broker, client in
      #expect(try await client.send(.test("m"), to: "q") == .accepted)
      let renewal = CountedRenewal(
        renewal: AMQPServiceBusLockRenewal(client, longestTrust: .milliseconds(600)), clock: clock)
      let runs = NIOLockedValueBox(0)
      let done = AsyncStream<Void>.makeStream()
      let processing = Task {
        try await client.process(from: "q", policy: AMQPProcessPolicy(lockRenewal: renewal)) { _ in
          runs.withLockedValue { $0 += 1 }
          // 14 times 4 s: longer than the lock is.
          var seen = 0
          for await _ in renewal.renewals.stream {
            seen += 1
            if seen == 14 { break }
          }
          done.continuation.yield()
        }
      }
      for await _ in done.stream { break }
      try await broker.waitUntil { $0.queues["q"]?.depth == 0 }
      processing.cancel()
      let counts = try await processing.value
      #expect(counts.accepted == 1)
      #expect(runs.withLockedValue { $0 } == 1)
    }
  }

  @Test("the bus says that the lock is lost: the handler is cancelled, and nothing it did counts")
  func handlerCancelled() async throws {
    struct Lost: AMQPLockRenewing {
      private let asked = NIOLockedValueBox(false)
      /// Only the first delivery is locked for a time.
      func lockDuration(of delivery: AMQPDelivery) -> Duration? {
        self.asked.withLockedValue { asked in
          defer { asked = true }
          return asked ? nil : .milliseconds(30)
        }
      }
      func renew(_ delivery: AMQPDelivery) async throws -> Duration {
        throw AMQPError(.requestRefused, .delivery, .remote, tried: "renew", seen: "status 410")
      }
    }
    try await self.withClient(lockDuration: .seconds(60)) { broker, client in
      #expect(try await client.send(.test("m"), to: "q") == .accepted)
      let runs = NIOLockedValueBox(0)
      let counts = try await withThrowingTaskGroup(of: AMQPProcessCounts.self) { group in
        group.addTask {
          try await client.process(from: "q", policy: AMQPProcessPolicy(retryDelay: .zero, lockRenewal: Lost())) { _ in
            let run = runs.withLockedValue { runs in
              runs += 1
              return runs
            }
            if run == 1 { try await Task.sleep(for: .seconds(600)) }
          }
        }
        try await broker.waitUntil { $0.queues["q"]?.depth == 0 }
        group.cancelAll()
        return try #require(try await group.next())
      }
      #expect(runs.withLockedValue { $0 } == 2)
      #expect(counts.accepted == 1)
    }
  }

  @Test("a lock that is lost cannot be renewed: said in the bus's word")
  func lost() async throws {
    try await self.withClient(lockDuration: .seconds(60)) { broker, client in
      #expect(try await client.send(.test("m"), to: "q") == .accepted)
      let renewal = AMQPServiceBusLockRenewal(client)
      try await client.withReceiver(from: "q") { deliveries in
        for try await delivery in deliveries {
          #expect(delivery.tag.count == 16)
          let duration = try #require(renewal.lockDuration(of: delivery))
          #expect(duration <= .seconds(30) && duration >= .seconds(3))
          #expect(try await renewal.renew(delivery) == .seconds(30))
          try delivery.accept()
          try await broker.waitUntil { $0.queues["q"]?.depth == 0 }
          let error = await #expect(throws: AMQPError.self) { _ = try await renewal.renew(delivery) }
          #expect(error?.code == .requestRefused)
          #expect(error?.condition?.name == "com.microsoft:message-lock-lost")
          break
        }
      }
    }
  }
}
