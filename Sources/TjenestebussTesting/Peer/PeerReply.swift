// SPDX-License-Identifier: Apache-2.0

import AMQP

/// A frame that a ``ScriptedPeer`` writes, filled in from what the client has sent: its channel, its handle, its delivery.
///
/// Each takes `edit`, which may make of the frame whatever a misbehaving peer would:
///
/// ```swift
/// .respond(.attach { $0[.handle] = .uint(7_000) })
/// ```
///
/// Links are numbered in the order in which the client attached them, from 0; without a number the last one is meant.
public struct PeerReply: Sendable {
  public typealias Edit = @Sendable (inout PeerFrame) -> Void

  let name: String
  /// Nil when the client has sent nothing that it could be an answer to.
  let frame: @Sendable (PeerMemory) -> PeerFrame?

  private init(_ kind: PeerFrame.Kind, _ edit: @escaping Edit, _ frame: @escaping @Sendable (PeerMemory) -> PeerFrame?) {
    self.name = kind.rawValue
    self.frame = { memory in
      guard var frame = frame(memory) else { return nil }
      edit(&frame)
      return frame
    }
  }

  /// This frame, as it is.
  public static func frame(_ frame: PeerFrame) -> PeerReply { PeerReply(frame.kind, { _ in }) { _ in frame } }

  // MARK: Login

  /// - Parameter names: in the order in which the server offers them.
  public static func saslMechanisms(_ names: [String]) -> PeerReply {
    .frame(PeerFrame(.saslMechanisms, fields: [.array(names.map(AMQPValue.symbol))]))
  }

  /// - Parameter code: 0 is in; 1 wrong credentials; 2 a failure of the system; 3 one that lasts; 4 one that passes.
  public static func saslOutcome(_ code: UInt8) -> PeerReply { .frame(PeerFrame(.saslOutcome, fields: [.ubyte(code)])) }

  // MARK: Connection and session

