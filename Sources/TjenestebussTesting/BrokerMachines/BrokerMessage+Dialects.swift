// SPDX-License-Identifier: Apache-2.0

import AMQP

extension BrokerMessage {
  /// Sets a message annotation; keys are symbols.
  package mutating func annotate(_ key: String, _ value: AMQPValue) {
    if self.messageAnnotations[key] != nil {
      self.messageAnnotations[key] = value
    } else {
      self.messageAnnotations.entries.append(AMQPMap.Entry(key: .symbol(key), value: value))
    }
  }

  /// What a broker writes on a message that comes in.
  ///
  /// - Parameters:
  ///   - exchange: the one it came through, with its routing key.
  ///   - sequence: the broker's own number for it.
  package mutating func arrive(
    at queue: String, exchange: String, key: String, sequence: Int64, now: Int64, at product: BrokerProduct
  ) {
    switch product {
    case .rabbitMQ40, .rabbitMQ43:
      self.annotate("x-exchange", .string(exchange))
      self.annotate("x-routing-key", .string(key))
    case .rabbitMQ310:
      let hasProperties = self.hasProperties
      self.rewriteSections { sections in
        // The subject becomes the routing key where there was nothing, an absent body an empty one, several sections of a body
        // come back in reverse.
        let bodies = sections.filter { (0x75...0x77).contains($0.code ?? 0) }.map(\.bytes)
        let properties = AMQPValue.described(
          descriptor: .ulong(0x73), value: .list([.null, .null, .null, .string(queue)])
        ).encoded()
        let noBody = AMQPValue.described(descriptor: .ulong(0x75), value: .binary([])).encoded()
        let before = sections.filter { ($0.code ?? 0) < 0x75 }.map(\.bytes)
        let after = sections.filter { $0.code == 0x78 }.map(\.bytes)
        return (hasProperties ? [] : [properties]) + before + (bodies.isEmpty ? [noBody] : bodies.reversed()) + after
      }
    case .serviceBusWindowsServer, .azureServiceBus:
      self.annotate("x-opt-enqueued-time", .timestamp(now))
      self.annotate("x-opt-sequence-number", .long(sequence))
      if product == .azureServiceBus { self.annotate("x-opt-enqueue-sequence-number", .long(sequence)) }
    case .activeMQ: break
    }
  }

  /// What a broker writes on a message that died in `queue`.
  ///
  /// - Parameter deadLetter: reason and description that the receiver gave, on Service Bus.
  package mutating func die(
    _ reason: DeathReason, in queue: String, now: Int64, deadLetter: (reason: String, description: String?)? = nil,
    at product: BrokerProduct
  ) {
    // Else it would die again where it is to be looked at.
    self.header?.timeToLive = nil
    switch product {
    case .serviceBusWindowsServer, .azureServiceBus:
      self.annotate("x-opt-deadletter-source", .string(queue))
      let told = deadLetter ?? (reason.serviceBusText, reason.serviceBusDescription)
      self.rewriteApplicationProperties { properties in
        properties["DeadLetterReason"] = .string(told.reason)
        properties["DeadLetterErrorDescription"] = told.description.map(AMQPValue.string)
      }
    case .rabbitMQ40, .rabbitMQ43: self.noteDeath(reason.rabbitMQText, in: queue, now: now)
    // Its dead letters carry a header of AMQP 0-9-1 that does not come through.
    case .rabbitMQ310, .activeMQ: break
    }
  }

