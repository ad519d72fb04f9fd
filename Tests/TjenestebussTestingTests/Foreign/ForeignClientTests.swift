// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import ForeignPrograms
import Foundation
import Testing
import TjenestebussTesting

@Suite("Clients that are not ours, at the in-memory broker", .serialized)
struct ForeignClientTests {
  private func python(
    _ script: String, _ broker: InMemoryBroker, _ arguments: [String],
    login: [String] = ["--user", "guest", "--password", "guest"]
  ) async throws -> ForeignProgram.Result {
    let port = try #require(broker.port)
    return try await ForeignProgram.python(script, ["--url", "amqp://127.0.0.1:\(port)"] + login + arguments)
  }

  private func lines(_ result: ForeignProgram.Result) throws -> [[String: Any]] {
    try result.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// The sections of each message, but for those a broker may change.
  private func sections(_ result: ForeignProgram.Result) throws -> [NSArray] {
    try self.lines(result).map { line in
      let sections = try #require(line["sections"] as? [[String: Any]])
      return sections.filter { !["header", "message-annotations"].contains($0["section"] as? String) } as NSArray
    }
  }

  @Test(
    "python-qpid-proton to itself: every shape of message as it was",
    arguments: [Dialect.rabbitMQ4AddressV2, .serviceBusWindowsServer, .activeMQ])
  func pythonToItself(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect) { broker, _ in
      let sent = try await self.python("send.py", broker, ["--address", broker.sendingAddress("q"), "--shape", "all"])
      #expect(sent.exitCode == 0, "\(sent.errors)")
      let count = try self.lines(sent).count
      #expect(count > 20)
      #expect(try await broker.depth(of: "q") == count)
      let received = try await self.python(
        "receive.py", broker, ["--address", broker.receivingAddress("q"), "--count", String(count), "--credit", "7"])
      #expect(received.exitCode == 0, "\(received.errors)")
      #expect(try self.sections(received) == self.sections(sent))
      try await broker.waitUntil("an empty queue") { $0.depth(of: "q") == 0 }
    }
  }

  @Test("python-qpid-proton to us, and from us back to it, every shape of message")
  func throughUs() async throws {
    try await withTestBroker(queues: ["first", "second"]) { broker, connection in
      let sent = try await self.python("send.py", broker, ["--address", broker.sendingAddress("first"), "--shape", "all"])
      #expect(sent.exitCode == 0, "\(sent.errors)")
      let count = try self.lines(sent).count
      let sender = try await connection.openSender(to: broker.sendingAddress("second"))
      try await connection.withReceiver(from: broker.receivingAddress("first")) { receiver in
        for delivery in try await receiver.first(count) {
          let outcome = try await sender.send(try delivery.message(), checks: .none)
          #expect(outcome == .accepted)
          try delivery.accept()
        }
        try await broker.waitUntil("all taken") { $0.depth(of: "first") == 0 }
      }
      let received = try await self.python(
        "receive.py", broker, ["--address", broker.receivingAddress("second"), "--count", String(count)])
      #expect(received.exitCode == 0, "\(received.errors)")
      #expect(try self.sections(received) == self.sections(sent))
    }
  }

  @Test(
    "python-qpid-proton's outcomes", arguments: [("released", 2, 0), ("rejected", 0, 2), ("modified", 2, 0), ("accepted", 0, 0)])
  func outcomes(_ outcome: String, _ left: Int, _ dead: Int) async throws {
    try await withTestBroker { broker, connection in
      try await connection.send(["a", "b"], to: "q", of: broker)
      // Credit for both at once: what is given back must not come a second time before the end.
      let result = try await self.python(
        "receive.py", broker,
        ["--address", broker.receivingAddress("q"), "--count", "2", "--credit", "2", "--outcome", outcome])
      #expect(result.exitCode == 0, "\(result.errors)")
      try await broker.waitUntil("settled") {
        $0.depth(of: "q") == left && $0.depth(of: "q_dl") == dead && $0.queues["q"]?.locked == 0
      }
    }
  }

