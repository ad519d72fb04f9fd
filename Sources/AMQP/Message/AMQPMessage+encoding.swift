// SPDX-License-Identifier: Apache-2.0

/// The descriptors of the message sections (spec 3.2).
enum SectionDescriptor {
  static let header: UInt64 = 0x70
  static let deliveryAnnotations: UInt64 = 0x71
  static let messageAnnotations: UInt64 = 0x72
  static let properties: UInt64 = 0x73
  static let applicationProperties: UInt64 = 0x74
  static let data: UInt64 = 0x75
  static let sequence: UInt64 = 0x76
  static let value: UInt64 = 0x77
  static let footer: UInt64 = 0x78
}

extension AMQPMessage {
  /// The message as a transfer carries it. Empty maps and an empty properties section are left out; a body never is.
  public func encoded() -> [UInt8] {
    var encoder = AMQPEncoder()
    var bodySize = 0
    if case .dataSections(let sections) = self.body { bodySize = sections.reduce(0) { $0 + $1.count } }
    encoder.reserve(bodySize + 512)
    encoder.carriage(self.header, self.deliveryAnnotations, self.messageAnnotations)
    if self.properties != AMQPProperties() {
      encoder.descriptor(SectionDescriptor.properties)
      encoder.fields(self.properties.fields)
    }
    encoder.section(SectionDescriptor.applicationProperties, self.applicationProperties)
    encoder.body(self.body)
    encoder.section(SectionDescriptor.footer, self.footer)
    return encoder.bytes
  }

  /// All that stands before the bytes of one data section of this length, its own header last.
  func encodedBeforeBody(dataLength: Int) -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.carriage(self.header, self.deliveryAnnotations, self.messageAnnotations)
    if self.properties != AMQPProperties() {
      encoder.descriptor(SectionDescriptor.properties)
      encoder.fields(self.properties.fields)
    }
    encoder.section(SectionDescriptor.applicationProperties, self.applicationProperties)
    encoder.descriptor(SectionDescriptor.data)
    // vbin32 (spec 1.6.19).
    return encoder.bytes + [0xb0] + withUnsafeBytes(of: UInt32(clamping: dataLength).bigEndian) { Array($0) }
  }

  /// The footer section alone; empty when there is none.
  func encodedFooter() -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.section(SectionDescriptor.footer, self.footer)
    return encoder.bytes
  }

  /// Only the sections that a broker on the way may change: they stand before the bare message, whose bytes stay as they are.
  package func encodedCarriage() -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.carriage(self.header, self.deliveryAnnotations, self.messageAnnotations)
    return encoder.bytes
  }
}

extension AMQPProperties {
  /// In the order of spec 3.2.4.
  fileprivate var fields: [AMQPValue?] {
    [
      self.messageID?.value, self.userID.map(AMQPValue.binary), self.to.map(AMQPValue.string),
      self.subject.map(AMQPValue.string), self.replyTo.map(AMQPValue.string), self.correlationID?.value,
      self.contentType.map(AMQPValue.symbol), self.contentEncoding.map(AMQPValue.symbol),
      self.absoluteExpiryTime.map(AMQPValue.timestamp), self.creationTime.map(AMQPValue.timestamp),
      self.groupID.map(AMQPValue.string), self.groupSequence.map(AMQPValue.uint), self.replyToGroupID.map(AMQPValue.string),
    ]
  }
}

extension AMQPMessageID {
  var value: AMQPValue {
    switch self {
    case .ulong(let n): .ulong(n)
    case .uuid(let uuid): .uuid(uuid)
    case .binary(let bytes): .binary(bytes)
    case .string(let text): .string(text)
    }
  }
}

extension AMQPEncoder {
  /// A composite's fields: absent ones are null, trailing ones are left out.
  mutating func fields(_ fields: [AMQPValue?]) {
    let count = (fields.lastIndex { $0 != nil } ?? -1) + 1
    self.list { encoder in
      for field in fields.prefix(count) { encoder.encode(field ?? .null) }
      return count
    }
  }

  fileprivate mutating func carriage(_ header: AMQPHeader?, _ delivery: AMQPMap, _ message: AMQPMap) {
    if let header {
      self.descriptor(SectionDescriptor.header)
      self.fields([
        .boolean(header.durable), header.priority.map(AMQPValue.ubyte), header.timeToLive.map(AMQPValue.uint),
        header.firstAcquirer ? .boolean(true) : nil, header.deliveryCount > 0 ? .uint(header.deliveryCount) : nil,
      ])
    }
    self.section(SectionDescriptor.deliveryAnnotations, delivery)
    self.section(SectionDescriptor.messageAnnotations, message)
  }

  fileprivate mutating func section(_ descriptor: UInt64, _ map: AMQPMap) {
    guard !map.isEmpty else { return }
    self.descriptor(descriptor)
    self.map(map)
  }

  fileprivate mutating func body(_ body: AMQPBody) {
    switch body {
    case .dataSections(let sections) where !sections.isEmpty:
      for bytes in sections {
        self.descriptor(SectionDescriptor.data)
        self.binary(bytes)
      }
    case .sequence(let sections) where !sections.isEmpty:
      for elements in sections {
        self.descriptor(SectionDescriptor.sequence)
        self.encode(.list(elements))
      }
    case .value(let value):
      self.descriptor(SectionDescriptor.value)
      self.encode(value)
    case .dataSections, .sequence, .absent:
      self.descriptor(SectionDescriptor.data)
      self.binary(EmptyCollection())
    }
  }
}