  /// `x-opt-deaths` holds one entry for each queue and reason, the latest first.
  private mutating func noteDeath(_ reason: String, in queue: String, now: Int64) {
    let exchange = self.messageAnnotations["x-exchange"] ?? .string("")
    let key = self.messageAnnotations["x-routing-key"] ?? .string("")
    let isFirst = self.messageAnnotations["x-first-death-queue"] == nil
    for (name, value) in [("queue", .string(queue)), ("reason", .string(reason)), ("exchange", exchange)] {
      if isFirst { self.annotate("x-first-death-\(name)", value) }
      self.annotate("x-last-death-\(name)", value)
    }
    var deaths: [AMQPValue] = []
    if case .array(let list)? = self.messageAnnotations["x-opt-deaths"] { deaths = list }
    var count: UInt64 = 1
    var firstTime = AMQPValue.timestamp(now)
    deaths.removeAll { death in
      guard case .map(let map) = death, map["queue"]?.text == queue, map["reason"]?.text == reason else { return false }
      count += UInt64(map["count"]?.integer ?? 0)
      firstTime = map["first-time"] ?? firstTime
      return true
    }
    let fields: [(String, AMQPValue)] = [
      ("queue", .string(queue)), ("reason", .symbol(reason)), ("count", .ulong(count)), ("first-time", firstTime),
      ("last-time", .timestamp(now)), ("exchange", exchange), ("routing-keys", .array([key])),
    ]
    let latest = AMQPValue.map(AMQPMap(fields.map { AMQPMap.Entry(key: .symbol($0.0), value: $0.1) }))
    self.annotate("x-opt-deaths", .array([latest] + deaths))
  }

  /// The application properties with a change made; a section is added where there was none.
  package mutating func rewriteApplicationProperties(_ change: (inout AMQPMap) -> Void) {
    self.rewriteSections { sections in
      var bytes = sections.map(\.bytes)
      let index = sections.firstIndex { $0.code == 0x74 }
      var map = AMQPMap()
      if let index, case .described(_, .map(let found))? = try? AMQPValue(decoding: bytes[index]) { map = found }
      change(&map)
      let section = AMQPValue.described(descriptor: .ulong(0x74), value: .map(map)).encoded()
      if let index {
        bytes[index] = section
      } else {
        bytes.insert(section, at: sections.firstIndex { ($0.code ?? 0) > 0x74 } ?? sections.count)
      }
      return bytes
    }
  }

  /// The encoded message for a consumer.
  ///
  /// - Parameter now: the time to live that is left is counted from here.
  package func encoded(for handout: QueueMachine<BrokerMessage>.Handout, now: Int64, rules: QueueRules, manners: BrokerManners)
    -> [UInt8]
  {
    // ActiveMQ hands on what it was given as it was, until there is something to say.
    if manners.product == .activeMQ, handout.deliveryCount == 0, handout.expiresAt == nil { return self.original }
    var header = self.header ?? AMQPHeader(durable: false)
    header.durable = self.saidDurable ?? manners.durableByDefault
    header.deliveryCount = handout.deliveryCount
    header.firstAcquirer = handout.isFirst && manners.tellsFirstAcquirer
    if header.timeToLive != nil, let expiresAt = handout.expiresAt {
      header.timeToLive = UInt32(clamping: max(0, expiresAt - now))
    }
    var message = self
    if rules.tellsLimitAsDeliveryCount, handout.returns > 0 {
      message.annotate("x-delivery-count", .ulong(UInt64(handout.returns)))
    }
    if rules.tellsAcquiredCount, handout.acquiredCount > 0 {
      message.annotate("x-acquired-count", .ulong(UInt64(handout.acquiredCount)))
      if handout.deliveryCount > 0 { message.annotate("x-delivery-count", .ulong(UInt64(handout.deliveryCount))) }
    }
    if let until = handout.lockedUntil, manners.product.isServiceBus { message.annotate("x-opt-locked-until", .timestamp(until)) }
    return AMQPMessage(header: header, messageAnnotations: message.messageAnnotations, body: .absent).encodedCarriage()
      + self.bare
  }
}

extension DeathReason {
  /// RabbitMQ knows no reason of its own for the undeliverable.
  fileprivate var rabbitMQText: String { self == .undeliverable ? DeathReason.rejected.rawValue : self.rawValue }

  fileprivate var serviceBusText: String {
    switch self {
    case .rejected: "Rejected"
    case .undeliverable: "Undeliverable"
    case .expired: "TTLExpiredException"
    case .deliveryLimit: "MaxDeliveryCountExceeded"
    }
  }

  fileprivate var serviceBusDescription: String? {
    switch self {
    case .rejected, .undeliverable: nil
    case .expired: "The message expired and was dead lettered."
    case .deliveryLimit: "Message could not be consumed after 10 delivery attempts."
    }
  }
}
