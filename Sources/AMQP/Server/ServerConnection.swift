// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a server made on the server role decides. All calls come on the server's one event loop.
package protocol ServerDelegate: AnyObject {
  /// Whether a client may enter.
  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool
  /// The same, for those who take their time: `answer` is to be called once, now or later, on the event loop.
  func login(_ credentials: ServerCredentials, on connection: ServerConnection, answer: @escaping (Bool) -> Void)
  /// The client's Open was read and is not answered yet.
  func opening(_ open: ServerOpen, on connection: ServerConnection) -> ServerOpenVerdict
  /// The client's Open was read and has been answered.
  func opened(_ connection: ServerConnection, _ open: PeerOpen)
  /// The client attached a link; `role` is ours: `.sender` when the client receives. To be answered by
  /// ``ServerConnection/accept(_:_:)``, ``ServerConnection/refuse(_:_:)`` or
  /// ``ServerConnection/endSession(_:_:)``.
  func attached(_ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection)
  /// The client detached the link; it has been answered.
  func detached(_ link: LinkID, on connection: ServerConnection)
  /// The client's session ended, and its links with it.
  func ended(_ session: SessionID, on connection: ServerConnection)
  /// The client granted credit on a link we send on.
  func credited(_ link: LinkID, credit: Int, drain: Bool, on connection: ServerConnection)
  /// A message came from the client.
  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection)
  /// The client stated an outcome for a message we sent; to be answered by ``ServerConnection/settle(_:)``.
  func disposed(_ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection)
  /// The client begins a session. - Returns: whether that is to be answered.
  func mayBegin(_ session: SessionID, on connection: ServerConnection) -> Bool
  /// The client granted credit to a link of this session that is no more.
  func creditedStray(_ session: SessionID, on connection: ServerConnection)
  /// The connection is gone, with all sessions and links.
  func closed(_ connection: ServerConnection)
}

extension ServerDelegate {
  package func login(_ credentials: ServerCredentials, on connection: ServerConnection, answer: @escaping (Bool) -> Void) {
    answer(self.login(credentials, on: connection))
  }
  package func opening(_ open: ServerOpen, on connection: ServerConnection) -> ServerOpenVerdict { .answered }
  package func mayBegin(_ session: SessionID, on connection: ServerConnection) -> Bool { true }
  package func creditedStray(_ session: SessionID, on connection: ServerConnection) {}
}

