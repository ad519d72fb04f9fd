// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A frame with its performative (AMQP 1.0 part 2.7 and 5.3.3), as a ``ScriptedPeer`` reads and writes it.
///
/// Fields are reached by their names of the specification. Nothing checks them on the way out: a script may say what is wrong.
///
/// ```swift
/// var frame = PeerFrame(.detach, channel: 0)
/// frame[.handle] = .uint(3)
/// frame[.closed] = true
/// ```
public struct PeerFrame: Sendable, Hashable, CustomStringConvertible {
  /// Which performative.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case open, begin, attach, flow, transfer, disposition, detach, end, close
    case saslMechanisms = "sasl-mechanisms"
    case saslInit = "sasl-init"
    case saslChallenge = "sasl-challenge"
    case saslResponse = "sasl-response"
    case saslOutcome = "sasl-outcome"
  }

  /// The fields that performatives have, by the names of the specification.
  public enum Field: String, Sendable, Hashable, CaseIterable {
    case containerID = "container-id"
    case hostname
    case maxFrameSize = "max-frame-size"
    case channelMax = "channel-max"
    case idleTimeout = "idle-time-out"
    case outgoingLocales = "outgoing-locales"
    case incomingLocales = "incoming-locales"
    case offeredCapabilities = "offered-capabilities"
    case desiredCapabilities = "desired-capabilities"
    case properties
    case remoteChannel = "remote-channel"
    case nextOutgoingID = "next-outgoing-id"
    case incomingWindow = "incoming-window"
    case outgoingWindow = "outgoing-window"
    case handleMax = "handle-max"
    case name, handle, role
    case sndSettleMode = "snd-settle-mode"
    case rcvSettleMode = "rcv-settle-mode"
    case source, target, unsettled
    case incompleteUnsettled = "incomplete-unsettled"
    case initialDeliveryCount = "initial-delivery-count"
    case maxMessageSize = "max-message-size"
    case nextIncomingID = "next-incoming-id"
    case deliveryCount = "delivery-count"
    case linkCredit = "link-credit"
    case available, drain, echo
    case deliveryID = "delivery-id"
    case deliveryTag = "delivery-tag"
    case messageFormat = "message-format"
    case settled, more, state, resume, aborted, batchable, first, last, closed, error
    case saslServerMechanisms = "sasl-server-mechanisms"
    case mechanism
    case initialResponse = "initial-response"
    case challenge, response, code
    case additionalData = "additional-data"
  }

  public var kind: Kind
  /// Always 0 for SASL.
  public var channel: UInt16
  /// In the order of the specification; trailing nulls may be missing.
  public var fields: [AMQPValue]
  /// What follows the performative: part of a message in a transfer, nothing in the others.
  public var payload: [UInt8]

  public init(_ kind: Kind, channel: UInt16 = 0, fields: [AMQPValue] = [], payload: [UInt8] = []) {
    self.kind = kind
    self.channel = channel
    self.fields = fields
    self.payload = payload
  }

  /// A field's value; null when it is not there. Asking for a field that this performative does not have is a mistake in the
  /// script and traps.
  public subscript(field: Field) -> AMQPValue {
    get {
      let index = self.index(of: field)
      return index < self.fields.count ? self.fields[index] : .null
    }
    set {
      let index = self.index(of: field)
      while self.fields.count <= index { self.fields.append(.null) }
      self.fields[index] = newValue
    }
  }

  private func index(of field: Field) -> Int {
    let index = self.kind.fields.firstIndex(of: field)
    precondition(index != nil, "a \(self.kind.rawValue) has no field \(field.rawValue)")
    return index ?? 0
  }

  /// The frame as it goes on the wire.
  public var encoded: [UInt8] {
    PeerEncoder.frame(
      type: self.kind.isSASL ? 1 : 0, channel: self.channel, code: self.kind.code, fields: self.fields, payload: self.payload)
  }

  /// The performative and its fields by name, without anything that could be content: of binaries, of the payload and of an
  /// answer to a login only the sizes are told.
  public var description: String {
    let fields = zip(self.kind.fields, self.fields).filter { $0.1 != .null }
      .map { field, value in "\(field.rawValue): \(PeerFrame.shown(value))" }
    let payload = self.payload.isEmpty ? [] : ["\(self.payload.count) bytes of payload"]
    let channel = self.kind.isSASL ? "" : " on channel \(self.channel)"
    return "\(self.kind.rawValue)\(channel) (\((fields + payload).joined(separator: ", ")))"
  }

  /// A value as diffs show it.
  static func shown(_ value: AMQPValue) -> String {
    switch value {
    case .null: "null"
    case .boolean(let flag): "\(flag)"
    case .string(let text): "\"\(text)\""
    case .symbol(let text): text
    case .binary(let data): "(\(data.count) bytes)"
    case .list(let elements): "[\(elements.map(shown).joined(separator: ", "))]"
    case .array(let elements): "[\(elements.map(shown).joined(separator: ", "))]"
    case .map(let map): "{\(map.entries.map { "\(shown($0.key)): ..." }.joined(separator: ", "))}"
    case .described(let descriptor, let inner): "\(PeerFrame.name(ofType: descriptor))\(shown(inner))"
    default: value.integer.map(String.init) ?? "(a value)"
    }
  }

  /// What a described value is called that stands in a performative (specification 2.8.14, 3.4, 3.5).
  private static func name(ofType descriptor: AMQPValue) -> String {
    switch descriptor.integer {
    case 0x1d: "error"
    case 0x23: "received"
    case 0x24: "accepted"
    case 0x25: "rejected"
    case 0x26: "released"
    case 0x27: "modified"
    case 0x28: "source"
    case 0x29: "target"
    default: "described by \(shown(descriptor)) "
    }
  }
}

