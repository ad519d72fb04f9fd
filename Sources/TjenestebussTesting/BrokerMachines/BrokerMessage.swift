// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A message as a broker keeps it: the sections it may change, and the bare message's bytes as the sender wrote them.
///
/// Nothing in it need be readable: brokers pass on what they do not understand. Its description holds the message id and
/// nothing else.
package struct BrokerMessage: Sendable, CustomStringConvertible {
  /// Absent when the sender wrote none.
  package var header: AMQPHeader?
  /// What the header says of durability; nil when it says nothing.
  package let saidDurable: Bool?
  package var messageAnnotations: AMQPMap
  package private(set) var properties: AMQPProperties
  package let hasProperties: Bool
  /// Properties, application properties, body, footer.
  package private(set) var bare: [UInt8]
  /// All of it as it came.
  package let original: [UInt8]
  package let hasBody: Bool
  /// What a receiver on Service Bus said of a message that it sends to the dead letters.
  package var deadLetter: (reason: String, description: String?)?

  package init(_ payload: [UInt8]) { self.init(payload, MessageSkim(payload)) }

  package init(_ payload: [UInt8], _ skim: MessageSkim) {
    let carriage = skim.sections.prefix { $0.isCarriage }
    let bareStart = carriage.last?.range.upperBound ?? 0
    func value(_ descriptor: UInt64, in sections: some Sequence<MessageSkim.Section>) -> AMQPValue? {
      sections.first { $0.descriptor == descriptor }.flatMap { try? AMQPValue(decoding: Array(payload[$0.value])) }
    }
    self.original = payload
    if case .list(let fields)? = value(0x70, in: carriage) {
      self.header = AMQPHeader(reading: fields)
      if case .boolean(let durable)? = fields.first { self.saidDurable = durable } else { self.saidDurable = nil }
    } else {
      self.header = nil
      self.saidDurable = nil
    }
    // Delivery annotations are for the next hop only, and that is us (spec 3.2.2).
    if case .map(let map)? = value(0x72, in: carriage) { self.messageAnnotations = map } else { self.messageAnnotations = [:] }
    let properties = skim.sections.first { $0.descriptor == 0x73 }
    self.hasProperties = properties != nil
    self.properties =
      properties.flatMap { try? AMQPMessage(decoding: Array(payload[$0.range])).properties } ?? AMQPProperties()
    self.bare = Array(payload[bareStart...])
    self.hasBody = skim.sections.contains(where: \.isBody)
  }

  package var messageID: AMQPMessageID? { self.properties.messageID }

  /// Its time to live in milliseconds.
  package var timeToLive: Int64? { self.header?.timeToLive.map(Int64.init) }

  /// Changes the bare message's sections: what RabbitMQ 3 and Service Bus do where the spec says they must not.
  package mutating func rewriteSections(_ change: ([(code: UInt64?, bytes: [UInt8])]) -> [[UInt8]]) {
    let skim = MessageSkim(self.bare)
    guard skim.isWhole else { return }
    self.bare = Array(change(skim.sections.map { ($0.descriptor, Array(self.bare[$0.range])) }).joined())
  }

  package var description: String { "message \(self.messageID.map(String.init(describing:)) ?? "without id")" }
}

extension AMQPHeader {
  fileprivate init(reading fields: [AMQPValue]) {
    self.init(durable: false)
    if case .boolean(let durable)? = fields.first { self.durable = durable }
    if fields.count > 1, case .ubyte(let priority) = fields[1] { self.priority = priority }
    if fields.count > 2, case .uint(let milliseconds) = fields[2] { self.timeToLive = milliseconds }
  }
}
