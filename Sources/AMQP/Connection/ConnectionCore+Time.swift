// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// All that happens by the clock, behind one timer; and the gauges, whose ages come from the same clock.
extension ConnectionCore {
  func scheduleTimer() {
    self.deadlines.compact { deadline in
      switch deadline {
      case .send(let link, let id): self.senders[link]?.isPending(id) ?? false
      case .attach(let link): self.attaching[link] != nil
      case .drain(_, let answer, _): answer.current == nil
      case .sessions, .watchdog: true
      }
    }
    guard self.machine.state != .closed, let next = self.deadlines.next else { return }
    if let timer = self.timer {
      guard next < self.timerDeadline else { return }
      timer.cancel()
    }
    self.timerDeadline = next
    self.timer = self.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
      if let self { self.deadlinesPassed() }
    }
  }

  private func deadlinesPassed() {
    self.timer = nil
    let now = self.now
    while let deadline = self.deadlines.popDue(at: now) {
      switch deadline {
      case .send(let link, let id):
        self.senders[link]?.end(id, .timedOut, self.engine, at: now)
        self.flush(link)
        self.finishDetach(link)
      case .attach(let link): self.attachTimedOut(link)
      case .drain(let link, let answer, let timeout):
        if answer.current == nil { self.receivers[link]?.drainTimedOut(answer, after: timeout) }
      case .sessions: self.carryOut(self.sessions.passed(now))
      case .watchdog: self.watch(at: now)
      }
    }
    self.scheduleTimer()
    self.pump()
  }

  // MARK: Watchdog

  private func watch(at now: NIODeadline) {
    let lastRead = self.handler?.lastRead
    for verdict in self.watchdog.check(self.views, lastRead: lastRead, at: now) {
      switch verdict {
      case .stalled(let link, let since):
        guard let receiver = self.receivers[link] else { continue }
        self.counts.stalled += 1
        let seen = "no credit and nothing unsettled for \(now.age(since: since).spoken): \(receiver.credit.credit) credit"
        self.end(receiver, .linkStalled, seen)
      case .quiet(let link, let since):
        guard let receiver = self.receivers[link] else { continue }
        self.counts.quiet += 1
        let seen = "credit for \(receiver.credit.credit) messages, and nothing came for \(now.age(since: since).spoken)"
        self.end(receiver, .linkQuiet, seen)
      case .connectionSilent(let since):
        let seen = "no frame for \(now.age(since: since).spoken), twice the idle timeout"
        let error = AMQPError(.peerSilent, .connection, .local, tried: "use the connection to \(self.name)", seen: seen)
        self.logger.warning("the peer is silent; the connection is cut", metadata: [LogKey.endpoint.rawValue: "\(self.name)"])
        self.abort(error)
        return
      }
    }
    self.deadlines.add(.watchdog, at: self.watchdog.nextCheck(self.views, lastRead: lastRead, after: now))
  }

  private func end(_ receiver: ReceiverCore, _ code: AMQPError.Code, _ seen: String) {
    let error = AMQPError(
      code, .link, .local, tried: "receive from \(receiver.address) on \(self.name)", seen: "\(seen) (link \(receiver.epoch))")
    // Quiet is nothing to wake anyone for; a stall should not happen at all.
    self.logger.log(
      level: code == .linkQuiet ? .debug : .warning, "\(code == .linkQuiet ? "a quiet" : "a stalled") link is ended",
      metadata: [
        LogKey.endpoint.rawValue: "\(self.name)", LogKey.address.rawValue: "\(receiver.address)",
        LogKey.error.rawValue: "\(code.text)",
      ])
    self.end(receiver.link, error)
  }

  private var views: [Watchdog.View] {
    self.receivers.values.map { receiver in
      Watchdog.View(
        link: receiver.link, credit: receiver.credit.credit, held: receiver.credit.held,
        isGranting: receiver.credit.isGranting && self.detaching[receiver.link] == nil, lastActivity: receiver.lastActivity)
    }
  }

  // MARK: Gauges

  func statistics() -> AMQPConnectionStatistics {
    let now = self.now
    let senders = self.senders.map { $0.value.statistics(at: now, isDetaching: self.detaching[$0.key] != nil) }
    let receivers = self.receivers.map { $0.value.statistics(at: now, isDetaching: self.detaching[$0.key] != nil) }
    let oldestAttach = (self.attaching.values.map(\.since) + self.requests.values.map(\.since)).min()
    let state: AMQPConnectionStatistics.State =
      switch self.machine.state {
      case .connecting: .connecting
      case .open: .open
      case .closing: .closing
      case .closed: .closed
      }
    return AMQPConnectionStatistics(
      state: state, epoch: self.epoch, openFor: self.openedAt.map { now.age(since: $0) },
      lastFrameReceivedAge: self.handler?.lastRead.map { now.age(since: $0) },
      lastFrameSentAge: self.handler?.lastWrite.map { now.age(since: $0) }, isWritable: self.handler?.isWritable ?? false,
      unansweredAttaches: self.attaching.count,
      waitingAttaches: self.requests.values.reduce(0) { $0 + $1.attachments.count },
      oldestAttachAge: oldestAttach.map { now.age(since: $0) }, sessions: self.sessions.count,
      withdrawnDeliveries: self.counts.withdrawn, stalledLinks: self.counts.stalled, quietLinks: self.counts.quiet,
      links: (senders + receivers).sorted { $0.epoch < $1.epoch })
  }
}
