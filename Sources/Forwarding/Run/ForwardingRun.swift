// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import DequeModule
import Logging
import NIOCore
import TjenestebussClient

/// One run of a forwarder: carries out what ``ForwardMachine`` decides. Used by one task.
///
/// Data crosses from task to event loop and back in batches only: one for what a read of the source's socket brought, one for what goes
/// to the target, one for its outcomes.
struct ForwardingRun {
  /// A delivery, until the machine has done with it.
  private struct Carried {
    /// Nil where its sender had settled it.
    let delivery: DeliveryID?
    let payload: [UInt8]
    let start: Int
    let priority: UInt8?
    /// Where there is a time to live, of which the rest is computed when it is sent.
    let limited: Limited?
  }

  /// An object, since few messages have one.
  private final class Limited: Sendable {
    let message: StrandedMessage
    init(_ message: StrandedMessage) { self.message = message }
  }

  private let forwarder: Forwarder
  private let inbox: Inbox<ForwardingInput>
  private let queue: UInt32
  private let tried: String
  private var machine: ForwardMachine
  private var carried: Deque<Carried?> = []
  private var firstNumber: UInt64 = 1
  private var sender: (epoch: Int, link: AMQPSender)?
  private var receiver: (epoch: Int, link: AMQPReceiver)?
  private var timer: (at: Int64, scheduled: Scheduled<Void>)?
  private var manners = StrandedMessage.TargetManners()
  private var sourceDialect = Dialect.rabbitMQ3
  private var targetEndpoint: BusEndpoint?
  private var notice: ForwardingError?
  private var ending: ForwardMachine.Ending?
  private var rateFrom: (time: Int64, accepted: Int) = (0, 0)
  private var shownAt: Int64 = 0
  private var rate: Double = 0
  private var firstArrival: Int64?
  private var lastAccepted: Int64 = 0

  init(_ forwarder: Forwarder, _ inbox: Inbox<ForwardingInput>, queue: UInt32, idle: Duration?, tried: String) {
    self.forwarder = forwarder
    self.inbox = inbox
    self.queue = queue
    self.tried = tried
    var settings = ForwardMachine.Settings()
    settings.queue = queue
    settings.window = forwarder.rules.effectiveWindow
    settings.rate = forwarder.rules.rate
    settings.heldLimit = forwarder.rules.heldLimit
    // As much again as is on its way, so that the target never waits for the source.
    settings.ahead = settings.window == 1 ? 16 : settings.window * 2
    settings.retriesSetAside = forwarder.rules.retriesSetAside
    settings.idle = idle.map { Int64($0 / .nanoseconds(1)) }
    settings.tried = tried
    settings.stopLimit = Int64(forwarder.stopLimit / .nanoseconds(1))
    settings.awaited = forwarder.journal.awaited(in: queue)
    settings.isAfterPowerCut = forwarder.journal.isAfterPowerCut
    settings.numbersMessages = forwarder.line.source.dialect.numbersMessages
    settings.linksLag = forwarder.sourceLinks.map { Int64($0.lag / .nanoseconds(1)) }
    if forwarder.journal.isAfterCrash {
      settings.holdOff =
        settings.isAfterPowerCut ? forwarder.line.source.dialect.unnoticedLimit(stated: nil) : ForwardMachine.firstPause
    }
    self.machine = ForwardMachine(settings)
  }

  private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

  /// Carries messages until the machine is done, and leaves both links.
  consuming func carry() async -> (ForwardingReport.Ending, Duration) {
    var run = self
    return await withTaskGroup(of: Void.self) { group in
      await run.loop(&group)
      // The links are closed; whoever still reads or attaches ends now.
      group.cancelAll()
      await group.waitForAll()
      await run.closeLateLinks()
      run.timer?.scheduled.cancel()
      let carrying = Duration.nanoseconds(max(0, run.lastAccepted - (run.firstArrival ?? run.lastAccepted)))
      switch run.ending {
      case .idle: return (.idle, carrying)
      case .asked, nil: return (.asked, carrying)
      case .failed(let error): return (.stopped(error), carrying)
      }
    }
  }

