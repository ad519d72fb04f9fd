// SPDX-License-Identifier: Apache-2.0

import TjenestebussTesting

@testable import AMQP

/// Turns what a broker says into lines that are the same each time: without ids, times and texts that vary.
struct FrameLines {
  /// Names of this play, and what stands for them in the transcript.
  var names: [(String, String)] = []

  /// Words of error texts that are worth keeping, because they tell one reason from another.
  private static let keptWords = [
    "reserved_annotation_key", "missing_amqp_message_body", "amqp_address_v1_not_permitted", "unexpected_message_section",
    "function_clause", "badarg", "Unrecognised state", "connection_closing", "Connection forced", "shutdown", "send_drained",
    "idle timeout threshold", "CONNECTION_FORCED",
  ]

  func plain(_ text: String) -> String {
    let plain = self.names.reduce(text) { $0.replacing($1.0, with: $1.1) }
    // The name of a node.
    return plain.hasSuffix("@localhost") ? "NODE" : plain
  }

  // MARK: Frames

  func line(code: UInt64, _ fields: [AMQPValue]) -> String {
    switch code {
    case AMQPFrame.Code.saslMechanisms:
      let offered: [String] =
        if case .array(let list)? = fields.first { list.compactMap(\.text) } else { [fields.first?.text ?? "?"] }
      return "mechanisms \(offered.joined(separator: " "))"
    case AMQPFrame.Code.saslOutcome: return "sasl-outcome \(fields.integer(0) ?? -1)"
    case AMQPFrame.Code.open:
      let numbers = ["max-frame-size": 2, "channel-max": 3, "idle-time-out": 4].sorted { $0.value < $1.value }
      return (["open"] + numbers.map { "\($0.key)=\(fields.integer($0.value).map(String.init) ?? "none")" }).joined(
        separator: " ")
    case AMQPFrame.Code.begin: return "begin"
    case AMQPFrame.Code.attach: return self.attach(fields)
    case AMQPFrame.Code.detach: return "detach\(fields.isTrue(1) ? " closed" : "")\(self.error(fields.at(2)))"
    case AMQPFrame.Code.end: return "end\(self.error(fields.at(0)))"
    case AMQPFrame.Code.close: return "close\(self.error(fields.at(0)))"
    default: return "performative \(code)"
    }
  }

  private func attach(_ fields: [AMQPValue]) -> String {
    var parts = ["attach", fields.isTrue(2) ? "receiver" : "sender"]
    parts.append("source=\(self.terminus(fields.at(5), isSource: true))")
    parts.append("target=\(self.terminus(fields.at(6), isSource: false))")
    if let mode = fields.integer(3) { parts.append("snd-settle-mode=\(mode)") }
    if let mode = fields.integer(4) { parts.append("rcv-settle-mode=\(mode)") }
    if let size = fields.integer(10), size > 0 { parts.append("max-message-size=\(size)") }
    return parts.joined(separator: " ")
  }

  private func terminus(_ value: AMQPValue?, isSource: Bool) -> String {
    guard case .described(_, .list(let fields))? = value else { return "null" }
    var text = fields.at(0)?.text.map(self.plain) ?? "without-address"
    if isSource, let mode = fields.at(6)?.text { text += "(\(mode))" }
    return text
  }

  func error(_ value: AMQPValue?) -> String {
    guard case .described(_, .list(let fields))? = value else { return "" }
    let text = fields.at(1)?.text ?? ""
    let words = FrameLines.keptWords.filter { text.contains($0) }.map { " {\($0)}" }
    return " \(fields.at(0)?.text ?? "?")\(words.joined())"
  }

  func outcome(_ value: AMQPValue?) -> String {
    guard case .described(.ulong(let code), let inner)? = value else { return "without outcome" }
    let fields: [AMQPValue] = if case .list(let list) = inner { list } else { [] }
    switch code {
    case 0x23: return "received"
    case 0x24: return "accepted"
    case 0x25: return "rejected\(self.error(fields.at(0)))"
    case 0x26: return "released"
    case 0x27: return "modified failed=\(fields.isTrue(0)) undeliverable-here=\(fields.isTrue(1))"
    default: return "outcome \(code)"
    }
  }

