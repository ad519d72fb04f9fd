// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A request to RabbitMQ 4's `/management` node. Pure.
package enum ManagementRequest: Sendable, Hashable {
  case queue(String)
  case declareQueue(String, maximumLength: Int?, timeToLive: Int64?, deadLetterKey: String?)
  case deleteQueue(String)
  case purge(String)
  case declareExchange(String)
  case deleteExchange(String)
  case bind(queue: String, exchange: String, key: String)

  /// Nil for what ends the session there: no body section, an unknown path, bad percent-encoding.
  package init?(_ message: AMQPMessage) {
    guard message.body != .absent, let method = message.properties.subject, let to = message.properties.to else { return nil }
    let parts = to.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard to.hasPrefix("/"), let kind = parts.first else { return nil }
    let name = parts.count > 1 ? PercentEncoding.decoded(parts[1]) : nil
    var body = AMQPMap()
    if case .value(.map(let map)) = message.body { body = map }
    switch (method, kind, parts.count, name) {
    case ("GET", "queues", 2, let name?): self = .queue(name)
    case ("PUT", "queues", 2, let name?):
      var arguments = AMQPMap()
      if case .map(let map)? = body["arguments"] { arguments = map }
      self = .declareQueue(
        name, maximumLength: arguments["x-max-length"]?.integer.flatMap(Int.init(exactly:)),
        timeToLive: arguments["x-message-ttl"]?.integer, deadLetterKey: arguments["x-dead-letter-routing-key"]?.text)
    case ("DELETE", "queues", 2, let name?): self = .deleteQueue(name)
    case ("DELETE", "queues", 3, let name?) where parts[2] == "messages": self = .purge(name)
    case ("PUT", "exchanges", 2, let name?): self = .declareExchange(name)
    case ("DELETE", "exchanges", 2, let name?): self = .deleteExchange(name)
    case ("POST", "bindings", 1, _):
      guard let queue = body["destination_queue"]?.text, let exchange = body["source"]?.text else { return nil }
      self = .bind(queue: queue, exchange: exchange, key: body["binding_key"]?.text ?? "")
    default: return nil
    }
  }
}

/// The answer to a ``ManagementRequest``.
package struct ManagementAnswer: Sendable, Hashable {
  package var status: String
  package var body: AMQPValue

  /// Of a status without anything to say.
  package static func status(_ status: String) -> ManagementAnswer { ManagementAnswer(status: status, body: .null) }

  package static func notFound(_ what: String) -> ManagementAnswer {
    ManagementAnswer(status: "404", body: .string("no \(what) in vhost '/'"))
  }

  package func message(to request: AMQPMessage) -> AMQPMessage {
    AMQPMessage(
      header: nil,
      properties: AMQPProperties(subject: self.status, correlationID: request.properties.messageID),
      applicationProperties: ["http:response": "1.1"], body: .value(self.body))
  }
}
