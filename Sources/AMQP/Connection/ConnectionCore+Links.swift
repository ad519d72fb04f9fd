// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// How links come and go: carries out what ``SessionMachine`` decides.
extension ConnectionCore {
  // MARK: Attach

  /// Attaches one link, or several on one session, as soon as a session can be had.
  func attach(_ attachments: [Attachment], within timeout: Duration) -> [AttachAnswer] {
    let answers = attachments.map { _ in AttachAnswer() }
    if let failure = self.machine.failure {
      answers.forEach { $0.fulfil(.failure(failure)) }
      return answers
    }
    self.lastRequest += 1
    let id = Sessions.RequestID(number: self.lastRequest)
    let request = AttachRequest(
      attachments: attachments, answers: answers, timeout: timeout, since: self.now, deadline: self.now + TimeAmount(timeout))
    self.requests[id] = request
    let needsNewSession = attachments.contains { $0.onNewSession }
    self.carryOut(self.sessions.attach(id, needsNewSession: needsNewSession, deadline: request.deadline))
    self.pump()
    return answers
  }

  /// The one who asked has gone: what is attached already is detached, the rest as soon as it is answered.
  func abandon(_ answers: [AttachAnswer]) {
    for answer in answers {
      answer.whenDone { [eventLoop = self.eventLoop, core = NIOLoopBound(self, eventLoop: self.eventLoop)] result in
        guard case .success(let attached) = result else { return }
        eventLoop.execute { _ = core.value.detach(attached.link) }
      }
    }
  }

  func carryOut(_ actions: [Sessions.Action]) {
    for action in actions {
      switch action {
      case .begin(let id, let session):
        if let request = self.requests.removeValue(forKey: id) {
          self.begin(id, request, on: session ?? self.engine.beginSession())
        }
      case .beginSpare: self.sessions.spareBegun(self.engine.beginSession())
      case .startEnd(let session): self.engine.startEnd(session)
      case .end(let session): self.engine.endSession(session)
      case .timedOut(let id):
        self.fail(id, .attachTimedOut) { "a session before it was not ended in \($0.timeout)" }
      case .refused(let id):
        let limit = self.sessions.limit
        self.fail(id, .tooManyLinks) { _ in "\(limit) sessions stand, the most that the limit or the peer allows" }
      }
    }
    if let next = self.sessions.nextDeadline { self.deadlines.add(.sessions, at: next) }
    self.scheduleTimer()
  }

  private func begin(_ id: Sessions.RequestID, _ request: AttachRequest, on session: SessionID) {
    var links: [LinkID] = []
    for (attachment, answer) in zip(request.attachments, request.answers) {
      guard
        let link = self.engine.attach(
          attachment.role, session: session, name: attachment.name, source: attachment.source, target: attachment.target,
          presettled: attachment.presettled, properties: attachment.properties, streams: attachment.streamsBodies,
          browses: attachment.browses, isDynamic: attachment.isDynamic)
      else {
        answer.fulfil(.failure(self.error(.linkRefused, .link, attachment, nil, "Proton made no link")))
        continue
      }
      links.append(link)
      self.attaching[link] = Attaching(
        attachment: attachment, answer: answer, since: request.since, timeout: request.timeout)
      self.deadlines.add(.attach(link), at: request.deadline)
    }
    self.sessions.begun(id, on: session, links: links)
  }

  private func fail(_ id: Sessions.RequestID, _ code: AMQPError.Code, seen: (AttachRequest) -> String) {
    guard let request = self.requests.removeValue(forKey: id) else { return }
    for (attachment, answer) in zip(request.attachments, request.answers) {
      answer.fulfil(.failure(self.error(code, .link, attachment, nil, seen(request), .local)))
    }
  }

  func attachTimedOut(_ link: LinkID) {
    guard let attaching = self.attaching[link] else { return }
    self.refused(
      link, self.error(.attachTimedOut, .link, attaching.attachment, nil, "no answer in \(attaching.timeout)", .local))
    self.engine.detach(link)
    self.carryOut(self.sessions.lost(link, at: self.now))
  }

  func attachAnswered(_ link: LinkID, _ attach: PeerAttach) {
    guard let attaching = self.attaching[link] else { return }
    // A null terminus says that a Detach with the reason follows (spec 2.6.3).
    guard attaching.attachment.role == .sender ? attach.hasTarget : attach.hasSource else { return }
    self.attaching[link] = nil
    let attachment = attaching.attachment
    let now = self.now
    let epoch = AMQPEpoch(connection: self.epoch, link: UInt64(link.number))
    var buffer: ReceiverBuffer?
    switch attachment.role {
    case .sender:
      self.senders[link] = SenderCore(link: link, epoch: epoch, address: attachment.address, name: attachment.name, at: now)
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
      .success(
        Attached(
          link: link, epoch: epoch, maximumMessageSize: attach.maxMessageSize, source: attach.source, buffer: buffer)))
  }

  func refused(_ link: LinkID, _ error: AMQPError) {
    self.attaching.removeValue(forKey: link)?.answer.fulfil(.failure(error))
  }

  // MARK: Detach

