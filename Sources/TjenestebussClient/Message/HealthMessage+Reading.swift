// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

extension HealthMessage {
  /// Reads what another system wrote.
  ///
  /// Strict about the five fields that receivers check, and about the message id, which is the key by which duplicates are
  /// known. Tolerant in what senders do differently: numbers instead of texts in application properties, a full address in
  /// `reply-to` (its queue name is taken), UUIDs or numbers as ids, several data sections (put together), a body of one binary
  /// value or none at all, `cpa-id` for `cpaId`. `to` is not looked at: some write a queue name, some a full address.
  ///
  /// - Throws: ``TjenestebussError``: `messageFieldsInvalid` with all names that are missing or malformed,
  ///   `messageBodyUnreadable`. Neither holds a value.
  public init(reading message: AMQPMessage) throws(TjenestebussError) {
    let own = message.applicationProperties
    let properties = message.properties
    var invalid: [String] = []
    func required<Value>(_ name: String, _ value: Value?) -> Value? {
      if value == nil { invalid.append(name) }
      return value
    }
    let from = required(PropertyName.from, own[PropertyName.from]?.plainText.flatMap { try? HerID(text: $0) })
    let to = required(PropertyName.to, own[PropertyName.to]?.plainText.flatMap { try? HerID(text: $0) })
    let subject = required("subject", properties.subject.flatMap { $0.isEmpty ? nil : $0 })
    let timestamp = required(PropertyName.timestamp, own[PropertyName.timestamp].flatMap(Self.timestamp))
    let contentType = required("content-type", properties.contentType.flatMap { $0.isEmpty ? nil : $0 })
    let messageID = required("message-id", (properties.messageID?.description).flatMap { $0.isEmpty ? nil : $0 })
    guard let from, let to, let subject, let timestamp, let contentType, let messageID else {
      throw .messageFieldsInvalid(invalid)
    }
    self.init(
      messageID: messageID, from: from, to: to, subject: subject, contentType: contentType, timestamp: timestamp,
      correlationID: properties.correlationID?.description, replyTo: properties.replyTo.map(Self.queueName),
      timeToLiveMilliseconds: message.header?.timeToLive, cpaID: (own[PropertyName.cpaID] ?? own["cpa-id"])?.plainText,
      properties: Self.furtherProperties(own), body: try Self.bytes(message.body))
  }

  /// The short queue name of a queue name or a full address.
  static func queueName(_ text: String) -> String {
    String(text.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
  }

  private static func timestamp(_ value: AMQPValue) -> MessageTimestamp? {
    if case .timestamp(let milliseconds) = value {
      return MessageTimestamp(secondsSinceEpoch: milliseconds / 1_000)
    }
    return value.plainText.flatMap { MessageTimestamp($0) }
  }

  /// The application properties beside the form's own, as texts; what has no text form (maps, lists, binary) is left out.
  private static func furtherProperties(_ map: AMQPMap) -> [String: String] {
    let own: Set<String> = [
      PropertyName.from, PropertyName.to, PropertyName.timestamp, PropertyName.cpaID, PropertyName.enqueued, "cpa-id",
    ]
    var further: [String: String] = [:]
    for entry in map.entries {
      guard let name = entry.key.text, !name.isEmpty, !own.contains(name), let text = entry.value.plainText else { continue }
      further[name] = text
    }
    return further
  }

  private static func bytes(_ body: AMQPBody) throws(TjenestebussError) -> [UInt8] {
    switch body {
    case .dataSections: return body.bytes ?? []
    case .absent: return []
    case .value(.binary(let bytes)): return bytes
    case .value(.string(let text)): return Array(text.utf8)
    case .value(.null): return []
    case .value: throw .messageBodyUnreadable("an amqp-value that is neither binary nor text")
    case .sequence: throw .messageBodyUnreadable("an amqp-sequence")
    }
  }
}

extension AMQPValue {
  /// The text form of texts, numbers, booleans and UUIDs; nil for anything else.
  package var plainText: String? {
    if let text { return text }
    if let integer { return String(integer) }
    return switch self {
    case .ulong(let n): String(n)
    case .boolean(let flag): String(flag)
    case .float(let n): String(n)
    case .double(let n): String(n)
    case .uuid(let uuid): AMQPMessageID.uuid(uuid).description
    default: nil
    }
  }
}
