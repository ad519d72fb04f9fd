// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure

/// Asks ActiveMQ's statistics plugin how many messages a queue holds.
struct StatisticsQueue {
  private let stage: RealStage

  init(_ stage: RealStage) { self.stage = stage }

  func depth(of queue: String) async throws -> Int {
    let reply = "\(queue)-statistics"
    let configuration = AMQPConnectionConfiguration(
      host: self.stage.host, port: self.stage.port, encryption: .none, login: .plain(user: "app", password: Secret("app")),
      containerID: reply)
    return try await AMQPConnection.withConnection(configuration) { connection in
      let receiver = try await connection.openReceiver(from: reply)
      let sender = try await connection.openSender(to: "ActiveMQ.Statistics.Destination.\(queue)")
      _ = try await sender.send(AMQPMessage(properties: AMQPProperties(replyTo: reply), body: .data([])))
      for try await delivery in receiver {
        try delivery.accept()
        guard case .value(.map(let map)) = try delivery.message().body else { return -1 }
        return map["size"]?.integer.map(Int.init) ?? -1
      }
      return -1
    }
  }
}
