// SPDX-License-Identifier: Apache-2.0

import AMQP
import AsyncHTTPClient
import BusModel
import Foundation
import Testing
import TjenestebussTesting

@Suite("Counting what lies in a queue")
struct CountingTests {
  private func ask(_ method: String, _ to: String, _ body: AMQPValue = .null) -> AMQPMessage {
    AMQPMessage(header: nil, properties: AMQPProperties(to: to, subject: method), body: .value(body))
  }

  @Test("/management counts exactly, at once", arguments: [Dialect.rabbitMQ4AddressV1, .rabbitMQ4AddressV2])
  func management(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: ["93238_async"]) { broker, connection in
      try await connection.send(["a", "b", "c"], to: "93238_async", of: broker)
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("93238_async"), credit: 1)
      _ = try await receiver.first()
      try await connection.withRequestReply(to: "/management") { node in
        let answer = try await node.request(self.ask("GET", "/queues/93238_async"), within: .seconds(60))
        #expect(answer.properties.subject == "200")
        guard case .value(.map(let body)) = answer.body else {
          Issue.record("no map")
          return
        }
        #expect(body["message_count"] == .ulong(2), "one is handed out")
        #expect(body["consumer_count"] == .uint(1))
        #expect(body["name"] == "93238_async")
        let missing = try await node.request(self.ask("GET", "/queues/none"), within: .seconds(60))
        #expect(missing.properties.subject == "404")
      }
      await receiver.close()
    }
  }

  @Test("/management declares, binds, purges and deletes")
  func declare() async throws {
    try await withTestBroker { broker, connection in
      try await connection.withRequestReply(to: "/management") { node in
        func status(_ method: String, _ to: String, _ body: AMQPValue = .null) async throws -> String? {
          try await node.request(self.ask(method, to, body), within: .seconds(60)).properties.subject
        }
        let arguments: AMQPMap = ["x-max-length": .ulong(2)]
        let queue: AMQPMap = ["durable": true, "arguments": .map(arguments)]
        #expect(try await status("PUT", "/queues/new", .map(queue)) == "201")
        #expect(try await status("PUT", "/queues/new", .map(queue)) == "200")
        #expect(try await status("PUT", "/exchanges/events", .map(["type": "direct"])) == "204")
        let binding: AMQPMap = ["source": "events", "destination_queue": "new", "binding_key": "k"]
        #expect(try await status("POST", "/bindings", .map(binding)) == "204")
        try await connection.withSender(to: "/exchanges/events/k") { sender in
          var outcomes: [AMQPOutcome] = []
          for id in ["a", "b", "c"] { outcomes.append(try await sender.send(.test(id))) }
          #expect(outcomes == [.accepted, .accepted, .rejected(nil)])
        }
        #expect(try await status("DELETE", "/queues/new/messages") == "200")
        #expect(try await broker.depth(of: "new") == 0)
        #expect(try await status("DELETE", "/queues/new") == "200")
        #expect(try await status("DELETE", "/queues/new") == "200")
        #expect(try await broker.snapshot().queues["new"] == nil)
      }
    }
  }

  @Test("what /management does not know ends the session")
  func unknownRequest() async throws {
    try await withTestBroker { broker, connection in
      try? await connection.withRequestReply(to: "/management") { node in
        let error = await #expect(throws: AMQPError.self) {
          try await node.request(self.ask("GET", "/queues"), within: .seconds(60))
        }
        #expect(error?.scope == .session)
      }
      let faults = try await broker.counters().clientFaults
      #expect(faults == 1)
      #expect(connection.closedReason == nil)
    }
  }

  @Test("no /management elsewhere", arguments: [Dialect.rabbitMQ3, .azureServiceBus])
  func elsewhere(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect) { _, connection in
      await #expect(throws: AMQPError.self) {
        try await connection.withRequestReply(to: "/management") { _ in }
      }
    }
  }

  private struct Counted: Decodable, Equatable {
    let name: String
    let vhost: String
    let messages: Int
    let messages_ready: Int
    let messages_unacknowledged: Int
    let consumers: Int
  }

  @Test("the HTTP management counts, for any dialect", arguments: Dialect.allCases)
  func http(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, queues: ["93238_async"], change: { $0.managementPort = 0 }) { broker, connection in
      try await connection.send(["a", "b", "c"], to: "93238_async", of: broker)
      let receiver = try await connection.openReceiver(from: broker.receivingAddress("93238_async"), credit: 1)
      _ = try await receiver.first()
      let base = "http://127.0.0.1:\(try #require(broker.managementPort))/api/queues"
      func get(_ path: String, _ login: String? = "guest:guest") async throws -> (Int, Data) {
        var request = HTTPClientRequest(url: base + path)
        if let login { request.headers.add(name: "Authorization", value: "Basic \(Data(login.utf8).base64EncodedString())") }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (Int(response.status.code), Data(buffer: try await response.body.collect(upTo: 1 << 20)))
      }
      let (status, body) = try await get("/%2F/93238_async")
      #expect(status == 200)
      #expect(
        try JSONDecoder().decode(Counted.self, from: body)
          == Counted(
            name: "93238_async", vhost: "/", messages: 3, messages_ready: 2, messages_unacknowledged: 1, consumers: 1))
      #expect(try await get("/%2F/none").0 == 404)
      #expect(try await get("/other/93238_async").0 == 404)
      #expect(try await get("/%2F/93238_async", "guest:wrong").0 == 401)
      #expect(try await get("/%2F/93238_async", nil).0 == 401)
      let (_, all) = try await get("/%2F")
      #expect(try JSONDecoder().decode([Counted].self, from: all).map(\.name).contains("93238_async"))
      await receiver.close()
    }
  }
}
