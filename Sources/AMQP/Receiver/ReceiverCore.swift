// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One receiving link on the event loop: carries out what ``CreditMachine`` decides.
final class ReceiverCore {
  let link: LinkID
  let epoch: AMQPEpoch
  let address: String
  let name: String
  let buffer: ReceiverBuffer
  private(set) var credit: CreditMachine
  private var ages = AgeLog()
  private var withdrawnCount = 0
  private var transfers = 0
  private let attachedAt: NIODeadline
  private(set) var lastActivity: NIODeadline
  private var creditSince: NIODeadline?
  /// The message that is coming in, on a link that streams bodies.
  var arrival: StreamedArrival?
  /// Whether Detach was written.
  var isDetached = false
  /// Whether nobody will take deliveries any more.
  private(set) var isClosing = false
  private var draining: [OneShot<Result<AMQPDrainResult, AMQPError>>] = []
  /// What has arrived in this turn of the loop: handed out together at its end.
  private var arrivals: [IncomingTransfer] = []
  /// Whether it is among those to be asked for ``arrivals`` then.
  var isTouched = false
  /// Who takes what arrives in place of ``buffer``.
  private var listener: AMQPReceiver.Listener?

  init(
    link: LinkID, epoch: AMQPEpoch, address: String, name: String, window: Int, buffer: ReceiverBuffer, at now: NIODeadline
  ) {
    self.link = link
    self.epoch = epoch
    self.address = address
    self.name = name
    self.buffer = buffer
    self.credit = CreditMachine(window: window, epoch: epoch)
    self.attachedAt = now
    self.lastActivity = now
  }

  /// What somebody handed out has not settled; what is buffered counts too.
  var oldestUnsettled: NIODeadline? { self.ages.oldest }

  func attached(_ engine: ProtonEngine, at now: NIODeadline) { self.apply(.attached, engine, at: now) }

  /// - Returns: false when the peer sent a whole window more than it had credit for.
  func arrived(_ transfer: IncomingTransfer, _ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    // Sent before our Detach was read: the bus gives it to the next receiver by itself. A disposition now would name a link
    // that the bus no longer knows.
    if self.isDetached { return true }
    self.transfers += 1
    guard self.apply(.arrived, engine, at: now) else { return false }
    if self.isClosing {
      // The connection is closing, and nobody will take it.
      if !transfer.settled { engine.settle(transfer.delivery, .released) }
      self.apply(.dropped(1), engine, at: now)
      return true
    }
    if !transfer.settled { self.ages.began(transfer.delivery, at: now) }
    self.arrivals.append(transfer)
    return true
  }

  /// At the end of a turn, and before anything that looks for a delivery where it was handed to.
  func handOutArrived(_ engine: ProtonEngine) {
    guard !self.arrivals.isEmpty else { return }
    let arrivals = self.arrivals
    self.arrivals = []
    guard let listener else { return self.buffer.append(arrivals) }
    self.tell(listener, arrivals, engine, at: self.lastActivity)
  }

  private func tell(
    _ listener: AMQPReceiver.Listener, _ arrivals: [IncomingTransfer], _ engine: ProtonEngine, at now: NIODeadline
  ) {
    let presettled = arrivals.count { $0.settled }
    self.taken(arrivals.count - presettled, settled: presettled, engine, at: now)
    listener(.arrived(arrivals))
  }

  /// See ``AMQPReceiver/listen(_:)``.
  func listen(_ listener: @escaping AMQPReceiver.Listener, _ engine: ProtonEngine, at now: NIODeadline) {
    self.handOutArrived(engine)
    self.listener = listener
    let waiting = self.buffer.takeAll()
    if !waiting.isEmpty { self.tell(listener, waiting, engine, at: now) }
    if self.isClosing { self.endListening(nil) }
  }

  private func endListening(_ error: AMQPError?) {
    let listener = self.listener
    self.listener = nil
    listener?(.ended(error))
  }

  /// A message whose body is read as it comes has begun.
  func noteArrival(_ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    self.transfers += 1
    return self.apply(.arrived, engine, at: now)
  }

