// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Carries out what ``ProcessMachine`` decides: starts handlers, keeps delays, settles.
///
/// Events come from any task or event loop; they are taken one at a time under the lock, and acted on after it.
final class ProcessShell<Handler: AMQPDeliveryHandler>: Sendable {
  typealias Machine = ProcessMachine<Handler.Key>

  /// A handler's run, for the task that owns the handlers to start.
  struct Start: Sendable {
    let ticket: Machine.Ticket
    let run: Int
    let delivery: AMQPDelivery
    let item: Handler.Item
    let cancelled: OneShot<Void>
    /// To be called when the bus says that the lock on it is lost: as good as taken back.
    let lockLost: @Sendable () -> Void
  }

  private struct Held: Sendable {
    let delivery: AMQPDelivery
    let item: Handler.Item
    let messageID: AMQPMessageID?
    let cancelled = OneShot<Void>()
    /// The place that its handler waits for.
    var place: OneShot<Bool>?
    /// Since when its handler is at work; nil when it is not.
    var atWorkSince: ContinuousClock.Instant?
    var hasBegun = false
    var verdict: AMQPVerdict?
  }

  private struct State {
    var machine: Machine
    var held: [Machine.Ticket: Held] = [:]
    var timers: [Machine.Ticket: Scheduled<Void>] = [:]
    /// By key: until when what was handed back is expected.
    var returns: [Handler.Key: Scheduled<Void>] = [:]
    var lastTicket: Machine.Ticket = 0
    var counts = AMQPProcessCounts()
    var stopTimers: [Scheduled<Void>] = []
    var receiver: AMQPReceiver?
  }

  let starts: AsyncStream<Start>
  private let newStarts: AsyncStream<Start>.Continuation
  private let policy: AMQPProcessPolicy
  private let handler: Handler
  private let deadlines: DeadlineKeeper
  private let address: String
  private let logger: Logger
  private let state: NIOLockedValueBox<State>

  init(
    _ address: String, maximumConcurrent: Int, policy: AMQPProcessPolicy, handler: Handler, deadlines: DeadlineKeeper,
    logger: Logger
  ) {
    self.address = address
    self.policy = policy
    self.handler = handler
    self.deadlines = deadlines
    self.logger = logger
    (self.starts, self.newStarts) = AsyncStream.makeStream()
    let machine = Machine(
      .init(
        maximumConcurrent: maximumConcurrent, retriesAtOnce: policy.retriesAtOnce, retryDelay: policy.retryDelay,
        poisonLimit: policy.poisonLimit, reportedFrom: policy.brokerDeliveryLimit.map { max($0 * 3 / 4, 1) },
        failedKeepPlace: policy.failedKeepPlace))
    self.state = NIOLockedValueBox(State(machine: machine))
  }

  var counts: AMQPProcessCounts { self.state.withLockedValue { $0.counts } }

  /// Adds what is here to what waits before it.
  func addLoad(to load: inout AMQPReceiverLoad) {
    let (queued, held, begun) = self.state.withLockedValue { state in
      (state.machine.queuedCount, state.machine.heldCount, state.held.values.compactMap(\.atWorkSince))
    }
    load.waiting += queued
    load.held = held
    load.atWork = begun.count
    load.oldestAtWork = begun.min().map { .now - $0 }
  }

  // MARK: Events

  func take(_ event: ReceiverKeeper.Event) {
    switch event {
    case .attached(let receiver):
      let isStopping = self.state.withLockedValue { state in
        state.receiver = receiver
        return state.machine.isStopping
      }
      if isStopping { receiver.leave() }
    case .lost(let epoch):
      self.state.withLockedValue { $0.receiver = nil }
      self.event { $0.linkLost(generation: epoch) }
    }
  }

  func arrived(_ batch: [AMQPDelivery]) {
    for delivery in batch {
      let facts = DeliveryFacts(delivery)
      let item = self.handler.read(delivery)
      let ticket = self.state.withLockedValue { state in
        state.lastTicket += 1
        state.held[state.lastTicket] = Held(delivery: delivery, item: item, messageID: facts.messageID)
        return state.lastTicket
      }
      let (key, needsPlace) = (self.handler.key(of: item), self.handler.needsPlace(item))
      self.event {
        $0.arrived(
          ticket, key: key, messageID: facts.messageID, needsPlace: needsPlace, generation: delivery.epoch,
          earlierDeliveries: facts.earlierDeliveries)
      }
      // After it has arrived: one that has been taken back already is told of at once.
      delivery.onWithdrawn { [weak self] in self?.event { $0.withdrawn(ticket) } }
    }
  }

