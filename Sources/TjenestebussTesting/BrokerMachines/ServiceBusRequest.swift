// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A node of Service Bus that is asked by messages.
package enum ServiceBusNode: Sendable, Hashable {
  /// `$cbs`: where tokens are shown.
  case claims
  /// `ENTITY/$management`.
  case management(String)
}

/// A request to a ``ServiceBusNode``. Pure. (Microsoft: "AMQP 1.0 in Azure Service Bus: request-response-based operations".)
package enum ServiceBusRequest: Sendable, Equatable {
  case putToken(String)
  case peek(from: Int64, count: Int)
  case renew([AMQPUUID])
  case receive([Int64])
  case dispose([AMQPUUID], Disposition)
  /// The encoded messages.
  case schedule([[UInt8]])
  case cancel([Int64])

  package enum Disposition: Sendable, Equatable {
    case completed, abandoned, deferred
    case deadLettered(reason: String?, description: String?)
  }

  /// Nil for an operation that is not known, or lacks something.
  package init?(_ message: AMQPMessage) {
    var body = AMQPMap()
    if case .value(.map(let map)) = message.body { body = map }
    switch message.applicationProperties["operation"]?.text {
    case "put-token":
      guard case .value(let value) = message.body, let token = value.text else { return nil }
      self = .putToken(token)
    case "com.microsoft:peek-message":
      guard let from = body["from-sequence-number"]?.integer, let count = body["message-count"]?.integer else { return nil }
      self = .peek(from: from, count: Int(clamping: count))
    case "com.microsoft:renew-lock": self = .renew(body["lock-tokens"]?.uuids ?? [])
    case "com.microsoft:receive-by-sequence-number": self = .receive(body["sequence-numbers"]?.integers ?? [])
    case "com.microsoft:update-disposition":
      let disposition: Disposition
      switch body["disposition-status"]?.text {
      case "completed": disposition = .completed
      case "abandoned": disposition = .abandoned
      case "defered", "deferred": disposition = .deferred
      case "suspended":
        disposition = .deadLettered(
          reason: body["deadletter-reason"]?.text, description: body["deadletter-description"]?.text)
      default: return nil
      }
      self = .dispose(body["lock-tokens"]?.uuids ?? [], disposition)
    case "com.microsoft:schedule-message":
      guard case .list(let messages)? = body["messages"] else { return nil }
      self = .schedule(
        messages.compactMap { message in
          guard case .map(let map) = message, case .binary(let bytes)? = map["message"] else { return nil }
          return bytes
        })
    case "com.microsoft:cancel-scheduled-message": self = .cancel(body["sequence-numbers"]?.integers ?? [])
    default: return nil
    }
  }
}

/// The answer to a ``ServiceBusRequest``.
package struct ServiceBusAnswer: Sendable, Equatable {
  package var status: Int32
  package var text: String
  package var condition: String?
  package var body = AMQPMap()

  package static let accepted = ServiceBusAnswer(status: 202, text: "Accepted")
  package static func ok(_ body: AMQPMap = [:]) -> ServiceBusAnswer { ServiceBusAnswer(status: 200, text: "OK", body: body) }
  package static let noContent = ServiceBusAnswer(status: 204, text: "No Content")
  package static let badRequest = ServiceBusAnswer(
    status: 400, text: "the operation is not known, or lacks something", condition: "com.microsoft:argument-error")
  package static let unauthorized = ServiceBusAnswer(
    status: 401, text: "the token is not valid", condition: AMQPCondition.unauthorizedAccess)
  package static let lockLost = ServiceBusAnswer(
    status: 410, text: "The lock supplied is invalid.", condition: "com.microsoft:message-lock-lost")
  package static let notFound = ServiceBusAnswer(
    status: 404, text: "no such message", condition: "com.microsoft:message-not-found")

  /// `$cbs` and `$management` spell their fields differently.
  package func message(to request: AMQPMessage, from node: ServiceBusNode) -> AMQPMessage {
    var properties: AMQPMap
    switch node {
    case .claims: properties = ["status-code": .int(self.status), "status-description": .string(self.text)]
    case .management:
      properties = ["statusCode": .int(self.status), "statusDescription": .string(self.text)]
      if let condition = self.condition { properties["errorCondition"] = .symbol(condition) }
    }
    return AMQPMessage(
      header: nil, properties: AMQPProperties(correlationID: request.properties.messageID), applicationProperties: properties,
      body: .value(self.body.isEmpty ? .null : .map(self.body)))
  }
}

extension AMQPValue {
  private var elements: [AMQPValue]? {
    switch self {
    case .array(let elements), .list(let elements): elements
    default: nil
    }
  }

  fileprivate var uuids: [AMQPUUID]? {
    self.elements?.compactMap { if case .uuid(let uuid) = $0 { uuid } else { nil } }
  }

  fileprivate var integers: [Int64]? { self.elements?.compactMap(\.integer) }
}

extension AMQPUUID {
  /// As Microsoft writes a GUID: the first three fields with their lowest byte first.
  package var littleEndianBytes: [UInt8] {
    let bytes = withUnsafeBytes(of: self.high.bigEndian) { Array($0) }
    return [3, 2, 1, 0, 5, 4, 7, 6].map { bytes[$0] } + withUnsafeBytes(of: self.low.bigEndian) { Array($0) }
  }

  static func random() -> AMQPUUID { AMQPUUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}