  func handOut(_ transfer: IncomingTransfer) {
    if !transfer.settled { self.ages.began(transfer.delivery, at: self.lastActivity) }
    self.arrivals.append(transfer)
  }

  /// A streamed message is over, and nothing will be read of it.
  func drop(_ arrival: StreamedArrival, _ engine: ProtonEngine, at now: NIODeadline) {
    self.handOutArrived(engine)
    if !arrival.isHandedOut {
      self.apply(.dropped(1), engine, at: now)
    } else if self.buffer.remove(arrival.delivery) {
      self.ages.finished(arrival.delivery)
      self.apply(.dropped(1), engine, at: now)
    } else if arrival.isSettledByHolder, self.ages.finished(arrival.delivery) {
      self.apply(.settled(1), engine, at: now)
    }
    // Otherwise its holder has yet to settle it, and only then has room for the next.
  }

  /// A message too large for us came and was rejected: it used credit all the same.
  func arrivedOversized(_ engine: ProtonEngine, at now: NIODeadline) {
    self.transfers += 1
    if self.apply(.arrived, engine, at: now) { self.apply(.dropped(1), engine, at: now) }
  }

  func settle(_ deliveries: [DeliveryID], _ disposition: AMQPDisposition, _ engine: ProtonEngine, at now: NIODeadline) {
    var settled = 0
    for delivery in deliveries {
      if self.arrival != nil, self.settleArrival(delivery, disposition, engine, at: now) { continue }
      engine.settle(delivery, disposition)
      guard self.ages.finished(delivery) else { continue }
      // Taken back while this settlement was on its way here: it is settled, and nobody can be told any more.
      if self.withdrawnCount > 0 { _ = self.buffer.withdrawn.settled([delivery]) }
      settled += 1
    }
    if settled > 0 { self.apply(.settled(settled), engine, at: now) }
  }

  /// A task took deliveries.
  func taken(_ count: Int, settled: Int, _ engine: ProtonEngine, at now: NIODeadline) {
    self.apply(.taken(count), engine, at: now)
    if settled > 0 { self.apply(.takenSettled(settled), engine, at: now) }
  }

  /// The peer stated an outcome for a delivery that is still ours to settle: it took it back (RabbitMQ 4.3 does when a
  /// consumer holds one for too long), and gives this link nothing more until it is settled here too.
  func withdrawn(_ delivery: DeliveryID, _ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    guard self.ages.contains(delivery) else { return false }
    self.lastActivity = now
    self.withdrawnCount += 1
    self.handOutArrived(engine)
    if self.buffer.remove(delivery) {
      // Nobody has seen it: nobody has to be told.
      engine.settle(delivery, WithdrawnDeliveries.settlement)
      self.ages.finished(delivery)
      self.apply(.dropped(1), engine, at: now)
    } else {
      self.buffer.withdrawn.withdraw(delivery)
    }
    return true
  }

  func tellWhetherSettled(_ delivery: DeliveryID) {
    if !self.ages.contains(delivery) { _ = self.buffer.withdrawn.settled([delivery]) }
  }

  // MARK: Drain

  func drain(_ engine: ProtonEngine, at now: NIODeadline) -> OneShot<Result<AMQPDrainResult, AMQPError>> {
    let answer = OneShot<Result<AMQPDrainResult, AMQPError>>()
    self.draining.append(answer)
    self.apply(.drainAsked, engine, at: now)
    return answer
  }

  func creditReturned(_ count: Int, _ engine: ProtonEngine, at now: NIODeadline) {
    self.apply(.creditReturned(count), engine, at: now)
  }

  func resume(_ engine: ProtonEngine, at now: NIODeadline) {
    self.apply(.resumed, engine, at: now)
    self.endDrains(.failure(self.drainError(.drainTimedOut, seen: "the receiver was resumed before the drain was answered")))
  }

  func drainTimedOut(_ answer: OneShot<Result<AMQPDrainResult, AMQPError>>, after timeout: Duration) {
    self.draining.removeAll { $0 === answer }
    let seen = "\(self.credit.credit) credit neither used nor given back in \(timeout)"
    answer.fulfil(.failure(self.drainError(.drainTimedOut, seen: seen)))
  }

