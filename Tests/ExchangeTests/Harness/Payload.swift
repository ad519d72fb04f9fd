// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// Sections of messages, well formed or not.
enum Payload {
  static func section(_ descriptor: UInt64, _ value: AMQPValue) -> [UInt8] {
    AMQPValue.described(descriptor: .ulong(descriptor), value: value).encoded()
  }

  static func header(_ fields: [AMQPValue]) -> [UInt8] { self.section(0x70, .list(fields)) }
  static func deliveryAnnotations(_ map: AMQPMap) -> [UInt8] { self.section(0x71, .map(map)) }
  static func messageAnnotations(_ map: AMQPMap) -> [UInt8] { self.section(0x72, .map(map)) }
  static func properties(_ fields: [AMQPValue]) -> [UInt8] { self.section(0x73, .list(fields)) }
  static func applicationProperties(_ map: AMQPMap) -> [UInt8] { self.section(0x74, .map(map)) }
  static func data(_ text: String) -> [UInt8] { self.section(0x75, .binary(Array(text.utf8))) }
  static func value(_ value: AMQPValue) -> [UInt8] { self.section(0x77, value) }

  static let durable = header([.boolean(true)])
  /// A durable message with one data section.
  static let plain = durable + data("hello")

  static func symbols(_ entries: [(String, AMQPValue)]) -> AMQPMap {
    AMQPMap(entries.map { AMQPMap.Entry(key: .symbol($0.0), value: $0.1) })
  }

  /// Ids and addresses: message-id, user-id, to, subject, reply-to, correlation-id.
  static func ids(
    _ messageID: String? = nil, user: String? = nil, to: String? = nil, subject: String? = nil, replyTo: String? = nil
  ) -> [UInt8] {
    var fields: [AMQPValue] = [
      messageID.map(AMQPValue.string) ?? .null, user.map { .binary(Array($0.utf8)) } ?? .null,
      to.map(AMQPValue.string) ?? .null, subject.map(AMQPValue.string) ?? .null, replyTo.map(AMQPValue.string) ?? .null,
    ]
    while fields.last == .null { fields.removeLast() }
    return self.properties(fields)
  }
}

/// What a receiver can say of a delivery.
enum Outcome {
  private static func state(_ code: UInt64, _ fields: [AMQPValue] = []) -> AMQPValue {
    .described(descriptor: .ulong(code), value: .list(fields))
  }

  static let accepted = state(0x24)
  static let rejected = state(0x25)
  static let released = state(0x26)
  static let failed = state(0x27, [.boolean(true)])
  static let undeliverable = state(0x27, [.boolean(true), .boolean(true)])
  static let annotated = state(
    0x27, [.boolean(true), .boolean(false), .map(Payload.symbols([("x-opt-mark", .string("m"))]))])
}
