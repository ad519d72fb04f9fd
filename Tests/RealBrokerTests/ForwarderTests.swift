// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Testing
import TjenestebussClient

@testable import Forwarding

@Suite("A forwarder between real brokers", .timeLimit(.minutes(2)))
struct ForwarderTests {
  /// RabbitMQ 3.10 and each RabbitMQ 4, with each kind of queue.
  private static let targets = RealBroker.fours.flatMap { broker in broker.queueKinds.map { (broker, $0) } }

  private func withJournal(_ body: (ForwardingJournal) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("forward-\(UUID().uuidString)").path
    defer { for suffix in ["", ".lock", ".new"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
    let journal = try await ForwardingJournal.open(at: path)
    do {
      try await body(journal)
      await journal.close()
    } catch {
      await journal.close()
      throw error
    }
  }

  private func forwarder(
    from source: (RealBroker, String), to target: (RealBroker, String), _ journal: ForwardingJournal,
    virtualHost: String? = nil, _ change: (inout ForwardingRules) -> Void = { _ in }
  ) throws -> Forwarder {
    var rules = ForwardingRules()
    rules.mode = .fast
    change(&rules)
    return Forwarder(
      source: try ClientBuses.endpoint(source.0), sourceQueue: source.1,
      target: try ClientBuses.endpoint(target.0, virtualHost: virtualHost), targetQueue: target.1, rules: rules, journal: journal)
  }

  private func message(
    _ number: Int, size: Int = 100, _ change: (inout AMQPMessage) -> Void = { _ in }
  ) -> AMQPMessage {
    var message = AMQPMessage(
      header: AMQPHeader(durable: true),
      properties: AMQPProperties(
        messageID: .string("m-\(number)"), to: "200_async", subject: "DIALOG_INNBYGGER_EKONTAKT", replyTo: "100_async",
        contentType: "text/plain"),
      applicationProperties: ["fromHerId": .string("\(number % 3)"), "toHerId": "200"],
      body: .data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }))
    change(&message)
    return message
  }

