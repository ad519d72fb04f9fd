// SPDX-License-Identifier: Apache-2.0

/// One way in which a message died in one queue, as RabbitMQ 4 counts them (`x-opt-deaths`).
public struct AMQPDeath: Sendable, Hashable {
  public var queue: String
  public var reason: AMQPDeadLetter.Reason
  /// How often it died there for this reason.
  public var count: Int64
  /// In milliseconds since 1970.
  public var firstTime: Int64?
  /// In milliseconds since 1970.
  public var lastTime: Int64?
  /// The exchange it had been sent to; empty for the default exchange.
  public var exchange: String?
  public var routingKeys: [String]
}

/// Why a message lies in a dead-letter queue, in the words of RabbitMQ 4 or Service Bus. RabbitMQ 3 tells AMQP 1.0 clients
/// nothing of it.
public struct AMQPDeadLetter: Sendable, Hashable {
  /// Why it died. Not an enumeration: buses have reasons of their own, and applications too.
  public struct Reason: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { self.text = value }
    public var description: String { self.text }

    /// A receiver rejected it (RabbitMQ).
    public static let rejected: Reason = "rejected"
    /// Its time ran out (RabbitMQ).
    public static let expired: Reason = "expired"
    /// The queue was full (RabbitMQ).
    public static let maxlen: Reason = "maxlen"
    /// It was delivered too often (RabbitMQ, quorum queues).
    public static let deliveryLimit: Reason = "delivery_limit"
    /// It was delivered too often (Service Bus).
    public static let maxDeliveryCountExceeded: Reason = "MaxDeliveryCountExceeded"
    /// Its time ran out (Service Bus).
    public static let ttlExpired: Reason = "TTLExpiredException"
  }

  /// The first reason, which is the one to look into.
  public var reason: Reason?
  /// The queue it first died in. `x-first-death-queue`, or Service Bus's `x-opt-deadletter-source`.
  public var queue: String?
  /// The exchange it had been sent to when it first died; empty for the default exchange.
  public var exchange: String?
  /// The latest reason (RabbitMQ).
  public var lastReason: Reason?
  /// The queue it died in last (RabbitMQ).
  public var lastQueue: String?
  /// What the one who dead-lettered it wrote (Service Bus: `DeadLetterErrorDescription`). Another system's words, which may
  /// hold content: not for logs.
  public var errorDescription: String?
  /// Every queue and reason, latest first as RabbitMQ 4 gives them.
  public var deaths: [AMQPDeath]

  init?(_ annotations: AMQPMap, _ applicationProperties: AMQPMap) {
    func text(_ key: String) -> String? { annotations[key]?.text }
    self.deaths = AMQPDeath.list(annotations["x-opt-deaths"])
    self.reason = (text("x-first-death-reason") ?? applicationProperties["DeadLetterReason"]?.text).map { Reason($0) }
    self.queue = text("x-first-death-queue") ?? annotations["x-opt-deadletter-source"]?.text
    self.exchange = text("x-first-death-exchange")
    self.lastReason = text("x-last-death-reason").map { Reason($0) }
    self.lastQueue = text("x-last-death-queue")
    self.errorDescription = applicationProperties["DeadLetterErrorDescription"]?.text
    if self.reason == nil, self.queue == nil, self.deaths.isEmpty, self.errorDescription == nil { return nil }
    // RabbitMQ 4.0 gives the list and the first; what is missing is in the list.
    if self.lastQueue == nil { self.lastQueue = self.deaths.first?.queue }
    if self.lastReason == nil { self.lastReason = self.deaths.first?.reason }
  }
}

extension AMQPDeath {
  /// An array of maps; what does not read as a death is left out.
  static func list(_ value: AMQPValue?) -> [AMQPDeath] {
    let elements: [AMQPValue] =
      switch value {
      case .array(let elements)?, .list(let elements)?: elements
      default: []
      }
    return elements.compactMap(AMQPDeath.init)
  }

  private init?(_ value: AMQPValue) {
    guard case .map(let map) = value, let queue = map["queue"]?.text, let reason = map["reason"]?.text else {
      return nil
    }
    self.queue = queue
    self.reason = AMQPDeadLetter.Reason(reason)
    self.count = map["count"]?.integer ?? 1
    self.firstTime = map["first-time"]?.integer
    self.lastTime = map["last-time"]?.integer
    self.exchange = map["exchange"]?.text
    self.routingKeys =
      switch map["routing-keys"] {
      case .array(let keys)?, .list(let keys)?: keys.compactMap(\.text)
      default: []
      }
  }
}

extension AMQPMessage {
  /// Whether and why it was dead-lettered; nil when nothing in it says so.
  public var deadLetter: AMQPDeadLetter? { AMQPDeadLetter(self.messageAnnotations, self.applicationProperties) }

  /// Where and why it died, as RabbitMQ 4 lists it; empty elsewhere.
  public var deaths: [AMQPDeath] { AMQPDeath.list(self.messageAnnotations["x-opt-deaths"]) }
}
