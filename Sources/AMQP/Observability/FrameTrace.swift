// SPDX-License-Identifier: Apache-2.0

/// One frame in words, without content and secrets: what may be said of each performative is listed, all else is left out.
struct FrameTrace: Equatable {
  var performative: String
  var channel: UInt16?
  /// "handle=0 delivery-id=5".
  var fields: String
  /// The bytes of message that the frame carried; never the bytes themselves.
  var payloadBytes: Int

  init(_ frame: AMQPFrame) {
    self.channel = nil
    self.payloadBytes = 0
    switch frame {
    case .header(let protocolID, let version):
      self.performative = "header"
      self.fields = "protocol=\(protocolID) version=\(version.map(String.init).joined(separator: "."))"
    case .empty(let channel):
      self.performative = "heartbeat"
      self.channel = channel
      self.fields = ""
    case .performative(let channel, let isSASL, let code, let values, let payload):
      let shape = FrameTrace.shapes[code]
      self.performative = shape?.name ?? "0x\(String(code, radix: 16))"
      self.channel = isSASL ? nil : channel
      self.payloadBytes = payload.count
      var fields: [String] = []
      for (index, name, show) in shape?.fields ?? [] where index < values.count {
        if let text = show(values[index]) { fields.append("\(name)=\(text)") }
      }
      self.fields = fields.joined(separator: " ")
    }
  }

  private typealias Show = @Sendable (AMQPValue) -> String?

  private struct Shape: Sendable {
    let name: String
    let fields: [(index: Int, name: String, show: Show)]
    init(_ name: String, _ fields: (Int, String, Show)...) {
      self.name = name
      self.fields = fields.map { (index: $0.0, name: $0.1, show: $0.2) }
    }
  }

  private static let shapes: [UInt64: Shape] = [
    0x10: Shape(
      "open", (0, "container-id", name), (1, "hostname", name), (2, "max-frame-size", number), (3, "channel-max", number),
      (4, "idle-time-out", number)),
    0x11: Shape(
      "begin", (0, "remote-channel", number), (1, "next-outgoing-id", number), (2, "incoming-window", number),
      (3, "outgoing-window", number), (4, "handle-max", number)),
    0x12: Shape(
      "attach", (0, "name", name), (1, "handle", number), (2, "role", role), (3, "snd-settle-mode", number),
      (4, "rcv-settle-mode", number), (5, "source", address), (6, "target", address), (9, "initial-delivery-count", number),
      (10, "max-message-size", number)),
    0x13: Shape(
      "flow", (0, "next-incoming-id", number), (1, "incoming-window", number), (2, "next-outgoing-id", number),
      (3, "outgoing-window", number), (4, "handle", number), (5, "delivery-count", number), (6, "link-credit", number),
      (7, "available", number), (8, "drain", flag), (9, "echo", flag)),
    0x14: Shape(
      "transfer", (0, "handle", number), (1, "delivery-id", number), (4, "settled", flag), (5, "more", flag), (9, "aborted", flag)
    ),
    0x15: Shape(
      "disposition", (0, "role", role), (1, "first", number), (2, "last", number), (3, "settled", flag), (4, "state", outcome)),
    0x16: Shape("detach", (0, "handle", number), (1, "closed", flag), (2, "error", condition)),
    0x17: Shape("end", (0, "error", condition)),
    0x18: Shape("close", (0, "error", condition)),
    0x40: Shape("sasl-mechanisms", (0, "mechanisms", names)),
    // The initial response is the password.
    0x41: Shape("sasl-init", (0, "mechanism", name)),
    0x42: Shape("sasl-challenge"),
    0x43: Shape("sasl-response"),
    0x44: Shape("sasl-outcome", (0, "code", number)),
  ]

  private static let number: Show = { $0.integer.map(String.init) }
  private static let flag: Show = { if case .boolean(let flag) = $0 { flag ? "true" : "false" } else { nil } }
  private static let role: Show = { if case .boolean(let flag) = $0 { flag ? "receiver" : "sender" } else { nil } }
  /// Names and addresses: they hold queue names. Kept short and on one line.
  private static let name: Show = { $0.text.map { PeerWords.shown(String($0.prefix(200))) } }
  private static let names: Show = { value in
    if case .array(let values) = value { return values.prefix(32).compactMap(\.text).joined(separator: ",") }
    return value.text
  }
  /// Source or target: its address, or that there is none.
  private static let address: Show = { value in
    guard case .described(_, .list(let fields)) = value else { return value == .null ? nil : "?" }
    return fields.first.flatMap(FrameTrace.name) ?? "null"
  }
  private static let condition: Show = { value in
    guard case .described(_, .list(let fields)) = value, let name = fields.first?.text else { return nil }
    return AMQPCondition(name, text: fields.count > 1 ? fields[1].text : nil).description
  }
  private static let outcome: Show = { value in
    guard case .described(.ulong(let code), let inner) = value else { return nil }
    switch code {
    case 0x23: return "received"
    case 0x24: return "accepted"
    case 0x25:
      guard case .list(let fields) = inner, let error = fields.first.flatMap(FrameTrace.condition) else { return "rejected" }
      return "rejected(\(error))"
    case 0x26: return "released"
    case 0x27: return "modified"
    default: return "0x\(String(code, radix: 16))"
    }
  }
}