  /// - Parameters:
  ///   - maxFrameSize: in bytes.
  ///   - idleTimeout: what the client is told to undercut; in milliseconds. Nil: it need not send anything.
  public static func open(
    containerID: String = "scripted-peer", maxFrameSize: UInt32 = 65_536, channelMax: UInt16 = 63, idleTimeout: UInt32? = nil,
    properties: AMQPMap = [:], _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.open, edit) { _ in
      var frame = PeerFrame(.open)
      frame[.containerID] = .string(containerID)
      frame[.maxFrameSize] = .uint(maxFrameSize)
      frame[.channelMax] = .ushort(channelMax)
      if let idleTimeout { frame[.idleTimeout] = .uint(idleTimeout) }
      if !properties.isEmpty { frame[.properties] = .map(properties) }
      return frame
    }
  }

  /// Answers the last Begin, on a channel of the same number.
  public static func begin(
    incomingWindow: UInt32 = 2_048, outgoingWindow: UInt32 = 2_048, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.begin, edit) { memory in
      guard let channel = memory.lastBegun else { return nil }
      return PeerFrame(
        .begin, channel: channel,
        fields: [.ushort(channel), .uint(0), .uint(incomingWindow), .uint(outgoingWindow), .uint(255)])
    }
  }

  /// - Parameter channel: nil for that of the last Begin.
  public static func end(
    _ error: AMQPCondition? = nil, channel: UInt16? = nil, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.end, edit) { memory in
      guard let channel = channel ?? memory.lastBegun else { return nil }
      return PeerFrame(.end, channel: channel, fields: error.map { [PeerMemory.error($0)] } ?? [])
    }
  }

  public static func close(_ error: AMQPCondition? = nil, _ edit: @escaping Edit = { _ in }) -> PeerReply {
    PeerReply(.close, edit) { _ in PeerFrame(.close, fields: error.map { [PeerMemory.error($0)] } ?? []) }
  }

  // MARK: Links

  /// Answers an Attach as a peer does that grants what was asked for.
  ///
  /// - Parameters:
  ///   - refused: the answer has no terminus (specification 2.6.3): a Detach with the reason has to follow.
  ///   - maxMessageSize: in bytes; nil for no limit.
  public static func attach(
    link: Int? = nil, refused: Bool = false, maxMessageSize: UInt64? = nil, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.attach, edit) { memory in
      guard let link = memory.link(link) else { return nil }
      var frame = PeerFrame(.attach, channel: link.channel)
      frame[.name] = link.attach[.name]
      frame[.handle] = link.handle
      frame[.role] = .boolean(!link.clientIsReceiver)
      frame[.sndSettleMode] = link.attach[.sndSettleMode]
      frame[.rcvSettleMode] = .ubyte(0)
      frame[.source] = refused && link.clientIsReceiver ? .null : link.attach[.source]
      frame[.target] = refused && !link.clientIsReceiver ? .null : link.attach[.target]
      if link.clientIsReceiver { frame[.initialDeliveryCount] = .uint(0) }
      if let maxMessageSize { frame[.maxMessageSize] = .ulong(maxMessageSize) }
      return frame
    }
  }

  /// - Parameter closed: whether the link is gone for good; RabbitMQ says so always.
  public static func detach(
    _ error: AMQPCondition? = nil, link: Int? = nil, closed: Bool = true, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.detach, edit) { memory in
      guard let link = memory.link(link) else { return nil }
      let fields: [AMQPValue] = [link.handle, .boolean(closed)]
      return PeerFrame(.detach, channel: link.channel, fields: error.map { fields + [PeerMemory.error($0)] } ?? fields)
    }
  }

  /// The state of a link: for one on which the client sends, its credit.
  public static func flow(
    credit: UInt32? = nil, link: Int? = nil, drain: Bool = false, echo: Bool = false, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.flow, edit) { memory in
      guard let link = memory.link(link), let session = memory.sessions[link.channel] else { return nil }
      var frame = PeerFrame(.flow, channel: link.channel)
      frame[.nextIncomingID] = .uint(session.nextIncomingID)
      frame[.incomingWindow] = .uint(2_048)
      frame[.nextOutgoingID] = .uint(session.nextOutgoingID)
      frame[.outgoingWindow] = .uint(2_048)
      frame[.handle] = link.handle
      frame[.deliveryCount] = .uint(link.deliveryCount)
      if let credit { frame[.linkCredit] = .uint(credit) }
      frame[.drain] = .boolean(drain)
      if echo { frame[.echo] = true }
      return frame
    }
  }

  /// A message to the client, whole in one frame, however large it is.
  public static func transfer(
    _ message: AMQPMessage, link: Int? = nil, settled: Bool = false, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    .transfer(payload: message.encoded(), link: link, settled: settled, edit)
  }

  /// Encoded sections, or a part of them.
  ///
  /// - Parameter more: whether the message goes on in the next transfer.
  public static func transfer(
    payload: [UInt8], link: Int? = nil, settled: Bool = false, more: Bool = false, _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.transfer, edit) { memory in
      guard let link = memory.link(link), let session = memory.sessions[link.channel] else { return nil }
      // The frames of one message have the same id; ids are counted on when the first of them goes out.
      let id = session.isSending ? session.nextDeliveryID &- 1 : session.nextDeliveryID
      var frame = PeerFrame(.transfer, channel: link.channel, payload: payload)
      frame[.handle] = link.handle
      frame[.deliveryID] = .uint(id)
      frame[.deliveryTag] = .binary(withUnsafeBytes(of: id.bigEndian) { Array($0) })
      frame[.messageFormat] = .uint(0)
      frame[.settled] = .boolean(settled)
      frame[.more] = .boolean(more)
      return frame
    }
  }

  /// The outcome of what the client has sent: of its last delivery, or of those from `first` to `last`.
  ///
  /// - Parameters:
  ///   - outcome: nil for none.
  ///   - settled: whether the peer forgets the delivery.
  public static func disposition(
    _ outcome: PeerOutcome?, first: UInt32? = nil, last: UInt32? = nil, settled: Bool = true, link: Int? = nil,
    _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.disposition, edit) { memory in
      guard let channel = memory.link(link)?.channel ?? memory.lastBegun else { return nil }
      guard let first = first ?? memory.sessions[channel]?.lastIncomingDelivery else { return nil }
      return PeerReply.disposition(channel, isReceiver: true, first, last, settled, outcome)
    }
  }

  /// Takes back what the client was sent and has not settled, as RabbitMQ 4.3 does at its consumer timeout (`released`).
  public static func withdrawal(
    _ outcome: PeerOutcome = .released, first: UInt32, last: UInt32? = nil, settled: Bool = true, link: Int? = nil,
    _ edit: @escaping Edit = { _ in }
  ) -> PeerReply {
    PeerReply(.disposition, edit) { memory in
      guard let channel = memory.link(link)?.channel else { return nil }
      return PeerReply.disposition(channel, isReceiver: false, first, last, settled, outcome)
    }
  }

  private static func disposition(
    _ channel: UInt16, isReceiver: Bool, _ first: UInt32, _ last: UInt32?, _ settled: Bool, _ outcome: PeerOutcome?
  ) -> PeerFrame {
    var frame = PeerFrame(.disposition, channel: channel)
    frame[.role] = .boolean(isReceiver)
    frame[.first] = .uint(first)
    if let last { frame[.last] = .uint(last) }
    frame[.settled] = .boolean(settled)
    if let outcome { frame[.state] = outcome.value }
    return frame
  }
}
