// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// One client connection on its event loop: the only place that touches its engine.
///
/// Every link has a session of its own (unless paired), because RabbitMQ up to 4.0 answers a refused link by ending the
/// session, neighbours and all.
final class ConnectionCore: EngineOwner {
  enum Command: Sendable {
    case send(LinkID, PendingSend)
    case cancelSend(LinkID, PendingSend.Machine.SendID)
    case settle(LinkID, DeliveryID, AMQPDisposition)
    /// A task took so many deliveries, and so many that were settled already.
    case taken(LinkID, Int, settled: Int)
    case resume(LinkID)
    /// Somebody wants to know when a delivery is withdrawn; it may be settled already.
    case askWhetherSettled(LinkID, DeliveryID)
  }

  /// A link to be attached; at least one of the termini is an address.
  struct Attachment: Sendable {
    var role: LinkRole
    var name: String
    var source: String?
    var target: String?
    var window = 0
    var presettled = false
    var properties: AMQPMap = [:]
    /// Whether it must not have a session that served before.
    var onNewSession = false
    /// The address to speak of.
    var address: String { (self.role == .sender ? self.target : self.source) ?? "" }
  }

  /// An attached link, as other tasks may know it.
  struct Attached: Sendable {
    var link: LinkID
    var epoch: AMQPEpoch
    var maximumMessageSize: UInt64
    var buffer: ReceiverBuffer?
  }

  private struct Attaching {
    let attachment: Attachment
    let session: SessionID
    let answer: OneShot<Result<Attached, AMQPError>>
    let since: NIODeadline
    let timeout: Scheduled<Void>
  }

  private struct AttachRequest: Sendable {
    let attachments: [Attachment]
    let answers: [OneShot<Result<Attached, AMQPError>>]
    let timeout: Duration
    let since: NIODeadline
    let deadline: NIODeadline
    var isForNewSession: Bool { self.attachments.contains { $0.onNewSession } }
  }

  private enum Deadline: Sendable { case send(LinkID, PendingSend.Machine.SendID) }

  let name: String
  let epoch = AMQPEpoch.nextConnection()
  let opened = OneShot<Result<AMQPPeer, AMQPError>>()
  let closed = OneShot<AMQPError>()
  private let eventLoop: any EventLoop
  private let engine: ProtonEngine
  private weak var handler: EngineHandler?
  private var sessions: [SessionID: Set<LinkID>] = [:]
  private var attaching: [LinkID: Attaching] = [:]
  private var queuedAttaches: [AttachRequest] = []
  /// Sessions whose links have all been detached, to be used for the next. Ending them instead would have the next Begin come
  /// on the same channel, and RabbitMQ 4.0 drops a Begin whose channel's session has answered its End but not quite gone.
  private var idleSessions: [SessionID] = []
  private var endedByPeer: [SessionID] = []
  /// RabbitMQ 3 answers no Detach.
  private var answersDetach = true
  private var senders: [LinkID: SenderCore] = [:]
  private var receivers: [LinkID: ReceiverCore] = [:]
  private var detaching: [LinkID: OneShot<Void>] = [:]
  private var deadlines = DeadlineQueue<Deadline>()
  private var deadlineTimer: Scheduled<Void>?
  private var timerDeadline = NIODeadline.distantFuture
  private var failure: AMQPError?
  private var hasEnded = false
  private var openedAt: NIODeadline?
  private var isClosing = false
  private var withdrawnDeliveries = 0

  init(name: String, engine: ProtonEngine, eventLoop: any EventLoop) {
    self.name = name
    self.engine = engine
    self.eventLoop = eventLoop
  }

  func start(_ handler: EngineHandler) {
    self.handler = handler
    self.engine.openConnection()
  }

  private func pump() { self.handler?.pump() }

  // MARK: Commands from tasks

