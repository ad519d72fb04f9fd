// SPDX-License-Identifier: Apache-2.0

/// A session of one engine. Never reused, so a late event cannot be taken for another session's.
package struct SessionID: Hashable, Sendable { let number: Int }

/// A link of one engine. Never reused.
package struct LinkID: Hashable, Sendable {
  let number: Int

  package func hash(into hasher: inout Hasher) { hasher.combine(self.number) }

  /// Links are counted, which makes as good a hash as any; several tables are asked for one at each message.
  package func _rawHashValue(seed: Int) -> Int { self.number ^ seed }
}

/// Which end of a link we are.
package enum LinkRole: Sendable, Hashable { case sender, receiver }

/// What Proton reports, as Swift values.
package enum EngineEvent: Equatable, Sendable {
  case remoteOpened(PeerOpen)
  case remoteClosed(AMQPCondition?)
  /// The peer began a session of its own (server role).
  case sessionBegunByPeer(SessionID)
  case sessionEndedByPeer(SessionID, AMQPCondition?)
  /// The peer attached a link that we did not ask for (server role).
  case linkAttachedByPeer(LinkID, SessionID, LinkRole, PeerAttach)
  /// The peer answered our attach.
  case linkAttachAnswered(LinkID, PeerAttach)
  case linkDetachedByPeer(LinkID, AMQPCondition?, closed: Bool)
  /// The credit a sending link has, or that the peer asks to drain it.
  case creditChanged(LinkID, credit: Int, drain: Bool)
  /// On a receiving link: the peer gave this much credit back, as a drain asked (spec 2.6.7).
  case creditReturned(LinkID, Int)
  /// A whole message arrived.
  case delivered(LinkID, IncomingTransfer)
  /// On a link that streams bodies: there is more of the message that is coming in, or a new one.
  case bodyArrived(LinkID)
  /// A message grew beyond the limit; its bytes were dropped and it was rejected.
  case oversized(LinkID, DeliveryID)
  /// The peer stated an outcome for a delivery, or settled it. For one that it sent itself: it takes it back.
  case dispositionReceived(LinkID, DeliveryID, AMQPOutcome?, settled: Bool)
  case transportFailed(AMQPCondition)
  case transportClosed
}

/// What the peer's Open frame says (spec 2.7.1).
package struct PeerOpen: Equatable, Sendable {
  package var containerID: String
  package var hostname: String?
  package var properties: AMQPMap
  package var idleTimeoutMilliseconds: UInt32
  package var maxFrameSize: UInt32
  package var channelMax: UInt16
}

/// What the peer's Attach frame says (spec 2.7.3).
package struct PeerAttach: Equatable, Sendable {
  package var name: String
  /// Nil when the peer's source is null: it refuses a receiver.
  package var source: String?
  /// Nil when the peer's target is null: it refuses a sender.
  package var target: String?
  package var hasSource: Bool
  package var hasTarget: Bool
  package var maxMessageSize: UInt64
  package var properties: AMQPMap
  package var senderSettles: Bool
  /// Whether the peer asks the receiver to settle second.
  package var settlesSecond = false
  /// Whether the source's distribution mode is copy.
  package var browses = false
  /// Whether the peer asks for a node to be made.
  package var isDynamic = false
  /// Whether the target is a coordinator of transactions.
  package var isCoordinator = false
}

/// A whole message as it arrived, not yet decoded.
package struct IncomingTransfer: Equatable, Sendable {
  package var delivery: DeliveryID
  package var payload: [UInt8]
  package var settled: Bool
  var tag = AMQPDeliveryTag([])
  /// Brings the body where it is streamed; `payload` is then what stands before it.
  var body: IncomingBody?
}
