// SPDX-License-Identifier: Apache-2.0

/// What a connection looks like at one moment, read on its event loop. All ages are as of that moment.
public struct AMQPConnectionStatistics: Sendable, Hashable {
  public enum State: String, Sendable, Hashable { case connecting, open, closing, closed }

  public var state: State
  /// The number of the connection in this process; see ``AMQPEpoch``.
  public var epoch: UInt64
  /// How long ago the peer's Open came; nil before that.
  public var openFor: Duration?
  /// How long ago bytes last came from the peer; nil when none have.
  public var lastFrameReceivedAge: Duration?
  /// How long ago bytes were last written to the peer; nil when none were.
  public var lastFrameSentAge: Duration?
  /// Whether the socket takes bytes now. False for long means that the network or the peer does not read.
  public var isWritable: Bool
  /// Attaches that were sent and are not answered.
  public var unansweredAttaches: Int
  /// Attaches that are not sent yet: they wait for a session to end.
  public var waitingAttaches: Int
  /// How long the oldest unanswered or waiting attach has been so; nil when there is none.
  public var oldestAttachAge: Duration?
  /// Sessions this side has begun and not ended.
  public var sessions: Int
  /// Deliveries that the peer took back because they were not settled in time, since the connection was opened.
  public var withdrawnDeliveries: Int
  /// Links that were ended with `linkStalled`, since the connection was opened.
  public var stalledLinks: Int
  /// Links that were ended with `linkQuiet`, since the connection was opened.
  public var quietLinks: Int
  /// In the order in which they were attached.
  public var links: [AMQPLinkStatistics]

  public init(
    state: State, epoch: UInt64, openFor: Duration? = nil, lastFrameReceivedAge: Duration? = nil,
    lastFrameSentAge: Duration? = nil, isWritable: Bool = true, unansweredAttaches: Int = 0, waitingAttaches: Int = 0,
    oldestAttachAge: Duration? = nil, sessions: Int = 0, withdrawnDeliveries: Int = 0, stalledLinks: Int = 0,
    quietLinks: Int = 0, links: [AMQPLinkStatistics] = []
  ) {
    self.state = state
    self.epoch = epoch
    self.openFor = openFor
    self.lastFrameReceivedAge = lastFrameReceivedAge
    self.lastFrameSentAge = lastFrameSentAge
    self.isWritable = isWritable
    self.unansweredAttaches = unansweredAttaches
    self.waitingAttaches = waitingAttaches
    self.oldestAttachAge = oldestAttachAge
    self.sessions = sessions
    self.withdrawnDeliveries = withdrawnDeliveries
    self.stalledLinks = stalledLinks
    self.quietLinks = quietLinks
    self.links = links
  }
}

/// What a link looks like at one moment.
public struct AMQPLinkStatistics: Sendable, Hashable {
  public enum Role: String, Sendable, Hashable { case sender, receiver }
  public enum State: String, Sendable, Hashable { case open, draining, drained, detaching }

  public var role: Role
  public var state: State
  public var address: String
  /// The link's name on the wire: what a broker's own list of links shows.
  public var name: String
  public var epoch: AMQPEpoch
  /// Sender: messages it may send now. Receiver: messages the peer may send now; below zero when the peer has sent more than
  /// it might, as RabbitMQ 3 does.
  public var credit: Int
  /// Receiver: the most messages on their way, buffered and unsettled together. Sender: 0.
  public var window: Int
  /// Receiver: arrived, and taken by no task yet.
  public var buffered: Int
  /// Receiver: the bytes of those.
  public var bufferedBytes: Int
  /// Receiver: handed to a task and not settled.
  public var unsettled: Int
  /// Sender: sends that wait for credit.
  public var waitingSends: Int
  /// Sender: handed over, outcome outstanding.
  public var inFlight: Int
  /// Receiver: how long ago the oldest delivery came that is not settled, buffered ones counted too. Sender: how long the
  /// oldest outcome has been outstanding. Nil when there is none.
  public var oldestUnsettledAge: Duration?
  /// Sender: how long the oldest waiting send has waited; nil when none waits.
  public var oldestWaitingSendAge: Duration?
  /// How long ago anything happened on the link in either direction; its attach counts.
  public var lastActivityAge: Duration
  /// Receiver: how long the peer has had credit without a break; nil when it has none.
  /// Sender: how long this side has had credit; nil when it has none.
  public var hasHadCreditFor: Duration?
  /// How long the link has been attached.
  public var attachedFor: Duration
  /// Messages that were sent or arrived.
  public var transfers: Int
  /// Receiver: deliveries that the peer took back because they were not settled in time.
  public var withdrawn: Int

  public init(
    role: Role, state: State = .open, address: String, name: String, epoch: AMQPEpoch, credit: Int = 0, window: Int = 0,
    buffered: Int = 0, bufferedBytes: Int = 0, unsettled: Int = 0, waitingSends: Int = 0, inFlight: Int = 0,
    oldestUnsettledAge: Duration? = nil, oldestWaitingSendAge: Duration? = nil, lastActivityAge: Duration = .zero,
    hasHadCreditFor: Duration? = nil, attachedFor: Duration = .zero, transfers: Int = 0, withdrawn: Int = 0
  ) {
    self.role = role
    self.state = state
    self.address = address
    self.name = name
    self.epoch = epoch
    self.credit = credit
    self.window = window
    self.buffered = buffered
    self.bufferedBytes = bufferedBytes
    self.unsettled = unsettled
    self.waitingSends = waitingSends
    self.inFlight = inFlight
    self.oldestUnsettledAge = oldestUnsettledAge
    self.oldestWaitingSendAge = oldestWaitingSendAge
    self.lastActivityAge = lastActivityAge
    self.hasHadCreditFor = hasHadCreditFor
    self.attachedFor = attachedFor
    self.transfers = transfers
    self.withdrawn = withdrawn
  }
}
