// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// RabbitMQ 4's `/management`: a pair of links of one name.
extension BrokerCore {
  func managementRequest(_ transfer: IncomingTransfer, of link: Link, on connection: ServerConnection) {
    if !transfer.settled { connection.settle(transfer.delivery, .accepted) }
    // RabbitMQ's own Python client writes a null body in front of the properties, and is understood.
    let sections = MessageSkim(transfer.payload).sections.sorted { ($0.descriptor ?? 0) < ($1.descriptor ?? 0) }
    let payload = Array(sections.map { transfer.payload[$0.range] }.joined())
    guard let message = try? AMQPMessage(decoding: payload), let request = ManagementRequest(message) else {
      return self.end(link.session, on: connection, AMQPCondition(AMQPCondition.internalError, text: "{function_clause,["))
    }
    // Version 4.0 lets everyone look.
    var needsPermission = true
    if case .queue = request { needsPermission = self.product == .rabbitMQ43 }
    if let name = request.configures, needsPermission, !self.may(connection, \.mayConfigure, name) {
      return self.end(
        link.session, on: connection,
        AMQPCondition(AMQPCondition.unauthorizedAccess, text: "configure access to '\(name)' refused"))
    }
    let pair = self.links.first { key, other in
      guard key.connection == connection.number, other.session == link.session, other.name == link.name else { return false }
      if case .managementAnswers = other.use { return true }
      return false
    }
    guard let key = pair?.key else {
      return self.end(
        link.session, on: connection, AMQPCondition(AMQPCondition.invalidField, text: "no receiver paired with the sender"))
    }
    guard let answers = self.links[key], answers.credit > answers.waiting.count else {
      // Seen on 4.0.5: the answer has to have credit when it is asked for.
      return self.end(
        link.session, on: connection,
        AMQPCondition(
          "amqp:precondition-failed", text: "insufficient credit (0) for management link from RabbitMQ to client"))
    }
    // Apart: it may touch links itself.
    let answer = self.carryOut(request).message(to: message).encoded()
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
    let vhost = self.configuration.virtualHost
    switch request {
    case .bad(let text): return ManagementAnswer(status: "400", body: .string(text))
    case .queue(let name):
      guard let queue = self.queues[name] else {
        return ManagementAnswer(status: "404", body: .string("queue '\(name)' in vhost '\(vhost)' not found"))
      }
      return ManagementAnswer(status: "200", body: .map(self.description(of: name, queue)))
    case .declareQueue(let name, let arguments): return self.declare(name, arguments)
    case .deleteQueue(let name):
      return ManagementAnswer(status: "200", body: .map(["message_count": .ulong(UInt64(self.delete(name) ?? 0))]))
    case .purge(let name):
      guard let count = self.purge(name) else {
        return ManagementAnswer(
          status: self.product == .rabbitMQ43 ? "404" : "400", body: .string("no queue '\(name)' in vhost '\(vhost)'"))
      }
      return ManagementAnswer(status: "200", body: .map(["message_count": .ulong(UInt64(count))]))
    case .declareExchange(let name):
      self.routing.declare(name)
      return ManagementAnswer(status: "204")
    case .deleteExchange(let name):
      self.routing.delete(name)
      return ManagementAnswer(status: "204")
    case .bind(let queue, let exchange, let key):
      guard self.queues[queue] != nil, self.routing.has(exchange) else {
        return ManagementAnswer(
          status: "404", body: .string("no queue '\(queue)' or no exchange '\(exchange)' in vhost '\(vhost)'"))
      }
      self.routing.bind(queue, to: exchange, key: key)
      return ManagementAnswer(status: "204")
    case .unbind(let queue, let exchange, let key):
      self.routing.unbind(queue, from: exchange, key: key)
      return ManagementAnswer(status: "204")
    case .bindings(let queue, let exchange, let key):
      guard self.routing.isBound(queue, to: exchange, key: key) else { return ManagementAnswer(status: "200", body: .list([])) }
      return ManagementAnswer(
        status: "200",
        body: .list([
          .map([
            "source": .string(exchange), "destination_queue": .string(queue), "binding_key": .string(key), "arguments": .map([:]),
            "location": .string("/bindings/src=\(exchange);dstq=\(queue);key=\(key);args="),
          ])
        ]))
    }
  }

  private func declare(_ name: String, _ arguments: QueueArguments) -> ManagementAnswer {
    let vhost = self.configuration.virtualHost
    if let there = self.queues[name], let text = there.arguments.difference(to: arguments, queue: name, virtualHost: vhost) {
      return ManagementAnswer(status: "409", body: .string(text))
    }
    let isNew = self.declare(
      BrokerQueue(
        name, kind: arguments.isClassic ? .classic : .quorum, maximumLength: arguments.maximumLength,
        timeToLive: arguments.timeToLive.map { .milliseconds($0) },
        deliveryLimit: arguments.deliveryLimit.map { .returns($0) } ?? .dialect,
        deadLetter: arguments.deadLetterKey.map { .queue($0) } ?? .none,
        consumerTimeout: arguments.consumerTimeout.map { .milliseconds($0) }), arguments: arguments)
    guard let queue = self.queues[name] else { return ManagementAnswer(status: "404") }
    return ManagementAnswer(status: isNew ? "201" : "200", body: .map(self.description(of: name, queue)))
  }

  private func description(of name: String, _ queue: Queue) -> AMQPMap {
    [
      "name": .string(name), "vhost": .string(self.configuration.virtualHost), "durable": true, "auto_delete": false,
      "exclusive": false, "type": .string(queue.isClassic ? "classic" : "quorum"), "arguments": .map(queue.arguments.map),
      "leader": "in-memory@localhost", "replicas": .array([.string("in-memory@localhost")]),
      // Those that wait: what is handed out is not in it (seen on 4.0.5).
      "message_count": .ulong(UInt64(queue.machine.depth - queue.machine.lockedCount)),
      "consumer_count": .uint(UInt32(queue.machine.consumerCount)),
    ]
  }
}
