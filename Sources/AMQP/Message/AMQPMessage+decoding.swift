// SPDX-License-Identifier: Apache-2.0

extension AMQPMessage {
  /// Reads a whole message as a transfer carried it.
  ///
  /// Sections must stand in the spec's order, each at most once (data and sequence sections may repeat).
  /// - Throws: ``AMQPDecodingError``; nothing of the content is in it.
  public init(decoding bytes: [UInt8], limits: AMQPDecodingLimits = AMQPDecodingLimits()) throws(AMQPDecodingError) {
    try self.init(decoding: bytes, limits: limits, wantsBody: true)
  }

  /// Reads what stands before the body: header, annotations and properties. The body is `.absent`.
  package init(decodingBeforeBody bytes: [UInt8]) throws(AMQPDecodingError) {
    try self.init(decoding: bytes, limits: AMQPDecodingLimits(), wantsBody: false)
  }

  private init(decoding bytes: [UInt8], limits: AMQPDecodingLimits, wantsBody: Bool) throws(AMQPDecodingError) {
    self.init(header: nil, body: .absent)
    var decoder = AMQPDecoder(bytes, limits: limits)
    var last: UInt64 = 0
    while !decoder.isAtEnd {
      if !wantsBody, decoder.nextSectionIsBody { return }
      guard case .described(.ulong(let descriptor), let value) = try decoder.sectionValue() else {
        throw .unexpected("a section without a numeric descriptor")
      }
      let repeats = descriptor == last && (descriptor == SectionDescriptor.data || descriptor == SectionDescriptor.sequence)
      guard descriptor > last || repeats else { throw .unexpected("sections out of order") }
      last = descriptor
      try self.read(section: descriptor, value)
    }
  }

  private mutating func read(section descriptor: UInt64, _ value: AMQPValue) throws(AMQPDecodingError) {
    switch (descriptor, value) {
    case (SectionDescriptor.header, .list(let fields)): self.header = AMQPHeader(fields)
    case (SectionDescriptor.deliveryAnnotations, .map(let map)): self.deliveryAnnotations = map
    case (SectionDescriptor.messageAnnotations, .map(let map)): self.messageAnnotations = map
    case (SectionDescriptor.properties, .list(let fields)): self.properties = try AMQPProperties(fields)
    case (SectionDescriptor.applicationProperties, .map(let map)): self.applicationProperties = map
    case (SectionDescriptor.footer, .map(let map)): self.footer = map
    case (SectionDescriptor.data, .binary(let bytes)):
      if case .dataSections(let sections) = self.body {
        self.body = .dataSections(sections + [bytes])
      } else {
        try self.setBody(.dataSections([bytes]))
      }
    case (SectionDescriptor.sequence, .list(let elements)):
      if case .sequence(let lists) = self.body {
        self.body = .sequence(lists + [elements])
      } else {
        try self.setBody(.sequence([elements]))
      }
    case (SectionDescriptor.value, let value): try self.setBody(.value(value))
    default: throw .unexpected("section 0x\(String(descriptor, radix: 16)) of a wrong type, or unknown")
    }
  }

  private mutating func setBody(_ body: AMQPBody) throws(AMQPDecodingError) {
    guard self.body == .absent else { throw .unexpected("two kinds of body") }
    self.body = body
  }
}

extension AMQPDecoder {
  /// A described value whose descriptor may be given by symbol, which the spec allows; all numeric here.
  mutating func sectionValue() throws(AMQPDecodingError) -> AMQPValue {
    let value = try self.value()
    guard case .described(.symbol(let name), let inner) = value, let code = AMQPDecoder.sectionNames[name] else { return value }
    return .described(descriptor: .ulong(code), value: inner)
  }

  /// Whether a body section comes next, as far as its first bytes tell: all encoders we know write them so.
  var nextSectionIsBody: Bool {
    guard let code = self.smallDescriptor else { return false }
    return (SectionDescriptor.data...SectionDescriptor.value).contains(code)
  }

  private static let sectionNames: [String: UInt64] = [
    "amqp:header:list": SectionDescriptor.header, "amqp:delivery-annotations:map": SectionDescriptor.deliveryAnnotations,
    "amqp:message-annotations:map": SectionDescriptor.messageAnnotations, "amqp:properties:list": SectionDescriptor.properties,
    "amqp:application-properties:map": SectionDescriptor.applicationProperties, "amqp:data:binary": SectionDescriptor.data,
    "amqp:amqp-sequence:list": SectionDescriptor.sequence, "amqp:amqp-value:*": SectionDescriptor.value,
    "amqp:footer:map": SectionDescriptor.footer,
  ]
}

extension AMQPHeader {
  fileprivate init(_ fields: [AMQPValue]) {
    self.init(durable: false)
    if case .boolean(let durable)? = fields.first { self.durable = durable }
    if fields.count > 1, case .ubyte(let priority) = fields[1] { self.priority = priority }
    if fields.count > 2, case .uint(let milliseconds) = fields[2] { self.timeToLive = milliseconds }
    if fields.count > 3, case .boolean(let first) = fields[3] { self.firstAcquirer = first }
    if fields.count > 4, case .uint(let count) = fields[4] { self.deliveryCount = count }
  }
}

extension AMQPProperties {
  fileprivate init(_ fields: [AMQPValue]) throws(AMQPDecodingError) {
    guard fields.count <= 13 else { throw .unexpected("too many properties") }
    self.init()
    for (index, field) in fields.enumerated() where field != .null {
      switch (index, field) {
      case (0, let value): self.messageID = try AMQPMessageID(value)
      case (1, .binary(let bytes)): self.userID = bytes
      case (2, let value): self.to = try value.requiredText
      case (3, let value): self.subject = try value.requiredText
      case (4, let value): self.replyTo = try value.requiredText
      case (5, let value): self.correlationID = try AMQPMessageID(value)
      case (6, let value): self.contentType = try value.requiredText
      case (7, let value): self.contentEncoding = try value.requiredText
      case (8, .timestamp(let milliseconds)): self.absoluteExpiryTime = milliseconds
      case (9, .timestamp(let milliseconds)): self.creationTime = milliseconds
      case (10, let value): self.groupID = try value.requiredText
      case (11, .uint(let sequence)): self.groupSequence = sequence
      case (12, let value): self.replyToGroupID = try value.requiredText
      default: throw .unexpected("property \(index) of a wrong type")
      }
    }
  }
}

extension AMQPMessageID {
  fileprivate init(_ value: AMQPValue) throws(AMQPDecodingError) {
    switch value {
    case .ulong(let n): self = .ulong(n)
    case .uuid(let uuid): self = .uuid(uuid)
    case .binary(let bytes): self = .binary(bytes)
    case .string(let text): self = .string(text)
    default: throw .unexpected("an id of a wrong type")
    }
  }
}

extension AMQPValue {
  fileprivate var requiredText: String {
    get throws(AMQPDecodingError) {
      guard let text = self.text else { throw .unexpected("a text of a wrong type") }
      return text
    }
  }
}
