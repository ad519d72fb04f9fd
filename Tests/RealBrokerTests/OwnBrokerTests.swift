// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing

/// What hurts whoever else uses a broker: played by `make prove` alone, on brokers that it has started for this.
@Suite("Brokers that are stopped, killed and in alarm", .serialized, .timeLimit(.minutes(15)))
struct OwnBrokerTests {
  /// What a sender was told, and what a handler got.
  private struct Ledger: Sendable {
    var accepted: Set<String> = []
    var unknown: Set<String> = []
    var notSent = 0
    var handled: [String] = []
  }

  /// Each broker in a task of its own.
  private func onEach(_ brokers: [RealBroker], _ body: @escaping @Sendable (RealBroker) async throws -> Void) async throws {
    guard RealBroker.areOurs else { return }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for broker in brokers { group.addTask { try await body(broker) } }
      try await group.waitForAll()
    }
  }

  private func client(_ broker: RealBroker) throws -> AMQPClient {
    var configuration = AMQPClientConfiguration(try broker.configuration())
    configuration.recovery.connection = AMQPBackOff(initial: .milliseconds(100), maximum: .seconds(1))
    configuration.recovery.attemptsPerMinute = 200
    return AMQPClient(configuration)
  }

  @Test("under a client that sends and receives the broker is stopped, and killed: it comes back, and what was accepted comes")
  func comesBack() async throws {
    try await self.onEach(RealBroker.proven) { broker in
      for end in [RealBroker.NodeVerb.stop, .kill] { try await self.survive(end, of: broker) }
    }
  }

  private func survive(_ end: RealBroker.NodeVerb, of broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let ledger = NIOLockedValueBox(Ledger())
    let wasAccepted = Counter()
    try await self.client(broker).withClient { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.process(from: broker.receiving(from: queue)) { delivery in
            let id = try delivery.messageID()
            ledger.withLockedValue { $0.handled.append(id) }
          }
        }
        group.addTask {
          var number = 0
          while !Task.isCancelled {
            number += 1
            do throws(AMQPError) {
              switch try await client.send(.numbered(number), to: broker.sending(to: queue), within: .seconds(60)) {
              case .accepted:
                ledger.withLockedValue { _ = $0.accepted.insert("m-\(number)") }
                wasAccepted.add()
              case .unknown: ledger.withLockedValue { _ = $0.unknown.insert("m-\(number)") }
              case let outcome: Issue.record("\(broker.name): \(outcome)")
              }
            } catch {
              ledger.withLockedValue { $0.notSent += 1 }
            }
          }
        }
        try await wasAccepted.wait(for: 20)
        // A queue declared a moment before RabbitMQ is killed is not on its disk yet, and gone with what it holds (docs/dialects.md).
        if end == .kill { try await Task.sleep(for: .seconds(5)) }
        try await broker.node(end)
        let before = wasAccepted.value
        try await broker.node(.start)
        // It sends again, on its own.
        try await wasAccepted.wait(for: before + 20)
        group.cancelAll()
        try await group.waitForAll()
      }
      // What is left in the queue.
      try await client.withReceiver(from: broker.receiving(from: queue)) { deliveries in
        while !ledger.withLockedValue({ $0.accepted.subtracting($0.handled).isEmpty }) {
          for delivery in try await deliveries.nextBatch() ?? [] {
            let id = try delivery.messageID()
            ledger.withLockedValue { $0.handled.append(id) }
            try? delivery.accept()
          }
        }
      }
    }
    let now = ledger.withLockedValue { $0 }
    #expect(now.accepted.isSubset(of: now.handled), "\(broker.name): accepted and lost")
    // In flight at the end, one at most at a time; not sent, never handled.
    #expect(Set(now.handled).isSubset(of: now.accepted.union(now.unknown)), "\(broker.name): handled, and said not to be sent")
    print(
      "own broker | \(broker.name) | \(end.rawValue) and start | \(now.accepted.count) accepted, \(now.unknown.count) unknown, "
        + "\(now.notSent) not sent, \(now.handled.count) handled, 0 lost")
  }

  @Test(
    "memory alarm: a send held up by it ends at its deadline and not as accepted, receiving goes on, and so does sending when it is over"
  )
  func alarm() async throws {
    try await self.onEach(RealBroker.all) { broker in
      let queue = try await broker.declareQueue()
      let target = broker.sending(to: queue)
      try await self.client(broker).withClient { client in
        for number in 0..<2 {
          let outcome = try await client.send(.numbered(number), to: target)
          #expect(outcome == .accepted)
        }
        try await broker.setMemoryAlarm(true)
        let sends = await self.sends(100..<110, to: target, client)
        let received = try await client.withReceiver(from: broker.receiving(from: queue), credit: 1) { deliveries in
          var ids: [String] = []
          for try await delivery in deliveries {
            ids.append(try delivery.messageID())
            try delivery.accept()
            if ids.count == 2 { break }
          }
          return ids
        }
        #expect(received == ["m-0", "m-1"], "\(broker.name): receiving stopped")
        let reason = await client.diagnose()
        try await broker.setMemoryAlarm(false)
        let after = try await client.send(.numbered(2), to: target, within: .seconds(60))
        #expect(after == .accepted)
        let held = sends.filter { $0 != "accepted" }
        // RabbitMQ 3.10 goes on taking messages over AMQP 1.0.
        #expect(broker.dialect == .rabbitMQ3 || !held.isEmpty, "\(broker.name): the alarm held nothing up: \(sends)")
        print("own broker | \(broker.name) | memory alarm | sends: \(sends.joined(separator: ", ")) | \(reason.sentence)")
      }
    }
  }

  /// How sends ended, one after the other, each with two seconds.
  private func sends(_ numbers: Range<Int>, to target: String, _ client: AMQPClient) async -> [String] {
    var endings: [String] = []
    for number in numbers where endings.count(where: { $0 != "accepted" }) < 2 {
      do throws(AMQPError) {
        switch try await client.send(.numbered(number), to: target, within: .seconds(2)) {
        case .accepted: endings.append("accepted")
        case .unknown(let why): endings.append("unknown \(why)")
        case let outcome: endings.append("\(outcome)")
        }
      } catch {
        endings.append(error.stableCode)
      }
    }
    return endings
  }
}