  private func fill(_ broker: RealBroker, _ queue: String, _ messages: [AMQPMessage]) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        for message in messages {
          let outcome = try await sender.send(message, checks: .none)
          #expect(outcome == .accepted)
        }
      }
    }
  }

  private func take(
    _ count: Int, from broker: RealBroker, _ queue: String, as disposition: AMQPDisposition = .accepted
  ) async throws -> [AMQPDelivery] {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: count)
      let deliveries = try await receiver.next(count)
      receiver.leave()
      try receiver.settle(deliveries, as: disposition)
      await receiver.close()
      return deliveries
    }
  }

  private func bare(_ delivery: AMQPDelivery) -> [UInt8] {
    Array(delivery.payload[StrandedMessage(delivery.payload).bareStart...])
  }

  @Test("every bare message arrives byte for byte as the source link gave it, in order, there and back", arguments: targets)
  func bytes(_ target: RealBroker, _ kind: String) async throws {
    let source = RealBroker.rabbitMQ3
    let queues = (try await source.declareQueue(kind), try await target.declareQueue(kind))
    try await self.fill(
      source, queues.0,
      (0..<120).map { number in
        self.message(number, size: number % 40 == 7 ? 300_000 : 1 + number * 13) {
          // The source takes the user-id of the one who sends, and no other.
          if number % 5 == 0 { $0.properties.userID = Array("app".utf8) }
          // One for all: quorum queues of RabbitMQ 4.0 hand out those above 4 first, of 4.3 each before the lower ones.
          $0.header?.priority = 3
        }
      })
    let seen = try await self.take(120, from: source, queues.0, as: .released)
    try await self.withJournal { journal in
      let report = try await self.forwarder(from: (source, queues.0), to: (target, queues.1), journal)
        .run(untilIdleFor: .seconds(6))
      #expect(report.ending == .idle)
      #expect(report.counts.accepted == 120)
      #expect(report.counts.settledAgain == 0)
      #expect(journal.possibleDuplicates().isEmpty)
      let got = try await self.take(120, from: target, queues.1, as: .released)
      for (one, other) in zip(seen, got) {
        var wanted = one.payload
        let scanned = StrandedMessage(wanted)
        if let place = scanned.userID { wanted = ForwardedForm.withoutUserID(wanted, place) }
        // Not compared within the expectation: to show where 300 kB differ takes it minutes.
        let isSame = Array(wanted[scanned.bareStart...]) == self.bare(other)
        #expect(isSame)
        #expect(try other.message().header?.durable == true)
        #expect(try other.message().header?.priority == (try one.message().header?.priority))
        #expect(try other.message().properties.userID == nil)
      }
      // And back again, for a roll-back.
      let back = try await self.forwarder(from: (target, queues.1), to: (source, queues.0), journal).run(
        untilIdleFor: .seconds(6))
      #expect(back.counts.accepted == 120)
      let again = try await self.take(120, from: source, queues.0)
      #expect(try again.map { try $0.messageID() } == (0..<120).map { "m-\($0)" })
      let haveSameBodies = try again.map { try $0.message().body } == seen.map { try $0.message().body }
      #expect(haveSameBodies)
    }
  }

  @Test("the time to live is what is left of it; what has expired stays", arguments: RealBroker.fours)
  func timeToLive(_ target: RealBroker) async throws {
    let source = RealBroker.rabbitMQ3
    let queues = (try await source.declareQueue(), try await target.declareQueue())
    let format = ISO8601DateFormatter()
    func enqueued(_ ago: Double) -> AMQPValue {
      .string(String(format.string(from: Date(timeIntervalSinceNow: -ago)).dropLast()))
    }
    try await self.fill(
      source, queues.0,
      [
        self.message(0) {
          $0.header?.timeToLive = 600_000
          $0.applicationProperties["enqueuedTimeUtc"] = enqueued(300)
        },
        self.message(1) {
          $0.header?.timeToLive = 600_000
          $0.applicationProperties["enqueuedTimeUtc"] = enqueued(900)
        },
        self.message(2) { $0.header?.timeToLive = 600_000 },
      ])
    try await self.withJournal { journal in
      let forwarder = try self.forwarder(from: (source, queues.0), to: (target, queues.1), journal)
      let report = try await forwarder.run(untilIdleFor: .seconds(6))
      #expect(report.counts.accepted == 1)
      #expect(report.setAside.map { "\($0.messageID) \($0.reason)" }.sorted() == ["m-1 expired", "m-2 unknownAge"])
      let got = try await self.take(1, from: target, queues.1)
      let left = try #require(try got[0].message().header?.timeToLive)
      #expect(left <= 301_000 && left > 200_000)
      #expect(try await self.take(2, from: source, queues.0).map { try $0.messageID() } == ["m-1", "m-2"])
    }
  }

  @Test("a full target queue: the queue stops, nothing is lost, and the rest goes when there is room", arguments: targets)
  func full(_ target: RealBroker, _ kind: String) async throws {
    let source = RealBroker.rabbitMQ3
    let queues = (
      try await source.declareQueue(kind),
      try await target.declareQueue(kind, arguments: ["x-max-length": 10, "x-overflow": "reject-publish"])
    )
    try await self.fill(source, queues.0, (0..<40).map { self.message($0) })
    try await self.withJournal { journal in
      let report = try await self.forwarder(from: (source, queues.0), to: (target, queues.1), journal) { $0.mode = .strict }
        .run(untilIdleFor: .seconds(6))
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect(error.code == .notAccepted)
      #expect(report.setAside.isEmpty)
      let accepted = report.counts.accepted
      #expect(accepted >= 10 && accepted < 40)
      let first = try await self.take(accepted, from: target, queues.1)
      try await target.deleteQueue(queues.1)
      let wider = try await target.declareQueue(kind)
      let rest = try await self.forwarder(from: (source, queues.0), to: (target, wider), journal).run(untilIdleFor: .seconds(6))
      #expect(rest.counts.accepted == 40 - accepted)
      let second = try await self.take(40 - accepted, from: target, wider)
      #expect(try (first + second).map { try $0.messageID() } == (0..<40).map { "m-\($0)" })
    }
  }

  @Test("a target queue that is not there: nothing is taken", arguments: RealBroker.all)
  func missing(_ target: RealBroker) async throws {
    let source = target.dialect == .rabbitMQ3 ? RealBroker.rabbitMQ4 : .rabbitMQ3
    let queue = try await source.declareQueue()
    try await self.fill(source, queue, [self.message(0)])
    try await self.withJournal { journal in
      let report = try await self.forwarder(from: (source, queue), to: (target, "absent-\(UUID().uuidString)"), journal)
        .run(untilIdleFor: .seconds(6))
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect(error.code == .targetUnavailable)
      #expect(error.cause?.code == .notFound)
      #expect(report.counts.received == 0)
      #expect(try await self.take(1, from: source, queue).count == 1)
    }
  }

  @Test(
    "a message that was given back nearly as often as a quorum queue of RabbitMQ 4.0 allows: the queue stops, and stays stopped")
  func deliveryLimit() async throws {
    let source = RealBroker.rabbitMQ4
    let target = RealBroker.rabbitMQ3
    let queues = (try await source.declareQueue("quorum"), try await target.declareQueue())
    try await self.fill(source, queues.0, [self.message(0)])
    for _ in 0..<17 { _ = try await self.take(1, from: source, queues.0, as: .released) }
    try await self.withJournal { journal in
      let forwarder = try self.forwarder(from: (source, queues.0), to: (target, queues.1), journal)
      let report = try await forwarder.run(untilIdleFor: .seconds(6))
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect(error.code == .nearDeliveryLimit)
      let refused = await #expect(throws: ForwardingError.self) { _ = try await forwarder.run() }
      #expect(refused?.code == .nearDeliveryLimit)
      let retried = try await self.forwarder(from: (source, queues.0), to: (target, queues.1), journal) {
        $0.retriesSetAside = true
      }
      .run(untilIdleFor: .seconds(6))
      #expect(retried.counts.accepted == 1)
    }
  }

  @Test(
    "RabbitMQ 3 says accepted for a queue that was deleted: nothing is settled for it, and all of it goes once the queue is there",
    arguments: ["classic", "quorum"])
  func deleted(_ kind: String) async throws {
    let broker = RealBroker.rabbitMQ3
    let queues = (try await broker.declareQueue(kind), try await broker.declareQueue(kind))
    try await self.fill(broker, queues.0, (0..<300).map { self.message($0) })
    try await self.withJournal { journal in
      let forwarder = try self.forwarder(from: (broker, queues.0), to: (broker, queues.1), journal) {
        $0.window = 40
        $0.rate = 200
      }
      let progress = forwarder.progress
      async let run = forwarder.run(untilIdleFor: .seconds(6))
      for await counts in progress where counts.accepted >= 50 { break }
      forwarder.pause()
      // Nothing is told of a forwarder in which nothing happens any more.
      while forwarder.counts.onTheirWay > 0 { try await Task.sleep(for: .milliseconds(20)) }
      let before = forwarder.counts.accepted
      try await broker.deleteQueue(queues.1)
      forwarder.resume()
      let report = try await run
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect([.targetUnsafe, .targetUnavailable].contains(error.code), "\(error)")
      #expect(report.counts.settled == before)
      // Declared anew: what was in the old one is gone with it, and all the rest comes.
      try await broker.management(
        "PUT", "/api/queues/%2F/\(queues.1)", ["durable": true, "arguments": ["x-queue-type": kind]])
      let second = try await self.forwarder(from: (broker, queues.0), to: (broker, queues.1), journal).run(
        untilIdleFor: .seconds(6))
      #expect(second.ending == .idle)
      #expect(second.counts.accepted == 300 - before)
      let got = try await self.take(300 - before, from: broker, queues.1)
      #expect(try got.map { try $0.messageID() } == (before..<300).map { "m-\($0)" })
    }
  }

  @Test("connections of the target cut in mid-stream: nothing is lost, and every double one is listed", arguments: targets)
  func cut(_ target: RealBroker, _ kind: String) async throws {
    let source = RealBroker.rabbitMQ3
    try await target.withVirtualHost { virtualHost in
      let queue = try await target.declareQueue(kind, virtualHost: virtualHost)
      let from = try await source.declareQueue(kind)
      try await self.fill(source, from, (0..<400).map { self.message($0) })
      try await self.withJournal { journal in
        let forwarder = try self.forwarder(from: (source, from), to: (target, queue), journal, virtualHost: virtualHost) {
          $0.window = 40
          $0.rate = 200
        }
        let progress = forwarder.progress
        async let run = forwarder.run(untilIdleFor: .seconds(6))
        for await counts in progress where counts.accepted >= 100 { break }
        try await target.control("close_all_connections", "--vhost", virtualHost, "test")
        let report = try await run
        #expect(report.ending == .idle)
        var configuration = try target.configuration()
        configuration.virtualHost = "vhost:\(virtualHost)"
        let expected = report.counts.accepted
        #expect(expected == 400)
        let ids = try await AMQPConnection.withConnection(configuration) { connection in
          let receiver = try await connection.openReceiver(from: target.receiving(from: queue), credit: 1_000)
          var ids: [String] = []
          while Set(ids).count < 400, let batch = try await receiver.nextBatch() {
            for delivery in batch { ids.append(try delivery.messageID()) }
          }
          return ids
        }
        let listed = Set(journal.possibleDuplicates().map(\.messageID))
        for (id, times) in Dictionary(grouping: ids, by: { $0 }) where times.count > 1 { #expect(listed.contains(id)) }
        var firsts: [String] = []
        for id in ids where !firsts.contains(id) { firsts.append(id) }
        #expect(firsts == (0..<400).map { "m-\($0)" })
      }
    }
  }
}