  func finished(_ start: Start, _ verdict: AMQPVerdict) {
    self.state.withLockedValue { state in
      state.held[start.ticket]?.verdict = verdict
      state.held[start.ticket]?.atWorkSince = nil
    }
    let ending: Machine.Ending =
      switch verdict {
      case .accept: .success
      case .deadLetter(let reason): .failure(.deadLetter(reason))
      case .handBack(let delay, let failed): .failure(.delay(delay, failed: failed))
      case .retryNow: .failure(.retryNow)
      case .stop: .failure(.stop)
      }
    self.event { $0.finished(start.ticket, run: start.run, ending) }
  }

  /// Waits for a place for a handler that was begun without one.
  func place(for start: Start) async -> Bool {
    let place = OneShot<Bool>()
    self.state.withLockedValue { $0.held[start.ticket]?.place = place }
    self.event { $0.askedForPlace(start.ticket, run: start.run) }
    // Cancelled: one that is given all the same goes back when the handler ends.
    return (try? await place.wait()) ?? false
  }

  /// Starts nothing more; handlers at work have until `deadline`, then until `grace` after their cancellation.
  func stop(within deadline: Duration, grace: Duration) {
    let isFirst = self.state.withLockedValue { $0.stopTimers.isEmpty }
    guard isFirst else { return }
    let timers = [
      self.deadlines.after(deadline) { [weak self] in self?.event { $0.deadlinePassed() } },
      self.deadlines.after(deadline + grace) { [weak self] in self?.event { $0.graceOver() } },
    ]
    self.state.withLockedValue { $0.stopTimers += timers }
    self.event { $0.stop() }
  }

  /// The task is cancelled: handlers are, by their tasks, at once.
  func cancel(grace: Duration) {
    self.event { $0.deadlinePassed() }
    let timer = self.deadlines.after(grace) { [weak self] in self?.event { $0.graceOver() } }
    self.state.withLockedValue { $0.stopTimers.append(timer) }
  }

  /// Every handler has ended: whatever was never started is handed back.
  func close() {
    self.event { $0.graceOver() }
    let timers = self.state.withLockedValue { state in
      defer {
        state.timers = [:]
        state.returns = [:]
        state.stopTimers = []
      }
      return Array(state.timers.values) + Array(state.returns.values) + state.stopTimers
    }
    for timer in timers { timer.cancel() }
  }

  // MARK: Actions

  private func event(_ event: (inout Machine) -> [Machine.Action]) {
    // Actions are carried out under no lock, but settling the same delivery twice is not possible: the machine says it once.
    let actions = self.state.withLockedValue { event(&$0.machine) }
    for action in actions { self.carryOut(action) }
  }

  private func carryOut(_ action: Machine.Action) {
    switch action {
    case .start(let ticket, let run): self.start(ticket, run)
    case .givePlace(let ticket, let isGiven):
      self.state.withLockedValue { $0.held[ticket]?.place }?.fulfil(isGiven)
    case .hold(let ticket, let delay):
      let timer = self.deadlines.after(delay) { [weak self] in self?.event { $0.holdOver(ticket) } }
      self.state.withLockedValue { if $0.held[ticket] != nil { $0.timers[ticket] = timer } else { timer.cancel() } }
    case .expectReturn(let key, let round, let limit):
      let timer = self.deadlines.after(limit) { [weak self] in self?.event { $0.returnOver(key, round: round) } }
      self.state.withLockedValue { $0.returns.updateValue(timer, forKey: key) }?.cancel()
    case .cancel(let ticket): self.state.withLockedValue { $0.held[ticket] }?.cancelled.fulfil(())
    case .leave: self.state.withLockedValue { $0.receiver }?.leave()
    case .settle(let ticket, let settlement): if let held = self.forget(ticket) { self.settle(held, settlement) }
    case .forget(let ticket, let wasHandled):
      guard let held = self.forget(ticket) else { return }
      guard wasHandled else { return self.handler.ended(held.item, .unbegun) }
      self.settlementLost(held)
    case .reportNearLimit(let ticket, let deliveries):
      self.count { $0.nearDeliveryLimit += 1 }
      let id = self.state.withLockedValue { $0.held[ticket]?.messageID }
      self.logger.warning("a message is near its delivery limit", metadata: self.metadata)
      self.policy.report(.nearDeliveryLimit(id, deliveries: deliveries))
    case .done: self.newStarts.finish()
    }
  }

