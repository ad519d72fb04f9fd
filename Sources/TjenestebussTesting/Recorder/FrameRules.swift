// SPDX-License-Identifier: Apache-2.0

import AMQP

/// Finds in a log of frames what a peer must not do. Pure: frames in, violations out, both directions alike.
package struct FrameRules: Sendable {
  package enum Rule: String, Sendable, Hashable, CaseIterable {
    /// FLOW with next-incoming-id before the peer's BEGIN (spec 2.7.4).
    case nextIncomingIDBeforeBegin
    /// A receiver's FLOW with delivery-count before the peer's ATTACH (spec 2.7.4).
    case deliveryCountBeforeAttach
    /// Credit for a link whose ATTACH the peer has not answered: RabbitMQ 4.3 ends the session when it refuses the link.
    case creditBeforeAttach
    /// A message without data, amqp-sequence or amqp-value: RabbitMQ 4 ends the session.
    case messageWithoutBody
    /// A payload that is no sequence of message sections.
    case messageMalformed
    /// A delivery begun when the peer had granted no credit for it (spec 2.6.7).
    case transferWithoutCredit
    /// A frame beyond the size that the peer's OPEN states (spec 2.7.1).
    case frameTooLarge
    /// A frame for a link that its sender has not attached, or has detached.
    case unattachedHandle
    /// A frame on a channel that its sender has not begun a session on, or has ended.
    case noSession
    /// Bytes that are no AMQP frames.
    case notAMQP
  }

  package struct Violation: Sendable, Hashable, CustomStringConvertible {
    package let rule: Rule
    /// The frame's place in the log, from 0.
    package let index: Int
    package let connection: Int
    package let direction: FrameDirection

    package var description: String {
      "\(self.rule.rawValue) by frame \(self.index), connection \(self.connection), \(self.direction.rawValue)"
    }
  }

  package private(set) var violations: [Violation] = []
  private var connections: [Int: ConnectionRules] = [:]
  private var count = 0

  package init() {}

  package static func violations(in log: some Sequence<RecordedFrame>) -> [Violation] {
    var rules = FrameRules()
    for frame in log { rules.observe(frame) }
    return rules.violations
  }

  package mutating func observe(_ recorded: RecordedFrame) {
    let broken = self.connections[recorded.connection, default: ConnectionRules()].observe(recorded)
    for rule in broken { self.note(rule, recorded.connection, recorded.direction) }
    self.count += 1
  }

  /// A stream could not be read on.
  package mutating func observeGarbage(connection: Int, direction: FrameDirection) {
    self.note(.notAMQP, connection, direction)
  }

  private mutating func note(_ rule: Rule, _ connection: Int, _ direction: FrameDirection) {
    self.violations.append(Violation(rule: rule, index: self.count, connection: connection, direction: direction))
  }
}

/// One side of a pair of things that both directions have.
private struct Both<Value: Sendable>: Sendable {
  var toServer: Value
  var toClient: Value

  subscript(direction: FrameDirection) -> Value {
    get { direction == .toServer ? self.toServer : self.toClient }
    set { if direction == .toServer { self.toServer = newValue } else { self.toClient = newValue } }
  }
}

private struct ConnectionRules: Sendable {
  /// The largest frame that may go this way, as the one who reads it has stated.
  private var largestFrame = Both<UInt32>(toServer: .max, toClient: .max)
  private var sessions: [Int: SessionRules] = [:]
  private var lastSession = 0
  /// Which session a channel means, by who sends on it.
  private var channels = Both<[UInt16: Int]>(toServer: [:], toClient: [:])

  mutating func observe(_ recorded: RecordedFrame) -> [FrameRules.Rule] {
    guard case .performative(let channel, false, let code, let fields, let payload) = recorded.frame else { return [] }
    let way = recorded.direction
    var broken: [FrameRules.Rule] = []
    if recorded.size > Int(self.largestFrame[way]) { broken.append(.frameTooLarge) }
    switch code {
    case AMQPFrame.Code.open:
      if case .uint(let size)? = fields.at(2) { self.largestFrame[way.opposite] = size }
    case AMQPFrame.Code.close: break
    case AMQPFrame.Code.begin: self.begin(channel, way, fields)
    case AMQPFrame.Code.end:
      guard let number = self.channels[way].removeValue(forKey: channel) else { return broken + [.noSession] }
      if !self.channels[way.opposite].values.contains(number) { self.sessions[number] = nil }
    default:
      guard let number = self.channels[way][channel] else { return broken + [.noSession] }
      let isAnswered = self.channels[way.opposite].values.contains(number) || self.sessions[number]?.wasAnswered == true
      broken += self.sessions[number]?.observe(code, way, fields, payload, isAnswered: isAnswered) ?? []
    }
    return broken
  }

  private mutating func begin(_ channel: UInt16, _ way: FrameDirection, _ fields: [AMQPValue]) {
    if case .ushort(let remote)? = fields.at(0), let number = self.channels[way.opposite][remote] {
      self.channels[way][channel] = number
      self.sessions[number]?.wasAnswered = true
    } else {
      self.lastSession += 1
      self.sessions[self.lastSession] = SessionRules()
      self.channels[way][channel] = self.lastSession
    }
  }
}

