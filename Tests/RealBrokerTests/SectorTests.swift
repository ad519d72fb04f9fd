// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Foundation
import Synchronization
import Testing
import TjenestebussClient

/// The sector's rules between two parties of which one may be on RabbitMQ 3.10 and the other on RabbitMQ 4.
@Suite("TjenestebussClient against real brokers: the sector's rules", .serialized, .timeLimit(.minutes(3)))
struct SectorTests {
  /// Two parties whose queues exist on both brokers under names of this test's own.
  private struct Stage {
    let name = "sector_\(UUID().uuidString.prefix(8).lowercased())"
    let routes = KindRoutes()
    let me: HerID
    let partner: HerID
    let target: RealBroker

    init(target: RealBroker = .rabbitMQ4) throws {
      self.target = target
      self.me = try HerID(text: "200")
      self.partner = try HerID(text: "100")
    }

    func queue(_ herID: HerID, _ kind: QueueKind) -> String { "\(self.name)_\(herID)_\(kind.rawValue)" }

    private var queues: [String] {
      [self.me, self.partner].flatMap { herID in QueueKind.allCases.map { self.queue(herID, $0) } }
    }

    /// All queues on both brokers, both parties on `bus`; deleted again afterwards.
    func with(partnerOn partner: BusName, meOn own: BusName, _ body: () async throws -> Void) async throws {
      for broker in RealBroker.all {
        for queue in self.queues {
          try await broker.management("PUT", "/api/queues/%2F/\(queue)", ["durable": true, "arguments": [String: Any]()])
        }
      }
      for kind in QueueKind.inRegister {
        self.lay(self.partner, kind, on: partner)
        self.lay(self.me, kind, on: own)
      }
      do { try await body() } catch {
        await self.delete()
        throw error
      }
      await self.delete()
    }

    private func delete() async {
      for broker in RealBroker.all {
        for queue in self.queues { _ = try? await broker.management("DELETE", "/api/queues/%2F/\(queue)") }
      }
    }

    func lay(_ herID: HerID, _ kind: QueueKind, on bus: BusName) {
      let host = bus == ClientBuses.source ? "sb.test" : "tb.test"
      self.routes.lay(herID, kind, QueueAddress(host: host, path: "NHN", queue: self.queue(herID, kind)))
    }

    func client(_ herID: HerID, replyQueue: Bool = false) throws -> TjenestebussClient {
      var configuration = try ClientBuses.configuration(target: self.target)
      configuration.serve = ServeConfiguration(
        herIDs: [herID], replyQueue: replyQueue ? self.queue(herID, .synchronousReply) : nil)
      return try TjenestebussClient(configuration, routes: self.routes)
    }

    /// From the partner to us.
    func incoming(_ id: String) -> HealthMessage {
      HealthMessage(
        messageID: id, from: self.partner, to: self.me, subject: "DIALOG_INNBYGGER_EKONTAKT", timestamp: .now, body: [1])
    }
  }