  private func leave(_ receiver: AMQPReceiver) async {
    await Self.leave(receiver, releasing: self.sourceDialect.keepsLocks)
  }

  /// Gives all that is unsettled back to the source in its order.
  private static func leave(_ receiver: AMQPReceiver, releasing: Bool) async {
    if releasing { await receiver.close() } else { await receiver.abandon() }
  }

  private mutating func loop(_ group: inout TaskGroup<Void>) async {
    let begun = Self.now
    self.rateFrom = (begun, 0)
    self.handle(.started, &group)
    if self.forwarder.isPaused { self.handle(.paused, &group) }
    while self.ending == nil {
      for input in await self.inbox.take() { self.take(input, &group) }
      self.show()
    }
    // What is given back was put before: the bus reads it first.
    if let receiver { await self.leave(receiver.link) }
    if let sender { await sender.link.close(within: .seconds(1)) }
    self.show(last: true)
  }

  /// Links that were attached after the end: one that nobody reads would take messages from others.
  private func closeLateLinks() async {
    for input in self.inbox.takeNow() {
      switch input {
      case .target(_, _, let sender): await sender.close(within: .seconds(1))
      case .source(_, let dialect, let receiver, _): await Self.leave(receiver, releasing: dialect.keepsLocks)
      case .event, .deliveries, .ends, .stop: break
      }
    }
  }

  private mutating func take(_ input: ForwardingInput, _ group: inout TaskGroup<Void>) {
    switch input {
    case .event(let event): self.handle(event, &group)
    case .target(let epoch, let endpoint, let sender):
      let dialect = endpoint.dialect
      self.targetEndpoint = endpoint
      self.manners.wantsExtensionKeys = dialect == .rabbitMQ4AddressV1 || dialect == .rabbitMQ4AddressV2
      self.manners.takesArrays = dialect != .rabbitMQ3
      if let old = self.sender { group.addTask { await old.link.close(within: .seconds(1)) } }
      self.sender = (epoch, sender)
      self.handle(
        .targetAttached(epoch: epoch, maximumSize: sender.maximumMessageSize, losesUnseen: dialect.losesUnseen), &group)
    case .source(let epoch, let dialect, let receiver, let idleTimeout):
      self.sourceDialect = dialect
      self.receiver = (epoch, receiver)
      self.handle(
        .sourceAttached(
          epoch: epoch, unnoticedLimit: dialect.unnoticedLimit(stated: idleTimeout), holdLimit: dialect.holdLimit), &group)
      let inbox = self.inbox
      let tried = self.tried
      receiver.listen { told in
        switch told {
        case .arrived(let deliveries): inbox.put(.deliveries(epoch: epoch, deliveries))
        case .ended(let error?): inbox.put(.event(.sourceFailed(epoch: epoch, LinkFailure.source(error, tried))))
        // Closed from here.
        case .ended(nil): break
        }
      }
    case .deliveries(let epoch, let deliveries): self.arrived(epoch, deliveries, &group)
    case .ends(let epoch, let ends): self.ended(epoch, ends, &group)
    case .stop:
      let limit = Int64(self.forwarder.stopLimit / .nanoseconds(1))
      self.handle(.stopAsked(deadline: Self.now + limit), &group)
    }
  }

  private mutating func handle(_ event: ForwardMachine.Event, _ group: inout TaskGroup<Void>) {
    let actions = self.machine.handle(event, now: Self.now, milliseconds: wallClockMilliseconds())
    for action in actions { self.carryOut(action, &group) }
  }

