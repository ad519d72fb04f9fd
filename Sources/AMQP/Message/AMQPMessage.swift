// SPDX-License-Identifier: Apache-2.0

/// A message with all sections of AMQP 1.0 (spec 3.2).
///
/// Written, it always has a body section: RabbitMQ 4 ends the session of a sender whose message has none.
/// Its description holds no content.
public struct AMQPMessage: Sendable, Hashable, CustomStringConvertible {
  /// Absent when nil. RabbitMQ 4.2 and later treat a message without it as not durable.
  public var header: AMQPHeader?
  public var deliveryAnnotations: AMQPMap
  public var messageAnnotations: AMQPMap
  public var properties: AMQPProperties
  public var applicationProperties: AMQPMap
  public var body: AMQPBody
  public var footer: AMQPMap

  /// A durable message: what `header` defaults to survives a restart of the broker.
  public init(
    header: AMQPHeader? = AMQPHeader(durable: true), deliveryAnnotations: AMQPMap = [:], messageAnnotations: AMQPMap = [:],
    properties: AMQPProperties = AMQPProperties(), applicationProperties: AMQPMap = [:], body: AMQPBody, footer: AMQPMap = [:]
  ) {
    self.header = header
    self.deliveryAnnotations = deliveryAnnotations
    self.messageAnnotations = messageAnnotations
    self.properties = properties
    self.applicationProperties = applicationProperties
    self.body = body
    self.footer = footer
  }

  public var description: String { "message \(self.properties.messageID.map(String.init(describing:)) ?? "without id")" }
}

/// The header section (spec 3.2.1): how the message is to be carried.
public struct AMQPHeader: Sendable, Hashable {
  public var durable: Bool
  /// Nil stands for the default, 4.
  public var priority: UInt8?
  /// Time to live in milliseconds; nil for no limit.
  public var timeToLive: UInt32?
  public var firstAcquirer: Bool
  /// Unsuccessful deliveries before this one.
  public var deliveryCount: UInt32

  public init(
    durable: Bool, priority: UInt8? = nil, timeToLive: UInt32? = nil, firstAcquirer: Bool = false, deliveryCount: UInt32 = 0
  ) {
    self.durable = durable
    self.priority = priority
    self.timeToLive = timeToLive
    self.firstAcquirer = firstAcquirer
    self.deliveryCount = deliveryCount
  }
}

/// The properties section (spec 3.2.4): part of the bare message, immutable from sender to receiver.
public struct AMQPProperties: Sendable, Hashable {
  public var messageID: AMQPMessageID?
  public var userID: [UInt8]?
  public var to: String?
  public var subject: String?
  public var replyTo: String?
  public var correlationID: AMQPMessageID?
  public var contentType: String?
  public var contentEncoding: String?
  /// Milliseconds since 1970.
  public var absoluteExpiryTime: Int64?
  /// Milliseconds since 1970.
  public var creationTime: Int64?
  public var groupID: String?
  public var groupSequence: UInt32?
  public var replyToGroupID: String?

  public init(
    messageID: AMQPMessageID? = nil, userID: [UInt8]? = nil, to: String? = nil, subject: String? = nil, replyTo: String? = nil,
    correlationID: AMQPMessageID? = nil, contentType: String? = nil, contentEncoding: String? = nil,
    absoluteExpiryTime: Int64? = nil, creationTime: Int64? = nil, groupID: String? = nil, groupSequence: UInt32? = nil,
    replyToGroupID: String? = nil
  ) {
    self.messageID = messageID
    self.userID = userID
    self.to = to
    self.subject = subject
    self.replyTo = replyTo
    self.correlationID = correlationID
    self.contentType = contentType
    self.contentEncoding = contentEncoding
    self.absoluteExpiryTime = absoluteExpiryTime
    self.creationTime = creationTime
    self.groupID = groupID
    self.groupSequence = groupSequence
    self.replyToGroupID = replyToGroupID
  }
}

/// A message or correlation id (spec 3.2.11 to 3.2.14).
public enum AMQPMessageID: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
  case ulong(UInt64)
  case uuid(AMQPUUID)
  case binary([UInt8])
  case string(String)

  public init(stringLiteral value: String) { self = .string(value) }

  /// A text for logs and look-ups: strings as they are, UUIDs in the usual form, binary in hexadecimal.
  public var description: String {
    func hex(_ n: UInt64) -> String {
      let digits = String(n, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    switch self {
    case .ulong(let n): return String(n)
    case .string(let text): return text
    case .binary(let bytes):
      return bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    case .uuid(let uuid):
      let all = hex(uuid.high) + hex(uuid.low)
      var parts: [Substring] = []
      var rest = all[...]
      for length in [8, 4, 4, 4, 12] {
        parts.append(rest.prefix(length))
        rest = rest.dropFirst(length)
      }
      return parts.joined(separator: "-")
    }
  }
}

/// The body (spec 3.2.5): one or more data sections, one or more sequences, or one value.
public enum AMQPBody: Sendable, Hashable {
  case dataSections([[UInt8]])
  case sequence([[AMQPValue]])
  case value(AMQPValue)
  /// Read from a peer that sent no body section at all. Written, it becomes one empty data section.
  case absent

  /// One data section.
  public static func data(_ bytes: [UInt8]) -> AMQPBody { .dataSections([bytes]) }

  /// The bytes of all data sections together; nil for any other kind of body.
  public var bytes: [UInt8]? {
    guard case .dataSections(let sections) = self else { return nil }
    return sections.count == 1 ? sections[0] : Array(sections.joined())
  }
}
