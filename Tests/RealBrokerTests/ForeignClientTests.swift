// SPDX-License-Identifier: Apache-2.0

import AMQP
import ForeignPrograms
import Foundation
import Testing

@Suite("Foreign clients and ours, through RabbitMQ 4.0", .serialized)
struct ForeignClientTests {
  private let broker = RealBroker.rabbitMQ4

  private func login() throws -> [String] { ["--url", try self.broker.variable("URL"), "--user", "app", "--password", "app"] }

  /// The sections of each message, but for those a broker may change.
  private func sections(_ result: ForeignProgram.Result) throws -> [NSArray] {
    try result.output.split(separator: "\n").map { line in
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let sections = try #require(object["sections"] as? [[String: Any]])
      return sections.filter { !["header", "message-annotations"].contains($0["section"] as? String) } as NSArray
    }
  }

  @Test("every shape of message python-qpid-proton sends: read by us, sent on by us, read by it as it was")
  func throughUs() async throws {
    let first = try await self.broker.declareQueue("quorum")
    let second = try await self.broker.declareQueue("quorum")
    let sent = try await ForeignProgram.python(
      "send.py", try self.login() + ["--address", "/queues/\(first)", "--shape", "all"])
    #expect(sent.exitCode == 0, "\(sent.errors)")
    let count = sent.output.split(separator: "\n").count
    #expect(count > 20)
    try await AMQPConnection.withConnection(try self.broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: self.broker.receiving(from: first))
      let sender = try await connection.openSender(to: self.broker.sending(to: second))
      var done = 0
      for try await delivery in receiver {
        var message = try delivery.message()
        message.messageAnnotations = [:]
        let outcome = try await sender.send(message, checks: .none)
        #expect(outcome == .accepted)
        try delivery.accept()
        done += 1
        if done == count { break }
      }
      await receiver.close()
    }
    let received = try await ForeignProgram.python(
      "receive.py", try self.login() + ["--address", "/queues/\(second)", "--count", String(count)])
    #expect(received.exitCode == 0, "\(received.errors)")
    // RabbitMQ delivers messages of higher priority first, so the order may differ.
    #expect(Set(try self.sections(received)) == Set(try self.sections(sent)))
  }

  @Test("Proton's C send, ours receives; ours sends, Proton's C receive")
  func cExamples() async throws {
    let url = try #require(URL(string: try self.broker.variable("URL")))
    let host = try #require(url.host)
    let port = String(try #require(url.port))
    let login = ["FOREIGN_USER": "app", "FOREIGN_PASSWORD": "app"]
    let queue = try await self.broker.declareQueue()
    try await ForeignProgram.withCExamples { send, receive in
      let sent = try await ForeignProgram.run(send, [host, port, "/queues/\(queue)", "10"], environment: login)
      #expect(sent.exitCode == 0, "\(sent.errors)")
      try await AMQPConnection.withConnection(try self.broker.configuration()) { connection in
        let receiver = try await connection.openReceiver(from: self.broker.receiving(from: queue))
        var numbers: [Int64] = []
        for try await delivery in receiver {
          guard case .value(.map(let map)) = try delivery.message().body else {
            Issue.record("not a map")
            break
          }
          numbers.append(map["sequence"]?.integer ?? -1)
          try delivery.accept()
          if numbers.count == 10 { break }
        }
        #expect(numbers == Array(1...10))
        await receiver.close()
        let sender = try await connection.openSender(to: self.broker.sending(to: queue))
        for number in 1...10 {
          let message = AMQPMessage(body: .value(.map(["sequence": .int(Int32(number))])))
          let outcome = try await sender.send(message, checks: .anyBody)
          #expect(outcome == .accepted)
        }
      }
      let received = try await ForeignProgram.run(receive, [host, port, "/queues/\(queue)", "10"], environment: login)
      #expect(received.exitCode == 0, "\(received.errors)")
      #expect(received.output.contains("10 messages received"))
    }
  }
}