  private func drainError(_ code: AMQPError.Code, seen: String) -> AMQPError {
    AMQPError(code, .link, .local, tried: "drain the receiver from \(self.address)", seen: seen)
  }

  private func endDrains(_ result: Result<AMQPDrainResult, AMQPError>) {
    for answer in self.draining { answer.fulfil(result) }
    self.draining = []
  }

  func changeWindow(_ window: Int, kept: Int, _ engine: ProtonEngine, at now: NIODeadline) {
    self.apply(.windowChanged(window, kept: kept), engine, at: now)
  }

  // MARK: Ends

  /// Takes the credit back, and grants no more. What crosses it on the way still arrives.
  func leave(_ engine: ProtonEngine, at now: NIODeadline) {
    self.endDrains(.failure(self.drainError(.linkClosed, seen: "the receiver is being closed")))
    self.apply(.leaving, engine, at: now)
  }

  /// Stops granting, and gives back what nobody has taken.
  ///
  /// - Parameter releasing: false to leave it to the bus.
  func close(_ engine: ProtonEngine, at now: NIODeadline, releasing: Bool = true) {
    self.isClosing = true
    self.handOutArrived(engine)
    self.endDrains(.failure(self.drainError(.linkClosed, seen: "the receiver was closed")))
    // First of all: what is given back must find no credit, or the bus sends it here again, and counts that.
    self.apply(.closed, engine, at: now)
    for transfer in self.buffer.end(.success(())) {
      if transfer.delivery == self.arrival?.delivery {
        // Settled when its last byte has come; nobody reads it.
        self.arrival?.disposition = .released
        self.arrival?.isHandedOut = false
        self.ages.finished(transfer.delivery)
        continue
      }
      if releasing, !transfer.settled, engine.settle(transfer.delivery, .released) { self.ages.finished(transfer.delivery) }
      self.apply(.dropped(1), engine, at: now)
    }
    self.endListening(nil)
  }

  func linkEnded(_ error: AMQPError, _ engine: ProtonEngine) {
    self.handOutArrived(engine)
    _ = self.credit.handle(.closed, epoch: self.epoch)
    self.arrival?.body.end(.failure(error))
    self.arrival = nil
    _ = self.buffer.end(.failure(error))
    self.endListening(error)
    self.endDrains(.failure(error))
  }

  @discardableResult
  private func apply(_ event: CreditMachine.Event, _ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    self.lastActivity = now
    defer { self.creditSince = self.credit.credit > 0 ? self.creditSince ?? now : nil }
    switch self.credit.handle(event, epoch: self.epoch) {
    case .none: break
    case .grant(let credit): engine.grant(credit, on: self.link)
    case .withdraw(let credit): engine.withdraw(credit, from: self.link)
    case .askToDrain: engine.drain(self.link)
    case .drained(let arrived, let returned):
      self.endDrains(.success(AMQPDrainResult(arrived: arrived, creditGivenBack: returned)))
    case .refuse: return false
    }
    return true
  }

  func statistics(at now: NIODeadline, isDetaching: Bool) -> AMQPLinkStatistics {
    let buffered = self.buffer.size
    // What a task took a moment ago may not have been told to the machine yet: together they are the machine's.
    return AMQPLinkStatistics(
      role: .receiver,
      state: isDetaching ? .detaching : self.credit.isDraining ? .draining : self.credit.isDrained ? .drained : .open,
      address: self.address, name: self.name, epoch: self.epoch, credit: self.credit.credit, window: self.credit.window,
      buffered: buffered.count, bufferedBytes: buffered.bytes, unsettled: max(0, self.credit.held - buffered.count),
      oldestUnsettledAge: self.ages.oldest.map { now.age(since: $0) }, lastActivityAge: now.age(since: self.lastActivity),
      hasHadCreditFor: self.creditSince.map { now.age(since: $0) }, attachedFor: now.age(since: self.attachedAt),
      transfers: self.transfers, withdrawn: self.withdrawnCount)
  }
}

extension NIODeadline {
  /// How long ago `earlier` was; zero when it lies ahead.
  func age(since earlier: NIODeadline) -> Duration {
    .nanoseconds(max(0, (self - earlier).nanoseconds))
  }
}
