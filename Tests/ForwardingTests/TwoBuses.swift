// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import Forwarding

/// Two brokers in memory, a journal in a folder of its own, and a queue `q` on both.
struct TwoBuses: Sendable {
  let source: InMemoryBroker
  let target: InMemoryBroker
  let folder: String

  var journalPath: String { "\(self.folder)/journal" }

  static func with(
    from source: Dialect = .rabbitMQ3, to target: Dialect = .rabbitMQ4AddressV2, sourceQueue: BrokerQueue = "q",
    targetQueue: BrokerQueue = "q", maximumSize: UInt64? = nil, sourceProduct: BrokerProduct? = nil,
    targetProduct: BrokerProduct? = nil, _ body: (TwoBuses) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("forward-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // Who may impersonate may send a user-id that is not its own: the source's senders did.
    let user = BrokerUser("guest", password: Secret("guest"), mayImpersonate: true)
    try await InMemoryBroker.withBroker(
      .init(
        dialect: source, path: source == .serviceBusWindowsServer ? "NHN" : "", users: [user], queues: [sourceQueue],
        product: sourceProduct)
    ) { source in
      try await InMemoryBroker.withBroker(
        .init(
          dialect: target, path: target == .serviceBusWindowsServer ? "NHN" : "", queues: [targetQueue],
          maximumMessageSize: maximumSize, product: targetProduct)
      ) { target in
        try await body(TwoBuses(source: source, target: target, folder: folder))
      }
    }
  }

  static func endpoint(_ broker: InMemoryBroker, _ name: BusName) throws -> BusEndpoint {
    let path = broker.configuration.path
    let port: Int = try #require(broker.port)
    return BusEndpoint(
      bus: Bus(name: name, dialect: broker.configuration.dialect, hosts: [name.text], path: path),
      connection: BusConnectionString(
        host: "127.0.0.1", port: port, encrypted: false, user: "guest", password: Secret("guest"),
        path: path))
  }

  func forwarder(_ rules: ForwardingRules = .fast, journal: ForwardingJournal, stopLimit: Duration = .seconds(20)) throws
    -> Forwarder
  {
    Forwarder(
      source: try Self.endpoint(self.source, "old"), sourceQueue: "q", target: try Self.endpoint(self.target, "new"),
      targetQueue: "q", rules: rules, journal: journal, stopLimit: stopLimit)
  }

  /// Runs a forwarder until nothing has come for a while.
  func carry(_ rules: ForwardingRules = .fast) async throws -> ForwardingReport {
    let journal = try await ForwardingJournal.open(at: self.journalPath)
    do {
      let report = try await self.forwarder(rules, journal: journal).run(untilIdleFor: .seconds(3))
      await journal.close()
      return report
    } catch {
      await journal.close()
      throw error
    }
  }

  func fill(_ messages: [AMQPMessage]) async throws {
    try await AMQPConnection.withConnection(try self.source.clientConfiguration()) { connection in
      try await connection.withSender(to: self.source.sendingAddress("q")) { sender in
        for message in messages {
          let outcome = try await sender.send(message, checks: .none)
          #expect(outcome == .accepted)
        }
      }
    }
  }

  /// Takes `count` messages from a broker's queue, and settles them.
  static func take(_ count: Int, from broker: InMemoryBroker, settle: Bool = true) async throws -> [AMQPDelivery] {
    try await AMQPConnection.withConnection(try broker.clientConfiguration(containerID: "taker")) { connection in
      try await connection.withReceiver(from: broker.receivingAddress("q"), credit: max(1, count)) { receiver in
        var all: [AMQPDelivery] = []
        while all.count < count, let batch = try await receiver.nextBatch() { all += batch }
        if settle { try receiver.settle(all, as: .accepted) }
        return all
      }
    }
  }

  /// The bare message of a delivery.
  static func bare(_ delivery: AMQPDelivery) -> [UInt8] {
    Array(delivery.payload[StrandedMessage(delivery.payload).bareStart...])
  }
}

extension ForwardingRules {
  static var fast: ForwardingRules {
    var rules = ForwardingRules()
    rules.mode = .fast
    return rules
  }
}

extension AMQPMessage {
  static func health(
    _ id: String, from sender: String = "100", body: [UInt8] = [1, 2, 3], timeToLive: UInt32? = nil,
    _ change: (inout AMQPMessage) -> Void = { _ in }
  ) -> AMQPMessage {
    var message = AMQPMessage(
      header: AMQPHeader(durable: true, timeToLive: timeToLive),
      properties: AMQPProperties(messageID: .string(id), to: "q", subject: "APPREC", contentType: "text/plain"),
      applicationProperties: ["fromHerId": .string(sender), "toHerId": "200"], body: .data(body))
    change(&message)
    return message
  }
}
