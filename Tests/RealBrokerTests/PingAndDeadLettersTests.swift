// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Foundation
import Testing

/// Queues that move on what expires or does not fit: a ping must leave nothing behind, and push nothing out.
@Suite("A ping and queues with dead letters or a limit", .timeLimit(.minutes(5)))
struct PingAndDeadLettersTests {
  private static let kinds = ["classic", "quorum"]
  private static let mark = "the message of somebody else"

  /// What lies on a queue, by the text of each body; all of it is put back.
  private func lying(on queue: String, of broker: RealBroker) async throws -> [String] {
    struct Message: Decodable { var payload: String }
    let data = try await broker.management(
      "POST", "/api/queues/%2F/\(queue)/get", ["count": 10, "ackmode": "ack_requeue_true", "encoding": "auto"])
    return try JSONDecoder().decode([Message].self, from: data).map(\.payload)
  }

  private func publish(_ text: String, to queue: String, of broker: RealBroker) async throws {
    try await broker.management(
      "POST", "/api/exchanges/%2F/amq.default/publish",
      ["properties": [:], "routing_key": queue, "payload": text, "payload_encoding": "string"])
  }

  private func waitUntil(_ what: String, _ isSo: () async throws -> Bool) async throws {
    for _ in 0..<120 {
      if try await isSo() { return }
      try await Task.sleep(for: .milliseconds(250))
    }
    Issue.record("never came: \(what)")
  }

  private static func brief(_ settings: inout ProbeSettings) { settings.timeToLive = .seconds(1) }

  @Test(
    "A ping that a listening system does not fetch expires, and lies among the dead letters for good", arguments: RealBroker.all)
  func notFetched(broker: RealBroker) async throws {
    for kind in Self.kinds {
      let (queue, dead) = try await broker.declareQueueWithDeadLetters(kind)
      let report = try await SeededFault.whileListening(queue, of: broker, credit: 0) {
        let report = try await FaultStage.climb(try FaultStage.real(broker), queue: queue, settings: Self.brief)
        try await self.waitUntil("the ping among the dead letters of a \(kind) queue") {
          try await self.lying(on: dead, of: broker) == ["TJENESTEBUSS_PING"]
        }
        return report
      }
      #expect(try await self.lying(on: queue, of: broker).isEmpty)
      // RabbitMQ 3.10 tells nothing of it without its management interface; RabbitMQ 4 says what will become of the ping, and by which id it is known.
      let arrival = try #require(report[.arrival])
      #expect(arrival.finding == (broker.dialect == .rabbitMQ3 ? .arrivalNotPossible : .arrivalGrowsDeadLetters))
      try await broker.deleteQueue(queue)
      try await broker.deleteQueue(dead)
    }
  }

  @Test("Nobody listens: no ping is sent, so that none is left among the dead letters", arguments: RealBroker.all)
  func nobodyListens(broker: RealBroker) async throws {
    for kind in Self.kinds {
      let (queue, dead) = try await broker.declareQueueWithDeadLetters(kind)
      let report = try await FaultStage.counted(broker) { counting in
        try await FaultStage.untilCounted(queue, messages: 0, of: broker, by: counting)
        return try await FaultStage.climb(
          try FaultStage.real(broker), queue: queue, counting: counting, settings: Self.brief)
      }
      #expect(report[.outcome]?.finding == .sendingWouldStay, "\(report.steps)")
      #expect(report.firstFailure?.finding == .arrivalNoConsumer)
      // It would be there by now, had it been sent: what is sent after its second has passed comes after it.
      try await Task.sleep(for: .seconds(2))
      try await self.publish(Self.mark, to: dead, of: broker)
      try await self.waitUntil("our own mark") { try await !self.lying(on: dead, of: broker).isEmpty }
      #expect(try await self.lying(on: dead, of: broker) == [Self.mark])
      try await broker.deleteQueue(queue)
      try await broker.deleteQueue(dead)
    }
  }

  @Test("By a policy too, where the management interface tells it", arguments: RealBroker.all)
  func byPolicy(broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let name = "policy-\(queue)"
    try await broker.management(
      "PUT", "/api/policies/%2F/\(name)",
      ["pattern": "^\(queue)$", "definition": ["dead-letter-exchange": "amq.fanout"], "apply-to": "queues", "priority": 9])
    let report = try await FaultStage.counted(broker) { counting in
      try await self.waitUntil("the policy") { await counting.read(queue).count?.settings?.deadLetterExchange == "amq.fanout" }
      try await FaultStage.untilCounted(queue, messages: 0, of: broker, by: counting)
      return try await FaultStage.climb(try FaultStage.real(broker), queue: queue, counting: counting, settings: Self.brief)
    }
    #expect(report[.outcome]?.seen(.en) == "no ping: nobody listens, and expired messages go on to exchange amq.fanout")
    try await broker.management("DELETE", "/api/policies/%2F/\(name)")
    try await broker.deleteQueue(queue)
  }

  @Test("A full queue that drops its oldest message keeps it: the ping is not sent", arguments: RealBroker.all)
  func dropsHead(broker: RealBroker) async throws {
    for kind in Self.kinds {
      let queue = try await broker.declareQueue(kind, arguments: ["x-max-length": 1, "x-overflow": "drop-head"])
      try await self.publish(Self.mark, to: queue, of: broker)
      let report = try await FaultStage.counted(broker) { counting in
        try await FaultStage.untilCounted(queue, messages: 1, of: broker, by: counting)
        return try await FaultStage.climb(
          try FaultStage.real(broker), queue: queue, counting: counting, settings: Self.brief)
      }
      #expect(report.firstFailure?.finding == .queueFullDrops, "\(report.steps)")
      #expect(try await self.lying(on: queue, of: broker) == [Self.mark])
      try await broker.deleteQueue(queue)
    }
  }
}