  private func start(_ ticket: Machine.Ticket, _ run: Int) {
    let held = self.state.withLockedValue { state in
      state.held[ticket]?.atWorkSince = .now
      state.held[ticket]?.hasBegun = true
      if run > 1 { state.counts.retriedAtOnce += 1 }
      return state.held[ticket]
    }
    guard let held else { return }
    let lockLost: @Sendable () -> Void = { [weak self] in self?.event { $0.withdrawn(ticket) } }
    self.newStarts.yield(
      Start(
        ticket: ticket, run: run, delivery: held.delivery, item: held.item, cancelled: held.cancelled, lockLost: lockLost))
  }

  private func forget(_ ticket: Machine.Ticket) -> Held? {
    self.state.withLockedValue { state in
      state.timers.removeValue(forKey: ticket)?.cancel()
      return state.held.removeValue(forKey: ticket)
    }
  }

  private func settle(_ held: Held, _ settlement: Machine.Settlement) {
    let knowsModified = self.state.withLockedValue { $0.receiver.map { !$0.connection.peer.isRabbitMQ3 } ?? false }
    let disposition: AMQPDisposition
    switch settlement {
    case .accept: disposition = .accepted
    case .deadLetter(let reason):
      switch self.policy.deadLettering {
      case .modified where knowsModified: disposition = .modified(deliveryFailed: true, undeliverableHere: true)
      case .modified, .rejected: disposition = .rejected(reason)
      }
    case .handBackFailed: disposition = knowsModified ? .modified(deliveryFailed: true, undeliverableHere: false) : .released
    // Where the bus has taken it back, the link states what unlocks it instead (accepted). Where only its lock is lost, nothing
    // else would do: accepted, the message would be gone should the lock stand after all.
    case .handBackUnbegun, .unlock: disposition = .released
    }
    do throws(AMQPError) {
      try held.delivery.settle(as: disposition)
      self.tell(settlement, held)
    } catch {
      guard error.code == .deliveryWithdrawn else { return self.settlementLost(held) }
      self.withdrawn(held)
    }
  }

  private func withdrawn(_ held: Held) {
    self.count { $0.withdrawn += 1 }
    self.logger.warning("the bus took a message back that was not settled in time", metadata: self.metadata)
    self.policy.report(.withdrawn(held.messageID))
    self.handler.ended(held.item, .withdrawn(begun: held.hasBegun))
  }

  private func settlementLost(_ held: Held) {
    guard let verdict = held.verdict else { return self.handler.ended(held.item, .unbegun) }
    self.count { $0.settlementsLost += 1 }
    self.policy.report(.settlementLost(held.messageID))
    self.handler.ended(held.item, .settlementLost(verdict))
  }

  private func tell(_ settlement: Machine.Settlement, _ held: Held) {
    switch settlement {
    case .accept: self.count { $0.accepted += 1 }
    case .deadLetter(let reason):
      self.count { $0.deadLettered += 1 }
      self.logger.warning("a message is dead-lettered", metadata: self.metadata)
      self.policy.report(.deadLettered(held.messageID, reason))
    case .handBackFailed:
      self.count { $0.handedBack += 1 }
      self.policy.report(.handedBack(held.messageID))
    case .handBackUnbegun: self.count { $0.handedBackUnbegun += 1 }
    case .unlock: return self.withdrawn(held)
    }
    if let verdict = held.verdict {
      self.handler.ended(held.item, .settled(verdict))
    } else {
      self.handler.ended(held.item, settlement.isDeadLettering ? .poisonous : .unbegun)
    }
  }

  private var metadata: Logger.Metadata { [LogKey.address.rawValue: "\(self.address)"] }

  private func count(_ change: (inout AMQPProcessCounts) -> Void) { self.state.withLockedValue { change(&$0.counts) } }
}

extension ProcessMachine.Settlement {
  fileprivate var isDeadLettering: Bool { if case .deadLetter = self { true } else { false } }
}