  func carryOut(_ commands: [Command]) {
    var touched: Set<LinkID> = []
    let now = self.eventLoop.now
    for command in commands {
      switch command {
      case .send(let link, let send):
        guard let sender = self.senders[link] else {
          send.continuation.resume(returning: .failure(self.failure ?? self.linkClosed(link)))
          continue
        }
        sender.enqueue(send)
        self.deadlines.add(.send(link, send.id), at: send.deadline)
        touched.insert(link)
      case .cancelSend(let link, let id): self.senders[link]?.end(id, .cancelled, at: now)
      case .settle(let link, let delivery, let disposition):
        self.receivers[link]?.settle(delivery, disposition, self.engine, at: now)
      case .taken(let link, let count, let settled):
        self.receivers[link]?.taken(count, settled: settled, self.engine, at: now)
      case .askWhetherSettled(let link, let delivery): self.receivers[link]?.tellWhetherSettled(delivery)
      case .resume(let link): self.receivers[link]?.resume(self.engine, at: now)
      }
    }
    for link in touched { self.flush(link) }
    self.scheduleDeadline()
    self.pump()
  }

  private func linkClosed(_ link: LinkID) -> AMQPError {
    AMQPError(.linkClosed, .link, .local, tried: "send a message on \(self.name)", seen: "the link is closed")
  }

  private func flush(_ link: LinkID) {
    self.senders[link]?.flush(self.engine, isWritable: self.handler?.isWritable ?? false, at: self.eventLoop.now)
  }

  /// Attaches one link, or a pair on one session; once every End of ours has been answered.
  func attach(_ attachments: [Attachment], within timeout: Duration) -> [OneShot<Result<Attached, AMQPError>>] {
    let answers = attachments.map { _ in OneShot<Result<Attached, AMQPError>>() }
    if let failure = self.failure {
      answers.forEach { $0.fulfil(.failure(failure)) }
      return answers
    }
    let request = AttachRequest(
      attachments: attachments, answers: answers, timeout: timeout, since: self.eventLoop.now,
      deadline: self.eventLoop.now + TimeAmount(timeout))
    if self.idleSessions.isEmpty || request.isForNewSession, self.engine.isEndingSession {
      self.queuedAttaches.append(request)
      self.eventLoop.assumeIsolated().scheduleTask(deadline: request.deadline) { [weak self] in
        if let self { self.queuedAttachesTimedOut() }
      }
    } else {
      self.begin(request)
      self.pump()
    }
    return answers
  }

  private func begin(_ request: AttachRequest) {
    let session = (request.isForNewSession ? nil : self.idleSessions.popLast()) ?? self.engine.beginSession()
    self.sessions[session] = []
    for (attachment, answer) in zip(request.attachments, request.answers) {
      guard
        let link = self.engine.attach(
          attachment.role, session: session, name: attachment.name, source: attachment.source, target: attachment.target,
          presettled: attachment.presettled, properties: attachment.properties)
      else {
        answer.fulfil(.failure(self.error(.linkRefused, .link, attachment, nil, "Proton made no link")))
        continue
      }
      let timer = self.eventLoop.assumeIsolated().scheduleTask(deadline: request.deadline) { [weak self] in
        if let self { self.attachTimedOut(link, request.timeout) }
      }
      self.sessions[session]?.insert(link)
      self.attaching[link] = Attaching(
        attachment: attachment, session: session, answer: answer, since: request.since, timeout: timer)
    }
  }

  private func beginQueuedAttaches() {
    while !self.queuedAttaches.isEmpty, !self.idleSessions.isEmpty || !self.engine.isEndingSession {
      self.begin(self.queuedAttaches.removeFirst())
    }
  }

  private func queuedAttachesTimedOut() {
    let now = self.eventLoop.now
    while let request = self.queuedAttaches.first, request.deadline <= now {
      self.queuedAttaches.removeFirst()
      self.fail(request) {
        self.error(.attachTimedOut, .link, $0, nil, "a session before it was not ended in \(request.timeout)", .local)
      }
    }
  }

  private func fail(_ request: AttachRequest, _ error: (Attachment) -> AMQPError) {
    for (attachment, answer) in zip(request.attachments, request.answers) { answer.fulfil(.failure(error(attachment))) }
  }

  private func attachTimedOut(_ link: LinkID, _ timeout: Duration) {
    guard let attaching = self.attaching[link] else { return }
    self.refused(link, self.error(.attachTimedOut, .link, attaching.attachment, nil, "no answer in \(timeout)", .local))
    self.engine.detach(link)
    self.engine.endSession(attaching.session)
    self.boundEnd(attaching.session)
    self.sessions[attaching.session] = nil
    self.pump()
  }