/// One client's connection at a server, on the server's event loop.
package final class ServerConnection: EngineOwner {
  /// Tells connections of one server apart.
  package let number: Int
  /// Who logged in; nil before that.
  package private(set) var credentials: ServerCredentials?
  package let engine: ProtonEngine
  weak var handler: EngineHandler?
  private weak var delegate: (any ServerDelegate)?
  private var openLinks: [LinkID: SessionID] = [:] {
    didSet { if self.openLinks.count < oldValue.count { self.outbox.forgetAll(but: self.openLinks.keys) } }
  }
  private var outbox = ServerOutbox()
  /// Whether the client has said Close.
  package private(set) var hasClientClosed = false
  /// Those the client has begun and nobody has ended.
  package private(set) var sessions: Set<SessionID> = []

  init(number: Int, engine: ProtonEngine, delegate: any ServerDelegate) {
    self.number = number
    self.engine = engine
    self.delegate = delegate
    engine.strayFlow = { [weak self] session in
      guard let self else { return }
      self.delegate?.creditedStray(session, on: self)
    }
  }

  func login(_ credentials: ServerCredentials, answer: @escaping (Bool) -> Void) {
    guard let delegate = self.delegate else { return answer(false) }
    delegate.login(credentials, on: self) { [weak self] mayEnter in
      if mayEnter { self?.credentials = credentials }
      answer(mayEnter)
    }
  }

  func opening(_ open: ServerOpen) -> ServerOpenVerdict { self.delegate?.opening(open, on: self) ?? .answered }

  // MARK: Answers and commands

  package func accept(_ link: LinkID, _ answer: ServerLinkAnswer = ServerLinkAnswer()) { self.engine.acceptLink(link, answer) }

  package func refuse(_ link: LinkID, _ condition: AMQPCondition) {
    self.openLinks[link] = nil
    self.engine.refuseLink(link, condition)
  }

  /// Detaches a link that was accepted.
  package func detach(_ link: LinkID, _ condition: AMQPCondition? = nil) {
    self.openLinks[link] = nil
    self.engine.detach(link, condition)
  }

  package func endSession(_ session: SessionID, _ condition: AMQPCondition?) {
    self.openLinks = self.openLinks.filter { $0.value != session }
    self.sessions.remove(session)
    self.engine.endSession(session, condition)
  }

  package func grant(_ credit: Int, on link: LinkID) { self.engine.grant(credit, on: link) }

  /// Sends a message on a link that has credit. Nil when the link is gone.
  package func send(_ payload: [UInt8], on link: LinkID, settled: Bool, tag: [UInt8]? = nil) -> DeliveryID? {
    guard self.outbox.takes(payload, on: link) else {
      return self.engine.transfer(payload, on: link, settled: settled, tag: tag)
    }
    return self.outbox.send(payload, on: link, settled: settled, tag: tag, self.engine)
  }

  package func drained(_ link: LinkID) { self.engine.drained(link) }

  /// States the outcome of a message the client sent, and settles it.
  package func settle(_ delivery: DeliveryID, _ disposition: AMQPDisposition) { self.engine.settle(delivery, disposition) }

  /// Settles a message we sent.
  package func settle(_ delivery: DeliveryID) { self.engine.settle(delivery) }

  /// Takes a message we sent back without settling it, as RabbitMQ 4.3 does with what a consumer holds too long.
  package func withdraw(_ delivery: DeliveryID) { self.engine.update(delivery, .released) }

  /// The annotations of the client's `modified` for a message we sent, while it is not settled.
  package func annotations(of delivery: DeliveryID) -> AMQPMap { self.engine.remoteAnnotations(of: delivery) }

  /// Closes with or without a reason.
  package func close(_ condition: AMQPCondition?) { self.engine.closeConnection(condition) }

  /// Cuts the TCP connection without a word.
  package func cut() { self.handler?.closeChannel() }

  /// To be called after commands that were not made inside a delegate's call.
  package func flush() { self.handler?.pump() }

  // MARK: Events

  package func handle(_ event: EngineEvent) {
    guard let delegate = self.delegate else { return }
    switch event {
    case .remoteOpened(let open):
      self.engine.openConnection()
      delegate.opened(self, open)
    case .remoteClosed:
      self.hasClientClosed = true
      self.engine.closeConnection()
    case .sessionBegunByPeer(let session):
      guard delegate.mayBegin(session, on: self) else { return }
      self.engine.acceptSession(session)
      self.sessions.insert(session)
    case .sessionEndedByPeer(let session, _):
      self.engine.endSession(session)
      self.sessions.remove(session)
      self.openLinks = self.openLinks.filter { $0.value != session }
      delegate.ended(session, on: self)
    case .linkAttachedByPeer(let link, let session, let role, let attach):
      self.openLinks[link] = session
      delegate.attached(link, session, role: role, attach, on: self)
    case .linkDetachedByPeer(let link, _, _):
      if self.openLinks.removeValue(forKey: link) != nil { delegate.detached(link, on: self) }
    case .creditChanged(let link, let credit, let drain):
      delegate.credited(link, credit: credit - self.outbox.count(of: link), drain: drain, on: self)
    case .delivered(let link, let transfer): delegate.delivered(transfer, link, on: self)
    case .oversized: break
    case .dispositionReceived(let link, let delivery, let outcome, let settled):
      delegate.disposed(delivery, link, outcome, settled: settled, on: self)
    // What is wrong is written to the peer first; then the transport is closed.
    case .transportFailed: break
    case .transportClosed: self.handler?.closeChannel()
    case .linkAttachAnswered, .creditReturned, .bodyArrived: break
    }
  }

  package func becameWritable() { self.outbox.feed(self.engine) }

  package func wroteOutput() {
    // A channel that takes nothing keeps all that is written to it.
    if self.handler?.isWritable == true { self.outbox.feed(self.engine) }
  }

  package func channelClosed(_ error: (any Error)?) { self.delegate?.closed(self) }
}
