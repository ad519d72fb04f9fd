// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// RabbitMQ 4's `/management`: a pair of links of one name.
extension BrokerCore {
  func managementRequest(_ transfer: IncomingTransfer, of link: Link, on connection: ServerConnection) {
    if !transfer.settled { connection.settle(transfer.delivery, .accepted) }
    guard let message = try? AMQPMessage(decoding: transfer.payload), let request = ManagementRequest(message) else {
      return self.end(
        link.session, on: connection, AMQPCondition(AMQPCondition.internalError, text: "no such management request"))
    }
    let answer = self.carryOut(request).message(to: message).encoded()
    let pair = self.links.first { key, other in
      guard key.connection == connection.number, other.session == link.session, other.name == link.name else { return false }
      if case .managementAnswers = other.use { return true }
      return false
    }
    guard let key = pair?.key else {
      return self.end(
        link.session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "no receiver paired with the sender"))
    }
    self.links[key]?.waiting.append(answer)
    self.sendAnswers(key, on: connection)
  }

  func sendAnswers(_ key: LinkKey, on connection: ServerConnection) {
    guard let link = self.links[key], link.credit > 0, !link.waiting.isEmpty else { return }
    let count = min(link.credit, link.waiting.count)
    for payload in link.waiting.prefix(count) { _ = connection.send(payload, on: key.link, settled: true) }
    self.links[key]?.waiting.removeFirst(count)
    self.links[key]?.credit -= count
    self.markUnflushed(connection.number)
  }

  private func carryOut(_ request: ManagementRequest) -> ManagementAnswer {
    switch request {
    case .queue(let name):
      guard let queue = self.queues[name] else { return .notFound("queue '\(name)'") }
      return ManagementAnswer(status: "200", body: .map(self.description(of: name, queue)))
    case .declareQueue(let name, let length, let timeToLive, let deadLetterKey):
      let isNew = self.declare(
        BrokerQueue(
          name, maximumLength: length, timeToLive: timeToLive.map { .milliseconds($0) },
          deadLetter: deadLetterKey.map { .queue($0) } ?? .none))
      guard let queue = self.queues[name] else { return .notFound("queue '\(name)'") }
      return ManagementAnswer(status: isNew ? "201" : "200", body: .map(self.description(of: name, queue)))
    case .deleteQueue(let name):
      return ManagementAnswer(status: "200", body: .map(["message_count": .ulong(UInt64(self.delete(name) ?? 0))]))
    case .purge(let name):
      guard let count = self.purge(name) else { return .notFound("queue '\(name)'") }
      return ManagementAnswer(status: "200", body: .map(["message_count": .ulong(UInt64(count))]))
    case .declareExchange(let name):
      self.routing.declare(name)
      return .status("204")
    case .deleteExchange(let name):
      self.routing.delete(name)
      return .status("204")
    case .bind(let queue, let exchange, let key):
      guard self.queues[queue] != nil else { return .notFound("queue '\(queue)'") }
      guard self.routing.has(exchange) else { return .notFound("exchange '\(exchange)'") }
      self.routing.bind(queue, to: exchange, key: key)
      return .status("204")
    }
  }

  private func description(of name: String, _ queue: Queue) -> AMQPMap {
    [
      "name": .string(name), "vhost": .string(self.configuration.virtualHost), "durable": true, "auto_delete": false,
      "exclusive": false, "type": "quorum", "arguments": .map([:]), "leader": "in-memory",
      "replicas": .array([.string("in-memory")]),
      "message_count": .ulong(UInt64(queue.machine.depth)), "consumer_count": .uint(UInt32(queue.machine.consumerCount)),
    ]
  }
}