  private mutating func carryOut(_ action: ForwardMachine.Action, _ group: inout TaskGroup<Void>) {
    let inbox = self.inbox
    switch action {
    case .attachTarget(let epoch):
      let forwarder = self.forwarder
      group.addTask { await Self.attachTarget(forwarder, epoch, inbox) }
    case .attachSource(let epoch):
      let forwarder = self.forwarder
      group.addTask { await Self.attachSource(forwarder, epoch, inbox) }
    case .journal(let batch, let records):
      self.forwarder.journal.write(records) { inbox.put(.event(.journaled(batch: batch, $0))) }
    case .note(let records): self.forwarder.journal.note(records)
    case .goOn(let serials): self.forwarder.journal.goOn(serials)
    case .interrupt(let serials): self.forwarder.journal.interrupt(serials)
    case .send(let epoch, let numbers): self.send(epoch, numbers, &group)
    case .withdraw(let epoch):
      guard let sender, sender.epoch == epoch else { return }
      sender.link.withdrawParcels { inbox.put(.event(.withdrawn(epoch: epoch, $0))) }
    case .seekLinks:
      let links = self.forwarder.sourceLinks
      group.addTask { inbox.put(.event(.linksSeen(await links?.count()))) }
    case .look(let epoch, let look):
      guard let sender, sender.epoch == epoch, let endpoint = self.targetEndpoint else { return }
      let forwarder = self.forwarder
      group.addTask { await Self.look(forwarder, endpoint, sender, look, inbox) }
    case .tell(let notice): self.tell(notice)
    case .settle(let epoch, let numbers): self.settle(epoch, numbers, as: .accepted)
    case .leaveSource(let epoch):
      guard let receiver, receiver.epoch == epoch else { return }
      self.receiver = nil
      let releases = self.sourceDialect.keepsLocks
      group.addTask { await Self.leave(receiver.link, releasing: releases) }
    case .take(let epoch, let window, let kept):
      if let receiver, receiver.epoch == epoch { receiver.link.changeWindow(to: window, kept: kept) }
    case .again(let epoch, let arrivals): self.offerAgain(epoch, arrivals, &group)
    case .letGo(let epoch, let numbers):
      guard let receiver, receiver.epoch == epoch else { return }
      receiver.link.leave()
      self.settle(epoch, numbers, as: .released)
    case .awaitNothing: self.forwarder.journal.awaitNothing(in: self.queue)
    case .giveBack(let epoch, let numbers):
      self.receiver?.link.leave()
      if self.sourceDialect.keepsLocks { self.settle(epoch, numbers, as: .released) }
    case .forget(let numbers):
      for number in numbers { self.forget(number) }
    case .wake(let at): self.wake(at)
    case .finish(let ending): self.ending = ending
    }
  }

  // MARK: Source

  private mutating func arrived(_ epoch: Int, _ deliveries: [IncomingTransfer], _ group: inout TaskGroup<Void>) {
    guard let receiver, receiver.epoch == epoch, !self.machine.hasEnded else { return }
    if self.firstArrival == nil { self.firstArrival = Self.now }
    let key = self.forwarder.journal.key
    let now = wallClockMilliseconds()
    var serial = self.forwarder.journal.serials(deliveries.count)
    var arrivals: [ForwardMachine.Arrival] = []
    arrivals.reserveCapacity(deliveries.count)
    for delivery in deliveries {
      let message = StrandedMessage(delivery.payload, manners: self.manners)
      let fingerprint = delivery.payload.withUnsafeBytes {
        Fingerprint(of: UnsafeRawBufferPointer(rebasing: $0[message.bareStart...]), key: key)
      }
      var payload = delivery.payload
      if let place = message.userID { payload = ForwardedForm.withoutUserID(payload, place) }
      let number = self.firstNumber + UInt64(self.carried.count)
      self.carried.append(
        Carried(
          delivery: delivery.settled ? nil : delivery.delivery, payload: payload, start: message.bareStart,
          priority: message.priority,
          limited: message.timeToLive == nil ? nil : Limited(message)))
      var arrival = ForwardMachine.Arrival(number: number, fingerprint: fingerprint, serial: serial)
      serial += 1
      arrival.messageID = message.messageID
      arrival.sender = message.sender ?? ""
      arrival.size = payload.count - message.bareStart + 16
      let tellsFirstAcquirer = self.sourceDialect.tellsFirstAcquirer
      arrival.isRedelivered =
        message.deliveryCount > 0 || message.countedReturns > 0
        || (tellsFirstAcquirer && message.hasHeader && !message.firstAcquirer)
      // Another bus's number may lie on a message that came from there.
      if self.sourceDialect.numbersMessages { arrival.sequenceNumber = message.sequenceNumber }
      if let limit = self.forwarder.rules.deliveryLimit ?? self.sourceDialect.usualDeliveryLimit {
        arrival.isNearDeliveryLimit = max(Int64(message.deliveryCount), message.countedReturns) >= Int64(limit - 3)
      }
      arrival.aside = self.reasonAgainst(message, now)
      arrivals.append(arrival)
    }
    self.lookUp(&arrivals)
    self.handle(.arrived(epoch: epoch, arrivals), &group)
  }

