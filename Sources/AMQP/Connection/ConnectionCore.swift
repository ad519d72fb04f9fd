// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// One client connection on its event loop: the only place that touches its engine. It turns events into those of the
/// machines, and carries out what they decide.
final class ConnectionCore: EngineOwner {
  enum Command: Sendable {
    case send(LinkID, PendingSend)
    case cancelSend(LinkID, PendingSend.Machine.SendID)
    case sendParcels(LinkID, [AMQPParcel], @Sendable ([AMQPParcelEnd]) -> Void)
    case withdrawParcels(LinkID, @Sendable ([UInt64]) -> Void)
    /// More of a body that is being sent is there.
    case bodyReady(LinkID)
    case settle(LinkID, [DeliveryID], AMQPDisposition)
    /// A task took so many deliveries, and so many that were settled already.
    case taken(LinkID, Int, settled: Int)
    case resume(LinkID)
    case changeWindow(LinkID, Int, kept: Int)
    /// No more is wanted on it: see ``AMQPReceiver/leave()``.
    case leave(LinkID)
    /// Part of a body was read.
    case bodyTaken(LinkID)
    /// See ``AMQPReceiver/listen(_:)``.
    case listen(LinkID, ReceiverBuffer, AMQPReceiver.Listener)
    /// Somebody wants to know when a delivery is withdrawn; it may be settled already.
    case askWhetherSettled(LinkID, DeliveryID)
  }

  /// What the one timer of the connection waits for.
  enum Deadline: Sendable {
    case send(LinkID, PendingSend.Machine.SendID)
    case attach(LinkID)
    case drain(LinkID, DrainAnswer, Duration)
    case sessions
    case watchdog
  }

  typealias DrainAnswer = OneShot<Result<AMQPDrainResult, AMQPError>>

  let name: String
  let epoch = AMQPEpoch.nextConnection()
  let opened = OneShot<Result<AMQPPeer, AMQPError>>()
  let closed = OneShot<AMQPError>()
  let eventLoop: any EventLoop
  let engine: ProtonEngine
  let logger: Logger
  private(set) weak var handler: EngineHandler?

  var machine: ConnectionMachine
  var sessions: Sessions
  let watchdog: Watchdog
  var requests: [Sessions.RequestID: AttachRequest] = [:]
  var lastRequest = 0
  var attaching: [LinkID: Attaching] = [:]
  var senders: [LinkID: SenderCore] = [:]
  var receivers: [LinkID: ReceiverCore] = [:]
  var detaching: [LinkID: OneShot<Void>] = [:]
  var deadlines = DeadlineQueue<Deadline>()
  var timer: Scheduled<Void>?
  var timerDeadline = NIODeadline.distantFuture
  var openedAt: NIODeadline?
  var counts = Counts()
  /// Links of which something came or was asked for in this turn of the loop.
  private var touchedSenders: [SenderCore] = []
  private var touchedReceivers: [ReceiverCore] = []
  /// The time of this turn, while it lasts: to ask for it at each of a thousand events would be felt.
  private var turn: NIODeadline?
  private let mark: LiveCount.Mark

  /// What is counted over the connection's life.
  struct Counts {
    var withdrawn = 0
    var stalled = 0
    var quiet = 0
  }