private struct SessionRules: Sendable {
  private struct LinkName: Hashable {
    let text: String
    /// Which way its messages go: two links of one name may be a pair.
    let messagesGo: FrameDirection
  }

  var wasAnswered = false
  private var links: [LinkName: LinkRules] = [:]
  /// Which link a handle means, by who sends it.
  private var handles = Both<[UInt32: LinkName]>(toServer: [:], toClient: [:])

  mutating func observe(
    _ code: UInt64, _ way: FrameDirection, _ fields: [AMQPValue], _ payload: [UInt8], isAnswered: Bool
  ) -> [FrameRules.Rule] {
    switch code {
    case AMQPFrame.Code.attach:
      self.attach(way, fields)
      return []
    case AMQPFrame.Code.flow:
      var broken: [FrameRules.Rule] = []
      if fields.number(0) != nil, !isAnswered { broken.append(.nextIncomingIDBeforeBegin) }
      guard let handle = fields.number(4) else { return broken }
      guard let name = self.handles[way][handle] else { return broken + [.unattachedHandle] }
      let isFromReceiver = name.messagesGo == way.opposite
      return broken + (self.links[name]?.flow(fields, isFromReceiver: isFromReceiver) ?? [])
    case AMQPFrame.Code.transfer:
      guard let handle = fields.number(0), let name = self.handles[way][handle], name.messagesGo == way else {
        return [.unattachedHandle]
      }
      return self.links[name]?.transfer(fields, payload) ?? []
    case AMQPFrame.Code.detach:
      guard let handle = fields.number(0), let name = self.handles[way].removeValue(forKey: handle) else {
        return [.unattachedHandle]
      }
      if !self.handles[way.opposite].values.contains(name) { self.links[name] = nil }
      return []
    default: return []
    }
  }

  private mutating func attach(_ way: FrameDirection, _ fields: [AMQPValue]) {
    guard let text = fields.at(0)?.text, let handle = fields.number(1) else { return }
    let isReceiver = fields.at(2) == .boolean(true)
    let name = LinkName(text: text, messagesGo: isReceiver ? way.opposite : way)
    self.handles[way][handle] = name
    var link = self.links[name] ?? LinkRules()
    if isReceiver {
      link.receiverAttached = true
    } else {
      link.senderAttached = true
      link.begin(at: fields.number(9) ?? 0)
    }
    self.links[name] = link
  }
}

private struct LinkRules: Sendable {
  var receiverAttached = false
  var senderAttached = false
  /// Deliveries begun, counted as the sender counts them: it wraps around.
  private var deliveryCount: UInt32 = 0
  /// The count that deliveries may go up to.
  private var limit: UInt32 = 0
  private var payload: [UInt8] = []
  private var isInDelivery = false

  mutating func begin(at count: UInt32) {
    self.deliveryCount = count
    self.limit = count
  }

  mutating func flow(_ fields: [AMQPValue], isFromReceiver: Bool) -> [FrameRules.Rule] {
    let count = fields.number(5)
    let credit = fields.number(6)
    guard isFromReceiver else {
      // A sender that was asked to drain moves its count on.
      if let count { self.deliveryCount = count }
      return []
    }
    var broken: [FrameRules.Rule] = []
    if !self.senderAttached {
      if count != nil { broken.append(.deliveryCountBeforeAttach) }
      if let credit, credit > 0 { broken.append(.creditBeforeAttach) }
    }
    if let credit {
      let granted = (count ?? self.deliveryCount) &+ credit
      // Credit that is taken back may cross with deliveries: what was granted once is no violation.
      if Int32(bitPattern: granted &- self.limit) > 0 { self.limit = granted }
    }
    return broken
  }

  mutating func transfer(_ fields: [AMQPValue], _ payload: [UInt8]) -> [FrameRules.Rule] {
    var broken: [FrameRules.Rule] = []
    if !self.isInDelivery {
      self.isInDelivery = true
      self.deliveryCount &+= 1
      if Int32(bitPattern: self.deliveryCount &- self.limit) > 0 { broken.append(.transferWithoutCredit) }
    }
    self.payload += payload
    let isAborted = fields.at(9) == .boolean(true)
    guard isAborted || fields.at(5) != .boolean(true) else { return broken }
    if !isAborted { broken += LinkRules.judge(self.payload) }
    self.payload = []
    self.isInDelivery = false
    return broken
  }

  private static func judge(_ payload: [UInt8]) -> [FrameRules.Rule] {
    guard let sections = try? AMQPMessageSections(payload) else { return [.messageMalformed] }
    return sections.hasBody ? [] : [.messageWithoutBody]
  }
}

extension [AMQPValue] {
  /// Nil for a field that is left out or null.
  fileprivate func at(_ index: Int) -> AMQPValue? {
    index < self.count && self[index] != .null ? self[index] : nil
  }

  fileprivate func number(_ index: Int) -> UInt32? {
    if case .uint(let n)? = self.at(index) { n } else { nil }
  }
}