  // Few dialects: Proton's Python waits three seconds after a refused login.
  @Test(
    "a wrong password and a missing queue are told to python-qpid-proton, too",
    arguments: [Dialect.rabbitMQ3, .rabbitMQ4AddressV2, .azureServiceBus])
  func refusals(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect) { broker, _ in
      let wrong = try await self.python(
        "send.py", broker, ["--address", broker.sendingAddress("q")], login: ["--user", "guest", "--password", "wrong"])
      #expect(wrong.exitCode == 1)
      #expect(wrong.errors.contains("amqp:unauthorized-access"), "\(wrong.errors)")
      let missing = try await self.python("receive.py", broker, ["--address", broker.receivingAddress("missing")])
      #expect(missing.exitCode == 1)
      #expect(missing.errors.contains("amqp:not-found"), "\(missing.errors)")
    }
  }

  @Test("anonymous, and without a SASL layer, as the dialect has it", arguments: Dialect.allCases)
  func anonymous(_ dialect: Dialect) async throws {
    try await withTestBroker(dialect, change: { $0.anonymousUser = "guest" }) { broker, _ in
      let named = try await self.python("send.py", broker, ["--address", broker.sendingAddress("q")], login: [])
      #expect(named.exitCode == 0, "\(named.errors)")
      let bare = try await self.python("send.py", broker, ["--address", broker.sendingAddress("q")], login: ["--no-sasl"])
      #expect((bare.exitCode == 0) == !dialect.capabilities.countsBy.contains(.managementAMQP), "\(bare.errors)")
    }
  }

  @Test("Proton's C examples, both ways: to themselves, to us and from us")
  func cExamples() async throws {
    try await ForeignProgram.withCExamples { send, receive in
      try await withTestBroker { broker, connection in
        let port = String(try #require(broker.port))
        let login = ["FOREIGN_USER": "guest", "FOREIGN_PASSWORD": "guest"]
        func run(_ program: String, _ address: String, _ count: Int) async throws -> ForeignProgram.Result {
          let result = try await ForeignProgram.run(program, ["127.0.0.1", port, address, String(count)], environment: login)
          #expect(result.exitCode == 0, "\(result.errors)")
          return result
        }
        _ = try await run(send, broker.sendingAddress("q"), 2_000)
        #expect(try await broker.depth(of: "q") == 2_000)
        let received = try await run(receive, broker.receivingAddress("q"), 1_000)
        #expect(received.output.contains("1000 messages received"))
        try await connection.withReceiver(from: broker.receivingAddress("q")) { receiver in
          var numbers: [Int64?] = []
          while numbers.count < 1_000, let batch = try await receiver.nextBatch() {
            for delivery in batch {
              if case .value(.map(let map)) = try delivery.message().body { numbers.append(map["sequence"]?.integer) }
            }
            try receiver.settle(batch, as: .accepted)
          }
          #expect(numbers == (1_001...2_000).map { Int64($0) })
        }
        try await connection.withSender(to: broker.sendingAddress("q")) { sender in
          for number in 1...10 {
            let outcome = try await sender.send(
              AMQPMessage(body: .value(.map(["sequence": .int(Int32(number))]))), checks: .anyBody)
            #expect(outcome == .accepted)
          }
        }
        let ours = try await run(receive, broker.receivingAddress("q"), 10)
        #expect(ours.output.contains("10 messages received"))
      }
    }
  }

  @Test("Proton's C examples without a SASL layer, as they are shipped")
  func cExamplesWithoutSASL() async throws {
    try await ForeignProgram.withCExamples { send, receive in
      try await withTestBroker(.serviceBusWindowsServer, change: { $0.anonymousUser = "guest" }) { broker, _ in
        let port = String(try #require(broker.port))
        for program in [send, receive] {
          let address = program == send ? broker.sendingAddress("q") : broker.receivingAddress("q")
          let result = try await ForeignProgram.run(program, ["127.0.0.1", port, address, "50"])
          #expect(result.exitCode == 0, "\(result.errors)")
        }
        try await broker.waitUntil("an empty queue") { $0.depth(of: "q") == 0 }
      }
    }
  }
}
