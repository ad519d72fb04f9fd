// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

/// Kills brokers: played only where TJENESTEBUSS_OWN_BROKERS says that nobody else uses them (`make prove`).
@Suite("A client whose broker is killed and comes again", .serialized, .timeLimit(.minutes(10)))
struct OwnBrokerClientTests {
  private static let brokers = ProcessInfo.processInfo.environment["TJENESTEBUSS_OWN_BROKERS"] == nil ? [] : RealBroker.proven

  @Test("what was accepted is there, sending and receiving go on by themselves, and every duplicate is explained")
  func killed() async throws {
    for broker in Self.brokers {
      let balance = try await self.killed(broker)
      #expect(balance.faults == [], "\(broker.name): \(balance)")
      #expect(balance.accepted == 300 && balance.received == 300, "\(broker.name): \(balance)")
      print("own broker | killed under a client, \(broker.name) | \(balance)")
    }
  }

  private func killed(_ broker: RealBroker) async throws -> DeliveryLedger.Balance {
    let queue = try await broker.declareQueue("quorum")
    // A queue's registration is on disk some time after it was declared: killed earlier, RabbitMQ loses it with all that is in it.
    try await Task.sleep(for: .seconds(5))
    let ledger = NIOLockedValueBox(DeliveryLedger())
    let links = NIOLockedValueBox<[AMQPEpoch: Int]>([:])
    let allReceived = OneShot<Void>()
    let client = AMQPClient(
      try broker.configuration(),
      recovery: AMQPRecoveryPolicy(AMQPBackOff(initial: .milliseconds(50), maximum: .seconds(1))))
    try await client.withClient { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.withReceiver(from: broker.receiving(from: queue), credit: 20) { deliveries in
            for try await delivery in deliveries {
              let id = try delivery.messageID()
              let link = links.withLockedValue { links in
                let number = links[delivery.epoch] ?? links.count
                links[delivery.epoch] = number
                return number
              }
              ledger.withLockedValue { $0.received(id, on: link) }
              if (try? delivery.accept()) != nil { ledger.withLockedValue { $0.settled(id, on: link) } }
              if ledger.withLockedValue({ $0.received.count == 300 }) { allReceived.fulfil(()) }
            }
          }
        }
        for number in 0..<300 {
          if number == 100 {
            group.addTask {
              try await broker.node("kill")
              try await broker.node("start")
            }
          }
          var isAccepted = false
          while !isAccepted {
            let outcome: DeliveryLedger.SendOutcome
            do throws(AMQPError) {
              let sent = try await client.send(.numbered(number), to: broker.sending(to: queue), within: .seconds(60))
              isAccepted = sent == .accepted
              outcome = isAccepted ? .accepted : sent == .released ? .released : .unknown
            } catch {
              #expect(error.isRetriable, "\(error)")
              outcome = .notSent
            }
            ledger.withLockedValue { $0.sent("m-\(number)", outcome) }
          }
        }
        try await allReceived.wait()
        await client.shutdown()
        try await group.waitForAll()
      }
    }
    return ledger.withLockedValue { $0.balance(window: 20) }
  }
}