  init(
    name: String, engine: ProtonEngine, eventLoop: any EventLoop, limits: Watchdog.Limits, maximumLinks: Int,
    logger: Logger = Logger(label: "amqp", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.name = name
    self.machine = ConnectionMachine(epoch: self.epoch)
    self.engine = engine
    self.mark = LiveCount.Mark(.core, of: engine.settings.containerID)
    self.eventLoop = eventLoop
    self.watchdog = Watchdog(limits: limits)
    self.sessions = Sessions(limit: maximumLinks)
    self.logger = logger
  }

  var now: NIODeadline { self.eventLoop.now }

  func start(_ handler: EngineHandler) {
    self.handler = handler
    self.engine.openConnection()
  }

  func pump() { self.handler?.pump() }

  // MARK: Commands from tasks

  func carryOut(_ commands: [Command]) {
    let now = self.now
    for command in commands {
      switch command {
      case .send(let link, let send):
        guard let sender = self.senders[link] else {
          send.continuation.resume(returning: .failure(self.machine.failure ?? self.linkClosed(link)))
          continue
        }
        sender.enqueue(send)
        self.deadlines.add(.send(link, send.id), at: send.deadline)
        self.touch(sender)
      case .cancelSend(let link, let id):
        guard let sender = self.senders[link] else { continue }
        sender.end(id, .cancelled, self.engine, at: now)
        self.touch(sender)
      case .sendParcels(let link, let parcels, let told):
        guard let sender = self.senders[link] else {
          let reason = self.machine.failure ?? self.linkClosed(link)
          told(parcels.map { AMQPParcelEnd(number: $0.number, fate: .notSent(reason)) })
          continue
        }
        sender.enqueue(parcels, told: told)
        self.touch(sender)
      case .withdrawParcels(let link, let told):
        told(self.senders[link]?.withdrawParcels() ?? [])
        self.finishDetach(link)
      case .bodyReady(let link): if let sender = self.senders[link] { self.touch(sender) }
      case .settle(let link, let deliveries, let disposition):
        guard let receiver = self.receivers[link] else { continue }
        receiver.settle(deliveries, disposition, self.engine, at: now)
        // To settle a streamed body may bring the next one.
        self.touch(receiver)
      case .taken(let link, let count, let settled):
        self.receivers[link]?.taken(count, settled: settled, self.engine, at: now)
      case .bodyTaken(let link): self.readBodies(link)
      case .leave(let link): self.receivers[link]?.leave(self.engine, at: now)
      case .changeWindow(let link, let window, let kept):
        self.receivers[link]?.changeWindow(window, kept: kept, self.engine, at: now)
      case .resume(let link): self.receivers[link]?.resume(self.engine, at: now)
      case .askWhetherSettled(let link, let delivery): self.receivers[link]?.tellWhetherSettled(delivery)
      case .listen(let link, let buffer, let listener):
        if let receiver = self.receivers[link] {
          receiver.listen(listener, self.engine, at: now)
        } else {
          listener(.ended(buffer.lostBecause))
        }
      }
    }
    self.flushTouched()
    self.scheduleTimer()
    self.pump()
  }

  private func touch(_ sender: SenderCore) {
    guard !sender.isTouched else { return }
    sender.isTouched = true
    self.touchedSenders.append(sender)
  }

  private func flushTouched() {
    while let sender = self.touchedSenders.popLast() {
      sender.isTouched = false
      self.flush(sender.link)
      self.finishDetach(sender.link)
    }
  }

  private func linkClosed(_ link: LinkID) -> AMQPError {
    AMQPError(.linkClosed, .link, .local, tried: "send a message on \(self.name)", seen: "the link is closed")
  }

  func flush(_ link: LinkID) {
    // Later, when all are told that there is room again.
    if self.handler?.isPausing == true { return }
    guard let sender = self.senders[link] else { return }
    sender.flush(self.engine, isWritable: self.handler?.isWritable ?? false, at: self.now)
    if let reason = sender.brokenOff, sender.isIdle { self.endUnflushed(link, reason) }
  }

  func close() {
    let closed = AMQPError(
      .connectionClosed, .connection, .local, tried: "use the connection to \(self.name)", seen: "it was closed")
    if self.machine.failure == nil {
      // What no task has taken goes back before the Close: the bus need not find out by itself.
      for receiver in self.receivers.values { receiver.close(self.engine, at: self.now) }
    }
    self.carryOut(self.machine.handle(.closeAsked(closed), of: self.epoch))
    self.pump()
  }

  /// Ends it without waiting for the peer.
  func abort(_ error: AMQPError? = nil) {
    self.carryOut(self.machine.handle(.abortAsked(error), of: self.epoch))
  }

  private func carryOut(_ actions: [ConnectionMachine.Action]) {
    for action in actions {
      switch action {
      case .announceOpen: self.openedAt = self.now
      case .sendClose(let condition): self.engine.closeConnection(condition)
      case .cutAfterLastWords: self.handler?.closeChannelAfterOutput()
      case .cutChannel:
        self.handler?.closeChannel()
        if self.handler == nil { self.channelClosed(nil) }
      case .end(let reason): self.ended(reason)
      }
    }
  }

  // MARK: Events from the peer

  private var tried: String { "use the connection to \(self.name)" }

  func handle(_ event: EngineEvent) {
    let now = self.turn ?? self.now
    self.turn = now
    switch event {
    case .remoteOpened(let open):
      let peer = AMQPPeer(open)
      self.sessions.answersCloseOfLink = !peer.isRabbitMQ3
      self.sessions.limit = min(self.sessions.limit, Int(open.channelMax) + 1)
      self.carryOut(self.machine.handle(.opened, of: self.epoch))
      self.deadlines.add(.watchdog, at: self.watchdog.nextCheck([], lastRead: self.handler?.lastRead, after: now))
      self.scheduleTimer()
      self.opened.fulfil(.success(peer))
    case .remoteClosed(let condition):
      self.carryOut(
        self.machine.handle(.closedByPeer(ConnectionFailure.error(closed: condition, tried: self.tried)), of: self.epoch))
    case .linkAttachAnswered(let link, let attach): self.attachAnswered(link, attach)
    case .linkDetachedByPeer(let link, let condition, _): self.detached(link, condition)
    case .sessionEndedByPeer(let session, let condition): self.sessionEnded(session, condition)
    case .creditChanged(let link, _, let drain):
      guard let sender = self.senders[link] else { return }
      sender.creditChanged(drain: drain, at: now)
      self.touch(sender)
    case .creditReturned(let link, let count):
      self.receivers[link]?.creditReturned(count, self.engine, at: now)
      self.finishDetach(link)
    case .delivered(let link, let transfer): self.delivered(link, transfer, at: now)
    case .bodyArrived(let link): self.readBodies(link)
    case .oversized(let link, _): self.receivers[link]?.arrivedOversized(self.engine, at: now)
    case .dispositionReceived(let link, let delivery, let outcome, let settled):
      if let sender = self.senders[link] {
        sender.disposition(delivery, outcome, settled: settled, self.engine, at: now)
        self.touch(sender)
      } else if let receiver = self.receivers[link] {
        if receiver.withdrawn(delivery, self.engine, at: now) { self.counts.withdrawn += 1 }
        self.finishDetach(link)
      }
    case .transportFailed(let condition):
      self.carryOut(
        self.machine.handle(.transportFailed(ConnectionFailure.error(transport: condition, tried: self.tried)), of: self.epoch))
    case .transportClosed: self.carryOut(self.machine.handle(.transportClosed, of: self.epoch))
    // A peer of a client has no business beginning sessions or attaching links: they are left unanswered.
    case .sessionBegunByPeer, .linkAttachedByPeer: break
    }
  }

  /// All that one read brought has been handled: who listens for many deliveries or outcomes is told of them together.
  func handledEvents() {
    self.turn = nil
    while let receiver = self.touchedReceivers.popLast() {
      receiver.isTouched = false
      receiver.handOutArrived(self.engine)
      self.finishDetach(receiver.link)
    }
    for sender in self.touchedSenders { sender.tellOfParcels() }
    self.flushTouched()
  }

  /// What was handed over has been written: there is room for more.
  func wroteOutput() { for (link, sender) in self.senders where sender.wantsRoom { self.flush(link) } }

  func becameWritable() { for link in self.senders.keys { self.flush(link) } }

  func channelClosed(_ error: (any Error)?) {
    let plain = AMQPError(.connectionLost, .connection, .remote, tried: self.tried, seen: "the peer closed the TCP connection")
    let below = error.map { ConnectionFailure.error($0, tried: self.tried) }
    self.carryOut(self.machine.handle(.channelClosed(below: below, plain: plain), of: self.epoch))
  }

  /// The connection is gone: every wait on it ends here.
  private func ended(_ reason: AMQPError) {
    self.timer?.cancel()
    self.timer = nil
    self.deadlines = DeadlineQueue()
    self.sessions.connectionEnded()
    for link in Array(self.attaching.keys) { self.refused(link, reason) }
    for request in self.requests.values { request.answers.forEach { $0.fulfil(.failure(reason)) } }
    self.requests = [:]
    for sender in self.senders.values { sender.linkEnded(reason, at: self.now) }
    for receiver in self.receivers.values { receiver.linkEnded(reason, self.engine) }
    self.senders = [:]
    self.receivers = [:]
    for done in self.detaching.values { done.fulfil(()) }
    self.detaching = [:]
    self.opened.fulfil(.failure(reason))
    self.closed.fulfil(reason)
  }

  private func delivered(_ link: LinkID, _ transfer: IncomingTransfer, at now: NIODeadline) {
    guard let receiver = self.receivers[link] else { return }
    guard receiver.arrived(transfer, self.engine, at: now) else { return self.overdrawn(receiver) }
    self.touch(receiver)
  }

  private func touch(_ receiver: ReceiverCore) {
    guard !receiver.isTouched else { return }
    receiver.isTouched = true
    self.touchedReceivers.append(receiver)
  }

  private func readBodies(_ link: LinkID) {
    guard let receiver = self.receivers[link], !receiver.isDetached else { return }
    guard receiver.readBodies(self.engine, at: self.now) else { return self.overdrawn(receiver) }
    self.touch(receiver)
    self.finishDetach(link)
  }

  private func overdrawn(_ receiver: ReceiverCore) {
    let error = AMQPError(
      .protocolViolated, .link, .remote, tried: "receive from \(receiver.address)",
      seen: "more messages than credit was granted")
    self.carryOut(self.machine.handle(.violated(error, AMQPCondition("amqp:link:transfer-limit-exceeded")), of: self.epoch))
  }
}
