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
  /// The message that is being handed over in pieces.
  private var partial: Partial?

  private struct Partial {
    /// Where the rest comes from.
    enum Rest {
      /// It is all there: a large message.
      case bytes(ArraySlice<UInt8>)
      case body(OutgoingBody)
    }

    let id: PendingSend.Machine.SendID
    let delivery: DeliveryID
    let settled: Bool
    var rest: Rest
    /// Not handed over before it is known whether more follows: over a last frame without bytes RabbitMQ 3 ends the session.
    var held: ArraySlice<UInt8> = []
    /// Bytes that were handed over.
    var handed = 0
  }
  private var ages = AgeLog()
  private var transfers = 0
  private let attachedAt: NIODeadline
  private(set) var lastActivity: NIODeadline
  private(set) var credit = 0
  /// Since when there has been credit without a break, or none.
  private var creditChangedAt: NIODeadline
  private var isWritable = true

  /// Bytes that Proton may hold for the link before we stop handing over: what is not handed over can still be taken back.
  static let outgoingBytesBound = 256 << 10
  /// A larger message is handed over in pieces of this size: Proton moves all that it holds of a message for every frame that it
  /// writes, and while it holds a whole one of 20 MB nothing else on the connection gets its turn.
  static let pieceSize = 64 << 10

  init(link: LinkID, epoch: AMQPEpoch, address: String, name: String, at now: NIODeadline) {
    self.link = link
    self.epoch = epoch
    self.address = address
    self.name = name
    self.attachedAt = now
    self.lastActivity = now
    self.creditChangedAt = now
  }

  /// Why the link is to end as soon as nothing is in flight: a message broke off on it. Aborting the message instead (spec 2.6.14)
  /// costs the session at RabbitMQ 3.10 and 4.0 and the link at 4.3, and makes ActiveMQ answer nothing more.
  private(set) var brokenOff: AMQPError?
  /// Whether there is more to hand over when there is room.
  private(set) var wantsRoom = false
  /// Whether it is among those to be flushed at the end of this turn of the loop.
  var isTouched = false
  /// Messages that are sent many at a time.
  private var lane: ParcelLane?
  var isIdle: Bool { self.machine.isIdle && self.lane?.isIdle ?? true }
  var waitingCount: Int { self.machine.waitingCount + (self.lane?.waitingCount ?? 0) }
  var inFlightCount: Int { self.machine.inFlightCount + (self.lane?.inFlightCount ?? 0) }

  func isPending(_ id: PendingSend.Machine.SendID) -> Bool { self.pending[id] != nil }

  func enqueue(_ send: PendingSend) {
    if let completion = self.machine.enqueue(send.id) {
      send.continuation.resume(returning: self.result(completion, of: send, at: send.since))
    } else {
      self.pending[send.id] = send
    }
  }

  func enqueue(_ parcels: [AMQPParcel], told: @escaping @Sendable ([AMQPParcelEnd]) -> Void) {
    if self.lane == nil { self.lane = ParcelLane(told: told) }
    self.lane?.enqueue(parcels)
    if let brokenOff { self.lane?.linkEnded(brokenOff) }
  }

  /// Takes back the parcels that have not begun to leave; those that have ended are told first.
  func withdrawParcels() -> [UInt64] {
    self.lane?.tell()
    return self.lane?.withdraw() ?? []
  }

  /// Tells of the parcels that have ended.
  func tellOfParcels() { self.lane?.tell() }

  /// Hands over as much as credit and the socket allow.
  func flush(_ engine: ProtonEngine, isWritable: Bool, at now: NIODeadline) {
    self.isWritable = isWritable
    defer { self.note(credit: engine.credit(of: self.link), at: now) }
    guard isWritable, self.brokenOff == nil else { return }
    self.wantsRoom = false
    guard self.continuePartial(engine, at: now) else { return }
    while engine.credit(of: self.link) > 0 {
      guard engine.outgoingBytes(of: self.link) < SenderCore.outgoingBytesBound else {
        self.wantsRoom = true
        break
      }
      guard let id = self.machine.next() else { break }
      guard let send = self.pending[id] else { continue }
      if send.body != nil || send.payload.count > SenderCore.pieceSize {
        guard let delivery = engine.beginTransfer(on: self.link) else { return }
        self.machine.began(id, as: delivery)
        var partial = Partial(id: id, delivery: delivery, settled: send.settled, rest: .bytes(send.payload[...]))
        if let body = send.body {
          partial.rest = .body(body)
          partial.held = send.payload[...]
        }
        self.partial = partial
        guard self.continuePartial(engine, at: now) else { return }
        continue
      }
      guard let delivery = engine.transfer(send.payload, on: self.link, settled: send.settled) else { return }
      self.machine.transferred(id, as: delivery)
      self.transfers += 1
      self.lastActivity = now
      if !send.settled { self.ages.began(delivery, at: now) }
      if send.settled { self.apply(delivery, .accepted, settled: true) }
    }
    if self.lane?.flush(engine, on: self.link, bound: SenderCore.outgoingBytesBound) == true { self.wantsRoom = true }
    if self.drainAsked, self.waitingCount == 0 {
      self.drainAsked = false
      engine.drained(self.link)
    }
  }

  /// Hands over what there is of the message that is being sent in pieces, as far as there is room.
  ///
  /// - Returns: whether the link is free for the next message.
  private func continuePartial(_ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    while let partial = self.partial {
      guard engine.outgoingBytes(of: self.link) < SenderCore.outgoingBytesBound else {
        self.wantsRoom = true
        return false
      }
      self.lastActivity = now
      switch self.nextPart(of: partial) {
      case .piece(let bytes):
        if !partial.held.isEmpty { engine.append(partial.held, on: self.link) }
        self.partial?.handed += partial.held.count
        self.partial?.held = bytes
      case .waiting: return false
      case .finished:
        self.partial = nil
        engine.append(partial.held, on: self.link)
        engine.finishTransfer(partial.delivery, on: self.link, settled: partial.settled)
        self.machine.transferred(partial.id, as: partial.delivery)
        self.transfers += 1
        if partial.settled {
          self.apply(partial.delivery, .accepted, settled: true)
        } else {
          self.ages.began(partial.delivery, at: now)
        }
      case .failed(let error):
        _ = self.machine.end(partial.id, .cancelled)
        self.pending.removeValue(forKey: partial.id)?.continuation.resume(returning: .failure(error))
        self.abortPartial(engine, at: now)
        if self.brokenOff != nil { return false }
      }
    }
    return true
  }

  private func nextPart(of partial: Partial) -> OutgoingBody.Part {
    switch partial.rest {
    case .body(let body): return body.take()
    case .bytes(let rest):
      if rest.isEmpty { return .finished }
      self.partial?.rest = .bytes(rest.dropFirst(SenderCore.pieceSize))
      return .piece(rest.prefix(SenderCore.pieceSize))
    }
  }

  private func abortPartial(_ engine: ProtonEngine, at now: NIODeadline) {
    guard let partial = self.forgetPartial() else { return }
    // Nothing of it has left, and nothing will.
    if partial.handed == 0 { return engine.abortTransfer(partial.delivery) }
    let error = AMQPError(
      .linkDetached, .link, .local, tried: "send a message to \(self.address)",
      seen: "a message before it broke off, and the link was ended so that the bus forgets what it has of it")
    self.brokenOff = error
    for (id, completion) in self.machine.refuse(error) {
      guard let send = self.pending.removeValue(forKey: id) else { continue }
      send.body?.close()
      send.continuation.resume(returning: self.result(completion, of: send, at: now))
    }
  }

  private func forgetPartial() -> Partial? {
    defer { self.partial = nil }
    if case .body(let body)? = self.partial?.rest { body.close() }
    return self.partial
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
    if self.lane?.disposition(delivery, outcome, settled: settled) == true { return }
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
    let result = self.result(completion, of: send, at: now)
    if self.partial?.id == id { self.abortPartial(engine, at: now) }
    send.body?.close()
    send.continuation.resume(returning: result)
  }

  func linkEnded(_ error: AMQPError, at now: NIODeadline) {
    _ = self.forgetPartial()
    self.lane?.linkEnded(error)
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
      let code = self.hasPartlyLeft(send) ? AMQPError.Code.sendTooSlow : .noCredit
      return .failure(AMQPError(code, .link, .local, tried: tried, seen: self.standstill(send, at: now)))
    case .notSent(.cancelled):
      return .failure(AMQPError(.cancelled, .delivery, .local, tried: tried, seen: "the task was cancelled"))
    }
  }

  /// Whether the peer has been handed some of it: it had credit then, and what it lacked was time.
  private func hasPartlyLeft(_ send: PendingSend) -> Bool { self.partial.map { $0.id == send.id && $0.handed > 0 } ?? false }

  /// Why a send could not leave.
  private func standstill(_ send: PendingSend, at now: NIODeadline) -> String {
    let around = "link open, \(self.inFlightCount) in flight, \(self.waitingCount) more waiting"
    if let partial, partial.id == send.id {
      let end = if case .body = partial.rest { "its source or the peer" } else { "the peer or the network" }
      return "only \(partial.handed) bytes of it handed over, and taken back: \(around), \(end) is too slow"
    }
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
      attachedFor: now.age(since: self.attachedAt), transfers: self.transfers + (self.lane?.transfers ?? 0))
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