extension PeerFrame {
  /// Of a frame that came; nil when the performative is none of the specification.
  init?(channel: UInt16, code: UInt64, fields: [AMQPValue], payload: [UInt8]) {
    guard let kind = Kind.allCases.first(where: { $0.code == code }) else { return nil }
    self.init(kind, channel: channel, fields: fields, payload: payload)
  }
}

extension PeerFrame.Kind {
  var isSASL: Bool { self.code >= 0x40 }

  /// The performative's descriptor.
  var code: UInt64 {
    switch self {
    case .open: 0x10
    case .begin: 0x11
    case .attach: 0x12
    case .flow: 0x13
    case .transfer: 0x14
    case .disposition: 0x15
    case .detach: 0x16
    case .end: 0x17
    case .close: 0x18
    case .saslMechanisms: 0x40
    case .saslInit: 0x41
    case .saslChallenge: 0x42
    case .saslResponse: 0x43
    case .saslOutcome: 0x44
    }
  }

  /// Its fields in the order of the specification.
  public var fields: [PeerFrame.Field] {
    switch self {
    case .open:
      [
        .containerID, .hostname, .maxFrameSize, .channelMax, .idleTimeout, .outgoingLocales, .incomingLocales,
        .offeredCapabilities, .desiredCapabilities, .properties,
      ]
    case .begin:
      [
        .remoteChannel, .nextOutgoingID, .incomingWindow, .outgoingWindow, .handleMax, .offeredCapabilities,
        .desiredCapabilities, .properties,
      ]
    case .attach:
      [
        .name, .handle, .role, .sndSettleMode, .rcvSettleMode, .source, .target, .unsettled, .incompleteUnsettled,
        .initialDeliveryCount, .maxMessageSize, .offeredCapabilities, .desiredCapabilities, .properties,
      ]
    case .flow:
      [
        .nextIncomingID, .incomingWindow, .nextOutgoingID, .outgoingWindow, .handle, .deliveryCount, .linkCredit, .available,
        .drain, .echo, .properties,
      ]
    case .transfer:
      [
        .handle, .deliveryID, .deliveryTag, .messageFormat, .settled, .more, .rcvSettleMode, .state, .resume, .aborted,
        .batchable,
      ]
    case .disposition: [.role, .first, .last, .settled, .state, .batchable]
    case .detach: [.handle, .closed, .error]
    case .end, .close: [.error]
    case .saslMechanisms: [.saslServerMechanisms]
    case .saslInit: [.mechanism, .initialResponse, .hostname]
    case .saslChallenge: [.challenge]
    case .saslResponse: [.response]
    case .saslOutcome: [.code, .additionalData]
    }
  }
}