  // MARK: Messages

  private static let headerNames = ["durable", "priority", "ttl", "first-acquirer", "delivery-count"]
  private static let headerDefaults: [AMQPValue] = [.boolean(false), .ubyte(4), .null, .boolean(false), .uint(0)]
  private static let propertyNames = [
    "message-id", "user-id", "to", "subject", "reply-to", "correlation-id", "content-type", "content-encoding",
    "absolute-expiry-time", "creation-time", "group-id", "group-sequence", "reply-to-group-id",
  ]

  /// One line for each section.
  func message(_ payload: [UInt8]) -> [String] {
    guard let sections = try? AMQPMessageSections(payload) else { return ["unreadable"] }
    if payload.isEmpty { return ["empty"] }
    return sections.sections.map { section in
      let bytes = Array(payload[section.range])
      var decoder = AMQPDecoder(bytes)
      guard case .described(_, let value)? = try? decoder.value() else { return "unreadable" }
      return self.section(section.descriptor, value, size: bytes.count)
    }
  }

  private func section(_ descriptor: UInt64, _ value: AMQPValue, size: Int) -> String {
    switch (descriptor, value) {
    case (0x70, .list(let fields)):
      let said = zip(FrameLines.headerNames, FrameLines.headerDefaults).enumerated().compactMap { index, field in
        let value = fields.at(index).flatMap { $0 == .null ? nil : $0 } ?? field.1
        return value == field.1 ? nil : "\(field.0)=\(self.text(value))"
      }
      return "header \(said.joined(separator: " "))"
    case (0x71, .map(let map)): return "delivery-annotations \(self.text(map))"
    case (0x72, .map(let map)): return "message-annotations \(self.text(map))"
    case (0x73, .list(let fields)):
      let said = fields.enumerated().compactMap { index, value -> String? in
        guard value != .null else { return nil }
        return "\(FrameLines.propertyNames.indices.contains(index) ? FrameLines.propertyNames[index] : "?")=\(self.text(value))"
      }
      return "properties \(said.joined(separator: " "))"
    case (0x74, .map(let map)): return "application-properties \(self.text(map))"
    case (0x75, .binary(let bytes)): return bytes.count > 64 ? "data of \(bytes.count) bytes" : "data \(self.text(value))"
    case (0x76, _): return "amqp-sequence \(self.text(value))"
    case (0x77, _): return "amqp-value \(self.text(value))"
    case (0x78, .map(let map)): return "footer \(self.text(map))"
    default: return "section \(descriptor) of \(size) bytes"
    }
  }

  private func text(_ map: AMQPMap) -> String {
    map.entries.map { "\(self.text($0.key))=\(self.text($0.value))" }.sorted().joined(separator: " ")
  }

  func text(_ value: AMQPValue) -> String {
    switch value {
    case .null: return "null"
    case .boolean(let flag): return String(flag)
    case .timestamp: return "<time>"
    case .string(let text): return "\"\(self.plain(text))\""
    case .symbol(let text): return ":\(self.plain(text))"
    case .binary(let bytes): return "<\(String(decoding: bytes, as: UTF8.self))>"
    case .list(let elements): return "[\(elements.map(self.text).joined(separator: " "))]"
    case .array(let elements): return "array[\(elements.map(self.text).joined(separator: " "))]"
    case .map(let map): return "{\(self.text(map))}"
    case .uuid: return "<uuid>"
    case .described(let descriptor, let inner): return "\(self.text(descriptor))(\(self.text(inner)))"
    default: return value.integer.map(String.init) ?? "<\(value)>"
    }
  }
}

extension [AMQPValue] {
  func at(_ index: Int) -> AMQPValue? { self.indices.contains(index) ? self[index] : nil }
  func integer(_ index: Int) -> Int64? { self.at(index)?.integer }
  func isTrue(_ index: Int) -> Bool { self.at(index) == .boolean(true) }
}