  private func lookUp(_ arrivals: inout [ForwardMachine.Arrival]) {
    let standings = self.forwarder.journal.standings(arrivals.map(\.fingerprint), in: self.queue)
    for (index, standing) in standings.enumerated() where standing != arrivals[index].standing {
      arrivals[index].standing = standing
    }
  }

  /// What was held goes to the end of those that are on hand: it is sent in the order of the numbers.
  private mutating func offerAgain(_ epoch: Int, _ held: [ForwardMachine.Arrival], _ group: inout TaskGroup<Void>) {
    var arrivals = held
    let serial = self.forwarder.journal.serials(arrivals.count)
    for index in arrivals.indices {
      let before = arrivals[index].number
      arrivals[index].number = self.firstNumber + UInt64(self.carried.count)
      arrivals[index].serial = serial + UInt64(index)
      self.carried.append(self.carried(before))
      self.forget(before)
    }
    self.lookUp(&arrivals)
    self.handle(.arrivedAgain(epoch: epoch, arrivals), &group)
  }

  /// Why it must not be sent.
  private func reasonAgainst(_ message: StrandedMessage, _ now: Int64) -> (reason: SetAside.Reason, seen: String)? {
    if self.forwarder.rules.leavesToExpire { return (.leftToExpire, "a message of a synchronous queue") }
    if let problem = message.problem { return (.poison, "a bus ends link or session over it: \(problem)") }
    switch ForwardedForm.age(of: message, at: now) {
    case .expired: return (.expired, "its time to live is over")
    case .unknown where self.forwarder.rules.unknownAge == .aside:
      return (.unknownAge, "it has a time to live, and nothing says since when")
    case .unlimited, .left, .unknown: return nil
    }
  }

  private mutating func settle(_ epoch: Int, _ numbers: [UInt64], as disposition: AMQPDisposition) {
    guard let receiver, receiver.epoch == epoch, !numbers.isEmpty else { return }
    let deliveries = numbers.compactMap { number in self.carried(number)?.delivery }
    do throws(AMQPError) {
      try receiver.link.settle(deliveries, as: disposition)
    } catch {
      // The link is gone, or the bus took some back: they come again, and are told by the journal then.
      self.forwarder.logger.debug("not settled", metadata: [LogKey.code.rawValue: "\(error.stableCode)"])
    }
  }

  private func carried(_ number: UInt64) -> Carried? {
    guard number >= self.firstNumber, number - self.firstNumber < UInt64(self.carried.count) else { return nil }
    return self.carried[Int(number - self.firstNumber)]
  }

  private mutating func forget(_ number: UInt64) {
    guard number >= self.firstNumber, number - self.firstNumber < UInt64(self.carried.count) else { return }
    self.carried[Int(number - self.firstNumber)] = nil
    while let first = self.carried.first, first == nil {
      self.carried.removeFirst()
      self.firstNumber += 1
    }
  }

  // MARK: Target

