// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// These wait, and so are not played one after the other. `make prove` has them wait for five minutes on real brokers.
@Suite("A handler that blocks costs no heartbeat", .timeLimit(.minutes(10)))
struct BlockingHandlerTests {
  /// Longer than both sides wait for a sign of life. RabbitMQ 4 gives a silent client up after 180 s.
  private static let real: Duration = .seconds(
    ProcessInfo.processInfo.environment["TJENESTEBUSS_BLOCKING_SECONDS"].flatMap(Int.init) ?? 14)

  @Test("on real brokers", arguments: RealBroker.proven)
  func real(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    var configuration = try broker.configuration()
    configuration.idleTimeout = .seconds(6)
    try await self.block(
      for: Self.real, configuration, sendingTo: broker.sending(to: queue), receivingFrom: broker.receiving(from: queue))
  }

  @Test("on a broker that gives a silent client up after 6 s")
  func inMemory() async throws {
    try await InMemoryBroker.withBroker(
      .init(dialect: .rabbitMQ4AddressV2, queues: ["q"], idleTimeout: .seconds(3))
    ) { broker in
      var configuration = try broker.clientConfiguration()
      configuration.idleTimeout = .seconds(6)
      try await self.block(
        for: .seconds(14), configuration, sendingTo: broker.sendingAddress("q"), receivingFrom: broker.receivingAddress("q"))
    }
  }

  /// Everything of the client that is Swift code runs on one thread, and the handler blocks that. What keeps the connections alive
  /// must be elsewhere.
  private func block(
    for duration: Duration, _ configuration: AMQPConnectionConfiguration, sendingTo target: String, receivingFrom source: String
  ) async throws {
    try await withTaskExecutorPreference(OneThread()) {
      try await AMQPClient(configuration).withClient { client in
        let handled = Counter()
        let epochs = NIOLockedValueBox<[AMQPEpoch]>([])
        let counts = try await withThrowingTaskGroup(of: AMQPProcessCounts?.self) { group in
          group.addTask {
            try await client.process(from: source) { delivery in
              epochs.withLockedValue { $0.append(delivery.epoch) }
              if try delivery.messageID() == "m-0" { OneThread.block(for: duration) }
              handled.add()
            }
          }
          let first = try await client.send(.numbered(0), to: target)
          #expect(first == .accepted)
          try await handled.wait(for: 1)
          // Neither side has given the other up: all is as it was, and goes on.
          for state in client.status {
            #expect(state.phase == .open && state.cause == nil, "\(state.sentence)")
          }
          let second = try await client.send(.numbered(1), to: target)
          #expect(second == .accepted)
          try await handled.wait(for: 2)
          await client.shutdown()
          return try await group.next() ?? nil
        }
        #expect(counts?.accepted == 2)
        #expect(counts?.settlementsLost == 0)
        // The same link all the time.
        #expect(Set(epochs.withLockedValue { $0 }).count == 1)
      }
    }
  }
}