  /// Puts a message into a queue as another system would.
  private func put(_ message: AMQPMessage, into queue: String, of broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await connection.withSender(to: broker.sending(to: queue)) { sender in
        let outcome = try await sender.send(message)
        #expect(outcome == .accepted)
      }
    }
  }

  private func whileServing(
    _ client: TjenestebussClient, _ handlers: MessageHandlers, _ body: @Sendable () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await client.serve(handlers) }
      await client.wait { $0.receivers.count { $0.kind != .synchronousReply && $0.state == .receiving } == 6 }
      try await body()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private static func name(_ broker: RealBroker) -> BusName {
    broker.dialect == .rabbitMQ3 ? ClientBuses.source : ClientBuses.target
  }

  @Test(
    "A faulty message on one bus: its sender, who is on the other, reads the report; the faulty one is gone",
    arguments: RealBroker.all)
  func errorAcrossBuses(_ broker: RealBroker) async throws {
    let stage = try Stage(target: broker.asTarget)
    let other = Self.name(broker) == ClientBuses.source ? ClientBuses.target : ClientBuses.source
    try await stage.with(partnerOn: other, meOn: Self.name(broker)) {
      let client = try stage.client(stage.me)
      let partner = try stage.client(stage.partner)
      let reports = Mutex<[ErrorReport]>([])
      let nobody = MessageHandlers(messages: { _ in Issue.record("no handler is to see it") }, errorReports: { _ in })
      let reader = MessageHandlers(
        messages: { _ in }, errorReports: { report in reports.withLock { $0.append(report) } })
      try await client.withClient { client in
        try await partner.withClient { partner in
          try await self.whileServing(client, nobody) {
            try await self.whileServing(partner, reader) {
              var faulty = try stage.incoming("faulty").amqpMessage(
                toQueue: stage.queue(stage.me, .asynchronous), enqueued: .now)
              faulty.properties.contentType = nil
              try await self.put(faulty, into: stage.queue(stage.me, .asynchronous), of: broker)
              await partner.wait { $0.counters.errorReportsReceived == 1 }
              await client.wait { $0.counters.errorsSent == 1 }
            }
          }
        }
      }
      let report = try #require(reports.withLock { $0.first })
      #expect(report.condition == .invalidFieldValue)
      #expect(report.originalMessageID == "faulty")
      #expect(report.data == ["content-type"])
      #expect(report.bus == other)
      #expect(client.status.counters.settlementsLost == 0)
    }
  }

  @Test("A call to a party on the other bus is answered, and the answer finds its way back")
  func callAcrossBuses() async throws {
    let stage = try Stage()
    try await stage.with(partnerOn: ClientBuses.source, meOn: ClientBuses.target) {
      let caller = try stage.client(stage.me, replyQueue: true)
      let answering = try stage.client(stage.partner)
      try await caller.withClient { caller in
        try await answering.withClient { answering in
          let handlers = MessageHandlers(
            messages: { received in
              let answer = HealthMessage(
                messageID: "answer", from: stage.partner, to: stage.me, subject: "ANSWER", timestamp: .now, body: [2])
              try await answering.reply(to: received, with: answer).requireAccepted()
            }, errorReports: { _ in })
          try await self.whileServing(answering, handlers) {
            await caller.wait { $0.receivers.count { $0.kind == .synchronousReply && $0.state == .receiving } == 2 }
            let question = HealthMessage(
              messageID: "question", from: stage.me, to: stage.partner, subject: "QUESTION", timestamp: .now, body: [1])
            let answer = try await caller.call(question, timeout: .seconds(60))
            #expect(answer.message.messageID == "answer")
            #expect(answer.message.correlationID == "question")
            #expect(answer.bus == ClientBuses.source, "by the bus on which it was asked")
          }
        }
      }
    }
  }

  @Test("One message by both buses: handled once, both copies accepted")
  func duplicates() async throws {
    let stage = try Stage()
    try await stage.with(partnerOn: ClientBuses.source, meOn: ClientBuses.target) {
      let client = try stage.client(stage.me)
      let count = Mutex(0)
      try await client.withClient { client in
        let handlers = MessageHandlers(messages: { _ in count.withLock { $0 += 1 } }, errorReports: { _ in })
        try await self.whileServing(client, handlers) {
          let queue = stage.queue(stage.me, .asynchronous)
          for broker in [RealBroker.rabbitMQ3, .rabbitMQ4] {
            try await self.put(try stage.incoming("m").amqpMessage(toQueue: queue, enqueued: .now), into: queue, of: broker)
          }
          await client.wait { $0.counters.handled == 1 && $0.counters.duplicates == 1 }
        }
      }
      #expect(count.withLock { $0 } == 1)
    }
  }

  @Test(
    "A ping to ourselves comes back on both; where our queue is gone the report names the bus, also on one that accepts all the same"
  )
  func selfPing() async throws {
    let stage = try Stage()
    try await stage.with(partnerOn: ClientBuses.source, meOn: ClientBuses.target) {
      let client = try stage.client(stage.me)
      try await client.withClient { client in
        let handlers = MessageHandlers(messages: { _ in }, errorReports: { _ in })
        try await self.whileServing(client, handlers) {
          let both = try await client.pingSelf(stage.me, timeout: .seconds(50))
          #expect(both.map(\.bus) == [ClientBuses.source, ClientBuses.target])
          #expect(both.allSatisfy { $0.cameBack && $0.problem == nil })
          #expect(await client.diagnose().isWell)
        }
      }
      let queue = stage.queue(stage.me, .asynchronous)
      for broker in RealBroker.all { try await broker.management("DELETE", "/api/queues/%2F/\(queue)") }
      let another = try stage.client(stage.me)
      try await another.withClient { another in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await another.receive(from: [OwnQueue(name: queue, kind: .asynchronous)]) { _ in }
          }
          await another.wait { status in
            status.receivers.count { if case .queueMissing = $0.state { true } else { false } } == 2
          }
          let results = try await another.pingSelf(stage.me, timeout: .seconds(3))
          #expect(results.allSatisfy { !$0.cameBack && $0.problem?.owner == .bus })
          let isAccepted = results.map { $0.outcome == .accepted }
          #expect(isAccepted == [true, false], "RabbitMQ 3 accepts, and loses; the report is not taken in by it")
          group.cancelAll()
          try await group.waitForAll()
        }
      }
    }
  }
}

/// Routes that a test lays down, by kind.
private final class KindRoutes: RouteResolving {
  struct NoSuchParty: Error {}
  private struct Place: Hashable {
    var herID: HerID
    var kind: QueueKind
  }
  private let places = Mutex<[Place: QueueAddress]>([:])

  func lay(_ herID: HerID, _ kind: QueueKind, _ address: QueueAddress) {
    self.places.withLock { $0[Place(herID: herID, kind: kind)] = address }
  }

  func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
    guard let address = self.places.withLock({ $0[Place(herID: herID, kind: kind)] }),
      let bus = buses.first(where: { $0.holds(address) })
    else { throw NoSuchParty() }
    return Route(herID: herID, kind: kind, bus: bus.name, address: address)
  }

  func forget(_ herID: HerID) async {}
}