  /// Detaches a link; the answer comes when the peer has detached too, or was never heard of again.
  ///
  /// A sender first waits for its outcomes. A receiver first gives back what no task has taken; it does not drain, for that
  /// has a bus with a backlog send all that it has credit for, only to be given back and counted towards a delivery limit.
  func detach(_ link: LinkID, releasing: Bool = true) -> OneShot<Void> {
    if let already = self.detaching[link] { return already }
    let done = OneShot<Void>()
    guard self.senders[link] != nil || self.receivers[link] != nil, self.machine.failure == nil else {
      done.fulfil(())
      return done
    }
    self.detaching[link] = done
    self.receivers[link]?.close(self.engine, at: self.now, releasing: releasing)
    self.finishDetach(link)
    self.pump()
    return done
  }

  /// Detaches a link that was asked to close once it has nothing more to wait for.
  func finishDetach(_ link: LinkID) {
    guard !self.detaching.isEmpty, self.detaching[link] != nil else { return }
    if let sender = self.senders[link], !sender.isIdle { return }
    if let receiver = self.receivers[link] {
      guard !receiver.isDetached else { return }
      receiver.isDetached = true
    }
    self.engine.startDetach(link)
    self.carryOut(self.sessions.detachStarted(link, at: self.now))
  }

  /// The deadline of a detach has passed: forget the link.
  func forget(_ link: LinkID) {
    self.end(link, self.closedHere)
  }

  private var closedHere: AMQPError {
    AMQPError(.linkClosed, .link, .local, tried: "use a link of \(self.name)", seen: "it was closed on this side")
  }

  /// Ends a link from this side without waiting for anything.
  func end(_ link: LinkID, _ error: AMQPError) {
    self.endUnflushed(link, error)
    self.pump()
  }

  /// The same, for callers that see to it that what is to be said is written.
  func endUnflushed(_ link: LinkID, _ error: AMQPError) {
    self.linkGone(link, error)
    self.engine.detach(link)
    self.carryOut(self.sessions.lost(link, at: self.now))
  }

  func detached(_ link: LinkID, _ condition: AMQPCondition?) {
    if let attaching = self.attaching[link] {
      let code = AMQPError.code(forLink: condition, whileAttaching: true)
      self.refused(
        link, self.error(code, .link, attaching.attachment, condition, condition == nil ? "a Detach without a reason" : ""))
      self.carryOut(self.sessions.detached(link, at: self.now))
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
    let isSpent = self.sessions.session(of: link).map(self.engine.isSpent) ?? false
    self.carryOut(isOurs && !isSpent ? self.sessions.detached(link, at: self.now) : self.sessions.lost(link, at: self.now))
  }

  func sessionEnded(_ session: SessionID, _ condition: AMQPCondition?) {
    let (links, actions) = self.sessions.endedByPeer(session, at: self.now)
    for link in links {
      let seen = condition == nil ? "an End without a reason" : ""
      if let attaching = self.attaching[link] {
        let code = AMQPError.code(forLink: condition, whileAttaching: true)
        self.refused(
          link, self.error(code == .linkRefused ? .sessionEnded : code, .session, attaching.attachment, condition, seen))
      } else if self.detaching[link] != nil, condition == nil {
        self.linkGone(link, self.closedHere)
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
    self.carryOut(actions)
  }

  private func linkGone(_ link: LinkID, _ error: AMQPError) {
    self.senders.removeValue(forKey: link)?.linkEnded(error, at: self.now)
    self.receivers.removeValue(forKey: link)?.linkEnded(error, self.engine)
    self.detaching.removeValue(forKey: link)?.fulfil(())
  }

  private func error(
    _ code: AMQPError.Code, _ scope: AMQPError.Scope, _ attachment: Attachment, _ condition: AMQPCondition?, _ seen: String,
    _ origin: AMQPError.Origin = .remote
  ) -> AMQPError {
    let kind = attachment.role == .sender ? "sender to" : "receiver from"
    return AMQPError(
      code, scope, origin, condition: condition, tried: "attach a \(kind) \(attachment.address) on \(self.name)", seen: seen)
  }

  // MARK: Drain

  /// Asks the peer of a receiving link to use up its credit or give it back.
  func drain(_ link: LinkID, address: String, within timeout: Duration) -> DrainAnswer {
    let refused = DrainAnswer()
    let tried = "drain the receiver from \(address) on \(self.name)"
    guard let receiver = self.receivers[link], self.detaching[link] == nil else {
      let gone = AMQPError(.linkClosed, .link, .local, tried: tried, seen: "the link is closed")
      refused.fulfil(.failure(self.machine.failure ?? gone))
      return refused
    }
    guard self.sessions.answersCloseOfLink else {
      let seen = "RabbitMQ 3 ends the session of a receiver that drains a classic queue with fewer messages than credit"
      refused.fulfil(.failure(AMQPError(.drainNotSupported, .link, .local, tried: tried, seen: seen)))
      return refused
    }
    let answer = receiver.drain(self.engine, at: self.now)
    if answer.current == nil {
      self.deadlines.add(.drain(link, answer, timeout), at: self.now + TimeAmount(timeout))
      self.scheduleTimer()
    }
    self.pump()
    return answer
  }
}
