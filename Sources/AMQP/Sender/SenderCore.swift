// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One sending link on the event loop: carries out what ``SendMachine`` decides.
final class SenderCore {
  let link: LinkID
  let epoch: AMQPEpoch
  let address: String
  let name: String
  private var machine = PendingSend.Machine()
  private var pending: [PendingSend.Machine.SendID: PendingSend] = [:]
  private var drainAsked = false
  /// The message whose body is being handed over.
  private var streamed: Streamed?

  private struct Streamed {
    let id: PendingSend.Machine.SendID
    let delivery: DeliveryID
    let body: OutgoingBody
    let settled: Bool
  }
  private var ages = AgeLog<DeliveryID>()
  private var transfers = 0
  private let attachedAt: NIODeadline
  private(set) var lastActivity: NIODeadline
  private(set) var credit = 0
  /// Since when there has been credit without a break, or none.
  private var creditChangedAt: NIODeadline
  private var isWritable = true

  /// Bytes that Proton may hold for the link before we stop handing over: what is not handed over can still be taken back.
  private static let outgoingBytesBound = 256 << 10

  init(link: LinkID, epoch: AMQPEpoch, address: String, name: String, at now: NIODeadline) {
    self.link = link
    self.epoch = epoch
    self.address = address
    self.name = name
    self.attachedAt = now
    self.lastActivity = now
    self.creditChangedAt = now
  }

  var isStreaming: Bool { self.streamed != nil }
  var isIdle: Bool { self.machine.isIdle }
  var waitingCount: Int { self.machine.waitingCount }
  var inFlightCount: Int { self.machine.inFlightCount }

  func isPending(_ id: PendingSend.Machine.SendID) -> Bool { self.pending[id] != nil }

  func enqueue(_ send: PendingSend) {
    if let completion = self.machine.enqueue(send.id) {
      send.continuation.resume(returning: self.result(completion, of: send, at: send.since))
    } else {
      self.pending[send.id] = send
    }
  }

  /// Hands over as much as credit and the socket allow.
  func flush(_ engine: ProtonEngine, isWritable: Bool, at now: NIODeadline) {
    self.isWritable = isWritable
    defer { self.note(credit: engine.credit(of: self.link), at: now) }
    guard isWritable else { return }
    guard self.continueBody(engine, at: now) else { return }
    while engine.credit(of: self.link) > 0, engine.outgoingBytes(of: self.link) < SenderCore.outgoingBytesBound,
      let id = self.machine.next()
    {
      guard let send = self.pending[id] else { continue }
      if let body = send.body {
        guard let delivery = engine.beginTransfer(on: self.link) else { return }
        self.machine.began(id, as: delivery)
        engine.append(send.payload, on: self.link)
        self.streamed = Streamed(id: id, delivery: delivery, body: body, settled: send.settled)
        guard self.continueBody(engine, at: now) else { return }
        continue
      }
      guard let delivery = engine.transfer(send.payload, on: self.link, settled: send.settled) else { return }
      self.machine.transferred(id, as: delivery)
      self.transfers += 1
      self.lastActivity = now
      if !send.settled { self.ages.began(delivery, at: now) }
      if send.settled { self.apply(delivery, .accepted, settled: true) }
    }
    if self.drainAsked, self.machine.waitingCount == 0 {
      self.drainAsked = false
      engine.drained(self.link)
    }
  }

  /// Hands over what there is of the body that is being sent, as far as there is room.
  ///
  /// - Returns: whether the link is free for the next message.
  private func continueBody(_ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    while let streamed = self.streamed {
      guard engine.outgoingBytes(of: self.link) < SenderCore.outgoingBytesBound else { return false }
      self.lastActivity = now
      switch streamed.body.take() {
      case .piece(let bytes): engine.append(bytes, on: self.link)
      case .waiting: return false
      case .finished:
        self.streamed = nil
        engine.finishTransfer(streamed.delivery, on: self.link, settled: streamed.settled)
        self.machine.transferred(streamed.id, as: streamed.delivery)
        self.transfers += 1
        if streamed.settled {
          self.apply(streamed.delivery, .accepted, settled: true)
        } else {
          self.ages.began(streamed.delivery, at: now)
        }
      case .failed(let error):
        self.abortBody(engine)
        _ = self.machine.end(streamed.id, .cancelled)
        self.pending.removeValue(forKey: streamed.id)?.continuation.resume(returning: .failure(error))
      }
    }
    return true
  }

  private func abortBody(_ engine: ProtonEngine?) {
    guard let streamed = self.streamed else { return }
    self.streamed = nil
    streamed.body.close()
    engine?.abortTransfer(streamed.delivery)
  }