  private mutating func send(_ epoch: Int, _ numbers: [UInt64], _ group: inout TaskGroup<Void>) {
    guard let sender, sender.epoch == epoch else { return }
    var parcels: [AMQPParcel] = []
    parcels.reserveCapacity(numbers.count)
    var late: [(number: UInt64, fate: ForwardMachine.Fate)] = []
    for number in numbers {
      guard let carried = self.carried(number) else { continue }
      var head = ForwardedForm.plainHeader
      if let limited = carried.limited {
        switch ForwardedForm.age(of: limited.message, at: wallClockMilliseconds()) {
        case .expired:
          late.append((number, .expired))
          continue
        case .left(let left), .unknown(let left): head = ForwardedForm.header(priority: carried.priority, timeToLive: left)
        case .unlimited: head = ForwardedForm.header(priority: carried.priority, timeToLive: nil)
        }
      } else if carried.priority != nil {
        head = ForwardedForm.header(priority: carried.priority, timeToLive: nil)
      }
      parcels.append(AMQPParcel(number: number, head: head, payload: carried.payload, start: carried.start))
    }
    let inbox = self.inbox
    sender.link.send(parcels: parcels) { inbox.put(.ends(epoch: epoch, $0)) }
    if !late.isEmpty { self.handle(.ended(epoch: epoch, late), &group) }
  }

  private mutating func ended(_ epoch: Int, _ ends: [AMQPParcelEnd], _ group: inout TaskGroup<Void>) {
    var failure: AMQPError?
    let told = ends.map { end -> (number: UInt64, fate: ForwardMachine.Fate) in
      switch end.fate {
      case .outcome(.accepted): return (end.number, .accepted)
      case .outcome(.unknown(let reason)):
        guard case .lost(let error) = reason else { return (end.number, .unclear("the target settled it without an outcome")) }
        failure = error
        return (end.number, .unknown)
      case .outcome(let outcome): return (end.number, .refused("the target said \(outcome)"))
      case .notSent(let error):
        failure = error
        return (end.number, .notSent)
      }
    }
    if told.contains(where: { $0.fate == .accepted }) { self.lastAccepted = Self.now }
    self.handle(.ended(epoch: epoch, told), &group)
    if let failure { self.handle(.targetFailed(epoch: epoch, LinkFailure.target(failure, self.tried)), &group) }
  }

  // MARK: Time and progress

  private mutating func wake(_ at: Int64) {
    let now = Self.now
    if let timer, timer.at <= at, timer.at > now { return }
    self.timer?.scheduled.cancel()
    let inbox = self.inbox
    let scheduled = self.forwarder.line.eventLoop.scheduleTask(in: .nanoseconds(max(0, at - now))) {
      inbox.put(.event(.timePassed))
    }
    self.timer = (at, scheduled)
  }

  private mutating func tell(_ notice: ForwardingError?) {
    if let notice {
      self.forwarder.logger.warning(
        "\(notice.explanation.seen)",
        metadata: [LogKey.route.rawValue: "\(self.forwarder.route)", LogKey.code.rawValue: "\(notice.stableCode)"])
    } else if let before = self.notice {
      self.forwarder.logger.info(
        "over",
        metadata: [LogKey.route.rawValue: "\(self.forwarder.route)", LogKey.code.rawValue: "\(before.stableCode)"])
    }
    self.notice = notice
  }

  private mutating func show(last: Bool = false) {
    let now = Self.now
    var counts = self.machine.counts
    if now - self.rateFrom.time >= 1_000_000_000 {
      self.rate = Double(counts.accepted - self.rateFrom.accepted) / (Double(now - self.rateFrom.time) / 1e9)
      self.rateFrom = (now, counts.accepted)
    }
    counts.rate = self.rate
    counts.notice = self.notice.map { "[\($0.stableCode)] \($0.explanation.seen)" }
    let isDue = last || now - self.shownAt >= 250_000_000
    if isDue { self.shownAt = now }
    self.forwarder.show(counts, telling: isDue)
  }
}
