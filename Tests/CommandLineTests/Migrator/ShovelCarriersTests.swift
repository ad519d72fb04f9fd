// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Disclosure
import Forwarding
import Foundation
import Logging
import Migration
import MigrationEngine
import NIOCore
import Testing

@testable import bus_migrator

/// The daemon's way to carry by shovels, on the RabbitMQ 3.10 and 4.0 that `make test` starts.
@Suite("An order that shovels carry", .serialized, .timeLimit(.minutes(5)))
struct ShovelCarriersTests {
  private struct Broker {
    var url: URL
    var management: URL

    init(_ name: String) throws {
      let environment = ProcessInfo.processInfo.environment
      self.url = try #require(environment["TJENESTEBUSS_\(name)_URL"].flatMap { URL(string: $0) }, "make test starts the brokers")
      self.management = try #require(environment["TJENESTEBUSS_\(name)_MANAGEMENT_URL"].flatMap { URL(string: $0) })
    }

    func configuration() -> AMQPConnectionConfiguration {
      AMQPConnectionConfiguration(
        host: self.url.host ?? "", port: self.url.port ?? 0, encryption: .none,
        login: .plain(user: "app", password: Secret("app")), containerID: "shovel-carriers-\(UUID().uuidString)",
        connectTimeout: .seconds(60))
    }

    func queue(_ method: String, _ name: String, _ http: HTTPClient) async throws {
      var request = HTTPClientRequest(url: "\(self.management)/api/queues/%2F/\(name)")
      request.method = .init(rawValue: method)
      request.headers.add(name: "Authorization", value: "Basic " + Data("guest:guest".utf8).base64EncodedString())
      request.headers.add(name: "content-type", value: "application/json")
      if method == "PUT" { request.body = .bytes(ByteBuffer(string: #"{"durable":true}"#)) }
      let response = try await http.execute(request, timeout: .seconds(60))
      #expect((200..<300).contains(response.status.code))
    }

    func side(_ dialect: Dialect, _ http: HTTPClient) throws -> ShovelCarriers.Side {
      ShovelCarriers.Side(
        dialect: dialect,
        management: try ShovelManagement(
          http: http, url: "\(self.management)", user: "guest", password: Secret("guest"), timeout: .seconds(60)),
        address: Secret("amqp://migrator:migrator@\(self.url.host ?? ""):\(self.url.port ?? 0)/%2F"))
    }
  }

  private func errand(_ queue: String, from: BusName, to: BusName) throws -> ForwardingErrand {
    var order = ForwardingOrder(approvals: ["Kari", "Ola"])
    order.carrier = .shovel
    let route = try JSONDecoder().decode(
      ForwardingWork.Route.self, from: Data(#"{"kind":"async","from":"a.example/\#(queue)","to":"b.example/\#(queue)"}"#.utf8))
    return ForwardingErrand(
      pulje: try #require(PuljeName("p")), group: GroupID(try #require(HerID(1))), from: from, to: to, route: route, order: order)
  }

  @Test("the shovel stands as long as the order is carried, and not a moment longer; the way back is refused")
  func carried() async throws {
    let (source, target) = (try Broker("RABBITMQ3"), try Broker("RABBITMQ4"))
    let queue = "shovel_\(UUID().uuidString.prefix(8).lowercased())_async"
    try await HTTPClient.withHTTPClient { http in
      try await source.queue("PUT", queue, http)
      try await target.queue("PUT", queue, http)
      let owner = "t" + String(UUID().uuidString.prefix(6).lowercased())
      let sides =
        ["a": try source.side(.rabbitMQ3, http), "b": try target.side(.rabbitMQ4AddressV2, http)]
        as [BusName: ShovelCarriers.Side]
      let deeds = ShovelDeeds()
      let history = StagedShovelHistory(deeds)
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let carriers = ShovelCarriers(sides: sides, owner: owner, history: history, logger: logger)
      let ids = (0..<20).map { "m-\($0)" }
      try await AMQPConnection.withConnection(source.configuration()) { connection in
        try await connection.withSender(to: "/amq/queue/\(queue)") { sender in
          for id in ids {
            let outcome = try await sender.send(AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: .data([1])))
            #expect(outcome == .accepted)
          }
        }
      }
      let errand = try self.errand(queue, from: "a", to: "b")
      let counts = AsyncStream.makeStream(of: ForwardingCount.self)
      let carrying = Task { await carriers.carry(errand) { counts.continuation.yield($0) } }
      let arrived = try await AMQPConnection.withConnection(target.configuration()) { connection in
        try await connection.withReceiver(from: "/queues/\(queue)") { receiver in
          var arrived: [String] = []
          while arrived.count < ids.count, let batch = try await receiver.nextBatch() {
            for delivery in batch {
              arrived.append(try delivery.message().properties.messageID?.description ?? "")
              try delivery.accept()
            }
          }
          return arrived
        }
      }
      #expect(arrived == ids)
      let standing = ShovelCarrier(target: try #require(sides["b"]?.management), source: nil, owner: owner)
      #expect(try await standing.states().count == 1)
      // The bus tells it seconds late.
      for await count in counts.stream where count.accepted == ids.count { break }
      carrying.cancel()
      #expect(await carrying.value == .cancelled)
      #expect(try await standing.states().isEmpty)
      #expect(deeds.list == ["intended", "gone"])
      guard case .stopped(let code, _) = await carriers.carry(try self.errand(queue, from: "b", to: "a"), report: { _ in }) else {
        Issue.record("a shovel was to carry from RabbitMQ 4 to RabbitMQ 3")
        return
      }
      #expect(code == "SHOVEL-001")
      // What a run that died has left: a start takes it away.
      let shovel = ShovelDefinition(
        name: ShovelDefinition.name(owner: owner, source: "a", queue: queue, target: "b"), sourceQueue: queue, targetQueue: queue,
        source: try #require(sides["a"]?.address), target: try #require(sides["b"]?.address), rules: ForwardingRules())
      try await standing.begin(shovel)
      let keeping = Task { await carriers.keeper.run() }
      while try await !standing.states().isEmpty { try await Task.sleep(for: .milliseconds(50)) }
      keeping.cancel()
      await keeping.value
      #expect(try await standing.states().isEmpty)
      try await source.queue("DELETE", queue, http)
      try await target.queue("DELETE", queue, http)
    }
  }

  @Test("the mark that tells our shovels from others' is made once and kept")
  func owner() throws {
    let database = FileManager.default.temporaryDirectory.appendingPathComponent("d-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: database + ".shovels") }
    let mark = try ShovelCarriers.owner(besideDatabase: database)
    #expect(mark.count == 12 && mark.allSatisfy { $0.isLetter || $0.isNumber })
    #expect(try ShovelCarriers.owner(besideDatabase: database) == mark)
  }
}