  func creditChanged(drain: Bool, at now: NIODeadline) {
    self.drainAsked = drain
    self.lastActivity = now
  }

  private func note(credit: Int, at now: NIODeadline) {
    if (credit > 0) != (self.credit > 0) { self.creditChangedAt = now }
    self.credit = credit
  }

  func disposition(
    _ delivery: DeliveryID, _ outcome: AMQPOutcome?, settled: Bool, _ engine: ProtonEngine, at now: NIODeadline
  ) {
    self.lastActivity = now
    self.ages.finished(delivery)
    // Settled at once: Proton keeps about 0.9 kB for every delivery that is not.
    engine.settle(delivery)
    self.apply(delivery, outcome, settled: settled)
  }

  private func apply(_ delivery: DeliveryID, _ outcome: AMQPOutcome?, settled: Bool) {
    guard let (id, outcome) = self.machine.disposition(delivery, outcome, settled: settled) else { return }
    self.pending.removeValue(forKey: id)?.continuation.resume(returning: .success(outcome))
  }

  func end(
    _ id: PendingSend.Machine.SendID, _ ending: PendingSend.Machine.Ending, _ engine: ProtonEngine, at now: NIODeadline
  ) {
    guard let completion = self.machine.end(id, ending), let send = self.pending.removeValue(forKey: id) else { return }
    if self.streamed?.id == id { self.abortBody(engine) }
    send.body?.close()
    send.continuation.resume(returning: self.result(completion, of: send, at: now))
  }

  func linkEnded(_ error: AMQPError, at now: NIODeadline) {
    self.abortBody(nil)
    for (id, completion) in self.machine.linkEnded(error) {
      guard let send = self.pending.removeValue(forKey: id) else { continue }
      send.body?.close()
      send.continuation.resume(returning: self.result(completion, of: send, at: now))
    }
  }

  private func result(
    _ completion: PendingSend.Machine.Completion, of send: PendingSend, at now: NIODeadline
  ) -> Result<AMQPOutcome, AMQPError> {
    let tried = "send a message to \(self.address)"
    switch completion {
    case .outcome(let outcome): return .success(outcome)
    case .notSent(.linkEnded(let error)): return .failure(error)
    case .notSent(.timedOut):
      return .failure(AMQPError(.noCredit, .link, .local, tried: tried, seen: self.standstill(send, at: now)))
    case .notSent(.cancelled):
      return .failure(AMQPError(.cancelled, .delivery, .local, tried: tried, seen: "the task was cancelled"))
    }
  }

  /// Why a send could not leave.
  private func standstill(_ send: PendingSend, at now: NIODeadline) -> String {
    let around = "link open, \(self.inFlightCount) in flight, \(self.waitingCount) more waiting"
    if !self.isWritable { return "the connection takes no bytes: \(around), the peer or the network does not read" }
    guard self.credit <= 0 else {
      return "not its turn in \(now.age(since: send.since).spoken): \(around), credit \(self.credit)"
    }
    let hint = self.inFlightCount == 0 ? "broker may be in alarm" : "the broker owes outcomes"
    return "no credit for \(now.age(since: self.creditChangedAt).spoken): \(around), \(hint)"
  }

  func statistics(at now: NIODeadline, isDetaching: Bool) -> AMQPLinkStatistics {
    let oldestWaiting = self.machine.oldestWaiting().flatMap { self.pending[$0] }
    return AMQPLinkStatistics(
      role: .sender, state: isDetaching ? .detaching : .open, address: self.address, name: self.name, epoch: self.epoch,
      credit: self.credit, waitingSends: self.waitingCount, inFlight: self.inFlightCount,
      oldestUnsettledAge: self.ages.oldest.map { now.age(since: $0) },
      oldestWaitingSendAge: oldestWaiting.map { now.age(since: $0.since) }, lastActivityAge: now.age(since: self.lastActivity),
      hasHadCreditFor: self.credit > 0 ? now.age(since: self.creditChangedAt) : nil,
      attachedFor: now.age(since: self.attachedAt), transfers: self.transfers)
  }
}

extension Duration {
  /// For error texts: whole seconds, and milliseconds below ten seconds.
  var spoken: String {
    let milliseconds = self.milliseconds
    if milliseconds < 1_000 { return "\(milliseconds) ms" }
    let tenths = milliseconds / 100
    return milliseconds < 10_000 && tenths % 10 != 0 ? "\(tenths / 10).\(tenths % 10) s" : "\(milliseconds / 1_000) s"
  }
}