  /// Detaches a link; the answer comes when the peer has detached too, or was never heard of again.
  func detach(_ link: LinkID) -> OneShot<Void> {
    if let already = self.detaching[link] { return already }
    let done = OneShot<Void>()
    guard self.senders[link] != nil || self.receivers[link] != nil else {
      done.fulfil(())
      return done
    }
    self.receivers[link]?.close(self.engine, at: self.eventLoop.now)
    self.detaching[link] = done
    if self.senders[link]?.isIdle ?? true { self.startDetach(link) }
    self.pump()
    return done
  }

  private func startDetach(_ link: LinkID) {
    self.engine.startDetach(link)
    // RabbitMQ 3 answers no Detach, but it does answer End. The next link's session is begun first, so that it cannot come on
    // the channel of the one that ends: there, too, a Begin that comes too soon is dropped.
    guard !self.answersDetach, let session = self.sessions.first(where: { $0.value == [link] })?.key else { return }
    if self.idleSessions.isEmpty {
      let next = self.engine.beginSession()
      self.sessions[next] = []
      self.idleSessions.append(next)
    }
    self.engine.startEnd(session)
    self.boundEnd(session)
  }

  /// RabbitMQ 3 now and then leaves an End unanswered; new sessions wait for it no longer than a second.
  private func boundEnd(_ session: SessionID) {
    self.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
      guard let self, !self.hasEnded else { return }
      self.engine.stopWaitingForEnd(of: session)
      self.beginQueuedAttaches()
      self.pump()
    }
  }

  /// The deadline of a detach has passed: forget the link.
  func forget(_ link: LinkID) {
    self.linkGone(
      link, AMQPError(.linkClosed, .link, .local, tried: "use a link of \(self.name)", seen: "it was closed on this side"))
    self.engine.detach(link)
    if let session = self.sessions.first(where: { $0.value.contains(link) })?.key {
      self.endSessionIfEmpty(session, without: link)
    }
    self.pump()
  }

  // MARK: Drain

  /// Asks the peer of a receiving link to use up its credit or give it back.
  func drain(_ link: LinkID, address: String, within timeout: Duration) -> OneShot<Result<AMQPDrainResult, AMQPError>> {
    let refused = OneShot<Result<AMQPDrainResult, AMQPError>>()
    let tried = "drain the receiver from \(address) on \(self.name)"
    guard let receiver = self.receivers[link] else {
      let gone = AMQPError(.linkClosed, .link, .local, tried: tried, seen: "the link is closed")
      refused.fulfil(.failure(self.failure ?? gone))
      return refused
    }
    guard self.answersDetach else {
      let seen = "RabbitMQ 3 ends the session of a receiver that drains a classic queue with fewer messages than credit"
      refused.fulfil(.failure(AMQPError(.drainNotSupported, .link, .local, tried: tried, seen: seen)))
      return refused
    }
    let answer = receiver.drain(self.engine, at: self.eventLoop.now)
    if answer.current == nil {
      self.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeout)) { [weak self] in
        if answer.current == nil { self?.receivers[link]?.drainTimedOut(answer, after: timeout) }
      }
    }
    self.pump()
    return answer
  }

  // MARK: Gauges

  func statistics() -> AMQPConnectionStatistics {
    let now = self.eventLoop.now
    let senders = self.senders.map { $0.value.statistics(at: now, isDetaching: self.detaching[$0.key] != nil) }
    let receivers = self.receivers.map { $0.value.statistics(at: now, isDetaching: self.detaching[$0.key] != nil) }
    let oldestAttach = (self.attaching.values.map(\.since) + self.queuedAttaches.map(\.since)).min()
    return AMQPConnectionStatistics(
      state: self.hasEnded
        ? .closed : self.isClosing || self.failure != nil ? .closing : self.openedAt == nil ? .connecting : .open,
      epoch: self.epoch, openFor: self.openedAt.map { now.age(since: $0) },
      lastFrameReceivedAge: self.handler?.lastRead.map { now.age(since: $0) },
      lastFrameSentAge: self.handler?.lastWrite.map { now.age(since: $0) }, isWritable: self.handler?.isWritable ?? false,
      unansweredAttaches: self.attaching.count,
      waitingAttaches: self.queuedAttaches.reduce(0) { $0 + $1.attachments.count },
      oldestAttachAge: oldestAttach.map { now.age(since: $0) }, sessions: self.sessions.count,
      withdrawnDeliveries: self.withdrawnDeliveries,
      links: (senders + receivers).sorted { $0.epoch < $1.epoch })
  }

  func close() {
    guard !self.hasEnded else { return }
    self.isClosing = true
    if self.failure == nil {
      self.failure = AMQPError(
        .connectionClosed, .connection, .local, tried: "use the connection to \(self.name)", seen: "it was closed")
    }
    for receiver in self.receivers.values { receiver.close(self.engine, at: self.eventLoop.now) }
    self.engine.closeConnection()
    self.pump()
  }

  /// Ends it without waiting for the peer.
  func abort(_ error: AMQPError? = nil) {
    if let error, self.failure == nil { self.failure = error }
    self.handler?.closeChannel()
    if self.handler == nil { self.channelClosed(nil) }
  }

  // MARK: Events from the peer

  func handle(_ event: EngineEvent) {
    switch event {
    case .remoteOpened(let open):
      let peer = AMQPPeer(open)
      self.answersDetach = !(peer.product == "RabbitMQ" && peer.version?.hasPrefix("3.") == true)
      self.openedAt = self.eventLoop.now
      self.opened.fulfil(.success(peer))
    case .remoteClosed(let condition):
      self.fail(ConnectionFailure.error(closed: condition, tried: "use the connection to \(self.name)"))
      self.engine.closeConnection()
    case .linkAttachAnswered(let link, let attach): self.attachAnswered(link, attach)
    case .linkDetachedByPeer(let link, let condition, _): self.detached(link, condition)
    case .sessionEndedByPeer(let session, let condition): self.sessionEnded(session, condition)
    case .creditChanged(let link, _, let drain):
      self.senders[link]?.creditChanged(drain: drain, at: self.eventLoop.now)
      self.flush(link)
    case .creditReturned(let link, let count): self.receivers[link]?.creditReturned(count, self.engine, at: self.eventLoop.now)
    case .delivered(let link, let transfer): self.delivered(link, transfer)
    case .oversized(let link, _): self.receivers[link]?.arrivedOversized(self.engine, at: self.eventLoop.now)
    case .dispositionReceived(let link, let delivery, let outcome, let settled):
      let now = self.eventLoop.now
      if self.receivers[link]?.withdrawn(delivery, self.engine, at: now) == true { self.withdrawnDeliveries += 1 }
      self.senders[link]?.disposition(delivery, outcome, settled: settled, self.engine, at: now)
      self.flush(link)
      self.finishDetach(link)
    case .transportFailed(let condition):
      self.fail(ConnectionFailure.error(transport: condition, tried: "use the connection to \(self.name)"))
      self.handler?.closeChannelAfterOutput()
    case .transportClosed: self.handler?.closeChannel()
    // A peer of a client has no business beginning sessions or attaching links: they are left unanswered.
    case .sessionBegunByPeer, .linkAttachedByPeer: break
    }
  }

  func becameWritable() { for link in self.senders.keys { self.flush(link) } }

  func channelClosed(_ error: (any Error)?) {
    guard !self.hasEnded else { return }
    self.hasEnded = true
    let tried = "use the connection to \(self.name)"
    // What TLS or the socket said explains more than Proton's view of the same event.
    let reason: AMQPError
    if let error, self.failure?.code != .connectionClosed {
      let below = ConnectionFailure.error(error, tried: tried)
      reason = self.failure.map { $0.code == .connectionLost ? below : $0 } ?? below
    } else {
      reason =
        self.failure ?? AMQPError(.connectionLost, .connection, .remote, tried: tried, seen: "the peer closed the TCP connection")
    }
    self.failure = reason
    self.deadlineTimer?.cancel()
    self.deadlineTimer = nil
    for link in Array(self.attaching.keys) { self.refused(link, reason) }
    for request in self.queuedAttaches { self.fail(request) { _ in reason } }
    self.queuedAttaches = []
    for sender in self.senders.values { sender.linkEnded(reason) }
    for receiver in self.receivers.values { receiver.linkEnded(reason) }
    self.senders = [:]
    self.receivers = [:]
    for done in self.detaching.values { done.fulfil(()) }
    self.detaching = [:]
    self.opened.fulfil(.failure(reason))
    self.closed.fulfil(reason)
  }

  private func fail(_ error: AMQPError) { if self.failure == nil { self.failure = error } }

  private func attachAnswered(_ link: LinkID, _ attach: PeerAttach) {
    guard let attaching = self.attaching[link] else { return }
    // A null terminus says that a Detach with the reason follows (spec 2.6.3).
    guard attaching.attachment.role == .sender ? attach.hasTarget : attach.hasSource else { return }
    attaching.timeout.cancel()
    self.attaching[link] = nil
    let attachment = attaching.attachment
    let now = self.eventLoop.now
    let epoch = AMQPEpoch(connection: self.epoch, link: UInt64(link.number))
    var buffer: ReceiverBuffer?
    switch attachment.role {
    case .sender:
      self.senders[link] = SenderCore(
        link: link, epoch: epoch, address: attachment.address, name: attachment.name, at: now)
    case .receiver:
      let made = ReceiverBuffer()
      let receiver = ReceiverCore(
        link: link, epoch: epoch, address: attachment.address, name: attachment.name, window: attachment.window, buffer: made,
        at: now)
      self.receivers[link] = receiver
      buffer = made
      receiver.attached(self.engine, at: now)
    }
    attaching.answer.fulfil(
      .success(Attached(link: link, epoch: epoch, maximumMessageSize: attach.maxMessageSize, buffer: buffer)))
  }

  private func detached(_ link: LinkID, _ condition: AMQPCondition?) {
    if let attaching = self.attaching[link] {
      let code = AMQPError.code(forLink: condition, whileAttaching: true)
      self.refused(
        link, self.error(code, .link, attaching.attachment, condition, condition == nil ? "a Detach without a reason" : ""))
      if self.answersDetach {
        self.keepSessionIfEmpty(attaching.session, without: link)
      } else {
        self.endSessionIfEmpty(attaching.session, without: link)
      }
      return
    }
    let address = self.senders[link]?.address ?? self.receivers[link]?.address ?? ""
    let code = AMQPError.code(forLink: condition, whileAttaching: false)
    let isOurs = self.detaching[link] != nil && condition == nil
    self.linkGone(
      link,
      AMQPError(
        isOurs ? .linkClosed : code, .link, isOurs ? .local : .remote, condition: condition,
        tried: "use the link to \(address) on \(self.name)",
        seen: isOurs ? "it was closed on this side" : condition == nil ? "a Detach without a reason" : ""))
    if let session = self.sessions.first(where: { $0.value.contains(link) })?.key {
      if isOurs, self.answersDetach {
        self.keepSessionIfEmpty(session, without: link)
      } else {
        self.endSessionIfEmpty(session, without: link)
      }
    }
  }

  private func sessionEnded(_ session: SessionID, _ condition: AMQPCondition?) {
    self.idleSessions.removeAll { $0 == session }
    self.answerEnd(session)
    for link in self.sessions.removeValue(forKey: session) ?? [] {
      let seen = condition == nil ? "an End without a reason" : ""
      if let attaching = self.attaching[link] {
        let code = AMQPError.code(forLink: condition, whileAttaching: true)
        self.refused(
          link, self.error(code == .linkRefused ? .sessionEnded : code, .session, attaching.attachment, condition, seen))
      } else {
        let address = self.senders[link]?.address ?? self.receivers[link]?.address ?? ""
        let code = AMQPError.code(forLink: condition, whileAttaching: false)
        self.linkGone(
          link,
          AMQPError(
            code == .linkDetached ? .sessionEnded : code, .session, .remote, condition: condition,
            tried: "use the link to \(address) on \(self.name)", seen: seen))
      }
    }
    self.beginQueuedAttaches()
  }

  private func delivered(_ link: LinkID, _ transfer: IncomingTransfer) {
    guard let receiver = self.receivers[link] else { return }
    // Sent before our Detach was read: the bus gives it to the next receiver by itself. A disposition now would name a link
    // that the bus no longer knows.
    if self.detaching[link] != nil { return }
    guard receiver.arrived(transfer, self.engine, at: self.eventLoop.now) else {
      self.fail(
        AMQPError(
          .protocolViolated, .link, .remote, tried: "receive from \(receiver.address)",
          seen: "more messages than credit was granted"))
      self.engine.closeConnection(AMQPCondition("amqp:link:transfer-limit-exceeded"))
      return
    }
  }

  // MARK: Ends

  private func refused(_ link: LinkID, _ error: AMQPError) {
    guard let attaching = self.attaching.removeValue(forKey: link) else { return }
    attaching.timeout.cancel()
    attaching.answer.fulfil(.failure(error))
  }

  private func linkGone(_ link: LinkID, _ error: AMQPError) {
    self.senders.removeValue(forKey: link)?.linkEnded(error)
    self.receivers.removeValue(forKey: link)?.linkEnded(error)
    self.detaching.removeValue(forKey: link)?.fulfil(())
  }

  /// A sender that was asked to close does so when its last outcome has come.
  private func finishDetach(_ link: LinkID) {
    if self.detaching[link] != nil, let sender = self.senders[link], sender.isIdle { self.startDetach(link) }
  }

  /// Answers the peer's End a moment later. Until then the session keeps its channel: Proton would give it to the next
  /// session at once, and RabbitMQ 4.0 drops a Begin on a channel whose session has not quite gone. Few are kept back: a
  /// connection has no more than 64 channels there.
  private func answerEnd(_ session: SessionID) {
    self.endedByPeer.append(session)
    if self.endedByPeer.count > 16 { self.engine.endSession(self.endedByPeer.removeFirst()) }
    self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { [weak self] in
      guard let self, !self.hasEnded, let index = self.endedByPeer.firstIndex(of: session) else { return }
      self.endedByPeer.remove(at: index)
      self.engine.endSession(session)
      self.pump()
    }
  }

  private func keepSessionIfEmpty(_ session: SessionID, without link: LinkID) {
    self.sessions[session]?.remove(link)
    guard self.sessions[session]?.isEmpty == true else { return }
    self.idleSessions.append(session)
    self.beginQueuedAttaches()
  }

  private func endSessionIfEmpty(_ session: SessionID, without link: LinkID) {
    self.sessions[session]?.remove(link)
    guard self.sessions[session]?.isEmpty == true else { return }
    self.sessions[session] = nil
    self.engine.endSession(session)
    self.boundEnd(session)
  }

  private func error(
    _ code: AMQPError.Code, _ scope: AMQPError.Scope, _ attachment: Attachment, _ condition: AMQPCondition?, _ seen: String,
    _ origin: AMQPError.Origin = .remote
  ) -> AMQPError {
    let kind = attachment.role == .sender ? "sender to" : "receiver from"
    return AMQPError(
      code, scope, origin, condition: condition, tried: "attach a \(kind) \(attachment.address) on \(self.name)", seen: seen)
  }

  // MARK: Deadlines

  private func scheduleDeadline() {
    if self.deadlines.count > 4_096 {
      self.deadlines.keep { if case .send(let link, let id) = $0 { self.senders[link]?.isPending(id) ?? false } else { false } }
    }
    guard let next = self.deadlines.next else { return }
    if let timer = self.deadlineTimer {
      guard next < self.timerDeadline else { return }
      timer.cancel()
    }
    self.timerDeadline = next
    self.deadlineTimer = self.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
      if let self { self.deadlinesPassed() }
    }
  }

  private func deadlinesPassed() {
    self.deadlineTimer = nil
    let now = self.eventLoop.now
    while case .send(let link, let id)? = self.deadlines.popDue(at: now) {
      self.senders[link]?.end(id, .timedOut, at: now)
      self.finishDetach(link)
    }
    self.scheduleDeadline()
    self.pump()
  }
}
