// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What a scripted peer has to remember of a connection to give an answer that fits: channels, handles, counts.
struct PeerMemory {
  struct Link {
    let channel: UInt16
    let handle: AMQPValue
    /// The client's Attach.
    let attach: PeerFrame
    /// Whether the peer has detached it: the client's Detach is then the answer.
    var isDetached = false
    /// Transfers that have begun on it, whichever way.
    var deliveryCount: UInt32 = 0
    var clientIsReceiver: Bool { self.attach[.role] == .boolean(true) }
  }

  struct Session {
    /// Frames of transfers that came, after the id that the client's Begin has named.
    var nextIncomingID: UInt32
    var nextOutgoingID: UInt32 = 0
    var nextDeliveryID: UInt32 = 0
    /// Of the last transfer that came.
    var lastIncomingDelivery: UInt32?
    /// Whether the peer has ended it: the client's End is then the answer.
    var isEnded = false
    /// A delivery whose last frame has not come.
    var isReceiving = false
    var isSending = false
  }

  private(set) var sessions: [UInt16: Session] = [:]
  private(set) var links: [Link] = []
  private(set) var lastBegun: UInt16?

  /// The link that an answer is about. - Parameter number: in the order in which the client attached, from 0; nil for the last.
  func link(_ number: Int?) -> Link? {
    guard let number else { return self.links.last }
    return self.links.indices.contains(number) ? self.links[number] : nil
  }

  mutating func came(_ frame: PeerFrame) {
    let channel = frame.channel
    switch frame.kind {
    case .begin:
      self.lastBegun = channel
      self.sessions[channel] = Session(nextIncomingID: frame[.nextOutgoingID].number ?? 0)
    case .attach:
      // A name that is known: the client refuses a link that the peer has attached by itself, or too late.
      guard !self.links.contains(where: { $0.channel == channel && $0.attach[.name] == frame[.name] }) else { return }
      self.links.append(Link(channel: channel, handle: frame[.handle], attach: frame))
    case .transfer:
      if self.sessions[channel]?.isReceiving == false, let index = self.index(of: frame) {
        self.links[index].deliveryCount &+= 1
      }
      self.sessions[channel]?.nextIncomingID &+= 1
      self.sessions[channel]?.isReceiving = frame[.more] == .boolean(true)
      if let id = frame[.deliveryID].number { self.sessions[channel]?.lastIncomingDelivery = id }
    case .open, .flow, .disposition, .detach, .end, .close, .saslMechanisms, .saslInit, .saslChallenge, .saslResponse,
      .saslOutcome:
      break
    }
  }

  /// Whether the peer owes an answer to this Detach or End.
  func owesAnswer(to frame: PeerFrame) -> Bool {
    switch frame.kind {
    case .detach: !(self.index(of: frame).map { self.links[$0].isDetached } ?? false)
    case .end: !(self.sessions[frame.channel]?.isEnded ?? false)
    case .begin: true
    case .open, .attach, .flow, .transfer, .disposition, .close, .saslMechanisms, .saslInit, .saslChallenge, .saslResponse,
      .saslOutcome:
      false
    }
  }

  mutating func goes(_ frame: PeerFrame) {
    switch frame.kind {
    case .transfer: self.goes(transfer: frame)
    case .detach: if let index = self.index(of: frame) { self.links[index].isDetached = true }
    case .end: self.sessions[frame.channel]?.isEnded = true
    case .open, .begin, .attach, .flow, .disposition, .close, .saslMechanisms, .saslInit, .saslChallenge, .saslResponse,
      .saslOutcome:
      break
    }
  }

  private mutating func goes(transfer frame: PeerFrame) {
    if self.sessions[frame.channel]?.isSending == false {
      self.sessions[frame.channel]?.nextDeliveryID &+= 1
      if let index = self.index(of: frame) { self.links[index].deliveryCount &+= 1 }
    }
    self.sessions[frame.channel]?.nextOutgoingID &+= 1
    self.sessions[frame.channel]?.isSending = frame[.more] == .boolean(true)
  }

  /// The link that a frame with a handle is about.
  private func index(of frame: PeerFrame) -> Int? {
    self.links.lastIndex { $0.channel == frame.channel && $0.handle == frame[.handle] }
  }

  /// The address of a source or target; nil when there is none.
  static func address(of terminus: AMQPValue) -> String? {
    guard case .described(_, .list(let fields)) = terminus else { return nil }
    return fields.first?.text
  }

  static func error(_ condition: AMQPCondition) -> AMQPValue {
    let fields: [AMQPValue] = [.symbol(condition.name), condition.text.map { .string($0) } ?? .null]
    return .described(descriptor: .ulong(0x1d), value: .list(condition.info.isEmpty ? fields : fields + [.map(condition.info)]))
  }
}

extension AMQPValue {
  /// Of any integer type, where it fits.
  fileprivate var number: UInt32? { self.integer.flatMap { UInt32(exactly: $0) } }
}
