// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A request to RabbitMQ 4's `/management` node. Pure.
package enum ManagementRequest: Sendable, Hashable {
  case queue(String)
  case declareQueue(String, QueueArguments)
  case deleteQueue(String)
  case purge(String)
  case declareExchange(String)
  case deleteExchange(String)
  case bind(queue: String, exchange: String, key: String)
  case unbind(queue: String, exchange: String, key: String)
  case bindings(queue: String, exchange: String, key: String)
  /// Answered with 400 and this text.
  case bad(String)

  /// Nil for what ends the session there: no body section, an unknown path.
  package init?(_ message: AMQPMessage) {
    guard message.body != .absent, let method = message.properties.subject, let to = message.properties.to, to.hasPrefix("/")
    else { return nil }
    if let digits = PercentEncoding.firstBad(in: to) {
      self = .bad("failed to normalize URI '\(to)': invalid_percent_encoding <<\"\(digits)\">>")
      return
    }
    let pathAndQuery = to.split(separator: "?", maxSplits: 1).map(String.init)
    let parts = (pathAndQuery.first ?? "").dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let name = parts.count > 1 ? PercentEncoding.decoded(parts[1]) : nil
    var body = AMQPMap()
    if case .value(.map(let map)) = message.body { body = map }
    switch (method, parts.first, parts.count, name) {
    case ("GET", "queues", 2, let name?): self = .queue(name)
    case ("PUT", "queues", 2, let name?):
      var arguments = AMQPMap()
      if case .map(let map)? = body["arguments"] { arguments = map }
      self = .declareQueue(name, QueueArguments(arguments))
    case ("DELETE", "queues", 2, let name?): self = .deleteQueue(name)
    case ("DELETE", "queues", 3, let name?) where parts[2] == "messages": self = .purge(name)
    case ("PUT", "exchanges", 2, let name?): self = .declareExchange(name)
    case ("DELETE", "exchanges", 2, let name?): self = .deleteExchange(name)
    case ("POST", "bindings", 1, _):
      guard let queue = body["destination_queue"]?.text, let exchange = body["source"]?.text else { return nil }
      self = .bind(queue: queue, exchange: exchange, key: body["binding_key"]?.text ?? "")
    case ("GET", "bindings", 1, _):
      let query = ManagementRequest.fields(pathAndQuery.count > 1 ? pathAndQuery[1] : "", separator: "&")
      guard let queue = query["dstq"], let exchange = query["src"] else { return nil }
      self = .bindings(queue: queue, exchange: exchange, key: query["key"] ?? "")
    case ("DELETE", "bindings", 2, _):
      let fields = ManagementRequest.fields(parts[1], separator: ";")
      guard let queue = fields["dstq"], let exchange = fields["src"] else { return nil }
      self = .unbind(queue: queue, exchange: exchange, key: fields["key"] ?? "")
    default: return nil
    }
  }

  private static func fields(_ text: String, separator: Character) -> [String: String] {
    var fields: [String: String] = [:]
    for part in text.split(separator: separator) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if pair.count == 2 { fields[pair[0]] = PercentEncoding.decoded(pair[1]) }
    }
    return fields
  }

  /// Whether it changes something, or looks at a queue: what the permission to configure is for.
  package var configures: String? {
    switch self {
    case .queue(let name), .declareQueue(let name, _), .deleteQueue(let name), .purge(let name): name
    case .declareExchange(let name), .deleteExchange(let name): name
    case .bind(let queue, _, _), .unbind(let queue, _, _): queue
    case .bindings, .bad: nil
    }
  }
}

/// The arguments a queue was declared with.
package struct QueueArguments: Sendable, Hashable {
  package var map: AMQPMap

  package init(_ map: AMQPMap = [:]) { self.map = map }

  package var isClassic: Bool { self.map["x-queue-type"]?.text ?? "classic" == "classic" }
  package var maximumLength: Int? { self.map["x-max-length"]?.integer.flatMap(Int.init(exactly:)) }
  package var timeToLive: Int64? { self.map["x-message-ttl"]?.integer }
  package var deadLetterKey: String? { self.map["x-dead-letter-routing-key"]?.text }
  package var deliveryLimit: Int? { self.map["x-delivery-limit"]?.integer.flatMap(Int.init(exactly:)) }
  package var consumerTimeout: Int64? { self.map["x-consumer-timeout"]?.integer }

  /// What is unlike in a second declaration, as RabbitMQ says it; nil when nothing is.
  package func difference(to other: QueueArguments, queue: String, virtualHost: String) -> String? {
    func described(_ value: AMQPValue?) -> String {
      guard let value else { return "none" }
      return value.integer.map { "the value '\($0)' of type 'long'" } ?? "the value '\(value.text ?? "")' of type 'longstr'"
    }
    let keys = Set((self.map.entries + other.map.entries).compactMap(\.key.text)).subtracting(["x-queue-type"])
    let unlike =
      (self.isClassic == other.isClassic ? [] : ["x-queue-type"]) + keys.sorted().filter { self.map[$0] != other.map[$0] }
    return unlike.first.map { key in
      "inequivalent arg '\(key)' for queue '\(queue)' in vhost '\(virtualHost)': received \(described(other.map[key])) but current is "
        + described(self.map[key])
    }
  }
}

/// The answer to a ``ManagementRequest``.
package struct ManagementAnswer: Sendable, Hashable {
  package var status: String
  package var body: AMQPValue

  package init(status: String, body: AMQPValue = .null) {
    self.status = status
    self.body = body
  }

  package func message(to request: AMQPMessage) -> AMQPMessage {
    AMQPMessage(
      header: nil,
      properties: AMQPProperties(subject: self.status, correlationID: request.properties.messageID),
      applicationProperties: ["http:response": "1.1"], body: .value(self.body))
  }
}
